"""What is fuzzed: each parser of what comes from outside, as a function of bytes.

Hypothesis (tests/fuzz) and atheris (fuzz/run.py) drive the same ones.  A target gives the records
that it read, or raises a CanteError; whatever else is raised is a fault.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path

from align.fit_data import read_notes
from align.timed import lrc_songs, textgrid_songs
from annotate.pull import Known, pull_json
from annotate.tasks import clips, make_tasks
from corpus.care import manifest as backup_manifest
from corpus.collect.base import AS_USUAL, EVERYTHING
from corpus.collect.table import collector as table
from corpus.errors import CanteError
from corpus.lyrics import take_in
from corpus.lyrics.web.base import Page, WebSource
from corpus.lyrics.web.blogger import Blogger
from corpus.lyrics.web.lrclib import Lrclib, Track
from corpus.lyrics.web.mediawiki import Wikisource
from corpus.lyrics.web.rules import read_rules
from corpus.lyrics.web.site import Site
from corpus.publish.folder import MANIFEST, read_manifest
from corpus.records import Recording, Utterance, Word
from corpus.workspace import read_config
from train.config import load_toml

__all__ = ["TARGETS", "Target", "read_by", "texts_in"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A parser; `seeds` are what it is made for, to begin from."""

    name: str
    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]


def read_by(target: Target, data: bytes) -> object:
    """What a target reads; None where it refuses, in one line."""
    try:
        found = target.read(data)
    except CanteError:
        return None
    for text in texts_in(found):
        # Whatever was read is to be stored, in SQLite and in PostgreSQL.
        text.encode("utf-8")
        assert "\0" not in text
    return found


def texts_in(value: object) -> Iterator[str]:
    """All texts in records."""
    if isinstance(value, Enum):
        return
    if isinstance(value, str):
        yield value
    elif dataclasses.is_dataclass(value):
        for one in dataclasses.fields(value):
            yield from texts_in(getattr(value, one.name))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts_in(one)


# ---- files


