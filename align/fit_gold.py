"""What people checked in a corpus, as audio to train a head on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, islice, pairwise

import numpy as np

from align.fit_data import Lines, TimedAudio, sung_spans
from corpus.media import SAMPLE_RATE, Media
from corpus.records import Kind, Tier, Utterance, Word
from corpus.text import letters

__all__ = ["gold", "neighbours"]

_NEAR = 1.0  # seconds between two utterances: more of them nobody has listened to
_LEAST = 1.0  # seconds of audio from which there is something to learn


def neighbours(utterances: Sequence[Utterance]) -> list[tuple[Utterance, ...]]:
    """Gold utterances that follow each other in a recording, in time, as runs.

    What nobody has checked parts two runs, for words may be sung there.
    """
    runs: list[list[Utterance]] = []
    for _, found in groupby(sorted(utterances, key=_place), key=lambda u: u.recording):
        before: Utterance | None = None
        for utterance in found:
            if not _can_teach(utterance):
                before = None
                continue
            if before is None or utterance.start - before.end > _NEAR:
                runs.append([])
            runs[-1].append(utterance)
            before = utterance
    return [tuple(run) for run in runs if run[-1].end - run[0].start >= _LEAST]


def _place(utterance: Utterance) -> tuple[str, float]:
    return utterance.recording, utterance.start


def _can_teach(utterance: Utterance) -> bool:
    """Whether a person said what is sung, and all of it is words or nothing."""
    if utterance.tier is not Tier.GOLD:
        return False
    if not utterance.kind.sung:
        return not utterance.text
    return utterance.kind is not Kind.JALEO and bool(letters(utterance.text))


def gold(runs: Sequence[Sequence[Utterance]], media: Media, language: str) -> Iterator[TimedAudio]:
    """The audio of each run with its words; raises MediaError when it is missing."""
    for run in runs:
        begin, end = run[0].start, max(utterance.end for utterance in run)
        first = round(begin * SAMPLE_RATE)
        samples = media.samples(run[0].recording).read(first, round(end * SAMPLE_RATE) - first)
        lines = tuple(line for one in run for line in _lines(one, begin))
        untimed = [(u.start, u.end) for u in run if u.text and not u.words]
        between = [(a.end, b.start) for a, b in pairwise(run) if a.end < b.start]
        yield TimedAudio(
            name=f"{run[0].recording[:12]} {begin:.1f}",
            samples=np.asarray(samples, np.float32),
            lines=lines,
            voice=sung_spans(lines),
            tolerance=0.15,
            weight=1.0 if lines else 0.3,  # as music in which nobody sings
            language=language,
            unsure=tuple((s - begin, e - begin) for s, e in sorted(untimed + between)),
        )


def _lines(utterance: Utterance, begin: float) -> Lines:
    """Its lines in seconds from `begin`; where words have no times, one word of its span."""
    if not letters(utterance.text):
        return ()
    if not utterance.words:
        whole = Word(text=utterance.text, start=utterance.start - begin, end=utterance.end - begin)
        return ((whole,),)
    words = (
        Word(text=w.text, start=max(0.0, w.start - begin), end=max(0.0, w.end - begin))
        for w in utterance.words
    )
    texts = [line.split() for line in utterance.text.split("\n")]
    return tuple(tuple(islice(words, len(text))) for text in texts if text)
