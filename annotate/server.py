"""A Label Studio of a corpus's own: its environment, its private folder, its process.

It listens on this machine only, sends nothing anywhere, and ends with whoever started it.
https://labelstud.io/guide/start#Run-Label-Studio-from-the-command-line gives its settings.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import httpx
from filelock import FileLock, Timeout

from annotate.home import (
    Login,
    Tell,
    known_login,
    last_line,
    login_of,
    make_private,
    program,
    read_json,
    write_private,
)
from corpus.errors import AnnotationServerError, UsageError

__all__ = [
    "SHARED",
    "Running",
    "Server",
    "ending_on_signals",
    "is_starting",
    "running_server",
    "serve",
]

SHARED = "annotate"
"""The folder of a workspace below which the server gives files away, to who is logged in."""

_PRIVATE = "labelstudio"
"""The folder of a workspace with what the server keeps; beside the other, as it holds secrets."""

_USUAL_PORT = 8080
_PATIENCE = 600.0
"""Seconds that a start may take: the first one makes a database, on whatever disk."""

_STOPPING = 20.0

# Ends the server when its own standard input does, which is when this process is gone,
# however it went.
_KEEPER = """
import os, subprocess, sys, threading
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
def stop():
    os.read(0, 1)
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
threading.Thread(target=stop, daemon=True).start()
sys.exit(server.wait())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that runs; `login` is the file with its password, for its owner only."""

    url: str
    email: str
    login: Path
    process: int
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that this process has started."""

    server: Server
    log: Path
    process: subprocess.Popen[bytes]

    def wait(self) -> None:
        """Come back never: raise AnnotationServerError when the server ends by itself."""
        self.process.wait()
        raise AnnotationServerError(_ended("ended by itself", self.log))


def running_server(root: Path) -> Server | None:
    """The server of the workspace in `root`; None where none runs, or it is still starting."""
    folder = root / _PRIVATE
    if not folder.is_dir():
        return None
    with contextlib.suppress(Timeout), _lock(folder):
        return None
    told = read_json(folder / "server.json")
    try:
        url, process = str(told["url"]), int(told["process"])
    except (KeyError, ValueError, TypeError):
        return None
    # Last: where it is starting for the first time, nobody has made one yet.
    return _server(folder, known_login(folder), url, process)


def is_starting(root: Path) -> bool:
    """Whether somebody is starting the server of the workspace in `root`, or ending it."""
    folder = root / _PRIVATE
    if not folder.is_dir():
        return False
    with contextlib.suppress(Timeout), _lock(folder):
        return False
    return "url" not in read_json(folder / "server.json")


def _server(folder: Path, login: Login, url: str, process: int) -> Server:
    path = folder / "login.json"
    return Server(url=url, email=login.email, login=path, process=process, token=login.token)


@contextlib.contextmanager
def serve(
    root: Path,
    port: int | None = None,
    *,
    tell: Tell = lambda _: None,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Running]:
    """Run the server of the workspace in `root` until the end of the block.

    `more` is for its environment, of which it has nothing of this process otherwise.
    Label Studio is installed by uv where it is not, once for all workspaces.  Without `port`, it
    is the one of last time where that is free.  Raises UsageError for a port that is taken,
    AnnotationServerError when the server runs already or cannot be started.
    """
    root = root.resolve()
    folder = root / _PRIVATE
    make_private(folder)
    (root / SHARED / "clips").mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_lock(folder, wait=1.0))
        except Timeout:
            raise AnnotationServerError(
                f"the Label Studio of {root} runs already, or is starting"
            ) from None
        # Gone until it is up again: nobody is to find what was.
        record = folder / "server.json"
        last = read_json(record).get("port")
        login, executable = login_of(folder), program(tell)
        chosen = _port(port, last if isinstance(last, int) else None)
        write_private(record, {"port": chosen})
        environment = {**_environment(root, login), **more}
        running = stack.enter_context(_started(executable, environment, root, login, chosen, tell))
        told = {"port": chosen, "url": running.server.url, "process": running.process.pid}
        write_private(record, told)
        stack.callback(write_private, record, {"port": chosen})
        yield running


