from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from align.graph import AS_SUNG, AS_WRITTEN, Graph, Prices, build_graph
from align.labels import LABELS
from align.viterbi import best_path
from corpus.errors import AlignmentError
from tests.align.reference import best_score, path_score

words = st.text("abñ'a", min_size=1, max_size=4).filter(lambda word: word.strip("'") != "")
texts = st.lists(st.lists(words, min_size=1, max_size=3), min_size=1, max_size=3)
some = st.floats(0, 10, width=16)
prices = st.builds(
    Prices, silence=some, other=some, line=some, letter=some, again=some, half=some, jump=some
)


def random_heard(n_frames: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n_frames, len(LABELS))) * 3
    normed = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    return np.asarray(normed, dtype=np.float32), np.asarray(rng.random(n_frames), np.float32)


def is_best(graph: Graph, n_frames: int, seed: int, block: int | None = None) -> bool:
    emissions, voice = random_heard(n_frames, seed)
    path = best_path(emissions, graph, voice=voice, block=block)
    found = path_score(emissions, voice, graph, path)
    return found == pytest.approx(best_score(emissions, voice, graph), rel=1e-5, abs=1e-3)


@settings(deadline=None, max_examples=80)
@given(texts, prices, st.integers(0, 40), st.integers(0, 1000))
def test_the_path_is_as_good_as_the_readable_reference(
    lines: list[list[str]], price: Prices, spare: int, seed: int
) -> None:
    graph = build_graph(lines, LABELS, prices=price)
    assert is_best(graph, graph.n_frames_needed + spare, seed)


@pytest.mark.parametrize("price", [AS_SUNG, AS_WRITTEN, replace(AS_SUNG, again=1.0, jump=2.0)])
@pytest.mark.parametrize("block", [7, 64, 1000])
def test_a_path_over_several_blocks_is_as_good_too(price: Prices, block: int) -> None:
    graph = build_graph([["todo", "el", "oro"], ["del", "mundo"]], LABELS, prices=price)
    assert is_best(graph, 277, 3, block)


def test_exactly_as_many_frames_as_letters_need_will_do() -> None:
    graph = build_graph([["calla", "sol"]], LABELS, prices=AS_WRITTEN)
    assert graph.n_frames_needed == 9
    path = best_path(random_heard(9, 0)[0], graph)
    assert [int(s) for s in path if s % 2] == [1, 3, 5, 7, 9, 11, 13, 15]


def test_one_frame_less_raises_and_says_why() -> None:
    graph = build_graph([["calla", "sol"]], LABELS)
    with pytest.raises(AlignmentError, match=r"too short for this text: it lasts 0\.2 s"):
        best_path(random_heard(8, 0)[0], graph)


def test_no_audio_at_all_raises() -> None:
    with pytest.raises(AlignmentError, match="too short"):
        best_path(random_heard(0, 0)[0], build_graph([["ay"]], LABELS))
