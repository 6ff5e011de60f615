"""The best path through a graph of letters (Viterbi, 1967), in memory that hardly grows.

Scores are kept at the beginning of each block of frames only; on the way back each
block is gone through once more, so that n_frames / block * n_states scores and
block * n_states bytes are held instead of n_frames * n_states.  What fits one block
is gone through once.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from align.graph import Graph, Prices, observe
from corpus.errors import AlignmentError

__all__ = ["best_path"]

_BLOCK_BYTES = 64_000_000
_NEVER = np.float32(-1e30)
# How a state was come to: 0, 1 or 2 states further, or from
_LEFT_OUT, _AGAIN, _FIRST_HALF, _SECOND_HALF, _JUMP = range(3, 8)
# the rest before, the rest after, the middle of the line, the rest after it, any rest.


def best_path(
    emissions: NDArray[np.float32],
    graph: Graph,
    frame_rate: float = 50.0,
    voice: NDArray[np.float32] | None = None,
    block: int | None = None,
) -> NDArray[np.int32]:
    """The state of every frame on the best path, shape (n_frames,).

    `emissions` are log-probabilities, (n_frames, n_labels), `voice` how likely it is
    that somebody sings, (n_frames,), nobody where it is not known.  Raises
    AlignmentError when there are fewer frames than the letters need.
    """
    n_frames, needed = len(emissions), graph.n_frames_needed
    if n_frames < needed:
        raise AlignmentError(
            f"the audio is too short for this text: it lasts {n_frames / frame_rate:.1f} s and "
            f"its letters need {needed / frame_rate:.1f} s; give only the text that is sung in it"
        )
    sung = np.zeros(n_frames, np.float32) if voice is None else voice
    heard = observe(emissions, sung, graph.labels, graph.prices)
    block = block or max(1024, _BLOCK_BYTES // len(graph.columns))
    chain = graph.columns, np.where(graph.skip, np.float32(0), -_NEVER)
    arcs = graph.rests, graph.halves, graph.leave, _fixed(graph.prices)
    kept = np.empty((-(-n_frames // block), len(graph.columns)), np.float32)
    path: NDArray[np.int32] = _search(heard, (chain, arcs), kept, block)
    return path


def _fixed(prices: Prices) -> NDArray[np.float32]:
    """The prices that are the same everywhere."""
    return np.array([prices.again, prices.half, prices.jump], np.float32)


@numba.njit(cache=True, nogil=True, fastmath={"nnan", "ninf", "nsz"})
def _chain(old, new, frame, chain, moves):  # type: ignore[no-untyped-def]  # numba's own types
    """One frame on along the chain; two loops, of which the second is done eight at a time."""
    columns, bars = chain
    n_states = len(old)
    for state in range(n_states):
        new[state] = frame[columns[state]]
    # The first two states have no second before them.
    moves[0] = 0
    new[0] += old[0]
    moves[1] = np.int8(old[0] > old[1])
    new[1] += max(old[0], old[1])
    at, one, to, bar, move = old[2:], old[1:], new[2:], bars[2:], moves[2:]
    for state in range(n_states - 2):
        stay, step, skip = at[state], one[state], old[state] - bar[state]
        best = max(stay, step)
        to[state] += max(best, skip)
        move[state] = np.int8(2) if skip > best else (np.int8(1) if step > stay else np.int8(0))


@numba.njit(cache=True, nogil=True)
def _rests(old, new, frame, chain, arcs, moves):  # type: ignore[no-untyped-def]  # numba's own types
    """One frame on along the arcs that end in rests; the rest that a jump comes from."""
    rests, halves, leave, fixed = arcs
    again, half, jump = fixed
    from_rest = rests[0]
    for state in rests:
        if old[state] > old[from_rest]:
            from_rest = state
    here = frame[chain[0][from_rest]]
    for i, state in enumerate(rests):
        best, move = old[from_rest] - jump, _JUMP
        if i > 0 and old[rests[i - 1]] - leave[i - 1] > best:
            best, move = old[rests[i - 1]] - leave[i - 1], _LEFT_OUT
        if i < len(halves) and old[rests[i + 1]] - again > best:
            best, move = old[rests[i + 1]] - again, _AGAIN
        if i < len(halves) and halves[i] >= 0 and old[halves[i]] - half > best:
            best, move = old[halves[i]] - half, _FIRST_HALF
        if best + here > new[state]:
            new[state] = best + here
            moves[state] = move
    return from_rest


@numba.njit(cache=True, nogil=True)
def _halves(old, new, frame, chain, arcs, moves):  # type: ignore[no-untyped-def]  # numba's own types
    """One frame on along the arcs from the end of a line to its middle."""
    rests, halves, _, fixed = arcs
    for i, middle in enumerate(halves):
        if middle >= 0:
            back = old[rests[i + 1]] - fixed[1] + frame[chain[0][middle]]
            if back > new[middle]:
                new[middle] = back
                moves[middle] = _SECOND_HALF


@numba.njit(cache=True, nogil=True)
def _advance(old, new, frame, graph, moves):  # type: ignore[no-untyped-def]  # numba's own types
    """One frame on, from `old` scores to `new`; the state that jumps come from."""
    chain, arcs = graph
    _chain(old, new, frame, chain, moves)
    _halves(old, new, frame, chain, arcs, moves)
    return _rests(old, new, frame, chain, arcs, moves)


@numba.njit(cache=True, nogil=True)
def _from_zero(scores):  # type: ignore[no-untyped-def]  # numba's own types
    """Take the best score off all: single precision does for the difference alone."""
    best = scores.max()
    for state in range(len(scores)):
        scores[state] = max(scores[state] - best, _NEVER)


@numba.njit(cache=True, nogil=True)
def _through(scores, heard, graph, moves, jumps, first):  # type: ignore[no-untyped-def]  # numba's own types
    """The scores after some frames, of which the first is `first`; how each was come to."""
    spare = np.empty_like(scores)
    for j in range(len(heard)):
        jumps[j] = _advance(scores, spare, heard[j], graph, moves[j])
        scores, spare = spare, scores
        if (first + j + 1) % 64 == 0:
            _from_zero(scores)
    return scores


@numba.njit(cache=True, nogil=True)
def _search(heard, graph, kept, block):  # type: ignore[no-untyped-def]  # numba's own types
    """Forward to the last block, then back block by block; shape (n_frames,)."""
    n_frames, n_states = len(heard), kept.shape[1]
    # Before the first frame only the first rest is open, from which the first letter is one step.
    kept[0] = _NEVER
    kept[0, 0] = 0.0
    moves = np.empty((min(block, n_frames), n_states), np.int8)
    jumps = np.empty(min(block, n_frames), np.int32)
    for k in range(len(kept) - 1):
        piece = heard[k * block : (k + 1) * block]
        kept[k + 1] = _through(kept[k].copy(), piece, graph, moves, jumps, k * block)
    path = np.empty(n_frames, np.int32)
    state = -1
    for k in range(len(kept) - 1, -1, -1):
        first, last = k * block, min(k * block + block, n_frames)
        scores = _through(kept[k].copy(), heard[first:last], graph, moves, jumps, first)
        if state < 0:
            state = n_states - 2 if scores[n_states - 2] > scores[n_states - 1] else n_states - 1
        state = _back(path[first:last], state, moves, jumps, graph[1])
    return path


@numba.njit(cache=True, nogil=True)
def _back(path, state, moves, jumps, arcs):  # type: ignore[no-untyped-def]  # numba's own types
    """The way back through one block; the state before its first frame."""
    rests, halves = arcs[0], arcs[1]
    for t in range(len(path) - 1, -1, -1):
        path[t] = state
        move = moves[t, state]
        if move < _LEFT_OUT:
            state -= move
            continue
        line = np.searchsorted(rests, state, side="right") - 1
        if move == _LEFT_OUT:
            state = rests[line - 1]
        elif move == _FIRST_HALF:
            state = halves[line]
        elif move == _JUMP:
            state = jumps[t]
        else:
            state = rests[line + 1]
    return state
