from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.lyrics.base import Flaw, Letra, letra_from, verses_of
from corpus.lyrics.letra import MOST, read_letra
from corpus.rights import text_rights
from corpus.text import fold


def lines(text: str) -> list[tuple[str, ...]]:
    return [stanza.lines for stanza in read_letra(text).stanzas]


A, B, C = "por la calle abajo", "va la niña mía", "ay que me muero"


@pytest.mark.parametrize(
    ("text", "sung"),
    [
        (f"{A}\n{B}\n\n{C}", [(A, B), (C,)]),
        (f"{A} (bis)\n{B}", [(A, A, B)]),
        (f"{A}, [BIS]\n{B}", [(A, A, B)]),
        (f"{A} x3", [(A, A, A)]),
        (f"{A} (x 2)\n{B}", [(A, A, B)]),
        (f"{A} (2x)\n{B}", [(A, A, B)]),
        (f"{A} (3 veces)", [(A, A, A)]),
        (f"{A} (se repite)", [(A, A)]),
        (f"{A}\n{B}\n(bis)", [(A, B, A, B)]),
        (f"{A}\n{B}\n\nx2\n\n{C}", [(A, B), (A, B), (C,)]),
        (f"// {A} //\n{B}", [(A, A, B)]),
        (f"/// {A} ///", [(A, A, A)]),
        (f"// {A}\n{B} //\n{C}", [(A, B, A, B, C)]),
        (f"/: {A} :/", [(A, A)]),
        (f"// {A}\n{B}", [(A, B)]),
        (f"{A} //", [(A,)]),
        (f"Estribillo:\n{A}\n\n{B}\n\n(Estribillo)", [(A,), (B,), (A,)]),
        (f"CORO\n\n{A}\n\n{B}\n\n[coro x2]", [(A,), (B,), (A, A)]),
        (f"[Estrofa 1]\n{A}\n\n[Verse 2: La Niña]\n{B}", [(A,), (B,)]),
        (f"{A}\n(Falseta)\n{B}", [(A, B)]),
        (f"Am  G7  F  E\n{A}\nLam Sol Fa Mi7\n{B}", [(A, B)]),
        (f"Capo 2\n{A}\nCejilla al 3", [(A,)]),
        (f"Letra: Popular\nToque: Fulano de Tal\n{A}", [(A,)]),
        (f"1.\n{A}\n\nII\n{B}", [(A,), (B,)]),
        (f"https://example.org/letra\n{A}\n© 1999 Nadie", [(A,)]),
        (f"SOLEÁ\n{A}", [(A,)]),
        ("***\n\n---\n\n¡!", []),
        ("", []),
    ],
)
def test_what_is_sung(text: str, sung: list[tuple[str, ...]]) -> None:
    assert lines(text) == sung


@pytest.mark.parametrize(
    "line",
    [
        "Ay, ay, ay",
        "la si mi do",
        "Mi La Si",
        "A",
        "nana, nanita, nana",
        "soleá, soleá, qué mala eres",
        "mi mare me dijo: vente",
        "(ay, qué pena)",
        "que bis a bis me lo dijo",
        "letra que no se borra",
        "coro de ángeles del cielo",
        "lerele lerele",
        "los mineros de La Unión",
        "por bulerías te canto, niña",
    ],
)
def test_a_sung_line_is_never_lost(line: str) -> None:
    assert lines(f"{A}\n{line}\n{B}") == [(A, line, B)]
    assert lines(f"{line}\n{A}") == [(line, A)]


@pytest.mark.parametrize(
    ("text", "sung", "note"),
    [
        (f"(bis)\n{A}", [(A,)], "a repetition of nothing"),
        (f"{A}\n[estribillo]", [(A,)], "names what was not written before"),
        (f"{A} x0", [(A,)], "0 times is taken as 1"),
        (f"{A} x100", [(A,) * MOST], f"100 times is taken as {MOST}"),
    ],
)
def test_what_cannot_be_followed_is_told(text: str, sung: list[tuple[str, ...]], note: str) -> None:
    assert lines(text) == sung
    assert note in " ".join(read_letra(text).notes)


@pytest.mark.parametrize("name", ["Refrain", "[Refrain]", "Refrão:", "ritornello", "Refrán"])
def test_choruses_of_other_languages_are_known_by_their_names(name: str) -> None:
    assert lines(f"[Couplet 1]\n{A}\n\n{name}\n{B}\n\n[Couplet 2]\n{C}\n{name}") == [
        (A,),
        (B,),
        (C, B),
    ]


def test_what_stood_there_is_kept() -> None:
    plain, changed = read_letra(f"{A}\n{B}\n\nSoleá\n{C} (bis)").stanzas
    assert plain.written == ""
    assert changed.written == f"Soleá\n{C} (bis)"
    assert (plain.palo, changed.palo) == ("", "soleá")


def test_credits_are_kept() -> None:
    said = dict(read_letra(f"Autor: Fulano\nMúsica: Mengano\nAño: 1881\n{A}").said)
    assert said == {"author": "Fulano", "composer": "Mengano", "year": "1881"}


WORDS = st.lists(
    st.sampled_from(["pena", "luna", "río", "olas", "cante", "mina"]), min_size=2, max_size=6
)


@given(st.lists(st.lists(WORDS, min_size=1, max_size=5), max_size=5))
def test_plain_stanzas_are_kept_as_they_are(made: list[list[list[str]]]) -> None:
    stanzas = [tuple(" ".join(words) for words in stanza) for stanza in made]
    assert lines("\n\n".join("\n".join(stanza) for stanza in stanzas)) == stanzas


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    for stanza in read_letra(text).stanzas:
        assert fold(" ".join(stanza.lines))


# ---- the letra


def test_a_letra_from_its_text() -> None:
    letra = letra_from("", f"Título: La mina\nLetra: Popular\n{A} (bis)", artist="La Niña")
    assert isinstance(letra, Letra)
    assert (letra.title, letra.artist, letra.rights) == ("La mina", "La Niña", "traditional")
    (verse,) = verses_of(letra, "a.txt")
    (source,) = verse.sources
    assert verse.lines == (A, A)
    assert dict(source.extra)["as written"].endswith(f"{A} (bis)")


def test_what_is_known_wins_over_what_is_written() -> None:
    letra = letra_from("", f"Cantaor: Otro\nPalo: tangos\n{A}", artist="La Niña", rights="CC0")
    assert isinstance(letra, Letra)
    assert (letra.artist, letra.palo, letra.rights) == ("La Niña", "tangos", "cc0")
    assert dict(letra.extra)["artist"] == "Otro"


def test_no_words() -> None:
    assert letra_from("3", "Letra: Popular") == Flaw(part="3", reason="a letra with no words")


@pytest.mark.parametrize(
    ("author", "year", "rights"),
    [
        ("Popular", "", "traditional"),
        ("D.R.", "", "traditional"),
        ("Trad.", "1999", "traditional"),
        ("Letra popular andaluza", "", "traditional"),
        ("Anónimo", "", "traditional"),
        ("Demófilo", "Sevilla, 1881", "traditional"),
        ("", "1882-83", "traditional"),
        ("Fulano de Tal", "1975", "credited"),
        ("Fulano de Tal", "", "credited"),
        ("Radio Popular", "", "credited"),
        ("", "1975", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_rights_of_a_text(author: str, year: str, rights: str) -> None:
    assert text_rights(author, year) == rights
