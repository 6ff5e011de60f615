"""What public APIs answer, in the shape of their documentation, becomes verses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from corpus.errors import LyricsError, PassedOverError, UsageError
from corpus.lyrics.base import Flaw
from corpus.lyrics.web.base import Page, WebSource
from corpus.lyrics.web.blogger import Blogger
from corpus.lyrics.web.intake import is_web, open_source
from corpus.lyrics.web.lrclib import Lrclib, Track, tracks_of
from corpus.lyrics.web.mediawiki import Wikisource
from corpus.lyrics.web.wikitext import header_of, poems_of, subpages_of, transcluded
from corpus.records import Recording, Verse

TRACK = Track(artist="La Niña", title="La barca", album="Orilla", duration=181.4)
SYNCED = """\
[00:12.30] Una barca sin su dueño
[00:15.80] no tiene puerto ni mar
[00:20.00]
[01:00.05] que el viento la va llevando
[01:02.00] ♪
[01:04.00] donde la quiere dejar
"""
ANSWER = {
    "id": 7,
    "trackName": "La barca",
    "artistName": "La Niña",
    "albumName": "Orilla",
    "duration": 181.0,
    "instrumental": False,
    "plainLyrics": "Una barca sin su dueño\nno tiene puerto ni mar",
    "syncedLyrics": SYNCED,
}


def page(url: str, answer: Any, status: int = 200) -> Page:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return Page(url=url, status=status, body=body)


def read(source: WebSource, one: Page, rights: str = "unknown") -> tuple[list[Verse], list[Flaw]]:
    found = list(source.read(one, rights))
    return (
        [verse for verse in found if isinstance(verse, Verse)],
        [flaw for flaw in found if isinstance(flaw, Flaw)],
    )


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def only(urls: Iterable[str]) -> str:
    (url,) = urls
    return url


# ---- LRCLIB


def test_a_track_is_asked_for_by_its_signature() -> None:
    url = only(Lrclib([TRACK]).start())
    assert url.startswith("https://lrclib.net/api/get?")
    assert query(url) == {
        "artist_name": "La Niña",
        "track_name": "La barca",
        "album_name": "Orilla",
        "duration": "181",
    }


def test_lines_keep_their_times() -> None:
    source = Lrclib([TRACK])
    (first, second), flaws = read(source, page(only(source.start()), ANSWER), "cc0")
    assert not flaws
    assert first.lines == ("Una barca sin su dueño", "no tiene puerto ni mar")
    place = first.sources[0]
    assert (place.source, place.title, place.artist, place.rights) == (
        "https://lrclib.net/api/get/7",
        "La barca",
        "La Niña",
        "cc0",
    )
    assert dict(place.extra) == {
        "album": "Orilla",
        "duration": "181.0",
        "line times": "12.30 15.80",
    }
    times = dict(second.sources[0].extra)["line times"].split()
    assert times[0] == "60.05"
    assert times[-1] == "64.00"
    assert len(times) == len(second.lines)


def test_words_without_times_and_no_words() -> None:
    source = Lrclib([TRACK])
    url = only(source.start())
    (verse,), _ = read(source, page(url, ANSWER | {"syncedLyrics": None}))
    assert "line times" not in dict(verse.sources[0].extra)
    silent = {"plainLyrics": None, "syncedLyrics": None}
    _, (flaw,) = read(source, page(url, ANSWER | silent | {"instrumental": True}))
    assert (flaw.part, flaw.reason) == ("7", "an instrumental: nothing is sung")
    _, (flaw,) = read(source, page(url, ANSWER | silent))
    assert flaw.reason == "no words"


def test_what_is_not_there_is_searched() -> None:
    source = Lrclib([TRACK])
    missing = page(only(source.start()), {"code": 404, "name": "TrackNotFound"}, status=404)
    assert 404 in source.answers
    assert list(source.read(missing, "unknown")) == []
    search = only(source.follow(missing))
    assert search.startswith("https://lrclib.net/api/search?")
    assert query(search) == {"artist_name": "La Niña", "track_name": "La barca", "duration": "181"}
    others = [
        ANSWER | {"id": 1, "artistName": "El Otro"},
        ANSWER | {"id": 2, "trackName": "El barco que se fue"},
        ANSWER | {"id": 3, "duration": 300.0},
        ANSWER | {"id": 4, "artistName": "LA NINA", "duration": 183.0},
        ANSWER | {"id": 5, "syncedLyrics": None, "plainLyrics": None, "duration": 181.0},
    ]
    (verse, _), _ = read(source, page(search, others))
    assert verse.sources[0].source.endswith("/api/get/4")
    assert list(source.follow(page(search, others))) == []
    with pytest.raises(PassedOverError, match="LRCLIB has no letra of La Niña - La barca"):
        list(source.read(page(search, others[:2]), "unknown"))


@pytest.mark.parametrize("answer", [b"<html>", "words", None, b"[" * 100_000])
def test_no_answer_of_lrclib(answer: Any) -> None:
    with pytest.raises(LyricsError):
        list(Lrclib([TRACK]).read(page("https://lrclib.net/api/search?q=a", answer), "unknown"))


def test_which_recordings_are_asked_for() -> None:
    def recording(digit: str, **known: str) -> Recording:
        return Recording(id=digit * 64, source="a", duration=60.0, **known)  # type: ignore[arg-type]  # words

    made = [
        recording("1", artist="A", title="B"),
        recording("2", artist="A", title="B"),
        recording("3", artist="A"),
        recording("4", title="B"),
    ]
    assert tracks_of(made) == [Track(artist="A", title="B", duration=60.0)]
    with pytest.raises(UsageError, match="--artist and --title"):
        Lrclib([])
    assert len(list(Lrclib([TRACK, Track(artist="a", title="b")], limit=1).start())) == 1


# ---- Blogger


def entry(title: str, html: str, **more: Any) -> dict[str, Any]:
    link = {"rel": "alternate", "href": "http://b.example/2007/06/a.html"}
    return {"title": {"$t": title}, "content": {"$t": html}, "link": [link], **more}


def feed(*entries: Any, total: int) -> dict[str, Any]:
    return {"feed": {"openSearch$totalResults": {"$t": str(total)}, "entry": list(entries)}}


def test_a_blog_is_paged_to_its_end() -> None:
    source = Blogger("http://www.b.example/")
    first = only(source.start())
    assert (
        first == "http://www.b.example/feeds/posts/default?alt=json&start-index=1&max-results=100"
    )
    assert (source.name, source.hosts) == ("blogger-b.example", ("b.example",))
    posts = [entry("a", "uno")] * 2
    second = only(source.follow(page(first, feed(*posts, total=3))))
    assert query(second)["start-index"] == "3"
    assert list(source.follow(page(second, feed(*posts[:1], total=3)))) == []
    # A feed that says that there is more and gives nothing ends all the same.
    assert list(source.follow(page(second, feed(total=9)))) == []


def test_a_limit_of_posts() -> None:
    source = Blogger("http://b.example", limit=3)
    first = only(source.start())
    assert query(first)["max-results"] == "3"
    posts = [entry("a", "uno")] * 2
    second = only(source.follow(page(first, feed(*posts, total=9))))
    assert query(second) == {"alt": "json", "start-index": "3", "max-results": "1"}
    assert list(source.follow(page(second, feed(*posts[:1], total=9)))) == []


def test_posts_become_verses() -> None:
    html = "<p>Una barca sin su dueño<br>no tiene puerto ni mar</p><div>otra</div><div>más</div>"
    labels = [{"term": "cante"}, {"scheme": "x"}]
    date = {"$t": "2007-06-01"}
    good = entry("El Niño - La barca (Tangos)", html, category=labels, published=date)
    empty = entry("Aviso", "<img src=a>")
    source = Blogger("https://b.example")
    verses, (flaw,) = read(source, page(only(source.start()), feed(good, empty, "no", total=2)))
    assert [v.lines for v in verses] == [
        ("Una barca sin su dueño", "no tiene puerto ni mar"),
        ("otra", "más"),
    ]
    place = verses[0].sources[0]
    assert place.source == "http://b.example/2007/06/a.html"
    assert (place.artist, place.title, place.palo) == ("El Niño", "La barca", "tangos")
    assert dict(place.extra) == {"labels": "cante", "published": "2007-06-01"}
    assert flaw.part == "http://b.example/2007/06/a.html"


@pytest.mark.parametrize("answer", [b"<html>", [], {"feed": 1}])
def test_no_feed(answer: Any) -> None:
    source = Blogger("https://b.example")
    with pytest.raises(LyricsError, match=r"no JSON|no feed"):
        list(source.read(page(only(source.start()), answer), "unknown"))


# ---- MediaWiki

SOLEARES = """\
{{Encabezado
|título=[[Cantares inventados]]
|autor={{Autor|[[Autor:Nadie Inventado|Nadie Inventado]]}}
|año=1881 (2.ª edición)
|notas=Nota con | raya y [[enlace|otro]]
}}
Prosa que explica la colección,
en dos renglones.
== Soleares ==
<poem>
Er reló de la '''plasa'''<ref name="a/b">Nota ''al pie'' con {{c|x}}</ref>
{{verso|5|da las horas que yo quiero}}<!-- no -->

