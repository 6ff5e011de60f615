from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from corpus.collect import collector_for, collectors
from corpus.collect.base import AS_USUAL, EVERYTHING, FIELDS, Collector, printable
from corpus.collect.intake import Intake
from corpus.collect.tags import read_tags, year_of
from corpus.errors import MediaError, TableError
from corpus.records import Decision
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.made import ffmpeg, write_tone

# ---- the contract of all collectors


def example(collector: Collector, folder: Path) -> str:
    """A source that this collector takes."""
    made = write_tone(folder / "made.wav")
    (folder / "made.csv").write_text("link\nmade.wav\n", "utf-8")
    return {
        "files": str(made),
        "table": str(folder / "made.csv"),
        "web": "http://127.0.0.1/made.wav",
    }[collector.name]


@pytest.mark.parametrize("collector", collectors(), ids=lambda collector: collector.name)
def test_a_collector_keeps_its_contract(collector: Collector, tmp_path: Path) -> None:
    source = example(collector, tmp_path)
    assert collector.accepts(source)
    assert collector_for(source) is collector
    (found,) = collector.find(source, EVERYTHING, AS_USUAL)
    assert found == next(iter(collector.find(source, EVERYTHING, AS_USUAL)))
    assert found.key
    assert found.key == found.key.strip()
    assert found.inputs
    assert found.location
    assert found.problem == ""
    assert {name for name, _ in found.given} <= set(FIELDS)


@pytest.mark.parametrize("collector", collectors(), ids=lambda collector: collector.name)
def test_a_collector_sees_what_changed(collector: Collector, tmp_path: Path) -> None:
    source = example(collector, tmp_path)
    (before,) = collector.find(source, EVERYTHING, AS_USUAL)
    write_tone(tmp_path / "made.wav", 2.0)
    (after,) = collector.find(source, EVERYTHING, AS_USUAL)
    assert before.key == after.key
    assert (before.inputs != after.inputs) == (collector.name != "web")


@pytest.mark.parametrize("collector", collectors(), ids=lambda collector: collector.name)
def test_a_source_that_is_not_there(collector: Collector, tmp_path: Path) -> None:
    source = example(collector, tmp_path).replace("made", "nothing")
    if collector.name == "table":
        with pytest.raises(TableError, match="cannot be read: No such file"):
            list(collector.find(source, EVERYTHING, AS_USUAL))
        return
    (found,) = collector.find(source, EVERYTHING, AS_USUAL)
    assert bool(found.problem) == (collector.name != "web")


def test_names_are_unique() -> None:
    names = [collector.name for collector in collectors()]
    assert len(names) == len(set(names)) >= 3
    assert names[-1] == "files"


# ---- files and folders


def test_a_folder(cli: Cli, workspace: Workspace, tmp_path: Path) -> None:
    songs = tmp_path / "songs"
    (songs / "deep" / "er").mkdir(parents=True)
    (songs / ".hidden").mkdir()
    for i, name in enumerate(["01 - Uno.WAV", "deep/Camarón - Dos.wav", "deep/er/03_tres.wav"]):
        write_tone(songs / name, hertz=300 + i)
    write_tone(songs / ".hidden" / "no.wav", hertz=900)
    write_tone(songs / "._no.wav", hertz=901)
    (songs / "notes.txt").write_text("no audio", "utf-8")
    ran = cli("collect", songs)
    assert (ran.code, ran.err) == (0, "collect: 3 done\n")
    found = {r.title: r.artist for r in workspace.store.recordings()}
    assert found == {"Uno": "", "Dos": "Camarón", "tres": ""}
    assert cli("collect", songs, songs / "deep").err == "collect: 0 done, 3 up to date\n"


