"""Matches that a person looks at in the terminal, one verse after the other, by key."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from corpus.errors import UsageError
from corpus.match.decide import decided
from corpus.match.review import Line, heard_between, side_by_side
from corpus.records import Decision, Match, MatchedVerse, Recording, Verse, VerseSource
from corpus.show import clock, say
from corpus.text import clean, fold

if TYPE_CHECKING:
    from rich.text import Text

    from corpus.match.index import VerseIndex
    from corpus.store import Store

__all__ = ["review"]

_KEYS = "a accept   r reject   p pick another   s skip this recording   q quit"
_SHOWN = 9
_CUT = "\x03\x04\x1b"


class _QuitError(Exception):
    """The person has enough for now."""


def review(store: Store, index: VerseIndex) -> None:
    """Go through the matches that wait for a person; each is saved when its verses are decided.

    Raises UsageError where nobody can press a key.
    """
    if not sys.stdin.isatty():
        raise UsageError("a review needs a terminal: use `corpus match-set` for decisions by hand")
    recordings = {one.id: one for one in store.recordings()}
    waiting = [
        one
        for one in store.matches()
        if one.decided_by == "machine" and (one.decision is Decision.REVIEW or one.unknown)
    ]
    n_done = 0
    try:
        for k, match in enumerate(waiting):
            say(f"\n{k + 1} of {len(waiting)}: {_named(recordings[match.recording])}")
            recording = recordings[match.recording]
            chosen = _decide(match, store, index)
            if chosen is None:
                continue
            new = _new_verses(match, recording)
            placed = sorted([*chosen, *((at, verse.id) for at, verse in new)])
            with store.transaction() as transaction:
                transaction.save(verse for _, verse in new)
                transaction.save([decided(match.recording, [id_ for _, id_ in placed])])
            n_done += 1
    except _QuitError:
        pass
    say(f"review: {n_done} of {len(waiting)} decided")


def _named(recording: Recording) -> str:
    return " - ".join(filter(None, (recording.artist, recording.title))) or recording.source


def _decide(match: Match, store: Store, index: VerseIndex) -> list[tuple[float, str]] | None:
    """The verses that are sung and when, as the person says; None to skip the recording.

    What was accepted already is not asked.  One that was not heard stands after the one before.
    """
    draft = store.draft(match.recording)
    chosen: list[tuple[float, str]] = []
    at = 0.0
    for one in match.verses:
        at = at if one.start is None else one.start
        if match.decision is Decision.ACCEPTED:
            chosen.append((at, one.verse))
            continue
        heard = ""
        if draft is not None and one.start is not None and one.end is not None:
            heard = heard_between(draft.segments, one.start, one.end)
        _show(one, index.verses[one.verse].lines, heard)
        key = _key()
        while key not in "arps":
            say(_KEYS)
            key = _key()
        if key == "s":
            return None
        picked = {"a": one.verse, "p": _pick(index) if key == "p" else "", "r": ""}[key]
        if picked:
            chosen.append((at, picked))
    return chosen


def _new_verses(match: Match, recording: Recording) -> list[tuple[float, Verse]]:
    """Verses that the person writes down where something unknown is sung, and when."""
    import click

    found: list[tuple[float, Verse]] = []
    for k, one in enumerate(match.unknown):
        say(f"\n{clock(one.start)} to {clock(one.end)}, in no verse: {one.text}")
        say("n write it down as a new verse   any other key: leave it   q quit")
        if _key() != "n":
            continue
        text = click.prompt("lines, with / between them", default=one.text, err=True)
        lines = tuple(line for line in map(clean, text.split("/")) if fold(line))
        if lines:
            found.append((one.start, _verse(lines, recording, k)))
    return found


def _verse(lines: tuple[str, ...], recording: Recording, position: int) -> Verse:
    """A verse whose source is the recording it was heard in."""
    place = VerseSource(
        source=recording.source,
        position=position,
        lines=lines,
        title=recording.title,
        artist=recording.artist,
        palo=recording.palo,
    )
    return Verse(lines=lines, sources=(place,))


def _key() -> str:
    import click

    key = click.getchar().lower()
    if key == "q" or key in _CUT:
        raise _QuitError
    return key or " "


def _pick(index: VerseIndex) -> str:
    """A verse by some of its words; "" where none is wanted."""
    import click

    words = click.prompt("words of the verse", default="", show_default=False, err=True)
    found = index.by_text(words)[:_SHOWN]
    for k, id_ in enumerate(found):
        say(f"  {k + 1}  {' / '.join(index.verses[id_].lines)}")
    if not found:
        say("  no verse has such words")
        return ""
    say("the number of the verse, or any other key for none")
    key = _key()
    return found[int(key) - 1] if key.isdigit() and 0 < int(key) <= len(found) else ""


def _show(one: MatchedVerse, lines: Sequence[str], heard: str) -> None:
    """The verse and what was heard, side by side; words that only one of them has are marked."""
    from rich.console import Console
    from rich.table import Table

    where = "" if one.start is None else f", from {clock(one.start)}"
    say(f"\n{one.score:.2f}{where}: {one.reason}")
    made = Table(box=None, padding=(0, 3, 0, 0))
    made.add_column("verse", header_style="bold")
    made.add_column("heard", header_style="bold")
    for left, right in side_by_side(lines, heard):
        made.add_row(_text(left), _text(right))
    Console(stderr=True, highlight=False).print(made)
    say(_KEYS)


def _text(line: Line) -> Text:
    from rich.text import Text

    made = Text()
    for k, word in enumerate(line):
        made.append(" " if k else "")
        made.append(word.text, style="" if word.shared else "bold yellow underline")
    return made
