from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.metrics import Scores, normalise, score
from train.report import by_group, compared


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("¡Ay, PENA!  penita…", "ay pena penita"),
        ("cantó", "cantó"),
        ("canto\u0301", "cantó"),
        ("pa'lante, pa’ ti", "palante pa ti"),
        ("ay-ay", "ay ay"),
        ("3,50 € y 1.000.", "3,50 y 1.000"),
        ("ÑOÑO", "ñoño"),
        (" — ¿? ", ""),
    ],
)
def test_text_is_made_alike(text: str, expected: str) -> None:
    assert normalise(text) == expected


@given(st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert once == " ".join(once.split())


def test_rates_are_pooled_over_all_utterances() -> None:
    found = score(["Ay pena, penita", "no"], ["ay pena bonita", "no no"])
    assert (found.utterances, found.words, found.characters) == (2, 4, 16)
    assert (found.substitutions, found.deletions, found.insertions) == (1, 0, 1)
    assert found.wer == pytest.approx(2 / 4)
    assert found.cer == pytest.approx((2 + 3) / 16)


def test_an_accent_is_a_difference() -> None:
    assert score(["cantó"], ["canto"]).wer == 1.0


def test_an_empty_answer_is_all_deletions() -> None:
    found = score(["ay pena"], [""])
    assert (found.wer, found.cer, found.deletions) == (1.0, 1.0, 2)


def test_what_is_made_up_where_nothing_is_sung_is_counted_apart() -> None:
    found = score(["ay", "", "¡!"], ["ay", "gracias por ver", ""])
    assert (found.wer, found.utterances) == (0.0, 1)
    assert (found.empty_references, found.invented_words) == (2, 3)


def test_without_a_word_there_is_no_rate() -> None:
    assert score([], []) == Scores()
    assert score([""], ["olé"]) == Scores(empty_references=1, invented_words=1)


def test_a_missing_hypothesis_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        score(["ay", "pena"], ["ay"])


@given(st.lists(st.text(alphabet="abñó ,.", max_size=12)))
def test_what_is_right_has_no_errors(texts: list[str]) -> None:
    found = score(texts, texts)
    assert found.wer in {0.0, None}
    assert found.invented_words == 0
    assert found.utterances + found.empty_references == len(texts)


def test_models_are_compared_with_the_first() -> None:
    rows = compared(
        [("base", score(["ay pena"], ["oh pena"])), ("tuned", score(["ay pena"], ["ay pena"]))]
    )
    assert [row["model"] for row in rows] == ["base", "tuned"]
    assert [row["WER"] for row in rows] == [0.5, 0.0]
    assert [row["change"] for row in rows] == [0.0, -50.0]
    assert rows[0]["CER"] == round(2 / 7, 4)
    assert {row["n"] for row in rows} == {1}


def test_no_rate_makes_no_change() -> None:
    rows = compared([("base", Scores()), ("tuned", score(["ay"], ["ay"]))])
    assert [row["change"] for row in rows] == [None, None]
    assert rows[0]["WER"] is None
    assert compared([]) == []


def test_groups_are_ranked_by_size() -> None:
    one = score(["ay"], ["ay"])
    two = score(["ay", "no"], ["ay", "no"])
    rows = by_group({"tangos": one, "soleá": two, "cantes": one}, "palo")
    assert [row["palo"] for row in rows] == ["soleá", "cantes", "tangos"]
