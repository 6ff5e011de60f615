"""What matching wants to hear, and asks for: whoever listens (the package align) answers."""

from __future__ import annotations

from typing import Protocol

from corpus.media import Samples
from corpus.records import Segment

__all__ = ["Transcriber"]


class Transcriber(Protocol):
    """Writes down what it hears without knowing any letra."""

    @property
    def name(self) -> str:
        """The model, as the drafts are kept by it."""

    def transcribe(self, samples: Samples) -> tuple[Segment, ...]:
        """Stretches of text with times, in order; empty where nothing was understood."""
