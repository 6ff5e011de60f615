"""Where a copy runs along with its recording, and what is none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from corpus.media import ArraySamples
from corpus.publish.copies import LEVEL_RATE, level_of, placing

RATE = 16_000
Sound = NDArray[np.float32]


def voice(seed: int, seconds: float = 60.0) -> Sound:
    """Notes that begin and end, as a voice does, over a hiss."""
    rng = np.random.default_rng(seed)
    n_samples = round(seconds * RATE)
    t = np.arange(n_samples)
    knots = round(seconds * 3)
    level = np.interp(t, np.linspace(0, n_samples, knots), rng.uniform(0.01, 0.3, knots))
    hertz = np.interp(t, np.linspace(0, n_samples, knots), rng.uniform(150, 400, knots))
    sung = np.sin(2 * np.pi * np.cumsum(hertz) / RATE) * level
    return np.asarray(sung + rng.normal(0, 0.002, n_samples), np.float32)


def levels(sound: Sound) -> NDArray[np.uint8]:
    return level_of(ArraySamples(sound))


@pytest.fixture(scope="module")
def sung() -> Sound:
    return voice(1)


def test_levels_are_a_hundred_a_second_and_follow_the_sound() -> None:
    silence = np.zeros(RATE, np.float32)
    full = np.ones(RATE, np.float32)
    found = levels(np.concatenate([silence, full]))
    assert found.shape == (2 * LEVEL_RATE,)
    assert set(found[:LEVEL_RATE]) == {0}
    assert set(found[LEVEL_RATE:]) == {250}
    assert levels(np.zeros(100, np.float32)).shape == (0,)


@pytest.mark.parametrize("trim", [0.0, 0.0031, 1.2345, 4.999])
@pytest.mark.parametrize("gain", [1.0, 0.2])
def test_trims_are_found_to_milliseconds(sung: Sound, trim: float, gain: float) -> None:
    hiss = np.random.default_rng(9).normal(0, 0.003, len(sung)).astype(np.float32)
    copy = ((sung + hiss) * gain)[round(trim * RATE) : -round(2.5 * RATE)]
    found = placing(levels(sung), levels(copy))
    assert found is not None
    for at in (6.0, 30.0, 55.0):
        assert found.at(at) == pytest.approx(at - trim, abs=0.01)
    assert found.holds(max(trim, 0.1), 57.4)
    assert not found.holds(50.0, 59.0)
    assert trim < 1 or not found.holds(trim - 0.5, 8.0)


def test_silence_put_before_it(sung: Sound) -> None:
    copy = np.concatenate([np.zeros(round(3.21 * RATE), np.float32), sung])
    found = placing(levels(sung), levels(copy))
    assert found is not None
    assert found.at(20.0) == pytest.approx(23.21, abs=0.01)
    assert found.holds(0.0, 60.0)


@pytest.mark.parametrize("speed", [0.98, 0.995, 1.011, 1.02])
def test_another_speed_is_found(sung: Sound, speed: float) -> None:
    times = np.arange(0, len(sung) - 1, speed)
    copy = np.interp(times, np.arange(len(sung)), sung).astype(np.float32)
    found = placing(levels(sung), levels(copy))
    assert found is not None
    for at in (5.0, 55.0):
        assert found.at(at) == pytest.approx(at / speed, abs=0.01)


def test_another_performance_is_no_copy(sung: Sound) -> None:
    assert placing(levels(sung), levels(voice(2))) is None
    # The same notes, otherwise in time: every one a little later or sooner.
    rng = np.random.default_rng(5)
    n_knots = 61
    where = np.linspace(0, len(sung), n_knots)
    wavering = where + rng.uniform(-0.5, 0.5, n_knots) * RATE
    times = np.interp(np.arange(len(sung)), where, np.sort(wavering))
    again = np.interp(times, np.arange(len(sung)), sung).astype(np.float32)
    assert placing(levels(sung), levels(again)) is None


def test_what_was_cut_out_is_told_from_what_is_there(sung: Sound) -> None:
    copy = np.concatenate([sung[: 35 * RATE], sung[45 * RATE :]])
    found = placing(levels(sung), levels(copy))
    assert found is not None
    assert found.at(20.0) == pytest.approx(20.0, abs=0.01)
    assert found.holds(5.0, 30.0)
    assert not found.holds(34.0, 40.0)
    assert not found.holds(46.0, 55.0)


@pytest.mark.parametrize("seconds", [0.0, 1.0, 9.0])
def test_too_short_for_evidence(sung: Sound, seconds: float) -> None:
    short = sung[: round(seconds * RATE)]
    assert placing(levels(sung), levels(short)) is None
    assert placing(levels(short), levels(sung)) is None


def test_a_held_tone_is_no_evidence() -> None:
    tone = np.sin(2 * np.pi * 220 * np.arange(60 * RATE) / RATE).astype(np.float32)
    assert placing(levels(tone), levels(tone)) is None
