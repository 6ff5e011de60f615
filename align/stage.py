"""The stage: accepted matches become utterances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from align.aligner import Aligner
from align.checks import doubtful_verses
from align.cut import cut
from align.records import Alignment
from align.wordless import cries_of, silences_of
from corpus.errors import AlignmentError
from corpus.media import SAMPLE_RATE, Media
from corpus.records import Decision, Match, Recording, Segment, Utterance, Verse, content_id
from corpus.rows import AlignedRecording
from corpus.run import Item, Outcome
from corpus.workspace import Workspace

__all__ = ["AlignStage", "Aligning", "ToAlign"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToAlign:
    """One recording, with all that its alignment asks of the store.

    `texts` are the lines of the verses that are sung, as they are spelt where the recording came
    from, `verses` their ids, `draft` a free transcript, if there is one.
    """

    recording: str
    verses: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    draft: tuple[Segment, ...] = ()


class AlignStage:
    """What is to be aligned in a workspace; `model` is the name of what hears."""

    def __init__(self, workspace: Workspace, model: str) -> None:
        self.workspace = workspace
        self.model = model
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
                inputs=content_id(match.id, self.model, settings),
                payload=match,
            )
            for match in self._matches
            if match.decision is Decision.ACCEPTED and self._is_there(match)
        ]

    def _is_there(self, match: Match) -> bool:
        """Whether nothing of it was purged in this moment."""
        texts = (one.verse in self.verses for one in match.verses)
        return match.recording in self.recordings and all(texts)

    def ask(self, match: Match) -> ToAlign:
        """What is known of a recording with such a match."""
        recording = self.recordings[match.recording]
        draft = self.workspace.store.draft(recording.id)
        return ToAlign(
            recording=recording.id,
            verses=tuple(one.verse for one in match.verses),
            texts=tuple(_spelling(self.verses[one.verse], recording) for one in match.verses),
            draft=draft.segments if draft else (),
        )


class Aligning:
    """Aligns one recording after another; no utterance is longer than `max_seconds`."""

    def __init__(self, aligner: Aligner, media: Media, max_seconds: float) -> None:
        self.aligner = aligner
        self.media = media
        self.max_seconds = max_seconds

    def __call__(self, one: ToAlign) -> Outcome:
        """The utterances of a recording; verses in doubt are named with the reason.

        Raises AlignmentError when the text cannot be placed, MediaError without audio.
        """
        samples = self.media.samples(one.recording)
        lines = [line for text in one.texts for line in text]
        aligned = self.aligner.align(samples, lines, draft=one.draft)
        verse_of = [v for v, text in zip(one.verses, one.texts, strict=True) for _ in text]
        duration = samples.n_samples / SAMPLE_RATE
        utterances = _utterances(aligned, one.recording, verse_of, duration, self.max_seconds)
        if not any(utterance.verse for utterance in utterances):
            raise AlignmentError(
                "nothing of the text is heard in it: listen, and correct the match"
            )
        return Outcome(
            records=(AlignedRecording(recording=one.recording, utterances=utterances),),
            note="; ".join(doubtful_verses(aligned, one.texts)),
        )


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
