from __future__ import annotations

import re
from pathlib import Path

import pytest

from corpus.care.backup import back_up
from corpus.care.restore import restore
from corpus.care.verify import verify
from corpus.errors import UsageError
from corpus.media import hash_file
from corpus.purge import chosen, purge
from corpus.records import Recording
from corpus.workspace import CONFIG_NAME, Workspace
from tests.conftest import Cli
from tests.corpus.kept import (
    LEFT,
    all_files,
    all_rows,
    flip,
    objects,
    opened,
    take_in,
    told,
    unlike,
)
from tests.corpus.made import recording

pytestmark = pytest.mark.usefixtures("unsynced")


# ---- there and back


@pytest.mark.parametrize("name", ["b", "b.tar", "con espacios 💃"])
def test_a_corpus_comes_back_as_it_was(
    workspace: Workspace, cinta: Recording, tmp_path: Path, name: str
) -> None:
    target, folder = tmp_path / name, tmp_path / "new" / "deep"
    made = back_up(workspace, target)
    assert (made.missing, made.left_out) == ((), ("notes.txt",))
    assert all(made.rows.values())
    done = restore(target, folder)
    assert (done.damaged, done.missing, done.rows) == ((), (), made.rows)
    before = all_files(workspace.root)
    assert set(before) - set(all_files(folder)) == set(LEFT)
    assert all(before[name] == data for name, data in all_files(folder).items())
    assert (folder / "pseudonyms.key").stat().st_mode & 0o777 == 0o600

    def same(restored: Workspace) -> None:
        assert all_rows(restored.store) == all_rows(workspace.store)
        assert restored.store.recording(cinta.id) == cinta
        assert verify(restored).problems == ()

    opened(folder, same)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["deep"]


def test_a_backup_is_for_its_owner_only(workspace: Workspace, tmp_path: Path) -> None:
    back_up(workspace, tmp_path / "b")
    back_up(workspace, tmp_path / "b.tar")
    assert (tmp_path / "b").stat().st_mode & 0o077 == 0
    assert (tmp_path / "b.tar").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_an_empty_corpus_comes_back(workspace: Workspace, tmp_path: Path) -> None:
    assert sum(back_up(workspace, tmp_path / "b").rows.values()) == 0
    (tmp_path / "r").mkdir()
    assert restore(tmp_path / "b", tmp_path / "r").n_files == 1
    opened(tmp_path / "r", lambda restored: unlike(restored, all_rows(workspace.store)))


def test_only_what_is_new_is_copied(workspace: Workspace, cinta: Recording, tmp_path: Path) -> None:
    first = back_up(workspace, tmp_path / "b")
    before = objects(tmp_path / "b")
    assert first.new_files == len(before)
    again = back_up(workspace, tmp_path / "b")
    assert (again.new_files, again.new_bytes, objects(tmp_path / "b")) == (0, 0, before)
    take_in(workspace, "otra", 330.0)
    more = back_up(workspace, tmp_path / "b")
    # Its original, its FLAC, and the table of recordings, in place of the one before.
    assert more.new_files == 3
    assert len(objects(tmp_path / "b")) == len(before) + 2
    assert cinta.id in objects(tmp_path / "b")


