"""What stands in one annotation: its regions in seconds of the recording, and its answers.

The server stores whatever it is sent, so nothing is taken on trust.
https://labelstud.io/guide/export describes the form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from annotate.captions import Said
from annotate.fields import Fields, MalformedError, choice, fields, number, shown
from annotate.labels import LABEL, TEXT, VERDICT, Questions, tag_of
from corpus.records import Kind
from corpus.text import clean

__all__ = ["TOLERANCE", "Heard", "Region", "Statement", "statement", "tidy"]

TOLERANCE = 0.01
"""Seconds by which a time may differ and still be the same: a browser rounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Which seconds of a recording the annotation's zero and its end are."""

    offset: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """What a person left of a region, in seconds of the recording."""

    kind: Kind
    text: str
    start: float
    end: float
    said: Said | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Regions by their id; answers by question; why a region or an answer cannot be taken."""

    regions: Mapping[str, Region]
    answers: tuple[tuple[str, str], ...]
    problems: Mapping[str, str]
    """By the id of the region."""
    unanswered: tuple[str, ...]
    """Answers that nobody was given, and to what nobody was asked."""


def statement(items: Iterable[Fields], heard: Heard, questions: Questions) -> Statement:
    """Read the result of an annotation, each part by itself.

    Raises MalformedError where a part does not say what it is of.
    """
    told, answers, unasked = _sorted(items, questions)
    regions: dict[str, Region] = {}
    problems: dict[str, str] = {}
    for id_, values in told.items():
        try:
            regions[id_] = _region(values, heard, questions)
        except MalformedError as error:
            problems[id_] = unasked.pop(id_, str(error))
    kept, unanswered = [], list(unasked.values())
    for question, value in answers:
        try:
            kept.append((question, _answer(question, value, questions)))
        except MalformedError as error:
            unanswered.append(str(error))
    return Statement(
        regions=regions,
        answers=tuple((name, answer) for name, answer in kept if answer),
        problems=problems,
        unanswered=tuple(unanswered),
    )


def _sorted(
    items: Iterable[Fields], questions: Questions
) -> tuple[dict[str, dict[str, Fields]], list[tuple[str, Fields]], dict[str, str]]:
    """Values by region and tag; those that speak of the recording; and what nobody was asked.

    The last by region or else by tag: somebody has changed the labelling config.
    """
    asked = {tag_of(name): name for name in (*questions.choices, *questions.texts)}
    regions: dict[str, dict[str, Fields]] = {}
    answers: list[tuple[str, Fields]] = []
    unasked: dict[str, str] = {}
    for item in items:
        tag, id_ = item.get("from_name"), item.get("id")
        if isinstance(tag, str) and tag in asked:
            answers.append((asked[tag], _value(item)))
        elif tag not in (LABEL, TEXT, VERDICT):
            place = _region_of(item)
            if place:
                regions.setdefault(place, {})
            unasked[place or shown(tag)] = f"a result item of {shown(tag)}, which nobody was asked"
        elif not isinstance(id_, str):
            raise MalformedError(f"a result item of {shown(tag)} has no id")
        else:
            regions.setdefault(id_, {})[tag] = _value(item)
    return regions, answers, unasked


def _region_of(item: Fields) -> str:
    """The id of the region that an item of an unknown tag speaks of; "" where of none."""
    id_, value = item.get("id"), item.get("value")
    return id_ if isinstance(id_, str) and isinstance(value, dict) and "start" in value else ""


def _value(item: Fields) -> Fields:
    return fields(item.get("value"), f"the value of {shown(item.get('from_name'))}")


# ---- regions


def _region(values: Mapping[str, Fields], heard: Heard, questions: Questions) -> Region:
    if LABEL not in values:
        raise MalformedError("the region has no kind: choose one of its labels")
    start, end = _span(values[LABEL], heard)
    said = _meant(values[VERDICT], "choices", Said, questions) if VERDICT in values else None
    return Region(
        kind=Kind(_meant(values[LABEL], "labels", Kind, questions)),
        text=tidy("\n".join(_lines(values[TEXT]))) if TEXT in values else "",
        start=start,
        end=end,
        said=None if said is None else Said(said),
    )


def _span(value: Fields, heard: Heard) -> tuple[float, float]:
    start, end = number(value, "start"), number(value, "end")
    if start > end:
        raise MalformedError(f"the region ends before it begins: {start:g} s to {end:g} s")
    length = heard.end - heard.offset
    if start < -TOLERANCE or end > length + TOLERANCE:
        raise MalformedError(f"the region lies outside of its clip: {start:g} s to {end:g} s")
    return max(0.0, heard.offset + start), min(heard.offset + end, heard.end)


def _meant(value: Fields, name: str, names: Iterable[str], questions: Questions) -> str:
    caption = choice(value, name)
    found = questions.captions.meant(caption, names)
    if found is None:
        raise MalformedError(f"an answer {shown(caption)}, which nobody was given")
    return found


def _lines(value: Fields) -> list[str]:
    found = value.get("text")
    # One text is a list of one; some versions of the server tell it bare.
    lines = [found] if isinstance(found, str) else found
    if isinstance(lines, list) and all(isinstance(line, str) for line in lines):
        return lines
    raise MalformedError("the text of the region is no list of texts")


def tidy(text: str) -> str:
    """Lines without needless white space: what was only spaced anew is no other text."""
    lines = (" ".join(line.split()) for line in clean(text).splitlines())
    return "\n".join(line for line in lines if line)


# ---- answers


def _answer(question: str, value: Fields, questions: Questions) -> str:
    if question in questions.texts:
        return tidy("\n".join(_lines(value)))
    return _meant(value, "choices", questions.choices[question], questions)
