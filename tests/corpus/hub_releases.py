"""Small releases to push, and the clients of the hub let online to a hub on this machine."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from corpus.media import flac_bytes
from corpus.publish.folder import CARD, MANIFEST, Manifest, write_manifest
from corpus.publish.shards import write_shard
from tests.servers.hub_state import OWNER, Blob, Hub

CARD_TEXT = (
    "---\nlanguage:\n- es\nlicense: other\npretty_name: cante\n---\n\n"
    "# cante ---\n\nAy, ñ.\n\n---\n\nEnd.\n"
)
REPO = "pena/cante"
ALWAYS = math.inf
SHARDS = ("train-a", "train-b", "train-c", "train-last", "validation-last", "test-last")


def row(name: str, rights: str = "cc0", audio: str = "") -> dict[str, Any]:
    """A row with sound of its own; `audio` are its rights, where they are others."""
    seed = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)
    hiss = np.random.default_rng(seed).normal(0, 0.1, 1600).astype(np.float32)
    return {
        "id": hashlib.sha256(name.encode()).hexdigest(),
        "audio": {"bytes": flac_bytes(hiss), "path": f"{name}.flac"},
        "text": f"ay {name}",
        **dict.fromkeys(("rights_audio", "rights_text", "rights_annotation"), rights),
        **({"rights_audio": audio} if audio else {}),
    }


def make(
    folder: Path,
    *,
    n_rows: int = 3,
    changed: str = "",
    rights: str = "cc0",
    without: str = "",
    audio: str = "",
    sound: bool = True,
) -> Path:
    """A release in a folder, whose name is its own; one row of the shard `changed` differs.

    `audio` are the rights of its sound where they are others; without `sound` it is pointers.
    """
    (folder / "data").mkdir(parents=True)
    (folder / "plots").mkdir()
    for shard in SHARDS:
        if shard == without:
            continue
        names = [f"{shard} {n}{'!' if shard == changed and not n else ''}" for n in range(n_rows)]
        blank, none = dict.fromkeys(_columns()), {} if sound else {"audio": None}
        rows = [blank | row(one, rights, audio) | none for one in names]
        write_shard(folder / f"data/{shard}.parquet", rows)
    if not sound:
        (folder / "pointers").mkdir()
        (folder / "pointers/recordings.parquet").write_bytes(b"PAR1" + folder.name.encode())
    (folder / "plots/hours.png").write_bytes(b"\x89PNG" + folder.name.encode())
    (folder / CARD).write_text(CARD_TEXT, "utf-8")
    splits = {"train": 4 * n_rows, "validation": n_rows, "test": n_rows}
    made, codec = "2026-01-01T00:00:00+00:00", "flac" if sound else ""
    write_manifest(folder, Manifest(name=folder.name, made=made, codec=codec, rows=splits))
    return folder


def _columns() -> list[str]:
    from corpus.publish.columns import features

    return list(features())


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def published(hub: Hub) -> dict[str, bytes]:
    """What everybody gets: the release's files."""
    repo = hub.repos.get(REPO)
    files = repo.files if repo else {}
    return {path: data for path, data in files.items() if path != ".gitattributes"}


def sent(hub: Hub) -> list[str]:
    """The large files that came, by their digest."""
    return [one.path.rpartition("/")[2] for one in hub.log if one.method == "PUT" and one.status]


def large(folder: Path) -> set[str]:
    told = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    return {one.sha256 for path, one in told.files.items() if path != CARD}


def change_at_hub(hub: Hub, **files: bytes | None) -> None:
    """Somebody changes files on the page of the hub."""
    repo = hub.repos[REPO]
    now = dict(repo.commits[repo.head].files)
    for path, data in files.items():
        if data is None:
            del now[path]
        else:
            now[path] = Blob(data, large=path.endswith(".parquet"))
    repo.commit("by hand", now)


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """`v1`; `v2`, which has one row and one file other; `shut`, whose rights nobody knows.

    `asked`, whose sound is for research only; `mute`, whose sound nobody may have and is not there.
    """
    root = tmp_path_factory.mktemp("releases")
    return {
        "v1": make(root / "v1"),
        "v2": make(root / "v2", changed="train-b", without="train-c"),
        "shut": make(root / "shut", rights="unknown"),
        "asked": make(root / "asked", audio="research-only"),
        "mute": make(root / "mute", audio="unknown", sound=False),
    }


@pytest.fixture
def online(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """The hub on this machine is what the clients in this process ask, as its owner, at once."""
    from huggingface_hub import constants, file_download
    from huggingface_hub.utils import _http

    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_TOKEN", OWNER)
    monkeypatch.setattr("corpus.publish.hub._FIRST_WAIT", 0.001)
    monkeypatch.setattr(_http, "time", SimpleNamespace(sleep=lambda _: None))
    for name, value in {
        "HF_HUB_OFFLINE": False,
        "HF_HUB_DISABLE_XET": True,
        "ENDPOINT": hub.url,
        "HF_TOKEN_PATH": str(tmp_path / "no-login"),
    }.items():
        monkeypatch.setattr(constants, name, value)
    # Made of the address when it was imported.
    files = f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(file_download, "HUGGINGFACE_CO_URL_TEMPLATE", files, raising=False)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", files)
    _reset()
    yield hub
    monkeypatch.undo()
    _reset()


def _reset() -> None:
    """Begin with new sessions: they remember whether the hub may be asked."""
    import huggingface_hub

    if set_factory := getattr(huggingface_hub, "set_client_factory", None):
        set_factory(import_module("huggingface_hub.utils._http").default_client_factory)
    else:
        huggingface_hub.configure_http_backend()
