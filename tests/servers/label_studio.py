"""A real Label Studio, what may stand between it and us, and a stand-in for a quick start."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from filelock import FileLock
from platformdirs import user_cache_path

from annotate import server
from annotate.home import VERSION
from annotate.server import Running, serve
from tests.servers.postgres import Postgres, postgres
from tests.servers.s3 import KEY, SECRET

PRIVATE = "labelstudio"


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The private folder of a server that was started once and has nothing in it yet.

    Kept for later runs: its database takes half a minute to make.
    """
    kept = user_cache_path("cante-corpus") / "label-studio" / VERSION / "tests"
    kept.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{kept}.lock"):
        if not kept.exists():
            root = tmp_path_factory.mktemp("first-start")
            with serve(root):
                pass
            shutil.copytree(root / PRIVATE, f"{kept}.part", dirs_exist_ok=True)
            Path(f"{kept}.part").rename(kept)
    return kept


@pytest.fixture
def fresh(migrated: Path, tmp_path: Path) -> Path:
    """A workspace folder whose server was started before."""
    shutil.copytree(migrated, tmp_path / "fresh" / PRIVATE)
    return tmp_path / "fresh"


@pytest.fixture(scope="session")
def label_studio(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that runs for all tests; each makes projects of its own.

    With CANTE_POSTGRES in the environment its database is a PostgreSQL, as teams have it.
    """
    root = tmp_path_factory.mktemp("label-studio")
    shutil.copytree(migrated, root / PRIVATE)
    with contextlib.ExitStack() as stack:
        starting: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
        if os.environ.get("CANTE_POSTGRES"):
            starting = _on(stack.enter_context(postgres()))
        with starting:
            # For the tests with a bucket; no other asks for them.
            more = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
            running = stack.enter_context(serve(root, more=more))
        yield running


@contextlib.contextmanager
def _on(database: Postgres) -> Iterator[None]:
    """A server that is started meanwhile keeps what it has there."""
    told = {
        "DJANGO_DB": "default",
        "POSTGRE_NAME": database.database,
        "POSTGRE_USER": database.user,
        "POSTGRE_PASSWORD": "",
        "POSTGRE_HOST": "127.0.0.1",
        "POSTGRE_PORT": str(database.port),
    }
    usual = server._environment
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "_environment", lambda *of: {**usual(*of), **told})
        yield


# ---- between

Passed = Callable[[str, str], str]
"""Of a method and a path: "" to pass it on, else one of what `Between` can do."""


class Between:
    """Stands before a server.  `rule` says of each request what becomes of it:

    "" it is passed on; "lost" it is passed on and the answer is lost; "page" it gets a page;
    "moved" it is sent elsewhere; "busy" it gets 503; "hang" it gets nothing.
    """

    def __init__(self, upstream: str) -> None:
        self.rule: Passed = lambda _method, _path: ""
        self.seen: list[tuple[str, str]] = []
        self.ended = threading.Event()
        self._http = httpx.Client(base_url=upstream, timeout=60.0, trust_env=False)
        between = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                between.seen.append((self.command, self.path))
                done = between.rule(self.command, self.path)
                if done in {"", "lost"}:
                    self._pass_on(body, lost=bool(done))
                elif done == "hang":
                    between.ended.wait(30)
                    self.close_connection = True
                else:
                    self._say(done)

            do_GET = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815  # its names

            def _pass_on(self, body: bytes, *, lost: bool) -> None:
                skipped = {"host", "connection", "content-length", "accept-encoding"}
                headers = {k: v for k, v in self.headers.items() if k.lower() not in skipped}
                answer = between.answer(self.command, self.path, body, headers)
                if lost or answer is None:
                    self.close_connection = True
                    return
                self.send_response(answer.status_code)
                self.send_header("Content-Type", answer.headers.get("content-type", ""))
                self._end(answer.content)

            def _say(self, what: str) -> None:
                codes = {"page": 200, "moved": 301, "busy": 503}
                self.send_response(codes[what])
                self.send_header("Content-Type", "text/html")
                self.send_header("Set-Cookie", "sessionid=a-secret-session")
                if what == "moved":
                    self.send_header("Location", "https://studio.example.org/?next=a-secret")
                self._end(b"<html><body>Welcome</body></html>")

            def _end(self, body: bytes) -> None:
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def answer(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> httpx.Response | None:
        """What the server behind says; None where that is gone."""
        try:
            return self._http.request(method, path, content=body, headers=headers)
        except httpx.HTTPError:
            return None

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._http.close()


@pytest.fixture
def between(label_studio: Running) -> Iterator[Between]:
    with contextlib.closing(Between(label_studio.server.url)) as standing:
        yield standing


# ---- a stand-in

_STAND_IN = """
import http.server, sys, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")
    def log_message(self, *_):
        pass
print("listening")
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[-1])), Handler)
if SECONDS:
    threading.Timer(SECONDS, server.shutdown).start()
server.serve_forever()
print("the database is on fire")
"""


def program(folder: Path, code: str) -> Path:
    """A program that is given the arguments of `label-studio`."""
    path = folder / "label-studio"
    path.write_text(f"#!{sys.executable} -I\n{code}", "utf-8")
    path.chmod(0o755)
    return path


def stand_in(folder: Path, *, seconds: float = 0) -> Path:
    """A program that starts like Label Studio, at once, and ends after some seconds."""
    return program(folder, _STAND_IN.replace("SECONDS", json.dumps(seconds)))


# ---- a person's browser, without one


@contextlib.contextmanager
def logged_in(running: Running) -> Iterator[httpx.Client]:
    """A session of the first user, as a form makes it."""
    told = json.loads(running.server.login.read_text("utf-8"))
    form = {"email": told["email"], "password": told["password"]}
    with httpx.Client(base_url=running.server.url, trust_env=False, timeout=60.0) as session:
        session.get("/user/login/")
        assert session.post("/user/login/", data=form, headers=_form(session)).status_code == 302
        yield session


def personal_token(session: httpx.Client) -> str:
    """The kind of token that replaced the legacy one; the server makes one at a time."""
    answer = session.post("/api/token/", headers=_form(session))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def revoke(session: httpx.Client, token: str) -> None:
    """Take a personal token back."""
    answer = session.post("/api/token/blacklist/", json={"refresh": token}, headers=_form(session))
    assert answer.is_success, answer.text


def _form(session: httpx.Client) -> dict[str, str]:
    return {"X-CSRFToken": session.cookies["csrftoken"], "Referer": str(session.base_url)}
