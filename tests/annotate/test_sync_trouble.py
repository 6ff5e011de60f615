"""What is cut short in the middle, by a real server or by us: the same command carries on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from annotate.labels import labelling_config, questions_of
from annotate.labelstudio import LabelStudio
from annotate.server import Running, serve
from annotate.sync import projects_of, pull_from
from corpus.errors import AnnotationServerError, UsageError
from corpus.records import Verdict
from corpus.rows import Done
from corpus.workspace import Workspace
from tests.annotate.people import kind, text
from tests.annotate.pushed import ALL, MADRE, OLE, PENA, hand_in, number_of, push, said, texts
from tests.servers.label_studio import PRIVATE, Between, logged_in

RIGHT = [(one.text, Verdict.RIGHT) for one in ALL]
SMALL = "import annotate.labelstudio as there, annotate.sync as way\n"
SMALL += "there._BATCH = there._PAGE = way._BATCH = 1\n"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """One task in each request and in each batch that lands: three have a middle."""
    for name in (
        "annotate.labelstudio._BATCH",
        "annotate.labelstudio._PAGE",
        "annotate.sync._BATCH",
    ):
        monkeypatch.setattr(name, 1)


def in_the_middle(between: Between, sign: str, act: Callable[[], str]) -> None:
    """At the second request whose path has this in it, `act` says what is done."""
    n_seen = 0

    def rule(_method: str, path: str) -> str:
        nonlocal n_seen
        n_seen += is_one(sign, path)
        return act() if is_one(sign, path) and n_seen == 2 else ""

    between.rule = rule


def is_one(sign: str, path: str) -> bool:
    """Sounds go a way like that of tasks."""
    return sign in path and "commit_to_project" not in path


ADDING, READING = "/import", "fields=all"


def external_ids(server: LabelStudio, project: int) -> list[tuple[str, int]]:
    return sorted((id_, len(placed)) for id_, placed in server.known_tasks(project).items())


EACH_ONCE = sorted((one.id, 1) for one in ALL)


# ---- a server that is killed, and one that takes the token no more


@pytest.fixture
def own(corpus: Workspace, migrated: Path) -> Iterator[Running]:
    shutil.copytree(migrated, corpus.root / PRIVATE)
    with serve(corpus.root) as running:
        yield running


def kill(running: Running) -> str:
    os.killpg(running.process.pid, signal.SIGKILL)
    running.process.wait()
    return ""


@pytest.mark.usefixtures("small")
def test_a_server_that_is_killed_while_it_is_pushed_to_and_pulled_from(
    corpus: Workspace, migrated: Path, title: str
) -> None:
    shutil.copytree(migrated, corpus.root / PRIVATE)
    gone = r"does not answer|broke off"
    with (
        serve(corpus.root) as running,
        closing(Between(running.server.url)) as between,
        LabelStudio(between.url, running.server.token) as server,
    ):
        in_the_middle(between, ADDING, lambda: kill(running))
        with pytest.raises(AnnotationServerError, match=gone):
            push(corpus, server, title)
    with (
        serve(corpus.root) as running,
        closing(Between(running.server.url)) as between,
        LabelStudio(running.server.url, running.server.token) as server,
        LabelStudio(between.url, running.server.token) as cut,
    ):
        told = push(corpus, server, title)
        assert (told.new, told.known) == (2, 1)
        for one in ALL:
            hand_in(server, told.project, one)
        in_the_middle(between, READING, lambda: kill(running))
        with pytest.raises(AnnotationServerError, match=gone):
            pull_from(corpus, cut, told.project)
        assert said(corpus) == RIGHT[:1]
    with (
        serve(corpus.root) as running,
        LabelStudio(running.server.url, running.server.token) as server,
    ):
        assert external_ids(server, told.project) == EACH_ONCE
        assert pull_from(corpus, server, told.project).verdicts == {"right": 3}
        assert said(corpus) == RIGHT


@pytest.mark.usefixtures("small")
def test_a_token_that_is_taken_back_in_the_middle(
    corpus: Workspace, own: Running, title: str
) -> None:
    tokens = [own.server.token]

    def take_back() -> str:
        with logged_in(own) as session:
            headers = {"X-CSRFToken": session.cookies["csrftoken"], "Referer": own.server.url}
            told = session.post("/api/current-user/reset-token/", headers=headers)
            tokens.append(told.json()["token"])
        return ""

    with closing(Between(own.server.url)) as between:
        for sign, call in ((ADDING, push), (READING, pull_all)):
            with LabelStudio(between.url, tokens[-1]) as server:
                in_the_middle(between, sign, take_back)
                with pytest.raises(AnnotationServerError, match="does not take the token") as error:
                    call(corpus, server, title)
            assert not any(token in str(error.value) for token in tokens)
            with LabelStudio(between.url, tokens[-1]) as server:
                call(corpus, server, title)
                project = server.find_project(title)
                assert project is not None
                assert external_ids(server, project) == EACH_ONCE
                if sign == ADDING:
                    for one in ALL:
                        hand_in(server, project, one)
    assert said(corpus) == RIGHT


def pull_all(corpus: Workspace, server: LabelStudio, title: str) -> None:
    for number in projects_of(server, title, ""):
        pull_from(corpus, server, number)


# ---- our own process


@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGINT])
def test_we_are_killed_in_the_middle(
    corpus: Workspace,
    server: LabelStudio,
    between: Between,
    title: str,
    monkeypatch: pytest.MonkeyPatch,
    signal_: signal.Signals,
) -> None:
    token = server._says.token
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", token)
    ran = cut_short(corpus, between, ADDING, signal_, "push", "--project", title)
    told = push(corpus, server, title)
    assert (told.new, told.known) == (2, 1)
    assert external_ids(server, told.project) == EACH_ONCE
    for one in ALL:
        hand_in(server, told.project, one)
    ran += cut_short(corpus, between, READING, signal_, "pull", "--project", title)
    assert said(corpus) == RIGHT[:1]
    assert pull_from(corpus, server, told.project).verdicts == {"right": 3}
    assert said(corpus) == RIGHT
    assert token not in ran
    assert "Traceback" not in ran


def cut_short(
    corpus: Workspace, between: Between, sign: str, signal_: signal.Signals, *options: str
) -> str:
    """Send the real command a signal while it waits for the second answer; all that it said."""
    in_the_middle(between, sign, lambda: "hang")
    between.seen.clear()
    command = [sys.executable, "-c", f"{SMALL}from corpus.cli import main\nmain()", "annotate"]
    with subprocess.Popen(
        [*command, *options, "--url", between.url],
        cwd=corpus.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        limit = time.monotonic() + 60
        while sum(is_one(sign, path) for _, path in list(between.seen)) < 2:
            assert running.poll() is None, running.communicate()[0]
            assert time.monotonic() < limit, "waited in vain"
            time.sleep(0.05)
        running.send_signal(signal_)
        told = str(running.communicate(timeout=30)[0])
    assert running.returncode != 0
    return told


# ---- a project that is removed, and what people do there


@pytest.mark.usefixtures("small")
def test_a_project_that_is_removed_in_the_middle(
    corpus: Workspace, server: LabelStudio, between: Between, title: str
) -> None:
    def remove() -> str:
        server._sdk.projects.delete(server.find_project(title) or 0)
        return ""

    with LabelStudio(between.url, server._says.token) as cut:
        in_the_middle(between, ADDING, remove)
        with pytest.raises(AnnotationServerError, match="no such thing, or no longer"):
            push(corpus, cut, title)
        # The same command makes another.
        told = push(corpus, cut, title)
        assert (told.new, told.known) == (3, 0)
        for one in ALL:
            hand_in(server, told.project, one)
        in_the_middle(between, READING, remove)
        with pytest.raises(AnnotationServerError, match="no such thing, or no longer"):
            pull_from(corpus, cut, told.project)
        # What came before is kept; of the project there is a word.
        assert said(corpus) == RIGHT[:1]
        with pytest.raises(UsageError, match=f"has no project '{title}'"):
            projects_of(cut, title, "")


@pytest.mark.usefixtures("small")
def test_what_came_before_the_server_faltered_is_kept(
    corpus: Workspace, server: LabelStudio, between: Between, title: str
) -> None:
    project = push(corpus, server, title).project
    for one in ALL:
        hand_in(server, project, one)
    with LabelStudio(between.url, server._says.token) as cut:
        reading = iter(["", ""])
        between.rule = lambda _, path: next(reading, "busy") if READING in path else ""
        with pytest.raises(AnnotationServerError, match="HTTP 503"):
            pull_from(corpus, cut, project)
        assert said(corpus) == RIGHT[:2]
        # The rest comes, though nobody has touched it since.
        between.rule = lambda _method, _path: ""
        assert pull_from(corpus, cut, project).verdicts == {"right": 3}
        assert said(corpus) == RIGHT


def test_a_server_whose_clock_was_set_back(
    corpus: Workspace, server: LabelStudio, title: str
) -> None:
    project = push(corpus, server, title).project
    hand_in(server, project, PENA)
    assert pull_from(corpus, server, project).new == 1
    future = "2099-01-01T00:00:00.000000+00:00"
    item = f"{server.url} {project}"
    ahead = Done(stage="pull", item=item, inputs=future, state="done", note="", at="")
    with corpus.store.transaction() as transaction:
        # As it would be, had the server dated that so.
        transaction.mark(ahead)
    mine = hand_in(server, project, OLE)
    told = pull_from(corpus, server, project)
    assert (told.new, told.missing) == (1, 0)
    assert said(corpus) == [RIGHT[0], RIGHT[2]]
    # Nothing is missing where somebody has taken one back there: what was said stays.
    server._raw(f"api/annotations/{mine['id']}/", method="PATCH", json={"was_cancelled": True})
    server._sdk.annotations.delete(mine["id"])
    assert pull_from(corpus, server, project).missing == 0


class Forgetful(LabelStudio):
    """Counts more than it gives, as one does that has lost a part of what it had."""

    def count_said(self, project: int) -> int:
        return super().count_said(project) + 2


def test_what_the_server_counts_and_does_not_give_is_told(
    corpus: Workspace, server: LabelStudio, title: str
) -> None:
    project = push(corpus, server, title).project
    hand_in(server, project, PENA)
    with Forgetful(server.url, server._says.token) as forgetful:
        for _ in range(2):
            assert pull_from(corpus, forgetful, project).missing == 2
    assert said(corpus) == RIGHT[:1]
    assert pull_from(corpus, server, project).missing == 0


def test_a_config_that_was_changed_by_hand_sets_aside_what_it_asks(
    corpus: Workspace, server: LabelStudio, title: str
) -> None:
    project = push(corpus, server, title).project
    mood = (
        '<Choices name="mood" toName="audio"><Choice value="gay"/><Choice value="sad"/></Choices>'
    )
    config = labelling_config(questions_of(corpus.config)).replace('"Letra"', '"Cante"')
    server.set_config(project, config.replace("</View>\n", f"{mood}</View>\n", 1))
    asked = {"id": "m", "from_name": "mood", "to_name": "audio", "type": "choices"}
    hand_in(
        *(server, project, PENA, text("ay penita")),
        lambda result: result.append({**asked, "value": {"choices": ["sad"]}}),
    )
    hand_in(server, project, MADRE, kind("Cante"))
    told = pull_from(corpus, server, project)
    reasons = {one.item.rpartition(":")[2]: one.reason for one in told.failures}
    assert "'mood', which nobody was asked" in reasons[str(number_of(server, project, PENA))]
    assert "an answer 'Cante', which" in reasons[str(number_of(server, project, MADRE))]
    # The rest of it is taken, and nothing unchecked is checked.
    assert said(corpus) == [("ay penita", Verdict.CORRECTED)]
    assert texts(corpus) == ["ay penita", MADRE.text, OLE.text]
    path = corpus.root / "corpus.toml"
    toml = path.read_text("utf-8").replace(
        "[annotate.captions]", '[annotate.captions]\nletra="Cante"'
    )
    path.write_text(toml, "utf-8")
    # Once corpus.toml has the word, it is taken.
    with closing(Workspace(corpus.root).store) as _:
        again = pull_from(Workspace(corpus.root), server, project, everything=True)
    assert [one.item.rpartition(":")[2] for one in again.failures] == [
        str(number_of(server, project, PENA))
    ]
    assert len(said(corpus)) == 2
