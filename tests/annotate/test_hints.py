"""Hints of a server: they cut waiting short, and are nothing but hints."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from annotate.hints import PATH, Hints, hints
from annotate.labelstudio import LabelStudio
from annotate.server import Running
from corpus.errors import AnnotationServerError
from tests.annotate.studio import CONFIG, annotate


@pytest.fixture
def taking() -> Iterator[Hints]:
    with hints() as there:
        yield there


def post(url: str) -> int:
    return httpx.post(url, trust_env=False, timeout=5.0).status_code


def test_without_a_hint_the_time_is_waited(taking: Hints) -> None:
    before = time.monotonic()
    assert not taking.wait(0.2)
    assert time.monotonic() - before >= 0.2


def test_a_hint_cuts_it_short_once(taking: Hints) -> None:
    threading.Timer(0.1, post, (taking.url,)).start()
    before = time.monotonic()
    assert taking.wait(30)
    assert time.monotonic() - before < 10
    assert not taking.wait(0.1)


def test_who_does_not_know_the_address_gives_none(taking: Hints) -> None:
    assert post(taking.url[:-1]) == 404
    assert post(taking.url.partition(PATH)[0] + PATH) == 404
    assert httpx.get(taking.url, trust_env=False).status_code == 501
    assert not taking.wait(0.1)


def test_nobody_listens_after_the_block() -> None:
    with hints() as gone:
        pass
    with pytest.raises(httpx.ConnectError):
        post(gone.url)


# ---- the real server


@pytest.fixture
def server(label_studio: Running) -> Iterator[LabelStudio]:
    with LabelStudio(label_studio.server.url, label_studio.server.token) as there:
        yield there


def hooks(server: LabelStudio, project: int) -> list[str]:
    return [hook.url for hook in server._sdk.webhooks.list(project=project)]


def test_the_server_tells_when_somebody_hands_in(server: LabelStudio, taking: Hints) -> None:
    project = server.make_project("hints of a project", CONFIG)
    server.add_tasks(project, [{"data": {"audio": "/data/x.flac", "external_id": "one"}}])
    with server.hinting([project], taking.url):
        taking.wait(1.0)
        annotate(server, server.known_tasks(project)["one"][0].id, result=[])
        assert taking.wait(30)
    assert hooks(server, project) == []


def test_hints_to_who_was_killed_end(server: LabelStudio, taking: Hints) -> None:
    project = server.make_project("hints to nobody", CONFIG)
    elsewhere = "http://127.0.0.1:1/of-somebody-else"
    for url in (f"http://127.0.0.1:1{PATH}killed", elsewhere):
        server._sdk.webhooks.create(url=url, project=project)
    with server.hinting([project], taking.url):
        assert sorted(hooks(server, project)) == sorted([elsewhere, taking.url])
    assert hooks(server, project) == [elsewhere]


def test_a_project_that_is_gone_is_told(server: LabelStudio, taking: Hints) -> None:
    with pytest.raises(AnnotationServerError, match="hints"), server.hinting([10**6], taking.url):
        pass
