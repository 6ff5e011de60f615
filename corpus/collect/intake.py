"""From something found to a recording in the workspace."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from corpus.collect import Found, collector_for
from corpus.collect.base import AS_USUAL, EVERYTHING, Network, Wanted, printable
from corpus.collect.measures import STATS, measured
from corpus.collect.tags import read_tags, year_of
from corpus.collect.web import fetched, is_link, why_not
from corpus.errors import CanteError, MediaError, PassedOverError
from corpus.lyrics.base import Flaw, letra_from, verses_of
from corpus.media import hash_file
from corpus.records import (
    UNKNOWN_RIGHTS,
    Decision,
    Match,
    MatchedVerse,
    Recording,
)
from corpus.rights import rights_of
from corpus.rows import Amended, Record
from corpus.run import Item, Outcome
from corpus.workspace import Workspace

__all__ = ["Intake"]

_Tags = dict[str, str]
_Extra = tuple[tuple[str, str], ...]


class Intake:
    """Takes recordings into a workspace; `rights` are those of what comes without any."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        wanted: Wanted = EVERYTHING,
        network: Network = AS_USUAL,
        rights: str = "",
    ) -> None:
        self.workspace, self._wanted, self._network = workspace, wanted, network
        self._rights = rights or rights_of(workspace.config.corpus.rights)
        self._fresh = _Fresh()
        self._archive = {
            value: one.source
            for one in workspace.store.recordings()
            for name, value in one.extra
            if name == "archive_id"
        }

    def items(self, sources: Sequence[str]) -> list[Item[Found]]:
        """What there is to take in; a source that cannot be read is an item that fails."""
        found = [one for source in sources for one in self._found(source)[: self._wanted.limit]]
        unique = {one.key: one for one in found}
        return [Item(key=one.key, inputs=one.inputs, payload=one) for one in unique.values()]

    def _found(self, source: str) -> list[Found]:
        try:
            return list(collector_for(source).find(source, self._wanted, self._network))
        except CanteError as error:
            key = printable(source if "://" in source else str(Path(source).absolute()))
            return [Found(key=key, inputs="", location=source, problem=str(error))]

    def take_in(self, found: Found) -> Outcome:
        """Hash, tags, copy, decode: the recording and, where its text came with it, its verses.

        Raises MediaError when there is no audio to be had, PassedOverError when it is not wanted.
        """
        if found.problem:
            raise MediaError(found.problem)
        if not is_link(found.location):
            path = Path(found.location)
            return self._taken(found, path, read_tags(path), ())
        twins: list[str] = []

        def judge(info: Mapping[str, Any]) -> str:
            twins.extend(filter(None, [self._archive.get(archive_id(info))]))
            return twins[0] if twins else why_not(info, self._wanted)

        from corpus.collect.client import archive_id

        incoming = self.workspace.media.root / "incoming"
        try:
            with fetched(found, incoming, self._network, judge) as got:
                outcome = self._taken(found, got.path, got.said, got.extra)
        except PassedOverError:
            if not twins:
                raise
            return Outcome(note=f"not fetched: it is here already, from {twins[0]}")
        self._archive |= {v: found.location for n, v in got.extra if n == "archive_id"}
        return outcome

    def _taken(self, found: Found, path: Path, said: _Tags, extra: _Extra) -> Outcome:
        """The recording of a file that is at hand; `said` and `extra` is what came with it."""
        media, source = self.workspace.media, printable(found.location)
        id_ = hash_file(path)
        _refuse_purged(self.workspace, id_)
        features: tuple[Record, ...] = ()
        with self._fresh.hold(id_):
            fresh = self._fresh.get(id_)
            stored = None if fresh else self.workspace.store.recording(id_)
            known = fresh or stored
            if known is None or not media.has_flac(id_):
                suffix = path.suffix.lower() if re.fullmatch(r"\.\w{1,8}", path.suffix) else ""
                decoded = media.take(path, id_, suffix, STATS)
                features = (measured(id_, media.samples(id_), decoded.said),)
                known = known or Recording(
                    id=id_, source=source, duration=decoded.duration, suffix=suffix
                )
                note = decoded.warning
                known = _described(known, said | dict(found.given), extra + found.extra)
            else:
                note = "" if known.source == source else f"the same bytes as {known.source}"
                known = _described(known, dict(found.given), found.extra)
            if known.rights == UNKNOWN_RIGHTS:
                known = replace(known, rights=self._rights)
            self._fresh.put(known)
        text = _given_text(known, found.transcription, self.workspace.config.corpus.rights)
        recording = Amended(before=stored, after=known) if stored else known
        return Outcome(records=(recording, *features, *text), note=note)


class _Fresh:
    """What was taken in and may not be saved yet; the same bytes are taken by one at a time."""

    _KEPT = 64  # far more than are taken in beside each other

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._recordings: dict[str, Recording] = {}

    @contextlib.contextmanager
    def hold(self, recording: str) -> Iterator[None]:
        with self._lock:
            mine = self._locks.setdefault(recording, threading.Lock())
        with mine:
            yield

    def get(self, recording: str) -> Recording | None:
        return self._recordings.get(recording)

    def put(self, recording: Recording) -> None:
        with self._lock:
            self._recordings[recording.id] = recording
            while len(self._recordings) > self._KEPT:
                oldest = next(iter(self._recordings))
                del self._recordings[oldest]
                self._locks.pop(oldest, None)


def _refuse_purged(workspace: Workspace, recording: str) -> None:
    tomb = workspace.store.tombstone(recording)
    if tomb is not None:
        reason = f" ({tomb.reason})" if tomb.reason else ""
        raise MediaError(f"purged on {tomb.at[:10]}{reason}: it is not taken in again")


def _described(recording: Recording, said: _Tags, extra: _Extra) -> Recording:
    """The recording with what is said of it; what nothing is said of stays as it was."""
    changes: dict[str, str | int | None] = {k: v for k, v in said.items() if v and k != "year"}
    if said.get("rights"):
        changes["rights"] = rights_of(said["rights"])
    if said.get("year"):
        changes["year"] = year_of(said["year"]) or recording.year
    merged = dict(recording.extra) | dict(extra)
    return replace(recording, **changes, extra=tuple(sorted(merged.items())))  # type: ignore[arg-type]  # keys are fields of a recording, by FIELDS


def _given_text(recording: Recording, transcription: str, rights: str) -> tuple[Record, ...]:
    """A transcription that came along: its stanzas, and a match that need not be searched.

    What is said of the rights of the audio says nothing of those of the text.
    """
    letra = letra_from(
        "",
        transcription,
        title=recording.title,
        artist=recording.artist,
        palo=recording.palo,
        extra=(("author", recording.author),) if recording.author else (),
    )
    if isinstance(letra, Flaw):
        return ()
    verses = verses_of(letra, recording.source, rights)
    matched = tuple(
        MatchedVerse(verse=verse.id, score=1.0, reason="transcription given with the recording")
        for verse in verses
    )
    match = Match(
        recording=recording.id, verses=matched, decision=Decision.ACCEPTED, decided_by="source"
    )
    return (*verses, match)
