"""A Whisper in CTranslate2's form, as faster-whisper runs it, asked the same as `train.writer`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import ctranslate2
import numpy as np
from numpy.typing import NDArray
from transformers import GenerationConfig, WhisperConfig, WhisperProcessor

from corpus.errors import MissingExtraError
from corpus.media import SAMPLE_RATE, hash_file
from corpus.models import cache_folder
from corpus.records import content_id
from corpus.whole import writing
from train.config import Device
from train.convert import to_ctranslate2
from train.device import pick_device
from train.whisper import Whisper, check_whisper, no_whisper

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

__all__ = ["FastWriter", "converted", "transcriber"]


class FastWriter:
    """The Whisper of a folder in transformers form, converted once and kept.

    Weights are float32 on a CPU: those of 8 bits hear other words now and then.  Raises ModelError
    when the folder holds no Whisper or it knows no such language, TrainError when the device is
    not there.
    """

    def __init__(
        self, folder: Path, *, language: str = "es", device: Device = "auto", beam: int = 1
    ) -> None:
        whisper = _without_weights(folder)
        words = whisper.vocabulary(language, "transcribe")
        self._prompt = [*words.prompt, words.no_timestamps]
        self._tokenizer, self._extractor = whisper.tokenizer, whisper.extractor
        self._forbidden = list(whisper.model.generation_config.suppress_tokens or ())
        self._beam = beam
        # CTranslate2 gives half of it to the answer, as Whisper's own decoding does.
        self._n_tokens = whisper.n_positions
        where = _where(device)
        self._model = ctranslate2.models.Whisper(str(converted(folder)), **where)

    def write(self, sounds: Sequence[NDArray[np.float32]]) -> list[str]:
        """One text for each sound (16 kHz mono, up to 30 s); empty where nothing was heard."""
        features = self._extractor(list(sounds), sampling_rate=SAMPLE_RATE, return_tensors="np")
        found = self._model.generate(
            ctranslate2.StorageView.from_array(np.ascontiguousarray(features.input_features)),
            [self._prompt] * len(sounds),
            beam_size=self._beam,
            max_length=self._n_tokens,
            suppress_tokens=self._forbidden,
        )
        answers = [one.sequences_ids[0] for one in found]
        texts = self._tokenizer.batch_decode(answers, skip_special_tokens=True)
        return [text.strip() for text in texts]


def _without_weights(folder: Path) -> Whisper:
    """Tokenizer, feature extractor and settings: the weights are those of the conversion."""
    check_whisper(folder)
    try:
        # Any: what the processor holds is set at run time.
        processor: Any = WhisperProcessor.from_pretrained(folder, local_files_only=True)
        model = SimpleNamespace(
            config=WhisperConfig.from_pretrained(folder, local_files_only=True),
            generation_config=GenerationConfig.from_pretrained(folder, local_files_only=True),
        )
    except (OSError, ValueError, KeyError) as error:
        raise no_whisper(folder, error) from error
    return Whisper(
        model=model, tokenizer=processor.tokenizer, extractor=processor.feature_extractor
    )


def transcriber(folder: Path, device: Device = "auto") -> WhisperModel:
    """The same Whisper as faster-whisper wraps it, for long audio.

    Raises MissingExtraError without faster-whisper.
    """
    try:
        from faster_whisper import WhisperModel  # slow to import, and for long audio only
    except ImportError as error:
        raise MissingExtraError("align", "faster-whisper") from error
    positions = _without_weights(folder).n_positions
    model = WhisperModel(str(converted(folder)), local_files_only=True, **_where(device))
    model.max_length = positions
    return model


def _where(device: Device) -> dict[str, str]:
    """CTranslate2's name of a device, and the numbers that it is to count with there."""
    if pick_device(device) == "cuda":
        return {"device": "cuda", "compute_type": "float16"}
    return {"device": "cpu", "compute_type": "float32"}


def converted(folder: Path) -> Path:
    """The same Whisper in CTranslate2's form, in the model cache under the digest of its files.

    It may answer with nothing at all: see `train.writer`.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file())
    digest = content_id(*(f"{path.name} {hash_file(path)}" for path in files))
    made = cache_folder() / "converted" / digest
    if not made.is_dir():
        to_ctranslate2(folder, made)
    _may_be_silent(made / "config.json", folder)
    return made


def _may_be_silent(config: Path, folder: Path) -> None:
    end = GenerationConfig.from_pretrained(folder, local_files_only=True).eos_token_id
    told = json.loads(config.read_text("utf-8"))
    first = [token for token in told["suppress_ids_begin"] if token != end]
    if first != told["suppress_ids_begin"]:
        with writing(config) as part:
            part.write_text(json.dumps({**told, "suppress_ids_begin": first}), "utf-8")
