"""Copies of one performance: listed, noted, and forgotten when they are gone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from corpus.media import flac_bytes
from corpus.publish.folder import data_files, rows_of, split_of
from corpus.records import Recording, Tier
from corpus.rows import AlignedRecording
from corpus.synth.make import make_cante
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.made import ffmpeg, recording, utterance, write_tone
from tests.corpus.test_copies import voice

RATE = 16_000


def test_copies_are_listed_and_noted(cli: Cli, workspace: Workspace, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", make_cante(seed=5).audio, RATE)
    soundfile.write(tmp_path / "other.flac", make_cante(seed=6).audio, RATE)
    ffmpeg("-i", tmp_path / "a.flac", "-b:a", "64k", tmp_path / "copy.mp3")
    write_tone(tmp_path / "short.wav")
    files = [tmp_path / name for name in ("a.flac", "other.flac", "short.wav")]
    assert cli("collect", *files).code == 0
    assert cli("duplicates", "--json").json == []
    assert cli("collect", tmp_path / "copy.mp3").code == 0
    ran = cli("duplicates", "--json")
    assert ran.code == 0
    masters = {Path(one.source).name: one.master for one in workspace.store.recordings()}
    (cluster,) = ran.json
    assert len(cluster) == 2
    assert masters["a.flac"] == masters["copy.mp3"] in cluster
    assert masters["other.flac"] == masters["short.wav"] == ""
    assert "1 masters of which there are copies" in cli("duplicates").err

    assert cli("purge", "--source", str(tmp_path / "copy.mp3"), "--yes").code == 0
    assert cli("duplicates", "--json").json == []
    assert {one.master for one in workspace.store.recordings()} == {""}


def test_audio_that_is_gone_is_told(cli: Cli, workspace: Workspace, tmp_path: Path) -> None:
    assert cli("collect", write_tone(tmp_path / "a.wav")).code == 0
    (one,) = workspace.store.recordings()
    workspace.media.flac(one.id).unlink()
    ran = cli("duplicates")
    assert ran.code == 1
    assert "is missing: run `corpus verify --mend`" in ran.err


def take_in(workspace: Workspace, name: str, sound: NDArray[np.float32], **more: Any) -> Recording:
    """A recording with an utterance of its own."""
    one = replace(recording(name), **{"duration": len(sound) / RATE, **more})
    path = workspace.media.flac(one.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(flac_bytes(sound))
    cut = replace(utterance(one, f"ay {name}", 2.0, 3.0), tier=Tier.SILVER)
    with workspace.store.transaction() as transaction:
        transaction.save([one, AlignedRecording(recording=one.id, utterances=(cut,))])
    return one


def test_a_side_is_compared_by_its_tracks(cli: Cli, workspace: Workspace) -> None:
    """A cante from the middle of an LP is found on a single."""
    first, second = voice(1, 20.0), voice(2, 20.0)
    side = take_in(workspace, "side", np.concatenate([first, second]))
    take_in(workspace, "track 1", first, part_of=side.id)
    track = take_in(workspace, "track 2", second, part_of=side.id, offset=20.0)
    single = take_in(workspace, "single", 0.3 * second)
    assert cli("duplicates", "--json").json == [sorted([single.id, track.id])]
    assert not workspace.store.fingerprints().keys() & {side.id}


def test_a_release_looks_for_copies_itself(cli: Cli, workspace: Workspace) -> None:
    made = [take_in(workspace, f"r{k}", voice(k, 15.0), artist=f"voz {k}") for k in range(4)]
    copy = take_in(workspace, "copy", 0.5 * voice(1, 15.0), artist="Otra")
    short = take_in(workspace, "short", voice(9, 6.0), artist="Breve")
    ran = cli("release", "uno", "--train", "0.5", "--test", "0.5")
    assert ran.code == 0, ran.err
    masters = {one.id: one.master for one in workspace.store.recordings()}
    assert masters[copy.id] == masters[made[1].id] != ""
    assert {masters[one.id] for one in (*made[:1], *made[2:], short)} == {""}
    folder = workspace.root / "releases" / "uno"
    rows = {
        row["recording"]: (split_of(path), row["master"], row["fingerprint"])
        for path in data_files(folder)
        for row in rows_of(path, ("recording", "master", "fingerprint"))
    }
    assert rows[copy.id][:2] == rows[made[1].id][:2]
    assert all(code for id_, (_, _, code) in rows.items() if id_ != short.id)
    assert {split for split, _, _ in rows.values()} == {"train", "test"}
    card = (folder / "README.md").read_text("utf-8")
    assert "Asked for: tier silver or better." in card
    assert "1 recordings were not compared with the others by their sound" in card


def test_a_release_without_chromaprint_says_so(
    cli: Cli, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for k in range(3):
        take_in(workspace, f"r{k}", voice(k, 12.0), artist=f"voz {k}")
    monkeypatch.setattr("corpus.fingerprints.has_muxer", lambda _: False)
    ran = cli("release", "uno")
    assert ran.code == 0
    assert "release: 3 recordings are not compared with the others by their sound: " in ran.err
    card = (workspace.root / "releases" / "uno" / "README.md").read_text("utf-8")
    assert "3 recordings were not compared with the others by their sound" in card
