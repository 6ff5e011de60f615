"""Pages of the kinds that letras stand on, made in their shape, and the rules that read them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import ConfigError, LyricsError
from corpus.lyrics.web.base import Page
from corpus.lyrics.web.html import document, lines_of, links, text_of
from corpus.lyrics.web.rules import read_rules, shipped
from corpus.lyrics.web.site import Site
from corpus.records import Verse

CANTE_Y_TOQUE = """\
<html><head><title>Prueba</title></head><body>
<div id="menu"><a href="indice.htm">Inicio</a><p>Esto es el menú</p></div>
<h1>Cante</h1>
<h2>Soleares</h2>
<p>Aquí va una introducción que<br>nadie canta.</p>
<h3>Soleá de la Fuente</h3>
<p>El Niño de Prueba (1950). Muy medido.</p>
<p>Fuente de la plaza nueva<br>que a nadie le niegas agua<br>y a mí la sed me condena.</p>
<p><a href="audio/fuente1.mp3">Escuchar</a></p>
<p>Guitarra: Pepe el Inventado</p>
<p>La Niña Inventada (ca. 1962)</p>
<p>Ya no quiero más relojes<br>que me cuenten lo que falta<br>para que tú me perdones.</p>
<p>Otra copla que ella canta<br>detrás de la misma puerta.</p>
<h3>Soleá del Puente</h3>
<p>Debajo del puente nuevo<br>se quedó mi voz dormida.</p>
<h2>Polos</h2>
<p>Del polo no se ponen letras.</p>
</body></html>
"""
LETRAS_TODAS = """\
<body><h1>Todas las letras</h1><p>Lista completa</p>
<p><b>La barca sin dueño (Tangos)</b><br>Una barca sin su dueño<br>no tiene puerto ni mar</p>
<p>que el viento la va llevando<br>donde la quiere dejar</p>
<p><b>El reloj (Soleares)</b></p>
<p>Tengo un reloj sin agujas<br>que <b>nunca</b> me da la hora</p>
</body>
"""
BLOG = """\
<html><body><div class="post hentry"><h3 class="post-title entry-title">
<a href="#">La barca (Tangos) - La Niña Inventada</a></h3>
<div class="post-body entry-content">Esta letra la oí una noche de verano y desde entonces no se me
va de la cabeza por más que lo intento.<br /><br />
<div>Una barca sin su dueño</div><div>no tiene puerto ni mar</div><div><br /></div>
<div>que el viento la va llevando<br /></div><div>donde la quiere dejar</div>
<script>var a = "no";</script></div>
<div class="post-footer"><span class="post-labels"><a>cante</a>, <a>tangos</a></span></div>
</div><a href="/2007/06/otra.html#comments">1</a>
<a href="/2007/06/otra.html?showComment=1">c</a>
<a href="/search?updated-max=2007-06-01&amp;max-results=7">antiguas</a>
<a href="http://otra.example/2007/06/otra.html">fuera</a></body></html>
"""
GENERAL = """\
<h1>Letra de La barca</h1><h2>La Niña Inventada</h2>
<div class="letra">Una barca sin su dueño<br>no tiene puerto ni mar<br><br>
que el viento la va llevando<br>donde la quiere dejar<br><br>
Autor: Nadie Todavía<br><br>Añadida por prueba33</div>
"""


def read(site: str | Path, html: str, encoding: str = "utf-8") -> list[Verse]:
    source = Site(read_rules(site))
    page = Page(url="http://web.example/p.htm", status=200, body=html.encode(encoding))
    found = [one for one in source.read(page, "unknown") if isinstance(one, Verse)]
    assert found
    return found


# ---- the sites that are shipped


def test_every_shipped_site_has_a_page_here() -> None:
    assert set(shipped()) == {
        "canteytoque",
        "canteytoque-letrastodas",
        "letrasdeflamenco",
        "letras-br",
    }


def test_a_paragraph_belongs_to_the_estilo_just_above_it() -> None:
    found = read("canteytoque", CANTE_Y_TOQUE)
    places = [verse.sources[0] for verse in found]
    assert [(p.palo, p.title, p.artist) for p in places] == [
        ("Soleares", "Soleá de la Fuente", "El Niño de Prueba"),
        ("Soleares", "Soleá de la Fuente", "La Niña Inventada"),
        ("Soleares", "Soleá de la Fuente", "La Niña Inventada"),
        ("Soleares", "Soleá del Puente", ""),
    ]
    assert [len(verse.lines) for verse in found] == [3, 3, 2, 2]
    assert found[0].lines[0] == "Fuente de la plaza nueva"
    assert [p.position for p in places] == [0, 0, 1, 0]
    assert [p.source for p in places][1:] == [
        "http://web.example/p.htm:2",
        "http://web.example/p.htm:2",
        "http://web.example/p.htm:3",
    ]
    assert dict(places[0].extra) == {
        "accompaniment": "Guitarra: Pepe el Inventado",
        "comment": "Muy medido.",
        "estilo": "Soleá de la Fuente",
        "examples": "audio/fuente1.mp3",
        "year": "1950",
    }
    assert dict(places[1].extra) == {"estilo": "Soleá de la Fuente", "year": "1962"}


def test_titles_with_their_palo() -> None:
    found = read("canteytoque-letrastodas", LETRAS_TODAS)
    assert [(v.sources[0].title, v.sources[0].palo, v.lines) for v in found] == [
        ("La barca sin dueño", "Tangos", ("Una barca sin su dueño", "no tiene puerto ni mar")),
        ("La barca sin dueño", "Tangos", ("que el viento la va llevando", "donde la quiere dejar")),
        ("El reloj", "Soleares", ("Tengo un reloj sin agujas", "que nunca me da la hora")),
    ]


def test_a_post_of_a_blog_without_what_is_told_before() -> None:
    found = read("letrasdeflamenco", BLOG)
    assert [verse.lines for verse in found] == [
        ("Una barca sin su dueño", "no tiene puerto ni mar"),
        ("que el viento la va llevando", "donde la quiere dejar"),
    ]
    place = found[0].sources[0]
    assert (place.title, place.palo, place.artist) == ("La barca", "Tangos", "La Niña Inventada")
    assert place.source == "http://web.example/p.htm"
    assert dict(place.extra) == {"labels": "cante, tangos"}


def test_a_general_site() -> None:
    found = read("letras-br", GENERAL)
    assert [verse.lines for verse in found] == [
        ("Una barca sin su dueño", "no tiene puerto ni mar"),
        ("que el viento la va llevando", "donde la quiere dejar"),
    ]
    place = found[0].sources[0]
    assert (place.title, place.artist) == ("La barca", "La Niña Inventada")
    assert dict(place.extra) == {"author": "Nadie Todavía"}


def test_which_links_are_taken() -> None:
    source = Site(read_rules("letrasdeflamenco"))
    url = "https://www.letrasdeflamenco.com/"
    page = Page(url=url, status=200, body=BLOG.encode())
    post = "https://www.letrasdeflamenco.com/2007/06/otra.html"
    older = f"{url}search?updated-max=2007-06-01&max-results=7"
    assert list(source.follow(page)) == [post, older]
    assert source.holds_letras(post)
    assert not source.holds_letras(older)
    assert list(source.follow(Page(url=url, status=200, body=b"\x89PNG\0"))) == []


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252", "utf-16"])
@pytest.mark.parametrize("declared", ["utf-8", "iso-8859-1"])
def test_the_charset_is_what_the_bytes_are(encoding: str, declared: str) -> None:
    html = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">{GENERAL}'
    xml = '<?xml version="1.0" encoding="iso-8859-1"?>'
    assert read("letras-br", xml + html, encoding)[0].lines[0] == "Una barca sin su dueño"


def test_a_given_encoding_wins(tmp_path: Path) -> None:
    site = tmp_path / "a.toml"
    text = 'name = "a"\nstart = ["http://a.example/"]\nencoding = "cp850"\nlinks.pages = ["."]\n'
    site.write_text(text, "utf-8")
    assert read(site, "<p>dueño", "cp850")[0].lines == ("dueño",)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "is no text"),
        (b"  \n", "is no text"),
        (b"\x89PNG\r\n\0\0", "is no text"),
        (b"<h1>Error de la base de datos</h1>", "no letra found"),
        (b"<div class=letra>&mdash;</div>", "no letra found"),
    ],
)
def test_a_page_without_a_letra(body: bytes, reason: str) -> None:
    source = Site(read_rules("letras-br"))
    with pytest.raises(LyricsError, match=reason):
        list(source.read(Page(url="http://a.example/", status=200, body=body), "unknown"))


# ---- rules


def test_rights_and_lines(tmp_path: Path) -> None:
    site = tmp_path / "a.toml"
    site.write_text(
        """
        name = "a"
        start = ["http://a.example/"]
        licence = "CC BY 4.0"
        [links]
        pages = ["."]
        [read]
        verses = "//td"
        drop = [".no"]
        paragraphs_are_lines = true
        fields.rights = { select = "//meta[@name='rights']/@content" }
        """,
        "utf-8",
    )
    html = "<table><tr><td><p>uno</p><p>dos</p><p>&nbsp;</p><p>tres</p><p class=no>cuatro</table>"
    found = read(site, html)
    assert [verse.lines for verse in found] == [("uno", "dos"), ("tres",)]
    assert {verse.sources[0].rights for verse in found} == {"cc-by-4.0"}
    (other,) = read(site, "<meta name=rights content='Dominio público'><td>uno")
    assert other.sources[0].rights == "public-domain"


GOOD = 'name = "a"\nstart = ["http://a.example/"]\n[links]\npages = ["."]\n'


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (GOOD + "[red]\n", "red: extra inputs"),
        (GOOD + "[read]\nverse = 'p'\n", "read.verse: extra"),
        (GOOD + "[read]\nverses = 'p['\n", "read.verses: no CSS selector"),
        (GOOD + "[read]\nverses = '//p['\n", "read.verses: no XPath"),
        (GOOD + "[read]\nexamples = '('\n", "read.examples: input should be a valid regular"),
        (GOOD + "[[read.headings]]\nselect = 'h2'\n", "read.headings.0: a heading has a field"),
        (GOOD.replace("http:", "ftp:"), "start.0: an address begins with"),
        (GOOD.replace('"a"', '"../a"'), "name: string should match"),
        (GOOD.replace("[links]", 'encoding = "x"\n[links]'), "encoding: no encoding"),
        (GOOD.replace('["."]', "[]"), "links.pages: tuple should have at least 1"),
        ("name = ", "cannot be read"),
    ],
)
def test_a_typo_is_told_with_file_and_key(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as told:
        read_rules(path)
    assert str(told.value).startswith(f"{path}")
    assert key in str(told.value)
    assert "\n" not in str(told.value)


def test_a_site_that_is_not_shipped() -> None:
    with pytest.raises(ConfigError, match="site:no is not known: site:canteytoque, "):
        read_rules("no")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_rules(Path("no.toml"))


# ---- HTML as lines


@pytest.mark.parametrize(
    ("html", "lines"),
    [
        ("<p>a<br>b</p><p>c<br>\n d<br></p><p>e", ["a", "b", "", "c", "d", "", "e"]),
        ("<div>a</div><div>b</div><div><br></div><div>c<br></div>d", ["a", "b", "", "c", "d"]),
        ("a<br>\n<br>b <i>c</i><!-- no --> d", ["a", "", "b c d"]),
        ("<pre>a\n b\n\nc</pre>d<script>no</script>e", ["a", "b", "", "c", "", "de"]),
        ("<ul><li>a<li>b</ul><blockquote>c</blockquote>", ["a", "b", "", "c"]),
        ("a&nbsp;b\tc\nd", ["a\xa0b c d"]),
        ("<style>p {}</style><br><br>a", ["", "", "a"]),
    ],
)
def test_lines(html: str, lines: list[str]) -> None:
    shown = document(html.encode())
    assert shown is not None
    assert [line.text for line in lines_of(shown.root)] == lines


TAGS = ["a", "b", "x&amp;", "<p>", "</p>", "<br>", "<div>", "</div>", "<li>", "<pre>", "</pre>"]


@given(st.lists(st.sampled_from(TAGS)))
def test_no_word_is_lost_and_no_line_holds_two(parts: list[str]) -> None:
    html = "".join(parts)
    shown = document(f"<body>{html}".encode())
    assert shown is not None
    lines = [line.text for line in lines_of(shown.root)]
    assert not any("\n" in line for line in lines)
    words = [part.replace("&amp;", "&") for part in parts if part[0] not in "<\n"]
    assert "".join("".join(lines).split()) == "".join(words)


def test_links_are_whole_and_told_once() -> None:
    html = "<base href='/b/'><a href='c'>1</a><a href=' c#x'>2</a><a href='mailto:a@b'>3</a>"
    html += "<a href='http://['>4</a><map><area href='//other.example/'></map>"
    shown = document(html.encode())
    assert shown is not None
    assert list(links(shown, "http://a.example/x/")) == [
        "http://a.example/b/c",
        "http://other.example/",
    ]


def test_a_page_that_is_made_to_be_deep() -> None:
    shown = document(b"<div>" * 100_000 + b"ay")
    assert shown is not None
    assert len(lines_of(shown.root)) <= 1
    assert text_of(shown, "h1") == ""
