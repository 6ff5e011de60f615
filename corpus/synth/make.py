"""Whole synthetic cantes with their ground truth: quejío, verses, falsetas, tags and files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.errors import MediaError, UsageError
from corpus.media import SAMPLE_RATE, writing
from corpus.synth.band import accompany, lay
from corpus.synth.coplas import COPLAS, PALOS, Copla, coplas_of
from corpus.synth.melody import rest_of
from corpus.synth.sing import SINGERS, Singer, Sung, sing
from corpus.synth.voice import SungWord

__all__ = [
    "Cante",
    "Span",
    "SungLine",
    "SungVerse",
    "SungWord",
    "make_cante",
    "make_cantes",
    "sing_lines",
    "write_cante",
]

STRETCH = 1.7
"""How much longer a line is sung than it is spoken, unless told otherwise."""

_QUEJIO_STRETCH = 3.5
_ALBUM = "Cante sintético"


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


class _Reel:
    """A tape on which sounds are laid one after the other."""

    def __init__(self) -> None:
        self.now = 0.0
        self._laid: list[tuple[float, NDArray[np.float64]]] = []

    def rest(self, seconds: float) -> Span:
        """Let some time pass; the span that passed."""
        span = Span(start=self.now, end=self.now + seconds)
        self.now = span.end
        return span

    def record(self, sung: Sung) -> tuple[SungWord, ...]:
        """Lay a sung line here; its words by the time of the tape."""
        # A whole number of samples, so that words and sound stay together.
        start = round(self.now * SAMPLE_RATE) / SAMPLE_RATE
        self._laid.append((start, sung.samples))
        self.now = start + len(sung.samples) / SAMPLE_RATE
        return tuple(
            SungWord(text=word.text, start=start + word.start, end=start + word.end)
            for word in sung.words
        )

    def played(self) -> NDArray[np.float64]:
        """The whole tape, shape (n_samples,)."""
        track = np.zeros(round(self.now * SAMPLE_RATE))
        for start, samples in self._laid:
            lay(track, samples, start)
        return track


def sing_lines(
    lines: Sequence[str],
    singer: Singer = SINGERS[0],
    *,
    seed: int = 0,
    stretch: float = STRETCH,
    repeats: bool = False,
) -> tuple[SungVerse, NDArray[np.float32]]:
    """One verse sung alone, and its audio: float32 of shape (n_samples,), 16 kHz.

    Raises CanteError when the group `demo` is not installed, or where espeak-ng
    does not say every word of a line.
    """
    reel, rng = _Reel(), np.random.default_rng(seed)
    reel.rest(0.3)
    verse = _sing_verse(tuple(lines), singer, reel, stretch, repeats, rng)
    reel.rest(0.3)
    return verse, _mastered(reel.played())


def make_cante(
    *,
    seed: int,
    verses: int = 2,
    band: bool = True,
    quejio: bool = True,
    repeats: bool = True,
    stretch: float = STRETCH,
    singer: Singer | None = None,
    coplas: Sequence[Copla] | None = None,
    name: str = "",
) -> Cante:
    """One recording; the same arguments give the same samples.

    Without `singer` or `coplas` the seed chooses; `verses` counts only where it
    does.  `stretch` is how much longer a line is sung than it is spoken.
    Raises CanteError when the group `demo` is not installed.
    """
    rng = np.random.default_rng(seed)
    singer = singer or SINGERS[rng.integers(len(SINGERS))]
    coplas = coplas or _chosen(verses, rng)
    palo, reel = coplas[0].palo, _Reel()
    falsetas, quejios, sung = [_falseta(reel, band, rng)], [], []
    if quejio:
        quejios.append(_quejio(reel, singer, rng))
    for index, copla in enumerate(coplas):
        if index:
            falsetas.append(_falseta(reel, band, rng))
        sung.append(_sing_verse(copla.lines, singer, reel, stretch, repeats, rng))
    falsetas.append(reel.rest(1.5))
    audio = reel.played()
    if band:
        spans = [(span.start, span.end) for span in falsetas]
        duration = len(audio) / SAMPLE_RATE
        audio += accompany(duration, tonic=singer.tonic, palo=palo, falsetas=spans, rng=rng)
    return Cante(
        name=name or f"cante-{seed}",
        title=coplas[0].lines[0],
        singer=singer.name,
        sex=singer.sex,
        palo=palo,
        region=singer.region,
        year=int(rng.integers(1955, 2000)),
        verses=tuple(sung),
        quejios=tuple(quejios),
        falsetas=tuple(falsetas) if band else (),
        audio=_mastered(audio),
    )
