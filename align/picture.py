"""A picture of a recording and its alignment: level, voice, utterances, words, as one PNG."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from align.formats import as_lines
from align.level import LEVEL_RATE
from align.looks import (
    KINDS,
    LEVEL_COLOUR,
    LEVEL_FLOOR,
    RAMP,
    VOICE_COLOUR,
    VOICE_RATE,
    clock,
    colour,
    doubtful,
    headline,
)
from corpus.records import Kind, Recording, Utterance

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw", "row_seconds"]

_ROW = 30.0
_MOST_ROWS = 40
_DPI = 110
_WIDTH = 14.0  # inches, as all sizes here
_ROW_HEIGHT = 1.6
_HEAD = 1.0
_FOOT = 0.4
_MARGIN = 0.55
_FONT = "DejaVu Sans"
_WORD_SIZE = 7.5  # points
_LETTER = 0.62 * _WORD_SIZE / 72  # the width of a letter of a word, inches, on average and over
_BEYOND = 6  # letters that a word may stand out into the margin

# A row from its foot (0) to its head (1): words in lanes, bars, what is told of them, level.
_LANES = (0.165, 0.09, 0.015)
_BAR = (0.26, 0.38)
_CERTAINTY = 0.4
_LEVEL = (0.5, 1.0)

_HATCHES = {
    Kind.LETRA: "",
    Kind.QUEJIO: "////",
    Kind.JALEO: "....",
    Kind.FALSETA: "----",
    Kind.NOTHING: "xxxx",
}


def row_seconds(duration: float) -> float:
    """Seconds a row: 30, more where there would be over 40 rows, fewer for what is shorter."""
    if duration <= _ROW:
        return max(5.0, duration)
    return _ROW * math.ceil(duration / (_ROW * _MOST_ROWS))


def draw(
    recording: Recording,
    utterances: Sequence[Utterance],
    level: NDArray[np.float32],
    voice: NDArray[np.float32] | None = None,
) -> bytes:
    """A PNG of the recording in rows of 30 s (longer ones where it lasts over 20 minutes).

    `level` is in dB full scale, shape (n_tenths,), 10 values a second; `voice` in
    0..1, shape (n_frames,), 50 a second.  Bars have the colour of their
    probability, hatches tell the kind, ticks are onsets of words; a word is
    written where there is room for it.
    """
    from matplotlib.figure import Figure

    seconds = row_seconds(recording.duration)
    n_rows = math.ceil(recording.duration / seconds)
    height = _HEAD + n_rows * _ROW_HEIGHT + _FOOT
    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI, facecolor="white")
    _head(figure, recording, len(utterances), with_voice=voice is not None)
    for row in range(n_rows):
        foot = height - _HEAD - (row + 1) * _ROW_HEIGHT
        axes = figure.add_axes(_share(figure, _MARGIN, foot, _inner(), _ROW_HEIGHT * 0.84))
        _prepare(axes, row * seconds, seconds)
        _curves(axes, recording.duration, level, voice)
        _row(axes, utterances)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _inner() -> float:
    return _WIDTH - 2 * _MARGIN


def _share(
    figure: Figure, left: float, foot: float, width: float, height: float
) -> tuple[float, float, float, float]:
    """A box in inches as shares of the figure."""
    whole_width, whole_height = figure.get_size_inches()
    return (
        left / whole_width,
        foot / whole_height,
        width / whole_width,
        height / whole_height,
    )


# ---- the head: what it is, and what the signs mean


def _head(figure: Figure, recording: Recording, n_utterances: int, *, with_voice: bool) -> None:
    height = figure.get_size_inches()[1]
    about = [recording.palo, str(recording.year or ""), clock(recording.duration)]
    about.append(f"{n_utterances} utterances" if n_utterances else "not aligned yet")
    left = _MARGIN / _WIDTH
    for text, down, size, weight in (
        (headline(recording), 0.3, 14, "bold"),
        (" · ".join(part for part in about if part), 0.52, 9, "normal"),
    ):
        y = 1 - down / height
        figure.text(left, y, _drawable(text), size=size, weight=weight, **_plain())
    _colour_scale(figure, height)
    figure.legend(
        handles=_signs(with_voice=with_voice),
        loc="lower left",
        bbox_to_anchor=(left, 1 - 0.92 / height),
        ncols=8,
        frameon=False,
        fontsize=8,
        borderpad=0,
        borderaxespad=0,
        handlelength=1.8,
        columnspacing=1.6,
    )


def _plain() -> dict[str, Any]:
    """Text as it is: a dollar in a title is no formula, and every machine has this font."""
    return {"parse_math": False, "family": _FONT}


def _colour_scale(figure: Figure, height: float) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    box = _share(figure, _WIDTH - _MARGIN - 3.2, height - 0.44, 3.2, 0.16)
    axes = figure.add_axes(box)
    scale = LinearSegmentedColormap.from_list("probability", list(RAMP))
    axes.imshow(np.linspace(0, 1, 256)[None], aspect="auto", cmap=scale, extent=(0, 1, 0, 1))
    axes.set_yticks([])
    axes.set_xticks([0, 0.5, 1], ["0 doubtful", "0.5", "1 right"], size=8)
    axes.tick_params(length=2, pad=2)
    axes.set_title("probability of being right", size=8, pad=3)


def _signs(*, with_voice: bool) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    edge: dict[str, Any] = {"facecolor": colour(1), "edgecolor": "black", "linewidth": 0.6}
    signs: list[Any] = [
        Patch(hatch=_HATCHES[kind], label=name, **edge) for kind, name in KINDS.items()
    ]
    signs.append(Line2D([], [], color="black", marker="|", ls="", ms=8, label="onset of a word"))
    signs.append(Line2D([], [], color="black", marker="$?$", ls="", ms=5, label="doubtful"))
    signs.append(Patch(facecolor=LEVEL_COLOUR, label=f"level, {LEVEL_FLOOR:.0f} to 0 dBFS"))
    if with_voice:
        signs.append(Line2D([], [], color=VOICE_COLOUR, lw=1.3, label="voice, 0 to 1"))
    return signs


# ---- one row


def _prepare(axes: Axes, start: float, seconds: float) -> None:
    axes.set_xlim(start, start + seconds)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    step = _tick_step(seconds)
    ticks = np.arange(math.ceil(start / step) * step, start + seconds + step / 100, step).tolist()
    axes.set_xticks(ticks, [clock(tick) for tick in ticks], size=7.5)
    axes.tick_params(length=3, pad=2, color="#777777", labelcolor="#444444")
    axes.grid(axis="x", color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#999999")


def _tick_step(seconds: float) -> float:
    """Seconds between marks, so that there are about a dozen."""
    steps = (1, 5, 10, 30, 60, 120, 300, 600)
    return next((step for step in steps if seconds / step <= 12), 1800)


def _curves(
    axes: Axes, duration: float, level: NDArray[np.float32], voice: NDArray[np.float32] | None
) -> None:
    """Level and voice of what the row shows."""
    low, high = _LEVEL
    start, end = axes.get_xlim()
    first, last = int(start * LEVEL_RATE), math.ceil(end * LEVEL_RATE) + 1
    height = low + (high - low) * np.clip(1 - level[first:last] / LEVEL_FLOOR, 0, 1)
    times = (first + np.arange(len(height)) + 0.5) / LEVEL_RATE
    axes.fill_between(times, low, height, color=LEVEL_COLOUR, linewidth=0)
    axes.plot([start, min(end, duration)], [low, low], color="#999999", linewidth=0.6)
    if voice is not None:
        first, last = int(start * VOICE_RATE), math.ceil(end * VOICE_RATE) + 1
        chance = low + (high - low) * np.clip(voice[first:last], 0, 1)
        times = (first + np.arange(len(chance)) + 0.5) / VOICE_RATE
        axes.plot(times, chance, color=VOICE_COLOUR, linewidth=1.1)


def _row(axes: Axes, utterances: Sequence[Utterance]) -> None:
    start, end = axes.get_xlim()
    shown = [one for one in utterances if one.start < end and one.end > start]
    for utterance in shown:
        _bars(axes, utterance)
    _onsets(axes, [(at, text) for at, text in _texts(shown) if start <= at < end])


def _bars(axes: Axes, utterance: Utterance) -> None:
    """The span of an utterance, pale, and over it the spans of its lines."""
    from matplotlib.patches import Rectangle

    foot, head = _BAR
    fill = colour(utterance.score)
    hatch = _HATCHES[utterance.kind]

    def bar(start: float, end: float, alpha: float, hatch: str) -> None:
        look: dict[str, Any] = {
            "facecolor": fill,
            "edgecolor": "black",
            "linewidth": 0.5,
            "alpha": alpha,
        }
        axes.add_patch(Rectangle((start, foot), end - start, head - foot, hatch=hatch, **look))

    bar(utterance.start, utterance.end, 0.45, "" if utterance.words else hatch)
    for line in as_lines([utterance]) if utterance.words else ():
        bar(line.start, line.end, 1.0, hatch)
    _certainty(axes, utterance)


def _certainty(axes: Axes, utterance: Utterance) -> None:
    """The probability in figures, where the bar is long enough; `?` says that it is doubted."""
    start, end = axes.get_xlim()
    text = f"{utterance.score:.2f}{' ?' if doubtful(utterance) else ''}"
    room = (min(end, utterance.end) - utterance.start) * _inner() / (end - start)
    if start <= utterance.start < end and room > len(text) * _LETTER:
        weight = "bold" if doubtful(utterance) else "normal"
        axes.text(utterance.start, _CERTAINTY, text, size=7, weight=weight, **_plain())


def _texts(utterances: Iterable[Utterance]) -> Iterator[tuple[float, str]]:
    """What is written at which second: every word, or the whole text where words have no times."""
    for utterance in utterances:
        if utterance.words:
            yield from ((word.start, word.text) for word in utterance.words)
        elif utterance.text:
            yield utterance.start, " ".join(utterance.text.split())


def _onsets(axes: Axes, texts: Iterable[tuple[float, str]]) -> None:
    """A tick for every word; the word in the first of the lanes where there is room."""
    start, end = axes.get_xlim()
    letter = _LETTER * (end - start) / _inner()
    taken = [start] * len(_LANES)
    for at, text in sorted(texts):
        axes.plot([at, at], [_BAR[0] - 0.02, _BAR[1]], color="black", linewidth=0.9)
        lane = next((k for k, until in enumerate(taken) if until <= at), None)
        if lane is not None:
            shown = _shortened(text, int((end - at) / letter) + _BEYOND)
            taken[lane] = at + (len(shown) + 1) * letter
            axes.text(at, _LANES[lane], _drawable(shown), size=_WORD_SIZE, **_plain())


def _shortened(text: str, n_letters: int) -> str:
    return text if len(text) <= n_letters else f"{text[: n_letters - 1]}…"


def _drawable(text: str) -> str:
    """The text with a box for what the font has no shape for, which would be warned of."""
    return "".join(char if ord(char) in _known() else "□" for char in text)


@lru_cache(maxsize=1)
def _known() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont(_FONT)).get_charmap())
