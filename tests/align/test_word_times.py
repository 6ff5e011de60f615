"""Texts that people corrected get the times of their words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from align.aligner import Aligner
from align.word_times import Timing, WordTimes
from corpus.media import flac_bytes
from corpus.records import Annotation, Utterance, Verdict
from corpus.rows import AlignedRecording
from corpus.run import Summary, run_stage
from corpus.workspace import Workspace
from tests.align.toys import ToyModel, noise, sung
from tests.corpus.made import recording, utterance

UNO = recording("uno")
SUNG = [("ay", 2.0, 2.4), ("penita", 2.6, 3.4), ("mia", 3.6, 4.0), ("ole", 6.0, 6.4)]
PENA = utterance(UNO, "ay pena mía", 1.8, 2.4)
OLE = utterance(UNO, "olé", 5.9, 0.8)


@pytest.fixture
def timing(workspace: Workspace) -> WordTimes:
    path = workspace.media.flac(UNO.id)
    path.parent.mkdir(parents=True)
    samples = noise(UNO.duration)
    path.write_bytes(flac_bytes(samples.read(0, samples.n_samples)))
    save(workspace, UNO, AlignedRecording(recording=UNO.id, utterances=(PENA, OLE)))
    return WordTimes(workspace, "toy")


def time(timing: WordTimes) -> Summary:
    step = Timing(Aligner(ToyModel(sung(UNO.duration, SUNG))), timing.workspace.media)
    return run_stage(timing.workspace.store, "word times", timing.items(), step)


def save(workspace: Workspace, *records: object) -> None:
    with workspace.store.transaction() as transaction:
        transaction.save(records)  # type: ignore[arg-type]  # records of several kinds


def corrected(of: Utterance, text: str, **more: object) -> Annotation:
    made = Annotation(
        utterance=of.id,
        annotator="ana",
        made="2026-01-01T00:00:00+00:00",
        verdict=Verdict.CORRECTED,
        text=text,
        start=of.start,
        end=of.end,
    )
    return replace(made, **more)  # type: ignore[arg-type]  # fields by their names


def test_corrected_words_are_placed_within_the_ends(timing: WordTimes) -> None:
    workspace = timing.workspace
    save(workspace, corrected(PENA, "ay penita\nmía"), corrected(OLE, "olé", words=OLE.words))
    assert time(timing).done == 1
    first, second = workspace.store.utterances()
    assert [word.text for word in first.words] == ["ay", "penita", "mía"]
    assert [word.start for word in first.words] == pytest.approx([2.0, 2.6, 3.6], abs=0.05)
    assert first.words[-1].end <= PENA.end
    assert second.words == OLE.words
    # Done: nothing is left, and one annotation is one annotation.
    assert timing.items() == []
    assert len(workspace.store.annotations()) == 2


def test_only_the_word_that_speaks_is_timed(timing: WordTimes) -> None:
    later = "2026-01-02T00:00:00+00:00"
    save(
        timing.workspace,
        corrected(PENA, "ay penita mía"),
        corrected(PENA, PENA.text, verdict=Verdict.REJECTED, made=later),
        corrected(OLE, ""),
    )
    assert timing.items() == []
    save(timing.workspace, corrected(PENA, "ay", verdict=Verdict.SKIPPED, made="2027"))
    assert timing.items() == []


def test_what_has_no_room_is_told_and_the_rest_is_done(timing: WordTimes) -> None:
    store = timing.workspace.store
    long = "una letra que no cabe en tan poco tiempo por más que se cante deprisa"
    save(
        timing.workspace,
        corrected(PENA, "ay penita mía"),
        corrected(OLE, long, end=OLE.start + 0.3),
    )
    (failure,) = time(timing).failures
    assert failure.item == f"{UNO.id}:{OLE.id}"
    first, second = store.utterances()
    assert len(first.words) == 3
    assert (second.text, second.words) == (long, ())
