"""How a head was made, or is to be: a recipe in TOML, read strictly and written back in full."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from align.fit import FitPlan
from corpus.errors import ConfigError
from corpus.workspace import read_toml

__all__ = [
    "BUILT_IN",
    "RECIPE_NAME",
    "CorpusPart",
    "HeadPart",
    "Recipe",
    "SongsPart",
    "SpeechPart",
    "dump_recipe",
    "encoder_of",
    "read_recipe",
]

RECIPE_NAME = "recipe.toml"
BUILT_IN = "whisper-ctc"
"""The head that comes with this package, as corpus.toml names it too."""

_Language = Annotated[str, Field(min_length=2, max_length=3)]
Way = Literal["slowed", "melisma"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadPart:
    """[head]: what the head is made for and of, as in `align.head.HeadConfig`.

    `encoder` is a Whisper's size, folder or hub name; no `layers` are five between
    a third of its layers and the last.  `begin` is the folder of a head that is trained on, or
    "whisper-ctc" for the one that is shipped; its layers and width then hold.  Without it a
    head begins at random.
    """

    encoder: str = "base"
    begin: str = ""
    layers: tuple[Annotated[int, Field(ge=0)], ...] = ()
    width: Annotated[int, Field(ge=2, multiple_of=2)] = 256
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    context: Literal["lstm", "convolution"] = "lstm"


@dataclass(frozen=True, slots=True, kw_only=True)
class SongsPart:
    """[[songs]]: a folder of songs that people timed.

    Songs in `leave_out` are not used at all; those in `hold_out` are not trained on,
    but judged by.  `copies` is how many more times each song is taken, at another
    tempo and pitch.
    """

    kind: Literal["ultrastar", "lrc", "textgrid"]
    folder: str
    language: _Language = "es"
    leave_out: tuple[str, ...] = ()
    hold_out: tuple[str, ...] = ()
    copies: Annotated[int, Field(ge=0)] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechPart:
    """[[speech]]: an AudioFolder of spoken sentences that are made to sing.

    `ways` are how, `beds` the levels of music below the voice in dB (from and to, or
    false for none); after so many `minutes` no more is made of a way.
    """

    folder: str
    language: _Language = "es"
    ways: tuple[Way, ...] = ("slowed", "melisma")
    beds: tuple[float, float] | Literal[False] = (-2.0, 12.0)
    minutes: Annotated[float, Field(gt=0)] = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusPart:
    """[[corpus]]: a corpus of this tool, of which the gold utterances are trained on.

    Those of recordings in `hold_out`, by their ids, are not.
    """

    folder: str
    hold_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All of a recipe; folders are relative to that of the data."""

    # The sections have no config of their own and take this one.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    head: HeadPart = field(default_factory=HeadPart)
    songs: tuple[SongsPart, ...] = ()
    speech: tuple[SpeechPart, ...] = ()
    corpus: tuple[CorpusPart, ...] = ()
    fit: FitPlan = field(default_factory=FitPlan)


def read_recipe(path: Path) -> Recipe:
    """The recipe in a TOML file.

    Raises ConfigError when it cannot be read, and on a key or a value that cannot be.
    """
    # Strict: "8" for a number is a slip, not a wish.  As JSON: from Python a strict
    # adapter takes nothing but a Recipe.
    as_json = json.dumps(read_toml(path), default=str)
    try:
        return TypeAdapter(Recipe).validate_json(as_json, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {where}: {_why(first['type'], first['msg'])}") from error


def encoder_of(folder: Path) -> str:
    """The encoder of the head in a folder, as its recipe names it; "" where there is no recipe."""
    path = folder / RECIPE_NAME
    return read_recipe(path).head.encoder if path.is_file() else ""


def _why(kind: str, message: str) -> str:
    return "unknown key" if kind == "unexpected_keyword_argument" else message.lower()


def dump_recipe(recipe: Recipe) -> str:
    """The recipe as TOML, with every value."""
    return "\n".join(_blocks(asdict(recipe)))


def _blocks(found: dict[str, Any]) -> Iterator[str]:
    for name, section in found.items():
        if isinstance(section, dict):
            yield f"[{name}]\n{_pairs(section)}"
        else:
            yield from (f"[[{name}]]\n{_pairs(part)}" for part in section)


def _pairs(section: dict[str, Any]) -> str:
    return "".join(f"{name} = {_value(value)}\n" for name, value in section.items())


def _value(value: Any) -> str:
    # JSON's strings, numbers, booleans and arrays are TOML's too, but for DEL, and for
    # characters beyond 16 bits, which JSON would escape as two.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
