"""Known lines on what was heard: those sung, those sung again, and those left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from align.echoes import with_echoes
from align.graph import AS_SUNG, AS_WRITTEN, Prices
from align.lines import moved, sung_lines
from align.listening import Listening
from align.records import AlignedLine, Alignment
from align.refrains import with_refrains
from align.voice import cries, until_silent
from corpus.records import Word
from corpus.text import letters

__all__ = ["place"]

_LEAST_GAP = 0.3
"""Seconds in which a line that was left out is looked for all the same."""


_LINE_END_LATE = 0.3
"""Seconds, half the gap to the next line at most."""


def place(listening: Listening, lines: Sequence[str], prices: Prices = AS_SUNG) -> Alignment:
    """The lines on what was heard, in time.

    One path runs through all lines in order; then what nothing explains is listened
    to again for lines that come back.  Raises AlignmentError when the text has no
    letters or the audio is too short for it.
    """
    found = sung_lines(listening, lines, prices)
    # A line of which only a half was found is sung all the same: it is placed whole.
    halves = {line.line for line in found if line.sung and not line.repeat}
    whole = [line for line in found if line.repeat or not line.sung]
    sung = _with_missing(whole, lines, halves, listening)
    if prices.again < AS_WRITTEN.again:
        sung = with_refrains(with_echoes(sung, listening), lines, listening)
    ends = _held(sung, listening)
    heard = [(line.start, line.end) for line in ends if not line.left_out]
    return Alignment(
        lines=tuple(ends),
        voice=listening.heard.voice,
        frame_rate=listening.frame_rate,
        cries=cries(listening.heard, listening.labels, listening.frame_rate, heard),
    )


def _with_missing(
    sung: Sequence[AlignedLine], lines: Sequence[str], halves: set[int], listening: Listening
) -> list[AlignedLine]:
    """The same in time, and between them, where they fit best, the lines that are not there.

    Those of `halves` are sung, the others were left out.
    """
    missing = sorted(set(range(len(lines))) - {line.line for line in sung if not line.repeat})
    groups: list[list[int]] = []
    for k in missing:
        if groups and groups[-1][-1] == k - 1:
            groups[-1].append(k)
        else:
            groups.append([k])
    found: list[AlignedLine] = list(sung)
    for group in groups:
        at = next((i for i, x in enumerate(found) if x.line > group[-1] and not x.repeat), None)
        place_at = len(found) if at is None else at
        start = found[place_at - 1].end if place_at else 0.0
        end = found[place_at].start if place_at < len(found) else listening.duration
        guessed = _guessed([lines[k] for k in group], start, max(start, end), listening)
        found[place_at:place_at] = [
            replace(line, line=k, sung=None if k in halves and line.score else "")
            for k, line in zip(group, guessed, strict=True)
        ]
    return found


def _guessed(
    texts: Sequence[str], start: float, end: float, listening: Listening
) -> list[AlignedLine]:
    """Lines forced into the gap where they belong."""
    part = listening.between(start, end)
    fits = end - start >= _LEAST_GAP and any(letters(text) for text in texts)
    if fits:
        fits = part.graph(texts).n_frames_needed <= len(part.heard.letters)
    placed: dict[int, AlignedLine] = {}
    if fits:
        found = sung_lines(part, texts, AS_WRITTEN)
        placed = {line.line: moved(line, start) for line in found}
    out, now = [], start
    for i, text in enumerate(texts):
        line = placed.get(i) or _nowhere(text, now)
        now = line.end
        out.append(line)
    return out


def _nowhere(text: str, at: float) -> AlignedLine:
    """A line for which there is no room."""
    words = tuple(Word(text=word, start=at, end=at, score=0.0) for word in text.split())
    return AlignedLine(text=text, start=at, end=at, words=words, score=0.0)


def _held(lines: Sequence[AlignedLine], listening: Listening) -> list[AlignedLine]:
    """Each word held as long as the voice goes on, but never into the next.

    The last one of a line is held a little in any case: letters end before vowels do.
    """
    voice, rate = listening.heard.voice, listening.frame_rate
    out = []
    for k, line in enumerate(lines):
        # What was left out and found no room stands in nobody's way.
        after = (other.start for other in lines[k + 1 :] if not other.left_out or other.score)
        limit = next(after, listening.duration)
        words = list(line.words)
        for i, word in enumerate(words):
            until = words[i + 1].start if i + 1 < len(words) else max(word.end, limit)
            if word.start < word.end < until:
                end = until_silent(voice, rate, word.end, until)
                if i + 1 == len(words):
                    end = max(end, min(word.end + _LINE_END_LATE, (word.end + until) / 2))
                words[i] = replace(word, end=end)
        out.append(replace(line, words=tuple(words), end=words[-1].end))
    return out
