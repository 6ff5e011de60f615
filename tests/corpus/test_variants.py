"""Variants of coplas: told from coplas that only share lines, and kept when new ones come."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.lyrics.variants import SAME, coplas_of, likeness
from corpus.synth.coplas import COPLAS
from corpus.workspace import Workspace
from tests.conftest import Cli

MINE = (
    "En el barrio de la Viña",
    "hay una fuente de plata",
    "donde lavan las gitanas",
    "los pañuelos de batista",
)
VARIANTS = (
    ("En er barrio e la Viña", "hay una fuente e plata", "aonde lavan las gitanas"),
    ("En el barrio de la Viña", "hay una fuente de oro", *MINE[2:]),
    (*MINE, MINE[3]),
    (*MINE[2:], *MINE[:2]),
    (f"{MINE[0]} {MINE[1]}", f"{MINE[2]} {MINE[3]}"),
    ("en el barrio de la Vina", *MINE[1:3], "los panuelos de batista"),
)
OTHERS = (
    (*MINE[:2], "y a la sombra de un almendro", "me dijo mi amor que no"),
    ("que me duele el corazón", "y no tengo medicina", *MINE[2:]),
    ("En el barrio de Triana", "vive un herrero moreno", "que canta por la mañana"),
)


@pytest.mark.parametrize("lines", VARIANTS)
def test_a_copla_in_other_words_of_detail(lines: tuple[str, ...]) -> None:
    assert likeness(MINE, lines) >= SAME
    assert coplas_of({"new": lines}, {"old": MINE}, {"old": "old"}) == {"new": "old"}


@pytest.mark.parametrize("lines", OTHERS)
def test_a_copla_that_shares_lines_is_another(lines: tuple[str, ...]) -> None:
    assert likeness(MINE, lines) < SAME
    assert coplas_of({"new": lines}, {"old": MINE}, {"old": "old"}) == {"new": "new"}


def test_a_few_words_must_be_equal() -> None:
    found = coplas_of(
        {"a": ("Ay, mi mare",), "b": ("Ay, mi pare",), "c": ("ay mi mare",), "d": ("¡Ay!",)}, {}, {}
    )
    assert found == {"a": "a", "b": "b", "c": "a", "d": "d"}


def test_what_has_no_letters_stands_for_itself() -> None:
    empty = {"a": (), "b": ("...",), "c": ("¡!",)}
    assert coplas_of(empty, {"k": MINE}, {"k": "k"}) == {"a": "a", "b": "b", "c": "c"}
    assert coplas_of({}, {}, {}) == {}


def test_a_variant_of_a_variant_is_the_same_copla() -> None:
    known = {"first": MINE, "second": VARIANTS[0]}
    found = coplas_of({"third": VARIANTS[1]}, known, {"first": "first", "second": "first"})
    assert found == {"third": "first"}
    assert coplas_of({"third": VARIANTS[0]}, {"second": VARIANTS[0]}, {"second": "first"}) == {
        "third": "first"
    }


@given(st.lists(st.sampled_from([MINE, *VARIANTS, *OTHERS]), max_size=8))
def test_all_have_a_copla_that_stands_for_itself(verses: list[tuple[str, ...]]) -> None:
    new = {str(k): lines for k, lines in enumerate(verses)}
    found = coplas_of(new, {}, {})
    assert set(found) == set(new)
    assert all(found[copla] == copla for copla in found.values())
    assert all(int(copla) <= int(verse) for verse, copla in found.items())


def test_the_coplas_of_the_package_are_all_different() -> None:
    coplas = {str(k): copla.lines for k, copla in enumerate(COPLAS)}
    assert coplas_of(coplas, {}, {}) == {k: k for k in coplas}


@pytest.mark.usefixtures("workspace")
def test_letras_of_two_sources_become_one_copla(cli: Cli, tmp_path: Path) -> None:
    first, second = tmp_path / "cancionero.txt", tmp_path / "web.txt"
    first.write_text("\n".join(MINE) + "\n\n" + "\n".join(OTHERS[2]), encoding="utf-8")
    second.write_text("\n".join(VARIANTS[0]), encoding="utf-8")
    assert "variants" not in cli("lyrics", str(first)).err
    ran = cli("lyrics", str(second))
    assert ran.code == 0
    assert "1 of 1 new verses are variants of others" in ran.err + ran.out
    listed = {tuple(one["lines"]): one for one in json.loads(cli("verses", "--json").out)}
    mine = listed[MINE]["id"]
    assert listed[VARIANTS[0]]["copla"] == mine
    assert [listed[lines]["copla"] == mine for lines in (MINE, OTHERS[2])] == [True, False]
    assert "variants" not in cli("lyrics", str(second)).err
    assert mine[:12] in cli("verses").out


def test_variants_of_a_purged_verse_are_compared_anew(
    cli: Cli, workspace: Workspace, tmp_path: Path
) -> None:
    for name, lines in (("a", MINE), ("b", VARIANTS[5]), ("c", VARIANTS[3])):
        (tmp_path / f"{name}.txt").write_text("\n".join(lines), encoding="utf-8")
    assert cli("lyrics", *(str(tmp_path / f"{name}.txt") for name in "abc")).code == 0
    assert len(set(workspace.store.coplas().values())) == 1
    assert cli("purge", "--source", str(tmp_path / "a.txt"), "--yes").code == 0
    assert cli("lyrics", str(tmp_path / "c.txt")).code == 0
    coplas = workspace.store.coplas()
    assert len(coplas) == 2
    assert len(set(coplas.values())) == 1
