"""The stage: every recording is listened to once, and what was heard is kept."""

from __future__ import annotations

from dataclasses import dataclass

from corpus.match.hearing import Listener, Transcriber
from corpus.media import Media
from corpus.records import Draft, Recording
from corpus.run import Item, Outcome
from corpus.workspace import Workspace

__all__ = ["DraftStage", "Drafting", "ToDraft", "drafted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDraft:
    """One recording, and the draft that is kept of it."""

    recording: str
    known: Draft | None


class DraftStage:
    """What is to be listened to; by the names of what writes and what listens."""

    def __init__(self, workspace: Workspace, transcriber: str, listener: str) -> None:
        self._workspace = workspace
        self._models = f"{transcriber} {listener}"

    def items(self) -> list[Item[Recording]]:
        """All recordings; each is listened to once by the same models."""
        return [
            Item(key=one.id, inputs=self._models, payload=one)
            for one in self._workspace.store.recordings()
        ]

    def ask(self, recording: Recording) -> ToDraft:
        """What is known of a recording."""
        return ToDraft(recording=recording.id, known=self._workspace.store.draft(recording.id))


class Drafting:
    """Writes drafts, and lets the listener keep by itself what it hears."""

    def __init__(self, transcriber: Transcriber, listener: Listener, media: Media) -> None:
        self._transcriber = transcriber
        self._listener = listener
        self._media = media

    def __call__(self, one: ToDraft) -> Outcome:
        """The draft of one recording.  Raises MediaError without audio."""
        self._listener.listen(self._media.samples(one.recording))
        return Outcome(records=(drafted(one, self._transcriber, self._media),))


def drafted(one: ToDraft, transcriber: Transcriber, media: Media) -> Draft:
    """The draft that is kept of a recording, if it is of this model, or a new one."""
    if one.known is not None and one.known.model == transcriber.name:
        return one.known
    segments = transcriber.transcribe(media.samples(one.recording))
    return Draft(recording=one.recording, model=transcriber.name, segments=segments)
