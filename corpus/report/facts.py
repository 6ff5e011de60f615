"""What the report of a corpus tells, counted from its records."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from corpus.records import Annotation, Features, Recording, Tier, Utterance, Verdict
from corpus.text import fold

__all__ = [
    "GROUPS",
    "Bin",
    "Facts",
    "Gap",
    "Group",
    "Heat",
    "calibration",
    "facts_of",
    "gaps_of",
    "groups_of",
    "heat_of",
    "wilson",
]

GROUPS = ("palo", "singer", "decade", "sex", "region", "quality")
"""What hours are told by; the name of a value that nobody knows is ""."""

_MOST = 15
_EDGES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Where the bins of probabilities end: most are high, and differ there."""

_Z = 1.96  # 95 % of a normal distribution

_LACKING = 0.5
"""The share of an equal part below which a value is a gap."""

_GAPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The hours of one value: recorded, and cut into utterances by tier.

    `waiting` are those of recordings that have no utterance yet.
    """

    name: str
    recorded: float
    tiers: Mapping[str, float]
    waiting: float = 0.0

    @property
    def cut(self) -> float:
        """Hours of utterances."""
        return sum(self.tiers.values())

    @property
    def checked(self) -> float | None:
        """The share of them that a person has checked."""
        return self.tiers.get("gold", 0.0) / self.cut if self.cut else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """How many recordings have 0, 1 and 2 points of a mark, by people and by measure."""

    mark: str
    people: tuple[int, int, int]
    machine: tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Utterances of some probability that people have judged: how many, how many were right.

    `low` and `high` are Wilson's interval, 95 %, of the share that was right.
    """

    first: float
    last: float
    judged: int
    right: int
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A value with less than half its equal part of the hours, and what is there to be done.

    `hours` are those of utterances, `waiting` of recordings of it without any; `equal` is the
    part of each value were all alike.
    """

    group: str
    name: str
    hours: float
    equal: float
    waiting: float

    @property
    def to_collect(self) -> bool:
        """Whether new recordings are needed, and not only work at those that are there."""
        return self.waiting < self.equal - self.hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All of it, but for people's work and sound.

    `absent` are palos that the corpus names and has no recording of; `alone` the one palo, decade,
    sex or region that all recordings have of which it is known, by group.
    """

    hours: float
    tiers: Mapping[str, tuple[int, float]]
    groups: Mapping[str, Sequence[Group]]
    heat: Sequence[Heat]
    calibration: Sequence[Bin] = ()
    gaps: Sequence[Gap] = ()
    absent: Sequence[str] = ()
    alone: Mapping[str, str] = field(default_factory=dict)


def facts_of(
    recordings: Iterable[Recording],
    utterances: Iterable[Utterance],
    *,
    aligned: Mapping[str, Utterance],
    annotations: Iterable[Annotation],
    marks: Mapping[str, Mapping[str, int]],
    features: Mapping[str, Features],
    quality: Mapping[str, str],
    palos: Sequence[str] = (),
) -> Facts:
    """Count: `utterances` as they are now, `aligned` as they were before anybody spoke, by id.

    `marks` are those of people, `features` what was measured, `quality` how good the sound is
    by either, each by recording; `palos` are those that the corpus is to have.
    """
    known = {one.id: one for one in recordings}
    cut = list(utterances)
    groups = {name: groups_of(name, known, cut, quality) for name in GROUPS}
    return Facts(
        hours=sum(one.recorded for one in groups["palo"]),
        tiers=_tiers(cut),
        groups={name: _most(found) for name, found in groups.items()},
        heat=heat_of(known, marks, features),
        calibration=calibration(aligned, annotations),
        gaps=gaps_of(groups),
        absent=_absent(palos, known.values()),
        alone=_alone(groups),
    )


def _tiers(utterances: Iterable[Utterance]) -> dict[str, tuple[int, float]]:
    counts, hours = Counter[str](), defaultdict[str, float](float)
    for one in utterances:
        counts[one.tier.value] += 1
        hours[one.tier.value] += one.duration / 3600
    return {tier.value: (counts[tier.value], hours[tier.value]) for tier in Tier}


def groups_of(
    name: str,
    recordings: Mapping[str, Recording],
    utterances: Iterable[Utterance],
    quality: Mapping[str, str] | None = None,
) -> list[Group]:
    """Hours by palo, singer, ..., the most first; decades in their order."""
    recorded: dict[str, float] = defaultdict(float)
    cut: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    waiting: dict[str, float] = defaultdict(float)
    sides = {one.part_of for one in recordings.values()}
    values = {
        one.id: (quality or {}).get(one.id, "") if name == "quality" else _value(one, name)
        for one in recordings.values()
    }
    everything = list(utterances)
    begun = {utterance.recording for utterance in everything}
    for one in recordings.values():
        # A side is there by its tracks.
        if one.id not in sides:
            recorded[values[one.id]] += one.duration / 3600
            waiting[values[one.id]] += one.duration / 3600 if one.id not in begun else 0.0
    for utterance in everything:
        value = values[utterance.recording]
        cut[value][utterance.tier.value] += utterance.duration / 3600
    found = [
        Group(
            name=value,
            recorded=recorded.get(value, 0.0),
            tiers=dict(cut.get(value, {})),
            waiting=waiting.get(value, 0.0),
        )
        for value in recorded.keys() | cut.keys()
    ]
    if name == "decade":
        return sorted(found, key=lambda group: (not group.name, group.name))
    return sorted(found, key=lambda group: (-group.cut, -group.recorded, group.name))


