from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from align.graph import build_graph
from align.labels import LABELS
from align.viterbi import BLOCK, best_path
from corpus.errors import AlignmentError
from tests.align.reference import best_score, path_score

words = st.text("abñ'a", min_size=1, max_size=4).filter(lambda word: word.strip("'") != "")
texts = st.lists(st.lists(words, min_size=1, max_size=3), min_size=1, max_size=3)


def random_emissions(n_frames: int, seed: int) -> NDArray[np.float32]:
    scores = np.random.default_rng(seed).normal(size=(n_frames, len(LABELS))) * 3
    normed = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    return np.asarray(normed, dtype=np.float32)


@settings(deadline=None, max_examples=60)
@given(texts, st.integers(0, 40), st.integers(0, 1000))
def test_the_path_is_as_good_as_the_readable_reference(
    lines: list[list[str]], spare: int, seed: int
) -> None:
    graph = build_graph(lines, LABELS)
    emissions = random_emissions(graph.n_frames_needed + spare, seed)
    path = best_path(emissions, graph)
    assert path_score(emissions, graph, path) == pytest.approx(best_score(emissions, graph))


def test_a_path_over_several_blocks_is_as_good_too() -> None:
    graph = build_graph([["todo", "el", "oro"], ["del", "mundo"]], LABELS)
    emissions = random_emissions(2 * BLOCK + 77, 3)
    path = best_path(emissions, graph)
    assert path_score(emissions, graph, path) == pytest.approx(best_score(emissions, graph))


def test_exactly_as_many_frames_as_letters_need_will_do() -> None:
    graph = build_graph([["calla", "sol"]], LABELS)
    assert graph.n_frames_needed == 9
    path = best_path(random_emissions(9, 0), graph)
    assert [int(s) for s in path if s % 2] == [1, 3, 5, 7, 9, 11, 13, 15]


def test_one_frame_less_raises_and_says_why() -> None:
    graph = build_graph([["calla", "sol"]], LABELS)
    with pytest.raises(AlignmentError, match=r"too short for this text: it lasts 0\.2 s"):
        best_path(random_emissions(8, 0), graph)


def test_no_audio_at_all_raises() -> None:
    with pytest.raises(AlignmentError, match="too short"):
        best_path(random_emissions(0, 0), build_graph([["ay"]], LABELS))
