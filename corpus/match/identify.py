"""Which coplas are sung in a recording of which nothing is known but its sound."""

from __future__ import annotations

from corpus.match.chain import explained, in_order
from corpus.match.hearing import Ear
from corpus.match.index import VerseIndex
from corpus.match.score import DraftText, Evidence, gather
from corpus.match.unknown import unknown_in
from corpus.records import Segment

__all__ = ["identify"]


def identify(
    index: VerseIndex, ear: Ear, least: float = 0.5
) -> tuple[list[Evidence], tuple[Segment, ...]]:
    """The verses that explain what was heard best, in order, from a probability on.

    And the stretches of words that none of them explains, with the letters heard there.
    """
    found = in_order(explained(gather(None, DraftText(()), index, ear), least))
    return found, unknown_in(ear, found, [index.verses[one.verse].lines for one in found])
