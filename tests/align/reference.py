"""Slow and readable: what the fast code is held against."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from align.graph import Graph, observe


def arcs(graph: Graph) -> Iterator[tuple[int, int, float]]:
    """Every step that may be taken, from, to and its price."""
    n_states, rests, prices = len(graph.columns), graph.rests.tolist(), graph.prices
    for state in range(n_states):
        yield state, state, 0.0
        if state + 1 < n_states:
            yield state, state + 1, 0.0
        if state + 2 < n_states and graph.skip[state + 2]:
            yield state, state + 2, 0.0
    for i, (before, after) in enumerate(pairwise(rests)):
        yield before, after, float(graph.leave[i])
        yield after, before, prices.again
        if graph.halves[i] >= 0:
            middle = int(graph.halves[i])
            yield middle, before, prices.half
            yield after, middle, prices.half
    for one in rests:
        for other in rests:
            yield one, other, prices.jump


def cheapest(graph: Graph) -> dict[tuple[int, int], float]:
    """The least price of each step."""
    found: dict[tuple[int, int], float] = {}
    for before, after, price in arcs(graph):
        found[before, after] = min(price, found.get((before, after), np.inf))
    return found


def heard_by(
    emissions: NDArray[np.float32], voice: NDArray[np.float32], graph: Graph
) -> NDArray[np.float32]:
    """What each state hears, shape (n_frames, n_states)."""
    return observe(emissions, voice, graph.labels, graph.prices)[:, graph.columns]


def path_score(
    emissions: NDArray[np.float32],
    voice: NDArray[np.float32],
    graph: Graph,
    path: NDArray[np.int32],
) -> float:
    """The log-probability of a path less what it costs; -inf for a step that may not be taken."""
    if path[-1] < len(graph.columns) - 2:
        return -np.inf
    prices = cheapest(graph)
    # Before the first frame only the first rest is open.
    steps = pairwise([0, *path.tolist()])
    taken = heard_by(emissions, voice, graph)[np.arange(len(path)), path].astype(np.float64)
    return float(taken.sum()) - sum(prices.get(step, np.inf) for step in steps)


def best_score(emissions: NDArray[np.float32], voice: NDArray[np.float32], graph: Graph) -> float:
    """The score of the best path, frame by frame over the whole table."""
    heard = heard_by(emissions, voice, graph).astype(np.float64)
    prices = cheapest(graph)
    scores = np.full(heard.shape[1], -np.inf)
    scores[0] = 0.0  # before the first frame only the first rest is open
    for frame in heard:
        new = np.full_like(scores, -np.inf)
        for (before, after), price in prices.items():
            new[after] = max(new[after], scores[before] - price + frame[after])
        scores = new
    return float(scores[-2:].max())
