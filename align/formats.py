"""Aligned lines: out of utterances, as JSON, and as subtitles show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from align.records import AlignedLine
from corpus.records import Utterance, Word, hull

__all__ = ["as_dict", "as_lines", "only_sung"]


def as_lines(utterances: Iterable[Utterance]) -> tuple[AlignedLine, ...]:
    """The lines of utterances, each with its words; without text there is no line.

    Where the words have no times the whole text is one line of the utterance's span.
    """
    found: list[AlignedLine] = []
    for utterance in utterances:
        for text, words in _lines_of(utterance):
            start, end = hull(words) if words else (utterance.start, utterance.end)
            found.append(
                AlignedLine(
                    text=text,
                    start=start,
                    end=end,
                    words=words,
                    score=utterance.score,
                    probability=utterance.score,
                    line=len(found),
                )
            )
    return tuple(found)


def _lines_of(utterance: Utterance) -> list[tuple[str, tuple[Word, ...]]]:
    texts = [line for line in utterance.text.split("\n") if line.split()]
    if not utterance.words:
        return [(" ".join(texts), ())] if texts else []
    words = iter(utterance.words)
    return [(text, tuple(islice(words, len(text.split())))) for text in texts]


def as_dict(lines: Sequence[AlignedLine]) -> dict[str, Any]:
    """What JSON holds: lines in time with text, start, end, probability and words; seconds.

    A line has "sung" where that differs from its text ("" where it was left out),
    "repeat" where it was sung again, and "doubts" where a check is broken.
    """
    return {
        "lines": [
            {
                "text": line.text,
                **_beside(line),
                "start": round(line.start, 3),
                "end": round(line.end, 3),
                "probability": round(line.probability, 3),
                "words": [
                    {
                        "text": word.text,
                        "start": round(word.start, 3),
                        "end": round(word.end, 3),
                        "score": round(word.score, 3),
                    }
                    for word in line.words
                ],
            }
            for line in lines
        ]
    }


def _beside(line: AlignedLine) -> dict[str, Any]:
    """What is to be said of a line beyond its text and times."""
    beside: dict[str, Any] = {} if line.sung is None else {"sung": line.sung}
    if line.repeat:
        beside["repeat"] = True
    if line.doubts:
        beside["doubts"] = list(line.doubts)
    return beside


def only_sung(lines: Iterable[AlignedLine]) -> tuple[AlignedLine, ...]:
    """What was sung, as subtitles show it: halves as halves, nothing that was left out."""
    return tuple(replace(line, text=line.sung or line.text) for line in lines if not line.left_out)
