"""What alignment gives: lines with their words in time, and where somebody sings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.records import Word

__all__ = ["AlignedLine", "Alignment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedLine:
    """One singing of a line, from `start` to `end` s, with the words that were sung.

    `text` is the line as given and `line` which one it is, from 0.  `sung` tells
    what was sung where it differs: a part of the line, or "" for a line that was
    left out, whose words stand where they would fit best.  `repeat` is set on what
    was sung again.  `score` in 0..1 says how well the sound fits the words,
    `probability` how likely it is that this was sung, and here.
    """

    text: str
    start: float
    end: float
    words: tuple[Word, ...]
    score: float
    probability: float = 0.0
    line: int = 0
    sung: str | None = None
    repeat: bool = False
    doubts: tuple[str, ...] = ()

    @property
    def left_out(self) -> bool:
        """Whether the line was given but not sung."""
        return self.sung == ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """All that was sung in a recording, in time.

    `lines` begin in order.  `voice` is how likely it is that somebody sings, shape
    (n_frames,), `frame_rate` a second; `cries` are the stretches of voice without
    words, (start, end) s.
    """

    lines: tuple[AlignedLine, ...]
    voice: NDArray[np.float32]
    frame_rate: float
    cries: tuple[tuple[float, float], ...] = ()
