"""How well words and lines are placed on songs that were not trained on.

    python bench/canciones.py CANCIONES_FOLDER WHISPER_FOLDER [--head HEAD_FOLDER]

CANCIONES_FOLDER has audio/, words/*.csv (word_start, word_end, line_end) and
lyrics/*.words.txt, as in JamendoLyrics (Durand, Stoller, Ewert, ICASSP 2023).
Controls: the audio moved by 3.2 s, and the words of another song.
"""

from __future__ import annotations

import argparse
import csv
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from align.aligner import Aligner
from align.emissions import WhisperCTC
from align.records import AlignedLine
from corpus.errors import AlignmentError
from corpus.media import SAMPLE_RATE, ArraySamples, decoded_copy
from corpus.text import letters

SHIFT = 3.2


@dataclass(frozen=True)
class Song:
    """A song, its lines, and when people heard each word begin and end, shape (n_words, 2)."""

    name: str
    samples: NDArray[np.float32]
    lines: tuple[str, ...]
    truth: NDArray[np.float64]


def read_song(folder: Path, name: str) -> Song:
    """One song of the folder; a line ends where line_end is given."""
    with (folder / "words" / f"{name}.csv").open(encoding="utf-8") as rows:
        table = list(csv.DictReader(rows))
    words = (folder / "lyrics" / f"{name}.words.txt").read_text("utf-8").split("\n")
    lines: list[list[str]] = [[]]
    for word, row in zip(words, table, strict=False):
        lines[-1].append(word.strip())
        if row["line_end"] not in {"", "nan"}:
            lines.append([])
    with decoded_copy(folder / "audio" / f"{name}.mp3") as audio:
        samples = audio.read(0, audio.n_samples)
    truth = np.array([[float(r["word_start"]), float(r["word_end"])] for r in table])
    return Song(name, samples, tuple(" ".join(line) for line in lines if line), truth)


def placed(lines: tuple[AlignedLine, ...]) -> NDArray[np.float64]:
    """Starts and ends of all words, shape (n_words, 2)."""
    return np.array([[w.start, w.end] for line in lines for w in line.words])


def line_hits(song: Song, found: NDArray[np.float64], within: float = 0.5) -> list[bool]:
    """For each line whether its start and its end both lie within half a second."""
    hits, first = [], 0
    for line in song.lines:
        last = first + len(line.split()) - 1
        start = abs(found[first, 0] - song.truth[first, 0])
        end = abs(found[last, 1] - song.truth[last, 1])
        hits.append(bool(start <= within and end <= within))
        first = last + 1
    return hits


def row(name: str, errors: NDArray[np.float64], ends: NDArray[np.float64], hits: list[bool]) -> str:
    """One line of the table."""
    figures = errors.mean(), np.median(errors), (errors <= 0.3).mean(), np.mean(hits), ends.mean()
    return f"{name[:34]:34}" + "".join(f"{figure:9.3f}" for figure in figures)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("whisper", type=Path)
    parser.add_argument("--head", type=Path)
    parser.add_argument("--language", default="fr")
    given = parser.parse_args()
    torch.set_num_threads(2)
    aligner = Aligner(WhisperCTC(given.whisper, given.head), given.language)
    names = sorted(path.stem for path in (given.folder / "words").glob("*.csv"))
    songs = [read_song(given.folder, name) for name in names]
    aligner.align(ArraySamples(songs[0].samples[: 60 * SAMPLE_RATE]), songs[0].lines[:2])  # warm
    print(f"{'song':34}{'mean':>9}{'median':>9}{'<=0.3':>9}{'lines':>9}{'ends':>9}")
    errors, ends, hits = [], [], []
    right: list[AlignedLine] = []
    seconds = passed = 0.0
    for song in songs:
        began = time.monotonic()
        lines = aligner.align(ArraySamples(song.samples), song.lines)
        passed += time.monotonic() - began
        seconds += len(song.samples) / SAMPLE_RATE
        off = np.abs(placed(lines) - song.truth)
        errors.append(off[:, 0])
        ends.append(off[:, 1])
        hits.append(line_hits(song, placed(lines)))
        right += lines
        print(row(song.name, errors[-1], ends[-1], hits[-1]), flush=True)
    print(
        row(
            "all words",
            np.concatenate(errors),
            np.concatenate(ends),
            [h for song in hits for h in song],
        )
    )
    means = [float(e.mean()) for e in errors], [float((e <= 0.3).mean()) for e in errors]
    print(f"mean over songs: {np.mean(means[0]):.3f} s, {np.mean(means[1]):.3f} within 0.3 s")
    print(f"{passed / seconds * 60:.1f} s a minute of audio")
    shift_control(aligner, songs[-1])
    score_control(aligner, songs, right)


def shift_control(aligner: Aligner, song: Song) -> None:
    """Audio moved by 3.2 s must move the words by 3.2 s."""
    still = placed(aligner.align(ArraySamples(song.samples), song.lines))
    rest = np.zeros(int(SHIFT * SAMPLE_RATE), np.float32)
    moved = aligner.align(ArraySamples(np.concatenate([rest, song.samples])), song.lines)
    shift = (placed(moved) - still)[:, 0]
    near = (np.abs(shift - SHIFT) <= 0.1).mean()
    print(f"moved by {SHIFT} s: median {np.median(shift):.3f} s, {near:.3f} within 0.1 s of it")


def score_control(aligner: Aligner, songs: list[Song], right: list[AlignedLine]) -> None:
    """Scores of the right words against those of another song's on the same audio."""
    wrong: list[AlignedLine] = []
    for song, other in zip(songs, [*songs[1:], songs[0]], strict=True):
        try:
            wrong += aligner.align(ArraySamples(song.samples), other.lines)
        except AlignmentError as error:
            print(f"{song.name}: {error}")
    for n_lines in (1, 4):
        good, bad = scores(right, n_lines), scores(wrong, n_lines)
        print(f"scores of {n_lines} lines; 5, 25, 50, 75 and 95 %")
        for name, found in (("right", good), ("wrong", bad)):
            shares = np.percentile(found, [5, 25, 50, 75, 95])
            print(f"  {name}: " + " ".join(f"{share:.3f}" for share in shares))
        for least in (0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.07, 0.1):
            kept, let_in = (good >= least).mean(), (bad >= least).mean()
            print(f"  from {least}: {kept:.3f} of the right, {let_in:.3f} of the wrong")


def scores(lines: list[AlignedLine], n_lines: int) -> NDArray[np.float64]:
    """Scores of so many lines together, each weighed by its letters, as `align.cut` does."""
    found = []
    for first in range(0, len(lines) - n_lines + 1, n_lines):
        some = lines[first : first + n_lines]
        weights = [len(letters(line.text)) for line in some]
        found.append(np.average([line.score for line in some], weights=weights))
    return np.array(found)


if __name__ == "__main__":
    main()
