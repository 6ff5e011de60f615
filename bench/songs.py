"""What the benches of alignment listen to, and how they count."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from align.fit_data import heard as decoded
from align.fit_data import ultrastar
from align.records import AlignedLine
from corpus.synth.make import make_cante
from corpus.text import fold

__all__ = [
    "Song",
    "cantes",
    "jamendo",
    "line_hits",
    "main_words",
    "of_ultrastar",
    "right",
    "unique",
    "with_foreign",
]


@dataclass(frozen=True)
class Song:
    """A recording, its lines as sung, and when each word begins and ends, shape (n_words, 2)."""

    name: str
    samples: NDArray[np.float32]
    lines: tuple[str, ...]
    truth: NDArray[np.float64]
    language: str = "es"

    @property
    def starts(self) -> list[float]:
        """When each line begins."""
        firsts = np.cumsum([0, *(len(line.split()) for line in self.lines[:-1])])
        return [float(self.truth[first, 0]) for first in firsts]


def jamendo(folder: Path) -> list[Song]:
    """Songs of a folder as JamendoLyrics MultiLang has them (Durand, Stoller, Ewert, 2023).

    It holds audio/, words/*.csv (word_start, word_end, line_end) and lyrics/*.words.txt.
    """
    with (folder / "songs.csv").open(encoding="utf-8") as rows:
        languages = {Path(r["Filepath"]).stem: r["Language"] for r in csv.DictReader(rows)}
    names = sorted(path.stem for path in (folder / "words").glob("*.csv"))
    return [_jamendo(folder, name, languages.get(name, "French")) for name in names]


def _jamendo(folder: Path, name: str, language: str) -> Song:
    with (folder / "words" / f"{name}.csv").open(encoding="utf-8") as rows:
        table = list(csv.DictReader(rows))
    words = (folder / "lyrics" / f"{name}.words.txt").read_text("utf-8").split("\n")
    lines: list[list[str]] = [[]]
    for word, row in zip(words, table, strict=False):
        lines[-1].append(word.strip())
        if row["line_end"] not in {"", "nan"}:
            lines.append([])
    truth = np.array([[float(r["word_start"]), float(r["word_end"])] for r in table])
    samples = decoded(folder / "audio" / f"{name}.mp3")
    text = tuple(" ".join(line) for line in lines if line)
    return Song(name, samples, text, truth, {"German": "de", "Spanish": "es"}.get(language, "fr"))


def of_ultrastar(folder: Path) -> list[Song]:
    """The songs of an UltraStar folder."""
    return [
        Song(
            one.name,
            one.samples,
            tuple(" ".join(word.text for word in line) for line in one.lines),
            np.array([[word.start, word.end] for line in one.lines for word in line]),
            one.language,
        )
        for one in ultrastar(folder)
    ]


def cantes(seeds: Sequence[int], melisma: tuple[float, float] | None = None) -> list[Song]:
    """Synthetic cantes; `melisma` as in `corpus.synth.make.make_cante`."""
    out = []
    for seed in seeds:
        made = make_cante(seed=seed, melisma=melisma)
        lines = tuple(line.text for verse in made.verses for line in verse.sung)
        truth = np.array([[word.start, word.end] for word in made.words])
        out.append(Song(made.name, made.audio, lines, truth))
    return out


def unique(lines: Sequence[str]) -> list[str]:
    """The lines without those that were there before."""
    found: dict[str, str] = {}
    for line in lines:
        found.setdefault(fold(line), line)
    return list(found.values())


def with_foreign(
    lines: Sequence[str], others: Sequence[str], rng: np.random.Generator, share: float = 0.1
) -> list[tuple[str, int]]:
    """A tenth of the lines dropped and as many of another song put in: (line, its place or -1)."""
    n_changed = max(1, round(share * len(lines)))
    dropped = set(rng.choice(len(lines), n_changed, replace=False).tolist())
    kept = [(line, k) for k, line in enumerate(lines) if k not in dropped]
    known = {fold(line) for line in lines}
    strange = [line for line in unique(others) if fold(line) not in known]
    for foreign in rng.permutation(len(strange))[:n_changed]:
        kept.insert(int(rng.integers(len(kept) + 1)), (strange[foreign], -1))
    return kept


def main_words(lines: Sequence[AlignedLine]) -> NDArray[np.float64]:
    """Starts and ends of the words as given, repeats aside, shape (n_words, 2)."""
    main = sorted((line for line in lines if not line.repeat), key=lambda line: line.line)
    return np.array([[w.start, w.end] for line in main for w in line.words])


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


def right(song: Song, line: AlignedLine, within: float = 0.5) -> bool:
    """Whether a line, or the part of it that was sung, is sung there, every word in half a second.

    Any singing of the same words will do.
    """
    words = [fold(word.text) for word in line.words]
    starts = np.array([word.start for word in line.words])
    sung = [fold(word) for text in song.lines for word in text.split()]
    for first in range(len(sung) - len(words) + 1):
        if sung[first : first + len(words)] == words:
            off = np.abs(song.truth[first : first + len(words), 0] - starts)
            if off.max(initial=0) <= within:
                return True
    return False
