"""Publishing with the libraries of training machines: datasets 5.2, hub 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.newer import Newer

HERE = Path(__file__).parent
PUBLISHING = (
    *("push", "pull", "hub", "publish", "release", "withdraw", "export", "formats", "rebuild"),
    *("copies", "clips", "choose", "divide", "card", "report"),
)
"""How the names of the files go on whose tests are of releases."""


@pytest.mark.long
def test_publishing_with_the_newer_libraries(newer: Newer) -> None:
    """Alone: pytest -m long tests/corpus/test_newer_libraries.py."""
    files = [path for name in PUBLISHING for path in sorted(HERE.glob(f"test_{name}*.py"))]
    assert len(files) >= len(PUBLISHING)
    assert " passed" in newer(*files)
