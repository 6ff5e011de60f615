"""A corpus to another database and its audio to another place, and back."""

from __future__ import annotations

import contextlib
import re
import signal
import sqlite3
import subprocess
import sys

import pytest

from corpus.care.move import move_media, move_store
from corpus.care.verify import verify
from corpus.errors import CanteError, DiskFullError, MediaError, StoreError, UsageError
from corpus.records import Recording
from corpus.rows import Done
from corpus.store import Store
from corpus.workspace import CONFIG_NAME, Workspace
from tests.conftest import Cli
from tests.corpus.kept import WHEN, all_files, all_rows, opened, take_in, unlike
from tests.corpus.made import recording
from tests.servers.postgres import Postgres
from tests.servers.s3 import S3

pytestmark = pytest.mark.usefixtures("unsynced")


def named(workspace: Workspace) -> tuple[str, str]:
    """What corpus.toml names by now: store and media."""
    config = Workspace.open(workspace.root).config
    return config.store.url, config.media.folder


# ---- rows


def test_to_postgresql_and_back(
    cli: Cli, workspace: Workspace, cinta: Recording, postgres_server: Postgres
) -> None:
    # PostgreSQL's usual order of letters is not SQLite's.
    with workspace.store.transaction() as transaction:
        for name in ("ñu", "Zeta", "alfa", "_", "Ángel"):
            transaction.mark(
                Done(stage="collect", item=name, inputs="", state="done", note="", at=WHEN)
            )
    before, url = all_rows(workspace.store), postgres_server.new_database()
    text = (workspace.root / CONFIG_NAME).read_text("utf-8")
    ran = cli("move", "--store", url)
    assert ran.code == 0, ran.err
    assert f"move: the store is {url}; sqlite:///corpus.db was left as it is" in ran.err
    counted = [line.split("│")[1:4] for line in ran.out.splitlines() if line.startswith("│")]
    assert {name.strip(): (int(a), int(b)) for name, a, b in counted} == {
        name: (len(rows), len(rows)) for name, rows in before.items()
    }
    changed = text.replace('url = "sqlite:///corpus.db"', f'url = "{url}"')
    assert (workspace.root / CONFIG_NAME).read_text("utf-8") == changed
    opened(workspace.root, lambda team: unlike(team, before))
    # What was stays as it was.
    assert all_rows(workspace.store) == before
    (workspace.root / "corpus.db").rename(workspace.root / "old.db")
    told = cli("move", "--store", "sqlite:///corpus.db", "--json").json["store"]
    assert told["here"] == told["there"] == {name: len(rows) for name, rows in before.items()}
    assert (workspace.root / CONFIG_NAME).read_text("utf-8") == text
    opened(workspace.root, lambda alone: unlike(alone, before))
    assert cinta.id
    assert not list(workspace.root.glob(".moving-*"))


@pytest.mark.parametrize(
    ("url", "code", "says"),
    [
        ("", 2, "say where to: --store URL, --media PLACE"),
        ("nothing", 2, "--store is an address such as"),
        ("postgresql+psycopg://me:a-secret@host/x", 2, "leave the password out.*PGPASSWORD"),
        ("sqlite:///corpus.db", 2, "the store is sqlite:///corpus.db already"),
        ("sqlite:////nowhere/at/all.db", 1, "unable to open"),
        ("sqlite:///other.db", 1, "is not empty, and its progress are not those of this corpus"),
        ("sqlite:///empty.db", 1, "is not empty, and its progress are not those of this corpus"),
        ("sqlite:///old.db", 1, "is not empty: name another with --store"),
    ],
)
def test_where_nothing_is_moved_to(
    cli: Cli, workspace: Workspace, cinta: Recording, url: str, code: int, says: str
) -> None:
    for name in ("other", "empty"):
        store = Store(f"sqlite:///{workspace.root / name}.db")
        if name == "other":
            with store.transaction() as transaction:
                transaction.save([recording("theirs")])
        store.close()
    if "old" in url:
        with contextlib.closing(sqlite3.connect(workspace.root / "old.db")) as old:
            old.execute("CREATE TABLE mine (id INTEGER)")
    before = all_files(workspace.root / "media"), all_rows(workspace.store)
    ran = cli("move", *(["--store", url] if url else []))
    assert (ran.code, ran.err.count("\n")) == (code, 1), ran.err
    assert re.search(says, ran.err)
    assert "a-secret" not in ran.err
    assert (all_files(workspace.root / "media"), all_rows(workspace.store)) == before
    assert named(workspace) == ("sqlite:///corpus.db", "media")
    assert cinta.id


