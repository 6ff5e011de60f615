"""A workspace to work in, its command line, a store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from corpus.cli import main
from corpus.store import Store
from corpus.workspace import Workspace

pytest_plugins = ("tests.servers.site",)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path / 'corpus.db'}")
    yield made
    made.close()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace.create(tmp_path / "cante")
    yield made
    made.store.close()


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Ran]


@pytest.fixture
def cli(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Cli:
    """The command in this process, inside the folder of `workspace`."""
    monkeypatch.chdir(workspace.root)
    # Wide enough that no table and no message is broken into lines.
    monkeypatch.setenv("COLUMNS", "400")

    def run(*arguments: str | Path) -> Ran:
        monkeypatch.setattr("sys.argv", ["corpus", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        told = capsys.readouterr()
        return Ran(code=int(end.value.code or 0), out=told.out, err=told.err)

    return run
