from __future__ import annotations

import numpy as np
import pytest

from align.graph import INNER_PRICE, build_graph
from align.labels import LABELS
from corpus.errors import AlignmentError


def spelled(lines: list[list[str]], labels: tuple[str, ...] = LABELS) -> str:
    return "".join(labels[c] or "·" for c in build_graph(lines, labels).labels)


def test_letters_stand_between_blanks() -> None:
    assert spelled([["Ay,", "niño"]]) == "·a·y·n·i·ñ·o·"


def test_numbers_are_sung_as_words() -> None:
    assert spelled([["3"]]) == "·t·r·e·s·"


def test_blanks_cost_inside_a_line_only() -> None:
    price = build_graph([["ay", "no"], ["sí"]], LABELS).price
    assert np.flatnonzero(price).tolist() == [2, 4, 6, 10]
    assert price[2] == pytest.approx(INNER_PRICE)


def test_the_blank_between_equal_letters_may_not_be_passed_over() -> None:
    skip = build_graph([["calla"]], LABELS).skip
    assert skip.tolist() == [False, False, False, True, False, True, *[False] * 3, True, False]


def test_words_count_through_all_lines_and_past_those_without_letters() -> None:
    words = build_graph([["—", "ay"], ["..."], ["sí"]], LABELS).words
    assert words.tolist() == [-1, 1, -1, 1, -1, 3, -1, 3, -1]


def test_a_letter_the_model_lacks_is_heard_as_its_nearest_or_not_at_all() -> None:
    labels = ("", *"abcdefghijklmnopqrstuvwxy")
    assert spelled([["niño", "zas"]], labels) == "·n·i·n·o·a·s·"


@pytest.mark.parametrize("lines", [[], [["—"]], [["..."], ["¡!", "'"]]])
def test_a_text_without_letters_raises(lines: list[list[str]]) -> None:
    with pytest.raises(AlignmentError, match="no letters to listen for"):
        build_graph(lines, LABELS)
