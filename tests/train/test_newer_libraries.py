"""Training with the libraries of training machines: torch 2.13, transformers 5, hub 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.long
def test_training_and_judging_with_the_newer_libraries(tmp_path: Path) -> None:
    """Alone: pytest -m long tests/train (pip makes an environment without whisperx)."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    python = str(tmp_path / "env" / "bin" / "python")
    newer = ["torch>=2.11,<2.14", "transformers>=5.17,<6", "datasets>=5.2,<5.3"]
    wanted = [*newer, "--editable", f"{HERE.parents[1]}[train]", "pytest", "hypothesis", "jiwer"]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
    ran = subprocess.run(
        [python, "-m", "pytest", "-q", "-m", "not long", str(HERE)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=HERE.parents[1],
    )
    assert ran.returncode == 0, ran.stdout[-5000:]
