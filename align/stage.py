"""The stage: accepted matches become utterances."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from align.aligner import Aligner
from align.checks import doubtful_verses
from align.cut import cut
from align.records import Alignment
from align.wordless import cries_of, silences_of
from corpus.errors import AlignmentError
from corpus.media import SAMPLE_RATE
from corpus.records import Decision, Match, Recording, Utterance, Verse, content_id
from corpus.rows import AlignedRecording
from corpus.run import Item, Outcome
from corpus.workspace import Workspace

__all__ = ["AlignStage"]


class AlignStage:
    """Aligns the accepted matches of a workspace."""

    def __init__(self, workspace: Workspace, aligner: Aligner) -> None:
        self.workspace = workspace
        self.aligner = aligner
        # First: what they name was there before them.
        self._matches = workspace.store.matches()
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
            for match in self._matches
            if match.decision is Decision.ACCEPTED and self._is_there(match)
        ]

    def _is_there(self, match: Match) -> bool:
        """Whether nothing of it was purged in this moment."""
        texts = (one.verse in self.verses for one in match.verses)
        return match.recording in self.recordings and all(texts)

    def align(self, match: Match) -> Outcome:
        """The utterances of one recording; verses in doubt are named with the reason.

        Raises AlignmentError when the text cannot be placed, MediaError without audio.
        """
        recording = self.recordings[match.recording]
        texts = [_spelling(self.verses[one.verse], recording) for one in match.verses]
        samples = self.workspace.media.samples(recording.id)
        draft = self.workspace.store.draft(recording.id)
        aligned = self.aligner.align(
            samples,
            [line for text in texts for line in text],
            draft=draft.segments if draft else (),
        )
        verse_of = [one.verse for one, text in zip(match.verses, texts, strict=True) for _ in text]
        utterances = _utterances(
            aligned, recording.id, verse_of, samples.n_samples / SAMPLE_RATE, self.max_seconds
        )
        if not any(utterance.verse for utterance in utterances):
            raise AlignmentError(
                "nothing of the text is heard in it: listen, and correct the match"
            )
        return Outcome(
            records=(AlignedRecording(recording=recording.id, utterances=utterances),),
            note="; ".join(doubtful_verses(aligned, texts)),
        )

    @property
    def max_seconds(self) -> float:
        """How long an utterance may be."""
        return self.workspace.config.align.max_seconds


def _utterances(
    aligned: Alignment,
    recording: str,
    verse_of: Sequence[str],
    duration: float,
    max_seconds: float,
) -> tuple[Utterance, ...]:
    """What was sung, verse by verse, the cries between, and where nobody sings; in time."""
    cries = cries_of(aligned, recording, max_seconds)
    sung = [line for line in aligned.lines if not line.left_out]
    runs = [list(run) for _, run in groupby(sung, key=lambda line: verse_of[line.line])]
    found: list[Utterance] = []
    for k, run in enumerate(runs):
        before = [found[-1].end if found else 0.0]
        after = [runs[k + 1][0].start if k + 1 < len(runs) else duration]
        start, end = run[0].start, run[-1].end
        before += [cry.end for cry in cries if cry.end <= start]
        after += [cry.start for cry in cries if cry.start >= end]
        found += cut(
            run,
            recording,
            within=(max(before), min(after)),
            verse=verse_of[run[0].line],
            max_seconds=max_seconds,
        )
    found += [*cries, *silences_of(aligned, recording, duration, max_seconds)]
    return tuple(sorted(found, key=lambda utterance: utterance.start))


def _spelling(verse: Verse, recording: Recording) -> tuple[str, ...]:
    """The lines as they are spelt where the recording came from, else as first written."""
    mine = [source.lines for source in verse.sources if source.source == recording.source]
    return mine[0] if mine else verse.lines
