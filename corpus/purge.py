"""Taking things out for good: the bytes and every row, a tombstone stays.

The rows go in one transaction, in which the tombstones are set up; then the bytes.
Killed between the two, the next purge removes what was left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from corpus.records import Recording, Tombstone
from corpus.run import now
from corpus.store import Store
from corpus.text import fold
from corpus.workspace import Workspace

__all__ = ["Choice", "Purged", "chosen", "empty_tombs", "purge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is to go: recordings, and letras by their source."""

    recordings: tuple[Recording, ...] = ()
    letras: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """What was removed: rows by table, and how many files."""

    rows: tuple[tuple[str, int], ...]
    n_files: int


def chosen(store: Store, *, source: str = "", artist: str = "", recording: str = "") -> Choice:
    """Recordings by their id, artist or source, with the tracks cut from them; letras by source.

    A source is meant whole or by its beginning: a file, a folder, a site.  Artists
    are compared without regard to case and accents.
    """
    everything = store.recordings()
    mine = {
        one.id
        for one in everything
        if (recording and one.id == recording)
        or (artist and fold(one.artist) == fold(artist))
        or (source and any(place.startswith(source) for place in _places(one)))
    }
    taken = tuple(one for one in everything if one.id in mine or one.part_of in mine)
    letras = store.verse_sources_of({one.source for one in taken}, source)
    return Choice(recordings=taken, letras=letras)


def _places(recording: Recording) -> Iterable[str]:
    yield recording.source
    yield from (value for name, value in recording.extra if name == "webpage_url")


def purge(workspace: Workspace, choice: Choice, reason: str) -> Purged:
    """Remove what was chosen, rows and bytes; what an earlier purge left behind goes too."""
    tombs = [
        Tombstone(recording=one.id, source=one.source, suffix=one.suffix, reason=reason, at=now())
        for one in choice.recordings
    ]
    with workspace.store.transaction() as transaction:
        rows = transaction.purge([one.id for one in choice.recordings], choice.letras)
        transaction.save(tombs)
    return Purged(rows=tuple(rows.items()), n_files=empty_tombs(workspace))


def empty_tombs(workspace: Workspace) -> int:
    """Remove the bytes of everything whose rows are gone; gives the number of files."""
    n_files = 0
    for tomb in workspace.store.tombstones().values():
        if not tomb.emptied:
            n_files += workspace.media.remove(tomb.recording, tomb.suffix)
            with workspace.store.transaction() as transaction:
                transaction.save([replace(tomb, emptied=True)])
    return n_files
