"""What a release costs: 1,000 recordings of 3 minutes, 20,000 utterances, and its rivals.

    python bench/release.py [--recordings 1000]

Made audio (20 voices, each under 50 names); every stage in a process of its own, whose memory is
watched.  The rivals: pydub, which opens the file of each clip, slices and exports it (a sample of
the clips, since it takes a second each); and `datasets`, given clips that were cut before:
cast_column(Audio) and save_to_disk.  The files of the clips are in memory (they were just written).
What cutting them costs, by soundfile, each recording read once, in two processes, is told too.
Nobody's imports are counted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from corpus.media import SAMPLE_RATE, flac_bytes
from corpus.records import Recording, Tier, Utterance
from corpus.rows import AlignedRecording
from corpus.show import table
from corpus.workspace import Workspace

SECONDS, CLIPS, VOICES = 180.0, 20, 20
PALOS = ("soleares", "seguiriyas", "bulerías", "tientos", "fandangos", "malagueñas", "tonás")


def voice(seed: int) -> NDArray[np.float32]:
    """Three minutes of a gliding tone with overtones, a level that comes and goes, and hiss."""
    rng = np.random.default_rng(seed)
    n_samples = round(SECONDS * SAMPLE_RATE)
    notes = np.interp(
        np.arange(n_samples),
        np.linspace(0, n_samples, 300),
        rng.normal(250, 40, 300).cumsum() % 200,
    )
    phase = 2 * np.pi * np.cumsum(180 + notes) / SAMPLE_RATE
    sung = sum(np.sin(k * phase) / k for k in range(1, 9))
    level = np.interp(
        np.arange(n_samples), np.linspace(0, n_samples, 400), rng.uniform(0.02, 0.25, 400)
    )
    sound: NDArray[np.float32] = (sung * level + rng.normal(0, 0.004, n_samples)).astype(np.float32)
    return sound


def fill(root: Path, n_recordings: int) -> None:
    """Make a workspace: recordings, their audio (each file under many names), utterances."""
    root.mkdir(parents=True)
    workspace = Workspace.create(root)
    sounds = []
    for seed in range(VOICES):
        path = root / f"voice-{seed}.flac"
        path.write_bytes(flac_bytes(voice(seed)))
        sounds.append(path)
    step = SECONDS / CLIPS
    with workspace.store.transaction() as transaction:
        for k in range(n_recordings):
            one = Recording(
                id=hashlib.sha256(str(k).encode()).hexdigest(),
                source=f"made {k}",
                title=f"cante {k}",
                artist=f"voz {k % 60}",
                palo=PALOS[k % len(PALOS)],
                year=1930 + k % 90,
                duration=SECONDS,
            )
            path = workspace.media.flac(one.id)
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(sounds[k % VOICES], path)
            utterances = tuple(
                Utterance(
                    recording=one.id,
                    start=i * step + 0.3,
                    end=(i + 1) * step - 0.2,
                    text=f"por la calle abajo {k}\nva la pena mía {i}",
                    score=0.9,
                    tier=Tier.SILVER,
                )
                for i in range(CLIPS)
            )
            transaction.save([one, AlignedRecording(recording=one.id, utterances=utterances)])
    workspace.store.close()


# ---- the stages, each in a process of its own


def by_corpus(root: Path, target: Path) -> float:
    """Seconds that the stage behind `corpus release` takes."""
    import datasets
    import matplotlib.figure

    from corpus.publish.release import Options, release

    _ = datasets, matplotlib.figure
    began = time.perf_counter()
    shares = {"train": 0.8, "validation": 0.1, "test": 0.1}
    release(Workspace.open(root), "bench", target, Options(shares=shares))
    return time.perf_counter() - began


def by_pydub(root: Path, target: Path, n_clips: int = 60) -> float:
    """Seconds a clip: open the recording, slice, export."""
    from pydub import AudioSegment

    workspace = Workspace.open(root)
    mine = workspace.store.utterances()[:: max(1, len(workspace.store.utterances()) // n_clips)]
    target.mkdir()
    began = time.perf_counter()
    for one in mine:
        whole = AudioSegment.from_file(workspace.media.flac(one.recording), "flac")
        clip = whole[round(one.start * 1000) : round(one.end * 1000)]
        clip.export(target / f"{one.id}.flac", "flac")
    return (time.perf_counter() - began) / len(mine)


def cut_before(release: Path, target: Path) -> None:
    """The clips of a release as files, for `datasets`."""
    import pyarrow.parquet as pq

    target.mkdir()
    told = (target / "metadata.jsonl").open("w", encoding="utf-8")
    with told:
        for file in sorted((release / "data").iterdir()):
            for batch in pq.ParquetFile(file).iter_batches(200):
                for row in batch.to_pylist():
                    audio = row.pop("audio")
                    (target / f"{row['id']}.flac").write_bytes(audio["bytes"])
                    row["fingerprint"] = None
                    told.write(json.dumps(row) + "\n")


def by_soundfile(root: Path, target: Path) -> float:
    """Seconds that cutting the clips takes, each recording read once, by two processes."""
    workspace = Workspace.open(root)
    spans: dict[Path, list[tuple[str, int, int]]] = {}
    for one in workspace.store.utterances():
        first, last = (round(x * SAMPLE_RATE) for x in (one.start, one.end))
        path = workspace.media.flac(one.recording)
        spans.setdefault(path, []).append((str(target / f"{one.id}.flac"), first, last))
    target.mkdir()
    began = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_sliced, spans.items(), chunksize=8))
    return time.perf_counter() - began


def _sliced(work: tuple[Path, list[tuple[str, int, int]]]) -> None:
    path, clips = work
    samples, rate = soundfile.read(path, dtype="int16")
    for name, first, last in clips:
        soundfile.write(name, samples[first:last], rate, format="FLAC", subtype="PCM_16")


def by_datasets(clips: Path, target: Path) -> float:
    """Seconds that cast_column(Audio) and save_to_disk take, by two processes."""
    from datasets import Audio, Dataset, disable_progress_bars

    disable_progress_bars()
    rows = [json.loads(line) for line in (clips / "metadata.jsonl").open(encoding="utf-8")]
    for row in rows:
        row["audio"] = str(clips / f"{row['id']}.flac")
    began = time.perf_counter()
    made = Dataset.from_list(rows).cast_column("audio", Audio(sampling_rate=SAMPLE_RATE))
    made.save_to_disk(target, num_proc=2)
    return time.perf_counter() - began


def run(stage: str, *paths: Path) -> tuple[float, float]:
    """What a stage told, and the peak memory of its processes together, MB."""
    import psutil

    command = [sys.executable, __file__, "--stage", stage, *map(str, paths)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        peak = 0.0
        process = psutil.Process(child.pid)
        while child.poll() is None:
            try:
                tree = [process, *process.children(recursive=True)]
                # Shared pages once: two workers of one parent share what they began with.
                peak = max(peak, sum(one.memory_full_info().pss for one in tree) / 1e6)
            except psutil.Error:
                pass
            time.sleep(0.25)
        told = child.stdout.read() if child.stdout else ""
    if child.returncode:
        raise SystemExit(f"{stage} failed with {child.returncode}")
    return float(told or 0), peak


STAGES = {
    "release": by_corpus,
    "pydub": by_pydub,
    "slice": by_soundfile,
    "cut": cut_before,
    "datasets": by_datasets,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=1000)
    parser.add_argument("--stage", nargs="+")
    given = parser.parse_args()
    if given.stage:
        name, *paths = given.stage
        told = STAGES[name](*map(Path, paths))
        print(told or 0)
        return
    with tempfile.TemporaryDirectory(prefix="cante-release-") as scratch:
        folder = Path(scratch)
        fill(folder / "corpus", given.recordings)
        hours = given.recordings * SECONDS / 3600
        n_clips = given.recordings * CLIPS
        ours, peak = run("release", folder / "corpus", folder / "made")
        size = sum(path.stat().st_size for path in (folder / "made").rglob("*")) / 1e6
        each, _ = run("pydub", folder / "corpus", folder / "pydub")
        cutting, _ = run("slice", folder / "corpus", folder / "slices")
        shutil.rmtree(folder / "slices")
        run("cut", folder / "made", folder / "clips")
        shutil.rmtree(folder / "made")
        theirs, their_peak = run("datasets", folder / "clips", folder / "theirs")
    both = cutting + theirs
    print(f"{n_clips} clips, {hours:.1f} hours, {size:.0f} MB")
    rows = [
        ("corpus release", ours, hours / ours * 60, peak, 1.0),
        (
            "pydub, a clip at a time",
            each * n_clips,
            hours / (each * n_clips) * 60,
            "",
            each * n_clips / ours,
        ),
        ("datasets, of clips cut before", theirs, hours / theirs * 60, their_peak, theirs / ours),
        ("the same with the cutting", both, hours / both * 60, "", both / ours),
    ]
    table(("", "s", "hours a minute", "MB at the peak", "times as long"), rows)


if __name__ == "__main__":
    main()
