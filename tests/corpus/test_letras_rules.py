"""Rules of a site that cannot be are told when they are read, with the key, not on some page."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import ConfigError
from corpus.lyrics.web.html import document, lines_of
from corpus.lyrics.web.rules import read_rules

RULES = """\
name = "a"
start = ["https://a.example/"]
encoding = "{encoding}"
[links]
pages = ["."]
[read]
verses = "{verses}"
"""


def written(folder: Path, *, encoding: str = "", verses: str = "//p") -> Path:
    path = folder / "a.toml"
    path.write_text(RULES.format(encoding=encoding, verses=verses))
    return path


@pytest.mark.parametrize("encoding", ["base64", "hex", "rot13", "undefined", "idna", "none such"])
def test_an_encoding_that_is_none(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(ConfigError, match="encoding: no encoding of that name is known"):
        read_rules(written(tmp_path, encoding=encoding))


@pytest.mark.parametrize("verses", ["//x:a", "($v)", "(foo())", "//p[", "((("])
def test_a_selector_that_cannot_be_asked(tmp_path: Path, verses: str) -> None:
    with pytest.raises(ConfigError, match=r"read\.verses: no XPath"):
        read_rules(written(tmp_path, verses=verses))


@pytest.mark.parametrize("encoding", ["utf-7", "latin-1", "cp1252", "utf-8", ""])
def test_an_encoding_that_is_one(tmp_path: Path, encoding: str) -> None:
    rules = read_rules(written(tmp_path, encoding=encoding, verses="//p//text()"))
    assert rules.read.verses == "//p//text()"
    shown = document(b"<p>ay +2AA- pena</p>", encoding)
    assert shown is not None
    (line,) = lines_of(shown.root)
    line.text.encode("utf-8")
