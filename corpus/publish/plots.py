"""The picture of a card: hours by palo, decade, singer and tier, split by split."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.publish.tally import Part, Tally

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw"]

_SHOWN = ("palo", "decade", "singer", "tier")
_MOST = 14
_COLOURS = {"train": "#4477aa", "validation": "#ccbb44", "test": "#ee6677"}
"""Paul Tol's bright scheme, which the colour-blind tell apart: sronpersonalpages.nl/~pault."""

_WIDTH, _DPI = 11.0, 100
_LETTERS = 28


def draw(tally: Tally, path: Path) -> None:
    """Write a PNG; the same numbers give the same bytes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, 7.5), layout="constrained")
    for axes, name in zip(figure.subplots(2, 2).flat, _SHOWN, strict=True):
        _bars(axes, tally.groups[name], name)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    with warnings.catch_warnings():
        # A name in letters that no font here has is drawn as boxes.
        warnings.filterwarnings("ignore", r"Glyph .* missing from font", UserWarning)
        figure.savefig(path, dpi=_DPI, metadata={"Software": None})


def _bars(axes: Axes, found: Mapping[str, Mapping[str, Part]], name: str) -> None:
    shown = _rows(found, by_name=name == "decade")
    labels = [_label(value) for value, _ in shown]
    left = [0.0] * len(shown)
    for split, colour in _COLOURS.items():
        hours = [parts.get(split, 0.0) for _, parts in shown]
        # By place, not by label: two names may be cut to the same letters.
        axes.barh(range(len(shown)), hours, left=left, color=colour, label=split, height=0.75)
        left = [a + b for a, b in zip(left, hours, strict=True)]
    axes.set_yticks(range(len(shown)), labels, parse_math=False)
    axes.set_ylim(-0.6, max(len(shown), 4) - 0.4)
    axes.invert_yaxis()
    axes.set_xlabel("hours")
    axes.set_title(f"by {name}", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.locator_params(axis="x", nbins=6)


def _rows(
    found: Mapping[str, Mapping[str, Part]], *, by_name: bool
) -> list[tuple[str, dict[str, float]]]:
    """The values with most hours, and all others together."""
    hours = {
        value or "not known": {split: part.hours for split, part in parts.items()}
        for value, parts in found.items()
    }
    ordered = sorted(hours.items(), key=lambda pair: (-sum(pair[1].values()), pair[0]))
    kept, rest = ordered[:_MOST], ordered[_MOST:]
    if by_name:
        kept.sort()
    if rest:
        splits = {split for _, parts in rest for split in parts}
        together = {split: sum(parts.get(split, 0.0) for _, parts in rest) for split in splits}
        kept.append((f"{len(rest)} others", together))
    return kept


def _label(value: str) -> str:
    one_line = " ".join(value.split())
    return one_line if len(one_line) <= _LETTERS else f"{one_line[: _LETTERS - 1]}…"
