"""Speech made to sing as in cante: vowels held for seconds, ornamented, on a Phrygian melody.

No text is needed: a vowel is where the voice is voiced and loudest for a moment.
Sung with WORLD (corpus/synth/world.py), on notes of corpus/synth/melody.py.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from corpus.synth.melody import Held, contour, notes_of
from corpus.synth.world import FRAME, Spectra, analyse, render

__all__ = ["melisma", "nuclei"]

_APART = round(0.11 / FRAME)  # frames from one vowel to the next, at least
_CORE = 2  # frames at either side of a vowel's middle that are held
_SHARE = 0.4  # of the vowels are held at length, the others a little
_SHORT, _LONG = (0.02, 0.25), (0.3, 4.0)  # seconds


def melisma(
    samples: NDArray[np.float32], rng: np.random.Generator, longest: float = _LONG[1]
) -> NDArray[np.float32]:
    """The same words sung with melisma: float32 at 16 kHz, longer than `samples`.

    Of its vowels two in five are held for 0.3 to `longest` s, short ones being
    likelier.  Speech without a voiced sound comes back as it is.  Raises
    CanteError when pyworld is missing.
    """
    spectra = analyse(samples.astype(np.float64))
    middles = nuclei(spectra)
    if not middles:
        return samples
    spoken, sung = _knots(middles, len(spectra.pitch), rng, longest)
    times = np.arange(0, sung[-1], 1.0) * FRAME
    places = np.interp(times / FRAME, sung, spoken)
    vowels = [
        Held(start=float(first) * FRAME, end=float(last) * FRAME)
        for first, last in zip(sung[1:-1:2], sung[2:-1:2], strict=True)
    ]
    semitones = contour(notes_of(vowels, int(rng.integers(4)), rng), times, 0.3, rng)
    voiced = spectra.pitch[spectra.pitch > 0]
    tonic = float(np.median(voiced)) * 2 ** (rng.uniform(-4, 3) / 12)
    sound = render(spectra, places, tonic * 2 ** (semitones / 12))
    return np.asarray(sound, dtype=np.float32)


def nuclei(spectra: Spectra) -> list[int]:
    """The middles of the vowels, frames: voiced, and louder than what is around them."""
    power = np.log(np.exp(spectra.log_envelope).mean(axis=1))
    smooth = np.convolve(power, np.hanning(9) / np.hanning(9).sum(), "same")
    smooth[spectra.pitch <= 0] = -np.inf
    found: list[int] = []
    for frame in np.argsort(-smooth):
        if smooth[frame] < smooth.max() - 5:  # 22 dB under the loudest is no vowel
            break
        here = smooth[max(0, frame - _CORE) : frame + _CORE + 1]
        if np.isfinite(here).all() and all(abs(frame - other) >= _APART for other in found):
            found.append(int(frame))
    return sorted(found)


def _knots(
    middles: list[int], n_frames: int, rng: np.random.Generator, longest: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Knots of the map from spoken to sung frames: begin, two a vowel, end."""
    spoken, sung, late = [0.0], [0.0], 0.0
    for middle in middles:
        low, high = (_LONG[0], longest) if rng.random() < _SHARE else _SHORT
        hold = float(np.exp(rng.uniform(np.log(low), np.log(high)))) / FRAME
        spoken += [middle - _CORE, middle + _CORE]
        sung += [middle - _CORE + late, middle + _CORE + late + hold]
        late += hold
    return np.array([*spoken, n_frames]), np.array([*sung, n_frames + late])
