"""Utterances without a letra: cries, and stretches in which nobody sings.

Whisper learns of them that an ay is an ay, and to write nothing over a falseta.
"""

from __future__ import annotations

import numpy as np

from align.records import Alignment
from align.voice import voiced
from corpus.records import Kind, Tier, Utterance, Word

__all__ = ["CRY", "cries_of", "silences_of"]

CRY = "Ay"
"""What is written for a cry: what it is mostly sung on; a person may say better."""

_DOUBT = 0.5  # nobody has checked which vowel it was
_AT_LEAST = 3.0
_MARGIN = 0.5
_MOST = 2


def cries_of(
    alignment: Alignment, recording: str, max_seconds: float = 30.0
) -> tuple[Utterance, ...]:
    """Voice without words between the lines: quejíos, bronze."""
    return tuple(
        Utterance(
            recording=recording,
            start=start,
            end=min(end, start + max_seconds),
            text=CRY,
            words=(Word(text=CRY, start=start, end=min(end, start + max_seconds), score=_DOUBT),),
            kind=Kind.QUEJIO,
            score=_DOUBT,
            tier=Tier.BRONZE,
        )
        for start, end in alignment.cries
    )


def silences_of(
    alignment: Alignment, recording: str, duration: float, max_seconds: float = 30.0
) -> tuple[Utterance, ...]:
    """The two longest stretches of at least 3 s without voice, with empty text.

    The score is the chance that nobody sings in any part of it.
    """
    rate = alignment.frame_rate
    sung = [*voiced(alignment.voice, rate), *((x.start, x.end) for x in alignment.lines)]
    free, now = [], 0.0
    for start, end in [*sorted(sung), (duration, duration)]:
        if start - now - 2 * _MARGIN >= _AT_LEAST:
            free.append((now + _MARGIN, min(start - _MARGIN, now + _MARGIN + max_seconds)))
        now = max(now, end)
    longest = sorted(free, key=lambda span: span[0] - span[1])[:_MOST]
    return tuple(_silence(alignment, recording, span) for span in sorted(longest))


def _silence(alignment: Alignment, recording: str, span: tuple[float, float]) -> Utterance:
    frames = slice(*(round(time * alignment.frame_rate) for time in span))
    sung = np.convolve(alignment.voice[frames], np.full(10, 0.1), "valid").max(initial=0.0)
    score = float(np.clip(1 - sung, 0, 1))
    return Utterance(
        recording=recording,
        start=span[0],
        end=span[1],
        text="",
        kind=Kind.NOTHING,
        score=score,
        tier=Tier.SILVER if score >= 0.9 else Tier.BRONZE,
    )