@contextlib.contextmanager
def ending_on_signals() -> Iterator[None]:
    """End the block where Ctrl-C, or SIGTERM from a service manager, asks for it."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _lock(folder: Path, wait: float = 0.0) -> FileLock:
    return FileLock(folder / "lock", timeout=wait, mode=0o600)


# ---- the process


@contextlib.contextmanager
def _started(
    executable: Path,
    environment: Mapping[str, str],
    root: Path,
    login: Login,
    port: int,
    tell: Tell,
) -> Iterator[Running]:
    folder = root / _PRIVATE
    first = not (folder / "label_studio.sqlite3").exists()
    tell("first start: its database is made, about half a minute" if first else "starting")
    log = folder / "server.log"
    with _process(executable, environment, root, port, log) as process:
        url = f"http://127.0.0.1:{port}"
        _wait(process, url, log)
        _check(url, login, folder, log)
        server = _server(folder, login, url, process.pid)
        yield Running(server=server, log=log, process=process)


@contextlib.contextmanager
def _process(
    executable: Path, environment: Mapping[str, str], root: Path, port: int, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    options = ("--no-browser", "--internal-host", "127.0.0.1", "-p", str(port))
    log.touch(mode=0o600)
    with log.open("wb") as output:
        # A session of its own: Ctrl-C is for this process, which then ends that one in order.
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", _KEEPER, executable, "start", *options],
            env=environment,
            cwd=root / _PRIVATE,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,
        )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(_STOPPING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(root: Path, login: Login) -> dict[str, str]:
    """Nothing of the user's own: the server reads names as common as HOST, DEBUG and USERNAME."""
    kept = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")
    folder = str(root / _PRIVATE)
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "HOME": folder,
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        "LABEL_STUDIO_BASE_DATA_DIR": folder,
        "LABEL_STUDIO_USERNAME": login.email,
        "LABEL_STUDIO_PASSWORD": login.password,
        "LABEL_STUDIO_USER_TOKEN": login.token,
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(root / SHARED),
        # It may post its hints to `corpus annotate pull --watch`, which listens on this machine.
        "SSRF_PROTECTION_ENABLED": "false",
        # It asks for newer versions and tips, and tells of every click: none of it gets out.
        "LATEST_VERSION_CHECK": "false",
        "COLLECT_ANALYTICS": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1,localhost",
    }


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    limit = time.monotonic() + _PATIENCE
    with httpx.Client(trust_env=False, timeout=5.0) as client:
        while not _healthy(client, url):
            if process.poll() is not None:
                raise AnnotationServerError(_ended("did not start", log))
            if time.monotonic() > limit:
                raise AnnotationServerError(_ended("does not get ready", log))
            time.sleep(0.1)


def _healthy(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(f"{url}/health").is_success
    except httpx.HTTPError:
        return False


def _check(url: str, login: Login, folder: Path, log: Path) -> None:
    """Whether it is the server of this folder, and takes the token that was made for it."""
    headers = {"Authorization": f"Token {login.token}"}
    asked = "/api/current-user/whoami"
    try:
        answer = httpx.get(f"{url}{asked}", headers=headers, trust_env=False, timeout=60.0)
    except httpx.HTTPError:
        raise AnnotationServerError(_ended("does not answer", log)) from None
    if answer.is_success:
        return
    # It writes down what it is asked.
    if asked not in log.read_text("utf-8", "replace"):
        raise AnnotationServerError(
            f"something else has taken {url} while Label Studio was starting: run again"
        )
    raise AnnotationServerError(
        f"Label Studio runs, and does not take the token in {folder / 'login.json'}: put back "
        f"the right one; or, where nothing there is worth keeping, remove {folder}"
    )


def _ended(how: str, log: Path) -> str:
    try:
        said = last_line(log.read_text("utf-8", "replace"))
    except OSError:
        said = ""
    return f"Label Studio {how}: {said or 'it said nothing'} (all it said is in {log})"


# ---- the port


def _port(wanted: int | None, last: int | None) -> int:
    if wanted is not None:
        if not _free(wanted):
            raise UsageError(f"port {wanted} is taken: name another, or leave --port out")
        return wanted
    for port in (last, _USUAL_PORT):
        if port is not None and _free(port):
            return port
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return int(any_port.getsockname()[1])


def _free(port: int) -> bool:
    """Whether nothing listens there: on one that is taken, the server would go to the next."""
    with contextlib.suppress(OSError), socket.create_connection(("localhost", port), timeout=1):
        return False
    try:
        with socket.socket() as tried:
            # As the server does: a port that was closed a moment ago is free.
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(("127.0.0.1", port))
    except (OSError, OverflowError):
        return False
    return True
