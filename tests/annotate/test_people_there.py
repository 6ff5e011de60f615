"""Several people with accounts of their own on a real server: who said what is kept apart."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from label_studio_sdk.core.api_error import ApiError

from annotate.agreement import agreement
from annotate.heard import people_of
from annotate.labelstudio import LabelStudio
from annotate.stage import PUSHED, disputed_pieces
from annotate.status import Project
from annotate.status import projects_of as projects_in
from annotate.sync import THIRD, projects_of, pull_from, push_to
from corpus.records import Verdict
from corpus.workspace import Workspace
from tests.annotate.people import text, verdict
from tests.annotate.pushed import (
    ALL,
    MADRE,
    PENA,
    SENT,
    begun_from,
    hand_in,
    number_of,
    push,
    texts,
)
from tests.annotate.studio import annotate, somebody_else

# The SDK's own, where it is given a personal token.
pytestmark = pytest.mark.filterwarnings(
    "ignore:The `parse_obj` method is deprecated:DeprecationWarning"
)


@pytest.fixture
def eva(server: LabelStudio) -> Iterator[LabelStudio]:
    """The server as a second person asks it."""
    email = f"eva-{uuid.uuid4().hex[:8]}@example.org"
    with LabelStudio(server.url, somebody_else(server, email)) as hers:
        yield hers


def progress(corpus: Workspace) -> list[Project]:
    store = corpus.store
    said = store.annotations(), store.aligned_utterances()
    return projects_in(store.done(PUSHED), people_of(store), *said)


def test_two_people_on_one_task(
    corpus: Workspace, server: LabelStudio, eva: LabelStudio, title: str
) -> None:
    project = push(corpus, server, title, overlap=1.0).project
    hand_in(server, project, PENA, text("ay pena tuya"))
    hand_in(eva, project, PENA, text("ay pena mía"))
    assert pull_from(corpus, server, project).verdicts == {"corrected": 2}
    said = [(one.annotator, one.text) for one in corpus.store.annotations()]
    mine, hers = server.who().email, eva.who().email
    assert said == [(mine, "ay pena tuya"), (hers, "ay pena mía")]
    # Of two people's words the later one holds.
    assert texts(corpus)[0] == "ay pena mía"
    found = agreement(corpus.store.annotations(), (), ())
    assert found.utterances == 1
    assert found.word_error_rate == pytest.approx(1 / 3)


def test_who_comes_second_is_given_what_two_are_to_hear(
    corpus: Workspace, server: LabelStudio, eva: LabelStudio, title: str
) -> None:
    project = push(corpus, server, title, overlap=0.34).project
    for one in ALL:
        hand_in(server, project, one)
    given = eva._raw(f"api/projects/{project}/next", method="GET")
    assert given["overlap"] == 2
    annotate(eva, given["id"])
    with pytest.raises(ApiError) as told:
        eva._raw(f"api/projects/{project}/next", method="GET")
    assert told.value.status_code == 404


def test_a_third_person_hears_what_two_differ_about(
    corpus: Workspace, server: LabelStudio, eva: LabelStudio, title: str
) -> None:
    project = push(corpus, server, title, overlap=1.0).project
    for one in ALL:
        hand_in(server, project, one)
    hand_in(eva, project, PENA, text("ay pena tuya"))
    hand_in(eva, project, MADRE)
    pull_from(corpus, server, project)
    told = push_to(corpus, server, f"{title}{THIRD}", disputed_pieces(corpus), SENT)
    assert (told.new, told.withdrawn) == (1, 0)
    first, third = progress(corpus)
    assert (first.tasks, first.heard, first.work.done, first.agreement.pairs) == (3, 3, 5, 2)
    # What was said elsewhere of what is asked there has not been said there.
    assert (third.tasks, third.heard, third.work.done) == (1, 0, 0)
    # What is pushed besides leaves the queue of the third person as it is.
    assert push(corpus, server, title).withdrawn == 0
    with LabelStudio(server.url, somebody_else(server, f"luz-{title[-8:]}@example.org")) as luz:
        hand_in(luz, told.project, PENA, text("ay penita mía"))
    numbers = projects_of(server, "", title)
    assert numbers == [project, told.project]
    for number in numbers:
        pull_from(corpus, server, number)
    assert texts(corpus)[0] == "ay penita mía"
    assert disputed_pieces(corpus) == []
    assert [one.heard for one in progress(corpus)] == [3, 1]


def test_what_is_no_longer_disputed_is_not_asked_of_a_third(
    corpus: Workspace, server: LabelStudio, title: str
) -> None:
    project = push(corpus, server, title).project
    hand_in(server, project, PENA, verdict("Texto mal"))
    pull_from(corpus, server, project)
    third = f"{title}{THIRD}"
    assert push_to(corpus, server, third, disputed_pieces(corpus), SENT).new == 1
    # Who had flagged it has put it right.
    hand_in(server, project, PENA, text("ay penita mía"))
    pull_from(corpus, server, project)
    told = push_to(corpus, server, third, disputed_pieces(corpus), SENT)
    assert (told.new, told.withdrawn, server.count(told.project)) == (0, 1, 0)


def test_drafts_of_other_people_come_too(
    corpus: Workspace, server: LabelStudio, eva: LabelStudio, title: str
) -> None:
    project = push(corpus, server, title).project
    result = begun_from(eva, project, MADRE)
    text("mare")(result)
    draft = annotate(eva, number_of(eva, project, MADRE), kind="drafts", result=result)
    assert pull_from(corpus, server, project).verdicts == {"draft": 1}
    (begun,) = corpus.store.annotations()
    assert (begun.text, begun.annotator) == ("mare", eva.who().email)
    # Handed in, it takes the place of the draft.
    hand_in(eva, project, MADRE, text("mare"), draft_id=draft["id"])
    pull_from(corpus, server, project)
    (said,) = corpus.store.annotations()
    assert (said.text, said.verdict) == ("mare", Verdict.CORRECTED)
