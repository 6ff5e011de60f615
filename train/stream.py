"""A dataset read while it is trained on: for those larger than the disk, or at the hub."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import IterableDataset

from corpus.errors import MediaError, TrainError
from train.augment import aged, at_another_speed
from train.batches import Features
from train.config import TrainConfig
from train.data import open_column, open_stream, read_sound
from train.guards import (
    LeftOut,
    Reason,
    another_language,
    check_leak,
    reason_of_audio,
    reason_of_text,
)
from train.material import Material, checked_clip, packing_of
from train.whisper import Whisper
from train.windows import Clip, Vocabulary, mix, pack

__all__ = ["Stream", "stream"]

_SHUFFLED = 64  # windows held, of which one is drawn at random
_TEXTS_READ = 2_000
"""Enough to tell their language by."""

Example = dict[str, Any]


class Stream(IterableDataset[Example]):
    """Windows without end, packed of neighbouring rows as these come; `an_epoch` counts the first.

    Raises TrainError when nothing with text comes by in a whole epoch.
    """

    def __init__(
        self, dataset: str, whisper: Whisper, vocabulary: Vocabulary, config: TrainConfig
    ) -> None:
        self._dataset = dataset
        self._whisper = whisper
        self._vocabulary = vocabulary
        self._config = config
        self._packing = packing_of(config, whisper)
        self._features = Features(whisper, vocabulary)
        self.left_out = LeftOut()
        self.an_epoch = 0

    def __iter__(self) -> Iterator[Example]:
        epoch = 0
        while True:
            rng = np.random.default_rng((self._config.seed, epoch))
            n_labels = 0
            for example in _shuffled(self._examples(rng, first=epoch == 0), rng):
                n_labels += 1
                yield example
            if not n_labels:
                raise TrainError(
                    f"no utterance with text is left to train on; left out: {self.left_out}"
                )
            epoch += 1

    def _examples(self, rng: np.random.Generator, *, first: bool) -> Iterator[Example]:
        """Features of windows in the order of the rows; sound is held until it is laid."""
        sounds: dict[int, NDArray[np.float32]] = {}
        windows = pack(
            self._clips(sounds, rng, self.left_out if first else LeftOut()),
            rng=rng,
            max_tokens=self._packing.max_tokens,
            without_timestamps=self._packing.without_timestamps,
            together=self._packing.together,
        )
        for window in windows:
            sound = mix(window, sounds.pop)
            if rng.random() < self._packing.augment:
                sound = aged(sound, rng)
            self.an_epoch += first
            yield self._features(window, sound)

    def _clips(
        self,
        sounds: dict[int, NDArray[np.float32]],
        rng: np.random.Generator,
        left_out: LeftOut,
    ) -> Iterator[Clip]:
        for row, cell in open_stream(self._dataset, seed=int(rng.integers(1 << 31))):
            reason = reason_of_text(row.text, nothing_sung=row.nothing_sung)
            sound: NDArray[np.float32] = np.zeros(0, np.float32)
            try:
                sound = read_sound(cell)
                reason = reason or reason_of_audio(len(sound))
            except MediaError:
                reason = Reason.UNREADABLE
            if reason is None:
                tokens = () if row.nothing_sung else self._whisper.text_tokens(row.text)
                clip = Clip(row=row.number, n_samples=len(sound), tokens=tokens)
                reason = checked_clip(clip, self._vocabulary, self._whisper.n_positions)
            if reason is not None:
                left_out.add(row, reason)
                continue
            left_out.taken += 1
            sounds[row.number] = sound
            changed = rng.random() < self._packing.augment
            yield at_another_speed(clip, rng) if changed else clip


def _shuffled(examples: Iterator[Example], rng: np.random.Generator) -> Iterator[Example]:
    held: list[Example] = []
    for example in examples:
        held.append(example)
        if len(held) == _SHUFFLED:
            yield held.pop(int(rng.integers(_SHUFFLED)))
    yield from (held[i] for i in rng.permutation(len(held)))


def stream(dataset: str, whisper: Whisper, vocabulary: Vocabulary, config: TrainConfig) -> Material:
    """What a run learns from, read while it learns; no general speech is replayed.

    Raises TrainError where a recording stands in two splits, as far as the dataset lets it be seen.
    """
    found = Stream(dataset, whisper, vocabulary, config)
    return Material(
        windows=found,
        n_windows=None,
        left_out=found.left_out,
        notes=tuple(_look_through(dataset, config.language)),
    )


def _look_through(dataset: str, language: str) -> Iterator[str]:
    """What is to be known of recordings and texts, read without the sound."""
    columns = (open_column(dataset, name) for name in ("master", "recording"))
    sources = next((one for one in columns if one is not None), None)
    if sources is None:
        yield "the stream's recordings cannot be looked through: leaks between splits are not found"
    else:
        check_leak({name: {str(one) for one in all_ if one} for name, all_ in sources.items()})
    texts = open_column(dataset, "text") or {}
    some = (str(text or "") for text in islice(texts.get("train", ()), _TEXTS_READ))
    if other := another_language(some, language):
        yield other
