"""A real PostgreSQL of a test's own: a cluster in a folder, on a socket and a free port."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["Postgres", "postgres", "postgres_server"]

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
"""Where packages put it, which is on no path."""

_NAME = "cante"


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server that runs: user and database are `cante`, and no password is asked for."""

    folder: Path
    port: int
    user: str = _NAME
    database: str = _NAME

    @property
    def url(self) -> str:
        """As SQLAlchemy takes it."""
        return f"postgresql+psycopg://{self.user}@127.0.0.1:{self.port}/{self.database}"

    def new_database(self) -> str:
        """The address of an empty database beside the others."""
        name = f"{_NAME}_{uuid.uuid4().hex}"
        _run("createdb", "-h", "127.0.0.1", "-p", self.port, "-U", self.user, name)
        return f"{self.url.rpartition('/')[0]}/{name}"

    def restart(self) -> None:
        """As a person does who updates it: connections are cut."""
        _control(self.folder, "restart", "-m", "fast")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One server for all tests; each takes a database of its own."""
    with postgres() as running:
        yield running


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """Make a cluster and run it until the end of the block; nothing of it stays."""
    # A short path: a socket's may have a hundred letters.
    folder = Path(tempfile.mkdtemp(prefix="cante-pg-"))
    try:
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root.
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        _run("initdb", "-D", folder / "data", "-U", _NAME, "-A", "trust", "-E", "UTF8", "-N")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        _control(folder, "start", "-l", folder / "log", "-o", options)
        try:
            _run("createdb", "-h", "127.0.0.1", "-p", port, "-U", _NAME, _NAME)
            yield Postgres(folder=folder, port=port)
        finally:
            _control(folder, "stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _control(folder: Path, *command: str | Path) -> None:
    _run("pg_ctl", "-D", folder / "data", "-w", *command)


def _run(program: str, *arguments: str | int | Path) -> None:
    command = [_found(program), *map(str, arguments)]
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    # Files, not pipes: the server that is started keeps those open.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(command, stdout=said, stderr=said, cwd="/", check=False)
        said.seek(0)
        assert done.returncode == 0, said.read().decode("utf-8", "replace")


def _found(program: str) -> str:
    places: Sequence[Path] = sorted(
        (path for place in _PLACES for path in Path("/").glob(place.lstrip("/"))), reverse=True
    )
    path = os.pathsep.join(map(str, places))
    found = shutil.which(program, path=path) or shutil.which(program)
    assert found, f"{program} is missing: install the package 'postgresql'"
    return found
