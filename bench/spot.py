"""Verses searched in sound: cells a second, and what an index in front of it costs and loses.

    python bench/spot.py WHISPER CANCIONES STANZAS.jsonl [--others 1000000] [--songs 6] [--cantes 4]

A cell is one letter and the blank before it, in one frame.  The plain kernel goes through
one verse after the other, compiled too; NumPy takes all letters of a frame at once.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numba
import numpy as np
import torch
from bank import Lines, bank
from confidence import listen
from match import indexed
from match_fit import verses_of
from songs import Song, cantes, jamendo

from align.ear import Ear
from align.emissions import WhisperCTC
from align.listening import Listening
from align.spot import Sound, Voices, scores, sound_of, voices_of
from corpus.show import table

THREADS = 2


@numba.njit(cache=True, nogil=True)
def _plain(letters, blank, rest, columns, lines):  # type: ignore[no-untyped-def]  # numba's own types
    """The best path through one verse that ends anywhere: the definition, as it is written."""
    n = len(columns)
    at = np.full(n, -1e30, np.float32)
    gap = np.full(n, -1e30, np.float32)
    best = np.float32(-1e30)
    for t in range(len(blank)):
        gap[0] = 0.0
        for j in range(n - 1, -1, -1):
            came = max(at[j], gap[j])
            if j > 0 and columns[j] != columns[j - 1]:
                came = max(came, at[j - 1])
            if j > 0:
                gap[j] = max(gap[j], at[j - 1]) + (rest[t] if lines[j] else blank[t])
            at[j] = came + letters[t, columns[j]]
        best = max(best, at[n - 1])
    return best


def many_at_once(sound: Sound, voices: Voices) -> list[float]:
    """Scores as the tool has them."""
    found: list[float] = scores(sound, voices, 1, THREADS)[0][:, 0].tolist()
    return found


def one_at_a_time(sound: Sound, voices: Voices) -> list[float]:
    """Scores by the plain kernel, verses shared among the threads."""

    def some(first: int) -> list[float]:
        found = []
        for v in range(first, len(voices.starts) - 1, THREADS):
            mine = slice(voices.starts[v], voices.starts[v + 1])
            heard = sound.letters, sound.blank, sound.rest
            n = mine.stop - mine.start
            found.append(float(_plain(*heard, voices.columns[mine], voices.lines[mine])) / n)
        return found

    with ThreadPoolExecutor(THREADS) as pool:
        parts = list(pool.map(some, range(THREADS)))
    out = [0.0] * (len(voices.starts) - 1)
    for first, part in enumerate(parts):
        out[first::THREADS] = part
    return out


def by_numpy(sound: Sound, voices: Voices) -> list[float]:
    """Scores by NumPy, a frame at a time."""
    columns, starts = voices.columns, voices.starts[:-1]
    n = len(columns)
    barred = np.zeros(n, bool)
    barred[1:] = columns[1:] == columns[:-1]
    barred[starts] = True
    at, gap = np.full(n, -1e30, np.float32), np.full(n, -1e30, np.float32)
    best = np.full(len(starts), -1e30, np.float32)
    for t in range(len(sound.blank)):
        gap[starts] = 0
        before = np.append(np.float32(-1e30), at[:-1])
        came = np.maximum(np.maximum(at, gap), np.where(barred, np.float32(-1e30), before))
        price = np.where(voices.lines, sound.rest[t], sound.blank[t])
        gap = np.maximum(gap, before) + price
        at = came + sound.letters[t, columns]
        best = np.maximum(best, at[voices.starts[1:] - 1])
    return (best / np.diff(voices.starts)).tolist()  # type: ignore[no-any-return]  # of floats


def timed(run: Callable[[], Sequence[float]], n_cells: float) -> tuple[float, Sequence[float]]:
    """Thousand million cells a second, and what it gave."""
    began = time.perf_counter()
    found = run()
    return n_cells / (time.perf_counter() - began) / 1e9, found


def kernels(listening: Listening, verses: Sequence[Lines]) -> None:
    """How fast each way is on the same 2,000 verses, and that they agree."""
    sound, voices = sound_of(listening), voices_of(verses[:2000], listening)
    n_cells = 2.0 * len(voices.columns) * len(sound.blank)
    few = voices_of(verses[:100], listening)
    rows = []
    one_at_a_time(sound, few), scores(sound, few, 1, THREADS)  # compiled before it is timed
    plain, truth = timed(lambda: one_at_a_time(sound, voices), n_cells)
    ours, found = timed(partial(many_at_once, sound, voices), n_cells)
    array, same = timed(
        lambda: by_numpy(sound, few), n_cells * len(few.columns) / len(voices.columns)
    )
    if not (np.allclose(found, truth, atol=1e-2) and np.allclose(same, truth[:100], atol=1e-2)):
        raise SystemExit("the three ways give different scores")
    for name, speed in (("many at once", ours), ("one at a time", plain), ("NumPy", array)):
        rows.append((name, speed, ours / speed))
    table(("way", "thousand million cells a second", "times slower"), rows)


def growing(listening: Listening, verses: Sequence[Lines]) -> None:
    """Seconds for a recording by the number of candidates."""
    ear = Ear(listening)
    rows = []
    for n in (100, 1000, 10_000, 100_000):
        began = time.perf_counter()
        ear.places(verses[:n])
        rows.append((n, time.perf_counter() - began))
    table(("candidates", "s"), rows, title=f"a recording of {listening.duration:.0f} s")


def kept(heard: Sequence[tuple[Song, Listening]], verses: Sequence[Lines]) -> None:
    """Right verses that stand out in a search of everything: how many of them the index keeps."""
    mine = [verses_of(song) for song, _ in heard]
    everything = [*dict.fromkeys([lines for one in mine for lines in one] + list(verses))]
    index = indexed(everything)
    ids = {verse.lines: id_ for id_, verse in index.verses.items()}
    found, n_kept, n_best = [], 0, 0
    for (song, listening), own in zip(heard, mine, strict=True):
        ear = Ear(listening)
        began = time.perf_counter()
        candidates = index.by_readings(ear.readings())
        asked = time.perf_counter() - began
        ear.places([index.verses[id_].lines for id_ in candidates])
        with_index = time.perf_counter() - began
        sound = sound_of(listening)
        began = time.perf_counter()
        best = scores(sound, voices_of(everything, listening), 1, THREADS)[0][:, 0]
        whole = time.perf_counter() - began
        ranked = np.argsort(-best)[: 3 * len(own)]
        first = {everything[k] for k in ranked} & set(own)
        n_best += len(first)
        n_kept += len({ids[lines] for lines in first} & set(candidates))
        found.append((song.name[:20], listening.duration, asked, with_index, whole, len(first)))
    table(("recording", "its s", "index, s", "with sound, s", "all in sound, s", "right"), found)
    print(f"kept {n_kept} of {n_best} that a search of all {len(everything)} puts in front")


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("whisper", type=Path)
    parser.add_argument("songs", type=Path)
    parser.add_argument("stanzas", type=Path)
    parser.add_argument("--others", type=int, default=1_000_000)
    parser.add_argument("--songs", dest="n_songs", type=int, default=6)
    parser.add_argument("--cantes", type=int, default=4)
    given = parser.parse_args()
    torch.set_num_threads(THREADS)
    model = WhisperCTC(given.whisper)
    verses = bank(given.stanzas, given.others)
    made = cantes(range(300, 300 + given.cantes), melisma=(1.0, 6.0))
    songs = list(jamendo(given.songs))[: given.n_songs]
    heard = [(song, listen(song, model)) for song in (*songs, *made)]
    kernels(heard[0][1], verses)
    growing(heard[0][1], verses)
    kept(heard, verses)


if __name__ == "__main__":
    main()
