"""The stage: recordings without a decided match get one."""

from __future__ import annotations

from corpus.match.chain import chain
from corpus.match.hearing import Transcriber
from corpus.match.index import VerseIndex
from corpus.match.score import DraftText, gather
from corpus.records import Decision, Draft, Match, Recording, content_id
from corpus.run import Item, Outcome, now
from corpus.workspace import Workspace

__all__ = ["Matcher"]


class Matcher:
    """Matches the recordings of a workspace; `transcriber` None goes by titles alone."""

    def __init__(self, workspace: Workspace, transcriber: Transcriber | None) -> None:
        self.workspace = workspace
        self.transcriber = transcriber
        self.index = VerseIndex(workspace.store.verses())

    def items(self, *, again: bool = False) -> list[Item[Recording]]:
        """What may need a match: all but the accepted; `again` takes the machine's accepted too."""
        matches = {match.recording: match for match in self.workspace.store.matches()}
        settings = self.workspace.config.match
        listener = self.transcriber.name if self.transcriber else ""
        # A moment among the inputs: nothing that was done before counts as the same.
        moment = now() if again else ""
        made_from = content_id(listener, repr(settings), moment, *self._letras())
        return [
            Item(
                key=recording.id,
                inputs=content_id(made_from, recording.title, recording.artist),
                payload=recording,
            )
            for recording in self.workspace.store.recordings()
            if not _decided(matches.get(recording.id), again=again)
        ]

    def _letras(self) -> list[str]:
        """What a match may rest on: the verses, and what the letras that hold them are called."""
        return sorted(
            f"{id_} {source.source} {source.title} {source.artist}"
            for id_, verse in self.index.verses.items()
            for source in verse.sources
        )

    def match(self, recording: Recording) -> Outcome:
        """The match of one recording, and the draft it rests on."""
        draft = self._draft(recording)
        found = gather(recording, DraftText(draft.segments if draft else ()), self.index)
        settings = self.workspace.config.match
        match = chain(recording.id, found, accept=settings.accept, review=settings.review)
        return Outcome(records=(match,) if draft is None else (draft, match))

    def _draft(self, recording: Recording) -> Draft | None:
        if self.transcriber is None:
            return None
        known = self.workspace.store.draft(recording.id)
        if known is not None and known.model == self.transcriber.name:
            return known
        segments = self.transcriber.transcribe(self.workspace.media.samples(recording.id))
        return Draft(recording=recording.id, model=self.transcriber.name, segments=segments)


def _decided(match: Match | None, *, again: bool) -> bool:
    if match is None:
        return False
    if match.decided_by != "machine":
        return True
    return match.decision is Decision.ACCEPTED and not again
