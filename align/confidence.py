"""How likely it is that a line is right: sung, and every word within half a second.

The mean probability of a path says little of that (r = 0.36 on songs timed by
people), so several kinds of evidence are weighed by a logistic regression that was
fitted on songs that the head had not been trained on (bench/confidence.py).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from align.checks import doubts, voice_share
from align.graph import AS_SUNG, observe
from align.listening import Listening
from align.records import AlignedLine
from corpus.errors import ModelError
from corpus.records import Segment
from corpus.spelling import fold_sound
from corpus.text import letters

__all__ = [
    "EVIDENCE",
    "SHIPPED_JUDGE",
    "Judge",
    "Judges",
    "evidence",
    "judged",
    "load_judges",
]

EVIDENCE = (
    "loss",  # what the path falls short of the free one, nats a letter
    "margin",  # what it gains on other words being sung there, nats a letter
    "greedy",  # likeness of the letters heard freely, 0..1
    "voice",  # share of the time in which somebody sings
    "weakest",  # mean log-probability of the letters of its worst word
    "pace",  # how far its seconds a letter are from those of the recording, log
    "shortest",  # seconds a letter of its fastest word
    "others",  # the median loss of the other lines
    "letters",  # how many, log
    "draft",  # likeness of what a free transcript has there, 0..1; 0.5 where there is none
    "left out",  # 1 where the path left the line out
    "repeat",  # 1 where it was sung again
)

SHIPPED_JUDGE = Path(__file__).parent / "heads" / "whisper-base" / "judge.json"
"""Fitted for the head that is shipped; other models are judged by it too."""

_DOUBTED = 0.3
"""The most that a line is worth that breaks a check."""

_AROUND = 1.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A logistic regression: weights of the evidence, each less its mean by its scale."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float

    def probability(self, found: Sequence[float]) -> float:
        """The chance that a line with such evidence is right, 0..1."""
        told = sum(
            weight * (value - mean) / scale
            for value, mean, scale, weight in zip(
                found, self.mean, self.scale, self.weights, strict=True
            )
        )
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, told + self.bias))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judges:
    """One for recordings without a draft, one for those that have one, one for what comes back.

    What comes back was found by its sound: that it sounds right says less of it.
    """

    alone: Judge
    drafted: Judge
    again: Judge


@lru_cache(maxsize=8)
def load_judges(path: Path) -> Judges:
    """The judges in a JSON file; ModelError when it is missing or was made for other evidence."""
    try:
        found = json.loads(path.read_text("utf-8"))
        judges = Judges(**{name: _judge(found[name]) for name in ("alone", "drafted", "again")})
        known = tuple(found["evidence"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} holds no weights for judging: fetch it again") from error
    if known != EVIDENCE:
        raise ModelError(f"{path} was made for other evidence: update cante-corpus")
    return judges


def _judge(found: Mapping[str, Any]) -> Judge:
    values = {name: tuple(found[name]) for name in ("mean", "scale", "weights")}
    return Judge(**values, bias=float(found["bias"]))


def judged(
    lines: Sequence[AlignedLine],
    listening: Listening,
    judges: Judges,
    draft: Sequence[Segment] = (),
) -> tuple[AlignedLine, ...]:
    """The lines with their probabilities, and the checks that they break."""
    voice, rate = listening.heard.voice, listening.frame_rate
    first = judges.drafted if draft else judges.alone
    out = []
    for line, found in zip(lines, evidence(lines, listening, draft), strict=True):
        against = doubts(line, voice, rate)
        chance = (judges.again if line.repeat else first).probability(found)
        chance = min(chance, _DOUBTED) if against else chance
        out.append(replace(line, probability=chance, doubts=against))
    return tuple(out)


def evidence(
    lines: Sequence[AlignedLine], listening: Listening, draft: Sequence[Segment] = ()
) -> NDArray[np.float64]:
    """What speaks for each line, shape (n_lines, len(EVIDENCE)), in the order of `EVIDENCE`."""
    losses = np.array([_loss(line) for line in lines])
    paces = np.array([_pace(line.start, line.end, _count(line)) for line in lines])
    sung = np.array([not line.left_out for line in lines])
    usual = float(np.median(paces[sung])) if sung.any() else 0.1
    rest_losses = _rest_losses(listening)
    rows = []
    for k, line in enumerate(lines):
        others = np.delete(losses, k)[np.delete(sung, k)]
        n_letters = _count(line)
        frames = _frames(line, listening)
        other = float(rest_losses[frames.stop] - rest_losses[frames.start]) / n_letters
        rows.append(
            (
                losses[k],
                np.clip(other - losses[k], -4, 4),
                fuzz.ratio(_spelled(line), _heard_freely(line, listening)) / 100,
                voice_share(line, listening.heard.voice, listening.frame_rate),
                max(-8.0, min((math.log(max(w.score, 1e-9)) for w in line.words), default=-8.0)),
                abs(math.log(max(paces[k], 1e-3) / max(usual, 1e-3))),
                min(0.2, min(_paces(line), default=0.0)),
                float(np.median(others)) if len(others) else losses[k],
                math.log(n_letters),
                _drafted(line, draft),
                float(line.left_out),
                float(line.repeat),
            )
        )
    return np.array(rows, dtype=np.float64).reshape(-1, len(EVIDENCE))


def _loss(line: AlignedLine) -> float:
    return min(8.0, -math.log(max(line.score, 1e-9)))


def _spelled(line: AlignedLine) -> str:
    return "".join(letters(word.text) for word in line.words)


def _count(line: AlignedLine) -> int:
    return max(1, len(_spelled(line)))


def _pace(start: float, end: float, n_letters: int) -> float:
    return (end - start) / n_letters


def _paces(line: AlignedLine) -> list[float]:
    counts = [(word, len(letters(word.text))) for word in line.words]
    return [_pace(word.start, word.end, n) for word, n in counts if n]


def _frames(line: AlignedLine, listening: Listening) -> slice:
    rate, n_frames = listening.frame_rate, len(listening.heard.voice)
    first = min(n_frames, round(line.start * rate))
    return slice(first, max(first, min(n_frames, round(line.end * rate))))


def _rest_losses(listening: Listening) -> NDArray[np.float64]:
    """The running sum, shape (n_frames + 1,), of what other words fall short of the free path."""
    heard, labels = listening.heard, listening.labels
    rest = observe(heard.letters, heard.voice, labels, AS_SUNG)[:, len(labels)]
    less = heard.letters.max(axis=1) - rest
    return np.concatenate([[0.0], np.cumsum(less, dtype=np.float64)])


def _heard_freely(line: AlignedLine, listening: Listening) -> str:
    """The best label of each frame, without blanks and repetitions (greedy CTC)."""
    best = listening.heard.letters[_frames(line, listening)].argmax(axis=1)
    changed = best[np.flatnonzero(np.diff(best, prepend=0))]
    return "".join(listening.labels[k] for k in changed)


def _drafted(line: AlignedLine, draft: Sequence[Segment]) -> float:
    """How much of a line a free transcript has around its time."""
    if not draft:
        return 0.5
    first, last = line.start - _AROUND, line.end + _AROUND
    near = " ".join(one.text for one in draft if one.start < last and one.end > first)
    return fuzz.partial_ratio(fold_sound(line.text), fold_sound(near)) / 100 if near else 0.0
