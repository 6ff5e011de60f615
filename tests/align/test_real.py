"""The shipped head and real Whisper base on a voice; all else in this folder is toys."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from align.aligner import Aligner
from align.emissions import WhisperCTC
from corpus.media import SAMPLE_RATE, ArraySamples
from corpus.synth.espeak import synthesise

LINES = ["A la mar fui por naranjas", "cosa que la mar no tiene"]
REST = 1.5


@pytest.fixture(scope="module")
def spoken() -> tuple[ArraySamples, list[tuple[float, float]]]:
    """Two lines said by a machine after some rest, and when each is heard."""
    rest = np.zeros(int(REST * SAMPLE_RATE), np.float32)
    parts: list[NDArray[np.float32]] = [rest]
    spans, now = [], REST
    for line in LINES:
        wave, rate, _ = synthesise(line, "es", 110)
        seconds = len(wave) / rate
        at = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE * rate
        voice = np.interp(at, np.arange(len(wave)), wave / 32768).astype(np.float32)
        heard = np.flatnonzero(np.abs(voice) > 0.01) / SAMPLE_RATE
        spans.append((now + heard[0], now + heard[-1]))
        parts += [voice, rest]
        now += seconds + REST
    return ArraySamples(np.concatenate(parts)), spans


@pytest.fixture(scope="module")
def aligner(whisper_base_hf: Path) -> Aligner:
    return Aligner(WhisperCTC(whisper_base_hf, device="cpu"))


def test_lines_are_placed_where_they_are_said(
    aligner: Aligner, spoken: tuple[ArraySamples, list[tuple[float, float]]]
) -> None:
    samples, spans = spoken
    lines = aligner.align(samples, LINES).lines
    for line, (start, end) in zip(lines, spans, strict=True):
        assert line.start == pytest.approx(start, abs=0.3)
        assert line.end == pytest.approx(end, abs=0.5)


def test_a_text_that_is_not_said_scores_lower(
    aligner: Aligner, spoken: tuple[ArraySamples, list[tuple[float, float]]]
) -> None:
    right = aligner.align(spoken[0], LINES).lines
    other = ["Yo me voy contigo a Sevilla", "donde duerme tu hermosura"]
    wrong = aligner.align(spoken[0], other).lines
    assert min(line.probability for line in right) > 0.8
    assert max(line.probability for line in wrong) < 0.2
