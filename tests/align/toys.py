"""Emissions and models that say exactly what a test wants to hear."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from align.emissions import Heard
from align.labels import LABELS
from corpus.media import ArraySamples, Samples
from corpus.text import letters

FRAME_RATE = 50.0


def noise(seconds: float, level: float = 0.1) -> ArraySamples:
    """Audio loud enough to be listened to."""
    rng = np.random.default_rng(1)
    return ArraySamples(rng.normal(0, level, int(seconds * 16000)).astype(np.float32))


def sung(
    seconds: float, words: Sequence[tuple[str, float, float]], sure: float = 0.9
) -> NDArray[np.float32]:
    """Emissions in which each word's letters are spread evenly over its span."""
    n_frames = int(seconds * FRAME_RATE)
    heard = np.zeros(n_frames, int)
    for word, start, end in words:
        columns = [LABELS.index(c) for c in letters(word)]
        first, last = round(start * FRAME_RATE), round(end * FRAME_RATE)
        at = np.arange(last - first) * len(columns) // (last - first)
        heard[first:last] = np.array(columns)[at]
    chances = np.full((n_frames, len(LABELS)), (1 - sure) / (len(LABELS) - 1))
    chances[np.arange(n_frames), heard] = sure
    scores: NDArray[np.float32] = np.log(chances).astype(np.float32)
    return scores


class ToyModel:
    """An acoustic model that hears what it was given, whatever the audio."""

    name = "toy"
    labels = LABELS
    frame_rate = FRAME_RATE

    def __init__(
        self, emissions: NDArray[np.float32], voice: NDArray[np.float32] | None = None
    ) -> None:
        self._emissions = emissions
        self._voice = voice

    def hear(self, samples: Samples, progress: Callable[[float], None] | None = None) -> Heard:
        """What it was given, cut to the audio; voice where letters are, unless told."""
        if progress is not None:
            progress(1.0)
        letters = self._emissions[: -(-samples.n_samples // 320)]
        voice = np.exp(letters[:, 0]) < 0.5 if self._voice is None else self._voice
        return Heard(letters=letters, voice=np.asarray(voice, np.float32)[: len(letters)])
