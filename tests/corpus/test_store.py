from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import corpus
from corpus import tables
from corpus.database import HEAD
from corpus.errors import StoreError
from corpus.rows import Record
from corpus.store import Store
from tests.corpus.made import verse
from tests.corpus.stored import CINTA, EVERYTHING, FIRST, RELEASE, SAID, SECOND, save
from tests.servers.postgres import Postgres

# ---- migrations


def alembic_config() -> Config:
    config = Config()
    folder = Path(corpus.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    return config


def test_head_is_the_last_migration() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == HEAD


def test_the_migrations_make_the_tables(store: Store) -> None:
    with store._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_the_migrations_go_back(store: Store) -> None:
    config = alembic_config()
    with store._database.writing() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        assert sa.inspect(connection).get_table_names() == ["alembic_version"]
    store._database.bring_up_to_date()
    save(store, *EVERYTHING)


def test_a_migration_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'corpus.db'}"
    with monkeypatch.context() as patch:
        # The last table of the migration cannot be made.
        patch.setattr("alembic.op.create_table", failing_at(len(tables.metadata.tables)))
        with pytest.raises(StoreError, match="power cut"):
            Store(url)
    store = Store(url)
    save(store, *EVERYTHING)
    store.close()


def test_what_is_saved_survives_migrations(store: Store) -> None:
    save(store, *EVERYTHING)
    config = alembic_config()
    with store._database.writing() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    store._database.bring_up_to_date()
    assert store.utterances() == (SAID.applied_to(FIRST), SECOND)
    assert store.releases() == (RELEASE,)


def test_no_room_for_the_database(store: Store) -> None:
    with store._database.reading() as connection:
        n_pages = connection.scalar(sa.text("PRAGMA page_count"))
    many = [verse(f"verso {i}") for i in range(10_000)]
    with pytest.raises(StoreError, match=r"full: is there room left on the disk\?") as told:
        save_in_pages(store, n_pages, many)
    one_line(told)
    assert store.verses() == ()


def save_in_pages(store: Store, n_pages: int, records: Iterable[Record]) -> None:
    """Save while the database may not grow."""
    with store.transaction() as transaction:
        transaction._connection.execute(sa.text(f"PRAGMA max_page_count = {n_pages}"))
        transaction.save(records)


def failing_at(last: int) -> object:
    from alembic import op

    make, calls = op.create_table, []

    def create_table(*arguments: object, **options: object) -> object:
        calls.append(arguments)
        if len(calls) == last:
            raise sa.exc.OperationalError("CREATE", {}, Exception("power cut"))
        return make(*arguments, **options)  # type: ignore[arg-type]  # handed on as they came

    return create_table


# ---- databases that cannot be used


def one_line(told: pytest.ExceptionInfo[StoreError]) -> str:
    message = str(told.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite:////nowhere/at/all/corpus.db", "unable to open"),
        ("no url at all", "Could not parse"),
        ("", "Could not parse"),
        ("nosuchdb://user:secret@host/corpus", "nosuchdb"),
        ("sqlite+nosuchdriver:///x.db", "nosuchdriver"),
    ],
)
def test_a_url_that_cannot_be_used(url: str, says: str) -> None:
    with pytest.raises(StoreError, match=says) as told:
        Store(url)
    assert "secret" not in one_line(told)


def test_a_driver_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match="needs the package psycopg") as told:
        Store("postgresql+psycopg://user:secret@host/corpus")
    assert "secret" not in one_line(told)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "corpus.db").write_bytes(b"not a database at all, but long enough" * 100)
    with pytest.raises(StoreError, match="not a database") as told:
        Store(f"sqlite:///{tmp_path / 'corpus.db'}")
    assert "corpus.db" in one_line(told)


def test_a_damaged_database(store: Store, tmp_path: Path) -> None:
    save(store, CINTA, *(verse(f"verso {i}") for i in range(2000)))
    store.close()
    path = tmp_path / "corpus.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(StoreError, match=r"malformed|not a database") as told:
        read_verses(f"sqlite:///{path}")
    one_line(told)


def read_verses(url: str) -> None:
    with contextlib.closing(Store(url)) as damaged:
        damaged.verses()


def test_a_database_of_another_version(store: Store, tmp_path: Path) -> None:
    with store._database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"another cante-corpus.*9999") as told:
        Store(f"sqlite:///{tmp_path / 'corpus.db'}")
    one_line(told)


# ---- several processes


def test_a_new_store_that_another_process_holds_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "corpus.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.5, lambda: other.execute("COMMIT"))
    release.start()
    with contextlib.closing(Store(f"sqlite:///{path}")) as store:
        assert store.recordings() == ()
    release.join()
    other.close()


WRITER = """
import sys
import threading
from corpus.store import Store
from tests.corpus.made import recording, verse

url, name = sys.argv[1:]
store = Store(url)
for i in range(20):
    with store.transaction() as transaction:
        shared = verse(f"verso {i}", source=name)
        transaction.save([recording(f"{name} {i}"), shared])
"""


def write_at_once(url: str, names: Sequence[str]) -> None:
    """Each name in a process of its own; all there is of them is there, and nothing twice."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, url, name],
            cwd=Path(__file__).parent.parent.parent,
            stderr=subprocess.PIPE,
        )
        for name in names
    ]
    told = [writer.communicate(timeout=100)[1] for writer in writers]
    ended = [(writer.returncode, err) for writer, err in zip(writers, told, strict=True)]
    assert ended == [(0, b"")] * len(names)
    store = Store(url)
    assert len(store.recordings()) == 20 * len(names)
    assert [len(found.sources) for found in store.verses()] == [len(names)] * 20
    store.close()


def test_processes_write_at_once_into_a_new_store(tmp_path: Path) -> None:
    write_at_once(f"sqlite:///{tmp_path / 'corpus.db'}", ("uno", "dos", "tres"))


def test_eight_processes_write_at_once_to_a_server(postgres_server: Postgres) -> None:
    write_at_once(postgres_server.new_database(), [f"voz {n}" for n in range(8)])
