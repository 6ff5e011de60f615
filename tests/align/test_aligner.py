from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from align.aligner import Aligner
from align.records import AlignedLine
from corpus.errors import AlignmentError
from corpus.media import ArraySamples
from tests.align.toys import ToyModel, noise, sung

Truth = list[tuple[str, float, float]]

LINES = ["Todo el oro", "— ay, niño ¡!"]
TRUTH = [("todo", 1.0, 1.6), ("el", 2.0, 2.4), ("oro", 2.4, 3.0), ("ay", 6.0, 7.0), ("niño", 7, 8)]


def aligned(lines: list[str] = LINES, seconds: float = 10.0) -> tuple[AlignedLine, ...]:
    return Aligner(ToyModel(sung(seconds, TRUTH))).align(noise(seconds), lines).lines


def test_words_are_placed_where_they_are_sung() -> None:
    found = [w for line in aligned() for w in line.words if any(c.isalpha() for c in w.text)]
    assert [w.text for w in found] == ["Todo", "el", "oro", "ay,", "niño"]
    for word, (_, start, end) in zip(found, TRUTH, strict=True):
        assert word.start == pytest.approx(start + 0.04, abs=0.021)
        assert end - 0.021 <= word.end <= end + 0.4 + 0.021


def with_voice(
    truth: Truth, voice: list[tuple[float, float]], lines: list[str], seconds: float = 10.0
) -> tuple[AlignedLine, ...]:
    """Lines aligned where the voice sounds at other times than the letters."""
    heard = np.zeros(int(seconds * 50), np.float32)
    for start, end in voice:
        heard[round(start * 50) : round(end * 50)] = 1
    return Aligner(ToyModel(sung(seconds, truth), heard)).align(noise(seconds), lines).lines


def test_words_are_held_as_long_as_the_voice_goes_on_but_not_into_the_next() -> None:
    truth = [("todo", 1.0, 1.6), ("el", 2.0, 2.4), ("oro", 4.0, 5.0)]
    first, second = with_voice(truth, [(1.0, 3.0), (4.0, 7.5)], ["todo el", "oro"])
    assert first.words[0].end == first.words[1].start == pytest.approx(2.04, abs=0.021)
    assert first.end == pytest.approx(3.0, abs=0.021)
    assert second.end == pytest.approx(7.5, abs=0.021)


def test_a_breath_does_not_end_a_word_and_a_pause_does() -> None:
    truth = [("todo", 1.0, 1.6)]
    (line,) = with_voice(truth, [(1.0, 2.0), (2.2, 3.0), (4.0, 6.0)], ["todo"])
    assert line.end == pytest.approx(3.0, abs=0.021)


def test_a_voice_that_has_gone_on_by_then_is_no_voice_of_the_word() -> None:
    (line,) = with_voice([("todo", 1.0, 1.6)], [(1.0, 1.2), (3.0, 6.0)], ["todo"])
    assert line.end == pytest.approx(1.6 + 0.3, abs=0.021)


def test_words_without_letters_stand_between_their_neighbours() -> None:
    _, line = aligned()
    dash, ay, nino, marks = line.words
    assert (dash.text, marks.text) == ("—", "¡!")
    assert dash.start == dash.end == ay.start
    assert marks.start == marks.end == nino.end
    assert dash.score == ay.score
    assert line.start == ay.start


def test_a_wordless_sign_inside_a_line_fills_the_pause() -> None:
    (line,) = Aligner(ToyModel(sung(10, TRUTH[:2]))).align(noise(10), ["todo — ... el"]).lines
    todo, dash, dots, el = line.words
    assert todo.end == dash.start <= dash.end == dots.start <= dots.end == pytest.approx(el.start)


def test_a_line_without_letters_has_no_length_and_no_score() -> None:
    first, dots, second = aligned([LINES[0], "...", LINES[1]])
    assert first.words[-1].start < dots.start == dots.end <= first.end
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
    later = Aligner(ToyModel(sung(14, moved))).align(noise(14), LINES).lines
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
@given(written, st.integers(0, 99), st.floats(0, 5))
def test_nothing_is_lost_and_times_are_ordered_inside_the_audio(
    lines: list[str], seed: int, sharp: float
) -> None:
    scores = np.random.default_rng(seed).normal(size=(500, 29)).astype(np.float32) * sharp
    emissions = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    found = Aligner(ToyModel(emissions)).align(noise(10), lines).lines
    main = sorted((line for line in found if not line.repeat), key=lambda line: line.line)
    assert [line.text for line in main] == [line.strip() for line in lines if line.strip()]
    for line in found:
        starts = [word.start for word in line.words]
        assert [w.text for w in line.words] == (line.sung or line.text).split()
        assert starts == sorted(starts)
        assert all(line.start <= w.start <= w.end <= line.end for w in line.words)
        assert 0 <= line.score <= 1
        assert 0 <= line.probability <= 1
        assert 0 <= line.start <= line.end <= 10
    assert [line.start for line in found] == sorted(line.start for line in found)


