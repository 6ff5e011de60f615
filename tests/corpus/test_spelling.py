from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.spelling import fold_sound

HERE = Path(__file__).parent


def pairs(name: str) -> list[tuple[str, str]]:
    rows = (HERE / name).read_text("utf-8").split("\n")
    found = [row.split("\t") for row in rows if row and not row.startswith("#")]
    return [(one, other) for one, other in found]


SAME, APART = pairs("spelling.tsv"), pairs("apart.tsv")


def test_there_are_many() -> None:
    assert len({frozenset(pair) for pair in SAME}) >= 150
    assert len({frozenset(pair) for pair in APART}) >= 60


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_sounds_the_same(one: str, other: str) -> None:
    assert one != other
    assert fold_sound(one) == fold_sound(other)


@pytest.mark.parametrize(("one", "other"), APART)
def test_what_must_stay_apart(one: str, other: str) -> None:
    assert fold_sound(one) != fold_sound(other)


SPANISH = st.text(alphabet="abcdefghijlmnopqrstuvxyzñáéíóúüç' wk", max_size=40)


@settings(max_examples=1000)
@given(SPANISH | st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    once = fold_sound(text)
    assert fold_sound(once) == once
    assert fold_sound(unicodedata.normalize("NFD", text)) == once


@given(SPANISH)
def test_case_changes_nothing(text: str) -> None:
    assert fold_sound(text.upper()) == fold_sound(text)


@given(st.sampled_from(SAME + APART))
def test_a_word_is_never_folded_to_nothing(pair: tuple[str, str]) -> None:
    assert all(fold_sound(word) for text in pair for word in text.split())
