from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from corpus.care.backup import back_up
from corpus.care.mend import mend
from corpus.care.verify import verify
from corpus.errors import BackupError, DiskFullError
from corpus.records import Recording
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.kept import TRACK, all_files, flip, old, spoil, take_flac, take_in

pytestmark = pytest.mark.usefixtures("unsynced")


def lose(workspace: Workspace, one: Recording) -> None:
    """All audio of a side and its track."""
    workspace.media.original(one.id, ".wav").unlink()
    flip(workspace.media.flac(one.id), 9_000)
    workspace.media.flac(TRACK).unlink()


def test_audio_comes_back_from_what_was_collected(
    cli: Cli, workspace: Workspace, cinta: Recording
) -> None:
    before = workspace.media.flac(cinta.id).read_bytes()
    lose(workspace, cinta)
    ran = cli("verify", "--mend")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "verify: 2 recordings, 3 files, 3 mended, 0 wrong\n"
    assert verify(workspace).problems == ()
    assert workspace.media.flac(cinta.id).read_bytes() == before


@pytest.mark.parametrize("name", ["b", "b.tar"])
def test_audio_comes_back_from_a_backup(
    cli: Cli, workspace: Workspace, cinta: Recording, tmp_path: Path, name: str
) -> None:
    back_up(workspace, tmp_path / name)
    before = all_files(workspace.media.root)
    lose(workspace, cinta)
    # What was collected is another file by now.
    Path(cinta.source).write_bytes(b"another")
    ran = cli("verify", "--mend", "--json")
    assert (ran.code, len(ran.json["problems"])) == (1, 3)
    assert cli("verify", "--mend", "--backup", tmp_path / name).code == 0
    assert all_files(workspace.media.root) == before


def test_a_damaged_backup_mends_nothing(
    workspace: Workspace, cinta: Recording, tmp_path: Path
) -> None:
    back_up(workspace, tmp_path / "b")
    lose(workspace, cinta)
    Path(cinta.source).unlink()
    for path in (tmp_path / "b" / "objects").glob("*/*"):
        flip(path)
    found = verify(workspace).problems
    assert set(mend(workspace, found, tmp_path / "b")) == set(found)
    assert not workspace.media.original(cinta.id, ".wav").exists()
    (tmp_path / "b" / "manifest.json").unlink()
    with pytest.raises(BackupError, match="no whole backup"):
        mend(workspace, found, tmp_path / "b")


def test_what_is_not_audio_is_left(workspace: Workspace, cinta: Recording) -> None:
    spoil(workspace, "DELETE FROM releases")
    stray = old(take_flac(workspace, "0" * 64))
    take_in(workspace, "otra", 330.0)
    found = verify(workspace).problems
    assert mend(workspace, found) == list(found)
    assert stray.is_file()
    assert cinta.id


def test_no_room_to_mend(
    workspace: Workspace, cinta: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    lose(workspace, cinta)
    monkeypatch.setattr("corpus.care.mend.copied", full)
    with pytest.raises(DiskFullError):
        mend(workspace, verify(workspace).problems)


def test_a_source_that_is_a_link_is_no_file(workspace: Workspace, cinta: Recording) -> None:
    with workspace.store.transaction() as transaction:
        transaction.save([replace(cinta, source="https://example.org/" + "a" * 5000)])
    workspace.media.original(cinta.id, ".wav").unlink()
    found = verify(workspace).problems
    assert mend(workspace, found) == list(found)
