"""Rates with intervals: a bootstrap over recordings.

Utterances of one recording share a singer, a guitar and a room: drawn one by one they would
promise too much.  So whole recordings are drawn with replacement, as often as there are, and the
rate is taken anew (Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR
performance evaluation", 2004; by blocks, Liu and Peng, arXiv:1912.09508).  All draws come from
one seed, so that two models on one split are drawn over the same recordings.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.findings import Rate

__all__ = ["DRAWS", "by_recording", "change_of", "draws", "percentiles", "rate_of"]

DRAWS = 2000
_SEED = 20
_TAILS = (2.5, 97.5)

Floats = NDArray[np.float64]


@lru_cache(maxsize=8)
def draws(n_recordings: int) -> Floats:
    """How often each recording is drawn: (DRAWS, n_recordings), rows sum to n_recordings."""
    rng = np.random.default_rng(_SEED)
    equal = np.full(n_recordings, 1 / n_recordings)
    found = rng.multinomial(n_recordings, equal, size=DRAWS).astype(np.float64)
    found.setflags(write=False)  # it is shared
    return found


def by_recording(values: Sequence[Any] | Floats, recordings: Sequence[str]) -> Floats:
    """Sums over the utterances of each recording, (recordings, ...), in the order of their names.

    `values` has one row for each utterance.
    """
    names, place = np.unique(np.asarray(recordings, dtype=str), return_inverse=True)
    rows = np.asarray(values, dtype=np.float64)
    sums = np.zeros((len(names), *rows.shape[1:]))
    np.add.at(sums, place, rows)
    return sums


def rate_of(errors: Sequence[int], units: Sequence[int], recordings: Sequence[str]) -> Rate:
    """Errors by units, each given for every utterance; recordings without units are not drawn."""
    sums = _with_units(errors, units, recordings)
    wrong, all_ = sums.sum(axis=0)
    if not all_:
        return Rate()
    value, n = wrong / all_, len(sums)
    if n < 2:
        return Rate(value=float(value), n=int(all_), recordings=n)
    low, high = percentiles(_drawn(sums), value)
    return Rate(value=float(value), low=low, high=high, n=int(all_), recordings=n)


def change_of(
    errors: Sequence[int], base: Sequence[int], units: Sequence[int], recordings: Sequence[str]
) -> Rate:
    """How much the rate of `errors` is above that of `base`, over the same utterances."""
    return rate_of(list(np.subtract(errors, base)), units, recordings)


def _with_units(errors: Sequence[int], units: Sequence[int], recordings: Sequence[str]) -> Floats:
    pairs = np.column_stack([errors, units]) if len(units) else np.zeros((0, 2))
    sums = by_recording(pairs, recordings)
    return sums[sums[:, 1] > 0]


def _drawn(sums: Floats) -> Floats:
    """The rate of every draw; `sums` is (recordings, 2): errors and units."""
    drawn = draws(len(sums)) @ sums
    return drawn[:, 0] / drawn[:, 1]


def percentiles(drawn: Floats, value: float) -> tuple[float, float]:
    """The middle 95 % of the draws, made wider where they leave the value itself out."""
    low, high = np.percentile(drawn, _TAILS)
    return min(float(low), float(value)), max(float(high), float(value))
