"""Sound changed while a model learns, so that it does not learn the few tapes it is given by heart.

Speed as in Ko et al., "Audio Augmentation for Speech Recognition" (2015), a little wider, for
singers differ more than speakers; the rest is what old recordings of cante have: a narrow band,
hiss, uneven level, and a guitar below the voice.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from corpus.media import SAMPLE_RATE
from train.windows import WINDOW_SAMPLES, Clip

__all__ = ["aged", "at_another_speed", "over"]

_SPEEDS = (0.88, 1.12)
_LEVELS = (-12.0, 3.0)  # dB
_BANDS = (3_000.0, 7_500.0)  # Hz, the highest that is left
_HISS = (-50.0, -25.0)  # dB below the voice
_BELOW = (3.0, 15.0)  # dB, music below the voice


def at_another_speed(clip: Clip, rng: np.random.Generator) -> Clip:
    """The clip at another speed, up to what a window holds."""
    n_samples = round(clip.n_samples / rng.uniform(*_SPEEDS))
    return replace(clip, n_samples=min(max(n_samples, 1), WINDOW_SAMPLES))


def aged(sound: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """The sound as an older or poorer recording might have it, of the same shape."""
    changed: NDArray[np.floating] = sound
    if rng.random() < 0.5:
        spectrum = np.fft.rfft(changed)
        highest = rng.uniform(*_BANDS)
        spectrum[np.fft.rfftfreq(len(changed), 1 / SAMPLE_RATE) > highest] = 0
        changed = np.fft.irfft(spectrum, len(changed))
    if rng.random() < 0.5:
        hiss = rng.standard_normal(len(changed), np.float32)
        changed = changed + _level(sound) * 10 ** (rng.uniform(*_HISS) / 20) * hiss
    return _within(changed * 10 ** (rng.uniform(*_LEVELS) / 20))


def over(
    sound: NDArray[np.float32], music: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """The sound over music of any length, which is repeated or cut to it."""
    bed = np.resize(music, len(sound))
    below = 10 ** (-rng.uniform(*_BELOW) / 20)
    return _within(sound + bed * (below * _level(sound) / max(_level(bed), 1e-4)))


def _level(sound: NDArray[np.float32]) -> float:
    """The root mean square of what is not digital silence."""
    heard = sound[sound != 0]
    return float(np.sqrt(np.square(heard, dtype=np.float64).mean())) if len(heard) else 0.0


def _within(sound: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(sound / max(1.0, float(np.abs(sound).max(initial=0.0))), dtype=np.float32)
