"""Measures of audio of which the truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from corpus.collect.measures import MARKS, STATS, measured
from corpus.media import FlacSamples, decode
from corpus.records import Features
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.made import ffmpeg, write_tone

RATE = 44_100


def clock(seconds: float = 10.0) -> NDArray[np.float64]:
    return np.arange(int(RATE * seconds)) / RATE


def sung(seconds: float = 10.0) -> NDArray[np.float64]:
    """Two tones, a second on and a second off."""
    t = clock(seconds)
    on = np.sin(np.pi * t) > 0
    return on * (0.3 * np.sin(2 * np.pi * 440 * t) + 0.1 * np.sin(2 * np.pi * 3000 * t))


def noise(level: float, seconds: float = 10.0) -> NDArray[np.float64]:
    return np.random.default_rng(0).normal(0, level, int(RATE * seconds))


def features_of(folder: Path, audio: NDArray[np.float64], rate: int = RATE) -> Features:
    soundfile.write(folder / "a.wav", audio, rate)
    decoded = decode(folder / "a.wav", folder / "a.flac", STATS)
    return measured("ab" * 32, FlacSamples(folder / "a.flac"), decoded.said)


def marks(found: Features) -> dict[str, int]:
    return {mark.name: mark.points for mark in found.marks}


CLEAN = {name: 0 for name, _, _ in MARKS}


def test_a_clean_recording(tmp_path: Path) -> None:
    found = features_of(tmp_path, sung())
    values = dict(found.measures)
    assert marks(found) == CLEAN
    assert values["duration, s"] == pytest.approx(10.0, abs=0.01)
    assert -18 < values["loudness, LUFS"] < -10
    assert values["peak, dB"] == pytest.approx(20 * np.log10(0.4), abs=0.3)
    assert values["silence, share"] == pytest.approx(0.5, abs=0.1)
    assert values["noise floor, dB"] < -80


def clicked() -> NDArray[np.float64]:
    audio = sung()
    audio[:: RATE // 5] += 0.8
    return np.clip(audio, -1, 1)


@pytest.mark.parametrize(
    ("audio", "wanted"),
    [
        (sung() + noise(0.003), {"white noise": 0, "background noise": 0}),
        (sung() + noise(0.008), {"white noise": 1}),
        (sung() + noise(0.05), {"white noise": 2, "background noise": 2}),
        (clicked(), {"impulse noise": 1, "oversaturation": 0}),
        (sung() + 0.05 * np.sin(2 * np.pi * 60 * clock()), {"background noise": 2}),
        (np.clip(sung() * 6, -1, 1), {"oversaturation": 2}),
        (np.clip(sung() * 2.4, -1, 1), CLEAN),
    ],
    ids=["a little noise", "noise", "much noise", "clicks", "hum", "clipped", "loud"],
)
def test_marks(tmp_path: Path, audio: NDArray[np.float64], wanted: dict[str, int]) -> None:
    assert marks(features_of(tmp_path, audio)) == CLEAN | wanted


def test_each_mark_has_the_measure_behind_it(tmp_path: Path) -> None:
    found = features_of(tmp_path, sung())
    assert all(dict(found.measures)[m.measure] == round(m.value, 5) for m in found.marks)


def test_of_music_without_a_pause_no_noise_is_said(tmp_path: Path) -> None:
    t = clock()
    found = features_of(tmp_path, 0.3 * np.sin(2 * np.pi * (300 + 40 * t) * t))
    assert "white noise" not in marks(found)
    assert "noise below music, dB" not in dict(found.measures)


@pytest.mark.parametrize("edge", [3000, 5000])
def test_bandwidth_of_an_old_transfer(tmp_path: Path, edge: int) -> None:
    soundfile.write(tmp_path / "full.wav", noise(0.2), RATE)
    steep = ",".join([f"lowpass=f={edge}:p=2"] * 6)
    ffmpeg("-i", tmp_path / "full.wav", "-af", steep, tmp_path / "old.wav")
    audio, _ = soundfile.read(tmp_path / "old.wav")
    width = dict(features_of(tmp_path, audio).measures)["bandwidth, Hz"]
    assert edge * 0.8 < width < edge * 1.6


@pytest.mark.parametrize(
    ("audio", "rate"),
    [
        (np.zeros(RATE * 3), RATE),
        (np.zeros(400), RATE),
        (sung()[:8000], 8000),
        (np.stack([sung(), -sung()], axis=1), RATE),
    ],
    ids=["silence", "short", "8 kHz", "out of phase"],
)
def test_odd_audio(tmp_path: Path, audio: NDArray[np.float64], rate: int) -> None:
    found = features_of(tmp_path, audio, rate)
    values = dict(found.measures)
    assert values["duration, s"] == pytest.approx(len(audio) / rate, abs=0.001)
    assert all(np.isfinite(value) for value in values.values())
    assert all(mark.points in {0, 1, 2} for mark in found.marks)


def test_an_older_ffmpeg_that_tells_nothing(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", sung(), RATE)
    decode(tmp_path / "a.wav", tmp_path / "a.flac")
    found = measured("ab" * 32, FlacSamples(tmp_path / "a.flac"), "")
    assert "loudness, LUFS" not in dict(found.measures)
    assert "oversaturation" not in marks(found)


def test_intake_keeps_them(cli: Cli, workspace: Workspace, tmp_path: Path) -> None:
    assert cli("collect", str(write_tone(tmp_path / "a.wav", 3.0))).code == 0
    (found,) = workspace.store.features().values()
    assert dict(found.measures)["duration, s"] == pytest.approx(3.0, abs=0.01)
