from __future__ import annotations

import gzip
import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from corpus.care.backup import back_up
from corpus.care.dump import load
from corpus.care.manifest import MANIFEST, written
from corpus.care.restore import restore
from corpus.database import Database
from corpus.errors import BackupError, DiskFullError, StoreError, UsageError
from corpus.records import Recording
from corpus.workspace import CONFIG_NAME, Workspace
from tests.conftest import Cli
from tests.corpus.kept import (
    LEFT,
    ODD,
    all_files,
    all_rows,
    flip,
    opened,
    told,
    unlike,
)
from tests.corpus.made import recording
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.usefixtures("unsynced")


# ---- refused: from where, and where to


@pytest.mark.parametrize("name", ["b", "b.tar"])
def test_nothing_is_restored_over_what_is_there(
    cli: Cli, workspace: Workspace, cinta: Recording, tmp_path: Path, name: str
) -> None:
    back_up(workspace, tmp_path / name)
    (tmp_path / "file").write_bytes(b"x")
    for folder in (workspace.root, tmp_path / "file"):
        before = all_files(tmp_path)
        ran = cli("restore", tmp_path / name, folder)
        assert (ran.code, ran.err.count("\n")) == (2, 1)
        assert "is taken" in ran.err
        assert all_files(tmp_path) == before
    assert cinta.id


def test_what_is_no_backup(cli: Cli, workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.tar").write_bytes(b"no tar at all" * 100)
    with tarfile.open(tmp_path / "b.tar", "w") as tar:
        tar.add(workspace.root / CONFIG_NAME, "x")
    for name, code in (
        ("nowhere", 2),
        ("nowhere.tar", 1),
        ("empty", 1),
        ("a.tar", 1),
        ("b.tar", 1),
    ):
        ran = cli("restore", tmp_path / name, tmp_path / "r")
        assert (ran.code, ran.err.count("\n")) == (code, 1), ran.err
        assert re.search("is no backup|is no whole backup", ran.err)
    assert not (tmp_path / "r").exists()


# ---- refused: what it is told to be

ESCAPES = [
    *("../x", "/etc/x", "media/../../x", "media//x", "", ".", "media/./x", "corpus.toml/..", "x"),
    *("media\\..\\x", "media/x\x00", "corpus.db", ".bashrc", "C:/x", "Media/x", "media/", "~/x"),
]


def test_a_path_out_of_the_corpus_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    back_up(workspace, tmp_path / "b")
    made = told(tmp_path / "b")
    for path in ESCAPES:
        files = {**made.files, path: made.files[CONFIG_NAME]}
        bad = written(made.model_copy(update={"files": files}))
        (tmp_path / "b" / MANIFEST).write_bytes(bad)
        before = all_files(tmp_path)
        with pytest.raises(BackupError, match="is no path in a corpus: nothing is taken from it"):
            restore(tmp_path / "b", tmp_path / "r")
        assert all_files(tmp_path) == before


def test_a_digest_that_is_none_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    back_up(workspace, tmp_path / "b")
    path = tmp_path / "b" / MANIFEST
    whole = path.read_text("utf-8")
    good = told(tmp_path / "b").files[CONFIG_NAME].sha256
    for digest in ("../../../../etc/passwd", "a" * 63, "A" * 64, ""):
        path.write_text(whole.replace(good, digest), "utf-8")
        with pytest.raises(BackupError, match=r"is damaged, or of a newer"):
            restore(tmp_path / "b", tmp_path / "r")


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda data: data[:-20], "is damaged"),
        (lambda _: b"", "is damaged"),
        (lambda data: data.replace(b'"cante"', b'"canta"'), "it is not as it was written"),
        (lambda data: data.replace(b'"format": 1', b'"format": 2'), "newer"),
        (lambda data: data.replace(b'"made"', b'"mode"'), "made"),
    ],
)
def test_a_damaged_manifest(
    workspace: Workspace, tmp_path: Path, edit: Callable[[bytes], bytes], says: str
) -> None:
    back_up(workspace, tmp_path / "b")
    path = tmp_path / "b" / MANIFEST
    path.write_bytes(edit(path.read_bytes()))
    for use in (
        lambda: restore(tmp_path / "b", tmp_path / "r"),
        lambda: back_up(workspace, tmp_path / "b"),
    ):
        with pytest.raises(BackupError, match=says):
            use()
    assert not (tmp_path / "r").exists()


# ---- damaged bytes


def test_damaged_audio_is_left_out_and_named(
    cli: Cli, workspace: Workspace, cinta: Recording, tmp_path: Path
) -> None:
    back_up(workspace, tmp_path / "b")
    flip(tmp_path / "b" / "objects" / cinta.id[:2] / cinta.id)
    ran = cli("restore", tmp_path / "b", tmp_path / "r")
    assert ran.code == 1
    assert f"{cinta.id}.wav: it is damaged in the backup" in ran.err
    assert "original" in ran.out
    assert len(all_files(tmp_path / "r")) == len(all_files(workspace.root)) - len(LEFT) - 1
    done = cli("restore", tmp_path / "b", tmp_path / "r2", "--json").json
    assert len(done["damaged"]) == 1
    assert [one["place"] for one in done["problems"]] == ["original"]


