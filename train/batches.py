"""Windows turned into what the model takes, one by one as they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corpus.errors import MediaError, TrainError
from corpus.media import SAMPLE_RATE
from train.data import Split
from train.whisper import Whisper
from train.windows import IGNORED, Vocabulary, Window, label, mix

__all__ = ["Collator", "WindowFeatures"]


class WindowFeatures:
    """A map-style dataset of windows: features (mel bands, 3000) and labels, made when asked."""

    def __init__(
        self, windows: Sequence[Window], split: Split, whisper: Whisper, vocabulary: Vocabulary
    ) -> None:
        self._windows = windows
        self._split = split
        self._extractor = whisper.extractor
        self._vocabulary = vocabulary

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        window = self._windows[index]
        try:
            sound = mix(window, self._split.sound)
        except MediaError as error:
            raise TrainError(f"{self._split.name} has changed while training: {error}") from error
        found = self._extractor(sound, sampling_rate=SAMPLE_RATE, return_tensors="np")
        made = label(window, self._vocabulary)
        return {
            "input_features": found.input_features[0],
            "decoder_input_ids": made.inputs,
            "labels": made.targets,
        }


class Collator:
    """Windows to one batch of tensors, labels filled up to the longest.

    The decoder's input is given beside the labels: made from labels with ignored
    positions it would lack the prompt.
    """

    def __init__(self, padding: int) -> None:
        self._padding = padding

    def __call__(self, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Tensors by name: features (batch, bands, 3000) float32, labels (batch, longest)."""
        import numpy as np
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
