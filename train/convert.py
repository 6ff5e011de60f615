"""A trained Whisper in the form that faster-whisper reads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Literal

from corpus.errors import ModelError, TrainError
from corpus.media import hash_file
from train.folders import making
from train.quiet import quiet

__all__ = ["Quantization", "to_ctranslate2"]

Quantization = Literal["float32", "float16", "int8"]

_SAYS = "converted.json"
_COPIED = ["tokenizer.json", "preprocessor_config.json"]


@quiet()
def to_ctranslate2(model: Path, output: Path, quantization: Quantization = "float32") -> Path:
    """Convert the Whisper in folder `model` (transformers form) into folder `output`.

    Does nothing when `output` holds this conversion already; an older one is
    replaced.  Raises ModelError when `model` is no Whisper that can be converted,
    TrainError when `output` holds something else.
    """
    made_from = _made_from(model, quantization)
    if output.exists():
        held = _held(output)
        if held == made_from:
            return output
        if held is None:
            raise TrainError(f"{output} is there and is no conversion: take another output")
        shutil.rmtree(output)
    with making(output) as folder:
        _convert(model, folder, quantization)
        (folder / _SAYS).write_text(json.dumps(made_from, indent=1), "utf-8")
    return output


def _made_from(model: Path, quantization: str) -> dict[str, str]:
    weights = sorted(model.glob("*.safetensors")) + sorted(model.glob("pytorch_model*.bin"))
    missing = [name for name in ("config.json", *_COPIED) if not (model / name).is_file()]
    if not weights or missing:
        what = missing[0] if missing else "model.safetensors"
        raise ModelError(f"{model} has no {what}: a Whisper in transformers form is needed")
    digests = {path.name: hash_file(path) for path in weights}
    return {**digests, "quantization": quantization}


def _held(output: Path) -> dict[str, str] | None:
    try:
        held: dict[str, str] = json.loads((output / _SAYS).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return held


def _convert(model: Path, folder: Path, quantization: str) -> None:
    from ctranslate2.converters import TransformersConverter

    converter = TransformersConverter(str(model), copy_files=_COPIED)
    try:
        converter.convert(str(folder), quantization=quantization, force=True)
    except (OSError, ValueError, KeyError, NotImplementedError) as error:
        reason = str(error).strip().split("\n")[0]
        raise ModelError(f"{model} cannot be converted: {reason}") from error
