"""The verses that explain a recording together."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.match import chain as chain_of
from corpus.match.chain import chain, explained, in_order
from corpus.match.index import VerseIndex
from corpus.match.score import CHANCE, Evidence, gather
from corpus.records import Decision
from tests.corpus.made import verse
from tests.corpus.test_match import CINTA, draft


def heard(name: str, start: float, end: float, text: float = 0.9) -> Evidence:
    return Evidence(verse=name, text=text, start=start, end=end)


def test_of_two_variants_in_one_place_the_likelier_stays() -> None:
    found = [heard("b", 10, 20, 0.80), heard("a", 11, 21, 0.95), heard("c", 20, 30)]
    assert {one.verse for one in explained(found, 0.5)} == {"a", "c"}


def test_a_verse_that_comes_back_is_there_twice() -> None:
    found = [heard("a", 0, 10), heard("b", 10, 20), heard("a", 20, 30), heard("a", 40, 50, CHANCE)]
    match = chain(CINTA.id, explained(found, 0.5), accept=0.75, review=0.5)
    assert [one.verse for one in match.verses] == ["a", "b", "a"]
    assert [one.start for one in match.verses] == [0, 10, 20]


def test_two_that_fit_together_beat_a_likelier_one_over_both() -> None:
    over = heard("over", 0, 40, 0.70)
    two = [heard("one", 0, 19, 0.69), heard("two", 21, 40, 0.69)]
    assert over.score > two[0].score > 0.5
    assert [one.verse for one in explained([over, *two], 0.5)] == ["one", "two"]


def test_ends_that_lie_over_each_other_a_little_are_two_verses() -> None:
    found = [heard("a", 0, 10.5), heard("b", 9.5, 20)]
    assert len(explained(found, 0.5)) == 2


@given(
    st.lists(
        st.tuples(st.floats(0, 50), st.floats(1, 20), st.floats(0.6, 1)).map(
            lambda one: heard(str(one), one[0], one[0] + one[1], one[2])
        ),
        max_size=8,
    )
)
def test_what_explains_a_recording_best_by_trying_all(found: list[Evidence]) -> None:
    enough = [one for one in found if one.score >= 0.5]

    def together(chosen: Iterable[Evidence]) -> bool:
        cores = sorted(chain_of._core(one) for one in chosen)
        return all(before[1] <= after[0] for before, after in pairwise(cores))

    def worth(chosen: Iterable[Evidence]) -> float:
        return sum(chain_of._worth(one, 0.5) for one in chosen)

    every = (some for n in range(len(enough) + 1) for some in combinations(enough, n))
    best = max(worth(some) for some in every if together(some))
    chosen = explained(found, 0.5)
    assert together(chosen)
    assert worth(chosen) == pytest.approx(best)


def test_variants_of_a_copla_are_one_verse_of_a_match() -> None:
    sung = verse("por la calle abajo va la que yo quiero", source="a")
    variant = verse("por la calle arriba va la que yo quiero", source="b")
    found = gather(
        CINTA, draft("po la caye abajo ba la que yo quiero"), VerseIndex([sung, variant])
    )
    match = chain(CINTA.id, explained(found, 0.3), accept=0.5, review=0.3)
    assert [one.verse for one in match.verses] == [sung.id]


def test_order() -> None:
    def place(name: str, position: int, start: float | None = None) -> Evidence:
        return Evidence(verse=name, letra="a", position=position, start=start, title=1.0)

    heard_late, heard_soon = place("3", 3, 10.0), place("1", 1, 50.0)
    unheard = [place("2", 2), place("0", 0), Evidence(verse="x", letra="b", title=1.0)]
    ordered = [one.verse for one in in_order([*unheard, heard_soon, heard_late])]
    assert ordered.index("3") < ordered.index("1")
    assert ordered.index("1") + 1 == ordered.index("2")
    assert set(ordered) == {"0", "1", "2", "3", "x"}
    assert [one.verse for one in in_order(place(str(i), i) for i in (2, 0, 1))] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("score", "decision"),
    [(0.75, Decision.ACCEPTED), (0.74, Decision.REVIEW), (0.5, Decision.REVIEW), (0.49, None)],
)
def test_thresholds(score: float, decision: Decision | None) -> None:
    match = chain(
        CINTA.id, explained([Evidence(verse="v", title=score)], 0.5), accept=0.75, review=0.5
    )
    assert match.decision is (decision or Decision.NONE)
    assert len(match.verses) == (decision is not None)


def test_what_is_to_review_stays_out_of_what_is_accepted() -> None:
    found = [Evidence(verse="sure", title=0.9), Evidence(verse="perhaps", title=0.6)]
    match = chain(CINTA.id, explained(found, 0.5), accept=0.75, review=0.5)
    assert [one.verse for one in match.verses] == ["sure"]
