"""Speech made to sing: vowels held, the pitch of a melody, made into sound again with WORLD.

WORLD: Morise, Yokomori and Ozawa, WORLD: a vocoder-based high-quality speech
synthesis system for real-time applications, IEICE Trans. E99-D (2016).  One
piecewise-linear map from spoken to sung time moves both the spectra and the
words, so that the words' times stay exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.errors import CanteError
from corpus.media import SAMPLE_RATE
from corpus.synth.espeak import NEEDS
from corpus.synth.melody import Held, contour, notes_of
from corpus.synth.singers import Singer
from corpus.synth.truth import SungWord
from corpus.synth.voice import Spoken, speak

__all__ = ["Sung", "sing"]

_FRAME = 0.005  # seconds from one spectrum to the next
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
class _Spectra:
    """WORLD's view of a spoken line: (n_frames,), (n_frames, n_bins), (n_frames, n_bins)."""

    pitch: NDArray[np.float64]
    log_envelope: NDArray[np.float64]
    noise: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _TimeMap:
    """Knots of the piecewise-linear map between spoken and sung seconds."""

    spoken: NDArray[np.float64]
    sung: NDArray[np.float64]

    def to_sung(self, time: float) -> float:
        return float(np.interp(time, self.spoken, self.sung))

    def to_spoken(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(times, self.sung, self.spoken)


def sing(line: str, singer: Singer, *, stretch: float, rest: int, rng: np.random.Generator) -> Sung:
    """Sing one line `stretch` times as long as it is spoken, down to the degree `rest`.

    Raises CanteError as `speak` does, and when pyworld is missing.
    """
    spoken, spectra = _heard(line, singer.voice)
    time_map = _time_map(spoken, stretch, rng)
    vowels = [
        Held(start=time_map.to_sung(phone.start), end=time_map.to_sung(phone.end))
        for phone in spoken.phones
        if phone.is_vowel
    ]
    times = np.arange(0, time_map.sung[-1], _FRAME)
    semitones = contour(notes_of(vowels, rest, rng), times, singer.vibrato, rng)
    pitch = singer.tonic * 2 ** (semitones / 12)
    samples = _render(spectra, time_map.to_spoken(times) / _FRAME, pitch, singer.breath)
    return Sung(samples=samples, words=_moved(spoken.words, time_map))


@lru_cache(maxsize=8)  # a repeated line comes soon after the line
def _heard(line: str, voice: str) -> tuple[Spoken, _Spectra]:
    spoken = speak(line, voice)
    if not any(phone.is_vowel for phone in spoken.phones):
        raise CanteError(f"{line!r} has no vowel that could be sung: give a line with words")
    world, samples = _world(), spoken.samples
    period = _FRAME * 1000
    rough, times = world.dio(samples, SAMPLE_RATE, f0_floor=60, f0_ceil=500, frame_period=period)
    pitch = world.stonemask(samples, rough, times, SAMPLE_RATE)
    envelope = world.cheaptrick(samples, pitch, times, SAMPLE_RATE)
    noise = world.d4c(samples, pitch, times, SAMPLE_RATE)
    return spoken, _Spectra(pitch=pitch, log_envelope=np.log(envelope), noise=noise)


def _world() -> Any:
    try:
        import pyworld
    except ImportError as error:
        raise CanteError(NEEDS) from error
    return pyworld


def _time_map(spoken: Spoken, stretch: float, rng: np.random.Generator) -> _TimeMap:
    """Where each vowel is held: the stressed ones longer, the last one longest."""
    vowels = [phone for phone in spoken.phones if phone.is_vowel]
    weights = rng.uniform(0.3, 1.0, len(vowels)) * [2.5 if v.stressed else 1 for v in vowels]
    weights[-1] = weights.sum() * 0.4
    duration = spoken.phones[-1].end - spoken.phones[0].start
    holds = np.cumsum(weights / weights.sum()) * max(stretch - 1, 0) * duration
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


def _render(
    spectra: _Spectra,
    places: NDArray[np.float64],
    pitch: NDArray[np.float64],
    breath: float,
) -> NDArray[np.float64]:
    """Sound with the spectra read at `places` (frames, with fractions) at the given pitch (Hz)."""
    last = len(spectra.pitch) - 1
    before = np.minimum(places.astype(int), last)
    after = np.minimum(before + 1, last)
    part = (places - before)[:, None]
    voiced = spectra.pitch[np.minimum(np.round(places).astype(int), last)] > 0
    mixed = spectra.log_envelope[before] * (1 - part) + spectra.log_envelope[after] * part
    noise = spectra.noise[before] * (1 - part) + spectra.noise[after] * part
    noise = noise * (1 - breath) + breath
    sound = _world().synthesize(
        np.where(voiced, pitch, 0.0), np.exp(mixed), noise, SAMPLE_RATE, _FRAME * 1000
    )
    samples: NDArray[np.float64] = sound * (_LOUDNESS / np.sqrt(np.mean(sound**2)))
    return samples
