from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from corpus.errors import CanteError
from corpus.lyrics import items, sources, take_in
from corpus.records import Verse
from corpus.workspace import Workspace
from tests.conftest import Cli

COPLA = ("Por la calle abajo", "va la que yo quiero")
OTHER = ("como no le puedo hablar", "con los ojos la requiebro")

PLAIN = "\n".join((*COPLA, "", *OTHER, ""))
LRC = """\
[ti:Tientos]
[ar:La Niña]
[length: 02:10]
[00:01.00]Por la calle abajo
[00:05.10][01:05.10]va la que <00:06.00> yo quiero
[00:09.00]
[00:10.50]como no le puedo hablar
[00:12]con los ojos la requiebro
"""
OBJECT = {"title": "Tientos", "artist": "La Niña", "lines": [list(COPLA), list(OTHER)], "n": 3}
CSV = 'título;cantaor;letra;n\nTientos;La Niña;"{}";3\n'.format("\n".join((*COPLA, "", *OTHER)))
EXAMPLES = {
    ".txt": PLAIN,
    ".lrc": LRC,
    ".json": json.dumps(OBJECT),
    ".jsonl": json.dumps(OBJECT) + "\n",
    ".ndjson": json.dumps(OBJECT | {"lines": PLAIN}) + "\n\n",
    ".csv": CSV,
    ".tsv": CSV.replace(";", "\t"),
}


def verses(path: Path) -> list[Verse]:
    return [verse for verse in take_in(path).records if isinstance(verse, Verse)]


# ---- the contract of all sources


def test_there_is_an_example_of_every_format() -> None:
    assert set(EXAMPLES) == set(sources())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("suffix", sorted(sources()))
def test_a_source_keeps_its_contract(tmp_path: Path, suffix: str, encoding: str) -> None:
    path = tmp_path / f"La Niña - Tientos{suffix.upper()}"
    path.write_bytes(EXAMPLES[suffix].replace("\n", "\r\n").encode(encoding))
    found = verses(path)
    assert [verse.lines for verse in found] == [COPLA, OTHER]
    places = [verse.sources[0] for verse in found]
    assert {(place.title, place.artist) for place in places} == {("Tientos", "La Niña")}
    assert [place.position for place in places] == [0, 1]
    assert all(place.source.startswith(str(path)) for place in places)
    assert {place.rights for place in places} == {"unknown"}
    if suffix in {".txt", ".lrc"}:
        return
    assert {place.extra for place in places} == {(("n", "3"),)}


@pytest.mark.parametrize("suffix", sorted(sources()))
@pytest.mark.parametrize("data", [b"", b"\n \n", b"\x89PNG\r\n\0\0\0", b"[]", b"\xff\xfe"])
def test_a_source_says_that_there_is_no_letra(tmp_path: Path, suffix: str, data: bytes) -> None:
    path = tmp_path / f"no{suffix}"
    path.write_bytes(data)
    with pytest.raises(CanteError) as told:
        take_in(path)
    assert "\n" not in str(told.value)


# ---- each format


