from __future__ import annotations

import json
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from corpus.care import here, others
from corpus.care.doctor import Check, Finding, State, examined
from corpus.commands import doctor as verb
from corpus.database import HEAD
from corpus.workspace import Workspace
from tests.corpus.lacking import SECRET, closed_port, states
from tests.servers.hub_state import Hub


@pytest.fixture
def deaf() -> Iterator[str]:
    """A server that takes what is said to it, and says nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(8)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Where the hub is taken to be; it is asked."""

    def move(address: str) -> None:
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)

    return move


# ---- the hub


@pytest.mark.usefixtures("online")
def test_the_hub_and_its_token(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    found = others.hub()
    assert states(found) == {"hub": "right", "hub token": "right"}
    assert found[1].says == "of pena, may write"
    monkeypatch.setenv("HF_TOKEN", SECRET)
    _, token = others.hub()
    assert (token.state, token.mend) == (State.WRONG, "hf auth login")
    assert SECRET not in token.says
    monkeypatch.delenv("HF_TOKEN")
    _, token = others.hub()
    assert (token.state, token.mend) == (State.ABSENT, "hf auth login")
    assert hub.url in others.hub()[0].says


def test_a_hub_that_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (found,) = others.hub()
    assert (found.state, found.mend) == (State.ABSENT, "unset HF_HUB_OFFLINE")


def test_a_hub_that_says_nothing(
    at: Callable[[str], None], deaf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(others, "SECONDS", 0.2)
    at(deaf)
    (found,) = others.hub()
    assert (found.state, found.says) == (
        State.ABSENT,
        f"{deaf} cannot be reached: no answer in 0 s",
    )
    at(f"http://pena:{SECRET}@127.0.0.1:{closed_port()}/?key={SECRET}")
    (found,) = others.hub()
    assert (found.state, SECRET in found.says) == (State.ABSENT, False)
    for address in ("http://[", f"http://127.0.0.1:{SECRET}", "nothing at all", ""):
        at(address)
        (found,) = others.hub()
        assert (found.state, SECRET in found.says) == (State.ABSENT, False)


@pytest.mark.parametrize(
    ("answer", "state", "says"),
    [
        ((200, b"no JSON"), "right", "is taken"),
        ((200, b'{"name": "pena"}'), "right", "of pena"),
        ((200, b"[]"), "right", "is taken"),
        ((302, b""), "absent", "answers with 302"),
        ((500, b"<html>"), "absent", "answers with 500"),
        ((403, b""), "wrong", "does not know it"),
    ],
)
def test_odd_answers_of_a_hub(
    at: Callable[[str], None],
    answering: Callable[[int, bytes], str],
    monkeypatch: pytest.MonkeyPatch,
    answer: tuple[int, bytes],
    state: str,
    says: str,
) -> None:
    at(answering(*answer))
    monkeypatch.setenv("HF_TOKEN", SECRET)
    _, token = others.hub()
    assert (token.state.value, says in token.says) == (state, True)


def test_a_token_that_cannot_be_sent(
    at: Callable[[str], None],
    answering: Callable[[int, bytes], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at(answering(200, b"{}"))
    monkeypatch.setenv("HF_TOKEN", "ñ💃")
    _, token = others.hub()
    assert token.says == "cannot be tried: UnicodeEncodeError"


@pytest.fixture
def answering() -> Iterator[Callable[[int, bytes], str]]:
    """Servers that give everybody one answer; their addresses."""
    running: list[ThreadingHTTPServer] = []

    def start(status: int, body: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.send_response(200)
                self.end_headers()

            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


# ---- Label Studio


def test_no_label_studio(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    for root in (None, tmp_path):
        (found,) = verb._label_studio(root)
        assert (found.state, found.mend) == (State.ABSENT, "corpus annotate serve")


def test_a_label_studio_that_is_named(
    answering: Callable[[int, bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    who = {"id": 1, "email": "ana@example.org", "first_name": "", "last_name": "", "username": ""}
    monkeypatch.setenv("LABEL_STUDIO_URL", answering(200, json.dumps(who).encode()))
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    found = verb._label_studio(None)
    assert states(found) == {"Label Studio": "right", "Label Studio token": "absent"}
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "a" * 40)
    found = verb._label_studio(None)
    assert states(found) == {"Label Studio": "right", "Label Studio token": "right"}
    assert found[1].says == "of ana@example.org"
    monkeypatch.setenv("LABEL_STUDIO_URL", answering(401, b'{"detail": "Invalid token."}'))
    found = verb._label_studio(None)
    assert states(found)["Label Studio token"] == "wrong"
    assert "a" * 40 not in found[1].says


@pytest.mark.parametrize(
    ("url", "state"),
    [("nowhere", "wrong"), ("http://ana:pass@x", "wrong"), ("http://127.0.0.1:1", "absent")],
)
def test_a_label_studio_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch, url: str, state: str
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", SECRET)
    (found,) = verb._label_studio(None)
    assert (found.state.value, "pass" in found.says and "@x" in found.says) == (state, False)


def test_a_server_of_its_own_that_lost_its_login(workspace: Workspace) -> None:
    (workspace.root / "labelstudio").mkdir()
    (found,) = verb._label_studio(workspace.root)
    assert found.state in {State.WRONG, State.ABSENT}


# ---- the store


def test_the_store(workspace: Workspace) -> None:
    (found,) = here.store(workspace.root, workspace.config.store.url)
    assert (found.state, f"revision {HEAD}" in found.says) == (State.RIGHT, True)


def revised(workspace: Workspace, revision: str) -> None:
    with sqlite3.connect(workspace.root / "corpus.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()


@pytest.mark.parametrize(
    ("revision", "state", "says"),
    [
        ("0003", State.RIGHT, f"the next command brings it to {HEAD}"),
        ("9999", State.WRONG, "of a newer cante-corpus"),
    ],
)
def test_a_store_of_another_revision(
    workspace: Workspace, revision: str, state: State, says: str
) -> None:
    revised(workspace, revision)
    (found,) = here.store(workspace.root, "sqlite:///corpus.db")
    assert (found.state, says in found.says) == (state, True)
    # It was looked at, and not brought anywhere.
    (again,) = here.store(workspace.root, "sqlite:///corpus.db")
    assert again == found


def test_a_store_that_is_not_there_is_not_made(workspace: Workspace) -> None:
    (found,) = here.store(workspace.root, "sqlite:///none.db")
    assert found.state is State.ABSENT
    assert not (workspace.root / "none.db").exists()


@pytest.mark.parametrize("url", ["sqlite:///bad.db", "no url", "nosuch://x/y", "sqlite:////x/y.db"])
def test_a_store_that_cannot_be_used(workspace: Workspace, url: str) -> None:
    (workspace.root / "bad.db").write_bytes(b"no database at all, but long enough" * 99)
    (found,) = here.store(workspace.root, url)
    assert (found.state, "corpus.toml" in found.mend) == (State.WRONG, True)


def test_a_store_without_tables(workspace: Workspace) -> None:
    sqlite3.connect(workspace.root / "bare.db").close()
    (workspace.root / "bare.db").touch()
    (found,) = here.store(workspace.root, "sqlite:///bare.db")
    assert (found.state, "revision none" in found.says) == (State.RIGHT, True)


def test_a_server_of_the_store_that_does_not_answer(workspace: Workspace, deaf: str) -> None:
    refused = f"postgresql+psycopg://x@127.0.0.1:{closed_port()}/corpus"
    (found,) = here.store(workspace.root, refused)
    assert (found.state, "refused" in found.says) == (State.WRONG, True)
    silent = f"postgresql+psycopg://x:{SECRET}@{deaf.removeprefix('http://')}/corpus"

    def look() -> list[Finding]:
        return here.store(workspace.root, silent)

    (found,) = examined([Check(what="store", look=look, seconds=0.5, late="look at url")])
    assert (found.says, found.mend, SECRET in found.says) == (
        "no answer in 0 s",
        "look at url",
        False,
    )
