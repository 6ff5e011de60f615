"""A Whisper that writes down what it hears: greedy, language and task given."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.media import SAMPLE_RATE
from train.config import Device
from train.data import Progress
from train.device import pick_device
from train.whisper import Whisper, open_whisper
from train.windows import WINDOW_SAMPLES

__all__ = ["Writer"]

_MOST_TOKENS = 228  # half of the decoder's room and the prompt, as Whisper's own decoding has it


class Writer:
    """The Whisper of a folder, ready to be asked.

    Raises ModelError when the folder holds no multilingual Whisper, TrainError when
    the device is not there.
    """

    def __init__(self, folder: Path, *, language: str = "es", device: Device = "auto") -> None:
        self._whisper = open_whisper(folder)
        self._whisper.vocabulary(language, "transcribe")  # an unknown language is told at once
        self._whisper.model.to(pick_device(device)).eval()
        self._settings = _take_settings(self._whisper)
        self._language = language

    def write(self, sounds: Sequence[NDArray[np.float32]]) -> list[str]:
        """One text for each sound (16 kHz mono, up to 30 s); empty where nothing was heard."""
        tokens = self._generate(list(sounds))
        texts = self._whisper.tokenizer.batch_decode(tokens, skip_special_tokens=True)
        return [text.strip() for text in texts]

    def write_parts(
        self, sound: NDArray[np.float32], progress: Progress | None = None
    ) -> list[tuple[float, float, str]]:
        """Start, end (seconds) and text of each part of a sound of any length, in order.

        Window after window, each beginning where the one before was sure to end
        (Radford et al. 2022, section 3.8).  `progress` is told seconds.
        """

        def told(frames: Any) -> None:
            if progress is not None:
                done, total = (int(n) // 100 for n in frames[0])
                progress("transcribing", done, total)

        # The encoder wants 30 s at the least.
        padding = "max_length" if len(sound) <= WINDOW_SAMPLES else "longest"
        found = self._generate(
            [sound],
            {"truncation": False, "padding": padding},
            return_timestamps=True,
            return_segments=True,
            monitor_progress=told,
        )
        return [self._part(part) for part in found["segments"][0]]

    def _part(self, part: dict[str, Any]) -> tuple[float, float, str]:
        text = self._whisper.tokenizer.decode(part["tokens"], skip_special_tokens=True)
        return float(part["start"]), float(part["end"]), text.strip()

    def _generate(
        self,
        sounds: list[NDArray[np.float32]],
        cutting: dict[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        import torch

        features = self._whisper.extractor(
            sounds,
            sampling_rate=SAMPLE_RATE,
            return_tensors="pt",
            return_attention_mask=True,
            **cutting or {},
        ).to(self._whisper.model.device)
        with torch.inference_mode():
            return self._whisper.model.generate(
                **features,
                generation_config=self._settings,
                language=self._language,
                task="transcribe",
                **options,
            )


def _take_settings(whisper: Whisper) -> Any:
    """The model's own settings, greedy, for answers that may be empty and do not run on forever.

    Whisper forbids an answer that ends at once; so it would have to make up words
    where nothing is sung.
    """
    own = whisper.model.generation_config
    settings = copy.deepcopy(own)
    # Set here, not given beside: two limits at once are warned of.
    settings.max_length = min(_MOST_TOKENS, whisper.n_positions)
    settings.num_beams = 1
    settings.do_sample = False
    forbidden = settings.begin_suppress_tokens or []
    settings.begin_suppress_tokens = [t for t in forbidden if t != settings.eos_token_id] or None
    # Whatever is None in given settings is filled in from the model's own, so what
    # Whisper has already seen to would be done, and warned of, once more.
    own.suppress_tokens = own.begin_suppress_tokens = None
    return settings
