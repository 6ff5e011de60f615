"""The stage: accepted matches become utterances."""

from __future__ import annotations

from align.aligner import Aligner
from align.cut import cut
from align.records import AlignedLine
from corpus.errors import AlignmentError
from corpus.media import SAMPLE_RATE
from corpus.records import Decision, Match, Recording, Utterance, Verse, content_id
from corpus.run import Item, Outcome
from corpus.store import AlignedRecording
from corpus.workspace import Workspace

__all__ = ["AlignStage"]


class AlignStage:
    """Aligns the accepted matches of a workspace."""

    def __init__(self, workspace: Workspace, aligner: Aligner) -> None:
        self.workspace = workspace
        self.aligner = aligner
        self.verses = {verse.id: verse for verse in workspace.store.verses()}
        self.recordings = {one.id: one for one in workspace.store.recordings()}

    def items(self) -> list[Item[Match]]:
        """The accepted matches; one is done anew when its verses or the model change."""
        settings = repr(self.workspace.config.align)
        return [
            Item(
                key=match.recording,
                inputs=content_id(match.id, self.aligner.model.name, settings),
                payload=match,
            )
            for match in self.workspace.store.matches()
            if match.decision is Decision.ACCEPTED
        ]

    def align(self, match: Match) -> Outcome:
        """The utterances of one recording.

        Raises AlignmentError when the text cannot be placed, MediaError without audio.
        """
        recording = self.recordings[match.recording]
        texts = [_spelling(self.verses[one.verse], recording) for one in match.verses]
        samples = self.workspace.media.samples(recording.id)
        lines = self.aligner.align(samples, [line for text in texts for line in text])
        ends = samples.n_samples / SAMPLE_RATE
        utterances: list[Utterance] = []
        for i, (one, mine) in enumerate(zip(match.verses, _parted(lines, texts), strict=True)):
            before = utterances[-1].end if utterances else 0.0
            after = _next_start(lines, texts, i)
            utterances += cut(
                mine,
                recording.id,
                within=(before, ends if after is None else after),
                verse=one.verse,
                max_seconds=self.workspace.config.align.max_seconds,
            )
        if not utterances:
            raise AlignmentError(
                "nothing of the text could be placed: listen, and correct the match"
            )
        aligned = AlignedRecording(recording=recording.id, utterances=tuple(utterances))
        return Outcome(records=(aligned,))


def _spelling(verse: Verse, recording: Recording) -> tuple[str, ...]:
    """The lines as they are spelt where the recording came from, else as first written."""
    mine = [source.lines for source in verse.sources if source.source == recording.source]
    return mine[0] if mine else verse.lines


def _parted(
    lines: tuple[AlignedLine, ...], texts: list[tuple[str, ...]]
) -> list[tuple[AlignedLine, ...]]:
    """The aligned lines of each verse."""
    rest = iter(lines)
    return [tuple(next(rest) for _ in text) for text in texts]


def _next_start(
    lines: tuple[AlignedLine, ...], texts: list[tuple[str, ...]], verse: int
) -> float | None:
    """When the verse after this one begins."""
    i = sum(len(text) for text in texts[: verse + 1])
    return lines[i].start if i < len(lines) else None