def _value(recording: Recording, name: str) -> str:
    if name == "decade":
        return f"{recording.year // 10 * 10}s" if recording.year else ""
    return " ".join(str(recording.artist if name == "singer" else getattr(recording, name)).split())


def _most(groups: Sequence[Group]) -> list[Group]:
    """Those with most; all others together."""
    kept, rest = list(groups[:_MOST]), groups[_MOST:]
    if rest:
        tiers: dict[str, float] = defaultdict(float)
        for group in rest:
            for tier, hours in group.tiers.items():
                tiers[tier] += hours
        recorded = sum(group.recorded for group in rest)
        waiting = sum(group.waiting for group in rest)
        name = f"{len(rest)} others"
        kept.append(Group(name=name, recorded=recorded, tiers=dict(tiers), waiting=waiting))
    return kept


def heat_of(
    recordings: Mapping[str, Recording],
    marks: Mapping[str, Mapping[str, int]],
    features: Mapping[str, Features],
) -> list[Heat]:
    """Marks by name: what people said, and what was measured where nobody said anything."""
    people: dict[str, Counter[int]] = defaultdict(Counter)
    machine: dict[str, Counter[int]] = defaultdict(Counter)
    for id_ in recordings:
        said = marks.get(id_, {})
        for name, points in said.items():
            people[name][points] += 1
        for mark in features[id_].marks if id_ in features else ():
            if mark.name not in said:
                machine[mark.name][mark.points] += 1
    return [
        Heat(mark=name, people=_points(people[name]), machine=_points(machine[name]))
        for name in sorted(people.keys() | machine.keys())
    ]


def _points(counts: Counter[int]) -> tuple[int, int, int]:
    return counts[0], counts[1], counts[2]


# ---- whether probabilities hold


def calibration(aligned: Mapping[str, Utterance], annotations: Iterable[Annotation]) -> list[Bin]:
    """Of utterances that people judged, how many were right, by the probability they had.

    The newest word of anybody counts; bins in which nobody judged anything are left out.
    """
    newest: dict[str, Verdict] = {}
    for one in sorted(annotations, key=lambda one: (one.made, one.id)):
        drawn = one.utterance in aligned and aligned[one.utterance].corrects
        if one.verdict.decides and one.verdict is not Verdict.FLAGGED and not drawn:
            newest[one.utterance] = one.verdict
    judged, right = Counter[int](), Counter[int]()
    for id_, verdict in newest.items():
        if id_ in aligned:
            place = _bin(aligned[id_].score)
            judged[place] += 1
            right[place] += verdict is Verdict.RIGHT
    return [
        Bin(
            first=_EDGES[k],
            last=_EDGES[k + 1],
            judged=judged[k],
            right=right[k],
            low=wilson(right[k], judged[k])[0],
            high=wilson(right[k], judged[k])[1],
        )
        for k in sorted(judged)
    ]


def _bin(probability: float) -> int:
    return max(k for k, edge in enumerate(_EDGES[:-1]) if probability >= edge or k == 0)


def wilson(hits: int, tries: int) -> tuple[float, float]:
    """Wilson's interval of a share, 95 % (JASA 22, 1927); everything where nothing was tried."""
    if not tries:
        return 0.0, 1.0
    share, spread = hits / tries, _Z**2 / tries
    middle = share + spread / 2
    half = _Z * math.sqrt(share * (1 - share) / tries + spread / (4 * tries))
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


# ---- what is lacking


def gaps_of(groups: Mapping[str, Sequence[Group]]) -> list[Gap]:
    """Palos, decades, ... with less than half an equal part, the worst first.

    An equal part is that of all named values.  Singers are left out: there is always one more.
    """
    found = []
    for group in GROUPS:
        named = [one for one in groups[group] if one.name]
        equal = sum(one.cut for one in named) / len(named) if named else 0.0
        if group == "singer" or len(named) < 2 or not equal:
            continue
        found += [
            Gap(
                group=group,
                name=one.name,
                hours=one.cut,
                equal=equal,
                waiting=one.waiting,
            )
            for one in named
            if one.cut < _LACKING * equal
        ]
    found.sort(key=lambda gap: (gap.hours / gap.equal, -gap.equal, gap.group, gap.name))
    return found[:_GAPS]


def _absent(palos: Iterable[str], recordings: Iterable[Recording]) -> tuple[str, ...]:
    there = {fold(one.palo) for one in recordings}
    return tuple(palo for palo in palos if fold(palo) not in there)


def _alone(groups: Mapping[str, Sequence[Group]]) -> dict[str, str]:
    """Groups of one named value: of what nobody has named there is no equal part to fall short of.

    That all is sung by one singer, or sounds good, is nothing that has to be mended.
    """
    names = {
        group: [one.name for one in groups[group] if one.name]
        for group in ("palo", "decade", "sex", "region")
    }
    return {group: found[0] for group, found in names.items() if len(found) == 1}
