"""Lines that come back, found by how they sounded the first time."""

from __future__ import annotations

import numpy as np
import pytest

from align.echoes import with_echoes
from align.emissions import Heard
from align.labels import LABELS
from align.listening import Listening
from align.records import AlignedLine
from corpus.records import Word
from tests.align.toys import FRAME_RATE, sung

# Sung so that no letter of "la luna grande" can be heard in it.
MUMBLED = [("bexo", 0.0, 0.6), ("bes", 0.7, 1.1), ("fetxo", 1.2, 2.0)]


def listening(*starts: float, seconds: float = 20.0, other: str = "") -> Listening:
    """The same mumbling at each of the starts, and another word at 10 s."""
    words = [(word, at + a, at + b) for at in starts for word, a, b in MUMBLED]
    if other:
        words.append((other, 10.0, 12.0))
    scores = sung(seconds, words)
    return Listening(
        heard=Heard(letters=scores, voice=(np.exp(scores[:, 0]) < 0.5).astype(np.float32)),
        labels=LABELS,
        frame_rate=FRAME_RATE,
        duration=seconds,
    )


def line(start: float, text: str = "la luna grande", **more: object) -> AlignedLine:
    words = [
        Word(text=word, start=start + a, end=start + b, score=0.1)
        for word, (_, a, b) in zip(text.split(), MUMBLED, strict=False)
    ]
    return AlignedLine(
        text=text,
        start=start,
        end=words[-1].end,
        words=tuple(words),
        score=0.1,
        line=3,
        **more,  # type: ignore[arg-type]  # what a test says of the line
    )


def starts(found: list[AlignedLine]) -> list[tuple[float, bool]]:
    return [(round(x.start, 1), x.repeat) for x in found]


def test_what_sounds_the_same_is_the_same_line_again() -> None:
    found = with_echoes([line(4.0)], listening(1.0, 4.0, 13.0))
    assert starts(found) == [(1.0, True), (4.0, False), (13.0, True)]
    again = found[2]
    assert (again.text, again.line, again.sung) == ("la luna grande", 3, None)
    assert [word.text for word in again.words] == ["la", "luna", "grande"]
    assert again.start == again.words[0].start
    assert again.end == pytest.approx(15.0, abs=0.3)


def test_a_half_that_comes_back_is_the_half() -> None:
    found = with_echoes([line(4.0), line(10.0, sung="la luna")], listening(4.0, 10.0, 16.0))
    assert [x.sung for x in found][:2] == [None, "la luna"]
    assert len(found) == 3


def test_what_sounds_otherwise_is_not() -> None:
    assert starts(with_echoes([line(4.0)], listening(4.0, other="gamopi"))) == [(4.0, False)]


def test_what_is_explained_is_left_alone() -> None:
    both = [line(4.0), line(10.0, "otra cosa dicha")]
    assert with_echoes(both, listening(4.0, 10.0)) == both


def test_a_short_line_sounds_like_much_else() -> None:
    short = line(4.0, "ay sí")
    assert with_echoes([short], listening(4.0, 13.0)) == [short]


def test_a_line_that_was_left_out_has_no_sound_to_look_for() -> None:
    silent = line(4.0, sung="")
    assert with_echoes([silent], listening(4.0, 13.0)) == [silent]


def test_echoes_do_not_lie_over_each_other() -> None:
    found = with_echoes([line(4.0), line(7.0, "sol y sombra")], listening(4.0, 7.0, 13.0))
    assert len(found) == 3


@pytest.mark.parametrize("seconds", [6.0, 6.5])
def test_a_gap_that_is_too_short_is_passed_over(seconds: float) -> None:
    assert len(with_echoes([line(4.0)], listening(4.0, seconds=seconds))) == 1
