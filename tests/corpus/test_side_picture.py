"""The level of a side, and the picture of its cuts."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from corpus.collect.side_level import SIDE_RATE, side_level
from corpus.collect.side_picture import _fitting, draw_side
from corpus.collect.sides import Side, split_side
from corpus.media import ArraySamples
from tests.corpus.made import MUSIC, NOISE, RATE, Level, Part, curve, tone

TRACK: Part = (90, MUSIC)
GAP: Part = (3, NOISE)
PAUSE: Part = (0.8, NOISE)


# ---- the level


def test_the_level_is_of_music_and_not_of_rumble() -> None:
    level = side_level(ArraySamples(np.concatenate([tone(1, 30), tone(1, 1000), 0 * tone(1)])))
    assert len(level) == 3 * SIDE_RATE
    rumble, music, silence = (float(np.median(part)) for part in np.split(level, 3))
    assert music == pytest.approx(-9, abs=0.5)  # a sine of half the full scale
    assert rumble < music - 30
    assert silence == -100


def test_a_click_is_no_music() -> None:
    audio = 0 * tone(3)
    audio[RATE : RATE + 30] = 0.9
    assert side_level(ArraySamples(audio)).max() == -100


def test_a_level_read_in_pieces_is_of_the_whole_side() -> None:
    audio = np.random.default_rng(0).normal(0, 0.1, 61 * RATE + 7).astype(np.float32)
    level = side_level(ArraySamples(audio))
    assert len(level) == 61 * SIDE_RATE + 1
    assert np.ptp(level[:-8]) < 6


@pytest.mark.parametrize("n_samples", [0, 1, 801])
def test_hardly_any_audio_has_a_level_too(n_samples: int) -> None:
    audio = np.full(n_samples, np.nan, np.float32)  # a float WAV may hold anything
    assert (side_level(ArraySamples(audio)) == -100).all()


# ---- the picture


def picture(side: Side, level: Level, *titles: str, name: str = "Cara A.flac") -> Image.Image:
    return Image.open(io.BytesIO(draw_side(side, level, titles, name)))


def test_the_picture_has_a_row_for_every_five_minutes() -> None:
    short = curve(TRACK, GAP, TRACK)
    long = curve(*[TRACK, GAP] * 12)
    sizes = [picture(split_side(level), level).size for level in (short, long)]
    assert sizes == [(1540, 308), (1540, 143 + 4 * 165)]


def test_the_picture_shows_cuts_doubts_and_titles() -> None:
    level = curve(TRACK, GAP, TRACK, PAUSE, TRACK)
    sure, doubtful = split_side(level, 2), split_side(level, 3)
    plain = picture(sure, level)
    assert plain == picture(sure, level)
    assert plain != picture(doubtful, level)
    assert plain != picture(sure, level, "Soleá")
    shown = [
        {colour for _, colour in one.convert("RGB").getcolors(1 << 16) or ()}
        for one in (plain, picture(doubtful, level))
    ]
    # Both colours stand in the legend; the line itself is what there is more of.
    assert all((27, 108, 168) in colours for colours in shown)
    n_orange = [
        sum(n for n, c in one.convert("RGB").getcolors(1 << 16) or () if c == (232, 135, 30))
        for one in (plain, picture(doubtful, level))
    ]
    assert n_orange[1] > n_orange[0] + 50


@pytest.mark.parametrize("seconds", [0.3, 4, 5 * 3600])
def test_sides_of_any_length_are_drawn(seconds: float) -> None:
    level = curve((seconds, MUSIC))
    assert 300 <= picture(split_side(level), level).size[1] <= 6000


def test_titles_may_hold_anything() -> None:
    level = curve(TRACK, GAP, TRACK)
    odd = ("$x_1$ [b] 😀 深歌\n\t\x00", "Ay " * 400)
    assert picture(split_side(level), level, *odd, name="$\\frac{\u202e 深.flac").size == (
        1540,
        308,
    )


@pytest.mark.parametrize(
    ("room", "told"),
    [
        (30, "2  Tientos del muro  0:10–1:20"),
        (29, "2  Tientos del muro"),
        (18, "2  Tientos del mu…"),
        (12, "2  Tientos…"),
        (6, "2"),
        (0, ""),
    ],
)
def test_a_label_is_cut_where_it_can_still_be_read(room: int, told: str) -> None:
    assert _fitting(["2", "Tientos del muro", "0:10–1:20"], room) == told
    assert _fitting(["2", "0:10–1:20"], 11) == "2"
