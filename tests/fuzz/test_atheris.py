"""The harnesses of fuzz/run.py work: a few seconds each.  `make fuzz` looks for longer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

RUN = Path(__file__).parents[2] / "fuzz" / "run.py"


def ran(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(RUN), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_target_that_is_none() -> None:
    done = ran("nothing")
    assert done.returncode == 2
    assert "no target nothing: known are letra, " in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("name", TARGETS)
def test_a_few_seconds(name: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="not for this system: group fuzz")
    done = ran("--seconds", "5", "--keep", tmp_path, name)
    assert done.returncode == 0, done.stdout
    assert f"{name:18} ok" in done.stdout
    assert "0 of 1 targets failed" in done.stdout
