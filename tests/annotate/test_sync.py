"""A workspace and a real Label Studio: nothing is lost, nothing is doubled, each fault is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from annotate.labels import labelling_config, questions_of
from annotate.labelstudio import LabelStudio
from annotate.server import Running
from annotate.stage import PUSHED, to_hear
from annotate.sync import Sound, Synced, projects_of, pull_from, push_to
from annotate.tasks import region_id
from corpus.errors import AnnotationServerError, MediaError, UsageError
from corpus.records import Kind, Tier, Utterance, Verdict
from corpus.workspace import Workspace
from tests.annotate.people import (
    Edit,
    another_region,
    text,
    verdict,
    without_region,
    written,
)
from tests.annotate.people import (
    said as says,
)
from tests.annotate.pushed import (
    ALL,
    MADRE,
    OLE,
    PENA,
    SENT,
    UNO,
    align,
    begun_from,
    hand_in,
    number_of,
    push,
    push_pieces,
    said,
    texts,
)
from tests.annotate.studio import annotate

VERDICTS = {"corrected": 2, "skipped": 1, "draft": 1}


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


def test_what_was_aligned_anew_takes_the_place_of_what_nobody_touched(
    corpus: Workspace, server: LabelStudio, title: str
) -> None:
    project = push(corpus, server, title).project
    hand_in(server, project, PENA, was_cancelled=True)
    annotate(server, number_of(server, project, OLE), kind="drafts")
    better = replace(MADRE, text="mare de mi vida", words=(), end=5.5)
    wider = replace(OLE, end=9.5)
    align(corpus, replace(PENA, end=2.9), better, wider)
    told = push(corpus, server, title)
    assert (told.new, told.known, told.withdrawn) == (3, 0, 1)
    there = server.known_tasks(project)
    # What somebody has skipped or begun is there still: it is theirs.
    assert MADRE.id not in there
    assert {PENA.id, OLE.id, better.id, wider.id} < there.keys()
    pushed = corpus.store.done(PUSHED)
    assert f"{server.url} {project} {MADRE.id}" not in pushed
    assert f"{server.url} {project} {OLE.id}" in pushed
    assert push(corpus, server, title).withdrawn == 0


def test_what_was_checked_elsewhere_is_withdrawn(
    corpus: Workspace, server: LabelStudio, title: str
) -> None:
    project = push(corpus, server, title).project
    server._raw(f"api/projects/{project}/import", method="POST", json=[_foreign()])
    with corpus.store.transaction() as transaction:
        transaction.save([says("ana", PENA, Verdict.RIGHT)])
    told = push(corpus, server, title)
    assert (told.new, told.known, told.withdrawn) == (0, 2, 1)
    assert server.count(project) == 3
    # Who pushes another hour of the corpus takes nothing away.
    chosen = to_hear(corpus)[1:]
    assert push_to(corpus, server, title, chosen, SENT).withdrawn == 0


def _foreign() -> dict[str, object]:
    """A task of somebody else's in the same project."""
    data = {"audio": "a.flac", "title": "", "about": "", "external_id": "x", "utterances": ["y"]}
    return {"data": data}


def test_what_is_heard_in_pieces_is_not_heard_in_clips_too(
    corpus: Workspace, server: LabelStudio, title: str
) -> None:
    clips = push(corpus, server, title)
    pieces = push_pieces(corpus, server, title)
    assert (pieces.project, pieces.new, pieces.withdrawn) == (clips.project, 1, 3)
    assert push_pieces(corpus, server, title) == replace(pieces, new=0, known=1, withdrawn=0)
    assert server.count(pieces.project) == 1


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
        clip = f"clips/{UNO.id}/{task['data']['external_id']}.flac"
        assert heard.content == (corpus.root / "annotate" / clip).read_bytes()
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


def test_each_region_of_a_piece_comes_back(
    corpus: Workspace, server: LabelStudio, title: str
) -> None:
    pushed = push_pieces(corpus, server, title)
    assert (pushed.new, pushed.seconds) == (1, 9.0)
    (piece,) = server.known_tasks(pushed.project)
    regions = {item["id"] for item in begun_from(server, pushed.project, piece)}
    assert regions == {region_id(one.id) for one in ALL}
    edits = (
        # What stands first in it is the first utterance.
        text("ay penita\nmía"),
        verdict_of(MADRE, "Tiempos mal"),
        without_region(region_id(OLE.id)),
        another_region(2.5, 3.0, label="Quejío"),
    )
    hand_in(server, pushed.project, piece, *edits)
    told = pull_from(corpus, server, pushed.project)
    assert told.verdicts == {"corrected": 2, "flagged": 1, "rejected": 1}
    first, cry, second = corpus.store.utterances()
    assert (first.text, first.tier, first.end) == ("ay penita\nmía", Tier.GOLD, 3.0)
    assert (cry.kind, cry.text, cry.tier) == (Kind.QUEJIO, "", Tier.GOLD)
    assert (cry.start, cry.end) == pytest.approx((3.0, 3.5))
    assert second == MADRE
    # The time of the task is shared by what was in it.
    assert sum(one.seconds for one in corpus.store.annotations()) == pytest.approx(20.0)
    # What is left of it is asked of somebody else, as a piece of its own.
    left = push_pieces(corpus, server, title)
    assert (left.new, left.withdrawn, left.seconds) == (1, 0, 3.0)


def test_a_piece_of_which_a_part_was_aligned_anew_is_another(
    corpus: Workspace, server: LabelStudio, title: str
) -> None:
    push_pieces(corpus, server, title)
    better = replace(MADRE, text="mare de mi vida", words=())
    align(corpus, PENA, better, OLE)
    told = push_pieces(corpus, server, title)
    assert (told.new, told.withdrawn, told.seconds) == (1, 1, 9.0)
    (piece,) = server.known_tasks(told.project)
    hand_in(server, told.project, piece)
    assert pull_from(corpus, server, told.project).verdicts == {"right": 3}
    assert texts(corpus) == [PENA.text, better.text, OLE.text]


def verdict_of(of: Utterance, caption: str) -> Edit:
    """Say how one of several regions was."""

    def edit(result: list[dict[str, Any]]) -> None:
        mine = [item for item in result if item["id"] == region_id(of.id)]
        verdict(caption)(mine)
        result.append(mine[-1])

    return edit


def test_answers_about_the_recording(corpus: Workspace, server: LabelStudio, title: str) -> None:
    project = push(corpus, server, title).project
    hand_in(server, project, PENA, written("words", "bajañí"))
    pull_from(corpus, server, project)
    (described,) = corpus.store.descriptions()
    assert described.answers == (("words", "bajañí"),)


# ---- faults


def test_a_project_that_is_not_there(corpus: Workspace, server: LabelStudio, title: str) -> None:
    with pytest.raises(UsageError, match=f"has no project '{title}': `corpus annotate push`"):
        projects_of(server, title, "")
    project = push(corpus, server, title).project
    server._sdk.projects.delete(project)
    with pytest.raises(AnnotationServerError, match="no such thing, or no longer"):
        pull_from(corpus, server, project)


def test_audio_that_is_gone_is_told_before_anything_is_sent(
    corpus: Workspace, server: LabelStudio, title: str
) -> None:
    corpus.media.flac(UNO.id).unlink()
    with pytest.raises(MediaError, match="is missing"):
        push(corpus, server, title)
    assert server.find_project(title) is None
