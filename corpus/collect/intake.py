"""From something found to a recording in the workspace."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from corpus.collect import Found, collector_for
from corpus.collect.base import printable
from corpus.collect.tags import read_tags, year_of
from corpus.collect.web import fetched
from corpus.errors import CanteError, MediaError
from corpus.media import hash_file
from corpus.records import (
    UNKNOWN_RIGHTS,
    Decision,
    Match,
    MatchedVerse,
    Recording,
    Verse,
    VerseSource,
)
from corpus.rows import Record
from corpus.run import Item, Outcome
from corpus.text import stanzas
from corpus.workspace import Workspace

__all__ = ["items", "take_in"]

_Tags = dict[str, str]
_Extra = tuple[tuple[str, str], ...]


def items(sources: Sequence[str]) -> list[Item[Found]]:
    """What there is to take in; a source that cannot be read is an item that fails."""
    found: list[Found] = []
    for source in sources:
        try:
            found += collector_for(source).find(source)
        except CanteError as error:
            key = printable(source if "://" in source else str(Path(source).absolute()))
            found.append(Found(key=key, inputs="", location=source, problem=str(error)))
    unique = {one.key: one for one in found}
    return [Item(key=one.key, inputs=one.inputs, payload=one) for one in unique.values()]


def take_in(workspace: Workspace, found: Found) -> Outcome:
    """Hash, tags, copy, decode: the recording and, where its text came with it, verses and match.

    Raises MediaError when there is no audio to be had.
    """
    if found.problem:
        raise MediaError(found.problem)
    source = printable(found.location)
    with _at_hand(found.location) as (path, said, extra):
        id_ = hash_file(path)
        _refuse_purged(workspace, id_)
        known = workspace.store.recording(id_)
        if known is None or not workspace.media.flac(id_).is_file():
            suffix = path.suffix.lower() if re.fullmatch(r"\.\w{1,8}", path.suffix) else ""
            decoded = workspace.media.take(path, id_, suffix)
            known = known or Recording(
                id=id_, source=source, duration=decoded.duration, suffix=suffix
            )
            note = decoded.warning
            known = _described(known, said | dict(found.given), extra + found.extra)
        else:
            note = "" if known.source == source else f"the same bytes as {known.source}"
            known = _described(known, dict(found.given), found.extra)
    if known.rights == UNKNOWN_RIGHTS:
        known = replace(known, rights=workspace.config.corpus.rights)
    text = _given_text(known, found.transcription, workspace.config.corpus.rights)
    return Outcome(records=(known, *text), note=note)


def _refuse_purged(workspace: Workspace, recording: str) -> None:
    tomb = workspace.store.tombstone(recording)
    if tomb is not None:
        reason = f" ({tomb.reason})" if tomb.reason else ""
        raise MediaError(f"purged on {tomb.at[:10]}{reason}: it is not taken in again")


@contextlib.contextmanager
def _at_hand(location: str) -> Iterator[tuple[Path, _Tags, _Extra]]:
    """The file, what it says of itself, and what its site says besides."""
    if "://" not in location:
        path = Path(location)
        yield path, read_tags(path), ()
        return
    with fetched(location) as got:
        in_file = read_tags(got.path)
        yield got.path, in_file | {k: v for k, v in got.tags.items() if v}, got.extra


def _described(recording: Recording, said: _Tags, extra: _Extra) -> Recording:
    """The recording with what is said of it; what nothing is said of stays as it was."""
    changes: dict[str, str | int | None] = {k: v for k, v in said.items() if v and k != "year"}
    if said.get("year"):
        changes["year"] = year_of(said["year"]) or recording.year
    merged = dict(recording.extra) | dict(extra)
    return replace(recording, **changes, extra=tuple(sorted(merged.items())))  # type: ignore[arg-type]  # keys are fields of a recording, by FIELDS


def _given_text(recording: Recording, transcription: str, rights: str) -> tuple[Record, ...]:
    """A transcription that came along: its stanzas, and a match that need not be searched.

    What is said of the rights of the audio says nothing of those of the text.
    """
    parts = stanzas(transcription)
    if not parts:
        return ()
    verses = [
        Verse(
            lines=lines,
            sources=(
                VerseSource(
                    source=recording.source,
                    position=position,
                    lines=lines,
                    title=recording.title,
                    artist=recording.artist,
                    palo=recording.palo,
                    rights=rights,
                ),
            ),
        )
        for position, lines in enumerate(parts)
    ]
    matched = tuple(
        MatchedVerse(verse=verse.id, score=1.0, reason="transcription given with the recording")
        for verse in verses
    )
    match = Match(
        recording=recording.id, verses=matched, decision=Decision.ACCEPTED, decided_by="source"
    )
    return (*verses, match)
