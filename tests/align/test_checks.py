from __future__ import annotations

import numpy as np
import pytest

from align.checks import check_heard, check_words, loudest
from align.records import AlignedLine
from corpus.errors import AlignmentError
from corpus.media import ArraySamples
from corpus.records import Word
from tests.align.toys import noise


def line(text: str, score: float = 1.0) -> AlignedLine:
    words = tuple(Word(text=word, start=0, end=1) for word in text.split())
    return AlignedLine(text=text, start=0, end=1, words=words, score=score)


def test_the_level_is_that_of_the_loudest_tenth_of_a_second() -> None:
    samples = np.zeros(48000, np.float32)
    samples[16000:17600] = 0.1
    assert loudest(ArraySamples(samples)) == pytest.approx(-20, abs=0.01)
    check_heard(ArraySamples(samples))


def test_a_loud_moment_late_in_long_audio_is_found() -> None:
    samples = np.zeros(16000 * 130, np.float32)
    samples[-800:] = 0.1
    assert loudest(ArraySamples(samples)) == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize("samples", [noise(2, level=0.0005), ArraySamples(np.zeros(0, np.float32))])
def test_what_nobody_hears_raises(samples: ArraySamples) -> None:
    with pytest.raises(AlignmentError, match="nothing is heard in this audio"):
        check_heard(samples)


def test_samples_that_are_no_numbers_raise() -> None:
    with pytest.raises(AlignmentError, match="nothing is heard"):
        check_heard(ArraySamples(np.full(16000, np.nan, np.float32)))


@pytest.mark.parametrize("lines", [["ay"], ["no ay", "ay"], ["ay no ay"], []])
def test_words_that_are_lost_or_moved_raise(lines: list[str]) -> None:
    with pytest.raises(AlignmentError, match="words were given"):
        check_words(lines, [line("ay no")])


def test_all_words_in_order_pass() -> None:
    check_words(["ay  no", "", "sí"], [line("ay no"), line("sí")])
