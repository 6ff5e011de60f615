"""What can be measured of a recording as it comes in, and the marks that this suggests.

Loudness, its range and the samples at full scale are measured by FFmpeg in the run that
decodes (EBU R128; astats); the rest on the 16 kHz copy, on at most a minute of it.
Marks are suggestions, 0 to 2 points off with the measure behind each: a person decides.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from corpus.media import SAMPLE_RATE, Samples
from corpus.records import Features, Mark

__all__ = ["MARKS", "STATS", "measured"]

STATS = (
    "ebur128=framelog=verbose,astats=measure_perchannel=none"
    ":measure_overall=Peak_level+Peak_count+Number_of_samples"
)
"""FFmpeg's filters whose summary `measured` reads."""

MARKS = (
    ("white noise", "noise below music, dB", (-40.0, -25.0)),
    ("impulse noise", "clicks a second", (0.5, 4.0)),
    ("background noise", "murmur below music, dB", (-45.0, -30.0)),
    ("oversaturation", "share of samples at full scale", (1e-4, 1e-3)),
)
"""Each mark, its measure, and from where on it is one point, and two."""

_LONGEST = 60
_PAUSE = 15.0
_NOISY = 0.3
_FRAME = 1024
_SAID = {
    "loudness, LUFS": r"I:\s+(-?[\d.]+) LUFS",
    "loudness range, LU": r"LRA:\s+(-?[\d.]+) LU",
    "peak, dB": r"Peak level dB:\s+(-?[\d.]+)",
}
_SILENCE = -120.0


def measured(recording: str, samples: Samples, said: str) -> Features:
    """The measures of a recording and the marks they suggest; `said` is what FFmpeg told."""
    found = _told(said) | _heard(_middle(samples))
    found["duration, s"] = samples.n_samples / SAMPLE_RATE
    marks = tuple(
        Mark(
            name=name,
            points=sum(found[measure] > limit for limit in limits),
            measure=measure,
            value=found[measure],
        )
        for name, measure, limits in MARKS
        if measure in found
    )
    return Features(
        recording=recording,
        measures=tuple(sorted((name, round(value, 5)) for name, value in found.items())),
        marks=marks,
    )


def _told(said: str) -> dict[str, float]:
    """Loudness and clipping out of FFmpeg's summary; what it does not tell is left out."""
    found = {name: _last(pattern, said) for name, pattern in _SAID.items()}
    count = _last(r"Peak count:\s+([\d.]+)", said)
    size = _last(r"Number of samples:\s+(\d+)", said)
    told = {name: value for name, value in found.items() if value is not None}
    if count is not None and size and found["peak, dB"] is not None:
        full = found["peak, dB"] > -0.1
        # Any sound has a highest sample: only more than a few of them are clipping.
        told["share of samples at full scale"] = count / size if full and count > 2 else 0.0
    return told


def _last(pattern: str, said: str) -> float | None:
    values = re.findall(pattern, said)
    return float(values[-1]) if values else None


def _middle(samples: Samples) -> NDArray[np.float32]:
    n_samples = min(samples.n_samples, _LONGEST * SAMPLE_RATE)
    return samples.read((samples.n_samples - n_samples) // 2, n_samples)


def _heard(audio: NDArray[np.float32]) -> dict[str, float]:
    """Noise, bandwidth, silence and clicks, by the spectra of 64 ms each."""
    n_frames = len(audio) // _FRAME
    if n_frames < 8:
        return {}
    frames = audio[: n_frames * _FRAME].reshape(n_frames, _FRAME)
    power = np.abs(np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32), axis=1)) ** 2
    level = _decibels(np.square(frames, dtype=np.float64).mean(axis=1))
    music, quiet = float(np.percentile(level, 90)), float(np.percentile(level, 5))
    if music <= _SILENCE:
        return {"silence, share": 1.0}
    calm = power[level <= np.percentile(level, 10)].mean(axis=0)
    loud = power[level >= np.percentile(level, 50)].mean(axis=0)
    split = _bin(500)
    # Music without a pause hides what is below it: nothing is said of that then.
    paused = music - quiet >= _PAUSE or _flatness(calm[split:]) > _NOISY
    noise = {
        "noise below music, dB": _ratio(calm[split:], loud),
        "murmur below music, dB": _ratio(calm[1:split], loud),
    }
    return (noise if paused else {}) | {
        "music, dB": music,
        "noise floor, dB": max(quiet, _SILENCE),
        "bandwidth, Hz": _bandwidth(loud),
        "silence, share": float((level < max(_SILENCE + 1, music - 50)).mean()),
        "clicks a second": _clicks(audio) * SAMPLE_RATE / len(audio),
    }


def _flatness(power: NDArray[np.float32]) -> float:
    """Near 1 for noise, near 0 for tones: the geometric mean by the arithmetic one."""
    kept = np.maximum(power.astype(np.float64), 1e-12)
    return float(np.exp(np.log(kept).mean()) / kept.mean())


def _decibels(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)), np.float64)


def _ratio(part: NDArray[np.float32], whole: NDArray[np.float32]) -> float:
    return float(10 * np.log10(max(float(part.sum()), 1e-12) / max(float(whole.sum()), 1e-12)))


def _bin(hertz: float) -> int:
    return round(hertz * _FRAME / SAMPLE_RATE)


def _bandwidth(spectrum: NDArray[np.float32]) -> float:
    """Where sound ends: at an edge of 18 dB within 600 Hz above which little comes.

    Else where it is 50 dB below the loudest, or as low as it gets.  An old transfer, a
    telephone and an MP3 end at such an edge.
    """
    decibels = _decibels(np.asarray(spectrum, np.float64))
    smooth = np.convolve(np.pad(decibels, 4, "edge"), np.ones(9) / 9, "valid")
    width = _bin(600)
    fall = smooth[:-width] - smooth[width:]
    rest = np.maximum.accumulate(smooth[::-1])[::-1][width:]
    edges = np.flatnonzero((fall >= 18) & (rest <= smooth[:-width] - 15))
    if len(edges):
        return float((edges[0] + width / 2) * SAMPLE_RATE / _FRAME)
    least = max(np.percentile(smooth, 2) + 10, np.percentile(smooth, 95) - 50)
    above = np.flatnonzero(smooth > least)
    return float((above[-1] + 1) * SAMPLE_RATE / _FRAME) if len(above) else SAMPLE_RATE / 2


def _clicks(audio: NDArray[np.float32]) -> int:
    """Jumps of a millisecond that stand out of what is around them by their second difference."""
    jump = np.abs(np.diff(audio.astype(np.float64), 2))
    size = SAMPLE_RATE // 50
    pieces = jump[: len(jump) // size * size].reshape(-1, size)
    usual = np.maximum(np.median(pieces, axis=1), 1e-5)
    loudest = pieces.max(axis=1)
    # What is long is no click: a pluck of a guitar rings on in the next pieces.
    around = np.maximum(np.roll(usual, 1), np.roll(usual, -1))
    few = (pieces > loudest[:, None] / 3).sum(axis=1) <= 12
    return int(((loudest > 25 * np.maximum(usual, around)) & few).sum())
