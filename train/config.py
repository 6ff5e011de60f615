"""What a training run is asked to do: one frozen object, read from TOML, saved beside the model."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import TypeAdapter, ValidationError

from corpus.errors import ConfigError
from corpus.workspace import read_toml, unknown_key

__all__ = ["PRECISIONS", "Device", "Precision", "TrainConfig", "dump_toml", "load_toml", "presets"]

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

_FULL_RATE = 2e-5
_LORA_RATE = 5e-4
_COUNTS = (
    "epochs",
    "max_steps",
    "batch_size",
    "gradient_accumulation",
    "rank",
    "check_utterances",
    "patience",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """Settings of one run; raises ConfigError when made of values that cannot be.

    `minutes` is the wall-clock time that the whole run may take, loading and interrupted tries
    included; None for no limit.  `max_steps` ends it earlier than `epochs` does.  `warmup` is the
    share of the run in which the learning rate rises; a `learning_rate` of None is 2e-5, or 5e-4
    with LoRA.

    What is heard: `packing` lays utterances together into windows of 30 s, `without_timestamps` is
    the share of windows labelled with text alone, `augment` the share of utterances whose sound is
    changed (speed, level, band, hiss, music below).  `general` names a dataset of speech of which
    the model shall not forget how to write it; it is judged before and after, and its training
    split makes up the share `replay` of what is heard.

    How it is watched: `checks` times in the run WER is measured on up to `check_utterances` of the
    split validation, and the best model is kept; after `patience` checks without a better one the
    run ends.  `save_minutes` lie between two checkpoints; 0 saves after every step.  `log_to` is
    what transformers calls `report_to`: "tensorboard", "wandb", "none" ...

    `precision` "auto" is bfloat16 where the chip multiplies in it.  `streaming` reads a dataset
    while it trains, without counting it first; it needs `max_steps`.
    """

    output: str
    model: str = "base"
    epochs: int = 8
    max_steps: int | None = None
    minutes: float | None = None
    batch_size: int = 4
    gradient_accumulation: int = 1
    gradient_checkpointing: bool = False
    precision: Precision = "auto"
    learning_rate: float | None = None
    warmup: float = 0.1
    lora: bool = False
    rank: int = 16
    packing: bool = True
    spec_augment: bool = True
    augment: float = 0.0
    without_timestamps: float = 0.2
    general: str | None = None
    replay: float = 0.0
    checks: int = 4
    check_utterances: int = 100
    patience: int | None = None
    streaming: bool = False
    seed: int = 0
    language: str = "es"
    task: Literal["transcribe", "translate"] = "transcribe"
    device: Device = "auto"
    save_minutes: float = 10.0
    log_to: str = "tensorboard"

    def __post_init__(self) -> None:
        for name in _COUNTS:
            value = getattr(self, name)
            _require(self, name, value is None or value >= 1, "1 or more")
        for name in ("minutes", "learning_rate"):
            value = getattr(self, name)
            _require(self, name, value is None or 0 < value < math.inf, "a number above 0")
        for name in ("augment", "without_timestamps"):
            _require(self, name, 0 <= getattr(self, name) <= 1, "from 0 to 1")
        for name in ("warmup", "replay"):
            _require(self, name, 0 <= getattr(self, name) < 1, "from 0 to below 1")
        _require(self, "save_minutes", 0 <= self.save_minutes < math.inf, "0 or more")
        for name in ("seed", "checks"):
            _require(self, name, getattr(self, name) >= 0, "0 or more")
        for name, kind in (("device", Device), ("precision", Precision)):
            _require(self, name, getattr(self, name) in get_args(kind), f"one of {get_args(kind)}")
        _require(
            self, "replay", not self.replay or bool(self.general), "0, or name a `general` set"
        )
        _require(self, "streaming", not self.streaming or bool(self.max_steps), "`max_steps` too")

    @property
    def peak_rate(self) -> float:
        """The highest learning rate of the run."""
        if self.learning_rate is not None:
            return self.learning_rate
        return _LORA_RATE if self.lora else _FULL_RATE


def _require(config: TrainConfig, name: str, holds: bool, wanted: str) -> None:
    if not holds:
        raise ConfigError(f"training: {name} = {getattr(config, name)} cannot be: take {wanted}")


def presets() -> dict[str, Path]:
    """The settings that come with this package, by name."""
    found = Path(__file__).with_name("presets").glob("*.toml")
    return {path.stem: path for path in sorted(found)}


def load_toml(path: Path, **chosen: Any) -> TrainConfig:
    """The settings of a TOML file; `chosen` ones stand above those of the file.

    Raises ConfigError when the file cannot be read, on an unknown key, and on a
    value of the wrong type or out of range.
    """
    found = read_toml(path) | chosen
    known = [field.name for field in fields(TrainConfig)]
    for key in found:
        if key not in known:
            raise ConfigError(f"{path}: {unknown_key(key, known)}")
    # Strict: "8" for a number is a slip, not a wish.  As JSON: from Python a strict
    # adapter takes nothing but a TrainConfig.
    as_json = json.dumps(found, default=str)
    try:
        return TypeAdapter(TrainConfig).validate_json(as_json, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = first["loc"][0] if first["loc"] else ""
        raise ConfigError(f"{path}: {where}: {first['msg']}") from error


def dump_toml(config: TrainConfig) -> str:
    """The settings as TOML; those that are None are left out, which is what they mean."""
    found = {name: value for name, value in asdict(config).items() if value is not None}
    return "".join(f"{name} = {_toml_value(value)}\n" for name, value in found.items())


def _toml_value(value: str | float | bool) -> str:
    # JSON's strings, numbers and booleans are TOML's too, but for DEL, and for
    # characters beyond 16 bits, which JSON would escape as two.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
