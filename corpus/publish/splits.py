"""What no split may divide: what one singer sings, and one performance."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from corpus.publish.together import Together
from corpus.records import Recording
from corpus.text import fold

__all__ = ["groups_of"]


def groups_of(recordings: Collection[Recording]) -> dict[str, str]:
    """What must stay in one split, by recording.

    Together are recordings of one singer, copies of one master, and a side and its tracks;
    and whatever is together with one of them.
    """
    together = Together()
    for one in recordings:
        for key in _shared_with(one):
            together.join(f"recording {one.id}", key)
    return {one.id: together.top(f"recording {one.id}") for one in recordings}


def _shared_with(recording: Recording) -> Iterator[str]:
    if singer := fold(recording.artist):
        yield f"singer {singer}"
    if recording.master:
        yield f"master {recording.master}"
    if recording.part_of:
        yield f"recording {recording.part_of}"