def test_fields(tmp_path: Path) -> None:
    rows = [
        {"author": "Anónimo", "artist": "La Niña", "text": "ay pena", "licence": "CC0"},
        {"Song": "Soleá", "title": "", "lines": ["ay", "", "pena"], "palo": "soleares"},
        {"verse": "ay mi madre", "title": None, "palo": 3.5},
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(rows), "utf-8")
    first, second, third, fourth = (verse.sources[0] for verse in verses(path))
    assert (first.artist, first.rights, first.extra) == ("La Niña", "cc0", (("author", "Anónimo"),))
    assert (second.title, second.palo, second.lines) == ("Soleá", "soleares", ("ay",))
    assert (third.lines, third.position) == (("pena",), 1)
    assert (fourth.palo, fourth.title) == ("3.5", "")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"title": "Soleá"}, "no text: a field 'lines' or 'text'"),
        ({"text": "—"}, "a letra with no words"),
        ({"text": {"a": "pena"}}, "a letra with no words"),
        ({"lines": [{"words": "pena"}]}, "a letra with no words"),
        ("pena", "an object with 'lines' or 'text'"),
        (None, "an object with 'lines' or 'text'"),
    ],
)
def test_what_is_no_letra(cli: Cli, tmp_path: Path, value: object, reason: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([value]), "utf-8")
    ran = cli("lyrics", path)
    assert (ran.code, ran.err.count("\n")) == (1, 2)
    assert reason in ran.err


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.txt", b"\n\n \xe2\x80\x94 \n", "a letra with no words"),
        ("a.txt", b"ID3\x04\0\0\0\0\0", "is no text"),
        ("a.lrc", b"[ti:Nada]\n[00:01.00]\n", "a letra with no words"),
        ("a.json", b"{", "no JSON"),
        ("a.json", b"[" * 100_000, "no JSON"),
        ("a.json", b"[]", "no letra in the file"),
        ("a.jsonl", b"", "no letra in the file"),
        ("a.csv", b"text\n", "has no rows"),
        ("a.doc", b"ay pena", "no reader for '.doc': .csv"),
    ],
)
def test_a_file_without_a_letra(
    cli: Cli, tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(data)
    ran = cli("lyrics", tmp_path / name)
    assert (ran.code, ran.err.count("\n")) == (1, 2), ran.err
    assert reason in ran.err
    assert "unexpected" not in ran.err


def test_a_broken_line_is_told_and_the_others_taken(
    cli: Cli, workspace: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    lines = [json.dumps({"text": f"pena {i}"}) for i in range(3)]
    path.write_text("\n".join([lines[0], '{"text": "ver', lines[1], lines[2]]), "utf-8")
    ran = cli("lyrics", path)
    assert ran.code == 1
    assert f"{path}:2: no JSON" in ran.err
    assert len(workspace.store.verses()) == 3
    (failed,) = cli("status", "--json").json["failed"]
    assert failed["item"] == f"{path}:2"

    path.write_text("\n".join([*lines, '{"text": "pena 3"}']), "utf-8")
    assert cli("lyrics", path).code == 0
    assert cli("status", "--json").json["failed"] == []
    assert len(workspace.store.verses()) == 4


def test_a_folder(cli: Cli, workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "letras" / "deep"
    folder.mkdir(parents=True)
    for suffix, text in EXAMPLES.items():
        (folder / f"a{suffix}").write_text(text, "utf-8")
    (folder / "a.mp3").write_bytes(b"")
    ran = cli("lyrics", folder.parent, folder / "a.txt")
    assert (ran.code, ran.err) == (0, f"lyrics: {len(EXAMPLES)} done\n")
    found = workspace.store.verses()
    assert {verse.lines for verse in found} == {COPLA, OTHER}
    assert {len(verse.sources) for verse in found} == {len(EXAMPLES)}
    assert cli("lyrics", folder).err == f"lyrics: 0 done, {len(EXAMPLES)} up to date\n"


def test_a_stanza_sung_twice_has_two_places(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("vuelta\n\npena\n\n¡Vuelta!", "utf-8")
    with workspace.store.transaction() as transaction:
        transaction.save(take_in(path).records)
    places = {v.lines: [s.position for s in v.sources] for v in workspace.store.verses()}
    assert places == {("vuelta",): [0, 2], ("pena",): [1]}


@pytest.mark.parametrize("name", ["no.txt", "x" * 300 + ".txt"])
def test_a_file_that_is_not_there(cli: Cli, name: str) -> None:
    ran = cli("lyrics", name)
    assert (ran.code, "there is no such file" in ran.err) == (1, True)


def test_items_name_files_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("ay", "utf-8")
    monkeypatch.chdir(tmp_path)
    (item,) = items([Path("a.txt"), tmp_path / "a.txt", tmp_path])
    assert item.key == str(tmp_path / "a.txt")


# ---- many


@pytest.fixture
def word() -> Callable[[], str]:
    chance = random.Random(1)
    syllables = ("ca", "mi", "no", "so", "le", "ma", "re", "gi", "ta", "ni", "ña", "quie", "ro")
    return lambda: "".join(chance.choices(syllables, k=chance.randint(1, 3)))


def test_a_large_collection_takes_seconds(
    cli: Cli, tmp_path: Path, word: Callable[[], str]
) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("w", encoding="utf-8") as out:
        for _ in range(18_000):
            lines = [" ".join(word() for _ in range(5)) for _ in range(4)]
            out.write(json.dumps({"lines": lines, "title": word()}) + "\n")
    before = time.process_time()
    assert cli("lyrics", path).code == 0
    assert time.process_time() - before < 15
    assert cli("status", "--json").json["verses"] > 17_900


def test_rights_are_those_of_the_letra_else_those_of_the_corpus(tmp_path: Path) -> None:
    path = tmp_path / "letras.jsonl"
    said = {"text": "ay pena", "rights": "CC BY 4.0"}
    path.write_text(json.dumps(said) + "\n" + json.dumps({"text": "otra"}) + "\n", "utf-8")

    def rights(*given: str) -> list[str]:
        verses = [one for one in take_in(path, *given).records if isinstance(one, Verse)]
        return [verse.sources[0].rights for verse in verses]

    assert rights() == ["cc-by-4.0", "unknown"]
    assert rights("public domain") == ["cc-by-4.0", "public domain"]
