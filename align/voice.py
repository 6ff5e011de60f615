"""Where somebody sings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from align.emissions import Heard
from align.vocalise import VOWELS

__all__ = ["GOES_ON", "SUNG", "cries", "from_letters", "until_silent", "voiced", "worded"]

SUNG = 0.5
"""From this chance on somebody sings."""

GOES_ON = 0.2
"""A voice that sang a moment ago sings on until its chance is below this."""

_BRIDGE = 0.25
_REACH = 0.4
_CRY = 1.0
_SPOKEN = 0.6
_REST = 2.0


def from_letters(letters: NDArray[np.float32], frame_rate: float) -> NDArray[np.float32]:
    """For a model that hears letters alone: voice is within 0.4 s of one, shape (n_frames,)."""
    from numpy.lib.stride_tricks import sliding_window_view

    reach = round(_REACH * frame_rate)
    sure = np.pad(1 - np.exp(letters[:, 0]), reach)
    near: NDArray[np.float32] = sliding_window_view(sure, 2 * reach + 1).max(axis=1)
    return np.ascontiguousarray(near, dtype=np.float32)


def voiced(
    voice: NDArray[np.float32], frame_rate: float, bridge: float = _BRIDGE
) -> list[tuple[float, float]]:
    """When somebody sings, (start, end) s; pauses of up to `bridge` s do not count."""
    frames = np.flatnonzero(voice >= SUNG)
    pieces = np.split(frames, np.flatnonzero(np.diff(frames) > bridge * frame_rate) + 1)
    return [(float(p[0] / frame_rate), float((p[-1] + 1) / frame_rate)) for p in pieces if len(p)]


def until_silent(
    voice: NDArray[np.float32], frame_rate: float, start: float, limit: float
) -> float:
    """Until when a voice that sounds at `start` s goes on, `limit` s at most."""
    first, last = round(start * frame_rate), round(limit * frame_rate)
    bridge = round(_BRIDGE * frame_rate)
    sounding = np.flatnonzero(voice[first:last] >= GOES_ON)
    if not len(sounding) or sounding[0] > bridge:
        return start
    breaks = np.flatnonzero(np.diff(sounding) > bridge)
    until = sounding[breaks[0]] if len(breaks) else sounding[-1]
    return max(start, min(limit, float(first + until + 1) / frame_rate))


def cries(
    heard: Heard, labels: Sequence[str], frame_rate: float, taken: Iterable[tuple[float, float]]
) -> tuple[tuple[float, float], ...]:
    """Voice of at least a second without words, (start, end) s: quejíos, not jaleos.

    `taken` are the spans of what is sung with words.  Where more than 0.6
    consonants a second are heard somebody says something.
    """
    free = np.array(heard.voice)
    for start, end in taken:
        free[round(start * frame_rate) : round(end * frame_rate)] = 0
    return tuple(
        (start, end)
        for start, end in voiced(free, frame_rate)
        if end - start >= _CRY and not _words(heard, labels, frame_rate, start, end)
    )


def worded(heard: Heard, labels: Sequence[str], frame_rate: float) -> list[tuple[float, float]]:
    """When somebody sings words, (start, end) s; breaths and rests between lines belong to them."""
    return [
        (start, end)
        for start, end in voiced(heard.voice, frame_rate, _REST)
        if _words(heard, labels, frame_rate, start, end)
    ]


def _words(
    heard: Heard, labels: Sequence[str], frame_rate: float, start: float, end: float
) -> bool:
    """Whether there are as many consonants between two times as in words."""
    piece = heard.letters[round(start * frame_rate) : round(end * frame_rate)].argmax(axis=1)
    changed = np.diff(piece, prepend=0) != 0
    spoken = [labels[c] for c in piece[changed] if labels[c] and labels[c] not in VOWELS]
    return len(spoken) > _SPOKEN * (end - start)
