from __future__ import annotations

import logging
import os
import signal
from pathlib import Path

import httpx
import pytest

from annotate.labelstudio import LabelStudio
from annotate.server import Running, serve
from corpus.errors import AnnotationServerError
from tests.annotate.studio import CONFIG, external_ids, tasks
from tests.servers.label_studio import Between


def test_a_server_that_is_killed_is_carried_on_with(fresh: Path) -> None:
    many, numbers = tasks(700), list[int]()
    with serve(fresh) as running:
        server = LabelStudio(running.server.url, running.server.token)
        project = server.make_project("killed", CONFIG)

        def kill(done: int) -> None:
            numbers.append(done)
            os.killpg(running.process.pid, signal.SIGKILL)

        with server, pytest.raises(AnnotationServerError, match=r"does not answer|broke off"):
            server.add_tasks(project, many, track=kill)
        assert numbers == [250]
    with (
        serve(fresh) as running,
        LabelStudio(running.server.url, running.server.token) as server,
    ):
        added = server.add_tasks(project, many)
        assert (added.new, added.known) == (450, 250)
        coming = server.changed_tasks(project)
        next(coming)
        os.killpg(running.process.pid, signal.SIGKILL)
        with pytest.raises(AnnotationServerError, match=r"does not answer|broke off"):
            list(coming)
    with (
        serve(fresh) as running,
        LabelStudio(running.server.url, running.server.token) as server,
    ):
        wanted = [task["data"]["external_id"] for task in many]
        assert external_ids(server, project) == wanted


@pytest.fixture
def token(label_studio: Running) -> str:
    return label_studio.server.token


def test_a_batch_whose_answer_is_lost_is_not_doubled(
    between: Between, token: str, project: int, server: LabelStudio
) -> None:
    lost = iter(["lost"])
    between.rule = lambda method, path: (
        next(lost, "") if method == "POST" and "/import" in path else ""
    )
    with LabelStudio(between.url, token) as away:
        with pytest.raises(AnnotationServerError, match="broke off"):
            away.add_tasks(project, tasks(300))
        assert len([path for method, path in between.seen if method == "POST"]) == 1
        added = away.add_tasks(project, tasks(300))
    assert (added.new, added.known) == (50, 250)
    assert server.count(project) == 300


@pytest.mark.parametrize("what", ["busy", "lost"])
def test_what_is_only_asked_is_asked_again(
    between: Between, token: str, project: int, what: str
) -> None:
    bad = iter([what, what])
    between.rule = lambda _method, path: next(bad, "") if path.startswith("/api/tasks") else ""
    with LabelStudio(between.url, token) as server:
        assert server.known_tasks(project) == {}
        between.rule = lambda _method, _path: what
        with pytest.raises(AnnotationServerError, match=r"HTTP 503|broke off"):
            server.count(project)


def test_what_writes_is_sent_once(between: Between, token: str) -> None:
    between.rule = lambda _method, _path: "busy"
    with (
        LabelStudio(between.url, token) as server,
        pytest.raises(AnnotationServerError, match="HTTP 503"),
    ):
        server.make_project("not to be made", CONFIG)
    assert between.seen == [("POST", "/api/projects/")]


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("page", "does not answer as Label Studio does"),
        ("moved", r"sends on to https://studio\.example\.org/ "),
        ("hang", "takes too long"),
    ],
)
def test_what_is_no_label_studio_is_told(
    between: Between, token: str, what: str, told: str
) -> None:
    between.rule = lambda _method, _path: what
    patience = httpx.Timeout(0.5 if what == "hang" else 30.0)
    with LabelStudio(between.url, token, timeout=patience) as server:
        calls = (
            server.who,
            lambda: server.known_tasks(1),
            lambda: list(server.changed_tasks(1)),
            lambda: server.find_project("cante"),
        )
        for call in calls:
            with pytest.raises(AnnotationServerError, match=told) as error:
                call()
            for secret in (token, "a-secret", "<", "\n", "Cookie"):
                assert secret not in str(error.value)


def test_a_server_that_is_not_there_is_told() -> None:
    with (
        LabelStudio("http://127.0.0.1:9", "0" * 40) as server,
        pytest.raises(AnnotationServerError, match="`corpus annotate serve` starts one"),
    ):
        server.who()


def test_nothing_logs_a_secret(
    label_studio: Running, caplog: pytest.LogCaptureFixture, project: int
) -> None:
    caplog.set_level(logging.DEBUG)
    with LabelStudio(label_studio.server.url, label_studio.server.token) as server:
        server.add_tasks(project, tasks(1))
        with pytest.raises(AnnotationServerError):
            server.count(10**9)
        assert label_studio.server.token not in repr(server._says)
    assert label_studio.server.token not in caplog.text
    assert "/api/tasks/" in caplog.text
