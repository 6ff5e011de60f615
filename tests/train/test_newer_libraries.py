"""Training with the libraries of training machines: torch 2.13, transformers 5, hub 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.newer import Newer

HERE = Path(__file__).parent


@pytest.mark.long
def test_training_and_judging_with_the_newer_libraries(newer: Newer) -> None:
    """Alone: pytest -m long tests/train (pip makes an environment without whisperx)."""
    assert " passed" in newer(HERE)
