"""A backup that somebody else made writes nothing outside of the folder it is restored into."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from corpus.care.backup import back_up
from corpus.care.manifest import MANIFEST, Stored, written
from corpus.care.restore import restore
from corpus.care.tarball import TarReader
from corpus.errors import BackupError
from corpus.records import Recording
from corpus.workspace import CONFIG_NAME, Workspace
from tests.corpus.kept import all_files, told

pytestmark = pytest.mark.usefixtures("unsynced")


@pytest.fixture
def backup(workspace: Workspace, cinta: Recording, tmp_path: Path) -> Path:
    """A folder as `corpus backup` makes it, of one recording."""
    assert cinta.id
    back_up(workspace, tmp_path / "b")
    return tmp_path / "b"


def put(backup: Path, data: bytes) -> tuple[str, int]:
    """Bytes into a backup, by their digest."""
    digest = hashlib.sha256(data).hexdigest()
    path = backup / "objects" / digest[:2] / digest
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return digest, len(data)


def refused(backup: Path, tmp_path: Path, says: str) -> None:
    """It cannot be restored, and nothing is there that was not before."""
    before = all_files(tmp_path)
    with pytest.raises(BackupError, match=says):
        restore(backup, tmp_path / "r")
    assert all_files(tmp_path) == before


@pytest.mark.parametrize(
    "name",
    ["../../x", "../verses", "/x", "a/b", "verses\0", "", "C:x", "Verses", "~", "a" * 99],
)
def test_a_table_is_no_path(backup: Path, tmp_path: Path, name: str) -> None:
    made = told(backup)
    tables = {**made.tables, name: made.tables["verses"]}
    (backup / MANIFEST).write_bytes(written(made.model_copy(update={"tables": tables})))
    refused(backup, tmp_path, "is damaged, or of a newer cante-corpus")


def with_rows(backup: Path, **changes: Any) -> None:
    """The backup with other recordings."""
    made = told(backup)
    table = made.tables["recordings"]
    path = backup / "objects" / table.sha256[:2] / table.sha256
    rows = [json.loads(line) | changes for line in gzip.decompress(path.read_bytes()).splitlines()]
    packed = gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())
    digest, n_bytes = put(backup, packed)
    new = table.model_copy(update={"sha256": digest, "bytes": n_bytes})
    tables = {**made.tables, "recordings": new}
    (backup / MANIFEST).write_bytes(written(made.model_copy(update={"tables": tables})))


@pytest.mark.parametrize(
    "changes",
    [
        {"suffix": "/../../../../etc/passwd"},
        {"suffix": "/.."},
        {"suffix": ".a/b"},
        {"suffix": ".wav\n"},
        {"suffix": None},
        {"id": "../../x"},
        {"id": "A" * 64},
        {"id": 5},
    ],
)
def test_a_recording_is_named_by_its_digest(
    backup: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    """By it its audio is hashed, copied and removed."""
    with_rows(backup, **changes)
    refused(backup, tmp_path, "has an id or a suffix that is none")


@pytest.mark.parametrize("suffix", ["/../x", ".a/b", "x", ".", ".\\x", ".123456789", ".wav "])
def test_a_recording_has_a_plain_suffix(suffix: str) -> None:
    with pytest.raises(ValueError, match="a recording's suffix is as in"):
        Recording(id="a" * 64, source="x", duration=1.0, suffix=suffix)


@pytest.mark.parametrize(
    "url", ["sqlite:////{out}/x.db", "sqlite:///../x.db", "sqlite:///a/../../x"]
)
def test_a_store_elsewhere_has_to_be_asked_for(backup: Path, tmp_path: Path, url: str) -> None:
    out = tmp_path / "elsewhere"
    out.mkdir()
    config = f'[store]\nurl = "{url.format(out=str(out)[1:])}"\n'.encode()
    digest, n_bytes = put(backup, config)
    made = told(backup)
    files = {**made.files, CONFIG_NAME: Stored(sha256=digest, bytes=n_bytes)}
    (backup / MANIFEST).write_bytes(written(made.model_copy(update={"files": files})))
    refused(backup, tmp_path, r"lies outside of its corpus .* say by --store where it is to be")
    assert restore(backup, tmp_path / "r", store=f"sqlite:///{out}/mine.db").damaged == ()
    assert (out / "mine.db").is_file()


# ---- one tar file


def as_tar(backup: Path, path: Path, *more: tarfile.TarInfo, without: str = "") -> Path:
    """The backup in one file, with members that `corpus backup` writes never."""
    with tarfile.open(path, "w") as tar:
        for one in more:
            tar.addfile(one)
        for file in sorted((backup / "objects").glob("*/*")):
            if file.name != without:
                tar.add(file, file.name)
        tar.add(backup / MANIFEST, MANIFEST)
    return path


def member(name: str, kind: bytes, leads_to: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, leads_to
    return made


@pytest.mark.parametrize("name", ["../../x", "/x", "a/../../x", "~/x"])
@pytest.mark.parametrize(
    ("kind", "leads_to"),
    [
        (tarfile.REGTYPE, ""),
        (tarfile.DIRTYPE, ""),
        (tarfile.SYMTYPE, "/etc/passwd"),
        (tarfile.LNKTYPE, "../../x"),
        (tarfile.CHRTYPE, ""),
        (tarfile.FIFOTYPE, ""),
    ],
)
def test_members_that_nobody_asked_for_are_left_alone(
    backup: Path, tmp_path: Path, name: str, kind: bytes, leads_to: str
) -> None:
    tar = as_tar(backup, tmp_path / "b.tar", member(name, kind, leads_to))
    restore(tar, tmp_path / "to" / "r")
    top = {path.name for path in tmp_path.iterdir()}
    assert {path.name for path in (tmp_path / "to").iterdir()} == {"r"}
    assert not any(path.is_symlink() for path in (tmp_path / "to").rglob("*"))
    assert "x" not in top


@pytest.mark.parametrize(
    ("kind", "leads_to"),
    [
        (tarfile.SYMTYPE, "/etc/hostname"),
        (tarfile.SYMTYPE, "itself"),
        (tarfile.LNKTYPE, "itself"),
        (tarfile.CHRTYPE, ""),
        (tarfile.FIFOTYPE, ""),
        (tarfile.DIRTYPE, ""),
    ],
)
def test_bytes_that_are_a_link_or_a_device_are_gone(
    backup: Path, tmp_path: Path, kind: bytes, leads_to: str
) -> None:
    digest = told(backup).tables["verses"].sha256
    asked = member(digest, kind, digest if leads_to == "itself" else leads_to)
    tar = as_tar(backup, tmp_path / "b.tar", asked, without=digest)
    refused(tar, tmp_path, f"it has no {digest}")


def test_any_damage_of_a_tar_is_one_line(backup: Path, tmp_path: Path) -> None:
    """Each byte of the first head: tarfile raises errors of several kinds."""
    path = as_tar(backup, tmp_path / "b.tar")
    whole = path.read_bytes()
    n_refused = 0
    for at in range(0, 512, 5):
        for byte in (0, 0x80, 0xFF, ord("9"), ord("L"), ord("x")):
            path.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
            try:
                with TarReader.reading(path) as tar:
                    tar.manifest()
            except BackupError:
                n_refused += 1
    assert n_refused > 100


def test_a_head_that_no_tar_has_is_one_line(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        made = tarfile.TarInfo(MANIFEST)
        made.pax_headers = {"size": "-x", "mtime": "nan", "path": "a\0b"}
        tar.addfile(made)
    (tmp_path / "b.tar").write_bytes(out.getvalue())
    with pytest.raises(BackupError, match="is no whole backup"):
        restore(tmp_path / "b.tar", tmp_path / "r")
