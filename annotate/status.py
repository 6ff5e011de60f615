"""What people have done: how much, how fast, what they change; and what the corpus is by now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
    where a person came back to an utterance, the newest word counts and all the time.
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
    def pace(self) -> float | None:
        """Minutes that a minute of audio takes."""
        return self.minutes / self.audio if self.audio else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """How far a project on a server has come: its tasks, and those of which anybody said something.

    `name` is the server's address and the project's number.
    """

    name: str
    tasks: int
    done: int


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
    spent, newest = 0.0, dict[str, Annotation]()
    for one in sorted(said, key=lambda one: (one.made, one.id)):
        spent += one.seconds
        newest[one.utterance] = one
    counts: dict[str, int] = defaultdict(int)
    heard = 0.0
    for one in newest.values():
        counts[_COUNTED[one.verdict]] += 1
        heard += utterances[one.utterance].duration if one.verdict.decides else 0.0
        for change in changes(one, utterances[one.utterance]):
            counts[change] += 1
    return Work(person=name, minutes=spent / 60, audio=heard / 60, **counts)


def projects_of(pushed: Iterable[str], annotations: Iterable[Annotation]) -> list[Project]:
    """The projects by what was pushed to them: server, number and task, with spaces between."""
    said = {one.origin for one in annotations if one.verdict.decides}
    tasks: dict[str, list[str]] = defaultdict(list)
    for item in pushed:
        name, _, task = item.rpartition(" ")
        tasks[name].append(task)
    return [
        Project(name=name, tasks=len(mine), done=sum(task in said for task in mine))
        for name, mine in sorted(tasks.items())
    ]


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
