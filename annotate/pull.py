"""Tasks of Label Studio as annotations, each checked; what is malformed is told and left out.

The newest annotation of a task speaks for it: regions that an older one had added and that it
does not have are thrown out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from annotate.fields import (
    Fields,
    MalformedError,
    annotator,
    fields,
    listed,
    moment,
    number,
    shown,
)
from annotate.labels import Questions
from annotate.regions import TOLERANCE, Heard, Region, Statement, statement
from annotate.saying import Saying, Task, check_text, how_to_reject, said_of, spoken
from annotate.tasks import clip_span, region_id
from corpus.records import (
    Annotation,
    Description,
    Kind,
    Recording,
    Utterance,
    Verdict,
    content_id,
)
from corpus.text import clean

__all__ = ["Known", "Problem", "Pulled", "pull", "pull_json"]

_REPLACED = "not in the newer annotation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a corpus has: `utterances` as they were aligned, by id; `recordings` by id.

    `added` are the utterances that people put there, by task, with the moment of it.
    """

    utterances: Mapping[str, Utterance]
    recordings: Mapping[str, Recording]
    questions: Questions = field(default_factory=Questions)
    added: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that cannot be taken in; `task` is "" where it is the whole of it."""

    task: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What people said, in the order of the tasks; `added` are utterances that they put there."""

    added: tuple[Utterance, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    descriptions: tuple[Description, ...] = ()
    problems: tuple[Problem, ...] = ()


_Part = Utterance | Annotation | Description | Problem


def pull_json(data: bytes, known: Known) -> Pulled:
    """`pull` for the bytes of an export file."""
    try:
        export = json.loads(data)
    except (ValueError, RecursionError):
        return _nothing("it is no JSON: export from Label Studio in the format JSON")
    if not isinstance(export, list):
        return _nothing("it is no list of tasks: export from Label Studio in the format JSON")
    return pull(export, known) if export else _nothing("the export is empty: it has no tasks")


def _nothing(reason: str) -> Pulled:
    return Pulled(problems=(Problem(task="", reason=reason),))


def pull(tasks: Sequence[object], known: Known) -> Pulled:
    """What people said in tasks as the server or an export gives them.

    A prediction that nobody has confirmed says nothing.
    """
    parts = [part for nth, task in enumerate(tasks, 1) for part in _read_task(task, nth, known)]
    return Pulled(
        added=tuple(part for part in parts if isinstance(part, Utterance)),
        annotations=tuple(part for part in parts if isinstance(part, Annotation)),
        descriptions=tuple(part for part in parts if isinstance(part, Description)),
        problems=tuple(part for part in parts if isinstance(part, Problem)),
    )


# ---- tasks


def _read_task(found: object, nth: int, known: Known) -> Iterator[_Part]:
    name = f"no. {nth}"
    try:
        told = fields(found, "the task")
        name = str(told["id"]) if isinstance(told.get("id"), int) else name
        said = _said(told)
        if not said:
            return
        task = _task(fields(told.get("data"), "the data of the task"), name, known)
    except MalformedError as error:
        yield Problem(task=name, reason=str(error))
        return
    added = dict(known.added.get(task.id, {}))
    for annotation, begun in sorted(said, key=_when):
        try:
            parts = list(_read_annotation(annotation, task, known, added, begun=begun))
        except MalformedError as error:
            # Nobody has to end what was only begun.
            if not begun:
                which = f"annotation {shown(annotation.get('id'))}"
                yield Problem(task=name, reason=f"{which}: {error}")
            continue
        yield from parts


def _said(task: Fields) -> list[tuple[Fields, bool]]:
    """All annotations of a task, skipped ones too, and drafts, for which it is True."""
    handed_in = listed(task.get("annotations", []), "the annotations of the task")
    drafts = listed(task.get("drafts", []), "the drafts of the task")
    return [*((one, False) for one in handed_in), *((one, True) for one in drafts)]


def _when(saying: tuple[Fields, bool]) -> str:
    try:
        return _made(saying[0])
    except MalformedError:
        return ""


def _task(data: Fields, name: str, known: Known) -> Task:
    id_, utterances = data.get("external_id"), _utterances(data, known)
    # It is stored, and not every database takes every sign.
    if not isinstance(id_, str) or clean(id_) != id_:
        raise MalformedError(f"'external_id' is no name, but {shown(id_)}")
    recording = known.recordings.get(utterances[0].recording)
    if recording is None:
        raise MalformedError("its recording is not in this corpus any more")
    first, last = min(one.start for one in utterances), max(one.end for one in utterances)
    start, end = clip_span(first, last, recording.duration)
    offset = number(data, "offset")
    if abs(offset - start) > TOLERANCE:
        raise MalformedError(f"its clip does not begin at {offset:g} s")
    return Task(
        id=id_,
        name=name,
        recording=recording.id,
        heard=Heard(offset=offset, end=end),
        utterances={region_id(one.id): one for one in utterances},
    )


def _utterances(data: Fields, known: Known) -> list[Utterance]:
    # Tasks of one utterance once went by its id alone.
    ids = data.get("utterances", [data.get("external_id")])
    if not isinstance(ids, list) or not ids:
        raise MalformedError(f"'utterances' is no list of ids, but {shown(ids)}")
    found = [known.utterances.get(one) if isinstance(one, str) else None for one in ids]
    for id_, one in zip(ids, found, strict=True):
        if one is None:
            raise MalformedError(f"no utterance {shown(id_)} in this corpus: is it another's?")
    return [one for one in found if one is not None]


# ---- annotations


def _made(annotation: Fields) -> str:
    return moment(annotation.get("updated_at") or annotation.get("created_at"))


def _read_annotation(
    annotation: Fields, task: Task, known: Known, added: dict[str, str], *, begun: bool
) -> Iterator[_Part]:
    saying = _saying(annotation, len(task.utterances), begun=begun)
    if saying.verdict is Verdict.SKIPPED:
        for utterance in task.utterances.values():
            yield spoken(saying, task, utterance, utterance, Verdict.SKIPPED)
        return
    items = listed(annotation.get("result"), "its result")
    told = statement(items, task.heard, known.questions)
    # Label Studio notes what an annotation was begun from: an empty one that was begun
    # from nothing has had no region to delete.
    nothing = not told.regions and not told.problems
    if nothing and annotation.get("parent_prediction", "not told") is None:
        how = how_to_reject(known.questions.captions)
        empty = f"empty, and not begun from the prediction: {how}"
        raise MalformedError("; ".join(told.unanswered) or empty)
    problems = dict(told.problems)
    yield from _regions(saying, task, told, known, added, problems)
    if told.answers and not begun:
        yield _description(saying, task, told)
    if not begun:
        which = f"annotation {shown(annotation.get('id'))}"
        for reason in (*problems.values(), *told.unanswered):
            yield Problem(task=task.name, reason=f"{which}: {reason}")


def _saying(annotation: Fields, n_utterances: int, *, begun: bool) -> Saying:
    spent = annotation.get("lead_time")
    skipped = bool(annotation.get("was_cancelled"))
    told = (
        annotation.get("completed_by")
        or annotation.get("user")
        or annotation.get("created_username")
    )
    return Saying(
        annotator=annotator(told),
        made=_made(annotation),
        seconds=0.0 if spent is None else number(annotation, "lead_time") / n_utterances,
        verdict=Verdict.DRAFT if begun else Verdict.SKIPPED if skipped else None,
    )


def _regions(
    saying: Saying,
    task: Task,
    told: Statement,
    known: Known,
    added: dict[str, str],
    problems: dict[str, str],
) -> Iterator[_Part]:
    regions = _in_place(task, told)
    # What was drawn and cannot be read may stand for what is missing: nothing is thrown out by it.
    unread = told.problems.keys() - task.utterances.keys()
    for id_, utterance in task.utterances.items():
        if id_ in told.problems or (unread and id_ not in regions):
            continue
        try:
            yield said_of(saying, task, utterance, regions.pop(id_, None), known.questions)
        except MalformedError as error:
            problems[id_] = str(error)
    if saying.verdict is Verdict.DRAFT:
        return
    mine = set()
    for id_, region in regions.items():
        try:
            check_text(region, None, known.questions.captions)
        except MalformedError as error:
            problems[id_] = str(error)
            continue
        utterance = _added(task, id_, region)
        mine.add(utterance.id)
        yield utterance
        # Its time is that of the task, which its utterances share.
        yield replace(spoken(saying, task, utterance, region, Verdict.CORRECTED), seconds=0.0)
    malformed = {_added_id(task, id_) for id_ in problems}
    yield from _replaced(saying, task, known, added, mine | malformed)
    added |= dict.fromkeys(mine, saying.made)


def _in_place(task: Task, told: Statement) -> dict[str, Region]:
    """The regions; one that was drawn in place of a clip's only utterance goes by its id."""
    regions = dict(told.regions)
    if len(task.utterances) == 1 and len(regions) == 1 and not told.problems:
        return dict.fromkeys(task.utterances, next(iter(regions.values())))
    return regions


def _added(task: Task, region: str, left: Region) -> Utterance:
    """A region that a person drew as an utterance; its verse is the one it was cut out of."""
    shared = {
        one: min(one.end, left.end) - max(one.start, left.start) for one in task.utterances.values()
    }
    nearest = max(shared, key=lambda one: (shared[one], one.id))
    of_a_verse = shared[nearest] > 0 and left.kind is Kind.LETRA
    return Utterance(
        recording=task.recording,
        start=left.start,
        end=left.end,
        text=left.text,
        kind=left.kind,
        verse=nearest.verse if of_a_verse else "",
        corrects=_added_id(task, region),
    )


def _added_id(task: Task, region: str) -> str:
    return content_id("added", task.id, region)


def _replaced(
    saying: Saying, task: Task, known: Known, added: Mapping[str, str], mine: set[str]
) -> Iterator[Annotation]:
    """What was added before, and is not in this annotation."""
    for id_, made in added.items():
        utterance = known.utterances.get(id_)
        if utterance is not None and id_ not in mine and made < saying.made:
            gone = spoken(saying, task, utterance, utterance, Verdict.REJECTED)
            yield replace(gone, remark=_REPLACED, seconds=0.0)


def _description(saying: Saying, task: Task, told: Statement) -> Description:
    return Description(
        recording=task.recording,
        annotator=saying.annotator,
        made=saying.made,
        answers=told.answers,
        origin=task.id,
    )
