"""What a Label Studio of a corpus's own stands on: its program, and a private folder with a login.

uv installs the program, https://docs.astral.sh/uv, in an environment of its own: it pins what
this project needs newer.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from corpus.errors import AnnotationServerError, MediaError
from corpus.redact import keep_secret
from corpus.whole import writing

__all__ = [
    "VERSION",
    "Login",
    "Tell",
    "known_login",
    "last_line",
    "login_of",
    "make_private",
    "program",
    "read_json",
    "write_private",
]

VERSION = "1.23.2"

_EMAIL = "cante@localhost"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Of the one user that the server begins with, who may do everything there."""

    email: str
    password: str = field(repr=False)
    token: str = field(repr=False)


def make_private(folder: Path) -> None:
    """Make a folder that only its owner can enter; an old one becomes so."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise AnnotationServerError(f"{folder} cannot be made: {error.strerror}") from error


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file; nothing where there is none, or it is damaged."""
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def write_private(path: Path, told: dict[str, Any]) -> None:
    """Write whole or not at all; nobody else may read it at any time."""
    try:
        with writing(path, private=True) as scratch:
            scratch.write_text(json.dumps(told, indent=1), "utf-8")
    except MediaError as error:
        raise AnnotationServerError(str(error)) from error


def login_of(folder: Path) -> Login:
    """The one of a folder, which is made before the first start."""
    path = folder / "login.json"
    if path.exists() or (folder / "label_studio.sqlite3").exists():
        return known_login(folder)
    made = {
        "email": _EMAIL,
        "password": secrets.token_urlsafe(12),
        "token": secrets.token_hex(20),
    }
    write_private(path, made)
    return known_login(folder)


def known_login(folder: Path) -> Login:
    """The one in a folder; AnnotationServerError where it is gone."""
    path = folder / "login.json"
    told = read_json(path)
    if not all(isinstance(told.get(name), str) for name in ("email", "password", "token")):
        raise AnnotationServerError(
            f"{path} is gone or damaged, and the server knows no other: put it back; or, where "
            f"nothing there is worth keeping, remove {folder} and start anew"
        )
    keep_secret(told["password"], told["token"])
    return Login(email=told["email"], password=told["password"], token=told["token"])


# ---- the program


def program(tell: Tell) -> Path:
    """The `label-studio` to run, installed where it is not, once for all workspaces."""
    folder = user_cache_path("cante-corpus") / "label-studio" / VERSION
    # Linked last, so it is whole where it is there.
    program = folder / "bin" / ("label-studio.exe" if os.name == "nt" else "label-studio")
    if program.is_file():
        return program
    uv, other = shutil.which("uv"), shutil.which("label-studio")
    if uv is None and other is not None:
        return Path(other)
    if uv is None:
        raise AnnotationServerError(
            "Label Studio is not installed, and neither is uv, which would install it: "
            "see https://docs.astral.sh/uv, or put a `label-studio` on the path"
        )
    tell(f"installing Label Studio {VERSION}, about 1 GB, once")
    _install(uv, folder)
    return program


def _install(uv: str, folder: Path) -> None:
    """In an environment of its own: it pins what this project needs newer."""
    python, package = ("--python", ">=3.10,<3.14"), f"label-studio=={VERSION}"
    where = {"UV_TOOL_DIR": str(folder), "UV_TOOL_BIN_DIR": str(folder / "bin")}
    done = subprocess.run(
        [uv, "tool", "install", "--quiet", "--no-progress", "--force", *python, package],
        env={**os.environ, **where},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = re.sub(r"//[^/@\s]*@", "//", last_line(done.stderr))
        raise AnnotationServerError(f"uv cannot install Label Studio {VERSION}: {said}")


def last_line(text: str) -> str:
    """The last of a text that is not empty, and not much of it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
