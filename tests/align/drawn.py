"""A recording and utterances to draw: every kind, doubt, words with and without times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from corpus.records import Kind, Recording, Tier, Utterance, Word

NASTY = "</script><b onclick=\"alert(1)\">$a_1$ & 'ole' 💃"


def recording(duration: float = 50.0, title: str = "Si la mar") -> Recording:
    return Recording(
        id="ab" * 32, source="/x.mp3", duration=duration, title=title, artist="La Niña"
    )


def sung(start: float, *lines: str, score: float = 0.9) -> Utterance:
    """Every word half a second long."""
    texts = [word for line in lines for word in line.split()]
    words = tuple(
        Word(text=text, start=start + k / 2, end=start + k / 2 + 0.45)
        for k, text in enumerate(texts)
    )
    return Utterance(
        recording="ab" * 32,
        start=max(0.0, start - 0.1),
        end=words[-1].end + 0.1,
        text="\n".join(lines),
        words=words,
        score=score,
        tier=Tier.SILVER if score > 0.5 else Tier.BRONZE,
        verse="c0ffee" * 5,
    )


def untimed(start: float, end: float, text: str, kind: Kind) -> Utterance:
    return Utterance(recording="ab" * 32, start=start, end=end, text=text, kind=kind, score=0.4)


UTTERANCES = (
    untimed(1, 3, "Ay", Kind.QUEJIO),
    sung(5, "si la mar fuera", "de tinta"),
    sung(28, "y el cielo de papel", "doble", score=0.2),  # over the end of a row
    untimed(35, 36, NASTY, Kind.JALEO),
    untimed(40, 48, "", Kind.NOTHING),
)


def level(duration: float = 50.0) -> NDArray[np.float32]:
    """As loud as it was told, with digital silence in the middle."""
    made = np.full(int(duration * 10), -20, np.float32)
    made[len(made) // 2] = -np.inf
    return made


def voice(duration: float = 50.0) -> NDArray[np.float32]:
    return np.linspace(0, 1, int(duration * 50), dtype=np.float32)
