"""Splits of a published dataset: rows without sound at hand at once, sound one row at a time.

Reading the sound from its bytes needs neither torchcodec nor memory for more
than one utterance.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import soundfile
from numpy.typing import NDArray

from corpus.errors import MediaError, TrainError
from corpus.media import SAMPLE_RATE, decoded_copy
from corpus.records import Kind, content_id
from corpus.text import fold

__all__ = [
    "Progress",
    "Row",
    "Split",
    "open_column",
    "open_some",
    "open_splits",
    "open_stream",
    "read_sound",
]

_DRAWN_FROM = 4  # rows held, of which one is drawn, for each that is wanted

Progress = Callable[[str, int, int], None]
"""Told the stage, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a row says beside its sound; "" or None where the dataset has no such column.

    `marks` are pairs of a mark's name and its points, 0 to 2, as people or measures gave them.
    """

    number: int
    text: str
    kind: str = ""
    recording: str = ""
    start: float = 0.0
    palo: str = ""
    singer: str = ""
    # What judging asks and training does not is no part of a training set's digest.
    id: str = field(default="", repr=False)
    end: float = field(default=0.0, repr=False)
    sex: str = field(default="", repr=False)
    region: str = field(default="", repr=False)
    tier: str = field(default="", repr=False)
    year: int | None = field(default=None, repr=False)
    quejio_share: float | None = field(default=None, repr=False)
    culture_share: float | None = field(default=None, repr=False)
    marks: tuple[tuple[str, int], ...] = field(default=(), repr=False)

    @property
    def nothing_sung(self) -> bool:
        """Whether there is nothing to be written of it."""
        return self.kind in (Kind.FALSETA.value, Kind.NOTHING.value)


class Split:
    """One split of a dataset, its sound left undecoded until a row is asked for."""

    def __init__(self, name: str, rows: Any) -> None:
        self.name = name
        self._rows = rows.remove_columns("audio")
        self._audio = rows.select_columns("audio")

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self) -> Iterator[Row]:
        """Every row, in order."""
        for number, cells in enumerate(self._rows):
            yield _row(number, cells)

    def sound(self, number: int) -> NDArray[np.float32]:
        """The samples of one row, 16 kHz mono, shape (n,); raises MediaError when unreadable."""
        return read_sound(self.cell(number))

    def cell(self, number: int) -> Mapping[str, Any]:
        """The undecoded sound of one row, as `read_sound` takes it."""
        cell: Mapping[str, Any] = self._audio[number]["audio"]
        return cell

    def digest(self) -> str:
        """The SHA-256 of what its rows say, sound left out: tells one training set from another."""
        digest = hashlib.sha256()
        for row in self.rows():
            digest.update(repr(row).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def values(self, column: str) -> set[str]:
        """What stands in a column, folded, what is not known left out; a column may be missing."""
        if column not in self._rows.column_names:
            return set()
        return {fold(str(value)) for value in self._rows.unique(column) if value} - {""}

    def sources(self) -> set[str]:
        """What it was made from: masters or recordings; the digests of its sound if unnamed."""
        for column in ("master", "recording"):
            if column in self._rows.column_names:
                return {str(name) for name in self._rows.unique(column) if name is not None}
        return {_digest(cells["audio"]) for cells in self._audio}


_TEXTS = ("kind", "recording", "palo", "singer", "id", "sex", "region", "tier")
_NUMBERS = ("year", "quejio_share", "culture_share")


def _row(number: int, cells: Mapping[str, Any]) -> Row:
    told: dict[str, Any] = {
        name: str(cells[name]) for name in _TEXTS if cells.get(name) is not None
    }
    told |= {name: cells[name] for name in _NUMBERS if cells.get(name) is not None}
    return Row(
        number=number,
        text=" ".join(str(cells["text"] or "").split()),
        start=float(cells.get("start") or 0.0),
        end=float(cells.get("end") or 0.0),
        marks=tuple((one["name"], one["points"]) for one in cells.get("marks") or ()),
        **told,
    )


def _digest(cell: Mapping[str, Any]) -> str:
    data = cell["bytes"]
    if data is None:
        path = Path(cell["path"])
        data = path.read_bytes() if path.is_file() else str(path).encode()
    return hashlib.sha256(data).hexdigest()


def open_splits(dataset: str | Path) -> dict[str, Split]:
    """The splits of a dataset: a folder, or a name at the hub, that `load_dataset` opens.

    Raises TrainError when there is none, or one without the columns audio and text.
    """
    from datasets import Audio, disable_progress_bars, load_dataset
    from datasets.exceptions import DatasetsError

    disable_progress_bars()  # progress is told by callback
    try:
        found = load_dataset(str(dataset), cache_dir=_cache_of(Path(dataset)))
    except (DatasetsError, OSError, ValueError) as error:
        raise TrainError(
            f"{dataset} cannot be opened as a dataset: {_first_line(error)}"
        ) from error
    splits = {}
    for name, rows in found.items():
        _check_columns(dataset, rows)
        splits[name] = Split(name, rows.cast_column("audio", Audio(decode=False)))
    return splits


def open_some(dataset: str | Path, name: str, n: int, *, seed: int) -> Split | None:
    """Up to `n` rows of a split, read as a stream and held; None where there is no such split.

    They are drawn from the beginnings of its files.  Raises TrainError as `open_splits` does.
    """
    from datasets import Audio, Dataset

    splits = _streamed(dataset)
    if name not in splits:
        return None
    rows = splits[name].cast_column("audio", Audio(decode=False))
    drawn = list(rows.shuffle(seed=seed, buffer_size=_DRAWN_FROM * n).take(n))
    return Split(name, Dataset.from_list(drawn)) if drawn else None


def open_column(dataset: str | Path, column: str) -> dict[str, Iterable[Any]] | None:
    """What stands in a column of each split, read as a stream without the sound.

    None where a split has no such column, or the dataset is of a form whose columns cannot be read
    alone.  Raises TrainError as `open_splits` does.
    """
    splits = _streamed(dataset)
    if any(column not in (rows.column_names or ()) for rows in splits.values()):
        return None
    try:
        alone = _streamed(dataset, columns=[column])
    except TypeError:  # of Parquet only
        return None
    return {name: (cells[column] for cells in rows) for name, rows in alone.items()}


def _streamed(dataset: str | Path, **how: Any) -> Mapping[str, Any]:
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError

    try:
        splits: Mapping[str, Any] = load_dataset(str(dataset), streaming=True, **how)
    except (DatasetsError, OSError, ValueError) as error:
        raise _no_stream(dataset, error) from error
    if not how:
        for rows in splits.values():
            _check_columns(dataset, rows)
    return splits


def _no_stream(dataset: str | Path, error: Exception) -> TrainError:
    return TrainError(f"{dataset} cannot be read as a stream: {_first_line(error)}")


def open_stream(dataset: str | Path, *, seed: int) -> Iterator[tuple[Row, Mapping[str, Any]]]:
    """The rows of the split train with their undecoded sound, read as they are asked for.

    The files of the dataset come in an order of their own for each seed, the rows of a file as they
    stand.  Raises TrainError as `open_splits` does.
    """
    from datasets import Audio
    from datasets.exceptions import DatasetsError

    splits = _streamed(dataset)
    if "train" not in splits:
        raise TrainError(f"{dataset} has no split 'train' (it has {', '.join(splits)})")
    rows = splits["train"].cast_column("audio", Audio(decode=False))
    try:
        for number, cells in enumerate(rows.shuffle(seed=seed, buffer_size=1)):
            yield _row(number, cells), cells["audio"]
    except (DatasetsError, OSError, ValueError) as error:
        raise _no_stream(dataset, error) from error


def _cache_of(folder: Path) -> str | None:
    """Where `datasets` keeps what it read of a local folder: a place for each state of each folder.

    By itself it takes two folders of one name for the same where their cards list
    `configs`, and does not see that the files have changed (datasets 5.0).
    """
    from datasets import config

    if not folder.is_dir():
        return None
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    stats = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return str(Path(config.HF_DATASETS_CACHE) / f"cante-{content_id(repr(stats))}")


def _check_columns(dataset: str | Path, rows: Any) -> None:
    missing = [name for name in ("audio", "text") if name not in rows.column_names]
    if missing:
        raise TrainError(
            f"{dataset} has no column '{missing[0]}' (it has {', '.join(rows.column_names)}): "
            "audio and text are needed"
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]


def read_sound(cell: Mapping[str, Any]) -> NDArray[np.float32]:
    """The samples of an undecoded audio cell ({bytes, path}), 16 kHz mono, shape (n,).

    What is of another rate, or of a format that libsndfile does not know, is
    decoded by FFmpeg.  Raises MediaError when it cannot be read, or is cut short.
    """
    data, path = cell["bytes"], cell["path"]
    if data is None and path is None:
        raise MediaError("a row without audio")
    try:
        opened = soundfile.SoundFile(io.BytesIO(data) if data is not None else path)
    except (soundfile.LibsndfileError, OSError):
        return _by_ffmpeg(data, path)
    with opened:
        if opened.samplerate != SAMPLE_RATE:
            return _by_ffmpeg(data, path)
        return _all_samples(opened)


def _all_samples(opened: soundfile.SoundFile) -> NDArray[np.float32]:
    announced = opened.frames
    try:
        found = opened.read(dtype="float32", always_2d=True).mean(axis=1)
    except soundfile.LibsndfileError as error:
        raise MediaError(f"damaged audio: {error}") from error
    if len(found) < announced or not np.isfinite(found).all():
        raise MediaError("damaged audio: it is cut short or holds values that are no numbers")
    return cast("NDArray[np.float32]", found)


def _by_ffmpeg(data: bytes | None, path: str | None) -> NDArray[np.float32]:
    with tempfile.TemporaryDirectory(prefix="cante-") as folder:
        source = Path(folder) / "audio" if data is not None else Path(str(path))
        if data is not None:
            source.write_bytes(data)
        with decoded_copy(source) as samples:
            return samples.read(0, samples.n_samples)
