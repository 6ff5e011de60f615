"""Rebuilding a release without sound: how many clips come out, and how many within 20 ms.

    python bench/rebuild.py [--songs FOLDER] [--recordings 60]

Made singing (the voices of bench/release.py), or the songs below a folder.  Each is encoded anew
(mp3 128k, opus 64k, aac 96k at 22 kHz, ogg at 44.1 kHz), softer, with 0 to 5 s taken off both ends.
Where a clip truly lies is found by correlating samples.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import soundfile
from numpy.typing import NDArray
from release import voice

from corpus.collect.files import AUDIO_SUFFIXES
from corpus.media import SAMPLE_RATE, decoded_copy, flac_bytes
from corpus.publish.choose import Wanted
from corpus.publish.folder import data_files
from corpus.publish.rebuild import rebuild
from corpus.publish.release import Options, release
from corpus.records import Recording, Tier, Utterance
from corpus.rows import AlignedRecording
from corpus.show import table
from corpus.workspace import Workspace

Sound = NDArray[np.float32]
FORMS = (
    ("mp3", "-b:a", "128k"),
    ("opus", "-b:a", "64k"),
    ("m4a", "-b:a", "96k", "-ar", "22050"),
    ("ogg", "-q:a", "3", "-ar", "44100"),
)
STEP, CLIP = 6.0, 4.0


def sounds(songs: Path | None, n_recordings: int) -> list[Sound]:
    """What is sung, 16 kHz mono."""
    if songs is None:
        return [voice(k)[: SAMPLE_RATE * (60 + k % 3 * 60)] for k in range(n_recordings)]
    found = []
    for path in sorted(songs.rglob("*")):
        if path.suffix.lower() in AUDIO_SUFFIXES:
            with decoded_copy(path) as samples:
                found.append(samples.read(0, samples.n_samples))
    return found


def fill(root: Path, sung: list[Sound]) -> Workspace:
    """A corpus of them, with a clip every six seconds."""
    root.mkdir()
    workspace = Workspace.create(root)
    for k, samples in enumerate(sung):
        seconds = len(samples) / SAMPLE_RATE
        id_ = hashlib.sha256(f"rebuild {k}".encode()).hexdigest()
        one = Recording(id=id_, source=f"made {k}", artist=f"voz {k}", duration=seconds)
        path = workspace.media.flac(id_)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(flac_bytes(samples))
        cut = tuple(
            Utterance(recording=id_, start=at, end=at + CLIP, text=f"ay {k} {i}", tier=Tier.SILVER)
            for i, at in enumerate(np.arange(5.0, seconds - CLIP - 5.0, STEP).tolist())
        )
        with workspace.store.transaction() as transaction:
            transaction.save([one, AlignedRecording(recording=id_, utterances=cut)])
    return workspace


def copies(sung: list[Sound], folder: Path) -> None:
    """Each anew, in turns in every form."""
    folder.mkdir()
    chance = np.random.default_rng(0)
    for k, samples in enumerate(sung):
        first, last = (round(x * SAMPLE_RATE) for x in chance.uniform(0, 5, 2))
        part = samples[first : len(samples) - last] * chance.uniform(0.3, 1.0)
        suffix, *options = FORMS[k % len(FORMS)]
        wav = io.BytesIO()
        soundfile.write(wav, part, SAMPLE_RATE, format="WAV", subtype="FLOAT")
        target = str(folder / f"{k:03}.{suffix}")
        command = ["ffmpeg", "-v", "error", "-y", "-i", "-", *options, target]
        subprocess.run(command, input=wav.getvalue(), check=True)


def off(row: dict[str, Any], true: Sound) -> float:
    """Seconds that a clip lies beside what it should hold."""
    clip, _ = soundfile.read(io.BytesIO(row["audio"]["bytes"]))
    first = round(row["start"] * SAMPLE_RATE)
    around = true[max(0, first - SAMPLE_RATE) : first + len(clip) + SAMPLE_RATE]
    size = 1 << (len(around) + len(clip)).bit_length()
    product = np.fft.irfft(np.fft.rfft(around, size) * np.conj(np.fft.rfft(clip, size)))
    best = int(np.abs(product[: 2 * SAMPLE_RATE]).argmax())
    return float(abs(best - min(first, SAMPLE_RATE)) / SAMPLE_RATE)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=Path)
    parser.add_argument("--recordings", type=int, default=60)
    given = parser.parse_args()
    sung = sounds(given.songs, given.recordings)
    with tempfile.TemporaryDirectory(prefix="cante-rebuild-") as scratch:
        # Fingerprints that are kept are of other runs.
        os.environ["XDG_CACHE_HOME"] = f"{scratch}/cache"
        workspace = fill(Path(scratch) / "corpus", sung)
        shares, wanted = {"train": 0.8, "test": 0.2}, Wanted(min_tier=Tier.BRONZE)
        pointers = Path(scratch) / "pointers"
        began = time.perf_counter()
        options = Options(shares=shares, wanted=wanted, pointers=True)
        made = release(workspace, "pointers", pointers, options)
        released = time.perf_counter() - began
        copies(sung, Path(scratch) / "copies")
        began = time.perf_counter()
        told = rebuild(pointers, Path(scratch) / "copies", Path(scratch) / "rebuilt")
        rebuilt = time.perf_counter() - began
        known = {hashlib.sha256(f"rebuild {k}".encode()).hexdigest(): s for k, s in enumerate(sung)}
        offs = np.array(
            [
                off(row, known[row["recording"]])
                for file in data_files(Path(scratch) / "rebuilt")
                for row in pq.read_table(file).to_pylist()
            ]
        )
        size = sum(path.stat().st_size for path in pointers.rglob("*") if path.is_file()) / 1e3
    whole = sum(made.rows.values())
    table(
        ("recordings", "clips", "rebuilt", "within 20 ms", "mean ms", "most ms"),
        [(len(sung), whole, len(offs), (offs < 0.02).sum() / whole, *_ms(offs))],
    )
    n_seconds = sum(len(one) for one in sung) / SAMPLE_RATE
    table(
        ("pointers, kB a recording", "s to make each", "s to rebuild each", "hours of sound"),
        [(size / len(sung), released / len(sung), rebuilt / len(sung), n_seconds / 3600)],
    )
    lost = Counter[str]()
    for one in told.missing:
        lost[one.reason] += one.utterances
    table(("missing", "clips"), list(lost.items()))


def _ms(offs: NDArray[np.float64]) -> tuple[float, float]:
    return float(offs.mean() * 1000), float(offs.max() * 1000)


if __name__ == "__main__":
    main()
