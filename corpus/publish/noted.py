"""Releases as a corpus knows them: by name, in the order in which they were made."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from corpus.errors import PublishError, PurgedError
from corpus.publish.folder import (
    MANIFEST,
    Manifest,
    check_free,
    data_files,
    read_manifest,
    rows_of,
    split_of,
)
from corpus.records import Release, ReleasedUtterance
from corpus.run import now
from corpus.store import Store

__all__ = ["check_name", "moment", "note", "note_made", "unnoted"]


def moment(store: Store, name: str) -> str:
    """When the release of a name is made: now, or after all others where a clock was set back.

    What is newest is told by that.
    """
    newest = max((one.made for one in store.releases() if one.name != name), default="")
    if newest < (present := now()):
        return present
    after = datetime.fromisoformat(newest) + timedelta(seconds=1)
    return after.isoformat(timespec="seconds")


def check_name(store: Store, release: Release) -> None:
    """Raise PublishError where another release has the name."""
    for known in store.releases():
        if known.name == release.name and set(known.utterances) != set(release.utterances):
            raise PublishError(
                f"a release named {release.name} exists with other utterances: name another"
            )


def note(store: Store, release: Release) -> None:
    """Let a corpus know a release, before its folder stands: killed between, it is made anew.

    Raises PublishError where another has the name, or what is in it was purged meanwhile.
    """
    try:
        with store.transaction() as transaction:
            # Here, where nobody else writes.
            check_name(store, release)
            transaction.save([release])
    except PurgedError as error:
        raise PublishError(f"{release.name} holds what was purged meanwhile: run again") from error


# ---- a folder that stands, of which the store does not know: a disk did not keep what it took


def unnoted(store: Store, name: str, folder: Path) -> Manifest | None:
    """What is told of the release of this name in a folder, where the corpus knows none of it."""
    known = {one.name for one in store.releases()}
    if name in known or not (folder / MANIFEST).is_file():
        return None
    told = read_manifest(folder)
    return told if told.name == name else None


def note_made(store: Store, release: Release, told: Manifest, folder: Path) -> None:
    """Note the release in a folder; PublishError where it is not the one that was to be made."""
    rows = {
        ReleasedUtterance(utterance=row["id"], split=split_of(file))
        for file in data_files(folder)
        for row in rows_of(file, ("id",))
    }
    if rows != set(release.utterances):
        check_free(folder)
    note(store, replace(release, made=told.made))
