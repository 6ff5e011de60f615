"""Slow and readable: what the fast code is held against."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from align.graph import Graph


def path_score(emissions: NDArray[np.float32], graph: Graph, path: NDArray[np.int32]) -> float:
    """The log-probability of a path less its price; -inf for a step that may not be taken."""
    if path[0] > 1 or path[-1] < len(graph.labels) - 2:
        return -np.inf
    for before, after in pairwise(path):
        step = after - before
        if step not in {0, 1, 2} or (step == 2 and not graph.skip[after]):
            return -np.inf
    heard = emissions[np.arange(len(path)), graph.labels[path]].astype(np.float64)
    return float(heard.sum() - graph.price[path].astype(np.float64).sum())


def best_score(emissions: NDArray[np.float32], graph: Graph) -> float:
    """The score of the best path, frame by frame over the whole table."""
    n_frames, n_states = len(emissions), len(graph.labels)
    best = np.full((n_frames, n_states), -np.inf)
    best[0, :2] = emissions[0, graph.labels[:2]] - graph.price[:2]
    for t in range(1, n_frames):
        for state in range(n_states):
            before = [best[t - 1, state]]
            if state >= 1:
                before.append(best[t - 1, state - 1])
            if state >= 2 and graph.skip[state]:
                before.append(best[t - 1, state - 2])
            gain = float(emissions[t, graph.labels[state]]) - float(graph.price[state])
            best[t, state] = max(before) + gain
    return float(best[-1, -2:].max())
