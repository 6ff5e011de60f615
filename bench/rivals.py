"""Other ways to place known words on a song, to be measured in the same run as ours.

    python bench/rivals.py CANCIONES_FOLDER WHISPER_FOLDER [--head HEAD_FOLDER] [--stable-ts FOLDER]

CANCIONES_FOLDER is as in bench/alignment.py.
Every rival gives the start and end of each word in seconds, shape (n_words, 2), NaN
where it gives none:

- `evenly`: words spread evenly, which is what knowing nothing costs;
- `stable_ts`: Whisper's cross-attention (https://github.com/jianfch/stable-ts), in an
  environment of its own that uv makes;
- `whisperx_align`: WhisperX's trellis (Bain et al., Interspeech 2023) on our emissions.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from songs import Song, jamendo, line_hits
from whisperx.alignment import backtrack, get_trellis, merge_repeats

from align.emissions import WhisperCTC
from align.graph import build_graph
from align.labels import LABELS
from align.viterbi import best_path
from corpus.media import SAMPLE_RATE, ArraySamples
from corpus.text import letters

STABLE_TS = "2.19.1"
RUNNER = Path(__file__).with_name("stable_ts_runner.py")

LANGUAGES = {"English": "en", "French": "fr", "German": "de", "Spanish": "es"}

Times = NDArray[np.float64]


def words_of(lines: Sequence[str]) -> list[str]:
    """The words of all lines."""
    return [word for line in lines for word in line.split()]


def evenly(lines: Sequence[str], duration: float) -> Times:
    """Words of equal length from the first to the last second."""
    bounds = np.linspace(0, duration, len(words_of(lines)) + 1)
    return np.stack([bounds[:-1], bounds[1:]], axis=1)


def stable_ts(
    samples: NDArray[np.float32], lines: Sequence[str], language: str, model_folder: Path
) -> Times:
    """stable-ts with the Whisper of a folder of either form, line breaks kept.

    Raises CalledProcessError when the environment cannot be made or stable-ts fails.
    """
    with tempfile.TemporaryDirectory() as name:
        audio, text, out = (Path(name) / file for file in ("a.wav", "lines.json", "words.json"))
        soundfile.write(audio, samples, SAMPLE_RATE, subtype="PCM_16")
        text.write_text(json.dumps(list(lines)), "utf-8")
        job = [str(model_folder.resolve()), language, str(audio), str(text), str(out)]
        subprocess.run([*_stable_ts_python(), str(RUNNER), *job], check=True, capture_output=True)
        pieces = json.loads(out.read_text("utf-8"))
    return regrouped(pieces, words_of(lines))


def _stable_ts_python() -> list[str]:
    """A Python that has stable-ts, with the torch and the Whispers that are used here too."""
    # torchaudio's newest release is built for another torch than the newest.
    same = ("torch", "torchaudio", "transformers", "faster-whisper")
    wanted = [f"stable-ts=={STABLE_TS}", *(f"{name}=={version(name)}" for name in same)]
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = ["uv", "run", "--no-project", "--isolated", "--python", python]
    return [*command, *(part for one in wanted for part in ("--with", one)), "python"]


def regrouped(pieces: Sequence[tuple[str, float, float]], words: Sequence[str]) -> Times:
    """The times of words from those of pieces that spell the same text, cut elsewhere.

    A word that no piece spells has none.
    """
    spelled = [(sign, start, end) for text, start, end in pieces for sign in "".join(text.split())]
    found = np.full((len(words), 2), np.nan)
    at = 0
    for i, word in enumerate(words):
        mine = spelled[at : at + len(word)]
        if "".join(sign for sign, _, _ in mine) == word:
            found[i] = mine[0][1], mine[-1][2]
            at += len(word)
    return found


def _codes(
    lines: Sequence[str], labels: Sequence[str], language: str
) -> tuple[list[int], list[int]]:
    """The column of every letter, and the word that it belongs to."""
    column = {label: i for i, label in enumerate(labels)}
    spelled = [
        (column[c], i)
        for i, word in enumerate(words_of(lines))
        for c in letters(word, language)
        if c in column
    ]
    return [code for code, _ in spelled], [word for _, word in spelled]


def whisperx_path(emissions: NDArray[np.float32], codes: Sequence[int]) -> list[Any] | None:
    """WhisperX's points (token_index, time_index), or None where it finds no path."""
    heard = torch.from_numpy(emissions)
    path: list[Any] | None = backtrack(get_trellis(heard, codes, 0), heard, codes, 0)
    return path


