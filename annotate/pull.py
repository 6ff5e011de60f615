"""A Label Studio export as annotations, each checked; what is malformed is told and left out.

The server stores whatever it is sent, so nothing in an export is taken on trust.
https://labelstud.io/guide/export describes the form.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from annotate.fields import (
    Fields,
    MalformedError,
    annotator,
    choice,
    fields,
    listed,
    moment,
    number,
    shown,
)
from annotate.labels import KINDS, LABEL, PALO, TEXT, VERDICT, Said
from annotate.tasks import PADDING, region_id
from corpus.records import Annotation, Kind, Utterance, Verdict, Word
from corpus.text import clean

__all__ = ["TOLERANCE", "NamedPalo", "Problem", "Pulled", "pull", "pull_json"]

TOLERANCE = 0.01
"""Seconds by which a time may differ and still be the same: a browser rounds."""

_HOW_TO_REJECT = f"where nothing is sung, say '{KINDS[Kind.NOTHING]}' or '{Said.NOT_SUNG.value}'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something of an export that cannot be taken in; `task` is "" where it is the whole of it."""

    task: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPalo:
    """The palo that a person named for a recording."""

    recording: str
    palo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What an export says, in its order."""

    annotations: tuple[Annotation, ...] = ()
    palos: tuple[NamedPalo, ...] = ()
    problems: tuple[Problem, ...] = ()


_Part = Annotation | NamedPalo | Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class _Region:
    """What a person left of a region, in seconds of the recording.

    Times and text are the utterance's own where they are the same to a person.
    """

    kind: Kind
    text: str
    start: float
    end: float
    said: Said | None


def pull_json(data: bytes, utterances: Mapping[str, Utterance]) -> Pulled:
    """`pull` for the bytes of an export file."""
    try:
        export = json.loads(data)
    except (ValueError, RecursionError):
        return _nothing("it is no JSON: export from Label Studio in the format JSON")
    return pull(export, utterances)


def pull(export: object, utterances: Mapping[str, Utterance]) -> Pulled:
    """The annotations of an export: a list of tasks as Label Studio gives them.

    `utterances` are all that are known, by id, as they were aligned.  A
    prediction that nobody has confirmed and a task that was skipped say nothing.
    """
    if not isinstance(export, list):
        return _nothing("it is no list of tasks: export from Label Studio in the format JSON")
    if not export:
        return _nothing("the export is empty: there are no tasks in it")
    parts = [
        part for nth, task in enumerate(export, 1) for part in _read_task(task, nth, utterances)
    ]
    return Pulled(
        annotations=tuple(part for part in parts if isinstance(part, Annotation)),
        palos=tuple(part for part in parts if isinstance(part, NamedPalo)),
        problems=tuple(part for part in parts if isinstance(part, Problem)),
    )


def _nothing(reason: str) -> Pulled:
    return Pulled(problems=(Problem(task="", reason=reason),))


# ---- tasks


def _read_task(found: object, nth: int, utterances: Mapping[str, Utterance]) -> Iterator[_Part]:
    name = f"no. {nth}"
    try:
        task = fields(found, "the task")
        name = str(task["id"]) if isinstance(task.get("id"), int) else name
        submitted = _submitted(task)
        if not submitted:
            return
        data = fields(task.get("data"), "the data of the task")
        utterance = _utterance(data, utterances)
        offset = _offset(data, utterance)
    except MalformedError as error:
        yield Problem(task=name, reason=str(error))
        return
    for annotation in submitted:
        try:
            yield from _read_annotation(annotation, utterance, offset, name)
        except MalformedError as error:
            yield Problem(task=name, reason=f"annotation {shown(annotation.get('id'))}: {error}")


def _submitted(task: Fields) -> list[Fields]:
    """What people have handed in; what they skipped is not among it."""
    found = listed(task.get("annotations", []), "the annotations of the task")
    return [one for one in found if not one.get("was_cancelled")]


def _utterance(data: Fields, utterances: Mapping[str, Utterance]) -> Utterance:
    id_ = data.get("external_id")
    if isinstance(id_, str) and id_ in utterances:
        return utterances[id_]
    raise MalformedError(f"no utterance {shown(id_)} in this corpus: another's, or aligned anew")


def _offset(data: Fields, utterance: Utterance) -> float:
    offset = number(data, "offset")
    if abs(offset - max(0.0, utterance.start - PADDING)) > TOLERANCE:
        raise MalformedError(f"the clip of this utterance does not begin at {offset:g} s")
    return offset


def _read_annotation(
    annotation: Fields, utterance: Utterance, offset: float, task: str
) -> tuple[_Part, ...]:
    items = listed(annotation.get("result"), "its result")
    regions = _by_region(items)
    mine = _mine(regions, utterance)
    # Label Studio notes what an annotation was begun from: an empty one that was begun
    # from nothing has had no region to delete.
    if mine is None and annotation.get("parent_prediction", "not told") is None:
        raise MalformedError(f"empty, and not begun from the prediction: {_HOW_TO_REJECT}")
    region = None if mine is None else _region(mine, utterance, offset)
    said = _annotation(annotation, utterance, region)
    return (said, *_palos(items, utterance), *_left_out(annotation, len(regions) - 1, task))


def _palos(items: list[Fields], utterance: Utterance) -> tuple[NamedPalo, ...]:
    return tuple(
        NamedPalo(recording=utterance.recording, palo=choice(_value(item), "choices"))
        for item in items
        if item.get("from_name") == PALO
    )


def _left_out(annotation: Fields, n_regions: int, task: str) -> tuple[Problem, ...]:
    if n_regions < 1:
        return ()
    which = f"annotation {shown(annotation.get('id'))}"
    reason = f"{which}: regions that were added are left out ({n_regions}), the first one counts"
    return (Problem(task=task, reason=reason),)


# ---- regions


def _value(item: Fields) -> Fields:
    return fields(item.get("value"), f"the value of {shown(item.get('from_name'))}")


def _by_region(items: list[Fields]) -> dict[str, dict[str, Fields]]:
    """The values of what is said of regions: by region, then by the name of the tag."""
    found: dict[str, dict[str, Fields]] = {}
    for item in items:
        tag, id_ = item.get("from_name"), item.get("id")
        if tag == PALO:
            continue
        if tag not in (LABEL, TEXT, VERDICT):
            raise MalformedError(f"a result item of {shown(tag)}, which nobody was asked")
        if not isinstance(id_, str):
            raise MalformedError(f"a result item of {shown(tag)} has no id")
        found.setdefault(id_, {})[tag] = _value(item)
    return found


def _mine(regions: dict[str, dict[str, Fields]], utterance: Utterance) -> dict[str, Fields] | None:
    """The region that is the utterance's: the one of its id, or the one drawn in its place."""
    mine = regions.get(region_id(utterance.id))
    if mine is None and len(regions) > 1:
        raise MalformedError(f"{len(regions)} regions, and none is the one that was there")
    return mine or next(iter(regions.values()), None)


