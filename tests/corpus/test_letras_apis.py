"""APIs of letras are asked for real, on this machine; and what the command refuses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from corpus.lyrics.web.manners import seconds_asked
from corpus.records import Recording, Verse
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.crawling import OWN, told
from tests.servers import letras as made
from tests.servers.letras import corpus
from tests.servers.media import MediaSite

# ---- APIs


def lines(workspace: Workspace) -> dict[tuple[str, ...], Verse]:
    return {verse.lines: verse for verse in workspace.store.verses()}


def test_all_apis_at_once(workspace: Workspace, web: MediaSite) -> None:
    track = {
        "id": 7,
        "trackName": "La barca",
        "artistName": "La Niña",
        "albumName": "Orilla",
        "duration": 61.0,
        "instrumental": False,
        "plainLyrics": "Una barca",
        "syncedLyrics": "[00:12.30] Una barca sin su dueño\n[00:15.80] no tiene puerto ni mar\n",
    }
    other = track | {"id": 8, "trackName": "El reloj", "duration": 200.0, "syncedLyrics": None}
    get, search = made.lrclib(web, [track, other | {"plainLyrics": "Tengo un reloj sin agujas"}])
    known: Sequence[tuple[str, float]] = [("La barca", 60.0), ("El reloj", 100.0), ("Nada", 9.0)]
    with workspace.store.transaction() as transaction:
        transaction.save(
            Recording(id=f"{i}" * 64, source="a", duration=length, title=title, artist="La Niña")
            for i, (title, length) in enumerate(known)
        )
    pages = {f"Cante {i}": f"<poem>\nsoleá de la página {i}\n</poem>" for i in range(5)}
    wiki = made.wiki(web, pages, list(pages))
    posts = [(f"Tangos {i}", f"<div>tango del blog {i}</div>") for i in range(5)]
    blog = made.blog(web, posts)

    names = ("lrclib", "wikisource:Categoría:Cantes", "blogger:http://blog.example")
    arguments = ("lyrics", *names, "--address", web.url, *OWN)
    ran = corpus(workspace.root, *arguments)
    assert ran.code == 0, ran.err
    count, nothing = told(ran)
    assert (
        nothing
        == "lyrics: lrclib: 1 without a letra, such as: LRCLIB has no letra of La Niña - Nada"
    )
    found = lines(workspace)
    place = found["Una barca sin su dueño", "no tiene puerto ni mar"].sources[0]
    assert dict(place.extra)["line times"] == "12.30 15.80"
    assert place.source == f"{web.url}/api/get/7"
    assert ("Tengo un reloj sin agujas",) in found
    assert {(f"soleá de la página {i}",) for i in range(5)} < set(found)
    assert {(f"tango del blog {i}",) for i in range(5)} < set(found)
    assert len(found) == 12
    assert {asked["track_name"] for asked in search} == {"El reloj", "Nada"}
    assert len(search) == 2
    assert {asked["duration"] for asked in get} == {"60", "100", "9"}
    assert [asked["start-index"] for asked in blog] == ["1", "3", "5"]

    n_asked = (len(get), len(search), len(wiki), len(blog))
    ran = corpus(workspace.root, *arguments)
    assert (ran.code, "0 done" in ran.err) == (0, True)
    assert (len(get), len(search), len(wiki), len(blog)) == n_asked
    assert count.startswith("lyrics: ")


def test_a_track_by_its_name(workspace: Workspace, web: MediaSite) -> None:
    get, _ = made.lrclib(web, [])
    arguments = ("lyrics", "lrclib", "--address", web.url, *OWN)
    ran = corpus(workspace.root, *arguments, "--artist", "A", "--title", "B")
    assert ran.code == 0
    assert "LRCLIB has no letra of A - B" in ran.err
    assert get == [{"artist_name": "A", "track_name": "B"}]


# ---- the command


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["lrclib", "--artist", "A"], "give both"),
        (["lrclib"], "no recording here has an artist"),
        (["site:no"], "site:no is not known: site:canteytoque"),
        (["no.toml"], "no.toml cannot be read"),
        (["site:letras-br", "--delay", "0.1"], "give --allow-local too"),
        (["site:letras-br", "--address", "http://a.example"], "has its own"),
    ],
)
def test_wrong_usage(cli: Cli, arguments: list[str], reason: str) -> None:
    ran = cli("lyrics", *arguments)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert reason in ran.err


def test_a_site_file_with_a_typo(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('nam = "a"\n', "utf-8")
    ran = cli("lyrics", path)
    assert (ran.code, f"{path}: name: field required" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (b"7", 7.0),
        (b" 0 ", 0.0),
        (b"Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        (b"soon", None),
        (b"", None),
        (None, None),
    ],
)
def test_what_retry_after_says(header: bytes | None, seconds: float | None) -> None:
    assert seconds_asked(header) == seconds
