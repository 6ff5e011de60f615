"""A voice taken apart and put together again with WORLD, at another pitch and pace.

WORLD: Morise, Yokomori and Ozawa, WORLD: a vocoder-based high-quality speech
synthesis system for real-time applications, IEICE Trans. E99-D (2016).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.errors import CanteError
from corpus.media import SAMPLE_RATE

__all__ = ["FRAME", "Spectra", "analyse", "render"]

_NEEDS = (
    "pyworld is not installed: uv sync --group demo for the demo, "
    "pip install 'cante-corpus[fit]' to train an aligner"
)

FRAME = 0.005
"""Seconds from one spectrum to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectra:
    """WORLD's view of a voice: (n_frames,), (n_frames, n_bins), (n_frames, n_bins)."""

    pitch: NDArray[np.float64]
    log_envelope: NDArray[np.float64]
    noise: NDArray[np.float64]


def analyse(samples: NDArray[np.float64]) -> Spectra:
    """The spectra of a voice alone, 16 kHz; raises CanteError when pyworld is missing."""
    world, period = _world(), FRAME * 1000
    rough, times = world.dio(samples, SAMPLE_RATE, f0_floor=60, f0_ceil=500, frame_period=period)
    pitch = world.stonemask(samples, rough, times, SAMPLE_RATE)
    envelope = world.cheaptrick(samples, pitch, times, SAMPLE_RATE)
    noise = world.d4c(samples, pitch, times, SAMPLE_RATE)
    return Spectra(pitch=pitch, log_envelope=np.log(envelope), noise=noise)


def render(
    spectra: Spectra, places: NDArray[np.float64], pitch: NDArray[np.float64], breath: float = 0.0
) -> NDArray[np.float64]:
    """Sound with the spectra read at `places` (frames, with fractions) at the given pitch (Hz).

    Where the voice was unvoiced it stays so.  16 kHz, len(places) * 80 samples.
    """
    last = len(spectra.pitch) - 1
    before = np.minimum(places.astype(int), last)
    after = np.minimum(before + 1, last)
    part = (places - before)[:, None]
    voiced = spectra.pitch[np.minimum(np.round(places).astype(int), last)] > 0
    mixed = spectra.log_envelope[before] * (1 - part) + spectra.log_envelope[after] * part
    noise = spectra.noise[before] * (1 - part) + spectra.noise[after] * part
    noise = noise * (1 - breath) + breath
    sound: NDArray[np.float64] = _world().synthesize(
        np.where(voiced, pitch, 0.0), np.exp(mixed), noise, SAMPLE_RATE, FRAME * 1000
    )
    return sound


def _world() -> Any:
    try:
        import pyworld
    except ImportError as error:
        raise CanteError(_NEEDS) from error
    return pyworld
