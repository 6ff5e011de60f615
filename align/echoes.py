"""Singing that sounds as a line did before: a chorus, an estribillo, a copla sung twice.

A line that comes back is sung by the same voice, mostly on the same notes, often by
the same tape: what a model hears of it is the same too, also where it is not what
the text says.  Looking for it by the sound of its first singing (query by example;
Hazen et al., Query-by-example spoken term detection using phonetic posteriorgram
templates, ASRU 2009) finds it where its letters are heard badly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from align.graph import AS_WRITTEN
from align.lines import moved, sung_lines
from align.listening import Listening
from align.records import AlignedLine
from corpus.text import letters

__all__ = ["with_echoes"]

_ALIKE = 0.8
"""The cosine from which two stretches are the same words."""

_LETTERS = 8
"""Less than so many letters sound like many others."""

_BLUR = 3
"""Frames; what is sung again is never in time to the frame."""

_STEP = 2
_SLACK = 0.2
"""Seconds by which an echo may begin before, and end after, its gap, and its words move."""


@dataclass(frozen=True, slots=True)
class _Echo:
    """A line heard again at `start` s; `alike` is the cosine."""

    alike: float
    start: float
    line: AlignedLine

    @property
    def end(self) -> float:
        return self.start + self.line.end - self.line.start


def with_echoes(sung: Sequence[AlignedLine], listening: Listening) -> list[AlignedLine]:
    """The same in time, with what sounds as one of the lines did in the gaps between them."""
    heard = [line for line in sung if not line.left_out]
    sound = _blurred(listening)
    gaps = list(_gaps(heard, listening.duration))
    found = [
        echo
        for line in heard
        if sum(len(letters(word.text)) for word in line.words) >= _LETTERS
        for gap in gaps
        for echo in _echoes(line, gap, sound, listening.frame_rate / _STEP)
    ]
    taken = [_placed(echo, listening) for echo in _apart(found)]
    return sorted([*sung, *taken], key=lambda line: line.start)


def _blurred(listening: Listening) -> NDArray[np.float32]:
    """How likely each letter is around every second frame, shape (n_steps, n_letters)."""
    chances = np.exp(listening.heard.letters[:, 1:])
    window = np.hanning(4 * _BLUR + 3)[1:-1, None]
    padded = np.pad(chances, ((2 * _BLUR, 2 * _BLUR), (0, 0)))
    blurred = sum(w * padded[k : k + len(chances)] for k, w in enumerate(window))
    return np.ascontiguousarray(blurred[::_STEP], dtype=np.float32)


def _gaps(heard: Sequence[AlignedLine], duration: float) -> Iterator[tuple[float, float]]:
    """From the end of a line to the beginning of the next."""
    now = 0.0
    for line in heard:
        if line.start > now:
            yield now, line.start
        now = max(now, line.end)
    if duration > now:
        yield now, duration


def _echoes(
    line: AlignedLine, gap: tuple[float, float], sound: NDArray[np.float32], rate: float
) -> Iterator[_Echo]:
    """Where in a gap the line is heard again, the best places first, half of it apart."""
    example = sound[round(line.start * rate) : round(line.end * rate)]
    first = max(0, round((gap[0] - _SLACK) * rate))
    place = sound[first : round((gap[1] + _SLACK) * rate)]
    if len(place) < len(example) or not len(example):
        return
    alike = _cosines(example, place)
    while (best := int(alike.argmax())) >= 0 and alike[best] >= _ALIKE:
        yield _Echo(float(alike[best]), (first + best) / rate, line)
        alike[max(0, best - len(example) // 2) : best + len(example) // 2 + 1] = 0


def _cosines(example: NDArray[np.float32], place: NDArray[np.float32]) -> NDArray[np.float32]:
    """The cosine of an example and what begins at each step, shape (n_place - n_example + 1,)."""
    n, m = len(place), len(example)
    products = np.ascontiguousarray(place @ example.T)
    row, column = products.strides
    dots = as_strided(products, (n - m + 1, m), (row, row + column)).sum(axis=1)
    power = np.concatenate([[0.0], np.cumsum((place**2).sum(axis=1, dtype=np.float64))])
    size = np.sqrt(np.maximum(power[m:] - power[:-m], 1e-9)) * max(np.linalg.norm(example), 1e-9)
    return np.asarray(dots / size, np.float32)


def _apart(found: Sequence[_Echo]) -> list[_Echo]:
    """The best of those that are in each other's way."""
    chosen: list[_Echo] = []
    for echo in sorted(found, key=lambda echo: -echo.alike):
        if all(echo.end <= o.start + _SLACK or echo.start >= o.end - _SLACK for o in chosen):
            chosen.append(echo)
    return chosen


def _placed(echo: _Echo, listening: Listening) -> AlignedLine:
    """The echo; where its words are heard close to where they were before, they are taken so."""
    begin = max(0.0, echo.start - _SLACK)
    part = listening.between(begin, min(listening.duration, echo.end + _SLACK))
    before = moved(echo.line, echo.start - echo.line.start)
    text = " ".join(word.text for word in before.words)
    anew = moved(sung_lines(part, [text], AS_WRITTEN)[0], begin)
    pairs = zip(before.words, anew.words, strict=True)
    taken = anew if all(abs(a.start - b.start) <= _SLACK for a, b in pairs) else before
    return replace(
        before,
        start=taken.start,
        end=taken.end,
        words=taken.words,
        score=anew.score,
        repeat=True,
    )
