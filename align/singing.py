"""What a path through a graph of letters says was sung: words in time, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from align.graph import Graph, observe

__all__ = ["Singing", "Span", "singings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One word as sung: its first and last frame with a letter, and the mean chance of those."""

    word: int
    first: int
    last: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Singing:
    """Words of one line sung in a row; `loss` is what the path fell short of the free one, nats.

    `n_letters` are those of the words.
    """

    line: int
    spans: tuple[Span, ...]
    loss: float
    n_letters: int


def singings(
    path: NDArray[np.int32],
    graph: Graph,
    line_of: Sequence[int],
    letters: NDArray[np.float32],
    voice: NDArray[np.float32],
) -> list[Singing]:
    """What was sung, in time; `line_of` gives the line of each word.

    The free path is the best label of each frame.
    """
    heard = observe(letters, voice, graph.labels, graph.prices)
    gains = heard[np.arange(len(path)), graph.columns[path]]
    less = np.concatenate([[0.0], np.cumsum(letters.max(axis=1) - gains, dtype=np.float64)])
    n_letters = np.bincount(graph.words[1::2], minlength=len(line_of))
    found: list[Singing] = []
    for row in _rows(_spans(path, graph, gains), line_of):
        loss = float(less[row[-1].last + 1] - less[row[0].first])
        total = sum(int(n_letters[span.word]) for span in row)
        found.append(
            Singing(line=line_of[row[0].word], spans=tuple(row), loss=loss, n_letters=total)
        )
    return found


def _spans(path: NDArray[np.int32], graph: Graph, gains: NDArray[np.float32]) -> list[Span]:
    """Every word that the path goes through, as often as it does."""
    frames = np.flatnonzero(graph.words[path] >= 0)
    states, words = path[frames], graph.words[path[frames]]
    anew = (np.diff(words) != 0) | (np.diff(states) < 0)
    return [
        Span(
            word=int(graph.words[path[mine[0]]]),
            first=int(mine[0]),
            last=int(mine[-1]),
            score=min(1.0, float(np.exp(gains[mine].mean(dtype=np.float64)))),
        )
        for mine in np.split(frames, np.flatnonzero(anew) + 1)
        if len(mine)
    ]


def _rows(spans: Sequence[Span], line_of: Sequence[int]) -> list[list[Span]]:
    """Spans of one line whose words follow each other."""
    rows: list[list[Span]] = []
    for span in spans:
        last = rows[-1][-1].word if rows else -1
        if rows and line_of[last] == line_of[span.word] and last < span.word:
            rows[-1].append(span)
        else:
            rows.append([span])
    return rows
