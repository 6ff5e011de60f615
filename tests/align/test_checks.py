from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from align.checks import check_heard, check_words, doubtful_verses, doubts, loudest
from align.records import AlignedLine, Alignment
from corpus.errors import AlignmentError
from corpus.media import ArraySamples
from corpus.records import Word
from tests.align.toys import noise

SIGNS = np.where(np.arange(1600) % 2, 1, -1).astype(np.float32)


def line(text: str, score: float = 1.0, n: int = 0) -> AlignedLine:
    words = tuple(Word(text=word, start=0, end=1) for word in text.split())
    return AlignedLine(text=text, start=0, end=1, words=words, score=score, line=n)


def test_the_level_is_that_of_the_loudest_tenth_of_a_second() -> None:
    samples = np.zeros(48000, np.float32)
    samples[16000:17600] = 0.1 * SIGNS
    assert loudest(ArraySamples(samples)) == pytest.approx(-20, abs=0.01)
    check_heard(ArraySamples(samples))


def test_a_loud_moment_late_in_long_audio_is_found() -> None:
    samples = np.zeros(16000 * 130, np.float32)
    samples[-800:] = 0.1 * SIGNS[:800]
    assert loudest(ArraySamples(samples)) == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize("samples", [noise(2, level=0.0005), ArraySamples(np.zeros(0, np.float32))])
def test_what_nobody_hears_raises(samples: ArraySamples) -> None:
    with pytest.raises(AlignmentError, match="nothing is heard in this audio"):
        check_heard(samples)


def test_a_constant_is_no_sound() -> None:
    with pytest.raises(AlignmentError, match="nothing is heard"):
        check_heard(ArraySamples(np.full(16000, 0.9, np.float32)))


def test_samples_that_are_no_numbers_raise() -> None:
    with pytest.raises(AlignmentError, match="nothing is heard"):
        check_heard(ArraySamples(np.full(16000, np.nan, np.float32)))


@pytest.mark.parametrize("lines", [["ay"], ["no ay"], ["ay no ay"], [], ["ay no", "sí"]])
def test_words_that_are_lost_or_moved_raise(lines: list[str]) -> None:
    with pytest.raises(AlignmentError, match="lines were given"):
        check_words(lines, [line("ay no")])


def test_all_words_in_order_pass_and_what_is_sung_again() -> None:
    check_words(["ay  no", "sí"], [line("ay no"), line("sí", n=1)])
    again = [line("ay no"), replace(line("no"), text="ay no", sung="no", repeat=True)]
    check_words(["ay  no", "sí"], [*again, line("sí", n=1)])


def test_a_repeat_alone_does_not_make_a_line() -> None:
    with pytest.raises(AlignmentError, match="lines were given"):
        check_words(["ay no"], [replace(line("ay no"), repeat=True)])


SUNG_ALL = np.ones(600, np.float32)


def timed(text: str, end: float) -> AlignedLine:
    word = Word(text=text, start=0, end=end)
    return AlignedLine(text=text, start=0, end=end, words=(word,), score=1.0)


def test_a_line_like_any_other_is_not_doubted() -> None:
    assert doubts(timed("quisiera", 1.0), SUNG_ALL, 50) == ()


def test_checks_say_what_they_saw() -> None:
    assert doubts(timed("quisiera", 0.1), SUNG_ALL, 50) == (
        "12 ms a letter is faster than anybody sings",
    )
    assert doubts(timed("a", 10.0), SUNG_ALL, 50) == (
        "10.0 s a letter is slower than anybody sings",
    )
    quiet = np.concatenate([np.ones(10, np.float32), np.zeros(590, np.float32)])
    assert doubts(timed("quisiera", 1.0), quiet, 50) == ("voice is heard in 20% of it only",)
    assert doubts(replace(timed("quisiera", 1.0), sung=""), SUNG_ALL, 50) == ("it is not heard",)


def test_doubtful_verses_are_named_with_the_reason() -> None:
    lines = (
        line("ay no"),
        replace(line("sí", n=1), doubts=("it is not heard",), sung=""),
        replace(line("mar", n=2), doubts=("it is not heard",), sung=""),
        line("sol", n=3),
    )
    aligned = Alignment(lines=lines, voice=SUNG_ALL, frame_rate=50)
    texts = [["ay no"], ["sí", "mar", "sol"]]
    assert doubtful_verses(aligned, texts) == ["verse 2 (sí): 1 of its 3 lines are heard"]
    assert doubtful_verses(aligned, [["ay no", "sí"], ["mar", "sol"]]) == [
        "verse 1 (ay no): 'sí': it is not heard",
        "verse 2 (mar): 'mar': it is not heard",
    ]