@cache
def _folder() -> Path:
    """For files that are read by their path, as long as this process runs."""
    kept = tempfile.TemporaryDirectory(prefix="cante-fuzz-")
    _KEPT.append(kept)
    return Path(kept.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def _by_path(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """A reader of a file of some name as one of bytes."""

    def of_bytes(data: bytes) -> object:
        path = _folder() / name
        path.write_bytes(data)
        return read(path)

    return of_bytes


def _letras(path: Path) -> object:
    return take_in(path).records


def _songs(name: str, reader: Callable[[Path, str], object]) -> Callable[[bytes], object]:
    """A reader of a folder of songs; the sound beside it is only listed."""

    def of_bytes(data: bytes) -> object:
        folder = _folder() / name.lower()
        folder.mkdir(exist_ok=True)
        (folder / "song.wav").touch()
        (folder / f"song.{name}").write_bytes(data)
        return reader(folder, "es")

    return of_bytes


# ---- pages of the web


def _pages(source: WebSource, url: str, status: int = 200) -> Callable[[bytes], object]:
    def of_bytes(data: bytes) -> object:
        page = Page(url=url, status=status, body=data)
        links = list(source.follow(page))
        return [links, *source.read(page, "unknown")]

    return of_bytes


def _site() -> Site:
    rules = _folder() / "site.toml"
    rules.write_text(
        'name = "a"\nstart = ["https://a.example/"]\n[links]\npages = ["."]\n[read]\n'
        'verses = ".l, p"\ndrop = ["i"]\nexamples = "mp3$"\nparagraphs_are_lines = true\n'
        '[read.fields.artist]\nselect = "h1"\npattern = "^(?P<artist>[^-]+)"\n'
        '[[read.headings]]\nselect = "h2"\nfield = "palo"\n'
        '[[read.headings]]\nselect = "h3, b"\npattern = "^(?P<title>.+)$"\n'
        "[[read.notes]]\npattern = '(?P<singer>\\w[^()]*)\\((?P<year>\\d{4})\\).*'\nbegins = true\n"
    )
    return Site(read_rules(rules))


_WEB = "https://a.example/"
_HTML = (
    b'<!DOCTYPE html><html><head><meta charset="utf-8"><base href="/x/"><title>t</title></head>'
    b"<body><h1>Ana - letras</h1><h2>Sole\xc3\xa1</h2><h3>de Triana</h3><p>Manolo (1950).</p>"
    b'<p class="l">ay pena<br>m\xc3\xada (bis)</p><a href="../b.html#x">b</a><pre>a\n\nb</pre>'
    b'<i>nada</i><a href="a.mp3">o</a><table><tr><td>uno</td></tr></table></body></html>'
)
_WIKI = (
    "{{Encabezado|título=Cantes|autor=[[Autor:A]]|año=1881}}\n== Soleares ==\n<poem>\nay ''pena''\n"
    "mía {{may|no}}<ref name=a>b</ref>\n</poem>\n:una<br/>\n{|\n|a\n|}\n<!-- c -->[[T/b|b]]\n"
    "<pages index=\"L\" from=1 to=3 />\n[https://a.example x]\n'''Título'''\n"
)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _wiki(text: str) -> bytes:
    page = {"title": "T", "revisions": [{"slots": {"main": {"content": text}}}]}
    more = {"gcmcontinue": "page|x", "continue": "-||"}
    return _json({"query": {"pages": [page]}, "continue": more})


# ---- what people hand in


@cache
def _known() -> tuple[Known, bytes]:
    """A corpus of one utterance, and its task as a person hands it in."""
    one = Recording(id="a" * 64, source="/uno.wav", duration=10.0, title="uno")
    words = (Word(text="ay", start=2.0, end=2.5), Word(text="pena", start=2.5, end=3.0))
    said = Utterance(recording=one.id, start=2.0, end=3.0, text="ay pena", words=words)
    (task,) = make_tasks(clips([said], {one.id: one}), {one.id: one})
    handed_in = {
        "id": 1,
        "completed_by": {"email": "ana@example.org"},
        "result": task["predictions"][0]["result"],
        "created_at": "2026-03-01T10:00:00Z",
        "lead_time": 3,
        "was_cancelled": False,
    }
    export = [{**task, "id": 7, "annotations": [handed_in], "drafts": []}]
    return Known(utterances={said.id: said}, recordings={one.id: one}), _json(export)


def _pulled(data: bytes) -> object:
    return pull_json(data, _known()[0])


# ---- manifests


def _of_release(data: bytes) -> object:
    (_folder() / MANIFEST).write_bytes(data)
    return read_manifest(_folder()).model_dump_json()


def _of_backup(data: bytes) -> object:
    return backup_manifest.read(data, "a backup").model_dump_json()


def _backup() -> bytes:
    """A manifest with the digest that it has to have: damage behind it is looked at too."""
    dumped = backup_manifest.Dumped(sha256="a" * 64, bytes=3, rows=1)
    stored = backup_manifest.Stored(sha256="b" * 64, bytes=4)
    whole = backup_manifest.Manifest(
        made="2026-01-01",
        made_with="0",
        corpus="c",
        revision="0006",
        media=True,
        tables={"verses": dumped},
        files={"media/original/a.wav": stored},
    )
    return backup_manifest.written(whole)


# ---- all of them

_LRC = b"[ti:Pena]\n[ar:Ana]\n[offset:+250]\n[00:12.00]ay <00:12.50>pena\n[00:14]\n[0:15][0:20]x\n"
_GRID = (
    b'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = 3\ntiers? <exists>\n'
    b'size = 1\nitem []:\n    item [1]:\n        class = "IntervalTier"\n        name = "words"\n'
    b"        xmin = 0\n        xmax = 3\n        intervals: size = 2\n        intervals [1]:\n"
    b'            xmin = 0\n            xmax = 1.5\n            text = "ay"\n'
    b"        intervals [2]:\n            xmin = 1.5\n            xmax = 3\n"
    b'            text = "no"\n'
)
_SHORT_GRID = (
    b'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n3\n<exists>\n1\n"IntervalTier"\n'
    b'"words"\n0\n3\n2\n0\n1.5\n"ay"\n1.5\n3\n"no"\n'
)
_SPAN = [[0, 1.5, "ay"], [1.5, 3, "no"]]
_JSON_GRID = _json(
    {"start": 0, "end": 3, "tiers": {"words": {"type": "IntervalTier", "entries": _SPAN}}}
)
_TIER = {"class": "IntervalTier", "name": "words", "xmin": 0, "xmax": 3, "entries": _SPAN}
_OTHER_GRID = _json({"xmin": 0, "xmax": 3, "tiers": [_TIER]})
_NOTES = (
    b"#TITLE:Pena\n#BPM:120,5\n#GAP:1500\n"
    b": 0 4 10 ay\n: 4 4 10  pe\n* 8 2 9 na\n- 12\nF 14 3 0 ~\nE\n"
)
_CSV = 'título;cantaor;letra;año\nPena;Ana;"ay\npena";1950\n=x;\'y;-z;@\n'.encode("latin-1")
_TABLE = b"song,author,link,year,text\nPena,Ana,https://a.example/a.mp3,1950,ay\nx,y,../a.wav,,\n"
_TOML = b'[[recording]]\nsong = "Pena"\nlink = "a.wav"\nyear = 1950\n'
_RULES = (
    b'name = "a"\nstart = ["https://a.example/"]\nencoding = "latin-1"\n'
    b"[links]\npages = ['x\\d+']\n[read]\nverses = \"//p\"\nexamples = '(a|b)'\n"
)
_LETRA = (
    "Soleá\n\nLetra: Ana\nay pena (bis)\n// mía //\n\nEstribillo:\nno\n\nEstribillo x2\n".encode()
)
_TRACK = {
    "id": 1,
    "trackName": "Pena",
    "artistName": "Ana",
    "duration": 60.5,
    "plainLyrics": "ay\npena",
    "syncedLyrics": "[00:12.00] ay\n[00:14.00] pena",
}
_FEED = {
    "feed": {
        "openSearch$totalResults": {"$t": "150"},
        "entry": [
            {
                "id": {"$t": "tag:1"},
                "title": {"$t": "Ana - Pena (soleá)"},
                "content": {"$t": "<div>ay<br>pena</div>"},
                "published": {"$t": "2010"},
                "category": [{"term": "soleá"}],
                "link": [{"rel": "alternate", "href": "https://b.example/1"}],
            }
        ],
    }
}


def _all() -> Iterable[Target]:
    yield Target(name="letra", read=_by_path("a - b.txt", _letras), seeds=(_LETRA,))
    yield Target(name="lrc", read=_by_path("a.lrc", _letras), seeds=(_LRC,))
    yield Target(name="csv", read=_by_path("a.csv", _letras), seeds=(_CSV, _TABLE))
    yield Target(
        name="json",
        read=_by_path("a.json", _letras),
        seeds=(_json([{"title": "a", "lines": ["ay", ["b"]]}, {"text": "ay\nno"}]),),
    )
    yield Target(
        name="json-lines", read=_by_path("a.jsonl", _letras), seeds=(b'{"text": "ay"}\n{}\n',)
    )
    for suffix, seeds in (("csv", (_TABLE, _CSV)), ("toml", (_TOML,))):

        def rows(path: Path) -> object:
            return list(table.find(str(path), EVERYTHING, AS_USUAL))

        yield Target(name=f"table-{suffix}", read=_by_path(f"t.{suffix}", rows), seeds=seeds)
    yield Target(name="timed-lrc", read=_songs("lrc", lrc_songs), seeds=(_LRC,))
    yield Target(
        name="textgrid",
        read=_songs("TextGrid", textgrid_songs),
        seeds=(_GRID, _SHORT_GRID, _JSON_GRID, _OTHER_GRID),
    )
    yield Target(
        name="ultrastar", read=lambda data: read_notes(data.decode("latin-1")), seeds=(_NOTES,)
    )
    yield Target(
        name="config",
        read=_by_path("corpus.toml", lambda path: read_config(path).model_dump_json()),
        seeds=(b'[corpus]\nname = "a"\npalos = ["b"]\n[align]\nmax_seconds = 30.0\n',),
    )
    yield Target(
        name="site-toml",
        read=_by_path("rules.toml", lambda path: read_rules(path).model_dump_json()),
        seeds=(_RULES,),
    )
    yield Target(
        name="train-toml",
        read=_by_path("train.toml", load_toml),
        seeds=(b'output = "a"\nepochs = 8\nlearning_rate = 1e-5\nlora = true\n',),
    )
    yield Target(name="label-studio", read=_pulled, seeds=(_known()[1],))
    yield Target(name="html", read=_pages(_site(), _WEB), seeds=(_HTML,))
    blog = Blogger(_WEB)
    yield Target(name="blogger", read=_pages(blog, next(iter(blog.start()))), seeds=(_json(_FEED),))
    wiki = Wikisource("T")
    yield Target(
        name="wikitext", read=_pages(wiki, next(iter(wiki.start()))), seeds=(_wiki(_WIKI),)
    )
    songs = Lrclib([Track(artist="Ana", title="Pena", duration=60.0)])
    yield Target(
        name="lrclib",
        read=_pages(songs, next(iter(songs.start()))),
        seeds=(_json(_TRACK), _json([_TRACK, {"trackName": "x"}])),
    )
    yield Target(name="backup-manifest", read=_of_backup, seeds=(_backup(),))
    yield Target(
        name="release-manifest",
        read=_of_release,
        seeds=(b'{"name": "r1", "made": "2026", "files": {"a": {"sha256": "b", "bytes": 1}}}',),
    )


TARGETS = {target.name: target for target in _all()}
