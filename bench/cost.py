"""What `corpus align-file` costs: its start, and an hour of singing with 3,000 words.

    python bench/cost.py [--minutes 60]

Synthetic cante is sung (corpus.synth) and repeated until the time is full; the command
runs in a process of its own, whose peak memory is read when it ends.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from corpus.media import SAMPLE_RATE
from corpus.synth.make import make_cante


def ran(audio: NDArray[np.float32], text: str, folder: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of aligning a text with audio."""
    soundfile.write(str(folder / "a.wav"), audio, SAMPLE_RATE)
    (folder / "a.txt").write_text(text, "utf-8")
    files = [str(folder / "a.wav"), str(folder / "a.txt")]
    command = [sys.executable, "-m", "corpus", "align-file", *files]
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"align-file failed with {child.returncode}")
    return time.monotonic() - began, used.ru_maxrss / 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    given = parser.parse_args()
    made = [make_cante(seed=seed, verses=4) for seed in range(3)]
    with tempfile.TemporaryDirectory(prefix="cante-cost-") as scratch:
        folder = Path(scratch)
        moment = made[0].audio[: 5 * SAMPLE_RATE]
        ran(moment, "ay", folder)  # numba compiles once and for all
        start, memory = ran(moment, "ay", folder)
        print(f"5 s of audio and one word: {start:.1f} s, {memory:.0f} MB")
        once = np.concatenate([one.audio for one in made])
        n_times = -(-given.minutes * 60 * SAMPLE_RATE // len(once))
        audio = np.tile(once, n_times)[: given.minutes * 60 * SAMPLE_RATE]
        lines = [line.text for one in made for verse in one.verses for line in verse.sung]
        text = "\n".join(lines * (n_times - 1))
        took, memory = ran(audio, text, folder)
        print(
            f"{given.minutes} minutes and {len(text.split())} words: {took:.0f} s "
            f"({(took - start) / given.minutes:.2f} s a minute after the start), {memory:.0f} MB"
        )


if __name__ == "__main__":
    main()
