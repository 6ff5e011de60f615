"""A client of the real server that runs for all tests, and an empty project there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from annotate.labelstudio import LabelStudio
from annotate.server import Running
from corpus.media import flac_bytes
from corpus.workspace import Workspace
from tests.annotate.pushed import ALL, UNO, align
from tests.annotate.studio import CONFIG
from tests.corpus.made import tone


@pytest.fixture
def server(label_studio: Running) -> Iterator[LabelStudio]:
    with LabelStudio(label_studio.server.url, label_studio.server.token) as client:
        yield client


@pytest.fixture
def project(server: LabelStudio) -> int:
    return server.make_project(f"cante {uuid.uuid4().hex[:12]}", CONFIG)


@pytest.fixture
def corpus(workspace: Workspace) -> Iterator[Workspace]:
    path = workspace.media.flac(UNO.id)
    path.parent.mkdir(parents=True)
    path.write_bytes(flac_bytes(tone(UNO.duration)))
    align(workspace, *ALL)
    yield workspace
    workspace.store.close()


@pytest.fixture
def title() -> str:
    """Of a project of this test's own."""
    return f"cante {uuid.uuid4().hex[:12]}"
