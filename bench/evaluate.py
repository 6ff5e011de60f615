"""How fast models are judged, and whether both backends write the same.

    python bench/evaluate.py DATA [--clips 60] [--seconds 12] [--threads 2] [--beam 5]

DATA has a metadata.csv (file_name, transcription).  With --seconds its clips, one after the other,
make up longer ones: utterances of cante last that long, and those of DATA may be a second each.
The plain way is the pipeline of transformers, one clip at a time; times are those of reading and
writing, without opening the model.
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from training import joined, made_row, sounding, write
from voces import machine

from corpus.models import resolve
from corpus.show import table
from train.backends import BackendName
from train.config import Precision
from train.data import read_sound
from train.evaluate import How, evaluate
from train.findings import Finding
from train.metrics import score
from train.quiet import quiet

WAYS: tuple[tuple[BackendName, Precision], ...] = (
    ("transformers", "float32"),
    ("transformers", "bfloat16"),
    ("faster-whisper", "float32"),
)


def clips(data: Path, n: int, seconds: float) -> list[dict[str, Any]]:
    """So many rows, spread over the table: each of one clip, or of several in so many seconds."""
    with (data / "metadata.csv").open(encoding="utf-8", newline="") as file:
        told = list(csv.DictReader(file))
    begins = range(0, len(told), max(1, len(told) // n))[:n]
    return [next(joined((_row(data, one) for one in told[at:]), seconds)) for at in begins]


def _row(data: Path, told: dict[str, str]) -> dict[str, Any]:
    return made_row(sounding(data / told["file_name"]), told["transcription"], told["file_name"])


@quiet()
def plain(model: Path, rows: Sequence[dict[str, Any]], beam: int) -> tuple[float, float | None]:
    """Seconds and WER of the pipeline of transformers, which takes 5 beams unless it is told."""
    from transformers import pipeline

    ask: Any = pipeline("automatic-speech-recognition", model=str(model), device="cpu")
    said = {"language": "es", "task": "transcribe", "num_beams": beam}
    began = time.monotonic()
    texts = [
        ask({"raw": read_sound(row["audio"]), "sampling_rate": 16_000}, generate_kwargs=said)[
            "text"
        ]
        for row in rows
    ]
    return time.monotonic() - began, score([row["text"] for row in rows], texts).wer


def judged(model: Path, folder: Path, how: How) -> Finding:
    """One model judged one way."""
    return evaluate({"model": model}, folder, how).findings[0]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with metadata.csv")
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--model", default="base")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=8)
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(given.threads)
    import torch

    torch.set_num_threads(given.threads)
    rows, model = clips(given.data, given.clips, given.seconds), resolve(given.model)
    how = How(device="cpu", batch_size=given.batch_size)
    cells: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = write(Path(name), test=rows)
        for beam in sorted({1, given.beam}):
            first, wer = plain(model, rows, beam)
            cells.append(("pipeline", beam, round(first, 1), 1.0, wer))
            for backend, precision in WAYS:
                asked = replace(how, backend=backend, precision=precision, beam=beam)
                one = judged(model, folder, asked)
                ratio = round(first / one.seconds, 2)
                way = f"{backend}, {precision}"
                cells.append((way, beam, round(one.seconds, 1), ratio, one.as_sung.value))
                print(*cells[-2:], flush=True)  # it takes minutes
    length = sum(row["end"] for row in rows) / len(rows)
    print(f"machine: {machine()}, {given.threads} threads; {len(rows)} clips of {length:.1f} s")
    table(("backend", "beams", "seconds", "times as fast", "WER"), cells)


if __name__ == "__main__":
    main()