# ---- what singers do


def said(*words: str, start: float = 1.0) -> Truth:
    """Words of half a second, one after the other, and a moment between them."""
    return [(word, start + 0.5 * k, start + 0.5 * k + 0.46) for k, word in enumerate(words)]


FIRST, SECOND = "fui piedra y perdí", "mi centro de luz"


def lines_of(truth: Truth, lines: list[str], seconds: float = 14.0) -> tuple[AlignedLine, ...]:
    # As sure as a head is of what it hears well.
    letters = sung(seconds, truth, 0.999)
    return Aligner(ToyModel(letters)).align(noise(seconds), lines).lines


def test_a_line_that_is_sung_again_is_there_again() -> None:
    words = [*FIRST.split(), *FIRST.split(), *SECOND.split()]
    found = lines_of(said(*words), [FIRST, SECOND])
    assert [(x.line, x.repeat, x.sung) for x in found] == [
        (0, False, None),
        (0, True, None),
        (1, False, None),
    ]
    assert [x.start for x in found] == pytest.approx([1.04, 3.04, 5.04], abs=0.021)


def test_two_lines_that_are_sung_again_at_the_end() -> None:
    words = [*FIRST.split(), *SECOND.split(), *FIRST.split(), *SECOND.split()]
    found = lines_of(said(*words), [FIRST, SECOND])
    assert [(x.line, x.repeat) for x in found] == [(0, False), (1, False), (0, True), (1, True)]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("mi centro de luz de luz", [None, "de luz"]),
        ("mi centro mi centro de luz", ["mi centro", None]),
    ],
)
def test_half_a_line_that_is_sung_again(words: str, parts: list[str | None]) -> None:
    found = lines_of(said(*words.split()), [SECOND])
    assert [x.sung for x in found] == parts
    assert [x.repeat for x in found] == [part is not None for part in parts]


def test_a_line_that_is_not_sung_is_told_and_stands_between_the_others() -> None:
    sung_words = [*said(*FIRST.split()), *said(*SECOND.split(), start=5.0)]
    first, missing, second = lines_of(sung_words, [FIRST, "quisiera ser yedra verde", SECOND])
    assert missing.left_out
    assert missing.doubts == ("it is not heard",)
    assert missing.probability < 0.3 < min(first.probability, second.probability)
    assert first.end <= missing.start <= missing.end <= second.start
    assert (first.start, second.start) == pytest.approx((1.04, 5.04), abs=0.021)


def test_where_there_is_no_room_a_line_that_is_not_sung_has_no_length() -> None:
    words = said(*FIRST.split(), *SECOND.split())
    _, missing, _ = lines_of(words, [FIRST, "quisiera ser yedra verde", SECOND])
    assert missing.left_out
    assert missing.start == missing.end
    assert {word.score for word in missing.words} == {0.0}


def test_an_ay_is_held_while_the_voice_goes_on_and_not_cut_at_the_letters() -> None:
    truth = [("a", 1.0, 9.0), ("piedra", 10.0, 11.0)]
    ay, stone = with_voice(truth, [(1.0, 9.0), (10.0, 11.0)], ["ay", "piedra"], 12.0)
    assert (ay.start, ay.end) == pytest.approx((1.04, 9.3), abs=0.05)
    assert stone.start == pytest.approx(10.04, abs=0.021)


def test_a_cry_without_words_is_found_and_spoken_words_are_not_one() -> None:
    letters = sung(12, [("a", 1.0, 4.0), ("piedra", 5.0, 6.0), ("ole venga ya toma", 8.0, 10.5)])
    voice = np.asarray(np.exp(letters[:, 0]) < 0.5, np.float32)
    aligned = Aligner(ToyModel(letters, voice)).align(noise(12), ["piedra"])
    ((start, end),) = aligned.cries
    assert (start, end) == pytest.approx((1.0, 4.0), abs=0.021)
