from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train import windows as windows_module
from train.whisper import Whisper, open_whisper
from train.windows import (
    IGNORED,
    WINDOW_SAMPLES,
    Clip,
    Placed,
    Vocabulary,
    Window,
    label,
    mix,
    n_label_tokens,
    sequence,
)

RATE = 16_000


def pack(found: list[Clip], *, seed: int, **settings: Any) -> tuple[Window, ...]:
    return tuple(windows_module.pack(found, rng=np.random.default_rng(seed), **settings))


MAX_TOKENS = 60
VOCABULARY = Vocabulary(
    prompt=(900, 901, 902),
    no_speech=903,
    no_timestamps=904,
    first_timestamp=1000,
    end=899,
)


@st.composite
def clips(draw: st.DrawFn) -> list[Clip]:
    lengths = draw(st.lists(st.integers(1, WINDOW_SAMPLES), max_size=40))
    return [
        Clip(
            row=i,
            n_samples=n,
            tokens=tuple(range(draw(st.integers(0, MAX_TOKENS - 6)))),
            recording=draw(st.sampled_from(["", "a", "b", "c"])),
            start=draw(st.floats(0, 100)),
        )
        for i, n in enumerate(lengths)
    ]


@given(clips(), st.integers(0, 5))
def test_every_clip_goes_in_once_within_30_s_and_in_order(found: list[Clip], seed: int) -> None:
    windows = pack(found, seed=seed, max_tokens=MAX_TOKENS)
    assert [p.clip for window in windows for p in window.placed] == found
    for window in windows:
        times = [time for p in window.placed for time in (p.at, p.end)]
        assert times == sorted(times)
        assert times[0] >= 0
        assert times[-1] <= WINDOW_SAMPLES
        gaps = [b.at - a.end for a, b in zip(window.placed, window.placed[1:], strict=False)]
        assert all(0.2 * RATE <= gap <= 0.8 * RATE for gap in gaps)


@given(clips(), st.floats(0, 1), st.integers(0, 5))
def test_a_label_fits_the_decoder_and_its_times_rise(
    found: list[Clip], without: float, seed: int
) -> None:
    windows = pack(found, seed=seed, max_tokens=MAX_TOKENS, without_timestamps=without)
    for window in windows:
        made = label(window, VOCABULARY)
        assert len(made.inputs) == len(made.targets) <= MAX_TOKENS
        times = [token - 1000 for token in made.inputs if token >= 1000]
        assert times == sorted(times)
        assert all(0 <= time <= 1500 for time in times)


@given(clips(), st.integers(0, 5))
def test_clips_of_a_recording_stay_together_in_time(found: list[Clip], seed: int) -> None:
    ordered = sequence(found, rng=np.random.default_rng(seed))
    assert sorted(clip.row for clip in ordered) == [clip.row for clip in found]
    for name in ("a", "b", "c"):
        places = [i for i, clip in enumerate(ordered) if clip.recording == name]
        assert places == list(range(places[0], places[-1] + 1) if places else [])
        starts = [ordered[i].start for i in places]
        assert starts == sorted(starts)


