from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.text import clean, decode, fold, is_binary, letters, spell_out, stanzas

COPLA = "¡Ay, qué penita más grande!\nLa niña, el «corazón» – y el cigüeño"
CP1252 = "la “pena” mía… €"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (COPLA.encode("utf-8"), COPLA),
        (COPLA.encode("utf-8-sig"), COPLA),
        (COPLA.encode("utf-16"), COPLA),
        (b"\xfe\xff" + COPLA.encode("utf-16-be"), COPLA),
        ("quejío de la niña".encode("latin-1"), "quejío de la niña"),
        (CP1252.encode("cp1252"), CP1252),
        (b"mi\xe9\x81rcoles", "mié\x81rcoles"),  # 0x81 means nothing in Windows-1252
        (b"ay\r\npena\rmia\n", "ay\npena\nmia\n"),
        (b"", ""),
    ],
)
def test_decode(data: bytes, text: str) -> None:
    assert decode(data) == text


@given(st.binary())
def test_any_bytes_decode(data: bytes) -> None:
    assert "\r" not in decode(data)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\ufeff")))
def test_utf8_comes_back(text: str) -> None:
    assert decode(text.encode("utf-8")) == text


def test_is_binary() -> None:
    assert is_binary(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    assert is_binary("ay".encode("utf-16-le"))
    assert not is_binary("ay pena".encode("utf-16"))
    assert not is_binary("quejío".encode("latin-1"))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("¡Ay, QUÉ pena!", "ay que pena"),
        ("Ñandú de España", "ñandu de españa"),
        ("pa’ ti, pa' mí, pa´ nadie, to‘l mundo", "pa ti pa mi pa nadie tol mundo"),
        ("uno—dos/tres…", "uno dos tres"),
        ("\tpor  la\ncalle\u00a0abajo ", "por la calle abajo"),
        ("pingüino", "pinguino"),
        ("x\u0301y\u0302", "xy"),  # marks on letters that have no composed form
        ("İstanbul", "istanbul"),
        ("kız, það, ħobż, eŋ", "kiz thad hobz en"),
        ("", ""),
        ("—¡!", ""),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_fold_any_text(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))
    assert folded == folded.strip()
    assert "  " not in folded


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    assert fold(text) == fold(unicodedata.normalize("NFD", text))
    assert set(letters(text)) <= set("abcdefghijklmnopqrstuvwxyzñ'")
    assert clean(clean(text)) == clean(text)
    assert all(fold(" ".join(stanza)) for stanza in stanzas(text))
    assert spell_out(text) is not None


def test_stanzas() -> None:
    text = "\n\nuno\ndos\n \t\ntres\x00\n\n***\n\n\ncuatro\n"
    assert stanzas(text) == (("uno", "dos"), ("tres",), ("cuatro",))
    assert stanzas(" \n\n—\n") == ()


@pytest.mark.parametrize(
    ("word", "spelt"),
    [
        ("3", "tres"),
        ("3º", "tres º"),
        ("1.000", "mil"),
        ("0,5", "cero punto cinco"),
        ("24,", "veinticuatro ,"),
        ("sin", "sin"),
        ("9" * 400, "9" * 400),
        ("1,2,3", "1,2,3"),
    ],
)
def test_spell_out(word: str, spelt: str) -> None:
    assert spell_out(word) == spelt


def test_spell_out_of_a_language_without_words_for_numbers() -> None:
    assert spell_out("3", "xx") == "3"


@pytest.mark.parametrize(
    ("word", "heard"),
    [
        ("¡Ñandú!", "ñandu"),
        ("pa’", "pa'"),
        ("21", "veintiuno"),
        ("—", ""),
        ("'", ""),
        ("corazo\u0301n,", "corazon"),
        ("œuvre", "oeuvre"),
        ("kız", "kiz"),
    ],
)
def test_letters(word: str, heard: str) -> None:
    assert letters(word) == heard
