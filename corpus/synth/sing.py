"""Speech made to sing: vowels held, the pitch of a melody, made into sound again with WORLD.

One piecewise-linear map from spoken to sung time moves both the spectra and the
words, so that the words' times stay exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from corpus.errors import CanteError
from corpus.media import SAMPLE_RATE
from corpus.synth.melody import Held, contour, notes_of
from corpus.synth.singers import Singer
from corpus.synth.truth import SungWord
from corpus.synth.voice import Spoken, speak
from corpus.synth.world import FRAME, Spectra, analyse, render

__all__ = ["Sung", "sing"]

# The part of a vowel that is held: its ends keep their transitions.  Of "ay" and "voy" it is the
# open vowel that is held.
_CORE, _CORE_OF_DIPHTHONG = (0.35, 0.65), (0.15, 0.4)
_LOUDNESS = 0.09  # root mean square of a sung line


@dataclass(frozen=True, slots=True, kw_only=True)
class Sung:
    """One sung line: float64 samples of shape (n_samples,), 16 kHz, and its words."""

    samples: NDArray[np.float64]
    words: tuple[SungWord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _TimeMap:
    """Knots of the piecewise-linear map between spoken and sung seconds."""

    spoken: NDArray[np.float64]
    sung: NDArray[np.float64]

    def to_sung(self, time: float) -> float:
        return float(np.interp(time, self.spoken, self.sung))

    def to_spoken(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(times, self.sung, self.spoken)


def sing(
    line: str,
    singer: Singer,
    *,
    stretch: float,
    rest: int,
    rng: np.random.Generator,
    melisma: tuple[float, float] | None = None,
) -> Sung:
    """Sing one line `stretch` times as long as it is spoken, down to the degree `rest`.

    With `melisma` one vowel in four, and the last one, is held for so many seconds
    more, from and to.  Raises CanteError as `speak` does, and when pyworld is missing.
    """
    spoken, spectra = _heard(line, singer.voice)
    time_map = _time_map(spoken, stretch, rng, melisma)
    vowels = [
        Held(start=time_map.to_sung(phone.start), end=time_map.to_sung(phone.end))
        for phone in spoken.phones
        if phone.is_vowel
    ]
    times = np.arange(0, time_map.sung[-1], FRAME)
    semitones = contour(notes_of(vowels, rest, rng), times, singer.vibrato, rng)
    pitch = singer.tonic * 2 ** (semitones / 12)
    sound = render(spectra, time_map.to_spoken(times) / FRAME, pitch, singer.breath)
    samples = sound * (_LOUDNESS / np.sqrt(np.mean(sound**2)))
    return Sung(samples=samples, words=_moved(spoken.words, time_map))


@lru_cache(maxsize=8)  # a repeated line comes soon after the line
def _heard(line: str, voice: str) -> tuple[Spoken, Spectra]:
    spoken = speak(line, voice)
    if not any(phone.is_vowel for phone in spoken.phones):
        raise CanteError(f"{line!r} has no vowel that could be sung: give a line with words")
    return spoken, analyse(spoken.samples)


def _time_map(
    spoken: Spoken,
    stretch: float,
    rng: np.random.Generator,
    melisma: tuple[float, float] | None,
) -> _TimeMap:
    """Where each vowel is held: the stressed ones longer, the last one longest."""
    vowels = [phone for phone in spoken.phones if phone.is_vowel]
    weights = rng.uniform(0.3, 1.0, len(vowels)) * [2.5 if v.stressed else 1 for v in vowels]
    weights[-1] = weights.sum() * 0.4
    duration = spoken.phones[-1].end - spoken.phones[0].start
    held = weights / weights.sum() * max(stretch - 1, 0) * duration
    if melisma is not None:
        chosen = rng.random(len(vowels)) < 0.25
        chosen[-1] = True
        held = held + chosen * rng.uniform(*melisma, len(vowels))
    holds = np.cumsum(held)
    knots, moved = [0.0], [0.0]
    for vowel, hold, before in zip(vowels, holds, [0.0, *holds], strict=False):
        length = vowel.end - vowel.start
        parts = _CORE if len(vowel.name) == 1 else _CORE_OF_DIPHTHONG
        core = [vowel.start + length * part for part in parts]
        knots += core
        moved += [core[0] + before, core[1] + hold]
    end = len(spoken.samples) / SAMPLE_RATE
    return _TimeMap(spoken=np.array([*knots, end]), sung=np.array([*moved, end + holds[-1]]))


def _moved(words: tuple[SungWord, ...], time_map: _TimeMap) -> tuple[SungWord, ...]:
    return tuple(
        SungWord(text=word.text, start=time_map.to_sung(word.start), end=time_map.to_sung(word.end))
        for word in words
    )
