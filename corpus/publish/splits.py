"""What no split may divide: what one singer sings, and one performance."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from corpus.publish.together import Together
from corpus.records import Recording
from corpus.text import fold

__all__ = ["groups_of", "names_in", "singers_of"]

_AND = re.compile(
    r"\s*[;/&+]\s*|\s+(?:y|e|and|junto\s+a|feat(?:uring|\.)?|ft\.?)\s+", re.IGNORECASE
)
_BY_WHOM = re.compile(r"\s+(?:con|with|acompañad[oa]\s+(?:por|de))\s.*", re.IGNORECASE)
"""Who accompanies stands behind that: mostly a guitar."""


def names_in(artist: str) -> tuple[str, ...]:
    """The names of those who are said to sing, folded, in their order."""
    parts = map(fold, _AND.split(_BY_WHOM.sub("", artist)))
    return tuple(dict.fromkeys(filter(None, parts))) or tuple(filter(None, [fold(artist)]))


def singers_of(artists: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Who sings where, by artist: the one who is named first, and who is so anywhere.

    Who only ever comes second is a guitarist more often than not, with whom many sing: he
    would tie them all together.
    """
    names = {artist: names_in(artist) for artist in set(artists)}
    singers = {found[0] for found in names.values() if found}
    return {
        artist: tuple(name for name in found if name in singers) for artist, found in names.items()
    }


def groups_of(recordings: Collection[Recording]) -> dict[str, str]:
    """What must stay in one split, by recording.

    Together are recordings of one singer, copies of one master, and a side and its tracks;
    and whatever is together with one of them.
    """
    together, singers = Together(), singers_of(one.artist for one in recordings)
    for one in recordings:
        for key in _shared_with(one, singers[one.artist]):
            together.join(f"recording {one.id}", key)
    return {one.id: together.top(f"recording {one.id}") for one in recordings}


def _shared_with(recording: Recording, singers: Sequence[str]) -> Iterator[str]:
    for singer in singers:
        yield f"singer {singer}"
    if recording.master:
        yield f"master {recording.master}"
    if recording.part_of:
        yield f"recording {recording.part_of}"
