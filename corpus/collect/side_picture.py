"""A picture of a side and its cuts: level, noise floor, gaps, cuts and tracks, as one PNG."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from corpus.collect.side_level import SIDE_RATE
from corpus.collect.sides import Cut, Side

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_side"]

_ROW = 300.0  # seconds
_MOST_ROWS = 30
_DPI = 110
_WIDTH = 14.0  # inches, as all sizes here
_ROW_HEIGHT = 1.5
_HEAD, _FOOT, _MARGIN = 1.0, 0.3, 0.65
_TOP = 0.0  # dB
_UNDER = 15.0  # dB that are shown under the noise floor: where a cut's confidence is written
_LETTER = 0.075  # inches: most letters are narrower
_FONT = "DejaVu Sans"

# Blue and orange are told apart with any colour vision.
_LEVEL, _GAP, _SURE, _DOUBTFUL, _NOISE = "#b9bec6", "#f6eed9", "#1b6ca8", "#e8871e", "#00795c"


def draw_side(
    side: Side, level: NDArray[np.float32], titles: Sequence[str] = (), name: str = ""
) -> bytes:
    """A PNG of the side in rows of 5 minutes (longer ones where it lasts over 150).

    `level` is the curve of `side_level`, shape (n_frames,), dB.  A sure cut is blue
    and whole, a doubtful one orange and broken.  `titles` are written at the tracks.
    """
    from matplotlib.figure import Figure

    seconds = _ROW * max(1, math.ceil(side.duration / (_ROW * _MOST_ROWS)))
    seconds = min(seconds, max(side.duration, 5.0))
    n_rows = max(1, math.ceil(side.duration / seconds))
    height = _HEAD + n_rows * _ROW_HEIGHT + _FOOT
    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI, facecolor="white")
    _head(figure, side, name)
    for row in range(n_rows):
        foot = height - _HEAD - (row + 1) * _ROW_HEIGHT + 0.3
        inner = (_WIDTH - 2 * _MARGIN) / _WIDTH
        box = (_MARGIN / _WIDTH, foot / height, inner, (_ROW_HEIGHT - 0.5) / height)
        axes = figure.add_axes(box)
        _prepare(axes, row * seconds, seconds, side.floor - _UNDER)
        _curves(axes, side, level)
        _tracks(axes, side, titles)
        for cut in side.cuts:
            _cut(axes, cut)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _text() -> dict[str, Any]:
    """Text as it is: a dollar in a title is no formula, and every machine has this font."""
    return {"parse_math": False, "family": _FONT}


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _head(figure: Figure, side: Side, name: str) -> None:
    height, left = figure.get_size_inches()[1], _MARGIN / _WIDTH
    n_tracks = len(side.tracks)
    sure = "sure" if side.sure else "NOT SURE"
    about = (
        f"{_clock(side.duration)} · {n_tracks} track{'s' * (n_tracks != 1)} · {sure}: {side.reason}"
    )
    figure.text(left, 1 - 0.28 / height, _drawable(name), size=14, weight="bold", **_text())
    figure.text(left, 1 - 0.5 / height, about, size=9, **_text())
    figure.legend(
        handles=_signs(side),
        loc="lower left",
        bbox_to_anchor=(left, 1 - 0.85 / height),
        ncols=6,
        frameon=False,
        fontsize=8,
        borderpad=0,
        borderaxespad=0,
        columnspacing=1.6,
    )


def _signs(side: Side) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        Patch(facecolor=_LEVEL, label="level, dB (150 Hz to 5 kHz)"),
        Patch(facecolor=_GAP, edgecolor="#d8cba6", label="gap"),
        Line2D([], [], color=_SURE, lw=2, label="cut"),
        Line2D([], [], color=_DOUBTFUL, lw=2, ls="--", label="doubtful cut"),
        Line2D([], [], color=_NOISE, lw=1, label=f"noise floor {side.floor:.0f} dB"),
        Line2D([], [], color=_NOISE, lw=1, ls=":", label="a gap begins below"),
    ]


def _prepare(axes: Axes, start: float, seconds: float, bottom: float) -> None:
    axes.set_xlim(start, start + seconds)
    axes.set_ylim(bottom, _TOP)
    levels = [level for level in (-100, -80, -60, -40, -20) if level > bottom]
    axes.set_yticks(levels, [f"−{-level}" for level in levels], size=7)
    step = max(10.0, round(seconds / 10 / 10) * 10.0)
    ticks = np.arange(math.ceil(start / step) * step, start + seconds + 0.01, step).tolist()
    axes.set_xticks(ticks, [_clock(tick) for tick in ticks], size=7.5)
    axes.tick_params(length=3, pad=2, color="#777777", labelcolor="#444444")
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#999999")


def _curves(axes: Axes, side: Side, level: NDArray[np.float32]) -> None:
    """Level, floor and gaps of what the row shows."""
    start, end = axes.get_xlim()
    for gap in side.gaps:
        if gap.start < end and gap.end > start:
            axes.axvspan(gap.start, gap.end, facecolor=_GAP, edgecolor="#d8cba6", linewidth=0.5)
    first, last = int(start * SIDE_RATE), math.ceil(end * SIDE_RATE) + 1
    bottom = axes.get_ylim()[0]
    shown = np.clip(level[first:last], bottom, _TOP)
    times = (first + np.arange(len(shown)) + 0.5) / SIDE_RATE
    axes.fill_between(times, bottom, shown, color=_LEVEL, linewidth=0)
    until = min(end, side.duration)
    axes.plot([start, until], [side.floor] * 2, color=_NOISE, linewidth=0.8)
    axes.plot([start, until], [side.threshold] * 2, color=_NOISE, linewidth=0.8, linestyle=":")


def _tracks(axes: Axes, side: Side, titles: Sequence[str]) -> None:
    """A bar over every track, its number and title where it begins or the row does."""
    start, end = axes.get_xlim()
    for k, track in enumerate(side.tracks):
        first, last = max(track.start, start), min(track.end, end)
        if first >= last:
            continue
        axes.plot([first, last], [-1, -1], color="black", linewidth=2.5, solid_capstyle="butt")
        room = int((last - first) / (end - start) * (_WIDTH - 2 * _MARGIN) / _LETTER)
        said = [titles[k]] if k < len(titles) else []
        told = _fitting([str(k + 1), *said, f"{_clock(track.start)}–{_clock(track.end)}"], room)
        axes.text(first, _TOP + 2, _drawable(told), size=8, va="bottom", **_text())


def _fitting(parts: Sequence[str], room: int) -> str:
    """As many of the parts as fit into `room` letters; of a title that does not, its beginning."""
    fits = [n for n in range(len(parts) + 1) if len("  ".join(parts[:n])) <= room]
    told = "  ".join(parts[: fits[-1]])
    left = room - len(told) - 3
    if len(fits) == 2 and len(parts) == 3 and left >= 3:
        told += f"  {parts[1][:left].rstrip()}…"
    return told


def _cut(axes: Axes, cut: Cut) -> None:
    start, end = axes.get_xlim()
    if not start <= cut.at < end:
        return
    colour, style = (_SURE, "-") if cut.sure else (_DOUBTFUL, "--")
    axes.axvline(cut.at, color=colour, linestyle=style, linewidth=1.8)
    # Beside the line, on the side where there is room.
    right = cut.at < start + 0.8 * (end - start)
    axes.annotate(
        f"{cut.confidence:.2f}",
        (cut.at, axes.get_ylim()[0]),
        xytext=(3 if right else -3, 3),
        textcoords="offset points",
        ha="left" if right else "right",
        size=7.5,
        color=colour,
        weight="bold",
    )


def _drawable(text: str) -> str:
    """The text with a box for what the font has no shape for, which would be warned of."""
    from matplotlib.font_manager import findfont, get_font

    known = get_font(findfont(_FONT)).get_charmap()
    return "".join(char if ord(char) in known else "□" for char in text)
