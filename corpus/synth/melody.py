"""What is sung: the notes of a line over the Phrygian scale of the Andalusian cadence.

The lines of a copla come to rest on the fourth, third, second and first degree
in turn (la, sol, fa, mi), each going up a little before it comes down; held
syllables are ornamented, and the last one runs down to its rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PHRYGIAN", "Held", "Note", "contour", "notes_of", "rest_of"]

PHRYGIAN = (0, 1, 3, 5, 7, 8, 10, 12)
"""Semitones over mi of its eight degrees."""

_FIGURES = ((0,), (0, 1, 0), (1, 0), (0, 1, 0, -1, 0), (2, 1, 0), (0, -1, 0))
_RUN = (3, 2, 3, 2, 1, 0)
_HELD = 0.3  # seconds from which a syllable is ornamented and gets its vibrato
_RATE = 200  # points of a contour in a second
_GLIDE = 0.045  # seconds from one note to the next


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A sung vowel; seconds."""

    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A degree of PHRYGIAN (from 0) from `start` on until the next note; seconds."""

    start: float
    degree: int
    duration: float


def rest_of(line: int, n_lines: int) -> int:
    """The degree on which this line (from 0) of a copla comes to rest; the last on 0."""
    return min(n_lines - 1 - line, 3)


def notes_of(vowels: list[Held], rest: int, rng: np.random.Generator) -> list[Note]:
    """Notes for the vowels of one line: an arch that comes down to `rest`."""
    found: list[Note] = []
    for index, vowel in enumerate(vowels):
        is_last = index == len(vowels) - 1
        height = 0 if is_last else _height((index + 1) / len(vowels), rng)
        found += _ornamented(vowel, rest + height, _figure(vowel, is_last, rng))
    return found


def _height(place: float, rng: np.random.Generator) -> int:
    """Degrees over the rest at this place (0..1) of the line."""
    return round(1 + 2.5 * math.sin(math.pi * place**0.7) + rng.uniform(-0.8, 0.8))


def _figure(vowel: Held, is_last: bool, rng: np.random.Generator) -> tuple[int, ...]:
    if vowel.end - vowel.start < _HELD:
        return (0,)
    return _RUN if is_last else _FIGURES[rng.integers(len(_FIGURES))]


def _ornamented(vowel: Held, degree: int, figure: tuple[int, ...]) -> list[Note]:
    """The figure's notes over the first part of the vowel; the last one is held for the rest."""
    length = vowel.end - vowel.start
    step = min(0.14, 0.6 * length / len(figure))
    starts = [vowel.start + step * i for i in range(len(figure))]
    ends = [*starts[1:], vowel.end]
    return [
        Note(start=start, degree=min(max(degree + by, 0), len(PHRYGIAN) - 1), duration=end - start)
        for start, end, by in zip(starts, ends, figure, strict=True)
    ]


def contour(
    notes: list[Note], times: NDArray[np.float64], vibrato: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Semitones over mi at the given times (seconds, ascending): gliding notes with vibrato.

    `vibrato` is the depth in semitones; it sets in on notes that are held.
    """
    starts = np.array([note.start for note in notes])
    held = np.array([note.duration for note in notes])
    pitch = np.array([PHRYGIAN[note.degree] for note in notes], dtype=float)
    fine = np.arange(0, times[-1] + 1 / _RATE, 1 / _RATE)
    index = np.clip(np.searchsorted(starts, fine, "right") - 1, 0, None)
    glide = np.hanning(2 * round(_GLIDE * _RATE) + 1)
    reach = len(glide) // 2
    line = np.convolve(np.pad(pitch[index], reach, "edge"), glide / glide.sum(), "valid")
    set_in = np.clip((fine - starts[index] - 0.15) / 0.3, 0, 1) * (held[index] > _HELD)
    rate = rng.uniform(5.0, 6.2)
    line += vibrato * set_in * np.sin(2 * np.pi * rate * fine + rng.uniform(0, 2 * np.pi))
    return np.interp(times, fine, line)
