from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.findings import Rate
from train.intervals import DRAWS, by_recording, change_of, draws, rate_of

UTTERANCE = st.tuples(st.integers(0, 9), st.integers(0, 6), st.sampled_from("abcde"))


def split(utterances: list[tuple[int, int, str]]) -> tuple[list[int], list[int], list[str]]:
    """Errors, words and recordings."""
    return (
        [errors for errors, _, _ in utterances],
        [words for _, words, _ in utterances],
        [recording for _, _, recording in utterances],
    )


@settings(max_examples=60)
@given(st.lists(UTTERANCE, max_size=12))
def test_an_interval_holds_its_value(utterances: list[tuple[int, int, str]]) -> None:
    errors, words, recordings = split(utterances)
    found = rate_of(errors, words, recordings)
    if not sum(words):
        assert found == Rate()
        return
    assert found.n == sum(words)
    if found.recordings < 2:
        assert (found.low, found.high) == (None, None)
    else:
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.value <= found.high


def test_every_draw_has_as_many_recordings_and_the_same_seed() -> None:
    found = draws(7)
    assert found.shape == (DRAWS, 7)
    assert set(found.sum(axis=1)) == {7.0}
    draws.cache_clear()
    assert np.array_equal(found, draws(7))


def test_sums_are_by_recording_in_the_order_of_names() -> None:
    assert by_recording([1, 2, 3], ["b", "a", "b"]).tolist() == [2.0, 4.0]


def test_recordings_and_not_utterances_are_drawn() -> None:
    alike = rate_of([1, 1] * 50, [4, 4] * 50, [f"r{i}" for i in range(100)])
    assert (alike.low, alike.high) == (0.25, 0.25)
    of_two = rate_of([0] * 50 + [4] * 50, [4] * 100, ["a"] * 50 + ["b"] * 50)
    assert (of_two.low, of_two.high) == (0.0, 1.0)


def test_it_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        own = rng.beta(3, 7, size=30)
        errors = [int(rng.binomial(20, rate)) for rate in own]
        found = rate_of(errors, [20] * 30, [str(i) for i in range(30)])
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.3 <= found.high
    assert 0.88 <= held / 200 <= 0.99


def test_a_change_is_drawn_over_the_same_recordings() -> None:
    base = [8, 1, 5, 2]
    better = [6, 0, 4, 1]
    names = ["a", "b", "c", "d"]
    change = change_of(better, base, [10] * 4, names)
    assert change.value == pytest.approx(-5 / 40)
    # Each recording by itself is widely different, the change of each is not.
    assert change.high is not None
    assert change.high < 0
    assert change_of(base, base, [10] * 4, names).value == 0.0
