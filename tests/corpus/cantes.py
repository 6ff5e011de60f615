"""A corpus whose recordings wait for being aligned: made singing, with its verses matched."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from corpus.media import flac_bytes
from corpus.records import Decision, Match, MatchedVerse, Recording, Verse, VerseSource
from corpus.synth.truth import Cante
from corpus.workspace import Workspace

__all__ = ["matched_corpus"]


def matched_corpus(folder: Path, cantes: Sequence[Cante]) -> Workspace:
    """A new corpus of them in a folder."""
    workspace = Workspace.create(folder)
    for cante in cantes:
        data = flac_bytes(cante.audio)
        one = Recording(
            id=sha256(data).hexdigest(),
            source=f"/{cante.name}.flac",
            duration=cante.duration,
            title=cante.title,
        )
        path = workspace.media.flac(one.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        verses = [_verse(cante.name, n, sung.lines) for n, sung in enumerate(cante.verses)]
        chosen = tuple(MatchedVerse(verse=verse.id, score=1.0, reason="made") for verse in verses)
        match = Match(recording=one.id, verses=chosen, decision=Decision.ACCEPTED)
        with workspace.store.transaction() as transaction:
            transaction.save([one, *verses, match])
    return workspace


def _verse(letra: str, position: int, lines: tuple[str, ...]) -> Verse:
    source = VerseSource(source=f"{letra}.txt", position=position, lines=lines)
    return Verse(lines=lines, sources=(source,))