def test_links_between_folders_are_followed_once(
    cli: Cli, workspace: Workspace, tmp_path: Path
) -> None:
    far, folder = tmp_path / "far", tmp_path / "cintas"
    for one, hertz in ((far, 300.0), (folder / "a", 400.0)):
        one.mkdir(parents=True)
        write_tone(one / "cante.wav", hertz=hertz)
    (folder / "far").symlink_to(far)
    (folder / "a" / "round").symlink_to(folder)
    (far / "back").symlink_to(folder)
    (folder / "nowhere.wav").symlink_to(tmp_path / "gone.wav")
    (folder / "itself.wav").symlink_to(folder / "itself.wav")
    assert cli("collect", str(folder)).code == 0
    assert len(workspace.store.recordings()) == 2


@pytest.mark.parametrize("verb", ["collect", "lyrics"])
def test_a_folder_that_may_not_be_read_is_told(
    cli: Cli, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    folder = tmp_path / "cintas"
    (folder / "closed").mkdir(parents=True)
    write_tone(folder / "cante.wav")
    (folder / "letra.txt").write_text("por la calle abajo", encoding="utf-8")
    read = os.scandir

    # Permissions do not bind root, as who tests in a container is.
    def refused(path: str) -> object:
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return read(path)

    monkeypatch.setattr(os, "scandir", refused)
    ran = cli(verb, str(folder))
    assert ran.code == 1
    assert f"{folder / 'closed'}: the folder cannot be read" in ran.err
    assert len(workspace.store.recordings() + workspace.store.verses()) == 1


def test_a_folder_that_holds_the_corpus(cli: Cli, workspace: Workspace) -> None:
    write_tone(workspace.root / "a.wav")
    assert cli("collect", ".").err == "collect: 1 done\n"
    assert len(list(workspace.media.root.rglob("*.*"))) == 2
    assert cli("collect", ".").err == "collect: 0 done, 1 up to date\n"


TWINS = (("a.wav", "b.wav"), ("b.wav", "a.wav"))


def test_the_same_bytes_twice(cli: Cli, workspace: Workspace, tmp_path: Path) -> None:
    write_tone(tmp_path / "a.wav")
    write_tone(tmp_path / "b.wav")
    ran = cli("collect", tmp_path / "a.wav", tmp_path / "b.wav")
    assert ran.code == 0
    # They are taken in side by side: either may be the first.
    told = (f"{tmp_path / x}: the same bytes as {tmp_path / y}" for x, y in TWINS)
    assert sum(line in ran.err for line in told) == 1
    (found,) = workspace.store.recordings()
    assert found.source == str(tmp_path / f"{found.title}.wav")


def test_audio_that_was_lost_is_taken_again(cli: Cli, workspace: Workspace, tmp_path: Path) -> None:
    made = write_tone(tmp_path / "a.wav")
    cli("collect", made)
    (found,) = workspace.store.recordings()
    workspace.media.flac(found.id).unlink()
    os.utime(made, (1, 1))
    assert cli("collect", made).err == "collect: 1 done\n"
    assert workspace.media.samples(found.id).n_samples == 16_000


def test_tags_and_rights(cli: Cli, workspace: Workspace, tmp_path: Path) -> None:
    about = {"title": "Soleá", "artist": "La Niña", "album": "Cante", "date": "1957-03-01"}
    tags = [f for name, value in about.items() for f in ("-metadata", f"{name}={value}")]
    ffmpeg("-i", write_tone(tmp_path / "a.wav"), *tags, tmp_path / "01 - no.mp3")
    (workspace.root / "corpus.toml").write_text('[corpus]\nrights = "CC BY 4.0"\n', "utf-8")
    assert cli("collect", tmp_path / "01 - no.mp3").code == 0
    (found,) = workspace.store.recordings()
    assert (found.title, found.artist, found.album, found.year) == (
        *("Soleá", "La Niña", "Cante"),
        1957,
    )
    assert found.rights == "cc-by-4.0"


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("01 - Soleá.wav", {"title": "Soleá"}),
        ("12_Camarón - Como el agua.wav", {"artist": "Camarón", "title": "Como el agua"}),
        ("1969.wav", {"title": "1969"}),
        (" - .wav", {"title": "-"}),
        ("a\nb.wav", {"title": "a\\x0ab"}),
    ],
)
def test_the_name_gives_what_tags_do_not(tmp_path: Path, name: str, tags: dict[str, str]) -> None:
    assert read_tags(write_tone(tmp_path / name)) == tags


