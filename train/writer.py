"""A Whisper that writes down what it hears, language and task given: greedy, or by beams."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import LogitsProcessor, LogitsProcessorList

from corpus.media import SAMPLE_RATE
from train.attention import use_fused, use_products
from train.config import Device, Precision
from train.device import in_bfloat16, pick_device
from train.whisper import Whisper, open_whisper

__all__ = ["Writer"]

_MOST_TOKENS = 228  # half of the decoder's room and the prompt, as Whisper's own decoding has it


class Writer:
    """A Whisper ready to be asked; its model is not changed but for being in evaluation mode.

    Raises ModelError when it knows no such language.
    """

    def __init__(
        self,
        whisper: Whisper,
        *,
        language: str = "es",
        beam: int = 1,
    ) -> None:
        self._whisper = whisper
        whisper.vocabulary(language, "transcribe")  # an unknown language is told at once
        whisper.model.eval()
        self._settings, self._forbidden = _take_settings(whisper, beam)
        self._said = {"language": language, "task": "transcribe"} if whisper.multilingual else {}

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        language: str = "es",
        device: Device = "auto",
        beam: int = 1,
        precision: Precision = "float32",
    ) -> Writer:
        """The Whisper of a folder, all of its numbers in bfloat16 where `precision` says so.

        Raises ModelError when the folder holds no Whisper, TrainError when the device is not
        there.
        """
        whisper = open_whisper(folder)
        where = pick_device(device)
        # Not by autocast, which turns every weight anew for every token.
        halved = in_bfloat16(precision, where)
        whisper.model.to(where, torch.bfloat16 if halved else torch.float32)
        attend = use_products if halved and where == "cpu" else use_fused
        attend(whisper.model, beam)
        return cls(whisper, language=language, beam=beam)

    def write(self, sounds: Sequence[NDArray[np.float32]]) -> list[str]:
        """One text for each sound (16 kHz mono, up to 30 s); empty where nothing was heard."""
        features = self._whisper.extractor(
            list(sounds),
            sampling_rate=SAMPLE_RATE,
            return_tensors="pt",
            return_attention_mask=True,
        ).to(self._whisper.model.device)
        model = self._whisper.model
        features["input_features"] = features["input_features"].to(model.dtype)
        # What stands in the model's own settings is filled in wherever the given ones say None.
        own, model.generation_config = model.generation_config, self._settings
        try:
            with torch.inference_mode():
                tokens = model.generate(
                    **features,
                    generation_config=self._settings,
                    logits_processor=LogitsProcessorList([self._forbidden]),
                    **self._said,
                )
        finally:
            model.generation_config = own
        texts = self._whisper.tokenizer.batch_decode(tokens, skip_special_tokens=True)
        return [text.strip() for text in texts]


class _Forbidden(LogitsProcessor):
    """Keeps tokens from being answered: some always, some as the first.

    Whisper's own processors search the whole vocabulary at every step, which on a CPU
    takes longer than the decoder of a small model.
    """

    def __init__(self, always: list[int], first: list[int]) -> None:
        self._always = always
        self._first = first
        self._begin = 0

    def set_begin_index(self, begin: int) -> None:
        """Told by `generate` how long the prompt is."""
        self._begin = begin

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """The scores, (batch, vocabulary), of forbidden tokens at minus infinity."""
        scores = scores.clone()
        scores[:, self._always] = -torch.inf
        if input_ids.shape[-1] == self._begin:
            scores[:, self._first] = -torch.inf
        return scores


def _take_settings(whisper: Whisper, beam: int) -> tuple[Any, _Forbidden]:
    """The model's own settings, for answers that may be empty and do not run on forever.

    Whisper forbids an answer that ends at once; so it would have to make up words
    where nothing is sung.
    """
    own = whisper.model.generation_config
    first = [token for token in own.begin_suppress_tokens or () if token != own.eos_token_id]
    forbidden = _Forbidden(always=list(own.suppress_tokens or ()), first=first)
    settings = copy.deepcopy(own)
    settings.suppress_tokens = settings.begin_suppress_tokens = None
    # Set here, not given beside: two limits at once are warned of.
    settings.max_length = min(_MOST_TOKENS, whisper.n_positions)
    settings.num_beams = beam
    settings.do_sample = False
    return settings, forbidden
