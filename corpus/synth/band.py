"""What accompanies: a plucked guitar on the Andalusian cadence, and palmas on a compás of twelve.

The strings are Karplus and Strong, Digital synthesis of plucked-string and drum
timbres, Computer Music Journal 7(2), 1983.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from corpus.media import SAMPLE_RATE
from corpus.synth.melody import PHRYGIAN
from corpus.synth.truth import Span

__all__ = ["accompany", "lay"]

_CADENCE = (
    (5, 12, 17, 20, 24),  # la minor
    (3, 7, 10, 15, 19, 27),  # sol
    (1, 8, 13, 17, 20, 25),  # fa
    (0, 7, 12, 16, 19, 24),  # mi
)
"""Semitones over the guitar's lowest mi, chord by chord, three beats each."""

_BEAT = {"soleá": 0.44, "seguiriya": 0.40, "fandango": 0.34, "tangos": 0.36, "bulerías": 0.28}
_ACCENTS = {
    "seguiriya": (0, 2, 4, 7, 10),
    "fandango": (0, 3, 6, 9),
    "tangos": (1, 2, 3, 5, 6, 7, 9, 10, 11),
}
_USUAL_BEAT, _USUAL_ACCENTS = 0.36, (2, 5, 7, 9, 11)
_RASGUEADO = 0.012  # seconds from one string to the next
_UNDER, _ALONE = 0.5, 1.0  # loudness of the guitar under the voice, and in a falseta
_RING = 1.2  # seconds that a string sounds
_LOUDNESS = 0.2  # peak of one string


def accompany(
    n_samples: int,
    *,
    tonic: float,
    palo: str,
    falsetas: Sequence[Span],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Guitar and palmas, float64 of shape (n_samples,), 16 kHz.

    `tonic` is the singer's mi in Hz; in the falsetas the guitar is louder and
    plays runs.
    """
    track = np.zeros(n_samples)
    lowest = tonic / 2 if tonic >= 160 else tonic
    beat, accents = _BEAT.get(palo, _USUAL_BEAT), _ACCENTS.get(palo, _USUAL_ACCENTS)
    for index in range(int(n_samples / SAMPLE_RATE / beat)):
        start = index * beat
        alone = any(span.start <= start < span.end for span in falsetas)
        chord = _CADENCE[index // 3 % len(_CADENCE)]
        accented = index % 12 in accents
        strings = chord if accented else (chord[rng.integers(len(chord))],)
        gain = _ALONE if alone else _UNDER
        _strum(track, start, lowest, strings, gain)
        if alone:
            _run(track, start, beat, lowest, rng)
        if accented:
            _palmas(track, start, rng)
    return track


def lay(track: NDArray[np.float64], sound: NDArray[np.float64], start: float) -> None:
    """Add a sound to the track from `start` (seconds) on; what reaches past its end is cut."""
    first = max(round(start * SAMPLE_RATE), 0)
    room = track[first : first + len(sound)]
    room += sound[: len(room)]


def _strum(
    track: NDArray[np.float64], start: float, lowest: float, strings: Sequence[int], gain: float
) -> None:
    """One rasgueado from the lowest string to the highest, or the one string of an arpeggio."""
    loudness = gain * _LOUDNESS / np.sqrt(len(strings))
    for index, semitone in enumerate(strings):
        string = _string(round(lowest * 2 ** (semitone / 12), 2))
        lay(track, string * loudness, start + index * _RASGUEADO)


def _run(
    track: NDArray[np.float64],
    start: float,
    beat: float,
    lowest: float,
    rng: np.random.Generator,
) -> None:
    """Two notes of picado going down the scale, an octave above the chords."""
    degree = int(rng.integers(1, len(PHRYGIAN)))
    for half in (0, 1):
        semitone = 12 + PHRYGIAN[degree - half]
        _strum(track, start + half * beat / 2, lowest, (semitone,), _ALONE)


@lru_cache(maxsize=128)  # a guitar plays the same few notes again and again
def _string(pitch: float) -> NDArray[np.float64]:
    """One plucked string of this pitch (Hz), with a peak of 1."""
    period = round(SAMPLE_RATE / pitch)
    # The mean of neighbours, which damps the high partials, also delays by half a sample.
    step = pitch * (period + 0.5) / SAMPLE_RATE
    loop = np.random.default_rng(period).uniform(-1, 1, period)
    periods = []
    for _ in range(round(_RING * pitch * 1.1) + 2):
        periods.append(loop)
        loop = 0.997 * 0.5 * (loop + np.roll(loop, 1))
    sound = np.concatenate(periods)
    places = np.arange(round(_RING * SAMPLE_RATE)) * step
    tuned = np.interp(places, np.arange(len(sound)), sound) * np.linspace(1, 0, len(places))
    return np.asarray(tuned / np.abs(tuned).max())


def _palmas(track: NDArray[np.float64], start: float, rng: np.random.Generator) -> None:
    """Two people clapping, not quite together."""
    for _ in range(2):
        lay(track, _clap(rng) * rng.uniform(0.02, 0.05), start + rng.uniform(0, 0.012))


def _clap(rng: np.random.Generator) -> NDArray[np.float64]:
    """A burst of noise between 900 and 3500 Hz that dies away in 25 ms; its peak is about 1."""
    spectrum = np.fft.rfft(rng.standard_normal(2048))
    frequencies = np.fft.rfftfreq(2048, 1 / SAMPLE_RATE)
    spectrum[(frequencies < 900) | (frequencies > 3500)] = 0
    burst = np.fft.irfft(spectrum) * np.exp(-np.arange(2048) / (0.008 * SAMPLE_RATE))
    return np.asarray(burst / np.abs(burst).max())
