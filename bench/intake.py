"""Intake of many short files against the same conversions in a plain parallel shell loop.

    python bench/intake.py [--files 1000] [--seconds 3] [--rounds 3]

Both take the files into 16 kHz mono FLAC on all cores; `corpus collect` also hashes,
copies, reads tags, measures, takes fingerprints and keeps records.  Rounds take
turns, since machines are noisy.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from corpus.workspace import Workspace

RATE = 44_100


def make(folder: Path, n_files: int, seconds: float) -> None:
    """Short tones with noise, each different, as MP3."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    clock = np.arange(int(RATE * seconds)) / RATE
    for k in range(n_files):
        tone = 0.3 * np.sin(2 * np.pi * (200 + k) * clock) + rng.normal(0, 0.01, len(clock))
        wav = folder / "made.wav"
        soundfile.write(wav, tone, RATE)
        target = folder / f"{k:05d}.mp3"
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-i", str(wav), "-b:a", "128k", str(target)], check=True
        )
        wav.unlink()


def by_shell(folder: Path, out: Path) -> float:
    """Seconds that the plain loop takes."""
    out.mkdir()
    convert = (
        'ffmpeg -nostdin -v error -y -i "$0" -map 0:a:0 -ac 1 -ar 16000 -sample_fmt s16'
        f' -c:a flac "{out}/$(basename "$0").flac"'
    )
    names = "\n".join(str(p) for p in sorted(folder.glob("*.mp3")))
    began = time.perf_counter()
    loop = ["xargs", "-P", str(os.cpu_count()), "-n", "1", "sh", "-c", convert]
    subprocess.run(loop, input=names, text=True, check=True)
    return time.perf_counter() - began


def by_corpus(folder: Path, workspace: Path) -> float:
    """Seconds that `corpus collect` takes, its start included."""
    Workspace.create(workspace).store.close()
    command = [sys.executable, "-m", "corpus", "-w", str(workspace), "collect", str(folder)]
    began = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - began


def main() -> None:
    """Print the seconds of both, their ratio, and the peak memory of the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        make(place / "files", given.files, given.seconds)
        shell, corpus = [], []
        for k in range(given.rounds):
            shell.append(by_shell(place / "files", place / f"shell{k}"))
            corpus.append(by_corpus(place / "files", place / f"corpus{k}"))
            shutil.rmtree(place / f"shell{k}")
            shutil.rmtree(place / f"corpus{k}")
            print(f"shell {shell[-1]:.1f} s, corpus {corpus[-1]:.1f} s", flush=True)
    ratio = statistics.median(c / s for c, s in zip(corpus, shell, strict=True))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"{given.files / statistics.median(corpus):.1f} files a second; {ratio:.2f} times as long"
    )
    print(f"largest process {peak:.0f} MB")


if __name__ == "__main__":
    main()
