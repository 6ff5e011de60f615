"""A page to look at an alignment and listen to it: one HTML file that asks nothing of a network."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

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
from corpus.media import compact
from corpus.pages import page
from corpus.records import Recording, Utterance

__all__ = ["MOST_EMBEDDED", "render", "sound"]

MOST_EMBEDDED = 20 * 60.0
"""Seconds of sound that a page holds, 10 MB; longer ones it plays from the media folder."""

_CURVE_RATE = 10
"""Values a second that the page draws."""


def sound(flac: Path, duration: float, folder: Path) -> str:
    """The address of a recording's sound for a page in `folder`.

    Up to 20 minutes the sound itself, as an MP3 in a data URI; else the way to
    the file.  Raises MediaError when it cannot be read.
    """
    if duration <= MOST_EMBEDDED:
        return "data:audio/mpeg;base64," + base64.b64encode(compact(flac)).decode("ascii")
    try:
        way = Path(os.path.relpath(flac, folder))
    except ValueError:  # on another drive of Windows
        return flac.absolute().as_uri()
    return quote(way.as_posix())


def render(
    recording: Recording,
    utterances: Sequence[Utterance],
    level: NDArray[np.float32],
    voice: NDArray[np.float32] | None = None,
    *,
    audio: str,
    language: str = "es",
) -> str:
    """The page: a timeline that is clicked to play from there, and a table of the utterances.

    `level` is in dB full scale, shape (n_tenths,), 10 values a second; `voice` in
    0..1, shape (n_frames,), 50 a second; `audio` the address of the sound, as
    `sound` gives it; `language` the one that is sung.
    """
    rows = [_utterance(one) for one in utterances]
    return page(
        "align",
        written_in="en",
        title=headline(recording),
        media="data:" if audio.startswith("data:") else "file: 'self'",
        recording=recording,
        headline=headline(recording),
        duration=clock(recording.duration),
        rows=rows,
        n_doubtful=sum(row["doubtful"] for row in rows),
        kinds=list(KINDS.values()),
        ramp=", ".join(shade for _, shade in RAMP),
        sure=colour(1),
        audio=audio,
        language=language,
        drawn={
            "kinds": [kind.value for kind in KINDS],
            "colours": {"level": LEVEL_COLOUR, "voice": VOICE_COLOUR},
            "duration": recording.duration,
            "rate": _CURVE_RATE,
            "level": _per_cent(1 - level / LEVEL_FLOOR, LEVEL_RATE),
            "voice": None if voice is None else _per_cent(voice, VOICE_RATE),
            "utterances": rows,
        },
    )


def _utterance(utterance: Utterance) -> dict[str, Any]:
    return {
        "start": round(utterance.start, 3),
        "end": round(utterance.end, 3),
        "from": clock(utterance.start, 1),
        "to": clock(utterance.end, 1),
        "kind": utterance.kind.value,
        "kind_name": KINDS[utterance.kind],
        "tier": utterance.tier.value,
        "score": f"{utterance.score:.2f}",
        "colour": colour(utterance.score),
        "doubtful": doubtful(utterance),
        "verse": utterance.verse[:12],
        "lines": [
            {
                "text": line.text,
                "start": round(line.start, 3),
                "end": round(line.end, 3),
                "words": [[w.text, round(w.start, 3), round(w.end, 3)] for w in line.words],
            }
            for line in as_lines([utterance])
        ],
    }


def _per_cent(curve: NDArray[np.float32], rate: int) -> list[int]:
    """A curve in 0..1 as whole per cents, the mean of what falls into each drawn value."""
    step = rate // _CURVE_RATE
    whole = np.clip(curve[: len(curve) // step * step], 0, 1).reshape(-1, step)
    found: list[int] = np.rint(100 * whole.mean(axis=1)).astype(int).tolist()
    return found