def whisperx_align(
    emissions: NDArray[np.float32],
    lines: Sequence[str],
    *,
    labels: Sequence[str] = LABELS,
    language: str = "es",
    frame_rate: float = 50.0,
) -> Times:
    """WhisperX's trellis over a song in one piece, on emissions of shape (n_frames, n_labels).

    Spaces are left out, as WhisperX does where a model has no label for them.
    """
    found = np.full((len(words_of(lines)), 2), np.nan)
    codes, owners = _codes(lines, labels, language)
    path = whisperx_path(emissions, codes)
    if path is None:
        return found
    segments = merge_repeats(path, "".join(labels[code] for code in codes))
    for segment, word in zip(segments, owners, strict=True):
        start, end = segment.start / frame_rate, segment.end / frame_rate
        found[word] = np.fmin(found[word, 0], start), np.fmax(found[word, 1], end)
    return found


def trellis_seconds(
    emissions: NDArray[np.float32],
    lines: Sequence[str],
    *,
    labels: Sequence[str] = LABELS,
    language: str = "es",
    n_times: int = 3,
) -> tuple[float, float]:
    """Seconds that WhisperX's trellis and its way back take, and those of ours; best of `n_times`.

    Ours is compiled before the clock starts.
    """
    codes, _ = _codes(lines, labels, language)
    graph = build_graph([line.split() for line in lines], labels, language)
    best_path(emissions, graph)
    theirs = min(_seconds(lambda: whisperx_path(emissions, codes)) for _ in range(n_times))
    ours = min(_seconds(lambda: best_path(emissions, graph)) for _ in range(n_times))
    return theirs, ours


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def measured(songs: Sequence[Song], found: Sequence[Times]) -> str:
    """Mean and median onset error, share within 0.3 s, share of lines, and words without time.

    A word without a time counts as wrong in both shares, and not in the errors.
    """
    pairs = list(zip(songs, found, strict=True))
    errors = np.concatenate([np.abs(times - song.truth)[:, 0] for song, times in pairs])
    hits = [hit for song, times in pairs for hit in line_hits(song, times)]
    figures = np.nanmean(errors), np.nanmedian(errors), (errors <= 0.3).mean(), np.mean(hits)
    missing = int(np.isnan(errors).sum())
    return "".join(f"{figure:9.3f}" for figure in figures) + f"{missing:9d}"


@dataclass(frozen=True)
class Sung:
    """A song and what our model hears of it, shape (n_frames, n_labels)."""

    song: Song
    letters: NDArray[np.float32]


def compare(sung: Sequence[Sung], labels: Sequence[str], whisper: Path) -> None:
    """Print how well each rival places all words."""
    ways: dict[str, Callable[[Sung], Times]] = {
        "evenly": lambda one: evenly(one.song.lines, len(one.song.samples) / SAMPLE_RATE),
        "whisperx on our emissions": lambda one: whisperx_align(
            one.letters, one.song.lines, labels=labels, language=one.song.language
        ),
        "stable-ts": lambda one: stable_ts(
            one.song.samples, one.song.lines, one.song.language, whisper
        ),
    }
    print(f"{'':28}{'mean':>9}{'median':>9}{'<=0.3':>9}{'lines':>9}{'missing':>9}{'seconds':>9}")
    for name, way in ways.items():
        began = time.monotonic()
        found = [way(one) for one in sung]
        passed = time.monotonic() - began
        print(f"{name:28}{measured([one.song for one in sung], found)}{passed:9.1f}", flush=True)


def race(sung: Sequence[Sung], labels: Sequence[str]) -> None:
    """Print what the search for the path takes, theirs against ours."""
    ratios = []
    for one in sung:
        theirs, ours = trellis_seconds(
            one.letters, one.song.lines, labels=labels, language=one.song.language
        )
        ratios.append(theirs / ours)
        print(f"{one.song.name[:34]:34}{theirs:9.3f} s, ours {ours:.3f} s: {ratios[-1]:.1f}")
    print(f"whisperx's trellis takes {np.exp(np.mean(np.log(ratios))):.1f} times as long as ours")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("whisper", type=Path)
    parser.add_argument("--head", type=Path)
    parser.add_argument("--stable-ts", type=Path, help="the same Whisper in another form for it")
    given = parser.parse_args()
    torch.set_num_threads(1)
    model = WhisperCTC(given.whisper, given.head, device="cpu")
    songs = jamendo(given.folder)
    sung = [Sung(song, model.hear(ArraySamples(song.samples)).letters) for song in songs]
    compare(sung, model.labels, given.stable_ts or given.whisper)
    race(sung, model.labels)


if __name__ == "__main__":
    main()
