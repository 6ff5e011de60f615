"""Which marks explain the errors: a regression of word error rates on what is known of each row.

Least squares weighted by words (so the whole is the pooled WER), additive: what each mark or
share adds to the rate while all others stand still.  Intervals come from drawing recordings, as
those of the rates (`train.intervals`): utterances of one recording share their marks.  It tells
what goes together, and not what causes what.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.data import Row
from train.findings import Effect
from train.groups import recording_of
from train.intervals import by_recording, draws, percentiles
from train.metrics import Counts

__all__ = ["Explained", "explain"]

Floats = NDArray[np.float64]

_FEWEST = 5
"""Recordings for each coefficient, below which the sum says more of chance than of marks."""

_KNOWN = 0.8
"""The share of utterances that must say something of a mark."""

_LACKING = 3
"""Recordings that must differ from the commonest value: with fewer, draws often have one value."""

_SOLVABLE = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Effects, the largest first; and, where there are none or some are left out, why."""

    effects: tuple[Effect, ...] = ()
    notes: tuple[str, ...] = ()


def explain(rows: Sequence[Row], counts: Sequence[Counts]) -> Explained:
    """The effects of marks, shares and age on the word error rate as sung.

    Where an utterance does not say, the mean of the others is taken for it.
    """
    sung = [(row, one) for row, one in zip(rows, counts, strict=True) if one.words]
    recordings = [recording_of(row) for row, _ in sung]
    columns = _columns([row for row, _ in sung], recordings)
    names, design, dropped = _independent(columns)
    notes = tuple(f"the effect of {name} cannot be told from that of others" for name in dropped)
    n_recordings, wanted = len(set(recordings)), _FEWEST * (len(names) + 1)
    if not names:
        return Explained(notes=("no mark or share differs enough to explain errors by", *notes))
    if n_recordings < wanted:
        note = (
            f"{n_recordings} recordings are too few to tell which of {len(names)} marks and "
            f"shares explain the errors: {wanted} are needed"
        )
        return Explained(notes=(note, *notes))
    effects = _effects(names, design, [one for _, one in sung], recordings)
    return Explained(effects=effects, notes=notes)


def _columns(rows: Sequence[Row], recordings: Sequence[str]) -> dict[str, Floats]:
    """What is known of enough utterances and differs, by name; (utterances,), NaN filled."""
    told = [_told(row) for row in rows]
    names = sorted({name for one in told for name in one})
    columns = {name: np.array([one.get(name, np.nan) for one in told]) for name in names}
    return {
        name: np.where(np.isnan(column), np.nanmean(column), column)
        for name, column in columns.items()
        if np.isfinite(column).mean() >= _KNOWN and _differs(column, recordings)
    }


def _told(row: Row) -> Mapping[str, float]:
    shares = {
        "quejío share": row.quejio_share,
        "culture share": row.culture_share,
        "year": row.year,
    }
    known = {name: float(value) for name, value in shares.items() if value is not None}
    return known | {f"mark: {name}": float(points) for name, points in row.marks}


def _differs(column: Floats, recordings: Sequence[str]) -> bool:
    known = np.isfinite(column)
    values = dict(zip(np.asarray(recordings)[known], column[known], strict=True))
    return len(values) - max(Counter(values.values()).values()) >= _LACKING


def _independent(columns: Mapping[str, Floats]) -> tuple[list[str], Floats, list[str]]:
    """Columns that the ones before do not give away; the design (utterances, 1 + columns)."""
    n_rows = len(next(iter(columns.values()), []))
    design: Floats = np.ones((n_rows, 1))
    kept: list[str] = []
    dropped: list[str] = []
    for name, column in columns.items():
        wider = np.column_stack([design, (column - column.mean()) / column.std()])
        if np.linalg.matrix_rank(wider, tol=1e-6 * np.sqrt(n_rows)) == wider.shape[1]:
            design = wider
            kept.append(name)
        else:
            dropped.append(name)
    return kept, design, dropped


def _effects(
    names: Sequence[str], design: Floats, counts: Sequence[Counts], recordings: Sequence[str]
) -> tuple[Effect, ...]:
    words = np.array([one.words for one in counts], dtype=np.float64)
    errors = np.array([one.errors for one in counts], dtype=np.float64)
    # Weighted by words, errors a word: the normal equations of each recording, to be added up.
    squares = by_recording(
        design[:, :, None] * design[:, None, :] * words[:, None, None], recordings
    )
    targets = by_recording(design * errors[:, None], recordings)
    found = np.linalg.solve(squares.sum(axis=0), targets.sum(axis=0))
    drawn = _solved(draws(len(squares)), squares, targets)
    made = []
    for place, name in enumerate(names, start=1):
        span = np.ptp(design[:, place])
        low, high = percentiles(drawn[:, place] * span, found[place] * span)
        made.append(
            Effect(
                name=name,
                points=float(found[place] * span),
                low=low,
                high=high,
                utterances=len(counts),
            )
        )
    return tuple(sorted(made, key=lambda one: -abs(one.points)))


def _solved(weights: Floats, squares: Floats, targets: Floats) -> Floats:
    """The coefficients of every draw that has an answer, (draws, columns)."""
    left = np.tensordot(weights, squares, axes=1)
    right = weights @ targets
    values = np.linalg.eigvalsh(left)
    fine = values[:, 0] > _SOLVABLE * values[:, -1]
    return np.linalg.solve(left[fine], right[fine][:, :, None])[:, :, 0]
