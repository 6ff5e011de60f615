"""Lines in time: what the best path through a graph says of each singing of a line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from align.graph import Prices
from align.listening import Listening
from align.records import AlignedLine
from align.singing import Singing, singings
from align.viterbi import best_path
from corpus.records import Word
from corpus.text import letters

__all__ = ["moved", "sung_lines"]

ONSET_LATE = 0.04
"""A word's first letter is heard two frames early (measured on songs timed by people)."""


def sung_lines(listening: Listening, lines: Sequence[str], prices: Prices) -> list[AlignedLine]:
    """Every singing of a line that the best path goes through, in time.

    Of several the longest, or the first of these, is the line itself, the others
    repeat it.  A word's score is the exponential of the mean log-probability of its
    letters' frames.  A line's score is that of the path less the best label of each
    frame, per letter, between its first and last letter: near 1 where the line is
    what the model would have heard by itself.
    """
    entries = _entries(_sung(listening, lines, prices), lines)
    return [_line(entry, listening) for entry in entries]


def _sung(listening: Listening, lines: Sequence[str], prices: Prices) -> list[Singing]:
    """What the best path says was sung."""
    graph, heard = listening.graph(lines, prices), listening.heard
    path = best_path(heard.letters, graph, listening.frame_rate, heard.voice)
    line_of = [k for k, line in enumerate(lines) for _ in line.split()]
    return singings(path, graph, line_of, heard.letters, heard.voice)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One singing, the line as given, the words that were sung of it (from, to), and which time."""

    singing: Singing
    text: str
    first: int
    part: tuple[int, int]
    repeat: bool

    @property
    def is_half(self) -> bool:
        return self.part[1] - self.part[0] < len(self.text.split())


def _entries(found: Sequence[Singing], lines: Sequence[str]) -> list[_Entry]:
    """Singings with the words without letters that belong to them; repeats are known as such."""
    firsts = [0]
    for line in lines:
        firsts.append(firsts[-1] + len(line.split()))
    parts = [_part(one, lines[one.line].split(), firsts[one.line]) for one in found]
    mains: dict[int, int] = {}
    for k, (one, part) in enumerate(zip(found, parts, strict=True)):
        whole = part[1] - part[0]
        before = mains.get(one.line)
        if before is None or whole > parts[before][1] - parts[before][0]:
            mains[one.line] = k
    return [
        _Entry(
            singing=one,
            text=lines[one.line],
            first=firsts[one.line],
            part=part,
            repeat=mains[one.line] != k,
        )
        for k, (one, part) in enumerate(zip(found, parts, strict=True))
    ]


def _part(one: Singing, words: Sequence[str], first: int) -> tuple[int, int]:
    """From which to which word of its line was sung; signs at its ends go with it."""
    begin, end = one.spans[0].word - first, one.spans[-1].word - first + 1
    while begin > 0 and not letters(words[begin - 1]):
        begin -= 1
    while end < len(words) and not letters(words[end]):
        end += 1
    return begin, end


def _line(entry: _Entry, listening: Listening) -> AlignedLine:
    """The words of one singing in seconds, each as long as its letters are heard."""
    rate, duration = listening.frame_rate, listening.duration
    words = entry.text.split()[slice(*entry.part)]
    known: dict[int, Word] = {}
    for span in entry.singing.spans:
        k = span.word - entry.first - entry.part[0]
        start = min(span.first / rate + ONSET_LATE, duration)
        end = max(start, min((span.last + 1) / rate, duration))
        known[k] = Word(text=words[k], start=start, end=end, score=span.score)
    timed = tuple(_timed(k, text, known) for k, text in enumerate(words))
    return AlignedLine(
        text=entry.text,
        start=timed[0].start,
        end=timed[-1].end,
        words=timed,
        score=min(1.0, math.exp(-entry.singing.loss / entry.singing.n_letters)),
        line=entry.singing.line,
        sung=" ".join(words) if entry.is_half else None,
        repeat=entry.repeat,
    )


def _timed(k: int, text: str, known: dict[int, Word]) -> Word:
    """A word's time; one without letters shares the time between its neighbours.

    At the edge of a line it has no length, and stands with the word beside it.
    """
    if k in known:
        return known[k]
    before = max((i for i in known if i < k), default=None)
    after = min((i for i in known if i > k), default=None)
    if before is None or after is None:
        near = known[after if before is None else before]  # type: ignore[index]  # one is known
        edge = near.start if before is None else near.end
        return replace(near, text=text, start=edge, end=edge)
    step = max(0.0, known[after].start - known[before].end) / (after - before - 1)
    start = known[before].end + step * (k - before - 1)
    return replace(known[before], text=text, start=start, end=start + step)


def moved(line: AlignedLine, by: float) -> AlignedLine:
    """The line `by` s later."""
    words = tuple(replace(word, start=word.start + by, end=word.end + by) for word in line.words)
    return replace(line, start=line.start + by, end=line.end + by, words=words)
