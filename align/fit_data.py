"""What a head is trained on: songs timed by syllable, and speech made to resemble singing.

Songs come as UltraStar folders (https://usdx.eu/format), speech as an AudioFolder
(metadata.csv with file_name and transcription).  Speech is slowed, shifted in
pitch and laid over music without voice, so that a head learns Spanish letters
that are held, high or low, and not alone.
"""

from __future__ import annotations

import csv
import random
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.errors import TrainError
from corpus.media import SAMPLE_RATE
from corpus.records import Word
from corpus.text import decode, letters

__all__ = ["TimedAudio", "music_without_voice", "read_notes", "sung_speech", "ultrastar"]

Lines = tuple[tuple[Word, ...], ...]

_NOTE = re.compile(r"[:*F] (-?\d+) (\d+) -?\d+ ?(.*)$")
_BED_SECONDS = 20.0
_MIX_SECONDS = 58.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedAudio:
    """Audio at 16 kHz with its words by line; `tolerance` s is how far off their times may be."""

    name: str
    samples: NDArray[np.float32]
    lines: Lines
    tolerance: float
    weight: float = 1.0
    language: str = "es"


def ultrastar(folder: Path, leave_out: Sequence[str] = ()) -> Iterator[TimedAudio]:
    """The songs of a folder of UltraStar songs; `leave_out` names subfolders to pass over.

    Raises TrainError when there is none.
    """
    songs = [s for s in sorted(folder.glob("*/song.txt")) if s.parent.name not in leave_out]
    if not songs:
        raise TrainError(f"{folder} holds no UltraStar songs: each needs a song.txt and its audio")
    for song in songs:
        audio = next(song.parent.glob("audio.*"), None)
        if audio is None:
            raise TrainError(f"{song.parent} has no audio file: put audio.ogg or audio.mp3 there")
        lines = read_notes(decode(song.read_bytes()))
        yield TimedAudio(
            name=song.parent.name,
            samples=_heard(audio),
            lines=lines,
            tolerance=0.15,
            language="en",
        )


def read_notes(text: str) -> Lines:
    """The words of an UltraStar song by line, in seconds; what has no letters is left out.

    Times count from the start of the song (#RELATIVE is not known).  Raises
    TrainError without a tempo.
    """
    tempo, gap = _header(text, "BPM"), _header(text, "GAP") / 1000
    if tempo <= 0:
        raise TrainError("a song.txt has no #BPM: put its tempo there, or leave the song out")
    beat = 15 / tempo
    syllables: list[tuple[int, bool, str, float, float]] = []
    line, fresh = 0, True
    for row in text.split("\n"):
        if row.startswith("-"):
            line, fresh = line + 1, True
        elif note := _NOTE.match(row):
            start = gap + int(note[1]) * beat
            syllable = note[3].replace("~", "")
            fresh |= syllable.startswith(" ")
            syllables.append((line, fresh, syllable.strip(), start, start + int(note[2]) * beat))
            fresh = syllable.endswith(" ") or (fresh and not syllable.strip())
    return _words_by_line(syllables)


def _header(text: str, key: str) -> float:
    found = re.search(rf"^#{key}:\s*([\d.,]+)", text, re.MULTILINE)
    return float(found[1].replace(",", ".")) if found else 0.0


def _words_by_line(syllables: Sequence[tuple[int, bool, str, float, float]]) -> Lines:
    lines = []
    for _, of_line in groupby(syllables, key=lambda s: s[0]):
        words: list[Word] = []
        for _, fresh, text, start, end in of_line:
            if text and (fresh or not words):
                words.append(Word(text=text, start=max(0, start), end=max(0, end)))
            elif words:  # "~" and empty notes hold the word before
                begun = words.pop()
                words.append(Word(text=begun.text + text, start=begun.start, end=max(0, end)))
        lines.append(tuple(w for w in words if letters(w.text, "en")))
    return tuple(line for line in lines if line)


def _heard(path: Path, *filters: str) -> NDArray[np.float32]:
    """The audio of a file at 16 kHz mono, after FFmpeg's filters."""
    form = ["-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "f32le", "-"]
    effects = ["-af", ",".join(filters)] if filters else []
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), *effects, *form]
    run = subprocess.run(command, capture_output=True, check=False)
    if run.returncode != 0 or not run.stdout:
        raise TrainError(f"{path} cannot be decoded by FFmpeg: remove it or fetch it again")
    return np.frombuffer(run.stdout, np.float32)


