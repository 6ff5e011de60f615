"""JSON: an object, or a list of them.  JSON lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from corpus.errors import LyricsError
from corpus.lyrics.base import Flaw, Letra, read_text
from corpus.lyrics.fields import letra_of

__all__ = ["source"]


class JsonFile:
    """Objects with `lines` or `text`, and what metadata they have."""

    suffixes = frozenset({".json", ".jsonl", ".ndjson"})

    def read(self, path: Path) -> Iterable[Letra | Flaw]:
        """The letras; raises LyricsError when the file is no JSON."""
        text = read_text(path)
        if path.suffix.lower() == ".json":
            return _whole(text)
        lines = enumerate(text.split("\n"), start=1)
        return [_line(number, line) for number, line in lines if line.strip()]


def _whole(text: str) -> Iterable[Letra | Flaw]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LyricsError(f"no JSON: {error}") from error
    values = value if isinstance(value, list) else [value]
    return [_letra(number, one) for number, one in enumerate(values, start=1)]


def _line(number: int, line: str) -> Letra | Flaw:
    try:
        return _letra(number, json.loads(line))
    except (ValueError, RecursionError) as error:
        return Flaw(part=str(number), reason=f"no JSON: {error}")


def _letra(number: int, value: object) -> Letra | Flaw:
    if not isinstance(value, dict):
        return Flaw(part=str(number), reason="an object with 'lines' or 'text' is looked for")
    return letra_of(str(number), value)


source = JsonFile()
