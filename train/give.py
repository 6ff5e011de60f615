"""A trained Whisper as others take it: plain safetensors, whole or by half."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

from corpus.errors import TrainError
from train.folders import making
from train.quiet import quiet
from train.runs import RESULT
from train.whisper import open_whisper, save_whisper

__all__ = ["Precision", "to_safetensors"]

Precision = Literal["float32", "float16"]

_BESIDE = (RESULT, "training.toml", "README.md")
"""What tells of the model, where it is there."""


@quiet()
def to_safetensors(model: Path, output: Path, precision: Precision = "float32") -> Path:
    """Write the Whisper in folder `model` into a folder that is not there yet.

    It holds model.safetensors, tokenizer and preprocessor_config.json, which transformers,
    CTranslate2's converter and whisper.cpp's `convert-h5-to-ggml.py` read.  Raises ModelError
    when `model` is no Whisper, TrainError when `output` is taken or the disk is full.
    """
    if output.exists():
        raise TrainError(f"{output} is there already: take another folder")
    whisper = open_whisper(model)
    if precision == "float16":
        whisper.model.half()
    with making(output) as folder:
        save_whisper(whisper, folder)
        for name in _BESIDE:
            if (model / name).is_file():
                shutil.copyfile(model / name, folder / name)
    return output