KILLED = """
import os, signal, sys
from pathlib import Path
from corpus.care import move
from corpus.workspace import Workspace

left, where = int(sys.argv[1]), sys.argv[2]
def die():
    os.kill(os.getpid(), signal.SIGKILL)
def step(*_):
    global left
    left -= 1
    if left < 0:
        die()
change = move.change
def switch(*arguments):
    change(*arguments)
    die()
move.change = switch
workspace = Workspace.open(Path())
(move.move_media if where == "moved" else move.move_store)(workspace, where, step)
"""


def killed(workspace: Workspace, left: int, where: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, str(left), where],
        cwd=workspace.root,
        capture_output=True,
        check=False,
    )
    assert ran.returncode == -signal.SIGKILL, ran.stderr


def test_killed_anywhere_the_rows_are_here_or_there(workspace: Workspace, cinta: Recording) -> None:
    before, url = all_rows(workspace.store), "sqlite:///new.db"
    # In the middle of copying, of filling, of reading back, and when all is done.
    for left in (8, 8 + len(before) + 1, 8 + 2 * (len(before) + 1)):
        killed(workspace, left, url)
        assert named(workspace)[0] == "sqlite:///corpus.db"
        assert all_rows(workspace.store) == before
    killed(workspace, 10_000, url)
    assert named(workspace)[0] == url
    opened(workspace.root, lambda moved: unlike(moved, before))
    assert len(list(workspace.root.glob(".moving-*"))) == 1
    moved = Workspace.open(workspace.root)
    move_store(moved, "sqlite:///newer.db")
    moved.store.close()
    opened(workspace.root, lambda moved: unlike(moved, before))
    assert not list(workspace.root.glob(".moving-*"))
    assert cinta.id