@pytest.mark.parametrize("lost", ["flipped", "gone"])
@pytest.mark.parametrize("which", ["rows", "settings"])
def test_damaged_rows_or_settings_make_nothing(
    cli: Cli, workspace: Workspace, cinta: Recording, tmp_path: Path, which: str, lost: str
) -> None:
    back_up(workspace, tmp_path / "b")
    made = told(tmp_path / "b")
    one = made.tables["matches"] if which == "rows" else made.files[CONFIG_NAME]
    path = tmp_path / "b" / "objects" / one.sha256[:2] / one.sha256
    if lost == "gone":
        path.unlink()
    else:
        flip(path)
    ran = cli("restore", tmp_path / "b", tmp_path / "r")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "backup" in ran.err
    assert not (tmp_path / "r").exists()
    assert not list(tmp_path.glob(".part-*"))
    assert cinta.id


def test_a_cut_tar_makes_nothing(workspace: Workspace, cinta: Recording, tmp_path: Path) -> None:
    back_up(workspace, tmp_path / "b.tar")
    whole = (tmp_path / "b.tar").read_bytes()
    for n_bytes in (0, 100, len(whole) // 2, len(whole) - 12_000):
        (tmp_path / "b.tar").write_bytes(whole[:n_bytes])
        with pytest.raises(BackupError, match="is no whole backup"):
            restore(tmp_path / "b.tar", tmp_path / "r")
        assert not (tmp_path / "r").exists()
    assert cinta.id


def test_no_room_to_restore(
    workspace: Workspace, cinta: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    back_up(workspace, tmp_path / "b")
    monkeypatch.setattr("corpus.care.restore.copied", full)
    with pytest.raises(DiskFullError, match="no room left"):
        restore(tmp_path / "b", tmp_path / "r")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "cante", "cinta.wav"]
    assert cinta.id


# ---- another place


def test_another_store_and_its_own_media(
    workspace: Workspace, cinta: Recording, tmp_path: Path
) -> None:
    config = workspace.root / CONFIG_NAME
    outside = tmp_path / "shared media"
    workspace.media.root.rename(outside)
    text = config.read_text("utf-8").replace(
        'folder = "media"', f"folder = {str(outside)!r} # ours"
    )
    config.write_text(text, "utf-8")

    def away(there: Workspace) -> None:
        assert back_up(there, tmp_path / "b").missing == ()

    opened(workspace.root, away)
    restore(tmp_path / "b", tmp_path / "r", store="sqlite:///otro ñ.db")
    told_now = (tmp_path / "r" / CONFIG_NAME).read_text("utf-8")
    assert "# Originals and 16 kHz mono FLAC: a folder, relative to this file" in told_now
    assert len(told_now.splitlines()) == len(text.splitlines())

    def own(there: Workspace) -> None:
        assert there.media.root == tmp_path / "r" / "media"
        assert there.config.store.url == "sqlite:///otro ñ.db"
        unlike(there, all_rows(workspace.store))

    opened(tmp_path / "r", own)
    assert cinta.id


@pytest.mark.parametrize(
    "toml",
    ["# nothing\n", "[store]\n", '[store]\nurl="sqlite:///a.db"', "[match]\naccept = 0.6\n# end"],
)
def test_settings_of_any_form_take_another_store(
    workspace: Workspace, tmp_path: Path, toml: str
) -> None:
    (workspace.root / CONFIG_NAME).write_text(toml, "utf-8")
    back_up(workspace, tmp_path / "b")
    restore(tmp_path / "b", tmp_path / "r", store="sqlite:///b.db")
    assert (tmp_path / "r" / "b.db").is_file()
    opened(tmp_path / "r", lambda there: unlike(there, all_rows(workspace.store)))


def test_settings_that_cannot_be_changed_by_lines(workspace: Workspace, tmp_path: Path) -> None:
    (workspace.root / CONFIG_NAME).write_text('store.url = "sqlite:///corpus.db"\n', "utf-8")
    back_up(workspace, tmp_path / "b")
    with pytest.raises(UsageError, match=r"corpus\.toml"):
        restore(tmp_path / "b", tmp_path / "r", store="sqlite:///b.db")
    assert not (tmp_path / "r").exists()


def test_a_store_that_is_not_empty_is_refused(
    cli: Cli, workspace: Workspace, cinta: Recording, tmp_path: Path
) -> None:
    back_up(workspace, tmp_path / "b")
    before = all_rows(workspace.store)
    there = f"sqlite:///{workspace.root / 'corpus.db'}"
    ran = cli("restore", tmp_path / "b", tmp_path / "r", "--store", there)
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "is not empty: name another with --store" in ran.err
    assert not (tmp_path / "r").exists()
    assert all_rows(workspace.store) == before
    assert cinta.id


# ---- other revisions of the tables


def write_table(path: Path, *rows: object) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as out:
        out.writelines(f"{json.dumps(row)}\n" for row in rows)
    return path


OLD = {
    **dict.fromkeys(("source", "title", "artist", "author", "album", "palo", "region"), ODD),
    "id": "a" * 64,
    "suffix": ".mp3",
    "duration": 1.5,
    "year": None,
    "sex": "",
    "rights": "",
    "master": "",
    "extra": [["a", "b"]],
}


def filled(
    tmp_path: Path, rows: list[object], revision: str, n_rows: int = 1, table: str = "recordings"
) -> Workspace:
    database = Database(f"sqlite:///{tmp_path / 'corpus.db'}")
    path = write_table(tmp_path / "rows.gz", *rows)
    try:
        load(database, {table: path}, {table: n_rows}, revision)
    finally:
        database.close()
    (tmp_path / CONFIG_NAME).write_text("[store]\n", "utf-8")
    return Workspace.open(tmp_path)


def test_rows_of_an_older_revision_are_brought_up_to_date(tmp_path: Path) -> None:
    made = filled(tmp_path, [OLD], "0001")
    (one,) = made.store.recordings()
    assert (one.title, one.extra, one.part_of, one.offset) == (ODD, (("a", "b"),), "", 0.0)
    made.store.close()


@pytest.mark.parametrize(
    ("rows", "revision", "n_rows", "table", "says"),
    [
        ([OLD], "9999", 1, "recordings", "made by another cante-corpus"),
        ([OLD], "0005", 1, "recordings", "a row of recordings in the backup has other columns"),
        ([OLD], "0001", 2, "recordings", "has 1 rows, not 2"),
        ([OLD], "0001", 1, "users", "a table 'users', which no store of it has"),
        ([5], "0001", 1, "recordings", "other columns"),
        ([OLD, OLD], "0001", 2, "recordings", "UNIQUE"),
    ],
)
def test_rows_that_cannot_be_make_nothing(
    tmp_path: Path, rows: list[object], revision: str, n_rows: int, table: str, says: str
) -> None:
    with pytest.raises((BackupError, StoreError), match=says):
        filled(tmp_path, rows, revision, n_rows, table)
    # An empty database is left, and takes what is right.
    filled(tmp_path, [OLD], "0001").store.close()


def test_a_table_that_is_no_table(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'corpus.db'}")
    path = write_table(tmp_path / "rows.gz", OLD)
    for data in (b"no gzip", path.read_bytes()[:-9], gzip.compress(b"{no json\n")):
        path.write_bytes(data)
        with pytest.raises(BackupError, match="recordings of the backup cannot be read"):
            load(database, {"recordings": path}, {"recordings": 1}, "0001")
    database.close()


def test_told_as_json(cli: Cli, cinta: Recording, tmp_path: Path) -> None:
    made = cli("backup", tmp_path / "b", "--json")
    assert (made.code, made.json["target"]) == (0, str(tmp_path / "b"))
    assert made.json["left_out"] == ["notes.txt"]
    done = cli("restore", tmp_path / "b", tmp_path / "r", "--json")
    assert (done.code, done.json["rows"]) == (0, made.json["rows"])
    assert (done.json["folder"], done.json["problems"]) == (str(tmp_path / "r"), [])
    plain = cli("backup", tmp_path / "b")
    assert plain.code == 0
    assert "not of the corpus, and not copied: notes.txt" in plain.err
    assert "(0 new, 0.0 MB)" in plain.err
    assert cinta.id


# ---- PostgreSQL


def test_from_sqlite_to_postgresql_and_back(
    cli: Cli,
    workspace: Workspace,
    cinta: Recording,
    tmp_path: Path,
    postgres_server: Postgres,
) -> None:
    url = postgres_server.new_database()
    before = all_rows(workspace.store)
    assert cli("backup", tmp_path / "b").code == 0
    ran = cli("restore", tmp_path / "b", tmp_path / "team", "--store", url)
    assert (ran.code, ran.out) == (0, ""), ran.err
    assert not list((tmp_path / "team").glob("*.db"))

    def writes(what: str, done: int, _total: int) -> None:
        if what == "rows":
            with team_too.store.transaction() as transaction:
                transaction.save([recording(f"later {done}")])

    def of_one_moment(team: Workspace) -> None:
        unlike(team, before)
        back_up(team, tmp_path / "b2", step=writes)
        assert len(team.store.recordings()) > 10

    team_too = Workspace.open(tmp_path / "team")
    opened(tmp_path / "team", of_one_moment)
    team_too.store.close()
    restore(tmp_path / "b2", tmp_path / "alone", store="sqlite:///corpus.db")
    opened(tmp_path / "alone", lambda alone: unlike(alone, before))
    # A database with a corpus in it is left as it is.
    ran = cli("restore", tmp_path / "b", tmp_path / "other", "--store", url)
    assert (ran.code, ran.err.count("\n"), "is not empty" in ran.err) == (1, 1, True)
    assert cinta.id
