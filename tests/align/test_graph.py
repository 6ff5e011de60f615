from __future__ import annotations

import numpy as np
import pytest

from align.graph import AS_SUNG, build_graph, observe
from align.labels import LABELS
from corpus.errors import AlignmentError


def spelled(lines: list[list[str]], labels: tuple[str, ...] = LABELS) -> str:
    signs = [*(label or "." for label in labels), "|", "·", "~", "V"]
    return "".join(signs[c] for c in build_graph(lines, labels).columns)


def test_letters_stand_between_blanks_and_lines_between_rests() -> None:
    assert spelled([["Un", "niño"], ["sí"]]) == "|u·n·n·i·ñ·o|s·í|".replace("í", "i")


def test_a_vocalise_is_any_vowel_and_is_held() -> None:
    assert spelled([["Ay,", "niño"]]) == "|V~V~n·i·ñ·o|"
    assert spelled([["lerele"]]) == "|l~V~r~V~l~V|"


def test_numbers_are_sung_as_words() -> None:
    assert spelled([["3"]]) == "|t·r·e·s|"


def test_rests_stand_around_lines_and_halves_between_words() -> None:
    graph = build_graph([["ay", "no"], ["—"], ["sí"]], LABELS)
    assert graph.rests.tolist() == [0, 8, 12]
    assert graph.halves.tolist() == [4, -1]
    per_letter, a_line = AS_SUNG.letter, AS_SUNG.line
    assert graph.leave == pytest.approx([a_line + 4 * per_letter, a_line + 2 * per_letter])


def test_what_is_heard_beside_the_labels() -> None:
    chances = np.full((3, len(LABELS)), 1e-6, np.float32)
    chances[:, [0, LABELS.index("a"), LABELS.index("s")]] = 0.2, 0.5, 0.3
    chances[0, [0, LABELS.index("a")]] = 0.5, 0.2
    scores = np.log(chances)
    voice = np.array([1.0, 0.25, 0.25], np.float32)
    rest, inner, held, vowel = observe(scores, voice, LABELS, AS_SUNG)[:, -4:].T
    assert inner == pytest.approx(
        scores[:, 0] - AS_SUNG.silence * (1 - voice) - AS_SUNG.hold * voice
    )
    assert vowel == pytest.approx(np.log([0.2, 0.5, 0.5]))
    assert held == pytest.approx(np.maximum(inner, vowel))
    # A letter costs where it begins, and nothing while it is held.
    begun = max(np.log(0.2), np.log(0.5) - AS_SUNG.other)
    assert rest == pytest.approx([np.log(0.5), begun, np.log(0.5)], abs=0.051)
    assert rest[2] < np.log(0.5)


def test_the_blank_between_equal_letters_may_not_be_passed_over() -> None:
    skip = build_graph([["calla"]], LABELS).skip
    assert skip.tolist() == [False, False, False, True, False, True, *[False] * 3, True, False]


def test_words_count_through_all_lines_and_past_those_without_letters() -> None:
    words = build_graph([["—", "ay"], ["..."], ["sí"]], LABELS).words
    assert words.tolist() == [-1, 1, 1, 1, -1, 3, -1, 3, -1]


def test_a_letter_the_model_lacks_is_heard_as_its_nearest_or_not_at_all() -> None:
    labels = ("", *"abcdefghijklmnopqrstuvwxy")
    assert spelled([["niño", "zas"]], labels) == "|n·i·n·o·a·s|"


@pytest.mark.parametrize("lines", [[], [["—"]], [["..."], ["¡!", "'"]]])
def test_a_text_without_letters_raises(lines: list[list[str]]) -> None:
    with pytest.raises(AlignmentError, match="no letters to listen for"):
        build_graph(lines, LABELS)
