"""Where a minute of people's time is worth most comes first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotate.queue import by_worth, within
from annotate.tasks import clips, pieces
from corpus.records import Recording, Utterance
from tests.corpus.made import recording, utterance

UNO = recording("uno", artist="voz", palo="tonás")


def sung(at: float, seconds: float, score: float, of: Recording = UNO) -> Utterance:
    return replace(utterance(of, "ay", at, seconds), score=score)


def ranked(
    utterances: Iterable[Utterance], *of: Recording, everything: Iterable[Utterance] = ()
) -> list[Utterance]:
    mine, recordings = list(utterances), {one.id: one for one in of or (UNO,)}
    found = by_worth(clips(mine, recordings), recordings, [*mine, *everything])
    return [one for piece in found for one in piece.utterances]


def test_the_least_sure_come_first_whatever_the_order_they_are_given_in() -> None:
    low, mid, high = (sung(at, 1.0, score) for at, score in [(5, 0.1), (1, 0.5), (3, 0.99)])
    assert ranked([high, low, mid]) == ranked([mid, high, low]) == [low, mid, high]


def test_of_equal_doubt_the_longer_is_worth_more_in_a_second() -> None:
    short, long = sung(1.0, 1.0, 0.5), sung(3.0, 6.0, 0.5)
    assert ranked([short, long]) == [long, short]


def test_what_is_rare_comes_before_what_is_not() -> None:
    many = recording("dos", artist="otra", palo="bulerías")
    few = recording("tres", artist="una más", palo="siguiriyas")
    mine = [sung(1.0, 3.0, 0.5, many), sung(1.0, 3.0, 0.5, few)]
    plenty = [sung(at, 3.0, 1.0, many) for at in range(4, 9)]
    assert ranked(mine, many, few, everything=plenty) == mine[::-1]
    # A palo that nobody has named is not rare.
    unnamed = replace(few, palo="", artist="")
    doubtful = [mine[0], replace(mine[1], score=0.52)]
    assert ranked(doubtful, many, unnamed, everything=plenty)[0] in doubtful
    assert ranked([mine[1]], unnamed) == [mine[1]]


def test_pieces_are_worth_what_is_in_them() -> None:
    other = recording("dos", artist="voz", palo="tonás")
    sure = [sung(1.0, 3.0, 0.95), sung(5.0, 3.0, 0.95)]
    doubtful = [sung(1.0, 3.0, 0.95, other), sung(5.0, 3.0, 0.2, other)]
    recordings = {UNO.id: UNO, other.id: other}
    made = pieces([*sure, *doubtful], recordings, 60)
    assert [p.recording for p in by_worth(made, recordings, [])] == [other.id, UNO.id]


@pytest.mark.parametrize(("minutes", "n"), [(0.01, 0), (2.05 / 60, 1), (4.1 / 60, 2), (None, 3)])
def test_within_minutes(minutes: float | None, n: int) -> None:
    made = clips([sung(at, 1.0, 0.5) for at in (1, 3, 5)], {UNO.id: UNO})
    assert within(made, minutes) == made[:n]


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0, 1)), max_size=12), st.floats(0.01, 1))
def test_nothing_is_lost_or_doubled(spans: list[tuple[float, float]], minutes: float) -> None:
    mine = [sung(at, 0.5, score) for at, score in spans]
    made = by_worth(clips(mine, {UNO.id: UNO}), {UNO.id: UNO}, mine)
    assert sorted(map(repr, (piece.utterances[0] for piece in made))) == sorted(map(repr, mine))
    chosen = within(made, minutes)
    assert chosen == made[: len(chosen)]
    assert sum(piece.seconds for piece in chosen) <= minutes * 60 + 1e-9


def test_what_the_newest_alignment_changed_comes_first() -> None:
    sure, doubtful = utterance(UNO, "ay", 0.0, 2.0), utterance(UNO, "olé", 5.0, 2.0)
    sure, doubtful = replace(sure, score=0.99), replace(doubtful, score=0.1)
    both, recordings = [sure, doubtful], {UNO.id: UNO}
    made = clips(both, recordings)
    assert [one.utterances[0] for one in by_worth(made, recordings, both)] == [doubtful, sure]
    first = by_worth(made, recordings, both, {sure.id})
    assert [one.utterances[0] for one in first] == [sure, doubtful]
