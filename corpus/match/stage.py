"""The stage: recordings without a decided match get one."""

from __future__ import annotations

from corpus.match.bank import Bank
from corpus.match.chain import chain, explained
from corpus.match.draft import ToDraft, drafted
from corpus.match.hearing import Ear, Listener, Transcriber
from corpus.match.index import VerseIndex
from corpus.match.score import DraftText, gather
from corpus.match.unknown import unknown_in
from corpus.records import Decision, Draft, Match, Recording, content_id
from corpus.run import Item, Outcome, now
from corpus.workspace import Workspace

__all__ = ["Matcher"]


class Matcher:
    """Matches the recordings of a workspace: by titles, and by what is heard.

    `transcriber` writes drafts, `listener` tells verses by their sound; each may be None.
    """

    def __init__(
        self,
        workspace: Workspace,
        transcriber: Transcriber | None,
        listener: Listener | None = None,
    ) -> None:
        self.workspace = workspace
        self.transcriber = transcriber
        self.listener = listener
        self.index = VerseIndex(workspace.store.verses(), Bank(workspace.root / "bank"))

    def items(self, *, again: bool = False) -> list[Item[Recording]]:
        """What may need a match: all but the accepted; `again` takes the machine's accepted too.

        A side is matched by its tracks.
        """
        matches = {match.recording: match for match in self.workspace.store.matches()}
        settings = self.workspace.config.match
        models = [one.name if one else "" for one in (self.transcriber, self.listener)]
        # A moment among the inputs: nothing that was done before counts as the same.
        moment = now() if again else ""
        made_from = content_id(*models, repr(settings), moment, *self._letras())
        recordings = self.workspace.store.recordings()
        sides = {recording.part_of for recording in recordings}
        return [
            Item(
                key=recording.id,
                inputs=content_id(made_from, recording.title, recording.artist, recording.palo),
                payload=recording,
            )
            for recording in recordings
            if recording.id not in sides and not _decided(matches.get(recording.id), again=again)
        ]

    def _letras(self) -> list[str]:
        """What a match may rest on: the verses, and what is said of the letras that hold them."""
        return sorted(
            f"{id_} {source.source} {source.title} {source.artist} {source.palo}"
            for id_, verse in self.index.verses.items()
            for source in verse.sources
        )

    def match(self, recording: Recording) -> Outcome:
        """The match of one recording, and the draft it rests on."""
        draft = self._draft(recording)
        ear = self._ear(recording)
        segments = draft.segments if draft else ()
        settings = self.workspace.config.match
        found = gather(recording, DraftText(segments), self.index, ear)
        chosen = explained(found, settings.review)
        lines = [self.index.verses[one.verse].lines for one in chosen]
        match = chain(
            recording.id,
            chosen,
            accept=settings.accept,
            review=settings.review,
            unknown=unknown_in(ear, chosen, lines, segments) if ear else (),
        )
        return Outcome(records=(match,) if draft is None else (draft, match))

    def _ear(self, recording: Recording) -> Ear | None:
        if self.listener is None or not self.index.verses:
            return None
        return self.listener.listen(self.workspace.media.samples(recording.id))

    def _draft(self, recording: Recording) -> Draft | None:
        if self.transcriber is None:
            return None
        known = self.workspace.store.draft(recording.id)
        asked = ToDraft(recording=recording.id, known=known)
        return drafted(asked, self.transcriber, self.workspace.media)


def _decided(match: Match | None, *, again: bool) -> bool:
    if match is None:
        return False
    if match.decided_by != "machine":
        return True
    return match.decision is Decision.ACCEPTED and not again
