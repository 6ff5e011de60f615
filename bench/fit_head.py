"""Train the head that is shipped, from UltraStar songs and Spanish speech.

    python bench/fit_head.py WHISPER_FOLDER ULTRASTAR_FOLDER SPEECH_FOLDER OUT_FOLDER [--steps N]

About ten minutes on two cores for Whisper base.  Songs under NoDerivatives
licences are left out by --leave-out.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from align.encoder import WhisperEncoder
from align.fit import Features, FitPlan, extract, fit
from align.fit_data import music_without_voice, sung_speech, ultrastar
from align.head import HeadConfig, save_head


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("whisper", "songs", "speech", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--layers", type=int, nargs="+", default=[2, 3, 4, 5, 6])
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--leave-out", nargs="*", default=[], help="song folders to pass over")
    return parser.parse_args()


def gather(given: argparse.Namespace, encoder: WhisperEncoder, scratch: Path) -> list[Features]:
    """Features of all songs and of the speech made to resemble singing."""
    layers = tuple(given.layers)
    songs = list(ultrastar(given.songs, given.leave_out))
    beds = music_without_voice(given.songs, songs, given.leave_out)
    speech = sung_speech(given.speech, beds, random.Random(given.seed))
    data = []
    for k, audio in enumerate([*songs, *speech]):
        data.append(extract(audio, encoder, layers, scratch / f"{k}.npy"))
        print(f"{audio.name}: {len(data[-1].states) / 50:.0f} s", flush=True)
    return data


def main() -> None:
    """Train, and write the head."""
    given = arguments()
    torch.set_num_threads(given.threads)
    encoder = WhisperEncoder(given.whisper)
    config = HeadConfig(
        encoder_width=encoder.width, encoder_layers=encoder.n_layers, layers=tuple(given.layers)
    )
    losses: list[float] = []
    began = time.monotonic()

    def told(step: int, loss: float) -> None:
        losses.append(loss)
        if step % 50 == 0:
            passed = (time.monotonic() - began) / 60
            print(f"step {step}: loss {np.mean(losses[-50:]):.3f}, {passed:.1f} min", flush=True)

    with tempfile.TemporaryDirectory(prefix="cante-fit-") as scratch:
        data = gather(given, encoder, Path(scratch))
        head = fit(data, config, FitPlan(steps=given.steps, seed=given.seed), told)
    save_head(head, given.out)
    print(f"{given.out}: {sum(p.numel() for p in head.parameters())} parameters")


if __name__ == "__main__":
    main()
