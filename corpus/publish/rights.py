"""Who may use what: of the audio, and of the text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from corpus.records import UNKNOWN_RIGHTS, Recording, Verse

__all__ = ["rights_of_text", "told"]


def rights_of_text(verse: Verse | None) -> str:
    """What the sources of a verse say of its rights; "" where there is no verse."""
    return " / ".join(sorted({source.rights for source in verse.sources})) if verse else ""


def told(used: Iterable[tuple[Recording, Verse | None]]) -> str:
    """The paragraph of the card, from the recording and the verse of each utterance."""
    pairs = list(used)
    audio = Counter(recording.rights for recording, _ in pairs)
    text = Counter(rights_of_text(verse) for _, verse in pairs if verse)
    lines = [f"- audio of {n} utterances: {rights}" for rights, n in sorted(audio.items())]
    lines += [f"- text of {n} utterances: {rights}" for rights, n in sorted(text.items())]
    if any(UNKNOWN_RIGHTS in rights for rights in (*audio, *text)):
        private = "This dataset is private: the rights of some recordings or texts are unknown."
        lines += ["", private]
    return "\n".join(lines)
