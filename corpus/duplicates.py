"""Which recordings of a corpus are copies of one master."""

from __future__ import annotations

from collections import defaultdict

from corpus.errors import MediaError
from corpus.fingerprints import fingerprint, same_master
from corpus.records import Fingerprint, Recording
from corpus.run import Item, Outcome
from corpus.workspace import Workspace

__all__ = ["clusters", "items", "take_fingerprint"]


def items(workspace: Workspace) -> list[Item[Recording]]:
    """Every recording; each is fingerprinted once.  Tracks of a side are it, and no copies."""
    return [
        Item(key=one.id, inputs=one.id, payload=one)
        for one in workspace.store.recordings()
        if not one.part_of
    ]


def take_fingerprint(workspace: Workspace, recording: Recording) -> Outcome:
    """The fingerprint of a recording; raises MediaError when its audio is not there."""
    path = workspace.media.flac(recording.id)
    if not path.is_file():
        raise MediaError(f"the audio of {recording.id[:12]} is missing: run `corpus verify --mend`")
    return Outcome(records=(Fingerprint(recording=recording.id, codes=fingerprint(path)),))


def clusters(workspace: Workspace) -> list[list[Recording]]:
    """Recordings of which there are copies, by master, which is noted with each."""
    store = workspace.store
    recordings = {one.id: one for one in store.recordings()}
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
