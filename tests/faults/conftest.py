"""The scenes, played once for all tests of faults."""

from __future__ import annotations

import pytest

from tests.faults.scenes import Played
from tests.faults.scenes import played as play


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """Every scene as it is undisturbed."""
    return play(tmp_path_factory.mktemp("faults"))
