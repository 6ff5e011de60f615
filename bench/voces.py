"""Real voices the whole way: `python bench/voces.py ../voces-es WORK [--minutes 30]`.

Takes the utterances of a folder in AudioFolder layout (metadata.csv with
file_name and transcription) in through the real commands, publishes them,
fine-tunes Whisper base and prints WER and CER on a fixed held-out tenth before
and after, with the wall time and the peak memory of each stage.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
from pathlib import Path

from corpus.demo import Ran, run
from corpus.show import table


def machine() -> str:
    """Say what the figures were measured on."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name(0)
    return f"{os.cpu_count()} CPU cores, {platform.machine()}, no accelerator"


def write_table(data: Path, work: Path) -> Path:
    """Write the table that `corpus collect` reads: link and transcription."""
    path = work / "voces.csv"
    with (
        (data / "metadata.csv").open(encoding="utf-8", newline="") as given,
        path.open("w", encoding="utf-8", newline="") as out,
    ):
        rows = csv.DictReader(given)
        writer = csv.writer(out)
        writer.writerow(("link", "transcription"))
        for row in rows:
            writer.writerow(((data / row["file_name"]).resolve(), row["transcription"]))
    return path


def stages(data: Path, work: Path, minutes: float) -> dict[str, Ran]:
    """Run every command and give what each took."""
    home = work / "corpus"
    ran = {"init": run(("init", str(home)), work)}
    ran["collect"] = run(("collect", str(write_table(data, work))), home)
    # Real data: a few texts say more than the voice does, and cannot be placed.
    ran["align"] = run(("align",), home, flawed=True)
    shares = ("--train", "0.9", "--validation", "0", "--test", "0.1")
    ran["publish"] = run(("publish", "../dataset", "--min-tier", "bronze", *shares), home)
    budget = ("--minutes", str(minutes), "--no-judge")
    ran["train"] = run(("train", "../dataset", "--output", "../model", *budget), home)
    judge = ("evaluate", "base", "../model", "--on", "../dataset", "--json")
    ran["evaluate"] = run(judge, home, capture=True)
    return ran


def main() -> None:
    """Run it all and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with metadata.csv")
    parser.add_argument("work", type=Path, help="folder to work in; must be new")
    parser.add_argument("--minutes", type=float, default=30.0, help="budget of the fine-tuning")
    given = parser.parse_args()
    given.work.mkdir(parents=True)
    ran = stages(given.data, given.work, given.minutes)
    print(f"machine: {machine()}")
    rows = [(name, round(r.seconds, 1), round(r.peak_mb)) for name, r in ran.items()]
    table(("stage", "seconds", "peak MB"), rows)
    judged = json.loads(ran["evaluate"].stdout)["models"]
    names = ("Whisper base", "fine-tuned")
    table(
        ("model", "WER", "CER", "utterances", "words"),
        [
            (name, one["wer"], one["cer"], one["utterances"], one["words"])
            for name, one in zip(names, judged, strict=True)
        ],
    )


if __name__ == "__main__":
    main()
