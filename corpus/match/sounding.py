"""From where verses fit in the sound of a recording to evidence for each of them.

How well a verse fits says little by itself: one model hears a recording well, and another
badly.  What tells is by how much it fits better than strangers do, and than the best other
copla does in the same place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import median

from corpus.match.hearing import Place

__all__ = ["EVIDENCE", "Heard", "Sound", "evidence", "heard_places", "probability"]

EVIDENCE = ("lead", "above strangers", "letters, log", "title")
_WEIGHTS = (1.789, 11.539, -0.997, 5.348)
_BIAS = -6.890
"""By bench/match_fit.py."""

_LOOKED_AT = 200
"""Places of a recording, the best; a cante of ten minutes has some thirty verses."""

_LONGER = 0.6
"""Nats for the logarithm of the letters: the fewer they are, the better they fit by chance."""

_RIVALS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """How a verse sounds in one place; scores in nats a letter below what was heard."""

    score: float
    level: float
    """What verses that nobody thinks are sung reach in the recording, on the median."""
    lead: float
    """By how much it is better than the best other copla in the same place."""
    n_letters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A verse, by its number, in one place."""

    verse: int
    place: Place
    sound: Sound


def heard_places(
    places: Sequence[Sequence[Place]],
    n_letters: Sequence[int],
    strangers: Sequence[Sequence[Place]],
    alike: Callable[[int, int], bool],
    *,
    always: Collection[int] = (),
) -> list[Heard]:
    """The best places of all verses, best first, with what they stand out by.

    `places` are those of each verse, the best first, and `strangers` those of verses that
    nobody thinks are sung; `alike` tells whether two verses (by their numbers) are one
    copla, and so no rivals.  The first places of verses that are in `always` are there
    however they sound.
    """
    level = median([mine[0].score for mine in strangers if mine] or [0.0])
    ranked = sorted(
        ((place, verse) for verse, mine in enumerate(places) for place in mine),
        key=lambda found: (-found[0].score, found[1], found[0].start),
    )
    wanted = sorted(
        ranked, key=lambda one: -one[0].score - _LONGER * log(max(1, n_letters[one[1]]))
    )[:_LOOKED_AT]
    wanted += [(places[verse][0], verse) for verse in sorted(always) if places[verse]]
    return [
        Heard(
            verse=verse,
            place=place,
            sound=Sound(
                score=place.score,
                level=level,
                lead=place.score - _rival(place, verse, ranked[:_RIVALS], alike, level),
                n_letters=n_letters[verse],
            ),
        )
        for place, verse in dict.fromkeys(wanted)
    ]


def _rival(
    place: Place,
    verse: int,
    ranked: Sequence[tuple[Place, int]],
    alike: Callable[[int, int], bool],
    level: float,
) -> float:
    """The score of the best other copla in the same place; `level` where none is better."""
    for other, rival in ranked:
        if other.score <= level:
            break
        if rival != verse and _same_stretch(place, other) and not alike(verse, rival):
            return other.score
    return level


def _same_stretch(one: Place, other: Place) -> bool:
    """Whether two places share more than half of the shorter one."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    return shared > min(one.end - one.start, other.end - other.start) / 2


def evidence(sound: Sound, title: float) -> tuple[float, ...]:
    """What speaks for a verse, as `EVIDENCE` names it; `title` is how much titles agree, 0..1.

    Nats a letter count by the root of the letters: so much less they vary in a longer verse.
    """
    root = max(1, sound.n_letters) ** 0.5 / 10
    return (
        sound.lead * root,
        (sound.score - sound.level) * root,
        log(max(1, sound.n_letters)),
        title,
    )


def probability(sound: Sound, title: float) -> float:
    """The chance that a verse is sung in a place: a logistic regression on the evidence."""
    told = sum(
        weight * value for weight, value in zip(_WEIGHTS, evidence(sound, title), strict=True)
    )
    return 1 / (1 + exp(-max(-30.0, min(30.0, told + _BIAS))))
