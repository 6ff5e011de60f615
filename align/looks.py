"""How an alignment looks, in the picture and on the page alike: colours, kinds, doubt, clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from corpus.records import Kind, Recording, Tier, Utterance

__all__ = [
    "KINDS",
    "LEVEL_COLOUR",
    "LEVEL_FLOOR",
    "RAMP",
    "VOICE_COLOUR",
    "VOICE_RATE",
    "clock",
    "colour",
    "doubtful",
    "headline",
]

# Orange and blue are told apart with any colour vision, and black is read on each of them.
RAMP: Sequence[tuple[float, str]] = ((0.0, "#e8871e"), (0.5, "#f6eed9"), (1.0, "#5ba3d0"))
"""The colours of a probability, from wrong to right."""

VOICE_COLOUR = "#00795c"
LEVEL_COLOUR = "#b9bec6"

LEVEL_FLOOR = -60.0
"""dB full scale at the foot of the drawn level."""

VOICE_RATE = 50
"""Values a second of a voice curve."""

KINDS: Mapping[Kind, str] = {
    Kind.LETRA: "letra",
    Kind.QUEJIO: "quejío",
    Kind.JALEO: "jaleo",
    Kind.FALSETA: "falseta",
    Kind.NOTHING: "nothing sung",
}
"""What a kind is called."""


def colour(probability: float) -> str:
    """The colour of a probability in 0..1, "#rrggbb"; straight between the colours of the ramp."""
    for (low, first), (high, last) in pairwise(RAMP):
        if probability <= high:
            share = (probability - low) / (high - low)
            return "#" + "".join(
                f"{round(a + share * (b - a)):02x}"
                for a, b in zip(_channels(first), _channels(last), strict=True)
            )
    raise ValueError(f"a probability lies in 0..1, not {probability}")


def _channels(colour: str) -> bytes:
    return bytes.fromhex(colour.removeprefix("#"))


def doubtful(utterance: Utterance) -> bool:
    """Whether somebody should listen to it: nobody has, and the aligner is not sure."""
    return utterance.tier is Tier.BRONZE


def clock(seconds: float, digits: int = 0) -> str:
    """Minutes and seconds, with hours where there are any: "1:05", "2:00:05", "1:05.3"."""
    unit = 10**digits
    whole, part = divmod(round(seconds * unit), unit)
    hours, minutes = whole // 3600, whole // 60 % 60
    ahead = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    behind = f".{part:0{digits}}" if digits else ""
    return f"{ahead}:{whole % 60:02}{behind}"


def headline(recording: Recording) -> str:
    """What a recording is called: title and singer, else where it came from."""
    named = " · ".join(part for part in (recording.title, recording.artist) if part)
    return named or recording.source
