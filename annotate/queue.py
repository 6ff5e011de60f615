"""In which order people are asked: where a minute of theirs is worth most comes first."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from annotate.tasks import Piece
from corpus.records import Recording, Utterance

__all__ = ["by_worth", "within"]

_OPENING = 8.0
"""Seconds that a task takes beside its sound: it is opened, read and handed in."""

_LEAST, _MOST = 0.5, 2.0
"""What the rarity of a palo or a singer may count."""


def by_worth(
    pieces: Iterable[Piece],
    recordings: Mapping[str, Recording],
    everything: Iterable[Utterance],
    changed: Collection[str] = (),
) -> list[Piece]:
    """Pieces by what is gained in each second of a person's time, most first.

    Before all others come those with utterances that the newest alignment `changed`, by id.

    Gained are the seconds that are wrong as far as anybody knows (length times doubt),
    weighted by how rare palo and singer are among `everything` there is to publish.
    """
    rarity = _rarity(recordings, everything)

    def worth(piece: Piece) -> float:
        wrong = sum(one.duration * (1 - one.score) for one in piece.utterances)
        return wrong * rarity(recordings[piece.recording]) / (piece.seconds + _OPENING)

    def anew(piece: Piece) -> bool:
        # An id is a hash: none is taken where nothing changed.
        return bool(changed) and any(one.id in changed for one in piece.utterances)

    return sorted(pieces, key=lambda p: (not anew(p), -worth(p), p.recording, p.start, p.id))


def _rarity(
    recordings: Mapping[str, Recording], everything: Iterable[Utterance]
) -> Callable[[Recording], float]:
    """How much less than its equal share of the seconds a recording's palo and singer have."""
    seconds: tuple[defaultdict[str, float], ...] = (defaultdict(float), defaultdict(float))
    for one in everything:
        for counted, name in zip(seconds, _names(recordings[one.recording]), strict=True):
            counted[name] += max(one.duration, 1e-3)
    # What nobody has named is no group of its own.
    for counted in seconds:
        counted.pop("", None)
    equal = [sum(counted.values()) / max(1, len(counted)) for counted in seconds]

    def rarity(recording: Recording) -> float:
        weight = 1.0
        for counted, share, name in zip(seconds, equal, _names(recording), strict=True):
            if name in counted:
                weight *= min(_MOST, max(_LEAST, math.sqrt(share / counted[name])))
        return weight

    return rarity


def _names(recording: Recording) -> tuple[str, str]:
    return recording.palo, recording.artist


def within(pieces: Sequence[Piece], minutes: float | None) -> list[Piece]:
    """The first pieces that together are heard in so many minutes; all where that is None."""
    left, chosen = math.inf if minutes is None else minutes * 60, []
    for piece in pieces:
        left -= piece.seconds
        if left < 0:
            break
        chosen.append(piece)
    return chosen
