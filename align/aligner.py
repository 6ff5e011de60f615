"""Forced alignment: when each word of a letra is sung in a recording."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count, zip_longest

import numpy as np
from numpy.typing import NDArray

from align.checks import check_heard, check_words
from align.emissions import AcousticModel, Progress
from align.graph import Graph, build_graph
from align.records import AlignedLine
from align.viterbi import best_path
from corpus.media import SAMPLE_RATE, Samples
from corpus.records import Word

__all__ = ["AlignedLine", "Aligner", "place"]

ONSET_LATE = 0.02
"""CTC hears a word begin a frame early (measured on songs timed by people)."""

WORD_END_LATE = 0.2
"""And lets go of its last vowel early, by up to this where the next word leaves room."""

LINE_END_LATE = 0.4
"""So too at the end of a line, by more; half the gap to the next line at most."""


class Aligner:
    """Places lines of text on audio with an acoustic model.

    One Viterbi path runs through all lines; what is sung between them costs nothing.
    """

    def __init__(self, model: AcousticModel, language: str = "es") -> None:
        self.model = model
        self.language = language

    def align(
        self, samples: Samples, lines: Sequence[str], progress: Progress | None = None
    ) -> tuple[AlignedLine, ...]:
        """Every line that has words, in order, with every word as written, in seconds.

        Raises AlignmentError when nothing is heard, the text has no letters or the
        audio is too short for it.
        """
        check_heard(samples)
        written = [line.strip() for line in lines if line.strip()]
        words = [line.split() for line in written]
        graph = build_graph(words, self.model.labels, self.language)
        emissions = self.model.emissions(samples, progress)
        aligned = place(
            emissions,
            graph,
            written,
            frame_rate=self.model.frame_rate,
            duration=samples.n_samples / SAMPLE_RATE,
        )
        check_words(written, aligned)
        return aligned


def place(
    emissions: NDArray[np.float32],
    graph: Graph,
    lines: Sequence[str],
    *,
    frame_rate: float,
    duration: float,
) -> tuple[AlignedLine, ...]:
    """The lines of a graph on emissions, shape (n_frames, n_labels), of audio of `duration` s.

    A word's score is the exponential of the mean log-probability of its letters'
    frames.  A line's score is that of the path less the best label of each frame,
    per letter, between its first and last letter: near 1 where the line is what
    the model would have heard by itself.
    """
    path = best_path(emissions, graph, frame_rate)
    spans = _spans(emissions, graph, path)
    rows = _rows(lines)
    line_of = {word: k for k, row in enumerate(rows) for word, _ in row}
    sung = {i: _word(span, frame_rate, duration) for i, span in spans.items()}
    sung = _held(sung, line_of, duration)
    likeness = _likeness(emissions, graph, path)
    aligned = []
    for text, row in zip(lines, rows, strict=True):
        words = tuple(replace(_timed(i, sung, line_of), text=word) for i, word in row)
        heard = [spans[i] for i, _ in row if i in spans]
        score = _line_score(heard, likeness)
        aligned.append(
            AlignedLine(
                text=text, start=words[0].start, end=words[-1].end, words=words, score=score
            )
        )
    return tuple(aligned)


@dataclass(frozen=True, slots=True)
class _Span:
    """The first and last frame of a word's letters, how many there are, and its score."""

    first: int
    last: int
    n_letters: int
    score: float


def _rows(lines: Sequence[str]) -> list[list[tuple[int, str]]]:
    """The words of each line, counted through all lines."""
    counter = count()
    return [[(next(counter), word) for word in line.split()] for line in lines]


def _spans(
    emissions: NDArray[np.float32], graph: Graph, path: NDArray[np.int32]
) -> dict[int, _Span]:
    """The span of every word that has letters."""
    frames = np.flatnonzero(graph.words[path] >= 0)
    words, begins = np.unique(graph.words[path[frames]], return_index=True)
    n_letters = np.bincount(graph.words[1::2])
    found = {}
    for word, mine in zip(words.tolist(), np.split(frames, begins[1:]), strict=True):
        score = float(np.exp(emissions[mine, graph.labels[path[mine]]].mean(dtype=np.float64)))
        found[word] = _Span(int(mine[0]), int(mine[-1]), int(n_letters[word]), min(1.0, score))
    return found


def _word(span: _Span, frame_rate: float, duration: float) -> Word:
    start = min(span.first / frame_rate + ONSET_LATE, duration)
    end = min((span.last + 1) / frame_rate, duration)
    return Word(text="", start=start, end=max(start, end), score=span.score)


def _held(sung: dict[int, Word], line_of: dict[int, int], duration: float) -> dict[int, Word]:
    """The same words, each held a little longer, but never into the next."""
    order = sorted(sung)
    out = {}
    for word, after in zip_longest(order, order[1:]):
        end = sung[word].end
        if after is None:
            held = min(end + LINE_END_LATE, duration)
        elif line_of[after] != line_of[word]:
            held = min(end + LINE_END_LATE, (end + sung[after].start) / 2)
        else:
            held = min(end + WORD_END_LATE, sung[after].start)
        out[word] = replace(sung[word], end=max(end, held))
    return out


def _timed(word: int, sung: dict[int, Word], line_of: dict[int, int]) -> Word:
    """A word's time; one without letters shares the time between its neighbours in the line.

    At the edge of a line it has no length, and stands with the word it is written beside.
    """
    if word in sung:
        return sung[word]
    here = line_of[word]
    before = max((i for i in sung if i < word), default=-1)
    after = min((i for i in sung if i > word), default=-1)
    begins_line = before < 0 or line_of[before] != here
    if before < 0 or (begins_line and after >= 0 and line_of[after] == here):
        near = sung[after]
        return replace(near, end=near.start)
    near = sung[before]
    if begins_line or after < 0 or line_of[after] != here:
        return replace(near, start=near.end)
    step = max(0.0, sung[after].start - near.end) / (after - before - 1)
    start = near.end + step * (word - before - 1)
    return replace(near, start=start, end=start + step)


def _likeness(
    emissions: NDArray[np.float32], graph: Graph, path: NDArray[np.int32]
) -> NDArray[np.float64]:
    """The running sum, shape (n_frames + 1,), of the path less the best label of each frame."""
    taken = emissions[np.arange(len(path)), graph.labels[path]]
    less = (taken - emissions.max(axis=1)).astype(np.float64)
    return np.concatenate([[0.0], np.cumsum(less)])


def _line_score(heard: Sequence[_Span], likeness: NDArray[np.float64]) -> float:
    if not heard:
        return 0.0
    loss = likeness[heard[-1].last + 1] - likeness[heard[0].first]
    return min(1.0, math.exp(float(loss) / sum(span.n_letters for span in heard)))
