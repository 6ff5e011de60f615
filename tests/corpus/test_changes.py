"""What a new alignment changed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from corpus.changes import changes
from corpus.records import Kind, Utterance
from tests.corpus.made import recording, utterance

UNO, DOS = recording("uno"), recording("dos")
PENA = utterance(UNO, "ay pena\nmía", 1.0, 2.0)


def test_what_is_the_same_is_no_change() -> None:
    spelled = replace(PENA, text="¡Ay, pena mía!", words=(), score=0.1)
    moved = utterance(UNO, "ay pena\nmía", 1.2, 2.0)
    assert changes([PENA], [PENA]) == changes([PENA], [spelled]) == changes([PENA], [moved]) == []


def test_other_words_come_first_then_how_far_it_moved() -> None:
    madre = utterance(UNO, "mare de mi alma", 10.0, 2.0)
    luz = utterance(DOS, "por la luz", 4.0, 2.0)
    ole = utterance(DOS, "olé", 20.0, 1.0)
    after = [
        utterance(UNO, "ay pena\nmía", 1.5, 2.0),
        utterance(UNO, "mare de mi alma", 11.0, 2.0),
        utterance(DOS, "por la cruz", 4.0, 2.0),
        ole,
    ]
    found = changes([PENA, madre, luz], after)
    assert [(one.after.text, one.words) for one in found] == [
        ("olé", True),
        ("por la cruz", True),
        ("mare de mi alma", False),
        ("ay pena\nmía", False),
    ]
    assert [one.before for one in found] == [None, luz, madre, PENA]
    assert [round(one.seconds, 3) for one in found] == [1.0, 0.0, 1.0, 0.5]


def test_it_is_compared_with_what_shares_most_of_its_time() -> None:
    short = utterance(UNO, "otra", 0.0, 1.2)
    (found,) = changes([short, PENA], [utterance(UNO, "ay penas", 1.0, 2.0)])
    assert found.before == PENA


def test_another_kind_is_a_change() -> None:
    cry = replace(PENA, kind=Kind.QUEJIO)
    (found,) = changes([PENA], [cry])
    assert found.words


@given(
    spans=st.lists(
        st.tuples(st.floats(0, 100), st.floats(0.1, 10), st.sampled_from(["ay", "olé", "mare"])),
        max_size=8,
    )
)
def test_nothing_differs_from_itself(spans: list[tuple[float, float, str]]) -> None:
    made: list[Utterance] = []
    at = 0.0
    for gap, seconds, text in spans:
        made.append(utterance(UNO, text, at + gap, seconds))
        at = made[-1].end
    assert changes(made, made) == []
    assert len(changes([], made)) == len(made)
