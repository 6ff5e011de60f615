"""Which recordings of a corpus are copies of one master."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any

from corpus.engine import Here
from corpus.errors import MediaError
from corpus.fingerprints import fingerprint, same_master
from corpus.records import Fingerprint, Recording
from corpus.run import Failure, Item, Outcome, n_cores, run_stage
from corpus.store import Store
from corpus.workspace import Workspace

Track = Callable[[Sequence[Any]], Iterable[Any]]

__all__ = ["clusters", "compare", "items", "take_fingerprint"]


def items(workspace: Workspace) -> list[Item[Recording]]:
    """Every recording; each is fingerprinted once.  A side is there by its tracks."""
    return [Item(key=id_, inputs=id_, payload=one) for id_, one in _whole(workspace.store).items()]


def _whole(store: Store) -> dict[str, Recording]:
    """Recordings by id, but for sides that were cut into tracks: these are no copies of it."""
    everything = store.recordings()
    sides = {one.part_of for one in everything}
    return {one.id: one for one in everything if one.id not in sides}


def compare(
    workspace: Workspace, recordings: Collection[str], *, track: Track = iter
) -> tuple[Failure, ...]:
    """Compare some recordings with all others, and note the masters; gives what failed.

    What was fingerprinted before is not again.
    """
    summary = run_stage(
        workspace.store,
        "fingerprint",
        [item for item in items(workspace) if item.key in recordings],
        partial(take_fingerprint, workspace),
        track=track,
        engine=Here(n_workers=n_cores()),
    )
    clusters(workspace)
    return summary.failures


def take_fingerprint(workspace: Workspace, recording: Recording) -> Outcome:
    """The fingerprint of a recording; raises MediaError when its audio is not there."""
    path = workspace.media.flac(recording.id)
    if not path.is_file():
        raise MediaError(f"the audio of {recording.id[:12]} is missing: run `corpus verify --mend`")
    return Outcome(records=(Fingerprint(recording=recording.id, codes=fingerprint(path)),))


def clusters(workspace: Workspace) -> list[list[Recording]]:
    """Recordings of which there are copies, by master, which is noted with each."""
    store = workspace.store
    recordings = _whole(store)
    known = {id_: one.master for id_, one in recordings.items() if one.master}
    found = {id_: codes for id_, codes in store.fingerprints().items() if id_ in recordings}
    # A master that lost its last copy, or itself, is looked for anew with all others.
    whole = not known or any(master not in recordings for master in known.values())
    new = None if whole else [id_ for id_ in found if id_ not in known]
    masters = same_master(found, new=new, masters={} if whole else known)
    if masters != known:
        with store.transaction() as transaction:
            transaction.masters(masters)
    grouped: dict[str, list[Recording]] = defaultdict(list)
    for id_, master in masters.items():
        grouped[master].append(recordings[id_])
    return list(grouped.values())
