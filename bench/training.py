"""What fine-tuning gains, and what packing saves.

    python bench/training.py gain DATA WORK [--ways full lora] [--seeds 0 1 2] [--preset base-cpu]
    python bench/training.py packing WORK [--clips 96] [--seconds 5] [--data DATA] [--epochs 1]
    python bench/training.py songs CANCIONES WORK MODEL... [--sample 60]

DATA has a metadata.csv (file_name, transcription).  Every tenth of its different files is held out;
the rest is trained on.  `packing` times an epoch with and without packing: same model, same clips,
same process.  Its clips are made, of one length; with --data they are those of DATA, one after the
other in clips of up to --seconds, and what was held out is written down with both models: the same
number of clips a step both ways, so the same number of steps.  `songs` judges models, the first of
them untrained, on the lines of French songs (JamendoLyrics), by the report: what became of singing
in another language.
"""

from __future__ import annotations

import argparse
import csv
import io
import time
from collections.abc import Iterable, Iterator, Sequence
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
from train.finetune import TrainResult, finetune
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


def joined(rows: Iterable[dict[str, Any]], seconds: float) -> Iterator[dict[str, Any]]:
    """Rows laid one after the other into clips of up to so many seconds, each of one or more."""
    some: list[dict[str, Any]] = []
    for row in rows:
        if some and sum(one["end"] - one["start"] for one in (*some, row)) > seconds:
            yield _one_clip(some)
            some = []
        some.append(row)
    if some:
        yield _one_clip(some)


def _one_clip(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    sounds = [read_sound(row["audio"]) for row in rows]
    return made_row(
        np.concatenate(sounds), " ".join(row["text"] for row in rows), rows[0]["recording"]
    )


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
    judge(models, dataset)


def judge(models: dict[str, Path], dataset: Path) -> None:
    """Print what models make of the split `test`, greedy and with five beams."""
    judged = evaluate(models, dataset, How(precision="float32"))
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
    """Time an epoch both ways, on real Whisper base; with real clips judge both models too."""
    if given.data is None:
        dataset = write(given.work / "made", train=noise(given.clips, given.seconds))
        n_clips = given.clips
    else:
        clips = list(joined(distinct(given.data), given.seconds))
        learned = [one for i, one in enumerate(clips) if i % _HELD_OUT != _HELD_OUT // 2]
        dataset = write(given.work / "real", train=learned, test=clips[_HELD_OUT // 2 :: _HELD_OUT])
        n_clips = len(learned)
    told, models = [], {"base": resolve("base")}
    for together in (True, False):
        name = "packed" if together else "one clip a window"
        models[name] = given.work / f"packing-{together}"
        config = load_toml(
            presets()["base-cpu"],
            model=str(models["base"]),
            output=str(models[name]),
            epochs=given.epochs,
            packing=together,
            batch_size=1 if together else given.clips_a_window,
            checks=0,
            log_to="none",
            seed=0,
        )
        result, seconds = timed(dataset, config)
        told.append((name, result.windows, result.steps, seconds / given.epochs))
        print(*told[-1], flush=True)  # it takes minutes
    table(("", "windows", "steps", "seconds an epoch"), told)
    print(f"{n_clips} clips; ratio: {told[1][3] / told[0][3]:.2f}")
    if given.data is not None:
        judge(models, dataset)


def noise(n_clips: int, seconds: float) -> list[dict[str, Any]]:
    """Made clips of one length, six a recording."""
    rng = np.random.default_rng(0)
    n_samples = round(seconds * SAMPLE_RATE)
    return [
        made_row(0.05 * rng.standard_normal(n_samples), "por la calle abajo", f"r{i // 6}", i % 6)
        for i in range(n_clips)
    ]


def timed(dataset: Path, config: TrainConfig) -> tuple[TrainResult, float]:
    """What was trained, and the seconds of all its steps."""
    began: list[float] = []

    def first_step(stage: str, done: int, _total: int) -> None:
        # The first step warms up; reading the rows is no part of an epoch.
        if stage == "training" and done == 1:
            began.append(time.monotonic())

    result = finetune(dataset, config, progress=first_step)
    return result, (time.monotonic() - began[0]) * result.steps / (result.steps - 1)


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
    packs.add_argument("--data", type=Path)
    packs.add_argument("--epochs", type=int, default=1)
    packs.add_argument("--clips-a-window", type=int, default=5, help="as many as fit, about")
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
