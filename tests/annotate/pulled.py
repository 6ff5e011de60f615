"""A recording with one utterance, and what `pull` makes of what people hand in of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from annotate.labels import Questions
from annotate.pull import Known, Pulled, pull
from annotate.tasks import Task, clips, make_tasks
from corpus.records import (
    Annotation,
    Kind,
    Recording,
    Utterance,
)
from tests.annotate.people import (
    Edit,
    handed_in,
)
from tests.corpus.made import recording, utterance

__all__ = [
    "AY",
    "KNOWN",
    "NOTHING",
    "PENA",
    "QUESTIONS",
    "TASK",
    "UNO",
    "knowing",
    "no_end",
    "only_problem",
    "refused",
    "said",
    "task_of",
]

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


def no_end(result: list[dict[str, Any]]) -> None:
    """An edit that leaves a region without its end."""
    del result[0]["value"]["end"]
