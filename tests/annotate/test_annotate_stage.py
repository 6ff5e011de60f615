"""A folder to annotate goes out, and what people said comes back into the store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from annotate import stage
from annotate.queue import within
from annotate.stage import Exported, export, items, take_in, to_hear
from annotate.tasks import Piece
from corpus.errors import MediaError, UsageError
from corpus.media import flac_bytes
from corpus.records import Recording, Tier, Utterance, Verdict
from corpus.rows import AlignedRecording
from corpus.run import Summary, run_stage
from corpus.workspace import Workspace
from tests.annotate.people import another_region, answer, deleted, handed_in, region, text, verdict
from tests.corpus.made import recording, tone, utterance

UNO = recording("uno", artist="voz")
PENA = replace(utterance(UNO, "ay pena\nmía", 2.0, 3.0), score=0.2)
MADRE = replace(utterance(UNO, "mare de mi alma", 6.0, 2.0), score=0.8)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace.create(tmp_path / "cante")
    path = made.media.flac(UNO.id)
    path.parent.mkdir(parents=True)
    path.write_bytes(flac_bytes(tone(UNO.duration)))
    save(made, UNO, AlignedRecording(recording=UNO.id, utterances=(MADRE, PENA)))
    yield made
    made.store.close()


def clip(of: Utterance) -> str:
    return f"clips/{of.recording}/{of.id}.flac"


def save(workspace: Workspace, *records: Recording | AlignedRecording) -> None:
    with workspace.store.transaction() as transaction:
        transaction.save(records)


def exported(folder: Path) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = json.loads((folder / "tasks.json").read_text("utf-8"))
    return tasks


def bring(workspace: Workspace, tmp_path: Path, *tasks: dict[str, Any]) -> Summary:
    """Take an export of these tasks in, as the command does."""
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks), "utf-8")
    step = items([path])
    return run_stage(workspace.store, "annotate", step, lambda p: take_in(workspace, p))


# ---- out


def test_a_folder_holds_all_that_label_studio_wants(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    told = export(workspace, folder)
    assert told == Exported(tasks=2, clips=2, seconds=7.0)
    tasks = exported(folder)
    assert [task["data"]["external_id"] for task in tasks] == [PENA.id, MADRE.id]
    assert "soleares" in (folder / "config.xml").read_text("utf-8")
    assert sorted(p.name for p in folder.iterdir()) == ["clips", "config.xml", "tasks.json"]
    clip, rate = soundfile.read(str(folder / tasks[0]["data"]["audio"]), dtype="float32")
    assert rate == 16_000
    at = round(tasks[0]["data"]["offset"] * rate)
    np.testing.assert_allclose(clip, tone(UNO.duration)[at : at + 64_000], atol=1e-4)


def test_again_only_what_is_missing_is_written(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    export(workspace, folder)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    kept = folder / clip(PENA)
    inode = kept.stat().st_ino
    (folder / clip(MADRE)).unlink()
    assert export(workspace, folder).clips == 1
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    assert kept.stat().st_ino == inode


@pytest.mark.parametrize(("minutes", "n_tasks"), [(0.05, 0), (0.07, 1), (0.11, 1), (0.12, 2)])
def test_a_limit_takes_the_least_sure_that_fit(
    workspace: Workspace, tmp_path: Path, minutes: float, n_tasks: int
) -> None:
    told = export(workspace, tmp_path / "out", minutes)
    assert (told.tasks, told.clips) == (n_tasks, n_tasks)
    assert told.seconds <= minutes * 60
    ids = [task["data"]["external_id"] for task in exported(tmp_path / "out")]
    assert ids == [PENA.id, MADRE.id][:n_tasks]


@pytest.mark.parametrize("longest", [None, 60.0])
def test_what_fits_has_all_that_is_known_of_it(workspace: Workspace, longest: float | None) -> None:
    everything = to_hear(workspace, longest=longest)
    assert all(one.words for piece in everything for one in piece.utterances)
    assert to_hear(workspace, 10.0, longest) == everything
    assert to_hear(workspace, 0.01, longest) == []


def test_what_is_aligned_anew_while_it_is_chosen_is_left_for_the_next_time(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(pieces: list[Piece], minutes: float | None) -> list[Piece]:
        save(workspace, AlignedRecording(recording=UNO.id, utterances=(MADRE,)))
        return within(pieces, minutes)

    monkeypatch.setattr(stage, "within", meanwhile)
    assert [one.utterances for one in to_hear(workspace, 10.0)] == [(MADRE,)]


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf")])
def test_a_limit_that_is_none_is_refused(
    workspace: Workspace, tmp_path: Path, minutes: float
) -> None:
    with pytest.raises(UsageError, match="a limit is a number of minutes above 0"):
        export(workspace, tmp_path / "out", minutes)
    assert not (tmp_path / "out").exists()


def test_killed_halfway_it_leaves_no_half_file_and_carries_on(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"

    def killed(chosen: Any) -> Iterator[Piece]:
        yield chosen[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(workspace, folder, track=killed)
    assert [p.name for p in folder.rglob("*") if p.is_file()] == [f"{PENA.id}.flac"]
    # Killed while a clip is being written: only a whole one ever bears its name.
    monkeypatch.setattr(stage, "flac_bytes", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        export(workspace, folder)
    monkeypatch.undo()
    assert not (folder / clip(MADRE)).exists()
    assert export(workspace, folder) == Exported(tasks=2, clips=1, seconds=7.0)


def test_missing_audio_is_told(workspace: Workspace, tmp_path: Path) -> None:
    workspace.media.flac(UNO.id).unlink()
    with pytest.raises(MediaError, match="is missing"):
        export(workspace, tmp_path / "out")
    assert not (tmp_path / "out" / "tasks.json").exists()


def test_a_folder_that_is_a_file_is_told(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("here")
    with pytest.raises(MediaError, match="cannot write in"):
        export(workspace, tmp_path / "out")


# ---- and back


def test_the_store_speaks_as_it_was_corrected(workspace: Workspace, tmp_path: Path) -> None:
    export(workspace, tmp_path / "out")
    pena, madre = exported(tmp_path / "out")
    summary = bring(
        workspace,
        tmp_path,
        handed_in(pena, text("ay penita mía"), region(start=0.25)),
        handed_in(madre, number=2),
    )
    assert summary.ok
    assert [note.reason for note in summary.notes] == ["1 corrected, 1 right"]
    first, second = workspace.store.utterances()
    assert (first.text, first.start, first.end, first.words) == ("ay penita mía", 1.75, 5.0, ())
    assert (first.tier, second.tier) == (Tier.GOLD, Tier.GOLD)
    assert second == replace(MADRE, tier=Tier.GOLD, score=1.0, corrects=MADRE.id)
    assert export(workspace, tmp_path / "out") == Exported(tasks=0, clips=0, seconds=0)


def test_what_was_thrown_out_is_gone(workspace: Workspace, tmp_path: Path) -> None:
    export(workspace, tmp_path / "out")
    bring(workspace, tmp_path, handed_in(exported(tmp_path / "out")[0], deleted))
    assert workspace.store.utterances() == (MADRE,)


def test_twice_is_once_and_the_newest_speaks(workspace: Workspace, tmp_path: Path) -> None:
    export(workspace, tmp_path / "out")
    pena = exported(tmp_path / "out")[0]
    first = handed_in(pena, text("ay penita mía"))
    assert bring(workspace, tmp_path, first).done == 1
    assert bring(workspace, tmp_path, first, handed_in(pena, was_cancelled=True)).done == 1
    # The utterance bears another id by now; its task still means the one that was aligned.
    later = handed_in(pena, text("ay mi pena"), updated_at="2026-03-02T00:00:00Z")
    assert bring(workspace, tmp_path, later, first).ok
    assert workspace.store.utterances()[0].text == "ay mi pena"


def test_thrown_out_and_taken_back(workspace: Workspace, tmp_path: Path) -> None:
    export(workspace, tmp_path / "out")
    pena = exported(tmp_path / "out")[0]
    bring(workspace, tmp_path, handed_in(pena, deleted))
    assert bring(workspace, tmp_path, handed_in(pena, updated_at="2026-03-02T00:00:00Z")).ok
    assert len(workspace.store.utterances()) == 2


def test_the_malformed_are_told_and_the_rest_is_taken(workspace: Workspace, tmp_path: Path) -> None:
    export(workspace, tmp_path / "out")
    pena, madre = exported(tmp_path / "out")
    summary = bring(workspace, tmp_path, handed_in(pena, result={}), handed_in(madre, number=2))
    assert [failure.item for failure in summary.failures] == [f"{tmp_path / 'export.json'}:101"]
    assert summary.done == 1
    assert [u.tier for u in workspace.store.utterances()] == [Tier.BRONZE, Tier.GOLD]


def test_what_was_aligned_anew_meanwhile_is_not_lost(workspace: Workspace, tmp_path: Path) -> None:
    export(workspace, tmp_path / "out")
    pena, madre = exported(tmp_path / "out")
    anew = [
        replace(utterance(UNO, line, at, 1.5), score=0.5)
        for line, at in (("ay pena", 2), ("mía", 3.5))
    ]
    save(workspace, AlignedRecording(recording=UNO.id, utterances=(*anew, MADRE)))
    assert [one.text for one in workspace.store.utterances()] == ["ay pena", "mía", MADRE.text]
    assert bring(workspace, tmp_path, handed_in(pena), handed_in(madre, was_cancelled=True)).ok
    # What a person has checked stands in place of what the aligner thinks by now.
    assert [one.text for one in workspace.store.utterances()] == [PENA.text, MADRE.text]
    assert [one.tier for one in workspace.store.utterances()] == [Tier.GOLD, MADRE.tier]
    save(workspace, AlignedRecording(recording=UNO.id, utterances=(*anew, MADRE)))
    assert [one.text for one in workspace.store.utterances()] == [PENA.text, MADRE.text]


def test_an_utterance_of_another_corpus_is_told(workspace: Workspace, tmp_path: Path) -> None:
    export(workspace, tmp_path / "out")
    other = handed_in(exported(tmp_path / "out")[0])
    other["data"]["utterances"] = ["0" * 32]
    summary = bring(workspace, tmp_path, other)
    reasons = [failure.reason for failure in summary.failures]
    assert f"no utterance '{'0' * 32}' in this corpus" in reasons[0]
    assert reasons[1] == "nothing of it could be taken in"


def test_what_was_drawn_is_an_utterance_once(workspace: Workspace, tmp_path: Path) -> None:
    export(workspace, tmp_path / "out")
    pena = exported(tmp_path / "out")[0]
    drawn = handed_in(pena, another_region(0.0, 0.4, "olé"))
    assert bring(workspace, tmp_path, drawn).ok
    assert bring(workspace, tmp_path, drawn, handed_in(pena, was_cancelled=True)).ok
    assert [one.text for one in workspace.store.utterances()] == ["olé", PENA.text, MADRE.text]
    # Edited, it is the same one; left out by the next person, it is gone.
    edited = handed_in(pena, another_region(0.0, 0.6, "olé olé"), updated_at="2026-03-02T00:00:00Z")
    assert bring(workspace, tmp_path, edited).ok
    assert [one.text for one in workspace.store.utterances()] == ["olé olé", PENA.text, MADRE.text]
    save(workspace, AlignedRecording(recording=UNO.id, utterances=(MADRE, PENA)))
    assert len(workspace.store.utterances()) == 3
    other = handed_in(pena, completed_by="eva", updated_at="2026-03-03T00:00:00Z")
    assert bring(workspace, tmp_path, other).ok
    assert [one.text for one in workspace.store.utterances()] == [PENA.text, MADRE.text]


def test_what_was_flagged_stays_unchecked(workspace: Workspace, tmp_path: Path) -> None:
    export(workspace, tmp_path / "out")
    pena = exported(tmp_path / "out")[0]
    assert bring(workspace, tmp_path, handed_in(pena)).ok
    flagged = handed_in(pena, verdict("Texto mal"), updated_at="2026-03-02T00:00:00Z")
    assert bring(workspace, tmp_path, flagged).ok
    assert workspace.store.utterances()[0] == PENA
    assert workspace.store.annotations()[-1].remark == "text wrong"


def test_a_draft_gives_way_to_what_is_handed_in(workspace: Workspace, tmp_path: Path) -> None:
    export(workspace, tmp_path / "out")
    pena = exported(tmp_path / "out")[0]
    for said, at in (("ay pen", "2026-03-02T00:00:00Z"), ("ay penita", "2026-03-02T00:01:00Z")):
        draft = handed_in(pena, text(said), updated_at=at)["annotations"]
        assert bring(workspace, tmp_path, {**pena, "id": 1, "annotations": [], "drafts": draft}).ok
    (begun,) = workspace.store.annotations()
    assert (begun.verdict, begun.text) == (Verdict.DRAFT, "ay penita")
    assert workspace.store.utterances()[0] == PENA
    ended = handed_in(pena, text("ay penita mía"), updated_at="2026-03-02T00:02:00Z")
    assert bring(workspace, tmp_path, ended).ok
    assert [one.verdict for one in workspace.store.annotations()] == [Verdict.CORRECTED]


def test_pieces_of_recordings(workspace: Workspace, tmp_path: Path) -> None:
    assert export(workspace, tmp_path / "out", longest=60) == Exported(
        tasks=1, clips=1, seconds=7.0
    )
    (piece,) = exported(tmp_path / "out")
    assert bring(workspace, tmp_path, handed_in(piece)).ok
    assert [one.tier for one in workspace.store.utterances()] == [Tier.GOLD, Tier.GOLD]


@pytest.mark.parametrize(
    ("data", "reason"), [(b"[]", "the export is empty"), (b"\x00", "it is no JSON")]
)
def test_an_export_that_is_none_is_told(
    workspace: Workspace, tmp_path: Path, data: bytes, reason: str
) -> None:
    path = tmp_path / "export.json"
    path.write_bytes(data)
    (failure,) = take_in(workspace, path).failures
    assert failure.item == str(path)
    assert reason in failure.reason


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_cannot_be_read_is_told(
    workspace: Workspace, tmp_path: Path, name: str
) -> None:
    (failure,) = take_in(workspace, tmp_path / name).failures
    assert "cannot be read" in failure.reason


def test_an_export_that_nobody_worked_on_says_so(workspace: Workspace, tmp_path: Path) -> None:
    export(workspace, tmp_path / "out")
    outcome = take_in(workspace, tmp_path / "out" / "tasks.json")
    assert (outcome.records, outcome.failures) == ((), ())
    assert outcome.note == "no annotations in it"


def test_a_palo_goes_where_none_was_known(workspace: Workspace, tmp_path: Path) -> None:
    export(workspace, tmp_path / "out")
    pena, madre = exported(tmp_path / "out")
    assert bring(workspace, tmp_path, handed_in(pena, answer("palo", "tonás"))).ok
    assert workspace.store.recordings()[0].palo == "tonás"
    summary = bring(workspace, tmp_path, handed_in(madre, answer("palo", "soleares")))
    assert "1 times something else was said" in summary.notes[0].reason
    assert workspace.store.recordings()[0].palo == "tonás"


def test_items_are_files_and_the_json_of_folders(tmp_path: Path) -> None:
    for name in ("b.json", "a.json", "c.txt"):
        (tmp_path / name).write_text("[]")
    found = items([tmp_path, tmp_path / "c.txt", tmp_path / "a.json"])
    assert [Path(item.key).name for item in found] == ["a.json", "b.json", "c.txt"]
    assert all(item.inputs for item in found)
