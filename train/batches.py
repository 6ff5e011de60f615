"""Windows turned into what the model takes, one by one as they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.errors import MediaError, TrainError
from corpus.media import SAMPLE_RATE
from train.augment import aged, over
from train.course import Course
from train.whisper import Whisper
from train.windows import IGNORED, Vocabulary, Window, label, mix

__all__ = ["Collator", "Features", "WindowFeatures"]

Sound = Callable[[int], NDArray[np.float32]]
"""Gives the samples of a row, 16 kHz mono; raises MediaError when it cannot be read."""

_MUSIC_BELOW = 0.5  # of the windows that are changed, where the data has music without a voice


class Features:
    """What the model takes for a window: mel features (bands, 3000) and a label."""

    def __init__(self, whisper: Whisper, vocabulary: Vocabulary) -> None:
        self._extractor = whisper.extractor
        self._vocabulary = vocabulary

    def __call__(self, window: Window, sound: NDArray[np.float32]) -> dict[str, Any]:
        """The features, the decoder's input and its targets."""
        found = self._extractor(sound, sampling_rate=SAMPLE_RATE, return_tensors="np")
        made = label(window, self._vocabulary)
        return {
            "input_features": found.input_features[0],
            "decoder_input_ids": made.inputs,
            "labels": made.targets,
        }


class WindowFeatures:
    """A map-style dataset of a run's windows, made when asked.

    A share `augment` of them is changed; `music` are rows without a voice that may lie below.
    """

    def __init__(
        self,
        course: Course,
        sound: Sound,
        features: Features,
        *,
        seed: int,
        augment: float = 0.0,
        music: Sequence[int] = (),
    ) -> None:
        self._course = course
        self._sound = sound
        self._features = features
        self._seed = seed
        self._augment = augment
        self._music = music

    def __len__(self) -> int:
        return len(self._course)

    @property
    def an_epoch(self) -> int:
        """How many windows the first epoch has."""
        return self._course.n_windows_an_epoch

    def __getitem__(self, index: int) -> dict[str, Any]:
        window = self._course[index]
        try:
            heard = self._heard(window, np.random.default_rng((self._seed, index)))
        except MediaError as error:
            raise TrainError(f"the dataset has changed while training: {error}") from error
        return self._features(window, heard)

    def _heard(self, window: Window, rng: np.random.Generator) -> NDArray[np.float32]:
        sound = mix(window, self._sound)
        if rng.random() >= self._augment:
            return sound
        if self._music and rng.random() < _MUSIC_BELOW:
            sound = over(sound, self._sound(int(rng.choice(self._music))), rng)
        return aged(sound, rng)


class Collator:
    """Windows to one batch of tensors, labels filled up to the longest.

    The decoder's input is given beside the labels: made from labels with ignored
    positions it would lack the prompt.
    """

    def __init__(self, padding: int) -> None:
        self._padding = padding

    def __call__(self, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Tensors by name: features (batch, bands, 3000) float32, labels (batch, longest)."""
        import torch

        features = np.stack([item["input_features"] for item in items])
        return {
            "input_features": torch.from_numpy(features),
            "decoder_input_ids": _filled([i["decoder_input_ids"] for i in items], self._padding),
            "labels": _filled([item["labels"] for item in items], IGNORED),
        }


def _filled(rows: Sequence[Sequence[int]], filling: int) -> Any:
    import torch

    longest = max(map(len, rows))
    return torch.tensor([[*row, *[filling] * (longest - len(row))] for row in rows])
