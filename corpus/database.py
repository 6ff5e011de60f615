"""The database under the store: opening it, its transactions, its migrations, its errors."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from corpus.errors import StoreError
from corpus.redact import keep_secret

__all__ = ["HEAD", "Database", "told"]

HEAD = "0006"
"""The revision that this code works with; a test keeps it true to the migrations."""


@contextlib.contextmanager
def told(url: str) -> Iterator[None]:
    """Turn the database's errors into one line that says where."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise StoreError(f"the store {url} needs the package {error.name}: install it") from error
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip().split("\n")[0]
        raise StoreError(f"the store {url} cannot be used: {cause}{_hint(error, cause)}") from error


_LOCKED = "another command writes there; run again when it has ended"
_HINTS = {
    "locked": _LOCKED,
    "lock timeout": _LOCKED,
    "readonly": "may you write there, or is the disk one that is only read?",
    "unable to open": "is its folder there, may you write in it, and is there room on the disk?",
    # SQLite cannot even be read where there is no room for its notes beside the database.
    "disk": "is there room left on the disk?",
}


def _hint(error: SQLAlchemyError, cause: str) -> str:
    """What to do, where it can be told."""
    for words, says in _HINTS.items():
        if words in cause:
            return f": {says}"
    if getattr(error, "connection_invalidated", False):
        return ": run again when its server is back; what was done is kept"
    return ""


class Database:
    """Connections to read by and to write by.  Raises StoreError when it cannot be used."""

    def __init__(self, url: str | sa.URL) -> None:
        with told("url in corpus.toml"):
            parsed = sa.make_url(url)
        self.url = parsed.render_as_string(hide_password=True)
        keep_secret(str(parsed.password or ""))
        with told(self.url):
            # A server that was restarted since is not noticed by who asks it next.
            self._engine = sa.create_engine(parsed, pool_pre_ping=True)
        self._writer = self._engine.execution_options(writing=True)
        if parsed.get_backend_name() == "sqlite":
            sa.event.listen(self._engine, "connect", _tune_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)
        if parsed.get_backend_name() == "postgresql":
            sa.event.listen(self._engine, "begin", _begin_postgresql)

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees one state of the database."""
        with told(self.url), self._engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """A connection to which the database stands still, however much is read by it."""
        # SQLite's transactions are so by themselves; elsewhere each statement would see the newest.
        sqlite = self._engine.dialect.name == "sqlite"
        level = {} if sqlite else {"isolation_level": "REPEATABLE READ"}
        with told(self.url), self._engine.connect() as connection:
            connection.execution_options(**level)
            # What is seen is decided by the first reading, so here.
            _revision(connection)
            yield connection

    @contextlib.contextmanager
    def filling(self, revision: str) -> Iterator[sa.Connection]:
        """As `writing`, in an empty database: with the tables of a revision, at the end of HEAD.

        Raises StoreError where anything is in it, or the revision is not known.
        """
        with self.writing() as connection:
            if sa.inspect(connection).get_table_names():
                raise StoreError(f"the store {self.url} is not empty: name another with --store")
            _migrate(connection, revision)
            yield connection
            _migrate(connection, "head")

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection in a transaction: all that is written lands together, or not at all."""
        with told(self.url), self._writer.begin() as connection:
            yield connection

    def bring_up_to_date(self) -> None:
        """Migrate to HEAD where the database is not there yet."""
        with self.reading() as connection:
            if _revision(connection) == HEAD:
                return
        with self.writing() as connection:
            # Asked again: another process may have migrated while this one waited.
            if _revision(connection) != HEAD:
                _migrate(connection, "head")

    def revision(self) -> str | None:
        """The revision of its tables; None where there are none."""
        with self.reading() as connection:
            return _revision(connection)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


_BUSY_S = 30
"""How long another process's writing is waited for."""


def _tune_sqlite(connection: Any, _: Any) -> None:
    connection.execute(f"PRAGMA busy_timeout={_BUSY_S * 1000}")
    # WAL: readers go on while a stage writes.  SQLite does not wait for the lock that this takes in
    # a new database: several processes that make one at once would fail, all but the first.
    patient = Retrying(
        retry=retry_if_exception(_locked),
        stop=stop_after_delay(_BUSY_S),
        wait=wait_random(0.01, 0.1),
        reraise=True,
    )
    patient(_to_wal, connection)
    # FULL: what was said to be done survives a power cut.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # Python's driver would begin no transaction for the tables that a migration makes.
    connection.isolation_level = None


def _locked(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


def _to_wal(connection: Any) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal":
        connection.execute("PRAGMA journal_mode=WAL")


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes the lock before it reads: what it read is then still true when it writes.
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


_WRITER = 2_261_037_203
"""The number of the lock of who writes, among all locks of a database; any would do."""


def _begin_postgresql(connection: sa.Connection) -> None:
    # As in SQLite: two that changed the same row at once, or made the same tables, would fail.
    if connection.get_execution_options().get("writing", False):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_BUSY_S}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER})")


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


def _migrate(connection: sa.Connection, revision: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise StoreError(f"the store was made by another cante-corpus: {error}") from error
