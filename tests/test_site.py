"""The documentation as it is built: links, anchors and pictures hold; Spanish goes with English."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import zip_longest
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
ENGLISH = sorted(path for path in DOCS.glob("*.md") if not path.name.endswith(".es.md"))
LOOKED_UP = (ROOT / "mkdocs.yml").read_text("utf-8").partition("  - Look it up:")[2]
"""The part of the navigation whose pages are in English alone."""

HOW_TOS = [path for path in ENGLISH if f" {path.name}\n" not in LOOKED_UP]


class Page(HTMLParser):
    """What a page has to link to, and what it links to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.without_words: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.ids |= {told[name] for name in ("id", "name") if name in told}
        if "href" in told:
            (self.links if tag == "a" else self.loaded).append(told["href"])
        if "src" in told:
            self.loaded.append(told["src"])
        if tag == "img" and not told.get("alt"):
            self.without_words.append(told.get("src", ""))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Page]:
    """Every page of the site, built strictly: a warning of mkdocs is an error."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    os.environ["NO_MKDOCS_2_WARNING"] = "true"
    logging.getLogger("mkdocs").setLevel(logging.WARNING)
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
    # What is asked for and not there has another place each time: its links begin with "/".
    return {path: Page(path) for path in folder.rglob("*.html") if path.name != "404.html"}


def _target(page: Path, address: str) -> Path | None:
    """The file that an address of a page means; None for another server."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    assert not parts.path.startswith("/"), f"{page}: {address} holds on one server only"
    found = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    return found / "index.html" if found.is_dir() else found


def test_all_links_and_anchors_hold(site: dict[Path, Page]) -> None:
    assert len(site) > 2 * len(HOW_TOS)
    broken = []
    for path, page in site.items():
        for link in page.links:
            target = _target(path, link)
            anchor = unquote(urlsplit(link).fragment)
            if target is None:
                continue
            if not target.is_file() or (anchor and anchor not in site[target].ids):
                broken.append(f"{path}: {link}")
    assert not broken


def test_pages_load_nothing_from_elsewhere_and_all_that_they_load_is_there(
    site: dict[Path, Page],
) -> None:
    for path, page in site.items():
        targets = {address: _target(path, address) for address in page.loaded}
        assert [address for address, target in targets.items() if target is None] == []
        assert [a for a, target in targets.items() if target and not target.is_file()] == []
        assert page.without_words == [], "a picture says in words what it shows"


def test_every_page_is_in_the_navigation_and_on_the_disk() -> None:
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    named = set(re.findall(r"[\w-]+\.md$", text.partition("\nnav:")[2], re.MULTILINE))
    assert named == {path.name for path in ENGLISH}


def test_the_readme_names_every_page_and_its_links_are_there() -> None:
    named = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text("utf-8"))
    assert [one for one in named if not (ROOT / one).exists()] == []
    assert {path.name for path in ENGLISH} <= {Path(one).name for one in named}


def test_every_title_of_the_navigation_is_in_spanish() -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8").replace("!!", ""))
    (i18n,) = [one["i18n"] for one in config["plugins"] if isinstance(one, dict)]
    told = {k for one in i18n["languages"] for k in one.get("nav_translations", {})}
    assert set(_titles(config["nav"])) == told


def _titles(nav: list[dict[str, object]]) -> Iterator[str]:
    for entry in nav:
        for title, below in entry.items():
            yield title
            if isinstance(below, list):
                yield from _titles(below)


def blocks(page: Path) -> list[str]:
    """The code blocks of a page, without comments, which each language has its own of."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return ["\n".join(_bare(line) for line in block.split("\n")) for _, block in found]


def _bare(line: str) -> str:
    """Without comments, and without texts of three words and more, which are for people too."""
    bare = re.sub(r"(^|\s+)(?:#|//) .*$", "", line).rstrip()
    return re.sub(r'"[^"\s]+(?: [^"\s]+){2,}"', '""', bare)


def headings(page: Path) -> list[int]:
    """The depth of each heading, in order."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [len(mark) for mark in re.findall(r"^(#+) ", text, re.MULTILINE)]


@pytest.mark.parametrize("english", HOW_TOS, ids=lambda path: path.stem)
def test_each_how_to_is_there_in_spanish_with_the_same_parts(english: Path) -> None:
    spanish = english.with_suffix(".es.md")
    assert spanish.is_file()
    assert headings(spanish) == headings(english)
    for ours, theirs in zip_longest(blocks(english), blocks(spanish)):
        assert ours == theirs
    assert _rows(spanish) == _rows(english)
    assert _pictures(spanish) == _pictures(english)


def _rows(page: Path) -> int:
    return len(re.findall(r"^\|.*\|$", page.read_text("utf-8"), re.MULTILINE))


def _pictures(page: Path) -> list[str]:
    return re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text("utf-8"))
