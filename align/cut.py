"""Cutting aligned lines into utterances: short enough for Whisper, never through a word.

Pure: records in, records out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from align.records import AlignedLine
from align.vocalise import is_vocalise
from corpus.records import Kind, Tier, Utterance, Word
from corpus.text import letters

__all__ = ["SILVER", "cut"]

SILVER = 0.9
"""The probability of being right from which an utterance is silver; gold is what a person says."""

_LEAST = 1.0
"""Whisper knows little to do with less than a second."""

_MAX_BYTES = 440
"""Whisper writes at most 448 tokens, of which a byte never makes more than one."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A line, or part of one that is too long; `line` is which one it is of.

    `score` is the probability that it is right.
    """

    line: int
    words: tuple[Word, ...]
    score: float

    @property
    def start(self) -> float:
        return self.words[0].start

    @property
    def end(self) -> float:
        return max(word.end for word in self.words)

    @property
    def n_bytes(self) -> int:
        return sum(len(word.text.encode()) + 1 for word in self.words)

    @property
    def is_cry(self) -> bool:
        return all(is_vocalise(word.text) for word in self.words if letters(word.text))


def cut(
    lines: Sequence[AlignedLine],
    recording: str,
    *,
    within: tuple[float, float],
    verse: str = "",
    max_seconds: float = 30.0,
    max_pause: float = 2.5,
    pad: float = 0.2,
    silver: float = SILVER,
) -> tuple[Utterance, ...]:
    """Utterances of at most `max_seconds` of the aligned lines of one verse, in order.

    They are cut between lines where the next one does not fit or comes after
    more than `max_pause` s, and inside a line only when it alone is too long (in
    seconds, or for Whisper's labels), at its longest pause.  Lines of nothing but
    ay stand alone, as quejíos.  `within` is what may be reached by the padding of up to
    `pad` s: from the end of what is sung before to the start of what is sung
    after, or the ends of the audio; what is shorter than a second takes more of
    it.  A single word that is longer than `max_seconds`, such as an ay held for
    half a minute, is kept and its span clipped.  The score is the least probability
    of its lines, the tier silver from `silver` on, else bronze.
    """
    pieces = [
        piece
        for k, line in enumerate(lines)
        for piece in _pieces(_Piece(k, line.words, line.probability), max_seconds)
    ]
    groups = _groups(pieces, max_seconds, max_pause)
    spans = _spans(groups, within, max_seconds, pad)
    return tuple(
        _utterance(group, span, recording, verse, silver)
        for group, span in zip(groups, spans, strict=True)
    )


def _pieces(piece: _Piece, max_seconds: float) -> Iterable[_Piece]:
    """The piece, or its parts, halved at the longest pause until each fits."""
    words = piece.words
    fits = piece.end - piece.start <= max_seconds and piece.n_bytes <= _MAX_BYTES
    if len(words) < 2 or fits:
        return [piece]
    pauses = [after.start - word.end for word, after in pairwise(words)]
    at = pauses.index(max(pauses)) + 1
    first, second = replace(piece, words=words[:at]), replace(piece, words=words[at:])
    return [*_pieces(first, max_seconds), *_pieces(second, max_seconds)]


def _groups(pieces: Sequence[_Piece], max_seconds: float, max_pause: float) -> list[list[_Piece]]:
    """Pieces that follow each other, as many together as fit."""
    groups: list[list[_Piece]] = []
    for piece in pieces:
        fits = False
        if groups:
            end = max(before.end for before in groups[-1])
            fits = max(end, piece.end) - groups[-1][0].start <= max_seconds
            fits = fits and piece.start - end <= max_pause
            fits = fits and sum(p.n_bytes for p in (*groups[-1], piece)) <= _MAX_BYTES
            fits = fits and piece.is_cry == groups[-1][0].is_cry
        if fits:
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return groups


def _spans(
    groups: Sequence[Sequence[_Piece]], within: tuple[float, float], max_seconds: float, pad: float
) -> list[tuple[float, float]]:
    """Start and end of each group with its padding, none of which overlap."""
    starts = [group[0].start for group in groups]
    ends = [max(piece.end for piece in group) for group in groups]
    # Where a word runs into the next group, it ends there.
    ends[:-1] = [min(end, after) for end, after in zip(ends, starts[1:], strict=False)]
    ends = [min(end, start + max_seconds) for start, end in zip(starts, ends, strict=True)]
    room_before = [start - end for start, end in zip(starts, [within[0], *ends], strict=False)]
    room_after = [start - end for start, end in zip([*starts[1:], within[1]], ends, strict=False)]
    spans = []
    for k, (start, end) in enumerate(zip(starts, ends, strict=True)):
        room = max(0.0, (max_seconds - (end - start)) / 2)
        # Two neighbours share the gap between them; the outer ends have it to themselves.
        before = room_before[k] / (2 if k else 1)
        after = room_after[k] / (2 if k < len(groups) - 1 else 1)
        wanted = max(pad, (_LEAST - (end - start)) / 2)
        first = start - max(0.0, min(wanted, room, before))
        spans.append((first, end + max(0.0, min(wanted, room, after))))
    return spans


def _utterance(
    group: Sequence[_Piece],
    span: tuple[float, float],
    recording: str,
    verse: str,
    silver: float,
) -> Utterance:
    start, end = span
    words = tuple(
        replace(word, start=min(word.start, end), end=min(word.end, end))
        for piece in group
        for word in piece.words
    )
    score = min(piece.score for piece in group)
    return Utterance(
        recording=recording,
        start=start,
        end=end,
        text=_text(group),
        words=words,
        verse=verse,
        kind=Kind.QUEJIO if group[0].is_cry else Kind.LETRA,
        score=score,
        tier=Tier.SILVER if score >= silver else Tier.BRONZE,
    )


def _text(group: Sequence[_Piece]) -> str:
    """Lines one below the other; parts of one line that came together again stay one line."""
    text = ""
    for before, piece in zip([None, *group], group, strict=False):
        if before is not None:
            text += " " if before.line == piece.line else "\n"
        text += " ".join(word.text for word in piece.words)
    return text
