"""What a Whisper wrote gets the times of its words."""

from __future__ import annotations

import pytest

from align.aligner import Aligner
from align.listening import Listening
from align.transcript import with_words
from corpus.records import Segment
from tests.align.toys import ToyModel, noise, sung

SUNG = [("ay", 2.0, 2.4), ("penita", 2.6, 3.4), ("mia", 3.6, 4.0), ("ole", 6.0, 6.4)]


@pytest.fixture
def listening() -> Listening:
    return Aligner(ToyModel(sung(10.0, SUNG))).listen(noise(10.0))


def test_words_are_placed_where_they_are_sung(listening: Listening) -> None:
    # As Whisper has them: to the second, and not where the words begin.
    heard = (
        Segment(text="¡Ay, penita mía!", start=1.8, end=4.4),
        Segment(text="olé", start=5.6, end=7.0),
    )
    first, second = with_words(listening, heard)
    assert [word.text for word in first.words] == ["¡Ay,", "penita", "mía!"]
    assert [word.start for word in first.words] == pytest.approx([2.0, 2.6, 3.6], abs=0.05)
    assert (first.start, first.end) == (first.words[0].start, first.words[-1].end)
    assert (first.text, second.text) == ("¡Ay, penita mía!", "olé")
    assert second.words[0].start == pytest.approx(6.0, abs=0.05)


def test_lines_do_not_overlap(listening: Listening) -> None:
    heard = (Segment(text="ay penita", start=1.0, end=3.5), Segment(text="mía", start=3.5, end=4.5))
    first, second = with_words(listening, heard)
    assert first.end <= second.start
    assert second.words[0].start == pytest.approx(3.6, abs=0.1)


@pytest.mark.parametrize(
    "odd",
    [
        Segment(text="♪ ♪", start=4.5, end=5.5),
        Segment(text="olé", start=4.5, end=4.5),
        Segment(text="de la mar la sal y del cielo las estrellas", start=9.9, end=10.0),
    ],
)
def test_what_cannot_be_placed_stays_as_it_is(listening: Listening, odd: Segment) -> None:
    before = Segment(text="ay penita mía", start=1.8, end=4.1)
    heard = [before, odd]
    first, second = with_words(listening, heard)
    assert len(first.words) == 3
    assert second.text == odd.text
    assert bool(second.words) or (second.start, second.end) == (odd.start, odd.end)


def test_nothing_heard_nothing_written(listening: Listening) -> None:
    assert with_words(listening, ()) == ()
