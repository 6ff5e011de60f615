"""The verbs that keep a collection in order: sides, duplicates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from corpus.collect.tracks import track_id
from corpus.synth.make import make_cante
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.made import ffmpeg, write_tone

RATE = 16_000


@pytest.fixture(scope="module")
def side(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tracks of 70 s with 3 s between them, on a record that hisses."""
    rng = np.random.default_rng(0)
    beat = np.repeat(rng.uniform(0.3, 1.0, 70 * 8), RATE // 8)
    track = 0.2 * beat * rng.normal(0, 1, len(beat))
    gap = np.zeros(3 * RATE)
    audio = np.concatenate([gap, track, gap, track, gap, track, gap])
    path = tmp_path_factory.mktemp("lp") / "La Niña - Cara A.flac"
    soundfile.write(path, np.clip(audio + rng.normal(0, 0.002, len(audio)), -1, 1), RATE)
    return path


def test_a_side_becomes_tracks(cli: Cli, workspace: Workspace, side: Path) -> None:
    titles = ["Soleá de Alcalá", "El Otro - Tientos (1960)", "Bulerías"]
    options = [part for title in titles for part in ("--titles", title)]
    ran = cli("sides", str(side), "--tracks", "3", *options)
    assert (ran.code, ran.err) == (0, "")
    whole, *tracks = sorted(
        workspace.store.recordings(), key=lambda one: (one.part_of != "", one.offset)
    )
    assert (whole.artist, whole.title) == ("La Niña", "Cara A")
    assert [one.title for one in tracks] == ["Soleá de Alcalá", "Tientos", "Bulerías"]
    assert [one.artist for one in tracks] == ["La Niña", "El Otro", "La Niña"]
    assert [one.palo for one in tracks] == ["soleá", "tientos", "bulerías"]
    assert [one.year for one in tracks] == [None, 1960, None]
    for k, one in enumerate(tracks):
        assert one.part_of == whole.id
        assert one.offset == pytest.approx(3 + 73 * k, abs=1)
        assert workspace.media.samples(one.id).n_samples == pytest.approx(
            one.duration * RATE, abs=2
        )
    (picture,) = (workspace.root / "sides").iterdir()
    assert picture.read_bytes().startswith(b"\x89PNG")
    before = workspace.store.recordings()
    assert cli("sides", str(side), "--tracks", "3", *options).code == 0
    assert workspace.store.recordings() == before


def test_without_a_number_it_cuts_at_clear_gaps(cli: Cli, side: Path, tmp_path: Path) -> None:
    ran = cli("sides", str(side), "--dry-run", "--json", "-o", str(tmp_path / "a.png"))
    assert ran.code == 0
    assert len(ran.json["tracks"]) == 3
    assert cli("recordings", "--json").json == []
    assert (tmp_path / "a.png").is_file()


def test_where_it_is_not_sure_it_asks(cli: Cli, workspace: Workspace, tmp_path: Path) -> None:
    whole = np.random.default_rng(0).normal(0, 0.2, 150 * RATE)
    soundfile.write(tmp_path / "no gap.flac", np.clip(whole, -1, 1), RATE)
    ran = cli("sides", str(tmp_path / "no gap.flac"), "--tracks", "2")
    assert ran.code == 1
    assert "sides: not sure: " in ran.err
    assert workspace.store.recordings() == ()
    assert not [path for path in workspace.media.root.rglob("*") if path.is_file()]


def test_titles_and_tracks_must_agree(cli: Cli, side: Path) -> None:
    ran = cli("sides", str(side), "--tracks", "3", "--titles", "Soleá")
    assert (ran.code, "3 tracks and 1 titles" in ran.err) == (2, True)


def test_a_track_is_named_by_its_side_and_span() -> None:
    assert track_id("ab", 1.0, 2.0) == track_id("ab", 1.0001, 2.0)
    assert track_id("ab", 1.0, 2.0) != track_id("ab", 1.1, 2.0)
    assert len(track_id("ab", 1.0, 2.0)) == 64


# ---- duplicates


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
    assert "is missing: collect it again" in ran.err
