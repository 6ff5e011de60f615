"""Small things to test with: audio that is made, records, a workspace's command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from corpus.collect.side_level import SIDE_RATE
from corpus.records import Recording, Utterance, Verse, VerseSource, Word

RATE = 16_000

Level = NDArray[np.float32]
Part = tuple[float, float]
"""Seconds of a side, and their level in dB."""

MUSIC, NOISE = -20.0, -55.0


def tone(seconds: float, hertz: float = 440.0) -> NDArray[np.float32]:
    """A tone of half the full scale, shape (n_samples,)."""
    time = np.arange(round(seconds * RATE)) / RATE
    samples: NDArray[np.float32] = (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)
    return samples


def write_tone(path: Path, seconds: float = 1.0, hertz: float = 440.0) -> Path:
    """A tone in any format that libsndfile writes; its bytes differ by `hertz`."""
    soundfile.write(str(path), tone(seconds, hertz), RATE)
    return path


def curve(*parts: Part) -> Level:
    """The level curve of a side in parts, which wavers as music and noise do."""
    level = np.concatenate([np.full(round(seconds * SIDE_RATE), dB) for seconds, dB in parts])
    wavers = np.random.default_rng(0).normal(0, 1, len(level))
    return np.asarray(level + wavers, np.float32)


def ffmpeg(*arguments: str | Path) -> None:
    """Run FFmpeg; it must not fail."""
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)


def recording(name: str, *, artist: str = "", **more: str) -> Recording:
    """A recording with an id made of its name."""
    return Recording(
        id=(name.encode().hex() + "0" * 64)[:64],
        source=f"/{name}.wav",
        duration=10.0,
        title=name,
        artist=artist,
        **more,  # type: ignore[arg-type]  # texts only
    )


def verse(*lines: str, source: str = "letra", position: int = 0, **more: str) -> Verse:
    """A verse found in one place."""
    place = VerseSource(source=source, position=position, lines=lines, **more)  # type: ignore[arg-type]  # texts only
    return Verse(lines=lines, sources=(place,))


def utterance(of: Recording, text: str, start: float, seconds: float = 1.0) -> Utterance:
    """An utterance whose words share its time evenly."""
    words = text.split()
    step = seconds / max(1, len(words))
    timed = tuple(
        Word(text=word, start=start + i * step, end=start + (i + 1) * step)
        for i, word in enumerate(words)
    )
    return Utterance(
        recording=of.id, start=start, end=start + seconds, text=text, words=timed, score=0.9
    )


def command(
    *arguments: str | Path, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "corpus", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | (env or {}),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=120,
    )
