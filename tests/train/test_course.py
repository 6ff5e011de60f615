from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from train.augment import aged, at_another_speed, over
from train.course import Course, Packing
from train.windows import WINDOW_SAMPLES, Clip, stretched

RATE = 16_000
CLIPS = [Clip(row=i, n_samples=(2 + i % 5) * RATE, tokens=(i,)) for i in range(60)]


def course(epochs: int = 3, *, seed: int = 0, general: int = 0, **shares: Any) -> Course:
    speech = [Clip(row=1000 + i, n_samples=3 * RATE, tokens=(1,)) for i in range(general)]
    packing = Packing(max_tokens=448, **shares)
    return Course(CLIPS, epochs=epochs, seed=seed, packing=packing, general=speech)


def rows(found: Course, start: int, end: int) -> list[int]:
    return [placed.clip.row for i in range(start, end) for placed in found[i].placed]


@pytest.mark.parametrize("epochs", [1, 3, 8, 11])
def test_every_clip_is_heard_once_an_epoch(epochs: int) -> None:
    found = course(epochs)
    counts = Counter(rows(found, 0, len(found)))
    assert counts == dict.fromkeys(range(60), epochs)
    first = found.n_windows_an_epoch
    assert Counter(rows(found, 0, first)) == dict.fromkeys(range(60), 1)


def test_each_epoch_is_laid_anew_and_the_ninth_like_the_first() -> None:
    found = course(9)
    one_round = len(course(8))
    first = found.n_windows_an_epoch
    assert rows(found, 0, first) != rows(found, first, 2 * first)
    assert rows(found, 0, first) == rows(found, one_round, one_round + first)


def test_the_same_seed_gives_the_same_course() -> None:
    one, again, other = course(seed=1), course(seed=1), course(seed=2)
    assert [one[i] for i in range(len(one))] == [again[i] for i in range(len(again))]
    assert rows(one, 0, 5) != rows(other, 0, 5)


def test_a_course_ends() -> None:
    found = course(1)
    for beyond in (-1, len(found)):
        with pytest.raises(IndexError):
            found[beyond]


def test_a_share_of_general_speech_is_replayed_and_another_part_each_epoch() -> None:
    found = course(2, general=100, replay=0.25)
    first = found.n_windows_an_epoch
    epochs = [rows(found, 0, first), rows(found, first, len(found))]
    spoken = [{row for row in epoch if row >= 1000} for epoch in epochs]
    sung = sum(clip.n_samples for clip in CLIPS)
    for taken in spoken:
        assert 3 * RATE * len(taken) / (sung + 3 * RATE * len(taken)) == pytest.approx(0.25, 0.05)
    assert spoken[0] != spoken[1]
    assert not [row for row in rows(course(2, general=100), 0, 10) if row >= 1000]


def test_speeds_change_the_length_of_the_share_that_is_asked_for() -> None:
    found = course(1, augment=0.5)
    laid = {p.clip.row: p.clip.n_samples for i in range(len(found)) for p in found[i].placed}
    changed = [clip.row for clip in CLIPS if laid[clip.row] != clip.n_samples]
    assert 15 <= len(changed) <= 45


@given(st.integers(1, WINDOW_SAMPLES), st.integers(0, 100))
def test_a_clip_at_another_speed_still_fits(n_samples: int, seed: int) -> None:
    made = at_another_speed(Clip(row=0, n_samples=n_samples), np.random.default_rng(seed))
    assert 0.87 * n_samples - 1 <= made.n_samples <= min(1.14 * n_samples + 1, WINDOW_SAMPLES)


def test_what_is_stretched_sounds_lower_and_as_loud() -> None:
    at = np.arange(RATE) / RATE
    sound = np.sin(2 * np.pi * 440 * at).astype(np.float32)
    made = stretched(sound, RATE * 2)
    assert made.shape == (2 * RATE,)
    assert made.dtype == np.float32
    assert np.abs(np.fft.rfft(made)).argmax() == 440  # as many turns in twice the time
    assert np.abs(made).max() == pytest.approx(1.0, abs=0.05)
    assert stretched(sound, RATE) is sound


def level(sound: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))


def test_an_aged_sound_is_another_of_the_same_length_and_never_clips() -> None:
    rng = np.random.default_rng(0)
    sound = (0.9 * rng.uniform(-1, 1, RATE)).astype(np.float32)
    for seed in range(20):
        made = aged(sound, np.random.default_rng(seed))
        assert made.shape == sound.shape
        assert made.dtype == np.float32
        assert np.abs(made).max() <= 1
        assert not np.array_equal(made, sound)


def test_silence_stays_finite() -> None:
    silence = np.zeros(RATE, np.float32)
    for seed in range(5):
        assert np.isfinite(aged(silence, np.random.default_rng(seed))).all()
    assert over(silence, silence, np.random.default_rng(0)).tolist() == silence.tolist()


def test_music_lies_below_the_voice() -> None:
    rng = np.random.default_rng(0)
    voice = (0.1 * rng.standard_normal(RATE)).astype(np.float32)
    music = (0.5 * rng.standard_normal(RATE // 3)).astype(np.float32)
    for seed in range(10):
        bed = over(voice, music, np.random.default_rng(seed)) - voice
        assert 10 ** (-15.1 / 20) <= level(bed) / level(voice) <= 10 ** (-2.9 / 20)
