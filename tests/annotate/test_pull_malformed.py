"""The malformed is told and never counts as checked; what holds of all that comes back."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from annotate.labels import LABEL, TEXT
from annotate.pull import pull, pull_json
from annotate.regions import TOLERANCE
from corpus.records import (
    Utterance,
    Verdict,
)
from tests.annotate.people import (
    Edit,
    answer,
    handed_in,
    kind,
    region,
    text,
    value,
    verdict,
    without,
)
from tests.annotate.pulled import (
    KNOWN,
    PENA,
    TASK,
    UNO,
    knowing,
    no_end,
    only_problem,
    refused,
    task_of,
)

# ---- what is malformed


def no_value(result: list[dict[str, Any]]) -> None:
    del result[0]["value"]


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
