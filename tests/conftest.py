"""What the tests of all packages share: a workspace, its command line, real Whisper base."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Read once by the libraries, at their import: no test asks a hub that is not its own.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Where several tests run at a time they are told of a terminal of 80 columns that is not there.
os.environ.pop("COLUMNS", None)
os.environ.pop("LINES", None)

import pytest
from hypothesis import settings

from corpus import models
from corpus.cli import run
from corpus.store import Store
from corpus.workspace import Workspace

# A machine that does much else is slow now and then; that is no failure.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

pytest_plugins = (
    "tests.corpus.kept",
    "tests.newer",
    "tests.corpus.publishing",
    "tests.servers.browser",
    "tests.servers.hub",
    # Before what imports it.
    "tests.servers.postgres",
    "tests.servers.s3",
    "tests.servers.label_studio",
    "tests.servers.media",
    "tests.servers.site",
    # After what it imports of these.
    "tests.corpus.hub_releases",
)


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c() -> None:
    """Ctrl-C is heard by what tests start, also where a script runs them in the background."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def whisper_base_hf() -> Path:
    """Real Whisper base in transformers form."""
    return models.resolve("whisper-base", "transformers")


@pytest.fixture(scope="session")
def whisper_base_ct2() -> Path:
    """Real Whisper base in CTranslate2 form."""
    return models.resolve("whisper-base", "ctranslate2")


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
def pictures(tmp_path: Path) -> Path:
    """Where pictures of pages are kept: $CANTE_ARTEFACTS, else with what this test leaves."""
    folder = Path(os.environ.get("CANTE_ARTEFACTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def cli(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Cli:
    """The command in this process, inside the folder of `workspace`."""
    monkeypatch.chdir(workspace.root)
    # Wide enough that no table and no message is broken into lines.
    monkeypatch.setenv("COLUMNS", "400")

    def typed(*arguments: str | Path) -> Ran:
        monkeypatch.setattr("sys.argv", ["corpus", *map(str, arguments)])
        capsys.readouterr()
        code = run(sys.argv[1:])
        told = capsys.readouterr()
        return Ran(code=code, out=told.out, err=told.err)

    return typed
