from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from corpus.care.backup import back_up
from corpus.care.manifest import MANIFEST
from corpus.care.restore import restore
from corpus.errors import BackupError, CanteError, DiskFullError
from corpus.records import Recording
from corpus.workspace import CONFIG_NAME, Workspace
from tests.conftest import Cli
from tests.corpus.kept import (
    all_rows,
    objects,
    opened,
    take_in,
    unlike,
)
from tests.corpus.made import recording

pytestmark = pytest.mark.usefixtures("unsynced")


@pytest.mark.parametrize("where", ["objects", "manifest", "tar"])
def test_no_room_is_one_line_and_the_backup_before_stays(
    workspace: Workspace, cinta: Recording, tmp_path: Path, where: str
) -> None:
    target = tmp_path / ("b.tar" if where == "tar" else "b")
    back_up(workspace, target)
    before = target.read_bytes() if where == "tar" else (target / MANIFEST).read_bytes()
    take_in(workspace, "otra", 330.0)
    # Objects: 40,000 bytes of a FLAC; the manifest is longer than any table.
    limit = {"objects": 40_000, "manifest": 1_000, "tar": 60_000}[where]
    if where == "manifest":
        back_up(workspace, tmp_path / "b")
        before = (target / MANIFEST).read_bytes()
    script = (
        "import resource, sys\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"sys.argv = ['corpus', 'backup', {str(target)!r}]\n"
        "from corpus.cli import main; main()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=workspace.root,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1), ran.stderr
    assert "no room left" in ran.stderr
    after = target.read_bytes() if where == "tar" else (target / MANIFEST).read_bytes()
    assert after == before
    assert restore(target, tmp_path / "r").damaged == ()
    assert cinta.id


def test_no_room_for_rows(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with workspace.store.transaction() as transaction:
        transaction.save([recording("a")])
    monkeypatch.setattr("corpus.care.dump.json.dumps", full)
    with pytest.raises(DiskFullError, match="no room left"):
        back_up(workspace, tmp_path / "b")
    with pytest.raises(BackupError, match="no whole backup"):
        restore(tmp_path / "b", tmp_path / "r")


def test_a_place_where_nothing_can_be_written(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for name in ("file/b", "file/b.tar"):
        with pytest.raises(BackupError, match="cannot be written"):
            back_up(workspace, tmp_path / name)


# ---- killed

KILLED = """
import os, signal, sys
from pathlib import Path
from corpus.care import backup
from corpus.care.shelf import FolderShelf
from corpus.care.tarball import TarShelf
from corpus.workspace import Workspace

at, left = sys.argv[1], [int(sys.argv[2])]
def dies(shelf, name):
    plain = getattr(shelf, name)
    def run(*arguments, **options):
        if not left[0]:
            if name == "put" and shelf is FolderShelf:
                # In the middle of a file.
                (arguments[0].root / "objects" / "ab").mkdir(parents=True, exist_ok=True)
                (arguments[0].root / "objects" / "ab" / ".part-x").write_bytes(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return plain(*arguments, **options)
    setattr(shelf, name, run)
for shelf in (FolderShelf, TarShelf):
    dies(shelf, at)
backup.back_up(Workspace.open(Path()), Path(sys.argv[3]))
"""


@pytest.mark.parametrize(
    ("name", "at", "n"),
    [
        *(("b", "put", n) for n in (0, 17, 22)),
        *(("b", "finish", 0), ("b.tar", "put", 17), ("b.tar", "finish", 0)),
    ],
)
def test_killed_anywhere_the_same_command_carries_on(
    cinta: Recording, workspace: Workspace, tmp_path: Path, name: str, at: str, n: int
) -> None:
    target = tmp_path / name
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, at, str(n), str(target)],
        cwd=workspace.root,
        capture_output=True,
        check=False,
    )
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    with pytest.raises(CanteError, match=r"no whole backup|is no backup"):
        restore(target, tmp_path / "r")
    copied = objects(target) if name == "b" else {}
    copied.pop(".part-x", None)
    back_up(workspace, target)
    if name == "b":
        # What had been copied is the same on the disk.
        assert copied.items() <= objects(target).items()
    assert [path.name for path in tmp_path.glob(".*")] == []
    if name == "b":
        assert {path.name for path in target.iterdir()} == {".lock", MANIFEST, "objects"}
        assert not list(target.rglob(".part-*"))
    assert restore(target, tmp_path / "r").damaged == ()
    opened(tmp_path / "r", lambda restored: unlike(restored, all_rows(workspace.store)))
    assert cinta.id


def test_killed_over_an_older_one_that_stays_whole(
    workspace: Workspace, cinta: Recording, tmp_path: Path
) -> None:
    back_up(workspace, tmp_path / "b")
    before = all_rows(workspace.store)
    take_in(workspace, "otra", 330.0)
    (workspace.root / CONFIG_NAME).write_text('[corpus]\nname = "otro"\n', "utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, "finish", "0", str(tmp_path / "b")],
        cwd=workspace.root,
        capture_output=True,
        check=False,
    )
    assert ran.returncode == -signal.SIGKILL
    assert restore(tmp_path / "b", tmp_path / "r").damaged == ()
    opened(tmp_path / "r", lambda restored: unlike(restored, before))
    assert 'name = "cante"' in (tmp_path / "r" / CONFIG_NAME).read_text("utf-8")
    assert cinta.id


def test_one_at_a_time(cli: Cli, workspace: Workspace, tmp_path: Path) -> None:
    assert back_up(workspace, tmp_path / "b").n_files == 1
    (tmp_path / ".b.tar.making").mkdir()
    for lock, name in ((tmp_path / "b", "b"), (tmp_path / ".b.tar.making", "b.tar")):
        with FileLock(lock / ".lock"):
            ran = cli("backup", tmp_path / name)
            assert (ran.code, ran.err.count("\n")) == (1, 1)
            assert "another backup is being made there" in ran.err
        assert cli("backup", tmp_path / name).code == 0
