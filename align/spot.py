"""Verses heard anywhere in a recording: how well each of many fits, and where it ends and begins.

A verse may begin and end at any frame.  Its score is what the best path through its
letters (with the blanks of CTC, Graves et al., 2006) falls short of the best label of
each frame, in nats a letter: 0 is what the model would have heard by itself.  Between
its lines anything may be heard at the price that a rest has in the aligner's graph.

The letters of many verses stand behind each other in one row, and the row is gone
through a frame at a time: that is done eight at a time by the processor, in several
threads.  Frames in which nothing is heard are passed over, for there no path loses
anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numba
import numpy as np
from numpy.typing import NDArray

from align.graph import ANYWHERE, columns_of, observe
from align.labels import Speller
from align.listening import Listening
from corpus.engine import Here, in_order

__all__ = ["Sound", "Spotted", "Voices", "scores", "sound_of", "spans", "voices_of"]

_ROW = 1024
"""Letters that are gone through together: what is kept of them, some 26 bytes each, stays in the
nearest cache."""

_SILENT = 3
"""Frames in a row of which all that follow are passed over, when nothing is heard in them."""

_LOSES = 0.01
"""Nats that a blank may lose in a frame in which nothing is heard."""

_PATIENCE = 30.0
"""Seconds before the end of a verse in which its beginning is looked for first."""

_EQUAL = 1e-3
"""Nats a letter by which two sums of the same numbers may differ."""

_NEVER = np.float32(-1e30)


@dataclass(frozen=True, slots=True)
class Sound:
    """What was heard, as the search reads it: (n_steps, n_labels) less the best of each frame.

    `blank` and `rest` have the shape (n_steps,); `frames` are those that the steps are
    made of, `frame_rate` a second.
    """

    letters: NDArray[np.float32]
    blank: NDArray[np.float32]
    rest: NDArray[np.float32]
    frames: NDArray[np.int32]
    frame_rate: float


@dataclass(frozen=True, slots=True)
class Voices:
    """Verses as rows of labels: `columns` of all letters, `lines` true where one begins.

    Columns have no sign: a sign would have to be looked at for every letter of every frame.
    `starts` has one number more than there are verses; a verse of which no letter is
    known to the model has none.
    """

    columns: NDArray[np.uint16]
    lines: NDArray[np.bool_]
    starts: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spotted:
    """Where a verse fits best: its score in nats a letter, and seconds."""

    score: float
    start: float
    end: float


def sound_of(listening: Listening) -> Sound:
    """What a model heard, made ready; stretches without letters are left out of it."""
    heard = observe(listening.heard.letters, listening.heard.voice, listening.labels, ANYWHERE)
    n_labels = len(listening.labels)
    free = heard[:, :n_labels].max(axis=1, keepdims=True)
    less = heard - free
    silent = less[:, 0] >= -_LOSES
    passed = _run_lengths(silent) > _SILENT
    frames = np.flatnonzero(~passed).astype(np.int32)
    kept = less[frames]
    return Sound(
        letters=np.ascontiguousarray(kept[:, :n_labels]),
        blank=np.ascontiguousarray(kept[:, 0]),
        rest=np.ascontiguousarray(np.minimum(kept[:, n_labels], 0)),
        frames=frames,
        frame_rate=listening.frame_rate,
    )


def _run_lengths(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many true values in a row end at each place."""
    places = np.arange(len(flags))
    last_false = np.maximum.accumulate(np.where(flags, -1, places))
    return np.where(flags, places - last_false, 0)


def voices_of(verses: Sequence[Sequence[str]], listening: Listening) -> Voices:
    """Verses (lines of text) in the labels of a model."""
    rows: list[int] = []
    lines: list[bool] = []
    starts = [0]
    for verse in verses:
        for line in verse:
            found = _columns(line, listening.language, listening.labels, listening.spell)
            rows += found
            lines += [k == 0 for k in range(len(found))]
        starts.append(len(rows))
    return Voices(
        columns=np.array(rows, np.uint16),
        lines=np.array(lines, bool),
        starts=np.array(starts, np.int64),
    )


@lru_cache(maxsize=1 << 17)
def _columns(line: str, language: str, labels: tuple[str, ...], spell: Speller) -> Sequence[int]:
    """Kept: recording after recording is searched for the same verses."""
    return columns_of(spell(line, language), {label: i for i, label in enumerate(labels)})


