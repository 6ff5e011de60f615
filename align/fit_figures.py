"""How well a head places the words of songs that it was not trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from align.aligner import Aligner
from align.emissions import AcousticModel
from align.fit_data import Song, heard
from align.graph import AS_WRITTEN
from align.placing import place
from corpus.errors import AlignmentError
from corpus.media import ArraySamples

__all__ = ["Figures", "figures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one song, or of all words together.

    `mean` and `median` are absolute errors of the onsets of words in seconds,
    `within` the share of them up to 0.3 s, `lines` the share of lines that begin and
    end within 0.5 s, None where ends were not timed.  `failed` says why a song could
    not be placed; it then has no figures.
    """

    song: str
    n_words: int = 0
    mean: float | None = None
    median: float | None = None
    within: float | None = None
    lines: float | None = None
    failed: str = ""


@dataclass(frozen=True, slots=True)
class _Judged:
    """Errors of onsets, shape (n_words,), and for each line with an end whether it was hit."""

    errors: NDArray[np.float64]
    hits: tuple[bool, ...]

    def figures(self, song: str) -> Figures:
        return Figures(
            song=song,
            n_words=len(self.errors),
            mean=float(self.errors.mean()),
            median=float(np.median(self.errors)),
            within=float((self.errors <= 0.3).mean()),
            lines=float(np.mean(self.hits)) if self.hits else None,
        )


def figures(
    songs: Sequence[Song], model: AcousticModel, told: Callable[[int], None] | None = None
) -> list[Figures]:
    """Those of every song, then of all together; `told` hears how many songs are done."""
    rows: list[Figures] = []
    judged: list[_Judged] = []
    for song in songs:
        try:
            judged.append(_judge(song, Aligner(model, song.language)))
            rows.append(judged[-1].figures(song.name))
        except AlignmentError as error:
            rows.append(Figures(song=song.name, failed=str(error)))
        if told is not None:
            told(len(rows))
    if judged:
        errors = np.concatenate([one.errors for one in judged])
        together = _Judged(errors, tuple(hit for one in judged for hit in one.hits))
        rows.append(together.figures("all words"))
    return rows


def _judge(song: Song, aligner: Aligner) -> _Judged:
    texts = [" ".join(word.text for word in line) for line in song.lines]
    listening = aligner.listen(ArraySamples(heard(song.audio)))
    placed = sorted(place(listening, texts, AS_WRITTEN).lines, key=lambda line: line.line)
    errors: list[float] = []
    hits: list[bool] = []
    for found, line in zip(placed, song.lines, strict=True):
        first = 0  # of what is timed as one word there may be several
        for word in line:
            errors.append(abs(found.words[first].start - word.start))
            first += len(word.text.split())
        begin = abs(found.words[0].start - line[0].start)
        end = abs(found.words[-1].end - line[-1].end)
        hits.append(begin <= 0.5 and end <= 0.5)
    return _Judged(np.array(errors), tuple(hits) if song.has_ends else ())
