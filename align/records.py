"""What alignment gives: a line with its words in time."""

from __future__ import annotations

from dataclasses import dataclass

from corpus.records import Word

__all__ = ["AlignedLine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedLine:
    """One line as written, from `start` to `end` s; `score` in 0..1 tells sung from not sung."""

    text: str
    start: float
    end: float
    words: tuple[Word, ...]
    score: float
