"""The folder of a release, as it lies on a disk: made whole or not at all, and read again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from corpus import whole
from corpus.errors import PublishError
from corpus.media import hash_file
from corpus.run import n_cores

__all__ = [
    "CARD",
    "MANIFEST",
    "File",
    "Manifest",
    "check_free",
    "data_files",
    "files_of",
    "making",
    "read_manifest",
    "rows_of",
    "split_of",
    "write_manifest",
]

CARD, MANIFEST = "README.md", "manifest.json"

_READ = 1000
"""Rows that are in memory together, sound left out."""


class File(BaseModel):
    """One file of a release."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    bytes: int


class Manifest(BaseModel):
    """What is told of a release beside its rows: all that its card is made from.

    `codec` is "" where it has no sound; `not_compared` are recordings of which nobody looked for
    copies among the others, or could; `wanted`, `shares` and `fixed_test` are what was asked,
    `fixed_test_gone` rows of that test set that are not here, `follows` the release that this one
    is without what had to be withdrawn, `agreement` how far people agreed who heard the same.
    """

    model_config = ConfigDict(frozen=True)

    format: int = 1
    name: str
    made: str
    made_with: dict[str, str] = {}
    corpus: str = ""
    language: str = ""
    palos: tuple[str, ...] = ()
    license: str = ""
    contact: str = ""
    citation: str = ""
    codec: str = ""
    shares: dict[str, float] = {}
    wanted: dict[str, Any] = {}
    fixed_test: str = ""
    fixed_test_gone: int = 0
    follows: str = ""
    rows: dict[str, int] = {}
    hours: dict[str, float] = {}
    left_out: dict[str, int] = {}
    set_aside: dict[str, int] = {}
    not_compared: int = 0
    withdrawn: dict[str, int] = {}
    agreement: dict[str, Any] = {}
    files: dict[str, File] = {}


def check_free(folder: Path) -> None:
    """Raise PublishError where something lies in a folder that is to be made."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise PublishError(f"{folder} is taken: a release is not overwritten, name another folder")


@contextlib.contextmanager
def making(folder: Path) -> Iterator[Path]:
    """A folder to write into; it becomes `folder` at the end of the block, and else goes.

    Raises PublishError where `folder` is taken or cannot be written.
    """
    check_free(folder)
    try:
        with whole.making(folder) as scratch:
            # Somebody else may have made it, and was waited for.
            check_free(folder)
            yield scratch
    except OSError as error:
        raise PublishError(whole.refusal(error, folder)) from error


def files_of(folder: Path) -> dict[str, File]:
    """Each file by its path in the folder; the manifest left out."""
    everything = sorted(path for path in folder.rglob("*") if path.is_file())
    paths = [path for path in everything if path != folder / MANIFEST]
    with ThreadPoolExecutor(n_cores()) as pool:
        return {
            path.relative_to(folder).as_posix(): File(sha256=digest, bytes=path.stat().st_size)
            for path, digest in zip(paths, pool.map(hash_file, paths), strict=True)
        }


def write_manifest(folder: Path, told: Manifest) -> None:
    """Write what is told of a release, and the digests of its files, which are all there."""
    whole = told.model_copy(update={"files": files_of(folder)})
    (folder / MANIFEST).write_text(f"{whole.model_dump_json(indent=1)}\n", "utf-8")


def read_manifest(folder: Path) -> Manifest:
    """What is told of a release; raises PublishError where it is none, or damaged."""
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise PublishError(
            f"{folder} is no release: it has no {MANIFEST}; `corpus release` makes one"
        ) from None
    except OSError as error:
        raise PublishError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise PublishError(
            f"{path} is damaged ({where}: {first['msg'].lower()}): get the release again"
        ) from None


def data_files(folder: Path) -> list[Path]:
    """The files with rows, in order."""
    return sorted((folder / "data").glob("*.parquet"))


def split_of(file: Path) -> str:
    """The split that a file of rows belongs to."""
    return file.name.partition("-")[0]


def rows_of(file: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Some columns of the rows of a file, in order.

    Raises PublishError where it cannot be read, or has no such column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as opened:
            if missing := set(columns) - set(opened.schema_arrow.names):
                raise PublishError(f"{file} has no column {min(missing)}: make the release anew")
            for batch in opened.iter_batches(_READ, columns=list(columns)):
                yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise PublishError(f"{file} cannot be read: {error}") from error