def music_without_voice(
    folder: Path, songs: Sequence[TimedAudio], leave_out: Sequence[str] = ()
) -> list[NDArray[np.float32]]:
    """Music: the instrumentals of an UltraStar folder, and where the voice of a song rests."""
    beds = []
    for path in sorted(folder.glob("*/instrumental.*")):
        if path.parent.name in leave_out:
            continue
        samples, length = _heard(path), int(_BED_SECONDS * SAMPLE_RATE)
        beds += [samples[k : k + length] for k in range(0, len(samples) - length, length)]
    for song in songs:
        beds += _rests(song)
    return beds


def _rests(song: TimedAudio) -> list[NDArray[np.float32]]:
    """Where no word is sung for 4 s, less 0.3 s at both ends."""
    at_least, margin = 4.0, 0.3
    words = sorted((w.start, w.end) for line in song.lines for w in line)
    found, silent_from = [], 0.0
    for start, end in [*words, (len(song.samples) / SAMPLE_RATE, 0.0)]:
        if start - silent_from > at_least:
            first, last = silent_from + margin, start - margin
            found.append(song.samples[int(first * SAMPLE_RATE) : int(last * SAMPLE_RATE)])
        silent_from = max(silent_from, end)
    return found


def sung_speech(
    folder: Path, beds: Sequence[NDArray[np.float32]], rng: random.Random, language: str = "es"
) -> Iterator[TimedAudio]:
    """Spoken sentences of an AudioFolder, slowed, shifted and joined to about a minute, over music.

    Texts with digits or signs are passed over: what the voice says there is not known.
    """
    with (folder / "metadata.csv").open(encoding="utf-8", newline="") as rows:
        spoken = [r for r in csv.DictReader(rows) if not re.search(r"[\d$%€]", r["transcription"])]
    rng.shuffle(spoken)
    parts: list[NDArray[np.float32]] = []
    lines: list[tuple[Word, ...]] = []
    length, n_made = 0, 0
    for row in spoken:
        pause = np.zeros(int(rng.uniform(0.05, 1.2) * SAMPLE_RATE), np.float32)
        voice = _heard(folder / row["file_name"], *_effects(rng))
        start, end = length + len(pause), length + len(pause) + len(voice)
        text, length = row["transcription"], end
        lines.append((Word(text=text, start=start / SAMPLE_RATE, end=end / SAMPLE_RATE),))
        parts += [pause, voice]
        if length > _MIX_SECONDS * SAMPLE_RATE or row is spoken[-1]:
            yield TimedAudio(
                name=f"speech {n_made}",
                samples=_over_music(np.concatenate(parts), beds, rng),
                lines=tuple(lines),
                tolerance=0.05,
                weight=0.8,
                language=language,
            )
            parts, lines, length, n_made = [], [], 0, n_made + 1


def _effects(rng: random.Random) -> list[str]:
    """Slower by up to one half, and -400 to +500 cents; FFmpeg's atempo takes 0.5 at the least."""
    tempo, cents = rng.choice((0.5, 0.6, 0.7, 0.8, 0.9, 1.0)), rng.randint(-400, 500)
    pitch = 2 ** (cents / 1200)
    half = (tempo / pitch) ** 0.5
    rate = round(SAMPLE_RATE * pitch)
    return [
        f"aresample={SAMPLE_RATE}",
        f"asetrate={rate}",
        f"aresample={SAMPLE_RATE}",
        f"atempo={half:.4f}",
        f"atempo={half:.4f}",
    ]


def _over_music(
    voice: NDArray[np.float32], beds: Sequence[NDArray[np.float32]], rng: random.Random
) -> NDArray[np.float32]:
    """The voice at an even level, mostly with music -2 to 12 dB below it."""
    mixed = 0.1 * voice / _level(voice)
    if beds and rng.random() < 0.85:
        chosen = rng.sample(list(beds), min(len(beds), 12))
        music = np.resize(np.concatenate([b / _level(b) for b in chosen]), len(voice))
        mixed = mixed + 0.1 * 10 ** (-rng.uniform(-2, 12) / 20) * music
    return np.asarray(mixed / max(1.0, float(np.abs(mixed).max())), dtype=np.float32)


def _level(samples: NDArray[np.float32]) -> float:
    return float(np.sqrt((samples**2).mean())) + 1e-4
