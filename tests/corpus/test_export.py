"""`corpus export`: a release becomes a folder of another format, whole or not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.errors import PublishError
from corpus.media import hash_file
from corpus.publish.folder import MANIFEST
from corpus.publish.formats import formats
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.released import exported, fill, released

NAMES = sorted(formats())
SOUND = sorted(name for name, form in formats().items() if form.needs_sound)


@pytest.fixture
def uno(workspace: Workspace) -> Path:
    """A release with the name uno."""
    fill(workspace)
    return released(workspace, workspace.root / "releases" / "uno")


def changed(release: Path, path: Path, table: pa.Table) -> None:
    """Write a file anew, and the manifest as if it had been so."""
    pq.write_table(table, path)
    told = json.loads((release / MANIFEST).read_text("utf-8"))
    file = told["files"][f"data/{path.name}"]
    file["sha256"], file["bytes"] = hash_file(path), path.stat().st_size
    (release / MANIFEST).write_text(json.dumps(told), "utf-8")


def filled(release: Path, column: str, value: Any) -> None:
    """All rows of the first file have a value in a column; None takes the column away."""
    path = min((release / "data").iterdir())
    table = pq.read_table(path).drop_columns([column])
    if value is not None:
        table = table.append_column(column, pa.array([value] * len(table)))
    changed(release, path, table)


def refused(release: Path, name: str, folder: Path, reason: str) -> None:
    """It is refused for a reason, in one line, and nothing stays."""
    with pytest.raises(PublishError, match=reason) as error:
        exported(release, name, folder / "out")
    assert "\n" not in str(error.value)
    assert not list(folder.glob("*out*"))
    assert not list(folder.glob(".part-*"))


# ---- the verb


def test_a_release_by_its_name_goes_beside_where_one_is(
    cli: Cli, uno: Path, workspace: Workspace
) -> None:
    ran = cli("export", "uno", "--to", "lrc")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("export: uno-lrc: lrc, ")
    assert (workspace.root / "uno-lrc" / "train" / "metadata.jsonl").is_file()
    assert uno.is_dir()


@pytest.mark.parametrize("option", ["--to", "--format"])
def test_a_release_by_its_folder_needs_no_corpus(
    cli: Cli, uno: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.chdir(tmp_path)
    told = cli("export", uno, "afuera", option, "NeMo", "--json").json
    assert (told["format"], told["folder"]) == ("nemo", "afuera")
    n_rows = json.loads((uno / MANIFEST).read_text("utf-8"))["rows"]
    assert told["rows"] == n_rows
    assert (tmp_path / "afuera" / "train_manifest.json").is_file()


def test_help_names_every_format(cli: Cli) -> None:
    said = cli("export", "--help").out
    assert all(name in said for name in NAMES)


def test_what_does_not_go_together_is_2(cli: Cli, uno: Path, workspace: Workspace) -> None:
    recording = workspace.store.recordings()[0].id
    for arguments, says in (
        (("uno",), "--to audiofolder, kaldi, lhotse, lrc, nemo, shar, textgrid, webdataset"),
        (("uno", "--to", "srt"), "a release is not exported to 'srt': --to audiofolder, "),
        ((recording, "--to", "kaldi"), "a recording is not exported to 'kaldi': --to json, lrc, "),
        ((recording, "out", "--to", "lrc"), "a recording is printed, not written to out"),
        ((recording, "--json", "--to", "lrc"), "two formats"),
        (("dos", "--to", "lrc"), "'dos' is no release"),
        (("../uno", "--to", "lrc"), "'../uno' is no release"),
        (("x" * 5000, "--to", "lrc"), "is no release"),
        (("f00", "--to", "lrc"), "no recording has an id"),
    ):
        ran = cli("export", *arguments)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
        assert says in ran.err
    assert cli("export", recording, "--json").json == cli("export", recording).json
    assert uno.is_dir()


def test_what_is_refused_is_1_and_one_line(cli: Cli, uno: Path, workspace: Workspace) -> None:
    (workspace.root / "uno-lrc").write_bytes(b"")
    ran = cli("export", "uno", "--to", "lrc")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "uno-lrc is taken" in ran.err
    assert uno.is_dir()


def test_a_package_that_is_not_there_is_named(
    cli: Cli, uno: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "webdataset", None)
    ran = cli("export", "uno", "--to", "webdataset")
    assert (ran.code, "pip install 'cante-corpus[publish]'" in ran.err) == (1, True)
    assert not (Path.cwd() / "uno-webdataset").exists()
    assert uno.is_dir()


# ---- what is refused, and leaves nothing


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_is_taken_stays(uno: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "text").write_text("mine", "utf-8")
    with pytest.raises(PublishError, match="is taken"):
        exported(uno, name, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["text"]
    (tmp_path / "empty").mkdir()
    assert exported(uno, name, tmp_path / "empty").rows["train"]


@pytest.mark.parametrize("name", NAMES)
def test_pointers_give_what_needs_no_sound(workspace: Workspace, tmp_path: Path, name: str) -> None:
    fill(workspace)
    pointers = released(workspace, tmp_path / "dos", pointers=True)
    if name in SOUND:
        refused(
            pointers, name, tmp_path, rf"dos has no sound, which {name} needs: `corpus rebuild`"
        )
    else:
        assert exported(pointers, name, tmp_path / "out").rows["train"]


def test_a_release_that_is_damaged(uno: Path, tmp_path: Path) -> None:
    path = min((uno / "data").iterdir())
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    refused(uno, "nemo", tmp_path, "is missing or cut short")
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    path.write_bytes(flipped)
    refused(uno, "nemo", tmp_path, "is damaged: get the release again")
    path.write_bytes(b"?" * len(whole))
    refused(uno, "nemo", tmp_path, "cannot be read|is damaged")
    path.unlink()
    refused(uno, "nemo", tmp_path, "is missing or cut short")
    (uno / MANIFEST).write_text("{", "utf-8")
    refused(uno, "nemo", tmp_path, "is damaged")
    (uno / MANIFEST).unlink()
    refused(uno, "nemo", tmp_path, "is no release")


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("words", None, "has no column words"),
        ("audio", None, "has no column audio"),
        ("id", "../../etc/passwd", "which is no id"),
        ("id", "", "which is no id"),
        ("id", "a" * 65, "which is no id"),
        ("audio", {"bytes": b"RIFF", "path": "a.flac"}, "the sound of row .* is damaged"),
        ("audio", {"bytes": b"", "path": "a.flac"}, "has no sound: `corpus rebuild` first"),
    ],
)
def test_rows_that_cannot_be(
    uno: Path, tmp_path: Path, column: str, value: Any, reason: str
) -> None:
    filled(uno, column, value)
    for name in SOUND:
        refused(uno, name, tmp_path, reason)


@pytest.mark.parametrize("name", ["lrc", "textgrid"])
def test_recordings_that_cannot_be(uno: Path, tmp_path: Path, name: str) -> None:
    filled(uno, "recording", "../x")
    refused(uno, name, tmp_path, "a row has the recording '../x', which is no id")


@pytest.mark.parametrize("name", ["lrc", "textgrid"])
def test_a_recording_in_pieces(uno: Path, tmp_path: Path, name: str) -> None:
    path = max((uno / "data").iterdir(), key=lambda one: len(pq.read_table(one)))
    table = pq.read_table(path)
    order = pa.array([*range(len(table)), 0])
    changed(uno, path, table.take(order))
    refused(uno, name, tmp_path, "do not lie together")


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_leaves_no_folder(uno: Path, tmp_path: Path, name: str) -> None:
    """In a process of its own that may write so much, and no more, to any file."""
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from corpus.errors import PublishError\n"
        "from corpus.publish.export import export\n"
        "from corpus.publish.formats import formats\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
        "try:\n"
        "    export(Path(sys.argv[1]), formats()[sys.argv[2]], Path(sys.argv[3]))\n"
        "except PublishError as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-B", "-c", code, str(uno), name, str(tmp_path / "out")]
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=120)
    assert ran.stdout.startswith(f"no room left on the disk for {tmp_path / 'out'}: "), ran.stderr
    assert ran.stdout.count("\n") == 1
    assert not list(tmp_path.glob("*out*"))
    assert not list(tmp_path.glob(".part-*"))


def test_killed_half_way_leaves_no_folder(uno: Path, tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from corpus.publish.export import export\n"
        "from corpus.publish.formats import formats\n"
        "def track(pieces):\n"
        "    yield from pieces\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "export(Path(sys.argv[1]), formats()['nemo'], Path(sys.argv[2]), track=track)\n"
    )
    command = [sys.executable, "-c", code, str(uno), str(tmp_path / "out")]
    env = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(command, env=env, capture_output=True, check=False, timeout=120)
    assert ran.returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    assert exported(uno, "nemo", tmp_path / "out").rows["train"]
