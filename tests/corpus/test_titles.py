from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.collect.titles import PALOS, palo_of, read_title
from corpus.text import clean


@pytest.mark.parametrize(
    ("text", "artist", "title", "palo", "year"),
    [
        (
            "Camarón de la Isla - De una mina de La Unión (Minera) 1971",
            *("Camarón de la Isla", "De una mina de La Unión", "minera", 1971),
        ),
        ("Soleá - Antonio Mairena", "Antonio Mairena", "Soleá", "soleá", None),
        (
            "Antonio Mairena – Soleá de Alcalá (1958)",
            *("Antonio Mairena", "Soleá de Alcalá", "soleá", 1958),
        ),
        (
            "Fandangos de Huelva - Paco Toronjo [Vídeo oficial]",
            *("Paco Toronjo", "Fandangos de Huelva", "fandangos", None),
        ),
        (
            "La Niña de los Peines: Peteneras",
            "La Niña de los Peines",
            "Peteneras",
            "petenera",
            None,
        ),
        ("Bulerías: Ay que me quemo", "", "Ay que me quemo", "bulerías", None),
        ('Manuel Torre "Siguiriyas" 1929', "Manuel Torre", "Siguiriyas", "seguiriya", 1929),
        ("01 - Camarón - Nana del caballo grande", "Camarón", "Nana del caballo grande", "", None),
        ("Mariana Cornejo - A Cádiz", "Mariana Cornejo", "A Cádiz", "", None),
        (
            "Terremoto de Jerez por bulerías (1965) HD",
            *("Terremoto de Jerez", "Terremoto de Jerez por bulerías", "bulerías", 1965),
        ),
        ("1900", "", "1900", "", None),
        ("Cante de 1965-1970", "", "Cante de 1965-1970", "", None),
        (
            "Enrique Morente - Malagueña de Chacón (Remastered 2008)",
            *("Enrique Morente", "Malagueña de Chacón", "malagueña", None),
        ),
        ("Agujetas - Martinete (Live) (1974)", "Agujetas", "Martinete", "martinete", 1974),
        ("Tomás Pavón - Toná - 1950", "Tomás Pavón", "Toná", "toná", 1950),
        (
            "Soleá por bulería, La Paquera",
            "La Paquera",
            "Soleá por bulería",
            "soleá por bulerías",
            None,
        ),
        ("2 de mayo", "", "2 de mayo", "", None),
        ("Polo - El Fosforito", "El Fosforito", "Polo", "polo", None),
        (
            "Fernanda | Bulerías por soleá",
            "Fernanda",
            "Bulerías por soleá",
            "bulerías por soleá",
            None,
        ),
        ("", "", "", "", None),
        ("  -  ", "", "-", "", None),
    ],
)
def test_titles(text: str, artist: str, title: str, palo: str, year: int | None) -> None:
    found = read_title(text)
    assert (found.artist, found.title, found.palo, found.year) == (artist, title, palo, year)


@given(st.text())
def test_any_title_is_read_and_nothing_is_made_up(text: str) -> None:
    found = read_title(text)
    assert set(found.title + found.artist) <= set(clean(text)) | set(" -")
    assert found.palo in {"", *PALOS}


@pytest.mark.parametrize("palo", PALOS)
def test_every_palo_is_known_by_its_own_name(palo: str) -> None:
    assert palo_of(palo) == palo
    assert palo_of(f"cante por {palo}") == palo


def test_decomposed_accents() -> None:
    assert palo_of("sole\u0061\u0301 de Triana") == "soleá"
    assert palo_of("malaguen\u0303a") == "malagueña"


def test_no_form_is_of_two_palos() -> None:
    forms = [form for names in PALOS.values() for form in names.split(", ")]
    assert len(forms) == len(set(forms))
