"""Whether audio can be listened to at all, and whether what came out is what went in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from align.records import AlignedLine
from corpus.errors import AlignmentError
from corpus.media import SAMPLE_RATE, Samples

__all__ = ["SILENCE_DBFS", "check_heard", "check_words", "loudest"]

SILENCE_DBFS = -60.0
"""Below this no voice is heard: the noise of a worn tape lies at about -50."""

_STEP = SAMPLE_RATE // 10
_PIECE = 600 * _STEP


def loudest(samples: Samples) -> float:
    """The level of the loudest tenth of a second in dB full scale; -inf for digital silence."""
    power = 0.0
    for start in range(0, samples.n_samples, _PIECE):
        piece = samples.read(start, _PIECE)
        tenths = np.pad(piece, (0, -len(piece) % _STEP)).reshape(-1, _STEP)
        power = max(power, float(np.square(tenths, dtype=np.float64).mean(1).max(initial=0)))
    return float(10 * np.log10(power)) if power else -np.inf


def check_heard(samples: Samples) -> None:
    """Raise AlignmentError when nothing in the audio is louder than -60 dBFS."""
    level = loudest(samples)
    if not level > SILENCE_DBFS:
        raise AlignmentError(
            f"nothing is heard in this audio (loudest at {level:.0f} dBFS): check the recording"
        )


def check_words(lines: Sequence[str], aligned: Iterable[AlignedLine]) -> None:
    """Raise AlignmentError unless every word of the lines is there once, in order."""
    given = [word for line in lines for word in line.split()]
    found = [word.text for line in aligned for word in line.words]
    if given != found:
        raise AlignmentError(f"{len(given)} words were given and {len(found)} placed: report this")
