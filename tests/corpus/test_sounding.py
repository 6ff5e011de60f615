"""What verses stand out by where they are heard, and what that makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.match.chain import chain, explained
from corpus.match.hearing import Place
from corpus.match.identify import identify
from corpus.match.index import VerseIndex
from corpus.match.score import DraftText, Evidence, gather
from corpus.match.sounding import Sound, heard_places, probability
from corpus.match.unknown import left_over, unknown_in
from corpus.records import Decision, Segment
from corpus.synth.coplas import COPLAS
from tests.corpus.made import recording, verse

STRANGE = tuple(copla.lines for copla in COPLAS)
GOOD = Sound(score=-1.0, level=-3.2, lead=1.5, n_letters=90)


def place(score: float, start: float, end: float) -> Place:
    return Place(score=score, start=start, end=end)


def never(one: int, other: int) -> bool:
    return one == other


def test_a_verse_stands_out_by_the_best_other_copla_in_its_place() -> None:
    places = [
        (place(-1.0, 10, 20), place(-1.4, 50, 60)),
        (place(-2.0, 12, 22),),
        (place(-1.2, 30, 40),),
        (),
    ]
    found = heard_places(places, [80, 90, 100, 0], [(place(-3.0, 0, 9),)], never)
    assert [(one.verse, one.place.start) for one in found] == [(0, 10), (2, 30), (0, 50), (1, 12)]
    lead = {(one.verse, one.place.start): one.sound.lead for one in found}
    assert lead == {(0, 10): 1.0, (2, 30): 1.8, (0, 50): 1.6, (1, 12): -1.0}
    assert {one.sound.level for one in found} == {-3.0}
    assert [one.sound.n_letters for one in found] == [80, 100, 80, 90]


def test_variants_are_no_rivals() -> None:
    places = [(place(-1.0, 10, 20),), (place(-1.1, 10, 20),), (place(-2.5, 10, 20),)]
    found = heard_places(places, [80] * 3, [(place(-3.0, 0, 9),)], lambda a, b: {a, b} == {0, 1})
    assert [round(one.sound.lead, 2) for one in found] == [1.5, 1.4, -1.5]


def test_a_verse_that_is_asked_for_is_there_however_it_sounds() -> None:
    places = [(place(-1.0 - k / 100, 2.0 * k, 2.0 * k + 1),) for k in range(300)]
    plain = heard_places(places, [80] * 300, [], never)
    asked = heard_places(places, [80] * 300, [], never, always={299})
    assert 299 not in {one.verse for one in plain}
    assert {one.verse for one in asked} - {one.verse for one in plain} == {299}


def test_a_long_verse_is_looked_at_before_short_ones_that_fit_a_little_better() -> None:
    places = [(place(-1.5, 2.0 * k, 2.0 * k + 1),) for k in range(300)]
    places.append((place(-1.8, 700.0, 720.0),))
    found = heard_places(places, [10] * 300 + [120], [], never)
    assert found[0].verse == 300
    assert heard_places([], [], [], never) == []


SCORES = st.floats(-6, 0)


@given(SCORES, SCORES, st.floats(-3, 3), st.integers(0, 500), st.floats(0, 1))
def test_a_probability(
    score: float, level: float, lead: float, n_letters: int, title: float
) -> None:
    sound = Sound(score=score, level=level, lead=lead, n_letters=n_letters)
    chance = probability(sound, title)
    assert 0 < chance < 1
    assert probability(replace(sound, lead=lead + 0.5), title) >= chance
    assert probability(replace(sound, score=score + 0.5), title) >= chance
    assert probability(sound, min(1.0, title + 0.1)) >= chance


def test_what_is_sure_and_what_is_not() -> None:
    assert probability(GOOD, 0.0) > 0.95
    assert probability(replace(GOOD, score=-2.9, lead=-0.3), 0.0) < 0.1
    # A title alone does not make a verse sung that is not heard.
    assert probability(replace(GOOD, score=-3.2, lead=-0.5), 1.0) < 0.5
    # A few letters fit anywhere.
    assert probability(replace(GOOD, score=-2.4, lead=0.5, n_letters=12), 0.0) < 0.1


class Ear:
    """Hears each verse as it was told to, the strangers badly, and all others not at all."""

    def __init__(self, heard: dict[tuple[str, ...], tuple[Place, ...]]) -> None:
        self.heard = heard
        self.asked: list[int] = []

    def readings(self) -> list[tuple[str, ...]]:
        return [("porlakaye",)]

    def letters(self, start: float, end: float) -> str:
        return f"letras{start:.0f}a{end:.0f}"

    def sung(self) -> list[tuple[float, float]]:
        return [(5.0, 60.0)]

    def places(self, verses: Sequence[Sequence[str]]) -> list[tuple[Place, ...]]:
        self.asked.append(len(verses))
        strange = (place(-3.2, 0.0, 8.0),)
        return [
            self.heard.get(tuple(lines), strange if tuple(lines) in STRANGE else ())
            for lines in verses
        ]


A = verse("por la calle abajo", "va la que yo quiero", source="a", title="Tientos del Titi")
B = verse("una fuente de plata", "donde lavan las gitanas", source="b")
C = verse("no hay quien me consuele", "ni de noche ni de día", source="c")


def test_the_verses_of_a_recording_by_their_sound() -> None:
    ear = Ear(
        {A.lines: (place(-1.0, 10, 20), place(-1.1, 40, 50)), B.lines: (place(-1.2, 25, 35),)}
    )
    found, _ = identify(VerseIndex([A, B, C]), ear)
    assert [(one.verse, one.start) for one in found] == [(A.id, 10), (B.id, 25), (A.id, 40)]
    assert all(one.score > 0.9 for one in found)
    assert "sound -1.00 (strangers -3.20), ahead 2.20" in found[0].reason


def test_of_two_in_one_place_the_better_one_is_sung() -> None:
    ear = Ear({A.lines: (place(-1.0, 10, 20),), B.lines: (place(-2.6, 11, 21),)})
    assert [one.verse for one in identify(VerseIndex([A, B]), ear)[0]] == [A.id]


def test_nothing_is_heard_of_any_verse() -> None:
    assert identify(VerseIndex([A, B]), Ear({}))[0] == []
    assert identify(VerseIndex([]), Ear({}))[0] == []


def test_a_title_and_the_sound_together() -> None:
    titled = recording("Tientos del Titi")
    doubtful = (place(-2.5, 10, 20),)
    with_title = gather(titled, DraftText(()), VerseIndex([A, B]), Ear({A.lines: doubtful}))
    without = gather(None, DraftText(()), VerseIndex([A, B]), Ear({A.lines: doubtful}))
    scores = [
        max(one.score for one in found if one.verse == A.id) for found in (with_title, without)
    ]
    assert scores[0] > scores[1]


def test_what_is_not_sung_under_its_title_is_no_match() -> None:
    titled = recording("Tientos del Titi")
    ear = Ear({A.lines: (place(-3.1, 10, 20),), B.lines: (place(-1.0, 11, 21),)})
    found = gather(titled, DraftText(()), VerseIndex([A, B]), ear)
    match = chain(titled.id, explained(found, 0.5), accept=0.75, review=0.5)
    assert match.decision is Decision.ACCEPTED
    assert [one.verse for one in match.verses] == [B.id]


def test_the_reason_says_what_was_weighed() -> None:
    told = Evidence(verse="v", sound=GOOD, title=1.0, text=0.8).reason
    assert told == "title 1.00, sound -1.00 (strangers -3.20), ahead 1.50, text 0.80"
    assert Evidence(verse="v", sound=GOOD).reason == "sound -1.00 (strangers -3.20), ahead 1.50"


@pytest.mark.parametrize("n", [1, 1000])
def test_one_verse_many_times_is_one_verse(n: int) -> None:
    many = [verse(*A.lines, source=f"s{k}") for k in range(n)]
    ear = Ear({A.lines: (place(-1.0, 10, 20),)})
    assert [one.verse for one in identify(VerseIndex(many), ear)[0]] == [A.id]


# ---- what no verse explains


def test_what_is_left_of_stretches() -> None:
    assert left_over([(0, 60)], [(20, 30)]) == [(0, 20), (30, 60)]
    assert left_over([(0, 60)], [(-5, 55)]) == []
    assert left_over([(0, 7), (10, 30)], []) == [(10, 30)]
    assert left_over([(0, 60)], [(5, 30), (10, 20), (35, 50)]) == [(50, 60)]


SPANS = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)).map(lambda s: tuple(sorted(s))))


@given(SPANS, SPANS)
def test_what_is_left_is_in_no_other(
    spans: list[tuple[float, float]], covered: list[tuple[float, float]]
) -> None:
    for start, end in left_over(spans, covered):
        assert end - start >= 8
        assert any(first <= start and end <= last for first, last in spans)
        assert all(last <= start or first >= end or first == last for first, last in covered)


def test_a_verse_that_nobody_knows_is_told_with_its_letters() -> None:
    ear = Ear({A.lines: (place(-1.0, 10, 20),), (A.lines[1],): (place(-1.2, 21, 25),)})
    found, unknown = identify(VerseIndex([A, B]), ear)
    assert [one.verse for one in found] == [A.id]
    assert [(one.start, one.end) for one in unknown] == [(25, 60)]
    assert unknown[0].text == "letras25a60"


def test_a_draft_says_what_may_be_sung() -> None:
    segments = [Segment(text="dos caminos tengo", start=30.0, end=40.0)]
    (unknown,) = unknown_in(Ear({}), [], [], segments)
    assert (unknown.start, unknown.end, unknown.text) == (5, 60, "dos caminos tengo")


# ---- text and sound


def test_a_draft_is_one_more_witness_where_the_verse_was_heard() -> None:
    doubtful = (place(-2.7, 11, 21), place(-2.8, 60, 70))
    heard = Segment(text="po la caye abaho ba lo que te quero", start=10, end=22)
    text = DraftText([heard, Segment(text="gracias, y otra cosa más", start=22, end=30)])
    index = VerseIndex([A, B])
    with_text = gather(None, text, index, Ear({A.lines: doubtful}))
    without = gather(None, DraftText(()), index, Ear({A.lines: doubtful}))
    scores = [{one.start: one.score for one in found} for found in (with_text, without)]
    assert scores[0][11] > scores[1][11]
    assert scores[0][60] == scores[1][60]


def test_a_draft_alone_speaks_where_the_sound_is_not_understood() -> None:
    text = DraftText([Segment(text=A.text, start=30, end=40)])
    elsewhere = Ear({A.lines: (place(-3.1, 80, 90),)})
    for ear in (Ear({}), elsewhere):
        found = explained(gather(None, text, VerseIndex([A, B]), ear), 0.5)
        assert [(one.verse, one.start, one.sound) for one in found] == [(A.id, 30, None)]
