"""Which coplas are sung in a recording of which nothing is known but its sound."""

from __future__ import annotations

from corpus.match.chain import explained, in_order
from corpus.match.hearing import Ear
from corpus.match.index import VerseIndex
from corpus.match.score import DraftText, Evidence, gather

__all__ = ["identify"]


def identify(index: VerseIndex, ear: Ear, least: float = 0.5) -> list[Evidence]:
    """The verses that explain what was heard best, in order, from a probability on."""
    return in_order(explained(gather(None, DraftText(()), index, ear), least))
