from __future__ import annotations

import sys

import numpy as np
import pytest

from align.melisma import melisma, nuclei
from corpus.errors import CanteError
from corpus.synth.melody import PHRYGIAN
from corpus.synth.world import FRAME, analyse
from tests.align.timed_made import RATE, voiced


def test_vowels_are_where_the_voice_is_loudest() -> None:
    found = np.array(nuclei(analyse(voiced(2).astype(float)))) * FRAME
    swells = (np.arange(6) + 0.5) / 3
    near = np.abs(found[:, None] - swells).min(axis=0)
    assert near.max() < 0.06


def test_words_get_longer_by_their_held_vowels() -> None:
    speech = voiced(2)
    n_vowels = len(nuclei(analyse(speech.astype(float))))
    made = melisma(speech, np.random.default_rng(0))
    added = (len(made) - len(speech)) / RATE
    assert made.dtype == np.float32
    assert 0.02 * n_vowels <= added <= 4 * n_vowels + 0.1
    short = melisma(speech, np.random.default_rng(0), longest=0.4)
    assert len(speech) < len(short) < len(made)


def test_a_held_vowel_stays_on_notes_of_the_scale() -> None:
    """Most of what is sung lies on the Phrygian scale over one tonic, within 0.4 semitones."""
    made = melisma(voiced(2), np.random.default_rng(1))
    pitch = analyse(made.astype(float)).pitch
    semitones = 12 * np.log2(pitch[pitch > 0])
    scale = np.array([degree + 12 * octave for octave in (-1, 0, 1) for degree in PHRYGIAN])

    def off(tonic: float) -> float:
        away = np.abs((semitones - tonic)[:, None] - scale).min(axis=1)
        return float((away > 0.4).mean())

    best = min(off(tonic) for tonic in np.arange(semitones.min() - 1, semitones.min() + 12, 0.1))
    assert best < 0.2
    steady = np.abs(np.diff(pitch[pitch > 0])) < 2
    assert steady.mean() > 0.8


def test_the_same_numbers_give_the_same_singing() -> None:
    one, other, third = (melisma(voiced(1), np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(one, other)
    assert len(one) != len(third)


@pytest.mark.parametrize("hertz", [0.0, 3000.0])
def test_nothing_voiced_comes_back_as_it_is(hertz: float) -> None:
    """Silence, and a whistle above all voices."""
    sound = (0.1 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)).astype(np.float32)
    assert melisma(sound, np.random.default_rng(0)) is sound


def test_a_missing_vocoder_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyworld", None)
    with pytest.raises(CanteError, match=r"pip install 'cante-corpus\[fit\]'"):
        melisma(voiced(1), np.random.default_rng(0))