@pytest.mark.parametrize(
    ("text", "year"),
    [("1957", 1957), ("ca. 1899?", 1899), ("12/03/2001", 2001), ("19571", None), ("s. XIX", None)],
)
def test_year_of(text: str, year: int | None) -> None:
    assert year_of(text) == year


def test_printable() -> None:
    assert printable("/ñ 🎸") == "/ñ 🎸"
    assert printable(os.fsdecode(b"/\xf1\n\x1b[1m")) == "/\\xf1\\x0a\\x1b[1m"


# ---- tables

TABLE = """\
song;author;album;year;link;transcription;palo;region;sex;my notes
Tientos;La Niña;Cante;ca. 1957;a.wav;"Por la calle abajo
va la que yo quiero

como no le puedo hablar; lloro";tientos;Cádiz;f;"de ""oro"" puro"
Soleá;El Otro;;;deep/b.wav;;soleares;;;
Nada;;;;;;;;;
;;;;;;;;;
Lejos;;;;no.wav;;;;;
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    folder = tmp_path / "songs"
    (folder / "deep").mkdir(parents=True)
    write_tone(folder / "a.wav", hertz=300)
    write_tone(folder / "deep" / "b.wav", hertz=301)
    (folder / "songs.csv").write_bytes(TABLE.encode("latin-1"))
    return folder / "songs.csv"


def test_a_table(cli: Cli, workspace: Workspace, table: Path) -> None:
    ran = cli("collect", table)
    assert ran.code == 1
    assert f"{table}:4: the row has no link" in ran.err
    assert f"{table}:6: there is no file {table.parent / 'no.wav'}" in ran.err
    assert ran.err.endswith("2 done, 2 failed (`corpus status` keeps the reasons)\n")
    solea, tientos = sorted(workspace.store.recordings(), key=lambda r: r.title)
    assert (tientos.title, tientos.artist, tientos.author) == ("Tientos", "La Niña", "La Niña")
    assert (tientos.album, tientos.year, tientos.palo) == ("Cante", 1957, "tientos")
    assert (tientos.region, tientos.sex) == ("Cádiz", "f")
    assert tientos.extra == (("my notes", 'de "oro" puro'),)
    assert tientos.source == str(table.parent / "a.wav")
    assert (solea.title, solea.year) == ("Soleá", None)


def test_a_transcription_is_a_match(cli: Cli, workspace: Workspace, table: Path) -> None:
    cli("collect", table)
    verses = {verse.id: verse for verse in workspace.store.verses()}
    (match,) = workspace.store.matches()
    assert (match.decision, match.decided_by) == (Decision.ACCEPTED, "source")
    assert [verses[one.verse].lines for one in match.verses] == [
        ("Por la calle abajo", "va la que yo quiero"),
        ("como no le puedo hablar; lloro",),
    ]
    assert {s.title for v in verses.values() for s in v.sources} == {"Tientos"}


def test_an_edited_row_is_applied(cli: Cli, workspace: Workspace, table: Path) -> None:
    cli("collect", table)
    edited = TABLE.replace("El Otro", "El Mismo").replace("no.wav", "deep/b.wav")
    table.write_bytes(edited.replace("Nada;;;;;", "Nada;;;;a.wav;").encode("latin-1"))
    ran = cli("collect", table)
    assert (ran.code, "1 up to date" in ran.err) == (0, True)
    assert cli("status", "--json").json["failed"] == []
    found = {r.title: r.artist for r in workspace.store.recordings()}
    assert found == {"Nada": "La Niña", "Lejos": "El Mismo"}  # the later row speaks


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "has no rows"),
        (b"link\n", "has no rows"),
        (b"link;song\n\n;\n", "has no rows"),
        (b"PK\x03\x04\0\0\0\0 a spreadsheet", "save the spreadsheet as CSV"),
        (b'link\n"' + b"x" * (1 << 24) + b'y"\n', "field larger than"),
    ],
    ids=["nothing", "header", "blank", "binary", "field"],
)
def test_what_is_no_table(cli: Cli, tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    ran = cli("collect", tmp_path / "t.csv")
    assert (ran.code, ran.err.count("\n")) == (1, 2), ran.err[:300]
    assert says in ran.err
    assert "unexpected" not in ran.err


def test_a_table_that_is_put_right(cli: Cli, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = table.read_bytes()
    table.write_bytes(b"")
    monkeypatch.chdir(table.parent)
    assert cli("-w", "../cante", "collect", "songs.csv").code == 1
    table.write_bytes(b"\n".join(right.split(b"\n")[:7]) + b"\n")
    cli("-w", "../cante", "collect", table)
    failed = cli("-w", "../cante", "status", "--json").json["failed"]
    assert [f["item"] for f in failed] == [f"{table}:4"]


def test_a_table_that_is_not_there(cli: Cli, tmp_path: Path) -> None:
    ran = cli("collect", tmp_path / "t.csv")
    assert (ran.code, "cannot be read: No such file" in ran.err) == (1, True)


def test_commas_tabs_and_cells_without_a_column(tmp_path: Path) -> None:
    write_tone(tmp_path / "a.wav")
    for name, delimiter in (("t.csv", ","), ("t.tsv", "\t"), ("u.csv", "|")):
        rows = [("File Name", "título"), ("a.wav", "Soleá", "y", "más"), ("a.wav",)]
        text = "\r\n".join(delimiter.join(row) for row in rows)
        (tmp_path / name).write_text(text, "utf-8-sig", newline="")
        whole, short = collector_for(name).find(str(tmp_path / name), EVERYTHING, AS_USUAL)
        assert dict(whole.given) == {"title": "Soleá"}
        assert whole.extra == (("more", "y / más"),)
        assert (dict(short.given), short.problem) == ({}, "")


def test_an_odd_link_is_no_reason_to_stop(cli: Cli, table: Path) -> None:
    table.write_text(f"link\n{'x' * 5000}\na.wav\n", "utf-8")
    ran = cli("collect", table)
    assert ran.code == 1
    assert "1 done, 1 failed" in ran.err


def test_nothing_takes_this(workspace: Workspace) -> None:
    intake = Intake(workspace)
    with pytest.raises(MediaError, match="there is no such file"):
        intake.take_in(intake.items(["nothing"])[0].payload)


def test_the_rights_of_the_audio_are_not_those_of_the_text(
    cli: Cli, workspace: Workspace, tmp_path: Path
) -> None:
    write_tone(tmp_path / "a.wav")
    path = tmp_path / "tabla.csv"
    path.write_text("link,transcription,rights\na.wav,ay pena,CC BY 4.0\n", "utf-8")
    assert cli("collect", path).code == 0
    assert workspace.store.recordings()[0].rights == "cc-by-4.0"
    (verse,) = workspace.store.verses()
    assert verse.sources[0].rights == "unknown"
    assert verse.sources[0].source == workspace.store.recordings()[0].source


def test_extra_fields_are_listed_as_an_object(cli: Cli, tmp_path: Path) -> None:
    write_tone(tmp_path / "a.wav")
    (tmp_path / "tabla.csv").write_text("link,mood\na.wav,triste\n", "utf-8")
    assert cli("collect", tmp_path / "tabla.csv").code == 0
    assert cli("recordings", "--json").json[0]["extra"] == {"mood": "triste"}
