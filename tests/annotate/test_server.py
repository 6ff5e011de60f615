from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from annotate import home, server
from annotate.server import Running, running_server, serve
from corpus.errors import AnnotationServerError, UsageError
from tests.conftest import Cli
from tests.servers.label_studio import PRIVATE, program, stand_in

Use = Callable[[Path], None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Have a program run instead of the real one."""

    def chosen(path: Path) -> None:
        monkeypatch.setattr(server, "program", lambda _tell: path)

    return chosen


def gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{process}/stat").read_text("utf-8").split()[2] == "Z"


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.05)


def listens(port: int, host: str = "127.0.0.1") -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


# ---- the real one


def test_what_the_server_keeps_is_for_its_owner_only(label_studio: Running) -> None:
    folder = label_studio.server.login.parent
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in (label_studio.server.login, label_studio.log, folder / "label_studio.sqlite3"):
        assert path.stat().st_mode & 0o077 == 0
    shared = folder.parent / server.SHARED
    assert folder not in (shared, *shared.parents)


def test_the_server_is_heard_on_this_machine_only(label_studio: Running) -> None:
    port = httpx.URL(label_studio.server.url).port
    lines = Path("/proc/net/tcp").read_text("utf-8").splitlines()[1:]
    mine = [line.split()[1] for line in lines if line.split()[3] == "0A"]
    assert [at.split(":")[0] for at in mine if int(at.split(":")[1], 16) == port] == ["0100007F"]


def test_no_secret_is_in_the_log_or_in_what_is_printed_of_it(label_studio: Running) -> None:
    login = json.loads(label_studio.server.login.read_text("utf-8"))
    told = label_studio.log.read_text("utf-8") + repr(label_studio) + repr(label_studio.server)
    for name in ("password", "token"):
        assert len(login[name]) >= 16
        assert login[name] not in told
    assert "http://127.0.0.1" in told


def test_nobody_signs_up_without_being_asked(label_studio: Running) -> None:
    page = httpx.get(f"{label_studio.server.url}/user/signup/", trust_env=False)
    assert page.status_code == 200
    form = {"email": "a@example.org", "password": "12345678"}
    answer = httpx.post(f"{label_studio.server.url}/user/signup/", data=form, trust_env=False)
    assert answer.status_code == 403


def test_it_is_found_while_it_runs_and_is_not_started_twice(label_studio: Running) -> None:
    root = label_studio.log.parent.parent
    found = running_server(root)
    assert found == label_studio.server
    with pytest.raises(AnnotationServerError, match="runs already"), serve(root):
        pass
    assert httpx.get(f"{found.url}/health", trust_env=False).is_success


def test_the_command_serves_until_it_is_told_to_end(cli: Cli, migrated: Path) -> None:
    root = Path.cwd()
    shutil.copytree(migrated, root / PRIVATE)
    command = [sys.executable, "-m", "corpus", "annotate", "serve"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=root)
    try:
        until(lambda: running_server(root))
        there = running_server(root)
        assert there is not None
        again = cli("annotate", "serve")
        assert (again.code, there.url in again.err) == (0, True)
        assert "runs already" in again.err
        running.send_signal(signal.SIGTERM)
        told = running.communicate(timeout=30)[1]
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 0
    assert there.url in told
    assert f"log in as {there.email}; {there.login} has the password" in told
    assert there.token not in told
    assert json.loads(there.login.read_text("utf-8"))["password"] not in told
    assert gone(there.process)
    assert running_server(root) is None


def test_nothing_of_ours_reaches_it_and_nothing_of_it_gets_out(
    use: Use, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(stand_in(tmp_path))
    # Names that it reads for its own.
    for name in ("HOST", "DEBUG", "USERNAME", "POSTGRE_HOST", "SENTRY_DSN", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "https://elsewhere.example.org")
    with serve(tmp_path) as running:
        told = Path(f"/proc/{running.process.pid}/environ").read_bytes().decode()
    environment = dict(one.split("=", 1) for one in told.split("\0") if one)
    assert "elsewhere.example.org" not in told
    assert environment["COLLECT_ANALYTICS"] == environment["LATEST_VERSION_CHECK"] == "false"
    assert environment["SENTRY_DSN"] == environment["FRONTEND_SENTRY_DSN"] == ""
    # What asks all the same asks a proxy that is none.
    assert environment["HTTPS_PROXY"] == environment["HTTP_PROXY"] == "http://127.0.0.1:9"


# ---- ports


def test_the_port_of_last_time_is_taken_again_where_it_is_free(use: Use, tmp_path: Path) -> None:
    use(stand_in(tmp_path))
    with serve(tmp_path) as first:
        port = httpx.URL(first.server.url).port
    with serve(tmp_path) as second:
        assert httpx.URL(second.server.url).port == port
    with socket.create_server(("127.0.0.1", port or 0)), serve(tmp_path) as third:
        assert httpx.URL(third.server.url).port != port


def test_a_port_that_is_wanted_and_taken_is_told(use: Use, tmp_path: Path) -> None:
    use(stand_in(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} is taken"), serve(tmp_path, port):
            pass
    with serve(tmp_path, port) as running:
        assert running.server.url == f"http://127.0.0.1:{port}"


# ---- when it does not go well


def test_a_server_that_dies_at_the_start_says_why(use: Use, tmp_path: Path) -> None:
    use(program(tmp_path, "print('reading')\nprint('no such table: people')\nexit(3)"))
    with pytest.raises(AnnotationServerError) as told, serve(tmp_path):
        pass
    assert "did not start: no such table: people" in str(told.value)
    assert str(tmp_path / PRIVATE / "server.log") in str(told.value)
    assert running_server(tmp_path) is None


def test_a_program_that_cannot_be_run_is_told(use: Use, tmp_path: Path) -> None:
    use(tmp_path / "nowhere")
    with pytest.raises(AnnotationServerError, match=r"did not start: .*nowhere"), serve(tmp_path):
        pass


def test_a_server_that_never_gets_ready_is_ended(
    use: Use, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_PATIENCE", 0.5)
    use(program(tmp_path, "import time\nprint('thinking', flush=True)\ntime.sleep(60)"))
    begun = time.monotonic()
    with pytest.raises(AnnotationServerError, match="does not get ready"), serve(tmp_path):
        pass
    assert time.monotonic() - begun < 20


def test_a_server_that_dies_later_says_so(use: Use, tmp_path: Path) -> None:
    use(stand_in(tmp_path, seconds=1.0))
    with (
        pytest.raises(AnnotationServerError, match="ended by itself: the database is on fire"),
        serve(tmp_path) as running,
    ):
        running.wait()
    assert running_server(tmp_path) is None


def test_the_server_ends_with_who_started_it_however_that_went(tmp_path: Path) -> None:
    stand_in(tmp_path)
    code = (
        "import pathlib, sys\nfrom annotate import server\nroot = pathlib.Path(sys.argv[1])\n"
        "server.program = lambda tell: root / 'label-studio'\n"
        "with server.serve(root) as running:\n    running.wait()\n"
    )
    running = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    until(lambda: running_server(tmp_path))
    there = running_server(tmp_path)
    assert there is not None
    running.kill()
    running.wait()
    until(lambda: gone(there.process))
    until(lambda: not listens(httpx.URL(there.url).port or 0))
    assert running_server(tmp_path) is None


def test_a_record_of_a_server_that_is_gone_is_not_believed(use: Use, tmp_path: Path) -> None:
    use(stand_in(tmp_path))
    with serve(tmp_path):
        record = tmp_path / PRIVATE / "server.json"
        told = record.read_bytes()
    record.write_bytes(told)
    assert running_server(tmp_path) is None
    assert running_server(tmp_path / "nowhere") is None


@pytest.mark.parametrize("damaged", [None, b"", b"[]", b'{"email": "a@example.org"}'])
def test_a_lost_login_is_told_before_anything_starts(
    use: Use, tmp_path: Path, damaged: bytes | None
) -> None:
    use(stand_in(tmp_path))
    with serve(tmp_path) as running:
        login = running.server.login
    (tmp_path / PRIVATE / "label_studio.sqlite3").touch()
    login.unlink()
    if damaged is not None:
        login.write_bytes(damaged)
    with pytest.raises(AnnotationServerError, match=r"login\.json is gone or damaged"):
        serve(tmp_path).__enter__()


def test_a_token_that_the_server_does_not_take_is_told(fresh: Path) -> None:
    login = fresh / PRIVATE / "login.json"
    told = json.loads(login.read_text("utf-8"))
    login.write_text(json.dumps({**told, "token": "0" * 40}), "utf-8")
    with pytest.raises(AnnotationServerError, match="does not take the token") as error:
        serve(fresh).__enter__()
    assert "0" * 40 not in str(error.value)


def test_a_port_that_something_else_takes_meanwhile_is_told(
    use: Use, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(program(tmp_path, "import time\ntime.sleep(60)"))

    class Other(BaseHTTPRequestHandler):
        """The Label Studio of another corpus, which was quicker."""

        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 401)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as other:
        thread = threading.Thread(target=other.serve_forever, args=(0.05,))
        thread.start()
        # It was free when it was looked for.
        monkeypatch.setattr(server, "_port", lambda *_: other.server_port)
        try:
            with pytest.raises(AnnotationServerError, match="something else has taken"):
                serve(tmp_path).__enter__()
        finally:
            other.shutdown()
            thread.join()
    assert running_server(tmp_path) is None


# ---- the program


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without anything: what is put into the folder is on the path."""
    monkeypatch.setattr(home, "user_cache_path", lambda _name: tmp_path / "cache")
    found = tmp_path / "bin"
    found.mkdir()
    monkeypatch.setenv("PATH", str(found))
    return found


def test_without_uv_it_is_said_what_to_install(bare: Path) -> None:
    with pytest.raises(AnnotationServerError, match=r"https://docs\.astral\.sh/uv"):
        home.program(print)
    assert not list(bare.iterdir())


def test_without_uv_one_on_the_path_serves(bare: Path) -> None:
    there = stand_in(bare)
    assert home.program(print) == there


def uv(folder: Path, code: str) -> None:
    program(folder, "import os, pathlib, sys\n" + code).rename(folder / "uv")


def test_uv_installs_once_in_a_place_of_its_own(bare: Path, tmp_path: Path) -> None:
    uv(
        bare,
        "folder = pathlib.Path(os.environ['UV_TOOL_BIN_DIR'])\n"
        "folder.mkdir(parents=True)\n"
        "(folder / 'label-studio').touch()\n"
        "(folder / 'asked').write_text(' '.join(sys.argv[1:]))\n",
    )
    told: list[str] = []
    first, second = home.program(told.append), home.program(told.append)
    assert first == second == tmp_path / f"cache/label-studio/{home.VERSION}/bin/label-studio"
    assert (first.parent / "asked").read_text("utf-8").endswith(f"label-studio=={home.VERSION}")
    assert len(told) == 1


def test_when_uv_fails_its_reason_is_told_without_secrets(bare: Path) -> None:
    uv(bare, "sys.exit('error\\n  cannot reach https://me:hunter2@packages.example.org/simple')")
    with pytest.raises(AnnotationServerError) as told:
        home.program(print)
    assert "cannot reach https://packages.example.org/simple" in str(told.value)
    assert "hunter2" not in str(told.value)
