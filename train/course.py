"""The windows of a whole run in the order in which they are trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import numpy as np

from train.augment import at_another_speed
from train.windows import Clip, Window, pack, sequence

__all__ = ["Course", "Packing"]

_PACKINGS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """How clips become windows: see TrainConfig for what the shares mean."""

    max_tokens: int
    without_timestamps: float = 0.0
    together: bool = True
    augment: float = 0.0
    replay: float = 0.0


class Course:
    """All windows of a run, epoch after epoch, laid anew for each of eight epochs in turn.

    Other neighbours, pauses and speeds are as good as more recordings where there are few.
    `general` are clips of which each epoch takes as many as `replay` asks for.  The same seed gives
    the same course.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        *,
        epochs: int,
        seed: int,
        packing: Packing,
        general: Sequence[Clip] = (),
    ) -> None:
        self._clips = clips
        self._general = general
        self._seed = seed
        self._packing = packing
        # Two are held: batches of a data loader may reach over the end of an epoch.
        self._windows = lru_cache(maxsize=2)(self._lay)
        counts = [len(self._lay(k)) for k in range(min(epochs, _PACKINGS))]
        self._starts = [0, *accumulate(counts)]
        rounds, rest = divmod(epochs, len(counts))
        self._n_windows = rounds * self._starts[-1] + self._starts[rest]
        self.n_windows_an_epoch = counts[0]

    def __len__(self) -> int:
        return self._n_windows

    def __getitem__(self, index: int) -> Window:
        if not 0 <= index < self._n_windows:
            raise IndexError(index)
        within = index % self._starts[-1]
        k = next(k for k, start in enumerate(self._starts[1:]) if within < start)
        return self._windows(k)[within - self._starts[k]]

    def _lay(self, k: int) -> tuple[Window, ...]:
        rng = np.random.default_rng((self._seed, k))
        clips = sequence([*self._clips, *self._replayed(rng)], rng=rng)
        share = self._packing.augment
        if share:
            clips = [at_another_speed(c, rng) if rng.random() < share else c for c in clips]
        windows = list(
            pack(
                clips,
                rng=rng,
                max_tokens=self._packing.max_tokens,
                without_timestamps=self._packing.without_timestamps,
                together=self._packing.together,
            )
        )
        return tuple(windows[i] for i in rng.permutation(len(windows)))

    def _replayed(self, rng: np.random.Generator) -> list[Clip]:
        """General clips that last as long as their share of the whole asks for."""
        share = self._packing.replay
        wanted = share / (1 - share) * sum(clip.n_samples for clip in self._clips)
        taken: list[Clip] = []
        for i in rng.permutation(len(self._general)):
            if wanted <= 0:
                break
            taken.append(self._general[i])
            wanted -= self._general[i].n_samples
        return taken
