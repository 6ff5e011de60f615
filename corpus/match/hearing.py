"""What matching wants to hear, and asks for: whoever listens (the package align) answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from corpus.media import Samples
from corpus.records import Segment

__all__ = ["Ear", "Listener", "Place", "Transcriber"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a verse fits: nats a letter less than what was heard (0 is the best), and seconds."""

    score: float
    start: float
    end: float


class Ear(Protocol):
    """One recording that was listened to."""

    def readings(self) -> list[tuple[str, ...]]:
        """For each of the stretches that cover it, letters that may have been sung there."""

    def letters(self, start: float, end: float) -> str:
        """The letters that were likeliest heard between two times, without spaces."""

    def sung(self) -> list[tuple[float, float]]:
        """When words are sung, (start, end) s."""

    def places(self, verses: Sequence[Sequence[str]]) -> list[tuple[Place, ...]]:
        """Where each verse (lines of text) fits, the best place first."""


class Listener(Protocol):
    """Tells verses by their sound."""

    @property
    def name(self) -> str:
        """The model, as matches are kept by it."""

    def listen(self, samples: Samples) -> Ear:
        """Listen to a recording."""


class Transcriber(Protocol):
    """Writes down what it hears without knowing any letra."""

    @property
    def name(self) -> str:
        """The model, as the drafts are kept by it."""

    def transcribe(self, samples: Samples) -> tuple[Segment, ...]:
        """Stretches of text with times, in order; empty where nothing was understood."""
