"""Spoken lines: what espeak-ng says, and when each word and phoneme of it sounds.

Its events were checked against the wave: a word event stands where the word
before it ends, a phoneme event where the phoneme begins to sound (for p, t, k
at the burst, after the closure).
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.errors import CanteError
from corpus.media import SAMPLE_RATE
from corpus.synth.espeak import PHONEME, Event, synthesise
from corpus.synth.truth import SungWord

__all__ = ["Phone", "Spoken", "speak"]

_STRESS = "',%="


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """One phoneme by espeak-ng's mnemonic, its word's place in the line, and its times; seconds."""

    name: str
    stressed: bool
    position: int
    start: float
    end: float

    @property
    def is_vowel(self) -> bool:
        """Whether a singer can hold it; glides (j, w) cannot be held."""
        return self.name[:1] in {"a", "e", "i", "o", "u", "E", "O"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One spoken line: float64 samples of shape (n_samples,), 16 kHz, with words and phonemes."""

    samples: NDArray[np.float64]
    words: tuple[SungWord, ...]
    phones: tuple[Phone, ...]


def speak(line: str, voice: str, words_per_minute: int = 130) -> Spoken:
    """Say one line with a voice such as "es+m3"; the same call gives the same samples.

    Raises CanteError when espeak-ng is missing, has no such voice, or reads a
    word of the line as one with its neighbour, so that its times are not known.
    """
    wave, rate, events = synthesise(line, voice, words_per_minute)
    phones = _phones(events)
    samples = _resample(wave / 32768, rate)
    return Spoken(samples=samples, words=_words(line, phones), phones=phones)


def _resample(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """The samples at 16 kHz, by leaving out what lies above 8 kHz of their spectrum."""
    n_samples = len(samples) * SAMPLE_RATE // rate
    # One second of 22,050 samples becomes one of 16,000: whole seconds keep the ratio exact.
    n_seconds = len(samples) // rate + 1
    spectrum = np.fft.rfft(samples, n_seconds * rate)[: n_seconds * SAMPLE_RATE // 2 + 1]
    whole: NDArray[np.float64] = np.fft.irfft(spectrum, n_seconds * SAMPLE_RATE)
    return whole[:n_samples] * (SAMPLE_RATE / rate)


def _phones(events: list[Event]) -> tuple[Phone, ...]:
    """The phonemes; each ends where the next one, a pause or the next word begins."""
    return tuple(
        Phone(
            name=event.name.lstrip(_STRESS),
            stressed=event.name.startswith("'"),
            position=event.position,
            start=event.start,
            end=following.start,
        )
        for event, following in itertools.pairwise(events)
        if event.type == PHONEME and not event.name.startswith("_")
    )


def _words(line: str, phones: tuple[Phone, ...]) -> tuple[SungWord, ...]:
    """The written words, each from the start of its first phoneme to the end of its last."""
    found = []
    for word in re.finditer(r"\S+", line):
        own = [phone for phone in phones if word.start() <= phone.position < word.end()]
        if not own:
            raise CanteError(
                f"no times for {word[0]!r} in {line!r}: espeak-ng does not say it alone"
            )
        found.append(SungWord(text=word[0], start=own[0].start, end=own[-1].end))
    return tuple(found)
