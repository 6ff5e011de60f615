"""Where a copy of a recording runs along with it: by the course of the level, to milliseconds.

Chromaprint tells which recordings are one master, to an eighth of a second; the level, a hundred
times a second, tells where one begins in the other, and how much faster it runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.media import SAMPLE_RATE, Samples

__all__ = ["LEVEL_RATE", "Placing", "level_of", "placing"]

LEVEL_RATE = 100
"""Levels a second."""

_STEP = SAMPLE_RATE // LEVEL_RATE
_FLOOR, _DB = -100.0, 0.4
"""The lowest level, dB full scale, and that between two numbers: 256 of them reach up to 2 dB."""

_WINDOW, _HOP = 10 * LEVEL_RATE, 5 * LEVEL_RATE
_ANCHORS = 40
"""Windows that are looked for in the whole copy; the others only near where they must be."""

_NEAR = LEVEL_RATE // 2
_SLOW = 2 * LEVEL_RATE
"""What changes more slowly than that is the work of a compressor, or of who digitised it."""

_ALIKE = 0.6
"""The correlation from which on a window is the same; of two performances it is about 0.3."""

_OFF = 0.02
"""Seconds by which the same window lies at most beside the line through all."""

_FEWEST, _SHARE = 3, 0.4
"""Windows that must lie on one line, and their share of all: what is less is another version."""

_SPEED = 0.025
_TIMES = 2
"""How often the line is drawn anew through what lies near it."""

Level = NDArray[np.uint8]
Curve = NDArray[np.float32]


def level_of(samples: Samples) -> Level:
    """The level of each hundredth of a second, shape (n,): 0.4 dB a step from -100 dB on.

    Nobody can hear from it what was sung.
    """
    found = []
    block = 60 * SAMPLE_RATE
    for first in range(0, samples.n_samples - _STEP + 1, block):
        part = samples.read(first, min(block, samples.n_samples - first))
        frames = part[: len(part) // _STEP * _STEP].reshape(-1, _STEP).astype(np.float64)
        power = np.square(frames).mean(1)
        decibels = 10 * np.log10(np.maximum(power, 10 ** (_FLOOR / 10)))
        found.append(np.clip(np.round((decibels - _FLOOR) / _DB), 0, 255).astype(np.uint8))
    return np.concatenate(found) if found else np.zeros(0, np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """What is at `t` s of a recording is at `speed * t + offset` s of its copy.

    `same` are the spans of the recording, s, in which that was heard to be so.
    """

    speed: float
    offset: float
    same: tuple[tuple[float, float], ...]

    def at(self, seconds: float) -> float:
        """The time in the copy."""
        return self.speed * seconds + self.offset

    def holds(self, start: float, end: float) -> bool:
        """Whether all of a span, s, lies in what is the same in both."""
        reached = start
        for first, last in self.same:
            if first > reached:
                return False
            reached = max(reached, last)
            if reached >= end:
                return True
        return False


def placing(recording: Level, copy: Level) -> Placing | None:
    """How a copy lies beside a recording; None where it is none, or another version."""
    mine, theirs = _changes(recording), _changes(copy)
    starts = _starts(mine, 0, len(mine))
    anchors = starts[:: max(1, len(starts) // _ANCHORS)]
    rough = _line([_found(mine, theirs, start) for start in anchors], 5 * _OFF)
    if rough is None:
        return None
    # What the copy has of it, which may begin late and end early.
    first, last = (round((end - rough[1] * LEVEL_RATE) / rough[0]) for end in (0, len(theirs)))
    first, last = max(0, first), min(last, len(mine))
    starts, line = _starts(mine, first, last), rough
    found: list[Hit | None] = []
    for _ in range(_TIMES):
        near = _as_fast(theirs, line, len(mine))
        found = [_near(mine, near, start, line) for start in starts]
        better = _line(found, _OFF)
        if better is None:
            return None
        line = better
    speed, offset = line
    on = [hit for hit in found if hit is not None and _beside(hit, line) <= _OFF]
    if len(on) < max(_FEWEST, _SHARE * len(starts)):
        return None
    ends = first / LEVEL_RATE, last / LEVEL_RATE
    return Placing(speed=speed, offset=offset, same=_spans(on, *ends))


Hit = tuple[float, float]
"""The middle of a window in the recording and in the copy, s."""


def _changes(level: Level) -> Curve:
    """The level against its own mean around, so that gain and slow fades do not count."""
    curve = level.astype(np.float32)
    if len(curve) <= _SLOW:
        return np.zeros(0, np.float32)
    ones = np.ones(_SLOW, np.float32) / _SLOW
    padded = np.pad(curve, _SLOW // 2, mode="edge")[: len(curve) + _SLOW - 1]
    return np.asarray(np.clip(curve - np.convolve(padded, ones, "valid"), -50, 50), np.float32)


def _starts(curve: Curve, first: int, last: int) -> list[int]:
    """Windows between two places in which something happens, the last one at the very end."""
    if last - first < _WINDOW:
        return []
    starts = [*range(first, last - _WINDOW, _HOP), last - _WINDOW]
    return [start for start in starts if curve[start : start + _WINDOW].std() > 2]


def _found(mine: Curve, theirs: Curve, start: int) -> Hit | None:
    """Where a window is in the copy; None where it is not."""
    if len(theirs) < _WINDOW:
        return None
    at = _best(mine[start : start + _WINDOW], theirs)
    half = _WINDOW / 2
    return None if at is None else ((start + half) / LEVEL_RATE, (at + half) / LEVEL_RATE)


def _near(mine: Curve, near: Curve, start: int, line: tuple[float, float]) -> Hit | None:
    """The same, half a second around where a line has it, at the speed of the recording."""
    first, last = max(0, start - _NEAR), min(len(near), start + _WINDOW + _NEAR)
    at = _best(mine[start : start + _WINDOW], near[first:last])
    if at is None:
        return None
    middle = (start + _WINDOW / 2) / LEVEL_RATE
    return middle, line[0] * (middle + (first + at - start) / LEVEL_RATE) + line[1]


def _as_fast(theirs: Curve, line: tuple[float, float], n_levels: int) -> Curve:
    """The copy's curve on the time of the recording: another speed smears what is compared."""
    times = line[0] * np.arange(n_levels) + line[1] * LEVEL_RATE
    return np.asarray(np.interp(times, np.arange(len(theirs)), theirs), np.float32)