:ya no quiero más relojes
</poem>
<div>'''II'''</div>
:Una barca sin su dueño,<br/>
:no tiene [[Puerto|puerto]] ni mar &amp; arena
'''Seguiriyas'''
Qué penita la mía<br>
que no amanese<ref>otra</ref><br />
[[Categoría:Cantares]]
{| class=wikitable
| tabla<br>
|}
"""


def wiki(*pages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"query": {"pages": list(pages)}, **more}


def text_page(title: str, text: str) -> dict[str, Any]:
    return {"title": title, "revisions": [{"slots": {"main": {"content": text}}}]}


def test_poems_of_a_page() -> None:
    found = {poem.heading: poem.text.split("\n") for poem in poems_of(SOLEARES)}
    assert list(found) == ["Soleares", "Seguiriyas"]
    lines = [line for line in found["Soleares"] if line]
    assert lines == [
        "Er reló de la plasa",
        "da las horas que yo quiero",
        "ya no quiero más relojes",
        "Una barca sin su dueño,",
        "no tiene puerto ni mar & arena",
    ]
    assert [line for line in found["Seguiriyas"] if line] == [
        "Qué penita la mía",
        "que no amanese",
    ]


def test_the_header_of_a_page() -> None:
    assert header_of(SOLEARES) == {
        "collection": "Cantares inventados",
        "author": "Nadie Inventado",
        "year": "1881",
    }
    assert header_of("{{otra|título=a}}") == {}
    assert header_of("{{Encabezado|título=a") == {}


def test_parts_of_a_book() -> None:
    text = "* [[/Soleares/]]\n* [[Libro/Polos y cañas|Polos]]\n* [[Libro/Soleares#1]] [[Otro/a]]"
    assert subpages_of(text, "Libro") == ["Libro/Soleares", "Libro/Polos y cañas"]
    scans = '<pages index=\'A b.pdf\' from=3 to="5" /><pages index="c" /><pages from=1 to=2/>'
    assert transcluded(scans) == ["Página:A b.pdf/3", "Página:A b.pdf/4", "Página:A b.pdf/5"]
    assert len(transcluded('<pages index="a" from=1 to=999999999/>')) == 1000


def test_a_page_of_wikisource() -> None:
    source = Wikisource("Cantares_inventados/Soleares")
    url = only(source.start())
    assert url.startswith("https://es.wikisource.org/w/api.php?")
    asked = query(url)
    assert asked["titles"] == "Cantares inventados/Soleares"
    assert (asked["formatversion"], asked["rvslots"], asked["prop"]) == ("2", "main", "revisions")
    answer = wiki(text_page("Cantares inventados/Soleares", SOLEARES))
    verses, flaws = read(source, page(url, answer))
    assert not flaws
    place = verses[0].sources[0]
    assert verses[0].lines == ("Er reló de la plasa", "da las horas que yo quiero")
    assert place.source == "https://es.wikisource.org/wiki/Cantares_inventados/Soleares:1"
    assert (place.title, place.rights) == ("Soleares", "public-domain")
    assert dict(place.extra)["author"] == "Nadie Inventado"
    assert verses[-1].sources[0].title == "Seguiriyas"
    later = SOLEARES.replace("1881", "1950")
    verses, _ = read(source, page(url, wiki(text_page("A", later))), "permission")
    assert verses[0].sources[0].rights == "permission"


def test_pages_without_verse_are_told() -> None:
    source = Wikisource("A")
    pages: list[dict[str, Any]] = [
        {"title": "A", "missing": True},
        {"title": "B", "invalid": True},
        {"title": "C"},
        text_page("D", "Prosa."),
        text_page("E", "[[/Parte/]]"),
    ]
    verses, flaws = read(source, page(only(source.start()), wiki(*pages)))
    assert not verses
    assert [(flaw.part, flaw.reason.split(":")[0]) for flaw in flaws] == [
        ("A", "there is no such page"),
        ("B", "no title of a page"),
        ("D", "no letra found"),
    ]


def test_what_a_book_leads_to() -> None:
    source = Wikisource("Libro")
    text = " ".join(f"[[/{i}/]]" for i in range(25))
    first, second = source.follow(page(only(source.start()), wiki(text_page("Libro", text))))
    assert query(first)["titles"].split("|") == [f"Libro/{i}" for i in range(20)]
    assert query(second)["titles"].split("|") == [f"Libro/{i}" for i in range(20, 25)]


def test_a_category_goes_on_where_it_was() -> None:
    source = Wikisource("Categoría:Cantares", limit=60)
    url = only(source.start())
    asked = query(url)
    assert (asked["generator"], asked["gcmtitle"]) == ("categorymembers", "Categoría:Cantares")
    assert asked["gcmlimit"] == "50"
    more = {"continue": {"rvcontinue": "1|2", "continue": "||"}}
    texts = only(source.follow(page(url, wiki({"title": "A"}, **more))))
    assert query(texts)["rvcontinue"] == "1|2"
    fifty = [text_page(str(i), "") for i in range(50)]
    more = {"continue": {"gcmcontinue": "page|x|1", "continue": "gcmcontinue||"}}
    members = only(source.follow(page(texts, wiki(*fifty, **more))))
    asked = query(members)
    assert (asked["gcmcontinue"], asked["gcmlimit"]) == ("page|x|1", "10")
    assert "rvcontinue" not in asked
    assert list(source.follow(page(members, wiki(*fifty[:10], **more)))) == []
    assert list(source.follow(page(members, wiki(*fifty[:10])))) == []


def test_an_error_of_the_wiki() -> None:
    source = Wikisource("A")
    told = {"error": {"code": "maxlag", "info": "Waiting for a\nserver"}}
    with pytest.raises(LyricsError, match="the wiki says: Waiting for a server"):
        list(source.read(page("https://es.wikisource.org/w/api.php?", told), "unknown"))
    with pytest.raises(LyricsError, match="no answer of MediaWiki"):
        list(source.follow(page("https://es.wikisource.org/w/api.php?", [])))


# ---- names


def test_which_names_are_of_the_web() -> None:
    web = ("lrclib", "site:a", "a/b.toml", "wikisource:A", "blogger:https://a.example")
    assert all(map(is_web, web))
    assert not any(map(is_web, ("a.txt", "folder", "./lrclib", "toml")))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("blogger:b.example", "write blogger:https://HOST"),
        ("wikisource:", "write wikisource:PAGE"),
        ("wikisource:Categoría:", "write wikisource:PAGE"),
        ("site:no", "site:no is not known"),
        ("lrclib", "no recording here"),
    ],
)
def test_names_of_nothing(name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        open_source(name)


def test_another_address_is_for_apis() -> None:
    source = open_source("wikisource:A", address="http://mirror.example/")
    assert only(source.start()).startswith("http://mirror.example/w/api.php?")
    assert source.hosts == ("mirror.example",)
    with pytest.raises(UsageError, match="--address is for lrclib"):
        open_source("site:letras-br", address="http://a.example")
