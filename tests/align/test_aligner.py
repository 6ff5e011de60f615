from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from align.aligner import Aligner
from corpus.errors import AlignmentError
from corpus.media import ArraySamples
from tests.align.toys import ToyModel, noise, sung

LINES = ["Todo el oro", "— ay, niño ¡!"]
TRUTH = [("todo", 1.0, 1.6), ("el", 2.0, 2.4), ("oro", 2.4, 3.0), ("ay", 6.0, 7.0), ("niño", 7, 8)]


def aligned(lines: list[str] = LINES, seconds: float = 10.0):  # type: ignore[no-untyped-def]
    return Aligner(ToyModel(sung(seconds, TRUTH))).align(noise(seconds), lines)


def test_words_are_placed_where_they_are_sung() -> None:
    found = [w for line in aligned() for w in line.words if any(c.isalpha() for c in w.text)]
    assert [w.text for w in found] == ["Todo", "el", "oro", "ay,", "niño"]
    for word, (_, start, end) in zip(found, TRUTH, strict=True):
        assert word.start == pytest.approx(start + 0.02, abs=0.021)
        assert end - 0.021 <= word.end <= end + 0.4 + 0.021


def test_words_are_held_a_little_and_the_last_of_a_line_longer() -> None:
    first, second = aligned()
    assert first.end == pytest.approx(3.4, abs=0.021)
    assert first.words[0].end == pytest.approx(1.8, abs=0.021)
    assert second.end == pytest.approx(8.4, abs=0.021)


def test_a_word_is_not_held_into_the_next() -> None:
    (line,) = Aligner(ToyModel(sung(4, [("el", 1, 2), ("oro", 2.1, 3)]))).align(
        noise(4), ["el oro"]
    )
    assert line.words[0].end == line.words[1].start == pytest.approx(2.12, abs=0.021)


def test_a_line_is_held_for_half_the_gap_to_the_next_at_most() -> None:
    truth = [("todo", 1.0, 2.0), ("ay", 2.4, 3.0)]
    first, _ = Aligner(ToyModel(sung(4, truth))).align(noise(4), ["todo", "ay"])
    assert first.end == pytest.approx(2.2, abs=0.021)


def test_words_without_letters_stand_between_their_neighbours() -> None:
    _, line = aligned()
    dash, ay, nino, marks = line.words
    assert (dash.text, marks.text) == ("—", "¡!")
    assert dash.start == dash.end == ay.start
    assert marks.start == marks.end == nino.end
    assert dash.score == ay.score
    assert line.start == ay.start


def test_a_wordless_sign_inside_a_line_fills_the_pause() -> None:
    (line,) = Aligner(ToyModel(sung(10, TRUTH[:2]))).align(noise(10), ["todo — ... el"])
    todo, dash, dots, el = line.words
    assert todo.end == dash.start <= dash.end == dots.start <= dots.end == pytest.approx(el.start)


def test_a_line_without_letters_has_no_length_and_no_score() -> None:
    first, dots, second = aligned([LINES[0], "...", LINES[1]])
    assert dots.start == dots.end == first.end
    assert dots.score == 0
    assert second.start > dots.end


def test_empty_lines_are_left_out_and_text_is_as_written() -> None:
    lines = aligned(["", "  Todo  el oro ", " ", LINES[1]])
    assert [line.text for line in lines] == ["Todo  el oro", "— ay, niño ¡!"]


def test_a_line_that_is_sung_scores_high_and_another_low() -> None:
    right = aligned()
    wrong = aligned(["quiso ver bien", "fue junco gris"])
    assert min(line.score for line in right) > 0.7
    assert max(line.score for line in wrong) < 0.2
    assert min(w.score for line in right for w in line.words) == pytest.approx(0.9, abs=0.01)


def test_audio_moved_by_some_seconds_moves_the_words() -> None:
    moved = [(word, start + 3.2, end + 3.2) for word, start, end in TRUTH]
    later = Aligner(ToyModel(sung(14, moved))).align(noise(14), LINES)
    for before, after in zip(aligned(), later, strict=True):
        assert after.start - before.start == pytest.approx(3.2)


def test_silence_is_not_aligned() -> None:
    silence = ArraySamples(np.zeros(160000, np.float32))
    with pytest.raises(AlignmentError, match="nothing is heard"):
        Aligner(ToyModel(sung(10, TRUTH))).align(silence, LINES)


def test_audio_that_is_too_short_is_not_aligned() -> None:
    with pytest.raises(AlignmentError, match="too short for this text"):
        Aligner(ToyModel(sung(10, TRUTH))).align(noise(0.1), LINES)


def test_progress_is_told() -> None:
    told: list[float] = []
    Aligner(ToyModel(sung(10, TRUTH))).align(noise(10), LINES, told.append)
    assert told[-1] == 1.0


written = st.lists(st.text("ayñó'—.¡! 3", min_size=0, max_size=8), min_size=1, max_size=6).filter(
    lambda lines: any(c.isalnum() for line in lines for c in line)
)


@settings(deadline=None, max_examples=60)
@given(written, st.integers(0, 99))
def test_every_word_is_there_once_in_order_inside_the_audio(lines: list[str], seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(500, 29)).astype(np.float32)
    emissions = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    found = Aligner(ToyModel(emissions)).align(noise(10), lines)
    words = [w for line in found for w in line.words]
    assert [w.text for w in words] == [w for line in lines for w in line.split()]
    starts = [w.start for w in words]
    assert starts == sorted(starts)
    assert all(0 <= w.start <= w.end <= 10 for w in words)
    assert all(0 <= line.score <= 1 and line.start <= line.end for line in found)
    assert [line.text for line in found] == [line.strip() for line in lines if line.strip()]
