"""What a file says of itself: its tags, by mutagen, and else its name."""

from __future__ import annotations

import re
from pathlib import Path

from corpus.collect.base import printable
from corpus.text import clean

__all__ = ["read_tags", "tags_in", "year_of"]

_TAGS = {"title": "title", "artist": "artist", "album": "album", "date": "year"}
_YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)")


def year_of(text: str) -> int | None:
    """The first year from 1800 to 2099 in a text."""
    found = _YEAR.search(text)
    return int(found[1]) if found else None


def read_tags(path: Path) -> dict[str, str]:
    """Title, artist, album and year by the file's tags; its name gives a missing title."""
    tags = tags_in(path)
    return _from_name(path) | tags if "title" not in tags else tags


def tags_in(path: Path) -> dict[str, str]:
    """What the tags of a file say of title, artist, album and year."""
    tags = {name: " ".join(clean(value).split()) for name, value in _from_file(path).items()}
    return {name: value for name, value in tags.items() if value}


def _from_file(path: Path) -> dict[str, str]:
    import mutagen

    # Damaged tags are no reason to refuse the audio, and mutagen meets broken
    # ones with errors of many kinds beside its own.
    try:
        found = mutagen.File(path, easy=True)
    except Exception:  # noqa: BLE001
        return {}
    if found is None or found.tags is None:
        return {}
    out = {}
    for tag, name in _TAGS.items():
        values = found.tags.get(tag) or []
        out[name] = " / ".join(str(value) for value in values)
    return out


def _from_name(path: Path) -> dict[str, str]:
    """'Artist - Title' or 'Title', without a leading track number."""
    name = " ".join(clean(printable(path.stem)).replace("_", " ").split())
    stem = re.sub(r"^\d{1,3}[\s._-]+(?=\D)", "", name)
    artist, dash, title = stem.partition(" - ")
    if dash and title.strip() and artist.strip():
        return {"artist": artist.strip(), "title": title.strip()}
    return {"title": stem}