def test_what_was_copied_before_is_taken_as_it_is(
    workspace: Workspace, cinta: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("corpus.care.move.change", cut)
        with pytest.raises(KeyboardInterrupt):
            move_store(workspace, "sqlite:///new.db")
    inode = (workspace.root / "new.db").stat().st_ino
    with workspace.store.transaction() as transaction:
        transaction.save([recording("later")])
    with pytest.raises(StoreError, match="its recordings are not those of"):
        move_store(workspace, "sqlite:///new.db")
    with workspace.store.transaction() as transaction:
        transaction.purge([recording("later").id], [])
    move_store(workspace, "sqlite:///new.db")
    assert (workspace.root / "new.db").stat().st_ino == inode
    assert cinta.id


def test_who_was_at_work_writes_nothing_that_would_be_lost(
    workspace: Workspace, cinta: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Workspace.open(workspace.root)
    monkeypatch.setattr("corpus.database._BUSY_S", 0.2)
    waiting = Workspace.open(workspace.root)

    def writes(what: str, done: int, _total: int) -> None:
        if (what, done) == ("rows", 3):
            with pytest.raises(StoreError, match="another command writes there; run again when"):
                save(waiting)

    move_store(workspace, "sqlite:///new.db", writes)
    for late in (workspace, other, waiting):
        with pytest.raises(StoreError, match="was moved to another place meanwhile: run again"):
            save(late)
        late.store.close()
    opened(workspace.root, save)
    there = Workspace.open(workspace.root)
    assert there.store.recording(recording("later").id) is not None
    there.store.close()
    assert cinta.id


def save(workspace: Workspace) -> None:
    with workspace.store.transaction() as transaction:
        transaction.save([recording("later")])


def test_a_server_that_is_restarted_while_rows_come(
    workspace: Workspace, cinta: Recording, postgres_server: Postgres
) -> None:
    before, url, n_tables = all_rows(workspace.store), postgres_server.new_database(), 0

    def restarts(what: str, _done: int, _total: int) -> None:
        nonlocal n_tables
        n_tables += what == "rows"
        if n_tables == len(before) + 8:
            postgres_server.restart()

    with pytest.raises(StoreError, match="run again when its server is back") as told:
        move_store(workspace, url, restarts)
    assert "\n" not in str(told.value)
    assert named(workspace)[0] == "sqlite:///corpus.db"
    move_store(workspace, url)
    opened(workspace.root, lambda team: unlike(team, before))
    assert cinta.id


# ---- audio


def test_audio_to_a_bucket_and_back(
    cli: Cli, workspace: Workspace, cinta: Recording, s3: S3, bucket: str
) -> None:
    heard = workspace.media.heard / "a-model" / cinta.id[:2] / f"{cinta.id}.npz"
    heard.parent.mkdir(parents=True)
    heard.write_bytes(b"heard")
    before = {k: v for k, v in all_files(workspace.media.root).items() if "heard" not in k}
    ran = cli("move", "--media", f"s3://{bucket}/corpus")
    assert ran.code == 0, ran.err
    assert f"move: {len(before)} files here, {len(before)} there" in ran.err
    assert f"the audio is in s3://{bucket}/corpus; what is in media was left" in ran.err
    assert s3.keys(bucket) == {f"corpus/{key}": data for key, data in before.items()}
    assert named(workspace)[1] == f"s3://{bucket}/corpus"
    (workspace.root / "media").rename(workspace.root / "old")

    def there(moved: Workspace) -> None:
        assert verify(moved).problems == ()
        assert moved.media.heard.joinpath(heard.relative_to(heard.parents[2])).is_file()
        take_in(moved, "otra", 330.0)

    opened(workspace.root, there)
    told = cli("move", "--media", "media", "--json").json["media"]
    assert (told["here"], told["there"]) == (len(before) + 2, len(before) + 2)
    assert before.items() <= all_files(workspace.root / "media").items()
    back = Workspace.open(workspace.root)
    assert verify(back).problems == ()
    back.store.close()


def test_killed_anywhere_audio_is_here_or_there(workspace: Workspace, cinta: Recording) -> None:
    before = all_files(workspace.media.root)
    killed(workspace, 2, "moved")
    assert named(workspace)[1] == "media"
    assert 0 < len(all_files(workspace.root / "moved")) < len(before)
    assert move_media(workspace, "moved").copied == len(before) - 2
    assert all_files(workspace.root / "moved") == before == all_files(workspace.root / "media")
    opened(workspace.root, lambda moved: unlike(moved, all_rows(workspace.store)))
    assert cinta.id


def test_what_comes_in_while_audio_is_copied_comes_along(
    workspace: Workspace, cinta: Recording
) -> None:
    late: list[Recording] = []

    def collects(what: str, done: int, _total: int) -> None:
        if (what, done, late) == ("audio", 1, []):
            late.append(take_in(workspace, "otra", 330.0))

    told = move_media(workspace, "moved", collects)
    assert (told.here, told.there, told.copied) == (5, 5, 5)
    opened(workspace.root, lambda moved: unlike(moved, all_rows(moved.store)))
    assert cinta.id != late[0].id


def test_where_no_audio_is_moved_to(
    workspace: Workspace, cinta: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = workspace.root / "theirs" / "flac" / "ab" / "other.flac"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"x")
    (workspace.root / "file").write_bytes(b"")
    refused: list[tuple[str, type[CanteError], str]] = [
        ("./media", UsageError, "the audio is in ./media already"),
        ("theirs", MediaError, "other.flac is no audio of this corpus: name a place of its own"),
        ("file", MediaError, "cannot write in"),
        ("s3://me:a-secret@bucket/x", UsageError, "leave name and password out"),
        ("nosuch://x", MediaError, "no address that fsspec knows"),
    ]
    for place, kind, says in refused:
        with pytest.raises(kind, match=says) as told:
            move_media(workspace, place)
        assert "a-secret" not in str(told.value)
    with monkeypatch.context() as patch:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr("corpus.care.move.shutil.copyfile", full)
        with pytest.raises(DiskFullError, match="no room left"):
            move_media(workspace, "moved")
    assert named(workspace) == ("sqlite:///corpus.db", "media")
    assert cinta.id
