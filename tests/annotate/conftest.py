"""A client of the real server that runs for all tests, and an empty project there."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotate.labelstudio import LabelStudio
from annotate.server import Running
from tests.annotate.studio import CONFIG


@pytest.fixture
def server(label_studio: Running) -> Iterator[LabelStudio]:
    with LabelStudio(label_studio.server.url, label_studio.server.token) as client:
        yield client


@pytest.fixture
def project(server: LabelStudio) -> int:
    return server.make_project(f"cante {uuid.uuid4().hex[:12]}", CONFIG)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where pictures of pages are kept: $CANTE_ARTEFACTS, else with what this test leaves."""
    folder = Path(os.environ.get("CANTE_ARTEFACTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
