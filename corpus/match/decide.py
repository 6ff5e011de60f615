"""What a person decides of a match; the machine never changes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from corpus.errors import UsageError
from corpus.records import PERSON, Decision, Match, MatchedVerse

__all__ = ["decided", "find_verse"]


def decided(recording: str, verses: Sequence[str]) -> Match:
    """These verses, by id, in this order; none of them is "no match"."""
    return Match(
        recording=recording,
        verses=tuple(MatchedVerse(verse=id_, score=1.0, reason="by hand") for id_ in verses),
        decision=Decision.ACCEPTED if verses else Decision.NONE,
        decided_by=PERSON,
    )


def find_verse(known: Iterable[str], beginning: str) -> str:
    """The id that begins so; raises UsageError where none does, or several do."""
    found = [id_ for id_ in known if id_.startswith(beginning.lower())]
    if len(found) == 1:
        return found[0]
    how_many = "no verse" if not found else f"{len(found)} verses"
    raise UsageError(f"the ids of {how_many} begin with '{beginning}': see `corpus verses`")
