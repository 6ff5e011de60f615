"""What engines gain: `corpus align` in one process, in two, and on a Ray that is started here.

    PYTHONPATH=. python bench/engines.py align [--recordings 200] [--workers 2]
    PYTHONPATH=. python bench/engines.py reckon --work 1.9 [--gpus 1 8 64] [--price 2.5]

`align` makes recordings, aligns them by each engine in a corpus of its own, and tells whether all
keep the same.  `reckon` tells on paper, from measured figures, what an archive would take: `--work`
are seconds of a GPU's work for a minute of audio, `--price` is that of an hour of a GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from voces import machine

from corpus.media import SAMPLE_RATE
from corpus.records import Utterance
from corpus.show import table
from corpus.synth.make import make_cantes
from corpus.synth.truth import Cante
from corpus.workspace import Workspace
from tests.corpus.cantes import matched_corpus

_MADE = 20
"""Cantes that are sung; further recordings are the same after another silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a run went: seconds in all and until the first was there, and what was kept."""

    seconds: float
    start: float
    workers: int
    busy: float | None
    utterances: tuple[Utterance, ...]


def cantes(n: int) -> Iterator[Cante]:
    """So many recordings, no two of the same bytes."""
    made = list(make_cantes(min(n, _MADE), seed=1))
    for k in range(n):
        one = made[k % len(made)]
        silence = np.zeros(round(0.3 * (k // len(made)) * SAMPLE_RATE), np.float32)
        yield replace(one, name=f"{one.name}-{k}", audio=np.concatenate([silence, one.audio]))


def ran(template: Path, options: Sequence[str], n_threads: int | None) -> Ran:
    """Align a copy of a corpus by the command."""
    with tempfile.TemporaryDirectory(prefix="cante-engines-") as scratch:
        folder = Path(scratch) / "corpus"
        shutil.copytree(template, folder)
        command = [sys.executable, "-m", "corpus", "--log-json", "-w", str(folder), "align"]
        environment = {**os.environ}
        environment.pop("OMP_NUM_THREADS", None)
        if n_threads is not None:
            environment["OMP_NUM_THREADS"] = str(n_threads)
        began, at = time.monotonic(), time.time()
        run = subprocess.run(
            [*command, *options], env=environment, capture_output=True, text=True, check=False
        )
        seconds = time.monotonic() - began
        if run.returncode:
            raise SystemExit(f"align failed with {run.returncode}: {run.stderr[-2000:]}")
        lines = [json.loads(line) for line in run.stderr.splitlines()]
        first = next(one for one in lines if one["message"] == "landed")
        (summary,) = (one for one in lines if "done" in one and one.get("stage") == "align")
        workspace = Workspace.open(folder)
        utterances = workspace.store.utterances()
        workspace.store.close()
    return Ran(
        seconds=seconds,
        start=datetime.fromisoformat(first["timestamp"]).timestamp() - at,
        workers=summary.get("workers", 1),
        busy=summary.get("busy"),
        utterances=utterances,
    )


def measure(n_recordings: int, n_workers: int) -> None:
    """Measure and print."""
    several = ("--processes", str(n_workers))
    engines: dict[str, tuple[tuple[str, ...], int | None]] = {
        "one process": ((), None),
        "one process, one thread": ((), 1),
        f"{n_workers} processes": (several, None),
        f"Ray, {n_workers} workers": ((*several, "--ray", "local"), None),
    }
    with tempfile.TemporaryDirectory(prefix="cante-engines-") as scratch:
        template = Path(scratch) / "corpus"
        made = list(cantes(n_recordings))
        matched_corpus(template, made).store.close()
        minutes = sum(one.duration for one in made) / 60
        small = Path(scratch) / "small"
        matched_corpus(small, made[:1]).store.close()
        ran(small, (), None)  # numba compiles once and for all
        found = {name: ran(template, *how) for name, how in engines.items()}
    print(f"{n_recordings} recordings, {minutes:.1f} minutes; {machine()}")
    one, _, processes, ray = found.values()
    rows = [
        (
            name,
            round(run.seconds, 1),
            round(run.start, 1),
            round(run.seconds / minutes, 2),
            round(one.seconds / run.seconds, 2),
            "" if run.busy is None else f"{run.busy:.0%}",
        )
        for name, run in found.items()
    ]
    columns = ("align", "seconds", "until the first", "a minute of audio", "speed-up", "busy")
    table(columns, rows)
    whole = ray.seconds / processes.seconds - 1
    later = (ray.seconds - ray.start) / (processes.seconds - processes.start) - 1
    print(f"Ray against processes: {whole:+.1%} in all, {later:+.1%} from the first result on")
    for name, run in found.items():
        same = "the same" if run.utterances == one.utterances else "NOT the same"
        print(f"{name}: {len(run.utterances)} utterances, {same} as by one process")


def reckon(given: argparse.Namespace) -> None:
    """What an archive takes, on paper."""
    work = given.work * given.minutes * given.recordings / 3600
    print(
        f"{given.recordings} recordings of {given.minutes} minutes, {given.work} s of a GPU's work "
        f"a minute, GPUs busy {given.busy:.0%} of the time"
    )
    rows = []
    for n_gpus in given.gpus:
        hours = work / (n_gpus * given.busy)
        cost = "" if given.price is None else f"{hours * n_gpus * given.price:.0f}"
        rows.append((n_gpus, round(hours, 1), round(hours / 24, 2), cost))
    table(("GPUs", "hours", "days", "cost"), rows)


def main() -> None:
    """Measure, or reckon."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    align = verbs.add_parser("align")
    align.add_argument("--recordings", type=int, default=200)
    align.add_argument("--workers", type=int, default=2)
    paper = verbs.add_parser("reckon")
    paper.add_argument("--work", type=float, required=True, help="s a minute of audio")
    paper.add_argument("--recordings", type=int, default=100_000)
    paper.add_argument("--minutes", type=float, default=3.5, help="of a recording")
    paper.add_argument("--gpus", type=int, nargs="+", default=[1, 8, 64])
    paper.add_argument("--busy", type=float, default=0.9)
    paper.add_argument("--price", type=float)
    given = parser.parse_args()
    if given.verb == "align":
        measure(given.recordings, given.workers)
    else:
        reckon(given)


if __name__ == "__main__":
    main()
