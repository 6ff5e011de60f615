"""Who may use a text."""

from __future__ import annotations

from corpus.records import Verse

__all__ = ["rights_of_text"]


def rights_of_text(verse: Verse | None) -> str:
    """What the sources of a verse say of its rights; "" where there is no verse."""
    return " / ".join(sorted({source.rights for source in verse.sources})) if verse else ""
