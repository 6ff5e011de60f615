"""How loud a recording is, tenth of a second by tenth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from corpus.media import SAMPLE_RATE, Samples

__all__ = ["LEVEL_RATE", "level_curve"]

LEVEL_RATE = 10
"""Values a second of a level curve."""

_STEP = SAMPLE_RATE // LEVEL_RATE
_PIECE = 600 * _STEP


def level_curve(samples: Samples) -> NDArray[np.float32]:
    """The root mean square of every tenth of a second in dB full scale, shape (n_tenths,).

    A constant is no sound: it does not count.  Digital silence is -inf, and so are
    samples that are no numbers.  Read a minute at a time: a recording of hours
    costs little memory.
    """
    powers = [np.zeros(0)]
    for start in range(0, samples.n_samples, _PIECE):
        piece = samples.read(start, _PIECE)
        tenths = np.pad(piece, (0, -len(piece) % _STEP)).reshape(-1, _STEP)
        with np.errstate(invalid="ignore"):
            powers.append(tenths.var(axis=1, dtype=np.float64))
    with np.errstate(divide="ignore"):
        level = 10 * np.log10(np.nan_to_num(np.concatenate(powers), posinf=0.0))
    return level.astype(np.float32)
