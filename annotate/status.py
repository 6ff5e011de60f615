"""What people have done: how much, how fast, what they change; and what the corpus is by now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from annotate.agreement import Agreement, agreement
from corpus.publish.about import words_of_the_culture
from corpus.records import Annotation, Description, Kind, Tier, Utterance, Verdict
from corpus.text import fold

__all__ = ["Project", "Shares", "Work", "changes", "projects_of", "shares", "work_of"]

_SAME = 0.05
"""Seconds by which nobody means to move an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The work of one person, or of all: utterances by what was said of them, and what changed.

    `minutes` are those that people spent, `audio` the minutes of what they heard in them;
    where a person came back to an utterance, the newest word counts.
    """

    person: str
    right: int = 0
    corrected: int = 0
    rejected: int = 0
    flagged: int = 0
    skipped: int = 0
    drafts: int = 0
    texts: int = 0
    times: int = 0
    kinds: int = 0
    added: int = 0
    minutes: float = 0.0
    audio: float = 0.0

    @property
    def done(self) -> int:
        """Utterances that were checked."""
        return self.right + self.corrected + self.rejected

    @property
    def said(self) -> int:
        """Utterances of which anything was said, drafts aside."""
        return self.done + self.flagged + self.skipped

    @property
    def pace(self) -> float | None:
        """Minutes that a minute of audio takes."""
        return self.minutes / self.audio if self.audio else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """How far a project on a server has come: its tasks, and those that somebody has heard.

    `name` is the server's address and the project's number.  `work` is that of all its people
    together, as `agreement` is how far they agree.
    """

    name: str
    tasks: int
    heard: int
    work: Work
    agreement: Agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What the checked part of a corpus is made of; None where there is nothing to share.

    `checked`: of its seconds, those that a person has checked.  `quejio`: of the sung seconds
    that were checked, those of cries.  `culture`: of the words that were checked, those
    that somebody named as words of this culture.
    """

    checked: float | None
    quejio: float | None
    culture: float | None


_COUNTED = {
    Verdict.RIGHT: "right",
    Verdict.CORRECTED: "corrected",
    Verdict.REJECTED: "rejected",
    Verdict.FLAGGED: "flagged",
    Verdict.SKIPPED: "skipped",
    Verdict.DRAFT: "drafts",
}


def work_of(annotations: Iterable[Annotation], utterances: Mapping[str, Utterance]) -> list[Work]:
    """The work of each person, by name; `utterances` as they were aligned, by id."""
    by_person: dict[str, list[Annotation]] = defaultdict(list)
    for one in annotations:
        if one.utterance in utterances:
            by_person[one.annotator].append(one)
    return [_work(name, said, utterances) for name, said in sorted(by_person.items())]


def _work(name: str, said: Iterable[Annotation], utterances: Mapping[str, Utterance]) -> Work:
    newest, spent = dict[tuple[str, str], Annotation](), dict[tuple[str, ...], float]()
    for one in sorted(said, key=lambda one: (one.made, one.id)):
        newest[one.utterance, one.annotator] = one
        # Who comes back to a task is told to have spent what was spent before, too.
        visit = (one.utterance, one.annotator, one.origin)
        spent[visit] = max(one.seconds, spent.get(visit, 0.0))
    counts: dict[str, int] = defaultdict(int)
    heard = 0.0
    for one in newest.values():
        utterance = utterances[one.utterance]
        counts[_COUNTED[one.verdict]] += 1
        # What a person drew was heard with what it was drawn in.
        heard += utterance.duration if one.verdict.decides and not utterance.corrects else 0.0
        for change in changes(one, utterance):
            counts[change] += 1
    return Work(person=name, minutes=sum(spent.values()) / 60, audio=heard / 60, **counts)


def projects_of(
    pushed: Iterable[str],
    people: Mapping[str, Mapping[str, Collection[str]]],
    annotations: Iterable[Annotation],
    utterances: Mapping[str, Utterance],
) -> list[Project]:
    """The projects, by what was pushed to them: server, number and task, with spaces between.

    `people` are those of whom something has come, by project and task.
    """
    tasks: dict[str, set[str]] = defaultdict(set)
    for item in pushed:
        name, _, task = item.rpartition(" ")
        tasks[name].add(task)
    said = [one for one in annotations if one.utterance in utterances]
    return [
        _project(name, mine, people.get(name, {}), said, utterances)
        for name, mine in sorted(tasks.items())
    ]


def _project(
    name: str,
    tasks: Collection[str],
    people: Mapping[str, Collection[str]],
    said: Iterable[Annotation],
    utterances: Mapping[str, Utterance],
) -> Project:
    mine = [one for one in said if one.annotator in people.get(one.origin, ())]
    decided = {one.origin for one in mine if one.verdict.decides}
    return Project(
        name=name,
        tasks=len(tasks),
        heard=len(decided & set(tasks)),
        work=_work(name, mine, utterances),
        agreement=agreement(mine, (), ()),
    )


def changes(said: Annotation, utterance: Utterance) -> tuple[str, ...]:
    """What a person made of what the aligner thought: texts, times, kinds; or added."""
    if said.verdict is not Verdict.CORRECTED:
        return ()
    if utterance.corrects:
        return ("added",)
    moved = max(abs(said.start - utterance.start), abs(said.end - utterance.end))
    found = {
        "texts": said.text != utterance.text,
        "times": moved > _SAME,
        "kinds": said.kind is not utterance.kind,
    }
    return tuple(name for name, changed in found.items() if changed)


def shares(utterances: Iterable[Utterance], descriptions: Iterable[Description]) -> Shares:
    """What is checked and what it is made of; utterances as they now are."""
    everything = list(utterances)
    checked = [one for one in everything if one.tier is Tier.GOLD]
    sung = [one for one in checked if one.kind in (Kind.LETRA, Kind.QUEJIO)]
    cries = [one for one in sung if one.kind is Kind.QUEJIO]
    words = [word for one in checked for word in fold(one.text).split()]
    named = words_of_the_culture(descriptions)
    return Shares(
        checked=_share(_seconds(checked), _seconds(everything)),
        quejio=_share(_seconds(cries), _seconds(sung)),
        culture=_share(sum(word in named for word in words), len(words)),
    )


def _seconds(utterances: Iterable[Utterance]) -> float:
    return sum(one.duration for one in utterances)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
