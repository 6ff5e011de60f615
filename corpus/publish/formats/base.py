"""What a format is: it writes the rows of one split as another toolkit reads them."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol

import soundfile

from corpus.errors import PublishError

__all__ = [
    "METADATA",
    "Clip",
    "Format",
    "Part",
    "Row",
    "as_line",
    "checked_name",
    "clip_of",
    "kept",
    "rest_of",
    "write_line",
]

METADATA = "metadata.jsonl"
"""What a format has no place for, one object a row."""

Row = Mapping[str, Any]
"""A row of a release, by the columns of `corpus.publish.columns`."""

_NAME = re.compile(r"[\w-]{1,64}", re.ASCII)
_SUFFIXES = (".flac", ".opus")

_RENAMED = {"start": "recording_start", "end": "recording_end"}
"""In a clip, "start" would be taken for a place in the clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The rows of one split, read as they are asked for, and the language that is sung.

    `schema` is that of the rows in the release, a `pyarrow.Schema`.
    """

    split: str
    rows: Iterable[Row]
    schema: Any
    language: str = ""


class Format(Protocol):
    """One format.  A module of corpus/publish/formats with an object `exporter` is found by itself.

    `needs_sound` tells whether it makes nothing of rows that have none.
    """

    name: str
    needs_sound: bool

    def write(self, part: Part, folder: Path, at: Path) -> None:
        """Write a split into `folder`, which will lie at the absolute path `at` in the end.

        Rows come in the order of recording and time.  Raises PublishError for a row that cannot
        be, OSError where the disk refuses.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """The sound of a row as it is in the release; `suffix` is ".flac" or ".opus"."""

    name: str
    data: bytes
    suffix: str
    n_samples: int
    sampling_rate: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.n_samples / self.sampling_rate


def checked_name(row: Row, column: str = "id") -> str:
    """An id that becomes a file's name or an archive's key; PublishError where it cannot."""
    name = row[column]
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise PublishError(
            f"a row has the {column} {name!r}, which is no id: make the release anew"
        )
    return name


def clip_of(row: Row) -> Clip:
    """The sound of a row, of which only the header is read; PublishError where there is none."""
    name, audio = checked_name(row), row["audio"] or {}
    data, suffix = audio.get("bytes"), PurePosixPath(audio.get("path") or "").suffix
    if not data:
        raise PublishError(f"row {name} has no sound: `corpus rebuild` first")
    try:
        info = soundfile.info(io.BytesIO(data))
    except soundfile.LibsndfileError as error:
        raise PublishError(f"the sound of row {name} is damaged: get the release again") from error
    if suffix not in _SUFFIXES or info.frames <= 0:
        raise PublishError(f"row {name} has no sound that is known: FLAC and Opus are")
    return Clip(
        name=name,
        data=data,
        suffix=suffix,
        n_samples=info.frames,
        sampling_rate=info.samplerate,
    )


def kept(clip: Clip, folder: Path, below: str) -> str:
    """Write a clip below `folder`; gives its path there.  No folder holds too many files."""
    path = f"{below}/{clip.name[:2]}/{clip.name}{clip.suffix}"
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(clip.data)
    return path


def rest_of(row: Row, *said: str) -> dict[str, Any]:
    """What else a row says, as JSON can hold it: without its sound and the columns `said`.

    Times in the recording are `recording_start` and `recording_end`; bytes are in base 64.
    """
    return {
        _RENAMED.get(column, column): _plain(value)
        for column, value in row.items()
        if column != "audio" and column not in said
    }


def _plain(value: Any) -> Any:
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value


def as_line(value: Mapping[str, Any]) -> str:
    """An object as one line of JSON."""
    return f"{json.dumps(value, ensure_ascii=False)}\n"


def write_line(file: IO[str], **values: Any) -> None:
    """One line of JSON."""
    file.write(as_line(values))