def scores(
    sound: Sound, voices: Voices, n_parts: int = 1, n_threads: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The best score of each verse that ends in each part of the recording, and its last step.

    Both have the shape (n_verses, n_parts); the parts have as many steps each.  A verse
    without letters, and one longer than what was heard, has -inf.
    """
    n_verses = len(voices.starts) - 1
    best = np.full((n_verses, n_parts), -np.inf, np.float32)
    ends = np.zeros((n_verses, n_parts), np.int32)
    bounds = np.linspace(0, len(sound.blank), n_parts + 1).astype(np.int64)
    pieces = list(_rows(voices.starts))

    def search(piece: tuple[int, int]) -> None:
        first, last = piece
        letters = slice(voices.starts[first], voices.starts[last])
        row = _row(voices, letters)
        starts = voices.starts[first : last + 1] - voices.starts[first]
        heard = (sound.letters, sound.blank, sound.rest)
        _search(heard, row, starts, bounds, best[first:last], ends[first:last])

    with Here(n_workers=n_threads).crew(lambda: search) as crew:
        for _ in in_order(crew, pieces):
            pass
    n_letters = np.maximum(np.diff(voices.starts), 1)[:, None]
    return np.where(best > _NEVER / 2, best / n_letters, -np.inf).astype(np.float32), ends


def _rows(starts: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Verses from, to, that are gone through together; each has at least one letter."""
    n_verses = len(starts) - 1
    first = 0
    while first < n_verses:
        last = int(np.searchsorted(starts, starts[first] + _ROW, side="right")) - 1
        last = min(max(last, first + 1), n_verses)
        if starts[last] > starts[first]:
            yield first, last
        first = last


def _row(
    voices: Voices, letters: slice
) -> tuple[NDArray[np.uint16], NDArray[np.float32], NDArray[np.int64]]:
    """Columns, what bars a blank from being passed over, and letters before which is a rest."""
    columns, lines = voices.columns[letters], voices.lines[letters]
    equal = np.zeros(len(columns), bool)
    equal[1:] = columns[1:] == columns[:-1]
    bars = np.where(equal, -_NEVER, 0).astype(np.float32)
    inner = slice(*np.searchsorted(voices.starts, [letters.start, letters.stop]))
    begins = voices.starts[inner] - letters.start
    bars[begins] = -_NEVER
    # Before a verse there is nothing that could be lost.
    return columns, bars, np.setdiff1d(np.flatnonzero(lines), begins)


@numba.njit(cache=True, nogil=True, fastmath={"nnan", "ninf", "nsz"})
def _step(old, new, frame, row):  # type: ignore[no-untyped-def]  # numba's own types
    """One frame on: letters and the blanks before them, both eight at a time."""
    (letters, blanks), (to_letters, to_blanks) = old, new
    (heard, blank, rest), (columns, bars, rests) = frame, row
    n = len(columns)
    for j in range(n):
        to_letters[j] = heard[columns[j]]
    to_letters[0] += max(letters[0], blanks[0])
    at, before, gap = letters[1:], letters[:-1], blanks[1:]
    bar, to, to_gap = bars[1:], to_letters[1:], to_blanks[1:]
    for j in range(n - 1):
        came = before[j]
        in_place = max(at[j], gap[j])
        to[j] += max(in_place, came - bar[j])
        to_gap[j] = max(gap[j], came) + blank
    # Few are rests: all are taken for blanks first, which is quicker than to ask each.
    more = rest - blank
    for j in rests:
        to_blanks[j] += more


@numba.njit(cache=True, nogil=True)
def _search(heard, row, starts, bounds, best, ends):  # type: ignore[no-untyped-def]  # numba's own types
    """Best scores of the verses of a row by the part in which they end, and where."""
    letters, blank, rest = heard
    n, n_verses = len(row[0]), len(starts) - 1
    old = (np.full(n, _NEVER, np.float32), np.full(n, _NEVER, np.float32))
    new = (np.full(n, _NEVER, np.float32), np.full(n, _NEVER, np.float32))
    for v in range(n_verses):
        if starts[v] < n:
            old[1][starts[v]] = 0.0
    for part in range(len(bounds) - 1):
        for t in range(bounds[part], bounds[part + 1]):
            _step(old, new, (letters[t], blank[t], rest[t]), row)
            old, new = new, old
            for v in range(n_verses):
                if starts[v + 1] > starts[v]:
                    # A verse may begin at any frame; and what was before it is another one.
                    old[1][starts[v]] = 0.0
                    if old[0][starts[v + 1] - 1] > best[v, part]:
                        best[v, part] = old[0][starts[v + 1] - 1]
                        ends[v, part] = t


def spans(
    sound: Sound, voices: Voices, verses: Sequence[int], ends: Sequence[int], best: Sequence[float]
) -> list[Spotted]:
    """For each of some verses the best path that ends at a step, with its beginning.

    `best` are their scores as `scores` gave them: a beginning is looked for ever further
    back until the path is as good.
    """
    found = []
    for verse, end, wanted in zip(verses, ends, best, strict=True):
        letters = slice(voices.starts[verse], voices.starts[verse + 1])
        row, n_letters = _row(voices, letters), int(letters.stop - letters.start)
        back = _PATIENCE
        while True:
            reach = sound.frames[end] - int(back * sound.frame_rate)
            first = int(np.searchsorted(sound.frames, reach))
            window = slice(first, end + 1)
            heard = sound.letters[window], sound.blank[window], sound.rest[window]
            loss, begin = _one(heard, row)
            if first == 0 or loss / n_letters >= wanted - _EQUAL:
                break
            back *= 3
        frames = sound.frames[window]
        found.append(
            Spotted(
                score=float(loss) / n_letters,
                start=float(frames[begin]) / sound.frame_rate,
                end=float(frames[-1] + 1) / sound.frame_rate,
            )
        )
    return found


@numba.njit(cache=True, nogil=True)
def _one(heard, row):  # type: ignore[no-untyped-def]  # numba's own types
    """The best path through one verse that ends with the last step: its score and first step."""
    letters, blank, rest = heard
    columns, bars, rests = row
    n = len(columns)
    resting = np.zeros(n, np.float32)
    resting[rests] = 1.0
    score = np.full((2, n), _NEVER, np.float32)
    begun = np.zeros((2, n), np.int32)
    for t in range(len(blank)):
        score[1, 0], begun[1, 0] = 0.0, t
        # From the last letter to the first: what is read is still that of the frame before.
        for j in range(n - 1, -1, -1):
            best, since = score[0, j], begun[0, j]
            if score[1, j] > best:
                best, since = score[1, j], begun[1, j]
            if j > 0 and score[0, j - 1] - bars[j] > best:
                best, since = score[0, j - 1], begun[0, j - 1]
            if j > 0:
                if score[0, j - 1] > score[1, j]:
                    score[1, j], begun[1, j] = score[0, j - 1], begun[0, j - 1]
                score[1, j] += blank[t] + resting[j] * (rest[t] - blank[t])
            score[0, j], begun[0, j] = best + letters[t, columns[j]], since
    return score[0, n - 1], begun[0, n - 1]
