"""Taking things out for good: the bytes and every row, a tombstone stays.

The rows go in one transaction, in which the tombstones are set up; then the bytes.
Killed between the two, the next purge removes what was left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from corpus.lyrics.web.pages import pages_of
from corpus.publish.splits import names_in
from corpus.publish.withdraw import released_here, withdrawn
from corpus.records import Recording, Tombstone
from corpus.run import now
from corpus.text import fold
from corpus.whole import removed
from corpus.workspace import Workspace

__all__ = ["Choice", "Purged", "chosen", "empty_tombs", "purge", "unfinished"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is to go: recordings, letras by their source, and files of fetched pages."""

    recordings: tuple[Recording, ...] = ()
    letras: tuple[str, ...] = ()
    pages: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """What was removed: rows by table, and how many files.

    `published` are the releases of the corpus that hold some of it, and how many rows;
    `elsewhere` those of which no folder lies in the corpus.
    """

    rows: tuple[tuple[str, int], ...]
    n_files: int
    published: tuple[tuple[str, int], ...] = ()
    elsewhere: tuple[tuple[str, int], ...] = ()


def chosen(
    workspace: Workspace, *, source: str = "", artist: str = "", recording: str = ""
) -> Choice:
    """Recordings by their id, artist or source, with the tracks cut from them; letras by source.

    A source is meant whole or by its beginning: a file, a folder, a site.  Artists
    are compared without regard to case and accents; what one sings with others is of each.
    """
    everything = workspace.store.recordings()
    mine = {
        one.id
        for one in everything
        if (recording and one.id == recording)
        or (artist and fold(artist) in (fold(one.artist), *names_in(one.artist)))
        or (source and any(place.startswith(source) for place in _places(one)))
    }
    taken = tuple(one for one in everything if one.id in mine or one.part_of in mine)
    letras = workspace.store.verse_sources_of({one.source for one in taken}, source)
    pages = tuple(pages_of(workspace.root / "lyrics", source)) if source else ()
    return Choice(recordings=taken, letras=letras, pages=pages)


def _places(recording: Recording) -> Iterable[str]:
    yield recording.source
    yield from (value for name, value in recording.extra if name == "webpage_url")


def purge(workspace: Workspace, choice: Choice, reason: str) -> Purged:
    """Remove what was chosen, rows and bytes; what an earlier purge left behind goes too.

    Raises MediaError where a file cannot be removed.
    """
    # Before the rows: killed here, the same source is found again by them.
    n_pages = sum(removed(page) for page in choice.pages)
    tombs = [
        Tombstone(recording=one.id, source=one.source, suffix=one.suffix, reason=reason, at=now())
        for one in choice.recordings
    ]
    held = _held(workspace)
    with workspace.store.transaction() as transaction:
        rows = transaction.purge([one.id for one in choice.recordings], choice.letras)
        transaction.save(tombs)
    n_files = n_pages + empty_tombs(workspace)
    return Purged(
        rows=tuple(rows.items()),
        n_files=n_files,
        published=_published(workspace),
        elsewhere=_elsewhere(workspace, held - _held(workspace)),
    )


def _held(workspace: Workspace) -> Counter[str]:
    """How many utterances of each release the corpus still has."""
    return Counter({one.name: len(one.utterances) for one in workspace.store.releases()})


def _elsewhere(workspace: Workspace, lost: Counter[str]) -> tuple[tuple[str, int], ...]:
    """Of what releases lost, that of those whose folder is not in the corpus."""
    here = {path.parent.name for path in (workspace.root / "releases").glob("*/manifest.json")}
    return tuple((name, n_rows) for name, n_rows in sorted(lost.items()) if name not in here)


def _published(workspace: Workspace) -> tuple[tuple[str, int], ...]:
    counts = ((path.name, len(withdrawn(workspace, path))) for path in released_here(workspace))
    return tuple((name, n_rows) for name, n_rows in counts if n_rows)


def unfinished(workspace: Workspace) -> bool:
    """Whether a purge was killed before its files were gone."""
    return any(not tomb.emptied for tomb in workspace.store.tombstones().values())


def empty_tombs(workspace: Workspace) -> int:
    """Remove the bytes of everything whose rows are gone; gives the number of files."""
    n_files = 0
    for tomb in workspace.store.tombstones().values():
        if not tomb.emptied:
            n_files += workspace.media.remove(tomb.recording, tomb.suffix)
            n_files += sum(removed(path) for path in _drawn(workspace, tomb.recording))
            with workspace.store.transaction() as transaction:
                transaction.save([replace(tomb, emptied=True)])
    return n_files


def _drawn(workspace: Workspace, id_: str) -> Iterator[Path]:
    """Pictures, pages and clips of a recording that were made in the corpus, with its sound."""
    yield from (workspace.root / "annotate" / "clips" / id_).glob("*")
    yield workspace.root / "sides" / f"{id_[:12]}.png"
    yield from (workspace.root / "show").glob(f"*-{id_[:8]}.*")
