"""What is told of a backup beside its bytes: which rows and files are in it, with their digests."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from corpus.errors import BackupError

__all__ = ["MANIFEST", "Dumped", "Manifest", "Stored", "read", "written"]

MANIFEST = "manifest.json"

_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# It becomes the name of a file.
_Table = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,62}$")]
_Count = Annotated[int, Field(ge=0)]

_KEPT = ("corpus.toml", "pseudonyms.key", "heads", "lyrics", "media", "models", "releases")
"""What a file's path begins with; a restored corpus gets no file elsewhere."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stored(_Strict):
    """A file: its digest and size; `private` where nobody but its owner may read it.

    `mtime_ns` is when it was changed last: by that the next backup knows it again.
    """

    sha256: _Digest
    bytes: _Count
    mtime_ns: int = 0
    private: bool = False


class Dumped(_Strict):
    """A table of the store as `corpus.care.dump` writes it."""

    sha256: _Digest
    bytes: _Count
    rows: _Count


class Manifest(_Strict):
    """All of a backup; `revision` is that of the store, `missing` what was not there to copy.

    `digest` is the SHA-256 of the rest.
    """

    format: Literal[1] = 1
    made: str
    made_with: str
    corpus: str
    revision: str
    media: bool
    tables: dict[_Table, Dumped]
    files: dict[str, Stored]
    missing: tuple[str, ...] = ()
    digest: str = ""


def written(manifest: Manifest) -> bytes:
    """The manifest as it is stored, with its digest."""
    whole = manifest.model_copy(update={"digest": _digest(manifest)})
    return whole.model_dump_json(indent=1).encode() + b"\n"


def _digest(manifest: Manifest) -> str:
    bare = manifest.model_copy(update={"digest": ""})
    return hashlib.sha256(bare.model_dump_json().encode()).hexdigest()


def read(data: bytes, where: str) -> Manifest:
    """A manifest that was stored; `where` is the backup, for the message.

    Raises BackupError where it is damaged, of another form, or names files outside of a corpus.
    """
    try:
        found = Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise BackupError(
            f"{where}: {MANIFEST} is damaged, or of a newer cante-corpus ({place}: "
            f"{first['msg'].lower()})"
        ) from None
    if found.digest != _digest(found):
        raise BackupError(f"{where}: {MANIFEST} is damaged: it is not as it was written")
    for path in found.files:
        if not _inside(path):
            raise BackupError(f"{where}: {path!r} is no path in a corpus: nothing is taken from it")
    return found


def _inside(path: str) -> bool:
    parts = path.split("/")
    plain = all(part not in {"", ".", ".."} for part in parts)
    return plain and parts[0] in _KEPT and not re.search(r"[\\\x00-\x1f]", path)
