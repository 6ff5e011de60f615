"""Speech made to resemble singing: slowed, shifted or given melisma, and laid over music.

Speech comes as an AudioFolder (metadata.csv with file_name and transcription), so
that a head learns the letters of a language that are held, high or low, and not
alone, where no songs with times are to be had.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from align.fit_data import TimedAudio, heard
from align.melisma import melisma
from corpus.errors import TrainError
from corpus.media import SAMPLE_RATE
from corpus.records import Word

__all__ = ["Mixing", "song_change", "spoken", "sung_speech", "without_voice"]

_MIX_SECONDS = 58.0
_STEP = SAMPLE_RATE // 50
_LOUD = 10 ** (-32 / 20)  # of the level of a voice: below it is breath and room


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixing:
    """How speech is made to sing.

    `beds` are the levels of music below the voice in dB, from and to, or None for
    no music; `melisma` tells whether vowels are held with WORLD, or the whole
    slowed and shifted.
    """

    beds: tuple[float, float] | None = (-2.0, 12.0)
    melisma: bool = False


def song_change(rng: np.random.Generator) -> tuple[float, float]:
    """A tempo and a shift in semitones for a song."""
    return float(rng.uniform(0.75, 1.1)), float(rng.uniform(-3, 3))


def sung_speech(
    folder: Path,
    music: Sequence[NDArray[np.float32]],
    mixing: Mixing,
    rng: np.random.Generator,
    language: str = "es",
) -> Iterator[TimedAudio]:
    """Spoken sentences of an AudioFolder made to sing, joined to about a minute, over music.

    Texts with digits or signs are passed over: what the voice says there is not
    known.  Raises TrainError when a file cannot be read.
    """
    said = spoken(folder)
    parts: list[NDArray[np.float32]] = []
    lines: list[tuple[Word, ...]] = []
    length, n_made = 0, 0
    for k in rng.permutation(len(said)):
        audio, text = said[k]
        pause = np.zeros(int(rng.uniform(0.05, 1.2) * SAMPLE_RATE), np.float32)
        voice = _sung(audio, mixing, rng)
        start, length = length + len(pause), length + len(pause) + len(voice)
        lines.append((Word(text=text, start=start / SAMPLE_RATE, end=length / SAMPLE_RATE),))
        parts += [pause, voice / _level(voice)]
        if length > _MIX_SECONDS * SAMPLE_RATE:
            laid = _over_music(np.concatenate(parts), music, mixing, rng)
            yield _timed(f"speech {n_made}", laid, np.concatenate(parts), lines, language)
            parts, lines, length, n_made = [], [], 0, n_made + 1
    if lines:
        laid = _over_music(np.concatenate(parts), music, mixing, rng)
        yield _timed(f"speech {n_made}", laid, np.concatenate(parts), lines, language)


def without_voice(music: Sequence[NDArray[np.float32]]) -> Iterator[TimedAudio]:
    """Music in which nobody sings."""
    for k, samples in enumerate(music):
        yield TimedAudio(
            name=f"music {k}", samples=samples, lines=(), voice=(), tolerance=0.05, weight=0.3
        )


def spoken(folder: Path) -> list[tuple[Path, str]]:
    """The sentences of an AudioFolder: their audio files and what is said there, digits aside.

    Raises TrainError when there is no metadata.csv, or not with these columns.
    """
    try:
        with (folder / "metadata.csv").open(encoding="utf-8", newline="") as rows:
            found = [(folder / r["file_name"], r["transcription"]) for r in csv.DictReader(rows)]
    except (OSError, KeyError) as error:
        raise TrainError(
            f"{folder} holds no speech: it needs a metadata.csv with file_name and transcription"
        ) from error
    return [(audio, text) for audio, text in found if not re.search(r"[\d$%€]", text)]


def _sung(audio: Path, mixing: Mixing, rng: np.random.Generator) -> NDArray[np.float32]:
    if mixing.melisma:
        return melisma(heard(audio), rng)
    return heard(audio, *_effects(rng))


def _effects(rng: np.random.Generator) -> list[str]:
    """Slower by up to one half, and -400 to +500 cents; FFmpeg's atempo takes 0.5 at the least."""
    tempo = float(rng.choice((0.5, 0.6, 0.7, 0.8, 0.9, 1.0)))
    pitch = 2 ** (float(rng.uniform(-400, 500)) / 1200)
    half = (tempo / pitch) ** 0.5
    return [
        f"aresample={SAMPLE_RATE}",
        f"asetrate={round(SAMPLE_RATE * pitch)}",
        f"aresample={SAMPLE_RATE}",
        f"atempo={half:.4f}",
        f"atempo={half:.4f}",
    ]


def _timed(
    name: str,
    samples: NDArray[np.float32],
    voice: NDArray[np.float32],
    lines: Sequence[tuple[Word, ...]],
    language: str,
) -> TimedAudio:
    return TimedAudio(
        name=name,
        samples=samples,
        lines=tuple(lines),
        voice=_loud_spans(voice),
        tolerance=0.05,
        weight=0.8,
        language=language,
    )


def _over_music(
    voice: NDArray[np.float32],
    music: Sequence[NDArray[np.float32]],
    mixing: Mixing,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """A voice of level 1 at an even level, mostly with music below it."""
    mixed = 0.1 * voice
    if mixing.beds and music and rng.random() < 0.85:
        chosen = rng.permutation(len(music))[:12]
        bed = np.resize(np.concatenate([music[k] / _level(music[k]) for k in chosen]), len(voice))
        mixed = mixed + 0.1 * 10 ** (-rng.uniform(*mixing.beds) / 20) * bed
    return np.asarray(mixed / max(1.0, float(np.abs(mixed).max())), dtype=np.float32)


def _loud_spans(voice: NDArray[np.float32], bridge: float = 0.3) -> tuple[tuple[float, float], ...]:
    """When a clean voice of level 1 is heard, (start, end) s; gaps up to `bridge` s count too."""
    frames = voice[: len(voice) // _STEP * _STEP].reshape(-1, _STEP)
    loud = np.flatnonzero(np.sqrt(np.square(frames, dtype=np.float64).mean(1)) > _LOUD)
    pieces = np.split(loud, np.flatnonzero(np.diff(loud) > bridge * 50) + 1)
    return tuple((float(p[0]) / 50, float(p[-1] + 1) / 50) for p in pieces if len(p))


def _level(samples: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.square(samples, dtype=np.float64).mean())) + 1e-4
