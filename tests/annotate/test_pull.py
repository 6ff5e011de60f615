"""What people hand in becomes annotations."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from annotate.captions import Captions
from annotate.labels import LABEL, TEXT, Questions
from annotate.pull import Pulled, pull
from corpus.records import (
    Annotation,
    Description,
    Kind,
    Verdict,
)
from tests.annotate.people import (
    Edit,
    answer,
    deleted,
    handed_in,
    kind,
    region,
    text,
    verdict,
    without,
    written,
)
from tests.annotate.pulled import (
    AY,
    KNOWN,
    NOTHING,
    PENA,
    TASK,
    UNO,
    no_end,
    said,
)

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
