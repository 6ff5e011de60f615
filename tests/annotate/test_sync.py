"""A workspace and a real Label Studio: nothing is lost, nothing is doubled, each fault is told."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from annotate.labels import labelling_config, questions_of
from annotate.labelstudio import LabelStudio
from annotate.server import Running
from annotate.stage import to_hear
from annotate.sync import THIRD, Pushed, Sound, Synced, projects_of, pull_from, push_to
from corpus.errors import AnnotationServerError, UsageError
from corpus.media import flac_bytes
from corpus.records import Utterance, Verdict
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.annotate.people import Edit, another_region, text, verdict, written
from tests.annotate.studio import annotate, somebody_else
from tests.corpus.made import recording, tone, utterance

UNO = recording("uno", artist="voz")
PENA = replace(utterance(UNO, "ay pena\nmía", 1.0, 2.0), score=0.2)
MADRE = replace(utterance(UNO, "mare de mi alma", 4.0, 2.0), score=0.5)
OLE = replace(utterance(UNO, "olé", 7.0, 2.0), score=0.8)
ALL = (PENA, MADRE, OLE)
SENT = Sound()
VERDICTS = {"corrected": 2, "skipped": 1, "draft": 1}


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


def align(workspace: Workspace, *utterances: Utterance) -> None:
    with workspace.store.transaction() as transaction:
        transaction.save([UNO, AlignedRecording(recording=UNO.id, utterances=utterances)])


def push(workspace: Workspace, server: LabelStudio, title: str, **more: Any) -> Pushed:
    return push_to(workspace, server, title, to_hear(workspace), SENT, **more)


def number_of(server: LabelStudio, project: int, of: Utterance) -> int:
    return server.known_tasks(project)[of.id][0].id


def begun_from(server: LabelStudio, project: int, of: Utterance) -> list[dict[str, Any]]:
    """The result that a person begins from."""
    id_ = number_of(server, project, of)
    (prediction,) = server._raw("api/predictions/", method="GET", params={"task": id_})
    result: list[dict[str, Any]] = prediction["result"]
    return result


def hand_in(
    server: LabelStudio, project: int, of: Utterance, *edits: Edit, **more: Any
) -> dict[str, Any]:
    result = begun_from(server, project, of)
    for edit in edits:
        edit(result)
    told: dict[str, Any] = annotate(
        server, number_of(server, project, of), **{"result": result, "lead_time": 20.0, **more}
    )
    return told


def texts(workspace: Workspace) -> list[str]:
    return [one.text for one in workspace.store.utterances()]


def said(workspace: Workspace) -> list[tuple[str, Verdict]]:
    return [(one.text, one.verdict) for one in workspace.store.annotations()]


# ---- there


def test_pushing_twice_changes_nothing(corpus: Workspace, server: LabelStudio, title: str) -> None:
    first = push(corpus, server, title)
    assert (first.new, first.known, first.replaced, first.notes) == (3, 0, 0, ())
    before = list(server.changed_tasks(first.project))
    again = push(corpus, server, title)
    assert again == replace(first, new=0, known=3)
    assert list(server.changed_tasks(first.project)) == before
    # The least sure comes first in the queue.
    assert [task["data"]["external_id"] for task in before] == [one.id for one in ALL]
    assert server.count(first.project) == 3


def test_new_predictions_replace_old_ones_where_nobody_has_worked(
    corpus: Workspace, server: LabelStudio, title: str
) -> None:
    project = push(corpus, server, title).project
    hand_in(server, project, PENA)
    # Aligned anew, the same text and times are surer: the ids are the same.
    align(corpus, *(replace(one, score=0.9) for one in ALL))
    told = push(corpus, server, title)
    assert (told.new, told.known, told.replaced) == (0, 3, 2)
    assert begun_from(server, project, MADRE)[0]["score"] == 0.9
    assert begun_from(server, project, PENA)[0]["score"] == 0.2
    assert push(corpus, server, title).replaced == 0
    assert pull_from(corpus, server, project).verdicts == {"right": 1}


def test_a_config_that_was_changed_by_hand_stays(
    corpus: Workspace, server: LabelStudio, title: str
) -> None:
    project = push(corpus, server, title).project
    ours = labelling_config(questions_of(corpus.config))
    # What corpus.toml has changed since goes there.
    toml = (corpus.root / "corpus.toml").read_text("utf-8")
    (corpus.root / "corpus.toml").write_text(toml.replace('"tonás"', '"tonás", "zorongo"'), "utf-8")
    other = Workspace(corpus.root)
    assert push(other, server, title).notes == ()
    assert "zorongo" in server.config_of(project)
    by_hand = ours.replace('value="Letra"', 'value="Cante"')
    server.set_config(project, by_hand)
    (note,) = push(other, server, title).notes
    assert "was changed on the server and stays so" in note
    assert "Cante" in server.config_of(project)
    other.store.close()


def test_the_clips_are_heard(
    corpus: Workspace, server: LabelStudio, title: str, label_studio: Running
) -> None:
    project = push(corpus, server, title).project
    for task in server.changed_tasks(project):
        address = f"{server.url}{task['data']['audio']}"
        login = {"Authorization": f"Token {label_studio.server.token}"}
        heard = server._http.get(address, headers=login)
        assert (
            heard.content
            == (corpus.root / "annotate" / f"clips/{task['data']['external_id']}.flac").read_bytes()
        )
    told = push_to(corpus, server, f"{title} 2", to_hear(corpus), Sound(url="https://x.org/c/"))
    (first, *_) = server.changed_tasks(told.project)
    assert first["data"]["audio"] == f"https://x.org/c/{PENA.id}.flac"


# ---- and back


def test_everything_comes_back_once(corpus: Workspace, server: LabelStudio, title: str) -> None:
    project = push(corpus, server, title).project
    hand_in(
        server, project, PENA, text("ay penita\nmía 😀 e\u0301"), another_region(0.0, 0.4, "ole")
    )
    hand_in(server, project, MADRE, was_cancelled=True)
    id_ = number_of(server, project, OLE)
    annotate(server, id_, kind="drafts", result=begun_from(server, project, OLE))
    told = pull_from(corpus, server, project)
    assert told == Synced(tasks=3, verdicts=VERDICTS, new=4, added=1)
    assert texts(corpus) == ["ole", "ay penita\nmía 😀 e\u0301", MADRE.text, OLE.text]
    assert {verdict for _, verdict in said(corpus)} == {
        Verdict.CORRECTED,
        Verdict.SKIPPED,
        Verdict.DRAFT,
    }
    who = {one.annotator for one in corpus.store.annotations()}
    assert who == {server.who().email}
    before = said(corpus)
    again = pull_from(corpus, server, project, everything=True)
    assert (again.tasks, again.new) == (3, 0)
    assert said(corpus) == before


def test_only_what_changed_is_read(corpus: Workspace, server: LabelStudio, title: str) -> None:
    project = push(corpus, server, title).project
    assert pull_from(corpus, server, project) == Synced(tasks=3)
    hand_in(server, project, OLE)
    told = pull_from(corpus, server, project)
    # Of the minute before, all is read again; what was said is there once.
    assert told.verdicts == {"right": 1}
    assert pull_from(corpus, server, project).verdicts == {"right": 1}
    assert said(corpus) == [(OLE.text, Verdict.RIGHT)]


@pytest.mark.parametrize("clock", ["2001-01-01T00:00:00+00:00", "2099-01-01T00:00:00+00:00"])
def test_the_clock_of_this_machine_does_not_count(
    corpus: Workspace,
    server: LabelStudio,
    title: str,
    monkeypatch: pytest.MonkeyPatch,
    clock: str,
) -> None:
    monkeypatch.setattr("annotate.sync.now", lambda: clock)
    project = push(corpus, server, title).project
    pull_from(corpus, server, project)
    hand_in(server, project, OLE)
    assert pull_from(corpus, server, project).verdicts == {"right": 1}


def test_two_people_on_one_task(corpus: Workspace, server: LabelStudio, title: str) -> None:
    project = push(corpus, server, title).project
    hand_in(server, project, PENA, text("ay pena tuya"))
    hand_in(server, project, PENA, text("ay pena mía"))
    assert pull_from(corpus, server, project).verdicts == {"corrected": 2}
    assert [one.text for one in corpus.store.annotations()] == ["ay pena tuya", "ay pena mía"]
    assert texts(corpus)[0] == "ay pena mía"


def test_the_malformed_are_set_aside_and_told_until_they_are_mended(
    corpus: Workspace, server: LabelStudio, title: str
) -> None:
    project = push(corpus, server, title).project
    hand_in(server, project, PENA)
    broken = hand_in(server, project, MADRE, result=[{"from_name": "other", "value": {}}])
    told = pull_from(corpus, server, project)
    (failure,) = told.failures
    assert failure.item == f"{server.url} {project}:{number_of(server, project, MADRE)}"
    assert "'other', which nobody was asked" in failure.reason
    assert said(corpus) == [(PENA.text, Verdict.RIGHT)]
    assert [one.item for one in corpus.store.funnel().failed] == [failure.item]
    server._raw(
        f"api/annotations/{broken['id']}/",
        method="PATCH",
        json={"result": begun_from(server, project, MADRE)},
    )
    assert pull_from(corpus, server, project).failures == ()
    assert corpus.store.funnel().failed == ()
    assert len(said(corpus)) == 2


def test_a_task_that_is_there_twice(corpus: Workspace, server: LabelStudio, title: str) -> None:
    project = push(corpus, server, title).project
    (task,) = (
        one for one in server.changed_tasks(project) if one["data"]["external_id"] == PENA.id
    )
    server._add(project, [{"data": task["data"]}])
    (note,) = push(corpus, server, title).notes
    assert note.startswith("1 tasks are there twice")
    placed = server.known_tasks(project)[PENA.id]
    for one, line in zip(placed, ("ay pena una", "ay pena dos"), strict=True):
        result = begun_from(server, project, PENA)
        text(line)(result)
        annotate(server, one.id, result=result)
    assert pull_from(corpus, server, project).failures == ()
    assert texts(corpus)[0] == "ay pena dos"


def test_what_was_aligned_anew_meanwhile(
    corpus: Workspace, server: LabelStudio, title: str
) -> None:
    project = push(corpus, server, title).project
    hand_in(server, project, PENA, text("ay penita mía"))
    align(corpus, replace(PENA, text="otra cosa", words=()), MADRE)
    assert pull_from(corpus, server, project).failures == ()
    assert texts(corpus) == ["ay penita mía", MADRE.text]


def test_answers_about_the_recording(corpus: Workspace, server: LabelStudio, title: str) -> None:
    project = push(corpus, server, title).project
    hand_in(server, project, PENA, written("words", "bajañí"))
    pull_from(corpus, server, project)
    (described,) = corpus.store.descriptions()
    assert described.answers == (("words", "bajañí"),)


def test_a_third_person_hears_what_two_differ_about(
    corpus: Workspace, server: LabelStudio, title: str
) -> None:
    from annotate.stage import disputed_pieces

    project = push(corpus, server, title).project
    hand_in(server, project, PENA, verdict("Texto mal"))
    pull_from(corpus, server, project)
    told = push_to(corpus, server, f"{title}{THIRD}", disputed_pieces(corpus), SENT)
    assert told.new == 1
    both = projects_of(server, "", title)
    assert both == [project, told.project]
    hand_in(server, told.project, PENA, text("ay penita mía"))
    for number in both:
        pull_from(corpus, server, number)
    assert texts(corpus)[0] == "ay penita mía"
    assert disputed_pieces(corpus) == []


# ---- faults


def test_a_project_that_is_not_there(corpus: Workspace, server: LabelStudio, title: str) -> None:
    with pytest.raises(UsageError, match=f"has no project '{title}': `corpus annotate push`"):
        projects_of(server, title, "")
    project = push(corpus, server, title).project
    server._sdk.projects.delete(project)
    with pytest.raises(AnnotationServerError, match="no such thing, or no longer"):
        pull_from(corpus, server, project)


# The SDK's own, where it is given a personal token.
@pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated:DeprecationWarning")
def test_drafts_of_other_people_come_too(
    corpus: Workspace, server: LabelStudio, title: str
) -> None:
    project = push(corpus, server, title).project
    eva = f"eva-{uuid.uuid4().hex[:8]}@example.org"
    with LabelStudio(server.url, somebody_else(server, eva)) as hers:
        result = begun_from(hers, project, MADRE)
        text("mare")(result)
        annotate(hers, number_of(hers, project, MADRE), kind="drafts", result=result)
    assert pull_from(corpus, server, project).verdicts == {"draft": 1}
    (begun,) = corpus.store.annotations()
    assert (begun.text, begun.annotator) == ("mare", eva)


class Broken:
    """Gives a page, and then the connection is gone."""

    def __init__(self, server: LabelStudio, tasks: Sequence[dict[str, Any]]) -> None:
        self.url = server.url
        self._tasks = tasks

    def changed_tasks(self, *_: object) -> Iterator[dict[str, Any]]:
        yield from self._tasks
        raise AnnotationServerError("the server is gone")

    def begun_tasks(self, _: int) -> Iterator[dict[str, Any]]:
        return iter(())


def test_what_came_before_the_server_went_is_kept(
    corpus: Workspace, server: LabelStudio, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotate.sync._BATCH", 1)
    project = push(corpus, server, title).project
    for one in ALL:
        hand_in(server, project, one)
    tasks = list(server.changed_tasks(project))
    with pytest.raises(AnnotationServerError, match="is gone"):
        pull_from(corpus, Broken(server, tasks[:2]), project)  # type: ignore[arg-type]  # its part
    assert len(said(corpus)) == 2
    # The rest comes, though nobody has touched it since.
    assert pull_from(corpus, server, project).verdicts == {"right": 3}
    assert len(said(corpus)) == 3


def test_audio_that_is_gone_is_told_before_anything_is_sent(
    corpus: Workspace, server: LabelStudio, title: str
) -> None:
    from corpus.errors import MediaError

    corpus.media.flac(UNO.id).unlink()
    with pytest.raises(MediaError, match="is missing"):
        push(corpus, server, title)
    assert server.find_project(title) is None
