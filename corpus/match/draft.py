"""The stage: every recording is listened to once, and what was heard is kept."""

from __future__ import annotations

from corpus.match.hearing import Listener, Transcriber
from corpus.records import Draft, Recording
from corpus.run import Item, Outcome
from corpus.workspace import Workspace

__all__ = ["DraftStage", "drafted"]


class DraftStage:
    """Drafts, and what the listener keeps of the sound by itself."""

    def __init__(self, workspace: Workspace, transcriber: Transcriber, listener: Listener) -> None:
        self._workspace = workspace
        self._transcriber = transcriber
        self._listener = listener

    def items(self) -> list[Item[Recording]]:
        """All recordings; each is listened to once by the same models."""
        models = f"{self._transcriber.name} {self._listener.name}"
        return [
            Item(key=one.id, inputs=models, payload=one)
            for one in self._workspace.store.recordings()
        ]

    def draft(self, recording: Recording) -> Outcome:
        """The draft of one recording.  Raises MediaError without audio."""
        self._listener.listen(self._workspace.media.samples(recording.id))
        return Outcome(records=(drafted(self._workspace, self._transcriber, recording.id),))


def drafted(workspace: Workspace, transcriber: Transcriber, recording: str) -> Draft:
    """The draft that is kept of a recording, if it is of this model, or a new one."""
    known = workspace.store.draft(recording)
    if known is not None and known.model == transcriber.name:
        return known
    segments = transcriber.transcribe(workspace.media.samples(recording))
    return Draft(recording=recording, model=transcriber.name, segments=segments)
