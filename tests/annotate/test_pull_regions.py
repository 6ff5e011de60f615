"""Regions that were drawn, split, merged and lost; answers of a config that somebody changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from annotate.pull import pull
from annotate.tasks import make_tasks, pieces, region_id
from corpus.records import (
    Kind,
    Utterance,
    Verdict,
    content_id,
)
from tests.annotate.people import (
    Edit,
    another_region,
    deleted,
    handed_in,
    region,
    text,
    without,
    without_region,
)
from tests.annotate.pulled import (
    KNOWN,
    PENA,
    TASK,
    UNO,
    knowing,
    only_problem,
    refused,
)
from tests.corpus.made import utterance

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
