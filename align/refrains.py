"""Lines that come back: a refrain after the next verse, an estribillo at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from align.graph import ANYWHERE
from align.lines import moved, sung_lines
from align.listening import Listening
from align.records import AlignedLine
from align.voice import SUNG
from corpus.text import letters

__all__ = ["with_refrains"]

_LEAST = 1.5
"""Seconds of voice that nothing explains, from which they are listened to again."""

_TORN = 1.0
"""Seconds between two words of a line."""

_WORSE = 1.0
"""Nats a letter by which a line that comes back may fit worse than the others do."""

_LETTERS = 8
"""Less than so many letters are found anywhere."""


def with_refrains(
    sung: Sequence[AlignedLine], lines: Sequence[str], listening: Listening
) -> list[AlignedLine]:
    """The same in time, with what was sung again between them.

    Each stretch between two lines in which somebody sings, and each line that has a
    long gap in it, is listened to for any of the lines that are sung, in any order.
    What fits about as well as they do themselves is taken.
    """
    heard = [line for line in sung if not line.left_out]
    known = sorted({line.line for line in heard if not line.repeat})
    if not known:
        return list(sung)
    texts = [lines[k] for k in known]
    least = float(np.exp(-_usual_loss(heard) - _WORSE))
    out: list[AlignedLine] = [line for line in sung if line.left_out]
    now = 0.0
    for k, line in enumerate(heard):
        after = heard[k + 1].start if k + 1 < len(heard) else listening.duration
        out += _heard_in(now, line.start, texts, known, least, listening)
        anew = _heard_in(line.start, after, texts, known, least, listening) if _torn(line) else []
        whole = [one for one in anew if one.line == line.line and one.sung is None]
        if whole:
            out += [replace(one, repeat=one is not whole[0] or line.repeat) for one in anew]
        else:
            out.append(line)
        now = max((one.end for one in anew), default=line.end) if whole else line.end
    out += _heard_in(now, listening.duration, texts, known, least, listening)
    return sorted(out, key=lambda line: line.start)


def _torn(line: AlignedLine) -> bool:
    """Whether there is a gap inside a line in which another might have been sung."""
    gaps = (after.start - before.end for before, after in pairwise(line.words))
    return max(gaps, default=0.0) >= _TORN


def _heard_in(
    start: float,
    end: float,
    texts: Sequence[str],
    known: Sequence[int],
    least: float,
    listening: Listening,
) -> list[AlignedLine]:
    """Any of the lines, as often as they are heard from `start` to `end` s, as repeats."""
    part = listening.between(start, end)
    if end <= start or _seconds_of_voice(part) < _LEAST:
        return []
    found = sung_lines(part, texts, ANYWHERE)
    return [
        replace(moved(line, start), line=known[line.line], repeat=True)
        for line in found
        if line.score >= least and _n_letters(line) >= _LETTERS
    ]


def _usual_loss(heard: Sequence[AlignedLine]) -> float:
    """The median of what the lines fall short of the free path, nats a letter."""
    return float(np.median([-np.log(max(line.score, 1e-9)) for line in heard]))


def _seconds_of_voice(part: Listening) -> float:
    return float((part.heard.voice >= SUNG).sum() / part.frame_rate)


def _n_letters(line: AlignedLine) -> int:
    return sum(len(letters(word.text)) for word in line.words)
