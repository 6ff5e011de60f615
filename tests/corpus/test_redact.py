"""No secret is printed, logged or stored in the open, whatever goes wrong, and with --debug too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from annotate.home import known_login, write_private
from annotate.wire import checked_token
from corpus import redact
from corpus.collect.base import printable
from corpus.publish.hub import at_hub
from corpus.redact import REDACTED, keep_secret, without_credentials, without_secrets
from corpus.workspace import Workspace

SECRET = "sombrero-de-copa"  # noqa: S105  # to be looked for


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "_kept", set())


@pytest.mark.parametrize(
    "text",
    [
        f"https://ana:{SECRET}@host/x",
        f"https://{SECRET}@host/x",
        f"postgresql+psycopg://ana:{SECRET}@host/cante",
        f"postgresql://ana:p/{SECRET}@x:1@host/cante",
        f"postgres://:{SECRET}@host/cante",
        f"connection failed: host=h password={SECRET} user=ana",
        f"PGPASSWORD='{SECRET}'",
        f"https://b.example/k?a=1&X-Amz-Signature={SECRET}&b=2",
        f"https://b.example/k?X-Amz-Credential={SECRET}/x&X-Amz-Security-Token={SECRET}",
        f"https://b.example/k?AWSAccessKeyId=AK&Signature={SECRET}%3D",
        f"https://b.example/k?X-Goog-Signature={SECRET}",
        f"https://b.example/k?sv=1&sig={SECRET}",
        f"GET /x?access_token={SECRET} failed",
        f"{{'Authorization': 'Bearer {SECRET}'}}",
        f"authorization: Token {SECRET}",
        f"Cookie: {SECRET}; b=c",
        f"refused: Bearer {SECRET}",
        "refused: Token 0123456789abcdef0123456789abcdef01234567",
        "hf_sombrerodecopa1",
        "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.sombrero",
    ],
)
def test_secrets_by_their_form(text: str) -> None:
    told = without_credentials(text)
    assert REDACTED in told
    for secret in (SECRET, "sombrero", "0123456789abcdef"):
        assert secret not in told
    # What was taken out is not taken out again: a stored key stays what it is.
    assert without_credentials(told) == told


@pytest.mark.parametrize(
    "text",
    [
        "https://host:8080/a/b?page=2&q=solea",
        "peña@example.org",
        "postgresql+psycopg://ana@host/cante",
        "https://host/@ana/video:1",
        "corpus: annotate: /x/login.json has the password",
        "the token of Label Studio is empty",
        "/home/ana/pass word=x/a.wav",
        "a las 10:30, 50 % %s",
        "ay pena, penita: pena",
    ],
)
def test_other_texts_are_left_alone(text: str) -> None:
    assert without_credentials(text) == text


def test_what_is_known_to_be_secret_is_found_in_any_place() -> None:
    keep_secret("c/ve con espacio", "corta")
    assert without_secrets("x c/ve con espacio y") == f"x {REDACTED} y"
    assert without_secrets("?k=c%2Fve%20con%20espacio") == f"?k={REDACTED}"
    # Too short: it stands in other words too.
    assert without_secrets("una corta") == "una corta"


def test_whoever_takes_a_secret_makes_it_known(tmp_path: Path) -> None:
    checked_token("testigo-de-label-studio")
    write_private(
        tmp_path / "login.json", {"email": "a", "password": "clave-larga", "token": "x" * 40}
    )
    known_login(tmp_path)
    text = f"testigo-de-label-studio clave-larga {'x' * 40}"
    assert without_secrets(text) == " ".join([REDACTED] * 3)


def test_the_hub_makes_its_token_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with at_hub("ana/cante", "un-testigo-sin-forma") as hub:
        assert "un-testigo-sin-forma" not in repr(hub)
    assert without_secrets("un-testigo-sin-forma") == REDACTED


def test_a_link_is_stored_without_what_lets_in() -> None:
    link = f"https://ana:{SECRET}@b.example/a.mp3?X-Amz-Signature={SECRET}&X-Amz-Expires=60"
    assert printable(link) == (
        f"https://{REDACTED}@b.example/a.mp3?X-Amz-Signature={REDACTED}&X-Amz-Expires=60"
    )
    assert printable("/a/password=x/b.wav") == "/a/password=x/b.wav"


# ---- the command, as it is run


def ran(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "corpus", "-w", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("option", ["", "--debug", "--log-json"])
def test_a_database_that_is_not_there(workspace: Workspace, option: str) -> None:
    config = workspace.root / "corpus.toml"
    url = f"postgresql+psycopg://ana:{SECRET}@127.0.0.1:9/cante"
    config.write_text(f'[store]\nurl = "{url}"\n', "utf-8")
    done = ran(workspace.root, "status", *filter(None, [option]))
    assert done.returncode == 1
    assert "127.0.0.1:9/cante" in done.stderr
    assert ("Traceback" in done.stderr) is (option == "--debug")
    # The causes of the error are told too, and hold no password either.
    assert done.stderr.count("Error") >= (2 if option == "--debug" else 0)
    assert SECRET not in done.stdout + done.stderr


def test_a_link_that_fails_leaves_no_secret_in_the_store(workspace: Workspace) -> None:
    link = f"http://ana:{SECRET}@127.0.0.1:9/a.mp3?X-Amz-Signature={SECRET}"
    for option in ("--debug", "--log-json"):
        done = ran(workspace.root, "collect", link, "--allow-local", "--retries", "0", option)
        assert done.returncode == 1
        assert "127.0.0.1:9/a.mp3" in done.stdout + done.stderr
        assert SECRET not in done.stdout + done.stderr
    told = ran(workspace.root, "status", "--json")
    assert "127.0.0.1:9/a.mp3" in told.stdout
    assert SECRET not in told.stdout
    for path in workspace.root.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


def test_a_traceback_tells_no_secret_of_any_cause(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(
        "import threading, sys\n"
        "from corpus import cli\n"
        "from corpus.redact import keep_secret\n"
        "def fails(*given, **named):\n"
        "    keep_secret('sombrero-de-copa')\n"
        "    def inside():\n"
        "        raise OSError('thread: sombrero-de-copa')\n"
        "    thread = threading.Thread(target=inside); thread.start(); thread.join()\n"
        "    try:\n"
        "        try:\n"
        "            raise ValueError('first: sombrero-de-copa')\n"
        "        except ValueError as error:\n"
        "            raise KeyError('https://a:sombrero-de-copa@b/c') from error\n"
        "    except KeyError:\n"
        "        raise RuntimeError('last: Bearer sombrero-de-copa')\n"
        "cli.app = fails\n"
        "cli.main()\n"
    )
    for option in ([], ["--debug"]):
        done = subprocess.run(
            [sys.executable, str(script), *option], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "sombrero" not in done.stderr.replace("'sombrero-de-copa')\n", "")
        assert "last: " in done.stderr
        assert "thread: ***" in done.stderr
        assert ("first: ***" in done.stderr) is bool(option)


# ---- files with secrets


def test_they_are_their_owners_alone_whatever_the_umask_and_after_rewriting(tmp_path: Path) -> None:
    script = (
        "import os, sys; os.umask(0)\n"
        "from pathlib import Path\n"
        "from annotate.home import login_of, make_private, write_private\n"
        "from corpus.publish.about import pseudonym_of\n"
        "root = Path(sys.argv[1]); home = root / 'labelstudio'\n"
        "make_private(home); login_of(home); login_of(home)\n"
        "told = home / 'server.json'; told.write_text('{}'); told.chmod(0o666)\n"
        "write_private(told, {'port': 1}); write_private(told, {'port': 2})\n"
        "pseudonym_of(root, 'ana'); pseudonym_of(root, 'ana')\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    modes = {
        path.relative_to(tmp_path).as_posix(): path.stat().st_mode & 0o777
        for path in tmp_path.rglob("*")
    }
    assert modes == {
        "labelstudio": 0o700,
        "labelstudio/login.json": 0o600,
        "labelstudio/server.json": 0o600,
        "pseudonyms.key": 0o600,
    }
