"""What a head is trained on: audio with words in time, such as songs of UltraStar.

https://usdx.eu/format
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.errors import TrainError
from corpus.lyrics.base import read_text
from corpus.media import SAMPLE_RATE
from corpus.records import Word
from corpus.text import clean, letters

__all__ = [
    "Change",
    "Lines",
    "Song",
    "Spans",
    "TimedAudio",
    "heard",
    "music_without_voice",
    "read_notes",
    "sung_spans",
    "timed",
    "ultrastar",
    "ultrastar_songs",
]

Lines = tuple[tuple[Word, ...], ...]
Spans = tuple[tuple[float, float], ...]
"""(start, end) in seconds, in order."""
Change = Callable[[], tuple[float, float]]
"""Gives a tempo and a shift in semitones."""

# No song has a beat of ten digits.
_NOTE = re.compile(r"[:*F] (-?\d{1,9}) (\d{1,9}) -?\d+ ?(.*)$")
_BED_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedAudio:
    """Audio at 16 kHz with its words by line; `tolerance` s is how far off their times may be.

    `voice` is when somebody sings or speaks, (start, end) in seconds and in order;
    `unsure` where that is not known.
    """

    name: str
    samples: NDArray[np.float32]
    lines: Lines
    voice: Spans
    tolerance: float
    weight: float = 1.0
    language: str = "es"
    unsure: Spans = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Song:
    """A song on disk: its audio file, and its words by line as somebody timed them.

    `unsure` is where it is not known whether somebody sings; `has_ends` tells
    whether the ends of lines were timed too.
    """

    name: str
    audio: Path
    lines: Lines
    tolerance: float
    language: str
    unsure: Spans = ()
    has_ends: bool = True


def timed(songs: Iterable[Song], change: Change | None = None) -> Iterator[TimedAudio]:
    """Songs with their audio; `change` gives each a tempo and a shift in semitones.

    Raises TrainError when a file cannot be decoded.
    """
    for song in songs:
        tempo, semitones = change() if change else (1.0, 0.0)
        lines = _at_tempo(song.lines, tempo)
        yield TimedAudio(
            name=song.name + (f" x{tempo:.2f} {semitones:+.1f}" if change else ""),
            samples=heard(song.audio, *_changed(tempo, semitones)),
            lines=lines,
            voice=sung_spans(lines),
            tolerance=song.tolerance,
            language=song.language,
            unsure=tuple((start / tempo, end / tempo) for start, end in song.unsure),
        )


def ultrastar(
    folder: Path, leave_out: Sequence[str] = (), change: Change | None = None
) -> Iterator[TimedAudio]:
    """The English songs of a folder of UltraStar songs; `leave_out` names those to pass over.

    `change` is as in `timed`.  Raises TrainError when there is no song.
    """
    yield from timed(ultrastar_songs(folder, "en", leave_out), change)


def ultrastar_songs(folder: Path, language: str, leave_out: Sequence[str] = ()) -> list[Song]:
    """The songs of a folder that holds one subfolder a song, named by it.

    Raises TrainError when there is no song, or one without audio or tempo.
    """
    found = [s for s in sorted(folder.glob("*/song.txt")) if s.parent.name not in leave_out]
    if not found:
        raise TrainError(f"{folder} holds no UltraStar songs: each needs a song.txt and its audio")
    return [_ultrastar_song(path, language) for path in found]


def _ultrastar_song(path: Path, language: str) -> Song:
    audio = next(path.parent.glob("audio.*"), None)
    if audio is None:
        raise TrainError(f"{path.parent} has no audio file: put audio.ogg or audio.mp3 there")
    return Song(
        name=path.parent.name,
        audio=audio,
        lines=read_notes(read_text(path), language),
        tolerance=0.15,
        language=language,
    )


def _changed(tempo: float, semitones: float) -> list[str]:
    """FFmpeg's filter for a tempo and a shift that do not touch each other."""
    if tempo == 1 and not semitones:
        return []
    return [f"rubberband=tempo={tempo:.4f}:pitch={2 ** (semitones / 12):.4f}"]


def _at_tempo(lines: Lines, tempo: float) -> Lines:
    return tuple(
        tuple(replace(word, start=word.start / tempo, end=word.end / tempo) for word in line)
        for line in lines
    )


def sung_spans(lines: Lines, bridge: float = 0.25) -> Spans:
    """When the words sound, (start, end) in seconds; gaps up to `bridge` s count as sung."""
    spans: list[tuple[float, float]] = []
    for start, end in sorted((word.start, word.end) for line in lines for word in line):
        if spans and start - spans[-1][1] <= bridge:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((start, end))
    return tuple(spans)


def read_notes(text: str, language: str = "en") -> Lines:
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
            syllables.append((line, fresh, clean(syllable), start, start + int(note[2]) * beat))
            fresh = syllable.endswith(" ") or (fresh and not syllable.strip())
    return _words_by_line(syllables, language)


def _header(text: str, key: str) -> float:
    found = re.search(rf"^#{key}:\s*(\d{{1,9}}(?:[.,]\d{{0,9}})?)", text, re.MULTILINE)
    return float(found[1].replace(",", ".")) if found else 0.0


def _words_by_line(
    syllables: Sequence[tuple[int, bool, str, float, float]], language: str
) -> Lines:
    lines = []
    for _, of_line in groupby(syllables, key=lambda s: s[0]):
        words: list[Word] = []
        for _, fresh, text, start, end in of_line:
            if text and (fresh or not words):
                words.append(Word(text=text, start=max(0, start), end=max(0, end)))
            elif words:  # "~" and empty notes hold the word before
                begun = words.pop()
                # Of notes out of order, the last to sound counts.
                last = max(begun.end, end)
                words.append(Word(text=begun.text + text, start=begun.start, end=last))
        lines.append(tuple(w for w in words if letters(w.text, language)))
    return tuple(line for line in lines if line)


def heard(path: Path, *filters: str) -> NDArray[np.float32]:
    """The audio of a file at 16 kHz mono, after FFmpeg's filters; TrainError when it has none."""
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
        samples, length = heard(path), int(_BED_SECONDS * SAMPLE_RATE)
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
