"""What fine-tuning gains, and what packing saves.

    python bench/training.py gain DATA WORK [--ways full lora] [--seeds 0 1 2] [--preset base-cpu]
    python bench/training.py packing WORK [--clips 96] [--seconds 5]
    python bench/training.py songs CANCIONES WORK MODEL... [--sample 60]

DATA has a metadata.csv (file_name, transcription).  Every tenth of its different files is held out;
the rest is trained on.  `packing` times an epoch of made clips of one length with and without
packing: same model, same clips, same process.  `songs` judges models, the first of them untrained,
on the lines of French songs (JamendoLyrics), by the report: what became of singing in another
language.
"""

from __future__ import annotations

import argparse
import csv
import io
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from songs import jamendo
from voces import machine

from corpus.media import SAMPLE_RATE, hash_file
from corpus.models import resolve
from corpus.show import table
from train.config import TrainConfig, load_toml, presets
from train.data import open_splits, read_sound
from train.evaluate import How, evaluate
from train.finetune import finetune
from train.page import table_of_models, write_report

_HELD_OUT = 10  # every so manieth


def distinct(data: Path) -> list[dict[str, Any]]:
    """Rows of a table, each different file once, as 16 kHz FLAC as a release has them."""
    with (data / "metadata.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    by_digest = {hash_file(data / one["file_name"]): one for one in reversed(rows)}
    return [
        made_row(sounding(data / one["file_name"]), one["transcription"], one["file_name"])
        for one in reversed(by_digest.values())
    ]


def sounding(path: Path) -> Any:
    """The samples of a file."""
    return read_sound({"bytes": path.read_bytes(), "path": path.name})


def made_row(samples: Any, text: str, recording: str, start: float = 0.0) -> dict[str, Any]:
    """A row as a release has it."""
    out = io.BytesIO()
    soundfile.write(out, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return {
        "audio": {"bytes": out.getvalue(), "path": None},
        "text": text,
        "recording": recording,
        "start": start,
        "end": start + len(samples) / SAMPLE_RATE,
    }


def write(folder: Path, **splits: list[dict[str, Any]]) -> Path:
    """The rows as a dataset that `corpus train` opens."""
    from datasets import Audio, Features, Value

    text, number = Value("string"), Value("float64")
    features = Features(
        {"audio": Audio(), "text": text, "recording": text, "start": number, "end": number}
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in splits.items():
        found = pa.Table.from_pylist(rows, schema=features.arrow_schema)
        pq.write_table(found, folder / f"{name}-00000-of-00001.parquet")
    return folder


def gain(given: argparse.Namespace) -> None:
    """Fine-tune each way with each seed; WER on what was held out."""
    rows = distinct(given.data)
    held_out = rows[_HELD_OUT // 2 :: _HELD_OUT]
    dataset = write(
        given.work / "dataset",
        train=[row for i, row in enumerate(rows) if i % _HELD_OUT != _HELD_OUT // 2],
        test=held_out,
    )
    base = resolve("base")
    models = {"base": base}
    told = []
    for way in given.ways:
        for seed in given.seeds:
            name = f"{way} {seed}"
            output = given.work / f"{way}-{seed}"
            config = load_toml(
                presets()[given.preset],
                model=str(base),
                output=str(output),
                lora=way == "lora",
                seed=seed,
                precision=given.precision,
                **({"learning_rate": given.lora_rate, "rank": 32} if way == "lora" else {}),
            )
            result = finetune(dataset, config)
            models[name] = output
            told.append((name, result.steps, round(result.seconds), round(result.loss_last, 3)))
            table(("run", "steps", "seconds", "loss"), told)
    judged = evaluate(models, dataset, How())
    beam = evaluate(models, dataset, How(beam=5, backend="faster-whisper"))
    table(
        ("model", "WER", "from", "to", "CER", "words", "WER, 5 beams"),
        [
            (
                one.model,
                one.as_sung.value,
                one.as_sung.low,
                one.as_sung.high,
                one.characters.value,
                one.as_sung.n,
                other.as_sung.value,
            )
            for one, other in zip(judged.findings, beam.findings, strict=True)
        ],
    )


def packing(given: argparse.Namespace) -> None:
    """Time an epoch both ways: made clips, real Whisper base."""
    rng = np.random.default_rng(0)
    n_samples = round(given.seconds * SAMPLE_RATE)
    rows = [
        made_row(0.05 * rng.standard_normal(n_samples), "por la calle abajo", f"r{i // 6}", i % 6)
        for i in range(given.clips)
    ]
    dataset = write(given.work / "made", train=rows)
    base = TrainConfig(
        model=str(resolve("base")), output="", epochs=1, checks=0, log_to="none", seed=0
    )
    told = []
    for together in (True, False):
        output = str(given.work / f"packing-{together}")
        config = replace(base, output=output, packing=together)
        began: list[float] = []

        def first_step(stage: str, done: int, _total: int, began: list[float] = began) -> None:
            # The first step warms up; reading the rows is no part of an epoch.
            if stage == "training" and done == 1:
                began.append(time.monotonic())

        result = finetune(dataset, config, progress=first_step)
        seconds = (time.monotonic() - began[0]) * result.steps / (result.steps - 1)
        told.append(("packed" if together else "one clip a window", result.windows, seconds))
    table(("", "windows", "seconds an epoch"), told)
    print(f"ratio: {told[1][2] / told[0][2]:.2f}")


def songs(given: argparse.Namespace) -> None:
    """Judge models on the lines of songs, and write the report."""
    rows = []
    for song in (one for one in jamendo(given.data) if one.language == "fr"):
        spans = np.split(song.truth, np.cumsum([len(line.split()) for line in song.lines])[:-1])
        for line, span in zip(song.lines, spans, strict=True):
            first, last = span[0, 0], span[-1, 1]
            sound = song.samples[round(first * SAMPLE_RATE) : round(last * SAMPLE_RATE)]
            rows.append(made_row(sound, line, song.name, first))
    dataset = write(given.work / "songs", test=rows)
    models = {name: resolve(name) for name in given.models}
    report = evaluate(
        models, dataset, How(language="fr", sample=given.sample, precision="bfloat16")
    )
    split = open_splits(dataset)["test"]
    print(write_report(report, given.work / "report", sound=split.sound))
    print(table_of_models(report))


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = parser.add_subparsers(required=True)
    gained = kinds.add_parser("gain")
    gained.add_argument("data", type=Path)
    gained.add_argument("work", type=Path)
    gained.add_argument("--ways", nargs="+", default=["full", "lora"])
    gained.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    gained.add_argument("--preset", default="base-cpu")
    gained.add_argument("--lora-rate", type=float, default=5e-4)
    gained.add_argument("--precision", default="auto")
    gained.set_defaults(run=gain)
    packs = kinds.add_parser("packing")
    packs.add_argument("work", type=Path)
    packs.add_argument("--clips", type=int, default=96)
    packs.add_argument("--seconds", type=float, default=5.0)
    packs.set_defaults(run=packing)
    sung = kinds.add_parser("songs")
    sung.add_argument("data", type=Path)
    sung.add_argument("work", type=Path)
    sung.add_argument("models", nargs="+")
    sung.add_argument("--sample", type=int, default=60)
    sung.set_defaults(run=songs)
    given = parser.parse_args()
    print(f"machine: {machine()}")
    given.run(given)


if __name__ == "__main__":
    main()
