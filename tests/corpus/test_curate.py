"""Copies of one performance: listed, noted, and forgotten when they are gone."""

from __future__ import annotations

from pathlib import Path

import soundfile

from corpus.synth.make import make_cante
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.made import ffmpeg, write_tone

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