def test_the_same_seed_gives_the_same_windows_and_another_does_not() -> None:
    found = [Clip(row=i, n_samples=5 * RATE, tokens=(1,)) for i in range(20)]
    assert pack(found, seed=1, max_tokens=448) == pack(found, seed=1, max_tokens=448)
    assert pack(found, seed=1, max_tokens=448) != pack(found, seed=2, max_tokens=448)
    one, again, other = (sequence(found, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == again != other


def test_a_window_is_closed_when_its_label_is_full() -> None:
    found = [Clip(row=i, n_samples=RATE, tokens=(1,) * 20) for i in range(4)]
    windows = pack(found, seed=0, max_tokens=4 + 2 * 22)
    assert [len(window.placed) for window in windows] == [2, 2]
    assert n_label_tokens(found[:2]) == 48


def test_a_clip_of_30_s_fills_a_window() -> None:
    (window,) = pack([Clip(row=0, n_samples=WINDOW_SAMPLES, tokens=(1,))], seed=0, max_tokens=448)
    assert window.placed[0].at == 0
    assert label(window, VOCABULARY).inputs[-1] == 1000 + 1500


@pytest.mark.parametrize("n_samples", [0, WINDOW_SAMPLES + 1])
def test_a_clip_that_no_window_holds_cannot_be_made(n_samples: int) -> None:
    with pytest.raises(ValueError, match="up to 30 s"):
        Clip(row=0, n_samples=n_samples)


def test_the_sound_lies_where_the_window_says_and_all_else_is_silent() -> None:
    window = Window(
        placed=(
            Placed(clip=Clip(row=7, n_samples=3), at=10),
            Placed(clip=Clip(row=8, n_samples=2), at=20),
        )
    )
    sound = mix(window, lambda row: np.full({7: 3, 8: 2}[row], row, np.float32))
    assert sound.shape == (WINDOW_SAMPLES,)
    assert sound.dtype == np.float32
    assert np.flatnonzero(sound).tolist() == [10, 11, 12, 20, 21]
    assert sound[[10, 20]].tolist() == [7, 8]


def test_a_stretch_where_nothing_is_sung_has_sound_and_no_text() -> None:
    sung = Placed(clip=Clip(row=0, n_samples=RATE, tokens=(5, 6)), at=16_000)
    silent = Placed(clip=Clip(row=1, n_samples=RATE), at=48_000)
    made = label(Window(placed=(sung, silent)), VOCABULARY)
    assert made.inputs == (900, 901, 902, 1050, 5, 6, 1100)
    assert made.targets == (IGNORED, IGNORED, 1050, 5, 6, 1100, 899)


@pytest.mark.parametrize(
    ("timestamps", "inputs", "targets"),
    [
        (True, (900, 901, 902, 1000), (903, IGNORED, 1000, 899)),
        (False, (900, 901, 902, 904), (903, IGNORED, IGNORED, 899)),
    ],
)
def test_where_nothing_is_sung_at_all_the_answer_is_no_speech_and_the_end(
    timestamps: bool, inputs: tuple[int, ...], targets: tuple[int, ...]
) -> None:
    silent = Placed(clip=Clip(row=1, n_samples=RATE), at=48_000)
    made = label(Window(placed=(silent,), timestamps=timestamps), VOCABULARY)
    assert (made.inputs, made.targets) == (inputs, targets)


@pytest.fixture(scope="module")
def whisper(tiny_whisper: Path) -> Whisper:
    return open_whisper(tiny_whisper)


def test_labels_read_as_whisper_writes_them(whisper: Whisper) -> None:
    vocabulary = whisper.vocabulary("es", "transcribe")
    first = Clip(row=0, n_samples=round(1.78 * RATE), tokens=whisper.text_tokens("ay pena"))
    second = Clip(row=1, n_samples=RATE, tokens=whisper.text_tokens("penita"))
    placed = (Placed(clip=first, at=5120), Placed(clip=second, at=38_400))
    timed = label(Window(placed=placed), vocabulary)
    assert whisper.tokenizer.decode(timed.inputs, decode_with_timestamps=True) == (
        "<|startoftranscript|><|es|><|transcribe|><|0.32|> ay pena<|2.10|><|2.40|> penita<|3.40|>"
    )
    plain = label(Window(placed=placed, timestamps=False), vocabulary)
    assert whisper.tokenizer.decode(plain.inputs) == (
        "<|startoftranscript|><|es|><|transcribe|><|notimestamps|> ay pena penita"
    )
    # The prompt is not to be learned, and every later token is answered by the next.
    assert plain.targets == (IGNORED,) * 3 + plain.inputs[4:] + (vocabulary.end,)
