from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from align.level import level_curve
from align.looks import clock, colour, headline
from align.picture import draw, row_seconds
from corpus.media import ArraySamples
from corpus.records import Utterance
from tests.align import drawn


def pixels(png: bytes) -> NDArray[np.uint8]:
    """Shape (height, width, 3)."""
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))


def n_of(image: NDArray[np.uint8], shade: str) -> int:
    return int((image == list(bytes.fromhex(shade.removeprefix("#")))).all(axis=2).sum())


def test_a_bar_has_the_colour_of_its_probability() -> None:
    (one,) = [drawn.sung(5, "si la mar fuera de tinta", score=0.2)]
    with_bar = pixels(draw(drawn.recording(), [one], drawn.level()))
    without = pixels(draw(drawn.recording(), [], drawn.level()))
    assert n_of(with_bar, colour(0.2)) > n_of(without, colour(0.2)) + 500


@pytest.mark.parametrize("one", drawn.UTTERANCES, ids=lambda one: one.kind.value)
def test_every_kind_is_drawn_and_any_text_is_text(one: Utterance) -> None:
    alone = draw(drawn.recording(), [one], drawn.level(), drawn.voice())
    assert alone != draw(drawn.recording(), [], drawn.level(), drawn.voice())


def test_what_runs_over_the_end_of_a_row_is_drawn_in_both() -> None:
    over = drawn.sung(28, "y el cielo de papel doble", score=0.2)
    image = pixels(draw(drawn.recording(), [over], drawn.level()))
    foot = image.shape[0] - 40
    rows = image[110 : (110 + foot) // 2], image[(110 + foot) // 2 : foot]
    assert all(n_of(row, colour(0.2)) > 200 for row in rows)


def test_voice_and_level_change_the_picture() -> None:
    plain = draw(drawn.recording(), [], drawn.level())
    assert plain != draw(drawn.recording(), [], drawn.level(), drawn.voice())
    assert plain != draw(drawn.recording(), [], drawn.level() - 20)
    assert plain == draw(drawn.recording(), [], drawn.level())


def test_a_title_with_signs_of_any_kind_is_drawn() -> None:
    titled = drawn.recording(title=drawn.NASTY)
    assert pixels(draw(titled, drawn.UTTERANCES, drawn.level())).shape[1] == 1540


@pytest.mark.parametrize(("duration", "n_rows"), [(0.4, 1), (29, 1), (31, 2), (1200, 40)])
def test_a_row_is_thirty_seconds(duration: float, n_rows: int) -> None:
    seconds = row_seconds(duration)
    assert (n_rows - 1) * seconds < duration <= n_rows * seconds


@given(st.floats(0.01, 50_000))
def test_there_are_never_more_than_forty_rows(duration: float) -> None:
    assert duration <= 40 * row_seconds(duration)


def test_three_hours_stay_a_picture_that_can_be_opened() -> None:
    long = 3 * 3600.0
    image = pixels(draw(drawn.recording(long), drawn.UTTERANCES, drawn.level(long)))
    assert image.shape[0] < 8000


def test_no_more_of_matplotlib_is_loaded_than_drawing_needs() -> None:
    """Importing it costs nothing until something is drawn, and pyplot is never there."""
    script = (
        "import sys, align.picture; early = 'matplotlib' in sys.modules\n"
        "from tests.align import drawn\n"
        "align.picture.draw(drawn.recording(), drawn.UTTERANCES, drawn.level())\n"
        "print(early, 'matplotlib.pyplot' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "False False\n"


# ---- the level


def test_the_level_of_every_tenth_of_a_second() -> None:
    samples = np.zeros(16_000 * 70 + 800, np.float32)
    samples[16_000 * 65 :: 2] = 0.1
    samples[16_000 * 65 + 1 :: 2] = -0.1
    level = level_curve(ArraySamples(samples))
    assert level.dtype == np.float32
    assert level.shape == (701,)
    assert np.isneginf(level[:650]).all()
    assert level[650:700] == pytest.approx(-20, abs=0.01)
    assert level[700] == pytest.approx(-23, abs=0.1)  # half of it is there


def test_no_samples_have_no_level_and_no_numbers_are_silent() -> None:
    assert level_curve(ArraySamples(np.zeros(0, np.float32))).shape == (0,)
    wrong = np.repeat(np.array([np.nan, np.inf, -np.inf], np.float32), 1600)
    assert np.isneginf(level_curve(ArraySamples(wrong))).all()


# ---- how things look


def test_colours_run_from_orange_to_blue() -> None:
    assert [colour(p) for p in (0, 0.5, 1)] == ["#e8871e", "#f6eed9", "#5ba3d0"]
    assert colour(0.25) == "#efba7c"
    with pytest.raises(ValueError, match=r"lies in 0\.\.1"):
        colour(1.1)


@pytest.mark.parametrize(
    ("seconds", "digits", "shown"),
    [(0, 0, "0:00"), (65.4, 0, "1:05"), (59.96, 1, "1:00.0"), (7205, 0, "2:00:05")],
)
def test_clock(seconds: float, digits: int, shown: str) -> None:
    assert clock(seconds, digits) == shown


def test_a_recording_without_a_name_is_called_by_its_source() -> None:
    assert headline(drawn.recording()) == "Si la mar · La Niña"
    nameless = drawn.recording(title="")
    assert headline(nameless) == "La Niña"
