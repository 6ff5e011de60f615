"""What people hand in becomes annotations; the malformed is told and never counts as checked."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from annotate.captions import Captions
from annotate.labels import LABEL, TEXT, Questions
from annotate.pull import Known, Pulled, pull, pull_json
from annotate.regions import TOLERANCE
from annotate.tasks import Task, clips, make_tasks, pieces, region_id
from corpus.records import (
    Annotation,
    Description,
    Kind,
    Recording,
    Utterance,
    Verdict,
    content_id,
)
from tests.annotate.people import (
    Edit,
    another_region,
    answer,
    deleted,
    handed_in,
    kind,
    region,
    text,
    value,
    verdict,
    without,
    without_region,
    written,
)
from tests.corpus.made import recording, utterance

UNO = recording("uno")
PENA = utterance(UNO, "ay pena\nmía", 2.0, 3.0)
QUESTIONS = Questions(palos=("soleares", "tonás"), regions=("Cádiz",), quality=("background",))


def knowing(*utterances: Utterance, of: Recording = UNO, **more: Any) -> Known:
    known = {one.id: one for one in utterances}
    recordings = {of.id: of}
    return Known(utterances=known, recordings=recordings, questions=QUESTIONS, **more)


def task_of(utterance: Utterance, of: Recording = UNO) -> Task:
    (task,) = make_tasks(clips([utterance], {of.id: of}), {of.id: of})
    return task


KNOWN = knowing(PENA)
TASK = task_of(PENA)
NOTHING = replace(PENA, text="", words=(), kind=Kind.NOTHING)
AY = replace(PENA, text="", words=(), kind=Kind.QUEJIO)


def said(*edits: Edit, of: Utterance = PENA, **fields: Any) -> Annotation:
    """The one annotation, of which there is nothing to complain."""
    pulled = pull([handed_in(task_of(of), *edits, **fields)], knowing(of))
    assert pulled.problems == ()
    (annotation,) = pulled.annotations
    return annotation


def refused(*edits: Edit, **fields: Any) -> str:
    """Why there is no annotation."""
    return only_problem(pull([handed_in(TASK, *edits, **fields)], KNOWN), task="101")


def only_problem(pulled: Pulled, task: str) -> str:
    assert pulled.annotations == ()
    (problem,) = pulled.problems
    assert problem.task == task
    assert "\n" not in problem.reason
    return problem.reason


# ---- what a person says


def test_what_is_handed_in_unchanged_is_right() -> None:
    annotation = said()
    assert annotation == Annotation(
        utterance=PENA.id,
        annotator="ana@example.org",
        made="2026-03-01T10:00:30.250000+00:00",
        verdict=Verdict.RIGHT,
        text=PENA.text,
        start=PENA.start,
        end=PENA.end,
        words=PENA.words,
        seconds=12.5,
        origin=PENA.id,
    )


@pytest.mark.parametrize("times", [{"start": 0.508}, {"end": 3.491}, {"start": 0.5, "end": 3.5}])
def test_what_a_browser_rounds_is_right_and_keeps_the_exact_times(times: dict[str, float]) -> None:
    annotation = said(region(**times))
    assert annotation.verdict is Verdict.RIGHT
    assert annotation.applied_to(PENA).id == PENA.id


def test_what_is_spaced_anew_is_right() -> None:
    annotation = said(text("  ay  pena \n\n mía\u200b"))
    assert (annotation.verdict, annotation.text) == (Verdict.RIGHT, PENA.text)


def test_a_corrected_text_has_no_words_with_times() -> None:
    annotation = said(text("ay penita", " mía "))
    assert annotation.verdict is Verdict.CORRECTED
    assert annotation.text == "ay penita\nmía"
    assert annotation.words == ()
    assert (annotation.start, annotation.end) == (2.0, 5.0)


def test_other_lines_of_the_same_words_keep_the_times() -> None:
    annotation = said(text("ay\npena mía"))
    assert (annotation.verdict, annotation.text) == (Verdict.CORRECTED, "ay\npena mía")
    assert annotation.words == PENA.words


def test_a_wider_span_keeps_the_words_where_they_were() -> None:
    annotation = said(region(start=0.25, end=3.75))
    assert annotation.verdict is Verdict.CORRECTED
    assert (annotation.start, annotation.end) == (1.75, 5.25)
    assert annotation.words == PENA.words


def test_words_that_are_no_longer_in_the_span_go() -> None:
    assert said(region(end=2.0)).words == ()


def test_another_kind_is_a_correction() -> None:
    annotation = said(kind("Quejío"))
    assert (annotation.verdict, annotation.kind) == (Verdict.CORRECTED, Kind.QUEJIO)


@pytest.mark.parametrize(
    "edits",
    [
        [deleted],
        [kind("Nada cantado")],
        [verdict("No se canta")],
        [without(TEXT), verdict("No se canta")],
        [text("otra cosa"), region(end=2.0), kind("Nada cantado")],
    ],
)
def test_what_is_not_sung_is_rejected_as_it_was(edits: list[Edit]) -> None:
    annotation = said(*edits)
    assert annotation.verdict is Verdict.REJECTED
    assert annotation.applied_to(PENA).id == PENA.id


@pytest.mark.parametrize("edits", [[], [verdict("Bien")], [verdict("No se canta")]])
def test_nothing_sung_where_nothing_was_thought_to_be_is_right(edits: list[Edit]) -> None:
    annotation = said(*edits, of=NOTHING)
    assert (annotation.verdict, annotation.kind) == (Verdict.RIGHT, Kind.NOTHING)


def test_something_sung_where_nothing_was_thought_to_be() -> None:
    def written(result: list[dict[str, Any]]) -> None:
        span = result[0]["value"]
        item = {**result[0], "from_name": TEXT, "type": "textarea"}
        result.append({**item, "value": {**span, "text": ["ay"]}})

    annotation = said(kind("Letra"), written, of=NOTHING)
    assert (annotation.verdict, annotation.kind, annotation.text) == (
        Verdict.CORRECTED,
        Kind.LETRA,
        "ay",
    )


def test_a_quejio_without_text_is_right() -> None:
    assert said(of=AY).verdict is Verdict.RIGHT


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ([verdict("Bien")], Verdict.RIGHT),
        ([verdict("Bien"), text("ay")], Verdict.CORRECTED),
        ([verdict("Texto mal"), text("ay")], Verdict.CORRECTED),
        ([verdict("Es otra letra"), text("ay")], Verdict.CORRECTED),
        ([verdict("Tiempos mal"), region(end=3.0)], Verdict.CORRECTED),
    ],
)
def test_what_was_done_counts_beside_what_was_said(edits: list[Edit], expected: Verdict) -> None:
    # Times first: the verdict's item takes them from the region.
    assert said(*reversed(edits)).verdict is expected


def test_a_region_that_was_drawn_anew_counts() -> None:
    def redrawn(result: list[dict[str, Any]]) -> None:
        for item in result:
            item["id"] = "Ab3dE_9xYz"

    assert said(redrawn, text("ay")).verdict is Verdict.CORRECTED


@pytest.mark.parametrize(
    ("caption", "remark"),
    [
        ("Texto mal", "text wrong"),
        ("Tiempos mal", "times wrong"),
        ("Es otra letra", "other verse"),
        ("Text wrong", "text wrong"),
        ("other verse", "other verse"),
    ],
)
def test_what_is_wrong_and_was_not_put_right_is_flagged(caption: str, remark: str) -> None:
    annotation = said(verdict(caption))
    assert (annotation.verdict, annotation.remark) == (Verdict.FLAGGED, remark)
    assert (annotation.text, annotation.start, annotation.end) == (PENA.text, 2.0, 5.0)


def test_captions_of_a_corpus_and_of_any_language_are_understood() -> None:
    assert said(kind("Cry (quejío)")).kind is Kind.QUEJIO
    assert said(kind("quejío")).kind is Kind.QUEJIO
    own = replace(KNOWN, questions=Questions(captions=Captions("en", {"quejío": "Melisma"})))
    (annotation,) = pull([handed_in(TASK, kind("melisma"))], own).annotations
    assert annotation.kind is Kind.QUEJIO


# ---- regions that were drawn

DRAWN = content_id("added", PENA.id, "drawn")


def test_what_was_split_is_two() -> None:
    ends = region(region_id(PENA.id), end=1.8)
    pulled = pull([handed_in(TASK, ends, text("ay pena"), another_region(1.8, 3.4, "mía"))], KNOWN)
    assert pulled.problems == ()
    first, second = pulled.annotations
    assert (first.utterance, first.text, first.end) == (PENA.id, "ay pena", 3.3)
    assert pulled.added == (
        Utterance(recording=UNO.id, start=3.3, end=4.9, text="mía", corrects=DRAWN),
    )
    assert (second.utterance, second.verdict, second.text) == (DRAWN, Verdict.CORRECTED, "mía")
    assert second.origin == PENA.id


def test_a_quejio_that_was_drawn_is_an_utterance_without_text() -> None:
    pulled = pull([handed_in(TASK, another_region(0.0, 0.4, label="Quejío"))], KNOWN)
    (added,) = pulled.added
    assert (added.kind, added.text, added.verse) == (Kind.QUEJIO, "", "")
    assert [one.verdict for one in pulled.annotations] == [Verdict.RIGHT, Verdict.CORRECTED]


def test_a_letra_that_was_drawn_and_left_without_text_is_told() -> None:
    pulled = pull([handed_in(TASK, another_region(0.0, 0.4))], KNOWN)
    assert pulled.added == ()
    assert [one.verdict for one in pulled.annotations] == [Verdict.RIGHT]
    assert "the region has no text" in pulled.problems[0].reason


def test_a_region_that_the_newer_annotation_does_not_have_is_out() -> None:
    task = handed_in(TASK, another_region(0.0, 0.4, "olé"))
    newer = handed_in(TASK, completed_by="eva", updated_at="2026-03-02T10:00:00Z")
    task["annotations"] += newer["annotations"]
    first = pull([task], KNOWN)
    known = replace(
        knowing(PENA, *first.added), added={PENA.id: {DRAWN: first.annotations[1].made}}
    )
    newest = {one.utterance: one for one in pull([task], known).annotations}
    assert (newest[DRAWN].verdict, newest[DRAWN].annotator) == (Verdict.REJECTED, "eva")
    assert newest[DRAWN].remark == "not in the newer annotation"
    # What the older one says of what came after it is nothing.
    assert (
        len(pull([handed_in(TASK)], replace(known, added={PENA.id: {DRAWN: "2027"}})).annotations)
        == 1
    )


def test_a_drawn_region_that_is_malformed_by_now_stays_as_it_was() -> None:
    first = pull([handed_in(TASK, another_region(0.0, 0.4, "olé"))], KNOWN)
    made = {PENA.id: {DRAWN: first.annotations[1].made}}
    known = replace(knowing(PENA, *first.added), added=made)
    emptied = handed_in(TASK, another_region(0.0, 0.4), updated_at="2026-03-02T10:00:00Z")
    pulled = pull([emptied], known)
    assert [one.utterance for one in pulled.annotations] == [PENA.id]
    assert "the region has no text" in pulled.problems[0].reason


def test_what_was_drawn_and_cannot_be_read_throws_nothing_out() -> None:
    drawn = another_region(3.0, 1.0, "ay", id="Ab3dE_9xYz")
    for edits in ((deleted, drawn), (without_region(region_id(PENA.id)), drawn)):
        assert "ends before it begins" in refused(*edits)


# ---- a labelling config that somebody has changed


def asked(tag: str, of: str = "", caption: str = "x") -> Edit:
    """Answer a question that somebody has put there: of a region, or of the whole."""

    def edit(result: list[dict[str, Any]]) -> None:
        span = {"start": 0.5, "end": 3.5} if of else {}
        item = {"id": of or "o1", "from_name": tag, "to_name": "audio", "type": "choices"}
        result.append({**item, "value": {**span, "choices": [caption]}})

    return edit


def renamed_tags(result: list[dict[str, Any]]) -> None:
    for item in result:
        item["from_name"] = f"our {item['from_name']}"


@pytest.mark.parametrize("of", ["", region_id(PENA.id)])
def test_an_answer_to_what_nobody_was_asked_is_set_aside_alone(of: str) -> None:
    pulled = pull([handed_in(TASK, text("ay"), asked("mood", of))], KNOWN)
    assert [(one.verdict, one.text) for one in pulled.annotations] == [(Verdict.CORRECTED, "ay")]
    (problem,) = pulled.problems
    assert "a result item of 'mood', which nobody was asked" in problem.reason


def test_regions_of_tags_that_somebody_has_renamed_throw_nothing_out() -> None:
    assert "'our label', which nobody was asked" in refused(renamed_tags, without("our transcript"))
    redrawn = (deleted, asked("our label", "Ab3dE_9xYz"))
    assert "'our label', which nobody was asked" in refused(*redrawn)


# ---- pieces of a recording

FIRST = replace(PENA, verse="v")
SECOND = utterance(UNO, "que ya no", 6.0, 2.0)
THIRD = replace(utterance(UNO, "", 9.0, 0.5), kind=Kind.QUEJIO)
PIECE = make_tasks(pieces([THIRD, FIRST, SECOND], {UNO.id: UNO}, 60), {UNO.id: UNO})[0]
ALL = knowing(FIRST, SECOND, THIRD)


def test_each_region_of_a_piece_is_its_own() -> None:
    second, third = region_id(SECOND.id), region_id(THIRD.id)
    edits = (region(second, end=6.0), without_region(third))
    pulled = pull([handed_in(PIECE, *edits)], ALL)
    assert pulled.problems == ()
    assert [(one.utterance, one.verdict) for one in pulled.annotations] == [
        (FIRST.id, Verdict.RIGHT),
        (SECOND.id, Verdict.CORRECTED),
        (THIRD.id, Verdict.REJECTED),
    ]
    assert pulled.annotations[1].end == 7.5
    assert sum(one.seconds for one in pulled.annotations) == pytest.approx(12.5)
    assert {one.origin for one in pulled.annotations} == {PIECE["data"]["external_id"]}


def test_what_was_merged_is_one() -> None:
    merged = (region(region_id(FIRST.id), end=6.5), text("ay pena", "mía", "que ya no"))
    pulled = pull([handed_in(PIECE, *merged, without_region(region_id(SECOND.id)))], ALL)
    first, second, _ = pulled.annotations
    assert (first.text, first.start, first.end) == ("ay pena\nmía\nque ya no", 2.0, 8.0)
    assert second.verdict is Verdict.REJECTED


def test_a_malformed_region_does_not_stop_the_others() -> None:
    pulled = pull([handed_in(PIECE, region(region_id(SECOND.id), end=100.0))], ALL)
    assert [one.utterance for one in pulled.annotations] == [FIRST.id, THIRD.id]
    (problem,) = pulled.problems
    assert "lies outside of its clip" in problem.reason


def test_a_region_that_was_cut_out_keeps_the_verse() -> None:
    drawn = another_region(1.0, 2.0, "pena")
    (added,) = pull([handed_in(PIECE, drawn)], ALL).added
    assert added.verse == "v"


def test_a_piece_of_which_something_is_lost_is_told() -> None:
    assert "no utterance" in only_problem(pull([handed_in(PIECE)], knowing(FIRST)), task="101")


# ---- what is said of the recording


def test_answers_are_told() -> None:
    edits = (
        answer("palo", "tonás"),
        answer("sex", "de mujer"),
        answer("background", "2"),
        written("words", "bajañí", " calé "),
        written("notes", "  "),
    )
    pulled = pull([handed_in(TASK, *edits)], KNOWN)
    assert pulled.problems == ()
    assert pulled.descriptions == (
        Description(
            recording=UNO.id,
            annotator="ana@example.org",
            made="2026-03-01T10:00:30.250000+00:00",
            answers=(
                ("palo", "tonás"),
                ("sex", "female"),
                ("background", "2"),
                ("words", "bajañí\ncalé"),
            ),
            origin=PENA.id,
        ),
    )
    assert len(pulled.annotations) == 1


def test_an_answer_that_nobody_was_given_is_told() -> None:
    pulled = pull([handed_in(TASK, answer("palo", "techno"))], KNOWN)
    assert (pulled.descriptions, len(pulled.annotations)) == ((), 1)
    assert "an answer 'techno', which nobody was given" in pulled.problems[0].reason


# ---- by whom, and when


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("eva@example.org", "eva@example.org"),
        (3, "3"),
        ({"id": 3, "email": "eva@example.org"}, "eva@example.org"),
        ({"id": 3, "email": "", "username": "eva"}, "eva"),
        ({"id": 3}, "3"),
    ],
)
def test_who_annotated(told: object, name: str) -> None:
    assert said(completed_by=told).annotator == name


@pytest.mark.parametrize(
    ("told", "made"),
    [
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000000+00:00"),
        ("2026-03-01T12:00:00.5+02:00", "2026-03-01T10:00:00.500000+00:00"),
        ("2026-03-01T10:00:00", "2026-03-01T10:00:00.000000+00:00"),
        (
            datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2))),
            "2026-03-01T10:00:00.000000+00:00",
        ),
    ],
)
def test_when_is_told_in_utc(told: object, made: str) -> None:
    assert said(updated_at=told).made == made


def test_without_an_edit_the_moment_is_that_of_making() -> None:
    assert said(updated_at=None).made == "2026-03-01T10:00:00.000000+00:00"


def test_a_time_spent_that_is_not_known_is_none() -> None:
    assert said(lead_time=None).seconds == 0.0


def test_two_people_have_both_spoken() -> None:
    task = handed_in(TASK)
    second = handed_in(TASK, text("ay"), completed_by="eva@example.org")
    task["annotations"] += second["annotations"]
    assert [(a.annotator, a.verdict) for a in pull([task], KNOWN).annotations] == [
        ("ana@example.org", Verdict.RIGHT),
        ("eva@example.org", Verdict.CORRECTED),
    ]


# ---- what says nothing


@pytest.mark.parametrize(
    "task",
    [TASK, {**TASK, "id": 1, "annotations": []}],
    ids=["own tasks.json", "not annotated"],
)
def test_what_nobody_touched_says_nothing(task: dict[str, Any]) -> None:
    assert pull([task], KNOWN) == Pulled()


@pytest.mark.parametrize("edits", [[], [text("ay")], [without(LABEL)]])
def test_what_was_skipped_is_told_as_it_was(edits: list[Edit]) -> None:
    annotation = said(*edits, was_cancelled=True)
    assert (annotation.verdict, annotation.text) == (Verdict.SKIPPED, PENA.text)
    assert not annotation.verdict.decides


def begun(*edits: Edit) -> dict[str, Any]:
    (draft,) = handed_in(TASK, *edits, user="eva@example.org", completed_by=None)["annotations"]
    return {**TASK, "id": 1, "annotations": [], "drafts": [draft]}


def test_what_was_begun_is_told_and_decides_nothing() -> None:
    (annotation,) = pull([begun(text("ay pen"))], KNOWN).annotations
    assert (annotation.verdict, annotation.text) == (Verdict.DRAFT, "ay pen")
    assert (annotation.annotator, annotation.verdict.decides) == ("eva@example.org", False)
    # Half of a draft is nobody's mistake.
    assert pull([begun(no_end)], KNOWN) == Pulled()


# ---- what is malformed


def no_value(result: list[dict[str, Any]]) -> None:
    del result[0]["value"]


def no_end(result: list[dict[str, Any]]) -> None:
    del result[0]["value"]["end"]


def no_id(result: list[dict[str, Any]]) -> None:
    del result[0]["id"]


def renamed(result: list[dict[str, Any]]) -> None:
    result[0]["from_name"] = "other"


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (no_end, "'end' is no number of seconds, but nothing"),
        (region(start=3.0, end=1.0), "ends before it begins"),
        (region(start="0.5", end="3.5"), "'start' is no number of seconds, but '0.5'"),
        (region(start=True), "'start' is no number of seconds, but True"),
        (region(end=math.nan), "'end' is no number of seconds, but nan"),
        (region(end=math.inf), "'end' is no number of seconds, but inf"),
        (region(end=10**400), "'end' is no number of seconds"),
        (region(start=-0.2), "lies outside of its clip"),
        (region(end=4.2), "lies outside of its clip"),
        (without(TEXT), "the region has no text"),
        (text(), "the region has no text"),
        (text(" \n "), "the region has no text"),
        (value(TEXT, text={}), "the text of the region is no list of texts"),
        (value(TEXT, text=[1]), "the text of the region is no list of texts"),
        (without(LABEL), "the region has no kind"),
        (value(LABEL, labels=[]), "'labels' is not one choice, but []"),
        (value(LABEL, labels=["Letra", "Jaleo"]), "'labels' is not one choice"),
        (kind("Palmas"), "an answer 'Palmas', which nobody was given"),
        (verdict("Regular"), "an answer 'Regular', which nobody was given"),
        (no_value, "the value of 'label' is no object with fields, but nothing"),
        (no_id, "a result item of 'label' has no id"),
        (renamed, "a result item of 'other', which nobody was asked"),
    ],
)
def test_a_malformed_region_is_told(edit: Edit, reason: str) -> None:
    told = refused(edit)
    assert told.startswith("annotation 1: ")
    assert reason in told


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"result": {}}, "its result is no list, but {}"),
        ({"result": None}, "its result is no list, but nothing"),
        ({"result": ["x"]}, "a part of its result is no object with fields, but 'x'"),
        ({"result": [], "parent_prediction": None}, "empty, and not begun from the prediction"),
        ({"completed_by": None}, "'completed_by' does not say who annotated, but nothing"),
        ({"completed_by": {}}, "'completed_by' does not say who annotated"),
        ({"completed_by": True}, "'completed_by' does not say who annotated"),
        ({"updated_at": "yesterday"}, "is no date and time, but 'yesterday'"),
        ({"updated_at": "0001-01-01T00:00:00+05:00"}, "is no date and time"),
        ({"updated_at": None, "created_at": None}, "is no date and time, but nothing"),
        ({"lead_time": "long"}, "'lead_time' is no number of seconds, but 'long'"),
    ],
)
def test_a_malformed_annotation_is_told(fields: dict[str, Any], reason: str) -> None:
    assert reason in refused(**fields)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"data": None}, "the data of the task is no object with fields, but nothing"),
        ({"data": {**TASK["data"], "utterances": ["other"]}}, "no utterance 'other' in this"),
        ({"data": {**TASK["data"], "utterances": [["x"]]}}, "no utterance ['x'] in this corpus"),
        ({"data": {**TASK["data"], "utterances": []}}, "'utterances' is no list of ids, but []"),
        ({"data": {**TASK["data"], "external_id": ["x"]}}, "'external_id' is no name"),
        ({"data": {**TASK["data"], "offset": None}}, "'offset' is no number of seconds"),
        ({"data": {**TASK["data"], "offset": 0.0}}, "does not begin at 0 s"),
        ({"annotations": {}}, "the annotations of the task is no list, but {}"),
        ({"annotations": [1]}, "a part of the annotations of the task is no object"),
    ],
)
def test_a_malformed_task_is_told(change: dict[str, Any], reason: str) -> None:
    assert reason in only_problem(pull([handed_in(TASK) | change], KNOWN), task="101")


def test_a_task_without_a_number_is_told_by_its_place() -> None:
    assert "no object" in only_problem(pull([TASK, "x"], KNOWN), task="no. 2")


def test_one_malformed_annotation_does_not_stop_the_others() -> None:
    tasks = [handed_in(TASK, no_end), handed_in(TASK, number=2)]
    tasks[1]["annotations"].insert(0, {"result": {}})
    pulled = pull(tasks, KNOWN)
    assert [a.verdict for a in pulled.annotations] == [Verdict.RIGHT]
    assert [p.task for p in pulled.problems] == ["101", "102"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is no JSON"),
        (b"id,text\n1,ay\n", "it is no JSON"),
        (b'[{"id": 1}', "it is no JSON"),
        (b"\xff\xfe\xfa", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b"[]", "the export is empty"),
        (b"{}", "it is no list of tasks"),
        (b'"x"', "it is no list of tasks"),
    ],
)
def test_an_export_that_is_none_is_told(data: bytes, reason: str) -> None:
    assert reason in only_problem(pull_json(data, KNOWN), task="")


# ---- invariants

SECONDS = st.floats(0, 5000, allow_nan=False)


@settings(deadline=None)
@given(start=SECONDS, length=st.floats(0, 30), after=st.floats(0, 10))
def test_times_come_back_as_they_went_out(start: float, length: float, after: float) -> None:
    of = Utterance(recording=UNO.id, start=start, end=start + length, text="ay")
    uno = replace(UNO, duration=of.end + after + 0.001)
    exported = json.dumps([handed_in(task_of(of, uno))]).encode()
    pulled = pull_json(exported, knowing(of, of=uno))
    assert pulled.problems == ()
    assert pulled.annotations[0].verdict is Verdict.RIGHT
    assert (pulled.annotations[0].start, pulled.annotations[0].end) == (of.start, of.end)


@settings(deadline=None)
@given(start=SECONDS, left=st.floats(0, 1), right=st.floats(0, 1))
def test_moved_times_are_those_of_the_recording(start: float, left: float, right: float) -> None:
    of = Utterance(recording=UNO.id, start=start, end=start + 4, text="ay")
    uno = replace(UNO, duration=6000.0)
    task = task_of(of, uno)
    offset, first = task["data"]["offset"], left * 2
    last = first + right * (of.end - offset - first)
    assume(abs(offset + first - of.start) > TOLERANCE < abs(offset + last - of.end))
    pulled = pull([handed_in(task, region(start=first, end=last))], knowing(of, of=uno))
    (annotation,) = pulled.annotations
    assert annotation.verdict is Verdict.CORRECTED
    assert annotation.start == pytest.approx(offset + first, abs=1e-9)
    assert annotation.end == pytest.approx(offset + last, abs=1e-9)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def paths(found: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value within a JSON value, the whole of it among them."""
    inner: list[tuple[Any, Any]] = list(enumerate(found)) if isinstance(found, list) else []
    inner += found.items() if isinstance(found, dict) else []
    return [before, *(path for key, one in inner for path in paths(one, (*before, key)))]


EXPORT = [handed_in(TASK, verdict("Bien"), answer("palo", "tonás"))]


@settings(max_examples=300, deadline=None)
@given(path=st.sampled_from(paths(EXPORT)[1:]), damage=JSON)
def test_damage_anywhere_is_told_or_harmless(path: tuple[Any, ...], damage: object) -> None:
    export: Any = copy.deepcopy(EXPORT)
    within = export
    for key in path[:-1]:
        within = within[key]
    within[path[-1]] = damage
    pulled = pull(export, KNOWN)
    for annotation in pulled.annotations:
        assert annotation.applied_to(PENA).recording == UNO.id
    for problem in pulled.problems:
        assert problem.reason.isprintable()