def _best(window: Curve, curve: Curve) -> float | None:
    """Where in a curve a window is, with a part of a step; None where it is nowhere."""
    likeness = _correlated(window, curve)
    best = int(likeness.argmax())
    return best + _between(likeness, best) if likeness[best] >= _ALIKE else None


def _correlated(window: Curve, curve: Curve) -> Curve:
    """Pearson's correlation of a window with each stretch of a curve, by FFT."""
    n = len(window)
    size = 1 << (len(curve) + n - 1).bit_length()
    flat = window - window.mean()
    product = np.fft.irfft(np.fft.rfft(curve, size) * np.conj(np.fft.rfft(flat, size)), size)
    sums = np.concatenate([[0.0], np.cumsum(curve, dtype=np.float64)])
    squares = np.concatenate([[0.0], np.cumsum(np.square(curve), dtype=np.float64)])
    total, square = sums[n:] - sums[:-n], squares[n:] - squares[:-n]
    spread = np.sqrt(np.maximum(square - np.square(total) / n, 1e-6))
    return np.asarray(product[: len(total)] / (spread * np.sqrt(np.square(flat).sum() + 1e-6)))


def _between(likeness: Curve, best: int) -> float:
    """How far the top of a parabola through three values lies beside the middle one."""
    if not 0 < best < len(likeness) - 1:
        return 0.0
    before, top, after = (float(x) for x in likeness[best - 1 : best + 2])
    bend = before - 2 * top + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0


def _line(found: list[Hit | None], off: float) -> tuple[float, float] | None:
    """The line through most hits, `off` s beside it at most: each two of them are tried.

    Speeds beyond 2.5 % are those of another version.  Least squares through all on it end it.
    """
    hits = np.array([hit for hit in found if hit is not None])
    if len(hits) < _FEWEST:
        return None
    chosen = hits[:: max(1, len(hits) // _ANCHORS)]
    best, count = None, 0
    for i, (t, s) in enumerate(chosen):
        for t2, s2 in chosen[i + 1 :]:
            speed = (s2 - s) / (t2 - t)
            if abs(speed - 1) > _SPEED:
                continue
            on = np.abs(hits[:, 1] - speed * (hits[:, 0] - t) - s) <= off
            if on.sum() > count:
                best, count = on, int(on.sum())
    if best is None or count < _FEWEST:
        return None
    speed, offset = np.polyfit(hits[best, 0], hits[best, 1], 1)
    return float(speed), float(offset)


def _beside(hit: Hit, line: tuple[float, float]) -> float:
    return abs(hit[1] - line[0] * hit[0] - line[1])


def _spans(on: list[Hit], begin: float, end: float) -> tuple[tuple[float, float], ...]:
    """The windows that lie on the line, put together."""
    half = _WINDOW / 2 / LEVEL_RATE
    spans: list[tuple[float, float]] = []
    for middle, _ in sorted(on):
        first, last = middle - half, middle + half
        if spans and first <= spans[-1][1]:
            spans[-1] = (spans[-1][0], last)
        else:
            spans.append((first, last))
    # A window is a hundredth off at most, and so are the ends.
    rough = 2 / LEVEL_RATE
    return tuple((max(begin, a) - rough, min(b, end) + rough) for a, b in spans)
