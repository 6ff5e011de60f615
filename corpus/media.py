"""Audio bytes: probe, hash, decode, cut."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["SAMPLE_RATE", "ArraySamples", "Samples"]

SAMPLE_RATE = 16_000
"""Hertz, mono: what every stage hears."""


class Samples(Protocol):
    """Audio at 16 kHz mono that can be read piece by piece, however long it is."""

    @property
    def n_samples(self) -> int:
        """How many samples there are."""

    def read(self, start: int, n_samples: int) -> NDArray[np.float32]:
        """Samples from `start` on, shape (n,), in -1..1; fewer than asked for at the end."""


class ArraySamples:
    """Audio that is in memory, shape (n_samples,)."""

    def __init__(self, samples: NDArray[np.float32]) -> None:
        self._samples = samples

    @property
    def n_samples(self) -> int:
        return len(self._samples)

    def read(self, start: int, n_samples: int) -> NDArray[np.float32]:
        return self._samples[start : start + n_samples]