def _region(values: dict[str, Fields], utterance: Utterance, offset: float) -> _Region:
    if LABEL not in values:
        raise MalformedError("the region has no kind: choose one of its labels")
    start, end = _span(values[LABEL], utterance, offset)
    text = _text(values[TEXT]) if TEXT in values else ""
    return _Region(
        kind=_kind(choice(values[LABEL], "labels")),
        text=utterance.text if text == _tidy(utterance.text) else text,
        start=start,
        end=end,
        said=_said(choice(values[VERDICT], "choices")) if VERDICT in values else None,
    )


def _span(value: Fields, utterance: Utterance, offset: float) -> tuple[float, float]:
    start, end = number(value, "start"), number(value, "end")
    if start > end:
        raise MalformedError(f"the region ends before it begins ({start:g} s to {end:g} s)")
    if start < -TOLERANCE or offset + end > utterance.end + PADDING + TOLERANCE:
        raise MalformedError(f"the region ({start:g} s to {end:g} s) lies outside of its clip")
    start = _settled(max(0.0, offset + start), utterance.start)
    return start, max(start, _settled(offset + end, utterance.end))


def _settled(time: float, before: float) -> float:
    return before if abs(time - before) <= TOLERANCE else time


def _kind(caption: str) -> Kind:
    for kind, known in KINDS.items():
        if known == caption:
            return kind
    raise MalformedError(f"a label {shown(caption)}, which nobody was asked")


