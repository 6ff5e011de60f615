from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from align.emissions import Heard
from align.labels import LABELS
from align.voice import cries, from_letters, until_silent, voiced, worded
from tests.align.toys import sung


def voice_in(
    seconds: float, *spans: tuple[float, float], chance: float = 1.0
) -> NDArray[np.float32]:
    voice = np.zeros(round(seconds * 50), np.float32)
    for start, end in spans:
        voice[round(start * 50) : round(end * 50)] = chance
    return voice


def test_voice_is_told_by_spans_and_a_breath_does_not_count() -> None:
    voice = voice_in(10, (1, 2), (2.2, 3), (5, 6))
    assert voiced(voice, 50) == [(1, 3), (5, 6)]
    assert voiced(voice, 50, bridge=0.1) == [(1, 2), (2.2, 3), (5, 6)]
    assert voiced(voice_in(2), 50) == []


def test_a_voice_goes_on_until_it_is_almost_gone() -> None:
    voice = np.maximum(voice_in(10, (1, 2)), voice_in(10, (2, 4), chance=0.3))
    assert until_silent(voice, 50, 1.5, 10) == pytest.approx(4)
    assert until_silent(voice, 50, 1.5, 3) == 3
    assert until_silent(voice, 50, 6, 10) == 6
    assert until_silent(voice, 50, 12, 13) == 12


def test_letters_alone_tell_where_a_voice_is() -> None:
    voice = from_letters(sung(10, [("mar", 4, 5)], 0.99), 50)
    assert voice.shape == (500,)
    ((start, end),) = voiced(voice, 50)
    assert (start, end) == pytest.approx((3.6, 5.4), abs=0.03)


def heard_cry(text: str, chance: float = 1.0) -> Heard:
    letters = sung(10, [(text, 2, 6)], 0.99)
    return Heard(letters=letters, voice=voice_in(10, (2, 6), chance=chance))


def test_voice_without_words_is_a_cry() -> None:
    assert cries(heard_cry("a"), LABELS, 50, []) == ((2, 6),)
    assert cries(heard_cry("aiay"), LABELS, 50, []) == ((2, 6),)


def test_what_is_taken_short_or_spoken_is_none() -> None:
    assert cries(heard_cry("a"), LABELS, 50, [(1, 7)]) == ()
    assert cries(heard_cry("a"), LABELS, 50, [(2.9, 10)]) == ()
    assert cries(heard_cry("venga toma ole"), LABELS, 50, []) == ()
    assert cries(heard_cry("a", chance=0.4), LABELS, 50, []) == ()


def test_words_with_rests_between_lines_are_one_stretch_and_cries_none() -> None:
    words = [("calle", 1, 2), ("abajo", 3.5, 4.5), ("aaa", 10, 16), ("barrio", 20, 21)]
    heard = Heard(
        letters=sung(30, words, 0.99), voice=voice_in(30, (1, 2), (3.5, 4.5), (10, 16), (20, 21))
    )
    assert worded(heard, LABELS, 50) == [(1, 4.5), (20, 21)]
