"""How loud a side is over time: the curve on which its gaps are looked for."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from corpus.media import SAMPLE_RATE, Samples

__all__ = ["SIDE_RATE", "side_level"]

SIDE_RATE = 20
"""Values a second of the level curve of a side."""

_STEP = SAMPLE_RATE // SIDE_RATE
_PIECE = 60 * SAMPLE_RATE
_BAND = (150.0, 5000.0)  # Hz: above rumble and hum, below most of the hiss
_SILENCE = -100.0  # dB: nothing is drawn or judged below
_CLICKS = 7  # frames over which the median is taken: a click does not break a gap


def side_level(samples: Samples) -> NDArray[np.float32]:
    """The level between 150 and 5,000 Hz in dB, shape (n_frames,), 20 values a second.

    No lower than -100; read a minute at a time, so that hours cost little memory.
    A median over a third of a second takes clicks out.
    """
    pieces = [_band_level(samples.read(at, _PIECE)) for at in range(0, samples.n_samples, _PIECE)]
    level = np.concatenate([np.zeros(0, np.float32), *pieces])
    if len(level) < _CLICKS:
        return level
    padded = np.pad(level, _CLICKS // 2, mode="edge")
    return np.asarray(np.median(sliding_window_view(padded, _CLICKS), axis=1), np.float32)


def _band_level(piece: NDArray[np.float32]) -> NDArray[np.float32]:
    whole = np.nan_to_num(np.pad(piece, (0, -len(piece) % _STEP)), posinf=0.0, neginf=0.0)
    frames = whole.reshape(-1, _STEP) * np.hanning(_STEP).astype(np.float32)
    low, high = (round(hertz * _STEP / SAMPLE_RATE) for hertz in _BAND)
    bands = np.fft.rfft(frames, axis=1)[:, low:high]
    power = (bands.real**2 + bands.imag**2).sum(axis=1) * (16 / 3) / _STEP**2
    level: NDArray[np.float32] = 10 * np.log10(np.maximum(power, 1e-12)).astype(np.float32)
    return np.maximum(level, np.float32(_SILENCE))
