"""An environment as training machines have it: torch 2.13, transformers 5, datasets 5.2, hub 2."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

__all__ = ["ROOT", "Newer", "newer"]

ROOT = Path(__file__).parents[1]
_LIBRARIES = ("torch>=2.11,<2.14", "transformers>=5.17,<6", "datasets>=5.2,<5.3")
# What `datasets` reads and writes sound with: each line of it goes with some of torch.
_SOUND = "torchcodec<0.14"
_HUB = "huggingface-hub>=2"
_FOR_TESTS = ("pytest", "hypothesis", "jiwer", "kaldiio", "faster-whisper")

Newer = Callable[..., str]
"""Runs tests there, given by their files; gives what pytest said.  They must pass."""


@pytest.fixture(scope="session")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Newer:
    """By pip, without whisperx, which would hold everything back; takes minutes."""
    folder = tmp_path_factory.mktemp("newer") / "env"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    ours = ["--editable", f"{ROOT}[annotate,publish,train]"]
    wanted = [*_LIBRARIES, _SOUND, _HUB, *_FOR_TESTS, *ours]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)

    def run(*files: Path) -> str:
        command = [python, "-m", "pytest", "-q", "-m", "not long", *map(str, files)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        assert ran.returncode == 0, ran.stdout[-5000:]
        return ran.stdout

    return run