def test_what_is_there_is_not_read_again(
    workspace: Workspace, cinta: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(workspace, tmp_path / "b")
    seen: list[Path] = []

    def hashed(path: Path) -> str:
        seen.append(path)
        return hash_file(path)

    monkeypatch.setattr("corpus.care.backup.hash_file", hashed)
    back_up(workspace, tmp_path / "b")
    assert {path.parent.name for path in seen} == {".making"}
    assert cinta.id in objects(tmp_path / "b")


def test_a_restored_corpus_goes_on_with_its_backup(
    workspace: Workspace, cinta: Recording, tmp_path: Path
) -> None:
    back_up(workspace, tmp_path / "b")
    restore(tmp_path / "b", tmp_path / "r")

    def nothing_new(restored: Workspace) -> None:
        assert restored.store.recording(cinta.id)
        assert back_up(restored, tmp_path / "b").new_files == 0

    opened(tmp_path / "r", nothing_new)


def test_without_audio(cli: Cli, workspace: Workspace, cinta: Recording, tmp_path: Path) -> None:
    assert cli("backup", tmp_path / "b", "--no-media").code == 0
    assert not any(path.startswith("media/") for path in told(tmp_path / "b").files)
    ran = cli("restore", tmp_path / "b", tmp_path / "r")
    assert (ran.code, "without audio" in ran.err) == (0, True)
    assert cli("-w", tmp_path / "r", "verify").code == 1
    back_up(workspace, tmp_path / "full")
    ran = cli("-w", tmp_path / "r", "verify", "--mend", "--backup", tmp_path / "full")
    assert ran.code == 0, ran.out
    assert all_files(tmp_path / "r" / "media") == all_files(workspace.media.root)
    assert cinta.id


def test_links_take_no_room(workspace: Workspace, cinta: Recording, tmp_path: Path) -> None:
    back_up(workspace, tmp_path / "b", link=True)
    held = objects(tmp_path / "b")
    assert held[cinta.id] == workspace.media.original(cinta.id, ".wav").stat().st_ino
    # An editor may write into a file of settings: what was stored would change with it.
    config = told(tmp_path / "b").files[CONFIG_NAME].sha256
    assert held[config] != (workspace.root / CONFIG_NAME).stat().st_ino
    assert restore(tmp_path / "b", tmp_path / "r").damaged == ()


def test_where_no_link_can_be_it_is_copied(
    workspace: Workspace, cinta: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_disk(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", other_disk)
    back_up(workspace, tmp_path / "b", link=True)
    assert objects(tmp_path / "b")[cinta.id] != (
        workspace.media.original(cinta.id, ".wav").stat().st_ino
    )


def test_what_was_purged_leaves_the_backup(
    workspace: Workspace, cinta: Recording, tmp_path: Path
) -> None:
    take_in(workspace, "otra", 330.0)
    back_up(workspace, tmp_path / "b")
    purge(workspace, chosen(workspace, recording=cinta.id), "asked")
    made = back_up(workspace, tmp_path / "b")
    assert made.missing == ()
    assert cinta.id not in objects(tmp_path / "b")
    assert len(objects(tmp_path / "b")) == len(
        {one.sha256 for one in told(tmp_path / "b").files.values()}
        | {one.sha256 for one in told(tmp_path / "b").tables.values()}
    )


def test_rows_are_of_one_moment_while_others_write(
    workspace: Workspace, cinta: Recording, tmp_path: Path
) -> None:
    before = all_rows(workspace.store)

    def writes(what: str, done: int, _total: int) -> None:
        if what == "rows":
            with workspace.store.transaction() as transaction:
                transaction.save([recording(f"later {done}")])

    made = back_up(workspace, tmp_path / "b", step=writes)
    assert made.rows["recordings"] == 2
    assert len(workspace.store.recordings()) > 10
    restore(tmp_path / "b", tmp_path / "r")
    opened(tmp_path / "r", lambda restored: unlike(restored, before))
    assert cinta.id


def test_progress_comes_to_its_end(workspace: Workspace, cinta: Recording, tmp_path: Path) -> None:
    seen: dict[str, tuple[int, int]] = {}
    back_up(workspace, tmp_path / "b", step=lambda what, done, of: seen.update({what: (done, of)}))
    restore(
        tmp_path / "b",
        tmp_path / "r",
        step=lambda what, done, of: seen.update({f"back {what}": (done, of)}),
    )
    assert set(seen) == {"rows", "files", "back rows", "back files"}
    assert all(done == of > 0 for done, of in seen.values())
    assert cinta.id


# ---- what is not as it should be


def test_damaged_audio_is_not_taken_and_what_was_good_stays(
    cli: Cli, workspace: Workspace, cinta: Recording, tmp_path: Path
) -> None:
    path = workspace.media.original(cinta.id, ".wav")
    good = path.read_bytes()
    flip(path)
    ran = cli("backup", tmp_path / "b")
    assert ran.code == 1
    assert "is damaged: see `corpus verify`" in ran.err
    assert cinta.id not in objects(tmp_path / "b")
    path.write_bytes(good)
    assert cli("backup", tmp_path / "b").code == 0
    path.unlink()
    ran = cli("backup", tmp_path / "b", "--json")
    assert ran.code == 1
    (missing,) = ran.json["missing"]
    assert re.match(rf"media/original/../{cinta.id}\.wav: No such file", missing)


def test_what_cannot_be_copied_is_told_when_it_is_restored(
    workspace: Workspace, cinta: Recording, tmp_path: Path
) -> None:
    workspace.media.flac(cinta.id).unlink()
    back_up(workspace, tmp_path / "b")
    assert len(restore(tmp_path / "b", tmp_path / "r").missing) == 1


# ---- refused: where to


def test_a_place_that_holds_something_else_is_refused(
    cli: Cli, workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_bytes(b"years")
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "folder.tar").mkdir()
    inside = workspace.root / "b"
    for target in (tmp_path / "mine", tmp_path / "file", tmp_path / "folder.tar", inside):
        before = all_files(tmp_path)
        ran = cli("backup", target)
        assert (ran.code, ran.err.count("\n")) == (2, 1)
        assert all_files(tmp_path) == before


def test_the_backup_of_another_corpus_is_not_overwritten(
    workspace: Workspace, cinta: Recording, tmp_path: Path
) -> None:
    back_up(workspace, tmp_path / "b")
    purge(workspace, chosen(workspace, recording=cinta.id), "all is lost")
    with pytest.raises(UsageError, match="holds a backup of 'cante' with 2 recordings, and none"):
        back_up(workspace, tmp_path / "b")
    assert restore(tmp_path / "b", tmp_path / "r").rows["recordings"] == 2
