"""The stage: matches become utterances, verse by verse, in the spelling of the recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from align.aligner import Aligner
from align.lines import moved
from align.records import AlignedLine, Alignment
from align.stage import Aligning, AlignStage
from corpus.errors import AlignmentError, MediaError
from corpus.media import Samples, flac_bytes
from corpus.records import (
    Decision,
    Draft,
    Kind,
    Match,
    MatchedVerse,
    Recording,
    Segment,
    Verse,
    Word,
)
from corpus.run import Summary, Work, run_stage
from corpus.workspace import Workspace
from tests.corpus.made import recording, tone, verse


class Evenly:
    """Places every word for 0.4 s, half a second after the one before."""

    def align(
        self, samples: Samples, lines: Sequence[str], draft: Sequence[Segment] = ()
    ) -> Alignment:
        if not samples.n_samples or not lines:
            raise AlignmentError("nothing")
        at, out = 0.5, []
        for k, line in enumerate(lines):
            words = []
            for text in line.split():
                words.append(Word(text=text, start=at, end=at + 0.4, score=0.5))
                at += 0.5
            made = AlignedLine(
                text=line,
                start=words[0].start,
                end=words[-1].end,
                words=tuple(words),
                score=0.5,
                probability=0.99 if draft else 0.95,
                line=k,
            )
            out.append(made)
        voice = np.ones(samples.n_samples // 320, np.float32)
        return Alignment(lines=tuple(out), voice=voice, frame_rate=50.0)


HERE = recording("soleá")
FIRST, SECOND = verse("Fui piedra", "y perdí mi centro"), verse("ay pena")


def matched(of: Recording, *verses: Verse, decision: Decision = Decision.ACCEPTED) -> Match:
    chosen = tuple(MatchedVerse(verse=one.id, score=1.0, reason="") for one in verses)
    return Match(recording=of.id, verses=chosen, decision=decision)


def put(workspace: Workspace, *records: Recording | Verse | Match) -> None:
    for one in records:
        if isinstance(one, Recording):
            path = workspace.media.flac(one.id)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(flac_bytes(tone(one.duration)))
    with workspace.store.transaction() as transaction:
        transaction.save(records)


def step_of(workspace: Workspace, aligner: Evenly | None = None) -> Aligning:
    by = cast("Aligner", aligner or Evenly())
    return Aligning(by, workspace.media, workspace.config.align.max_seconds)


def align(workspace: Workspace, aligner: Evenly | None = None) -> Summary:
    stage = AlignStage(workspace, "toy")
    work = Work(ask=stage.ask, make=lambda: step_of(workspace, aligner))
    return run_stage(workspace.store, "align", stage.items(), work)


def test_each_verse_gets_utterances_of_its_own(workspace: Workspace) -> None:
    put(workspace, HERE, FIRST, SECOND, matched(HERE, FIRST, SECOND))
    assert align(workspace).done == 1
    first, second = workspace.store.utterances()
    assert (first.verse, second.verse) == (FIRST.id, SECOND.id)
    assert first.text == "Fui piedra\ny perdí mi centro"
    assert first.end <= second.start
    assert second.end <= HERE.duration
    assert align(workspace).skipped == 1


def test_another_match_is_aligned_anew(workspace: Workspace) -> None:
    put(workspace, HERE, FIRST, SECOND, matched(HERE, FIRST))
    align(workspace)
    with workspace.store.transaction() as transaction:
        transaction.save([matched(HERE, SECOND)])
    assert align(workspace).done == 1
    assert [one.text for one in workspace.store.utterances()] == ["ay pena"]


def test_the_spelling_is_that_of_the_place_where_the_recording_came_from(
    workspace: Workspace,
) -> None:
    mine = replace(
        verse("¡FUI PIEDRA!", "y perdí mi centro", source=HERE.source), lines=FIRST.lines
    )
    assert mine.id == FIRST.id
    put(workspace, HERE, FIRST, mine, matched(HERE, FIRST))
    align(workspace)
    assert workspace.store.utterances()[0].text == "¡FUI PIEDRA!\ny perdí mi centro"


def test_what_is_to_review_waits(workspace: Workspace) -> None:
    waiting = matched(HERE, FIRST, decision=Decision.REVIEW)
    put(workspace, HERE, FIRST, waiting)
    assert AlignStage(workspace, "toy").items() == []


def test_a_recording_whose_audio_is_gone_fails_alone(workspace: Workspace) -> None:
    other = recording("otra")
    put(workspace, HERE, other, FIRST, matched(HERE, FIRST), matched(other, FIRST))
    workspace.media.flac(other.id).unlink()
    with pytest.raises(MediaError, match="run `corpus verify --mend`"):
        step_of(workspace)(AlignStage(workspace, "toy").ask(matched(other, FIRST)))
    summary = align(workspace)
    assert (summary.done, len(summary.failures)) == (1, 1)


class Sings(Evenly):
    """Cries first, sings the first line twice and leaves the last one out."""

    def align(
        self, samples: Samples, lines: Sequence[str], draft: Sequence[Segment] = ()
    ) -> Alignment:
        once = super().align(samples, lines, draft)
        first, *rest = (moved(line, 1.0) for line in once.lines)
        again = replace(moved(first, 3.0), repeat=True)
        left_out = replace(rest[-1], sung="", doubts=("it is not heard",))
        voice = once.voice.copy()
        voice[280:] = 0
        aligned = (first, *rest[:-1], again, left_out)
        return replace(once, lines=aligned, voice=voice, cries=((0.2, 1.3),))


def test_utterances_carry_what_was_sung_and_cries_and_silence_stand_apart(
    workspace: Workspace,
) -> None:
    put(workspace, HERE, FIRST, SECOND, matched(HERE, FIRST, SECOND))
    summary = align(workspace, Sings())
    assert [note.reason for note in summary.notes] == [
        "verse 2 (ay pena): 0 of its 1 lines are heard"
    ]
    found = [(one.kind, one.text) for one in workspace.store.utterances()]
    assert found == [
        (Kind.QUEJIO, "Ay"),
        (Kind.LETRA, "Fui piedra\ny perdí mi centro\nFui piedra"),
        (Kind.NOTHING, ""),
    ]
    cry, letra, silence = workspace.store.utterances()
    assert cry.end <= letra.start < letra.end <= silence.start
    assert silence.duration >= 3 - 1e-6


def test_a_recording_of_which_nothing_is_heard_fails_with_the_reason(
    workspace: Workspace,
) -> None:
    put(workspace, HERE, SECOND, matched(HERE, SECOND))
    (failure,) = align(workspace, Nothing()).failures
    assert failure.reason.startswith("nothing of the text is heard in it")
    assert not workspace.store.utterances()


class Nothing(Evenly):
    """Leaves everything out."""

    def align(
        self, samples: Samples, lines: Sequence[str], draft: Sequence[Segment] = ()
    ) -> Alignment:
        once = super().align(samples, lines, draft)
        return replace(once, lines=tuple(replace(line, sung="") for line in once.lines))


def test_a_draft_that_is_there_is_evidence(workspace: Workspace) -> None:
    put(workspace, HERE, FIRST, matched(HERE, FIRST))
    align(workspace)
    assert workspace.store.utterances()[0].score == pytest.approx(0.95)
    heard = Segment(text="fui piedra", start=0.5, end=1.5)
    with workspace.store.transaction() as transaction:
        transaction.save([Draft(recording=HERE.id, model="toy", segments=(heard,))])
    outcome = step_of(workspace)(AlignStage(workspace, "toy").ask(matched(HERE, FIRST)))
    (aligned,) = outcome.records
    assert aligned.utterances[0].score == pytest.approx(0.99)  # type: ignore[union-attr]  # an AlignedRecording
