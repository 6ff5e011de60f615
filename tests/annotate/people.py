"""People who annotate: what Label Studio exports once they have handed a task in."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from annotate.labels import AUDIO, LABEL, TEXT, VERDICT, tag_of
from corpus.records import Annotation, Utterance, Verdict

Task = dict[str, Any]
Edit = Callable[[list[dict[str, Any]]], Any]


def handed_in(task: Task, *edits: Edit, number: int = 1, **fields: Any) -> Task:
    """The task as exported after a person began from the prediction and edited the result."""
    result = copy.deepcopy(task["predictions"][0]["result"])
    for edit in edits:
        edit(result)
    annotation = {
        "id": number,
        "completed_by": {"id": 1, "email": "ana@example.org", "first_name": ""},
        "result": result,
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "2026-03-01T10:00:00.000000Z",
        "updated_at": "2026-03-01T10:00:30.250000Z",
        "lead_time": 12.5,
        "parent_prediction": 7,
        **fields,
    }
    return {**copy.deepcopy(task), "id": 100 + number, "annotations": [annotation]}


def region(of: str = "", /, **fields: Any) -> Edit:
    """Change start or end, which every item of a region repeats; of all regions, or of one."""

    def edit(result: list[dict[str, Any]]) -> None:
        for item in result:
            if of in ("", item["id"]):
                item["value"] |= fields

    return edit


def text(*lines: str) -> Edit:
    return value(TEXT, text=list(lines))


def kind(caption: str) -> Edit:
    return value(LABEL, labels=[caption])


def value(tag: str, **fields: Any) -> Edit:
    """Change what stands in the item of one tag."""

    def edit(result: list[dict[str, Any]]) -> None:
        next(item for item in result if item["from_name"] == tag)["value"] |= fields

    return edit


def without(tag: str) -> Edit:
    def edit(result: list[dict[str, Any]]) -> None:
        result[:] = [item for item in result if item["from_name"] != tag]

    return edit


def verdict(caption: str) -> Edit:
    """Say how the region was."""

    def edit(result: list[dict[str, Any]]) -> None:
        span = {k: result[0]["value"][k] for k in ("start", "end", "channel")}
        item = {"id": result[0]["id"], "from_name": VERDICT, "to_name": AUDIO, "type": "choices"}
        result.append({**item, "value": {**span, "choices": [caption]}})

    return edit


def answer(question: str, caption: str) -> Edit:
    """Say something of the recording; this belongs to no region."""
    item = {"id": question, "from_name": tag_of(question), "to_name": AUDIO, "type": "choices"}
    return lambda result: result.append({**item, "value": {"choices": [caption]}})


def written(question: str, *lines: str) -> Edit:
    """Write something of the recording."""
    item = {"id": question, "from_name": tag_of(question), "to_name": AUDIO, "type": "textarea"}
    return lambda result: result.append({**item, "value": {"text": list(lines)}})


def another_region(
    start: float,
    end: float,
    *lines: str,
    label: str = "Letra",
    id: str = "drawn",  # noqa: A002  # as in the result
) -> Edit:
    """Draw one more region."""
    shared = {"id": id, "to_name": AUDIO, "origin": "manual"}
    span = {"start": start, "end": end, "channel": 0}

    def edit(result: list[dict[str, Any]]) -> None:
        drawn = {**span, "labels": [label]}
        result.append({**shared, "from_name": LABEL, "type": "labels", "value": drawn})
        if lines:
            said = {**span, "text": list(lines)}
            result.append({**shared, "from_name": TEXT, "type": "textarea", "value": said})

    return edit


def deleted(result: list[dict[str, Any]]) -> None:
    result.clear()


def without_region(of: str) -> Edit:
    """Delete one region."""

    def edit(result: list[dict[str, Any]]) -> None:
        result[:] = [item for item in result if item["id"] != of]

    return edit


def said(
    who: str, of: Utterance, verdict: Verdict = Verdict.RIGHT, day: int = 1, **more: object
) -> Annotation:
    """What somebody says of an utterance, in half a minute of a day of January."""
    made = Annotation(
        utterance=of.id,
        annotator=who,
        made=f"2026-01-{day:02d}T00:00:00+00:00",
        verdict=verdict,
        text=of.text,
        start=of.start,
        end=of.end,
        seconds=30.0,
    )
    return replace(made, **more)  # type: ignore[arg-type]  # fields by their names
