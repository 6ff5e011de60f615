"""The rows of a split by recording, for formats that have a file for each: text and no sound."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

from corpus.errors import PublishError
from corpus.publish.formats.base import METADATA, Part, Row, checked_name, rest_of, write_line
from corpus.records import Word
from corpus.timed_text import Line

__all__ = ["end_of", "lines_of", "write_each"]


def write_each(
    part: Part, folder: Path, suffix: str, render: Callable[[Sequence[Row]], str]
) -> None:
    """Write <split>/<recording><suffix> for each recording, and what rows say to metadata.jsonl."""
    below = folder / part.split
    below.mkdir()
    with (below / METADATA).open("w", encoding="utf-8") as file:
        together = groupby(part.rows, key=lambda row: checked_name(row, "recording"))
        for recording, rows in together:
            mine = list(rows)
            target = below / f"{recording}{suffix}"
            if target.exists():
                raise PublishError(
                    f"the rows of {recording[:12]} do not lie together: make the release anew"
                )
            target.write_text(render(mine), "utf-8")
            for row in mine:
                write_line(file, file_name=target.name, **rest_of(row))


def lines_of(rows: Sequence[Row]) -> list[Line]:
    """The utterances that have a text, each a line, in time; seconds in the recording."""
    return [
        Line(text=row["text"], start=row["start"], end=row["end"], words=_words(row))
        for row in sorted(rows, key=lambda row: (row["start"], row["end"]))
        if row["text"]
    ]


def _words(row: Row) -> tuple[Word, ...]:
    """Words in the recording; rounded, since a sum may miss a beginning by a hair."""
    at = row["start"]
    return tuple(
        Word(
            text=word["text"],
            start=round(at + word["start"], 6),
            end=round(at + max(word["start"], word["end"]), 6),
            score=word["score"],
        )
        for word in row["words"] or ()
    )


def end_of(rows: Sequence[Row]) -> float:
    """Where the last utterance ends, to the next millisecond: no release says how the rest goes."""
    last: float = max(row["end"] for row in rows)
    return math.ceil(last * 1000) / 1000
