"""What is true of a synthetic cante: who sings which word when."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from corpus.media import SAMPLE_RATE

__all__ = ["Cante", "Span", "SungLine", "SungVerse", "SungWord"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SungWord:
    """One word as written, and when it sounds; seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From when to when; seconds."""

    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SungLine:
    """One line as it was sung; `repeat` where the same line was sung before in its verse."""

    text: str
    words: tuple[SungWord, ...]
    start: float
    end: float
    repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SungVerse:
    """One copla: its lines as written, and what was sung of it in order."""

    lines: tuple[str, ...]
    sung: tuple[SungLine, ...]

    @property
    def start(self) -> float:
        """When the first word begins; seconds."""
        return self.sung[0].start

    @property
    def end(self) -> float:
        """When the last word ends; seconds."""
        return self.sung[-1].end


@dataclass(frozen=True, slots=True, kw_only=True)
class Cante:
    """One synthetic recording and everything that is true of it.

    `audio` is float32 of shape (n_samples,), 16 kHz mono, in -1..1.
    """

    name: str
    title: str
    singer: str
    sex: str
    palo: str
    region: str
    year: int
    verses: tuple[SungVerse, ...]
    quejios: tuple[Span, ...]
    falsetas: tuple[Span, ...]
    audio: NDArray[np.float32] = field(compare=False, repr=False)

    @property
    def duration(self) -> float:
        """Seconds of audio."""
        return len(self.audio) / SAMPLE_RATE

    @property
    def words(self) -> tuple[SungWord, ...]:
        """Every sung word of every verse, in order."""
        return tuple(word for v in self.verses for line in v.sung for word in line.words)

    @property
    def letra(self) -> str:
        """The verses as written, a blank line between them."""
        return "\n\n".join("\n".join(verse.lines) for verse in self.verses) + "\n"
