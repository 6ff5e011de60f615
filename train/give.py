"""A trained Whisper as others take it: plain safetensors, whole or by half; for whisper.cpp too."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Literal

import numpy as np

from corpus.errors import TrainError
from train.folders import making
from train.quiet import quiet
from train.runs import RESULT
from train.whisper import Whisper, open_whisper, save_whisper

__all__ = ["Precision", "to_gguf_compatible", "to_safetensors"]

Precision = Literal["float32", "float16"]

_BESIDE = (RESULT, "training.toml", "README.md")
"""What tells of the model, where it is there."""


@quiet()
def to_safetensors(model: Path, output: Path, precision: Precision = "float32") -> Path:
    """Write the Whisper in folder `model` into a folder that is not there yet.

    It holds model.safetensors, tokenizer and preprocessor_config.json, which transformers and
    CTranslate2's converter read.  Raises ModelError when `model` is no Whisper, TrainError when
    `output` is taken or the disk is full.
    """
    _write(model, output, precision, for_whisper_cpp=False)
    return output


@quiet()
def to_gguf_compatible(model: Path, output: Path, precision: Precision = "float32") -> Path:
    """The same, with what whisper.cpp's `models/convert-h5-to-ggml.py` reads besides.

    No package converts to the format of whisper.cpp (ggml, of which GGUF came).  Its own script
    does, given this folder twice: as the model, and in place of OpenAI's repository, which has mel
    filters.
    """
    _write(model, output, precision, for_whisper_cpp=True)
    return output


def _write(model: Path, output: Path, precision: Precision, *, for_whisper_cpp: bool) -> None:
    if output.exists():
        raise TrainError(f"{output} is there already: take another folder")
    whisper = open_whisper(model)
    if precision == "float16":
        whisper.model.half()
    with making(output) as folder:
        save_whisper(whisper, folder)
        if for_whisper_cpp:
            _add_vocabulary(whisper, folder)
            _add_mel_filters(whisper, folder)
        for name in _BESIDE:
            if (model / name).is_file():
                shutil.copyfile(model / name, folder / name)


def _add_vocabulary(whisper: Whisper, folder: Path) -> None:
    """Words and control tokens apart, as tokenizers before transformers 5 were saved."""
    tokens = sorted(whisper.tokenizer.get_vocab().items(), key=lambda pair: pair[1])
    last_word = whisper.vocabulary_end
    for name, found in (
        ("vocab.json", {token: n for token, n in tokens if n <= last_word}),
        ("added_tokens.json", {token: n for token, n in tokens if n > last_word}),
    ):
        (folder / name).write_text(json.dumps(found, ensure_ascii=False), "utf-8")


def _add_mel_filters(whisper: Whisper, folder: Path) -> None:
    """Where OpenAI's repository has them: (bands, frequencies), named by their number of bands."""
    filters = np.asarray(whisper.extractor.mel_filters, dtype=np.float32).T
    assets = folder / "whisper" / "assets"
    assets.mkdir(parents=True)
    arrays = {f"mel_{len(filters)}": filters}
    with (assets / "mel_filters.npz").open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