def _said(caption: str) -> Said:
    try:
        return Said(caption)
    except ValueError as error:
        raise MalformedError(f"a verdict {shown(caption)}, which nobody was asked") from error


def _text(value: Fields) -> str:
    found = value.get("text")
    if isinstance(found, list) and all(isinstance(line, str) for line in found):
        return _tidy("\n".join(found))
    raise MalformedError("the text of the region is no list of texts")


def _tidy(text: str) -> str:
    """Lines without needless white space: what was only spaced anew is no other text."""
    lines = (" ".join(line.split()) for line in clean(text).splitlines())
    return "\n".join(line for line in lines if line)


# ---- annotations


def _annotation(annotation: Fields, utterance: Utterance, region: _Region | None) -> Annotation:
    verdict = Verdict.REJECTED if region is None else _verdict(region, utterance)
    # What was thrown out is kept as it was.
    left = utterance if region is None or verdict is Verdict.REJECTED else region
    spent = annotation.get("lead_time")
    return Annotation(
        utterance=utterance.id,
        annotator=annotator(annotation.get("completed_by")),
        made=moment(annotation.get("updated_at") or annotation.get("created_at")),
        verdict=verdict,
        text=left.text,
        start=left.start,
        end=left.end,
        kind=left.kind,
        words=_words(utterance, left),
        seconds=0.0 if spent is None else number(annotation, "lead_time"),
    )


def _verdict(region: _Region, utterance: Utterance) -> Verdict:
    if _thrown_out(region, utterance):
        return Verdict.REJECTED
    _check_text(region, utterance)
    same_text = region.text == utterance.text
    same_times = (region.start, region.end) == (utterance.start, utterance.end)
    # A person who says that something is wrong and lets it stand has not made it right.
    if region.said is Said.TEXT_WRONG and same_text:
        raise MalformedError("the text is said to be wrong, but was not corrected")
    if region.said is Said.TIMES_WRONG and same_times:
        raise MalformedError("the times are said to be wrong, but were not corrected")
    unchanged = same_text and same_times and region.kind is utterance.kind
    return Verdict.RIGHT if unchanged else Verdict.CORRECTED


def _thrown_out(region: _Region, utterance: Utterance) -> bool:
    """Whether a person says that what was taken for singing is none."""
    if region.kind is Kind.NOTHING:
        return utterance.kind is not Kind.NOTHING
    return region.said is Said.NOT_SUNG


def _check_text(region: _Region, utterance: Utterance) -> None:
    """A letra has text, and so has what had some before; a jaleo or quejío may be without."""
    if region.kind is Kind.NOTHING or region.text:
        return
    if region.kind is Kind.LETRA or utterance.text:
        raise MalformedError(f"the region has no text; {_HOW_TO_REJECT}")


def _words(utterance: Utterance, left: Utterance | _Region) -> tuple[Word, ...]:
    """The words with their times, where the same ones are still within the span; else none."""
    words = utterance.words
    same_words = left.text.split() == utterance.text.split()
    same_span = (left.start, left.end) == (utterance.start, utterance.end)
    inside = all(left.start <= word.start and word.end <= left.end for word in words)
    return words if same_words and (same_span or inside) else ()
