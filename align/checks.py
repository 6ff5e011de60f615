"""Whether audio can be listened to at all, and whether what came out is what went in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from align.level import level_curve
from align.records import AlignedLine, Alignment
from align.voice import SUNG
from corpus.errors import AlignmentError
from corpus.media import Samples
from corpus.text import letters

__all__ = [
    "SILENCE_DBFS",
    "check_heard",
    "check_words",
    "doubtful_verses",
    "doubts",
    "loudest",
    "voice_share",
]

SILENCE_DBFS = -60.0
"""Below this no voice is heard: the noise of a worn tape lies at about -50."""


def loudest(samples: Samples) -> float:
    """The level of the loudest tenth of a second in dB full scale; -inf for digital silence."""
    return float(level_curve(samples).max(initial=-np.inf))


def check_heard(samples: Samples) -> None:
    """Raise AlignmentError when nothing in the audio is louder than -60 dBFS."""
    level = loudest(samples)
    if not level > SILENCE_DBFS:
        raise AlignmentError(
            f"nothing is heard in this audio (loudest at {level:.0f} dBFS): check the recording"
        )


def check_words(lines: Sequence[str], aligned: Sequence[AlignedLine]) -> None:
    """Raise AlignmentError unless every line is there, with the words that were sung of it."""
    given = [line.split() for line in lines]
    main = {line.line: line for line in aligned if not line.repeat}
    whole = sorted(main) == list(range(len(given)))
    if not whole or any(_lost(line, given[line.line]) for line in aligned):
        raise AlignmentError(
            f"{len(given)} lines were given and {len(main)} placed: report this with the text"
        )


def _lost(line: AlignedLine, given: Sequence[str]) -> bool:
    """Whether the words of a line are not those that it says were sung."""
    return [word.text for word in line.words] != (line.sung.split() if line.sung else list(given))


_FASTEST = 0.025
"""Seconds a letter: nobody sings faster, at five or six letters a tenth of a second."""

_SLOWEST = 8.0
"""Seconds a letter, over a whole line: slower than the slowest toná."""

_LEAST_VOICE = 0.3
_LEAST_SUNG = 0.5


def doubts(line: AlignedLine, voice: NDArray[np.float32], frame_rate: float) -> tuple[str, ...]:
    """What tells against a line; nothing where all checks hold."""
    if line.left_out:
        return ("it is not heard",)
    found = []
    pace = (line.end - line.start) / max(1, sum(len(letters(word.text)) for word in line.words))
    if pace < _FASTEST:
        found.append(f"{pace * 1000:.0f} ms a letter is faster than anybody sings")
    if pace > _SLOWEST:
        found.append(f"{pace:.1f} s a letter is slower than anybody sings")
    share = voice_share(line, voice, frame_rate)
    if share < _LEAST_VOICE:
        found.append(f"voice is heard in {share:.0%} of it only")
    return tuple(found)


def voice_share(line: AlignedLine, voice: NDArray[np.float32], frame_rate: float) -> float:
    """The share of a line's time in which somebody sings, 0..1."""
    frames = voice[round(line.start * frame_rate) : round(line.end * frame_rate)]
    return float((frames >= SUNG).mean()) if len(frames) else 0.0


def doubtful_verses(aligned: Alignment, texts: Sequence[Sequence[str]]) -> list[str]:
    """The verses of which a check is broken, each with the reasons."""
    verse_of = [k for k, text in enumerate(texts) for _ in text]
    found = []
    for k, text in enumerate(texts):
        mine = [one for one in aligned.lines if verse_of[one.line] == k and not one.repeat]
        reasons = [f"{one.text!r}: {reason}" for one in mine for reason in one.doubts]
        n_sung = sum(not one.left_out for one in mine)
        if n_sung < _LEAST_SUNG * len(mine):
            reasons = [f"{n_sung} of its {len(mine)} lines are heard"]
        if reasons:
            found.append(f"verse {k + 1} ({text[0]}): " + ", ".join(reasons))
    return found
