"""The best path through a graph of letters (Viterbi, 1967), in memory that hardly grows.

Scores are kept every `BLOCK` frames only; on the way back each block is gone
through once more, so that n_frames / BLOCK * n_states scores and
BLOCK * n_states bytes are held instead of n_frames * n_states.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from align.graph import Graph
from corpus.errors import AlignmentError

__all__ = ["BLOCK", "best_path"]

BLOCK = 1024
_NEVER = -1e30


def best_path(
    emissions: NDArray[np.float32], graph: Graph, frame_rate: float = 50.0
) -> NDArray[np.int32]:
    """The state of every frame on the best path, shape (n_frames,).

    `emissions` are log-probabilities, (n_frames, n_labels).  Raises
    AlignmentError when there are fewer frames than the letters need.
    """
    n_frames, needed = len(emissions), graph.n_frames_needed
    if n_frames < needed:
        raise AlignmentError(
            f"the audio is too short for this text: it lasts {n_frames / frame_rate:.1f} s and "
            f"its letters need {needed / frame_rate:.1f} s; give only the text that is sung in it"
        )
    kept = np.empty((-(-n_frames // BLOCK), len(graph.labels)), np.float64)
    chain = graph.labels, graph.price, graph.skip
    scores = _forward(emissions, chain, kept, BLOCK)
    last = len(scores) - (2 if scores[-2] > scores[-1] else 1)
    path: NDArray[np.int32] = _trace(emissions, chain, kept, BLOCK, last)
    return path


@numba.njit(cache=True, nogil=True)
def _advance(scores, frame, chain, moves):  # type: ignore[no-untyped-def]  # numba's own types
    """One frame on, in place: from the last state down, so that those before are still old."""
    labels, price, skip = chain
    for state in range(len(scores) - 1, -1, -1):
        best, move = scores[state], 0
        if state >= 1 and scores[state - 1] > best:
            best, move = scores[state - 1], 1
        if state >= 2 and skip[state] and scores[state - 2] > best:
            best, move = scores[state - 2], 2
        scores[state] = best + frame[labels[state]] - price[state]
        moves[state] = move


@numba.njit(cache=True, nogil=True)
def _forward(emissions, chain, kept, block):  # type: ignore[no-untyped-def]  # numba's own types
    """Scores after the last frame; those before the first frame of each block go to `kept`."""
    scores = np.full(len(chain[0]), _NEVER)
    # Before the first frame only the first blank is open, from which the first letter is one step.
    scores[0] = 0.0
    moves = np.empty(len(chain[0]), np.int8)
    for t in range(len(emissions)):
        if t % block == 0:
            kept[t // block] = scores
        _advance(scores, emissions[t], chain, moves)
    return scores


@numba.njit(cache=True, nogil=True)
def _trace(emissions, chain, kept, block, state):  # type: ignore[no-untyped-def]  # numba's own types
    """The way back from the last state, block by block."""
    path = np.empty(len(emissions), np.int32)
    moves = np.empty((min(block, len(emissions)), len(chain[0])), np.int8)
    for k in range(len(kept) - 1, -1, -1):
        first = k * block
        last = min(first + block, len(emissions))
        scores = kept[k].copy()
        for t in range(first, last):
            _advance(scores, emissions[t], chain, moves[t - first])
        for t in range(last - 1, first - 1, -1):
            path[t] = state
            state -= moves[t - first, state]
    return path
