"""A client of the real server that runs for all tests, and an empty project there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

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
