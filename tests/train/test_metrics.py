from __future__ import annotations

from pathlib import Path

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import TrainError
from train.function_words import FUNCTION_WORDS, read_function_words
from train.metrics import Counts, count, is_cry, normalise, score, total

SOME = ["ay", "pena", "cantó", "canto", "de", "pa'", "olé", "niña"]
WORDS = st.lists(st.sampled_from(SOME), max_size=8)


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
    assert (found.words, found.characters) == (4, 16)
    assert (found.substitutions, found.deletions, found.insertions) == (1, 0, 1)
    assert found.wer == pytest.approx(2 / 4)
    assert found.cer == pytest.approx((2 + 3) / 16)


@given(st.lists(st.tuples(WORDS.filter(bool), WORDS), min_size=1, max_size=6))
def test_rates_are_those_of_jiwer(pairs: list[tuple[list[str], list[str]]]) -> None:
    references = [normalise(" ".join(one)) for one, _ in pairs]
    answers = [normalise(" ".join(other)) for _, other in pairs]
    found = score(references, answers)
    assert found.wer == pytest.approx(jiwer.wer(references, answers))
    assert found.cer == pytest.approx(jiwer.cer(references, answers))


def test_an_accent_is_a_difference_as_sung_and_none_folded() -> None:
    found = count("cantó", "canto")
    assert (found.errors, found.folded_errors) == (1, 0)


def test_spellings_of_one_sound_are_one_in_spanish_only() -> None:
    sung, written = "pa que me has dejao en la calle", "para que me has dejado en la caye"
    assert count(sung, written).errors == 3
    assert count(sung, written).folded_errors == 0
    assert count(sung, written, language="pt").folded_errors == 3


def test_content_is_what_is_left_without_function_words() -> None:
    known = FUNCTION_WORDS["es"]
    found = count("la pena de mi madre", "una pena en mi padre", function_words=known)
    assert (found.words, found.errors) == (5, 3)
    assert (found.content_words, found.content_errors) == (2, 1)
    assert not known & {"no", "ni", "nunca", "ay", "pena"}


def test_another_tradition_names_its_own_words(tmp_path: Path) -> None:
    path = tmp_path / "palavras.txt"
    path.write_text("# artigos\no À os  # plural\n", "utf-8")
    assert read_function_words(path) == {"o", "a", "os"}
    with pytest.raises(TrainError, match="cannot be read"):
        read_function_words(tmp_path)


def test_cries_left_out_are_counted_apart() -> None:
    found = count("Ay, ay, ay, que pena", "hay ay que pena")
    assert (found.cries, found.cries_missed) == (3, 1)
    whole = count("mare", "", kind="quejío")
    assert (whole.cries, whole.cries_missed) == (1, 1)
    assert count("que pena", "").cries == 0


@pytest.mark.parametrize("word", ["ay", "Aaayyy", "lerelele", "tirititrán", "lolailo", "larala"])
def test_words_that_say_nothing(word: str) -> None:
    assert is_cry(word)


@pytest.mark.parametrize("word", ["la", "le", "olé", "Lola", "hay", "tirar", "o", ""])
def test_words_that_say_something(word: str) -> None:
    assert not is_cry(word)


def test_what_is_made_up_where_nothing_is_sung_is_counted_apart() -> None:
    found = score(["ay", "", "¡!"], ["ay", "gracias por ver", ""])
    assert (found.wer, found.words) == (0.0, 1)
    assert (found.silent, found.invented) == (2, 3)


def test_without_a_word_there_is_no_rate() -> None:
    assert (score([], []).wer, score([], []).cer) == (None, None)
    assert score([""], ["olé"]) == Counts(silent=1, invented=1)


def test_a_missing_hypothesis_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        score(["ay", "pena"], ["ay"])


@given(st.lists(st.text(alphabet="abñó ,.", max_size=12)))
def test_what_is_right_has_no_errors(texts: list[str]) -> None:
    found = score(texts, texts)
    assert found.wer in {0.0, None}
    assert (found.character_errors, found.folded_errors, found.content_errors) == (0, 0, 0)
    assert found.invented == 0


@given(WORDS, WORDS)
def test_parts_add_up(reference: list[str], hypothesis: list[str]) -> None:
    found = count(" ".join(reference), " ".join(hypothesis), function_words=FUNCTION_WORDS["es"])
    assert found.content_words <= found.words == len(reference)
    assert found.cries_missed <= min(found.cries, found.words)
    if reference:
        assert found.words - found.deletions + found.insertions == len(hypothesis)
        assert found.content_errors <= found.content_words + len(hypothesis)
    assert total([found, found]).errors == 2 * found.errors
