"""Copies of one master told from other recordings: precision, recall, and seconds for thousands.

    python bench/fingerprints.py DATA [--cantes 40] [--many 5000]

DATA holds songs and speech (any audio below it, at most 60 files of 20 s and more);
synthetic cantes come from `corpus.synth`, some of them one copla sung twice by the
same voice.  Each is copied by FFmpeg in several ways; pairs are judged.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
import soundfile

from corpus.collect.files import AUDIO_SUFFIXES
from corpus.errors import MediaError
from corpus.fingerprints import SPEEDS, fingerprint, same_master
from corpus.synth.coplas import PALOS, coplas_of
from corpus.synth.make import make_cante
from corpus.synth.singers import SINGERS

COPIES = {
    "mp3 64 kbit/s": (["-b:a", "64k"], "mp3"),
    "ogg": (["-c:a", "libvorbis", "-q:a", "2"], "ogg"),
    "aac": (["-c:a", "aac", "-b:a", "96k"], "m4a"),
    "12 dB softer": (["-af", "volume=-12dB"], "flac"),
    "6 dB louder, clipped": (["-af", "volume=6dB"], "flac"),
    "5 s off the start": (["-ss", "5"], "flac"),
    "2 % faster": (["-af", "aresample=44100,asetrate=44982,aresample=44100"], "flac"),
    "2 % slower": (["-af", "aresample=44100,asetrate=43218,aresample=44100"], "flac"),
    "1.3 % faster, mp3, 5 s off": (
        ["-ss", "5", "-af", "aresample=44100,asetrate=44673,aresample=44100", "-b:a", "96k"],
        "mp3",
    ),
}


def originals(data: Path, n_cantes: int, folder: Path) -> list[Path]:
    """Files of DATA that are long enough, and made cantes."""
    found = [p for p in sorted(data.rglob("*")) if p.suffix.lower() in AUDIO_SUFFIXES]
    # An instrumental is its song's master without the voice: neither a copy nor none.
    long = [p for p in found if p.stat().st_size > 200_000 and p.stem != "instrumental"][:60]
    for seed in range(n_cantes):
        # Two performances each: the same voice and coplas, other times and guitar.
        coplas = coplas_of(PALOS[seed // 2 % len(PALOS)])[:2]
        made = make_cante(seed=seed, singer=SINGERS[seed // 2 % len(SINGERS)], coplas=coplas)
        path = folder / f"cante{seed}.flac"
        soundfile.write(path, made.audio, 16_000)
        long.append(path)
    return long


def copy(source: Path, how: list[str], target: Path) -> Path:
    """A copy made by FFmpeg."""
    start = how[:2] if how[0] == "-ss" else []
    rest = how[2:] if start else how
    command = ["ffmpeg", "-v", "error", "-y", *start, "-i", str(source), "-vn", *rest, str(target)]
    subprocess.run(command, check=True)
    return target


def taken(path: Path) -> bytes:
    """Its fingerprint, or none."""
    try:
        return fingerprint(path)
    except MediaError:
        return b""


def judge(found: dict[str, bytes], kinds: dict[str, str], whose: dict[str, str]) -> None:
    """Precision of all pairs, recall by the kind of copy."""
    masters = same_master(found)
    hits: dict[str, list[bool]] = defaultdict(list)
    first = {whose[id_]: id_ for id_ in found if kinds[id_] == "original"}
    for id_ in found:
        if kinds[id_] != "original":
            mine = masters.get(id_)
            hits[kinds[id_]].append(mine is not None and mine == masters.get(first[whose[id_]]))
    clusters: dict[str, list[str]] = defaultdict(list)
    for id_, master in masters.items():
        clusters[master].append(id_)
    pairs = [whose[a] == whose[b] for ids in clusters.values() for a, b in combinations(ids, 2)]
    for kind, right in hits.items():
        print(f"| {kind} | {len(right)} | {np.mean(right):.3f} |")
    every = [hit for right in hits.values() for hit in right]
    print(f"| all copies | {len(every)} | {np.mean(every):.3f} |")
    print(f"precision {np.mean(pairs):.4f} of {len(pairs)} pairs said to be one master")
    wrong = [(a, b) for ids in clusters.values() for a, b in combinations(ids, 2)
             if whose[a] != whose[b]]  # fmt: skip
    for a, b in wrong[:10]:
        print("  wrong:", a, b)


def many(found: dict[str, bytes], n: int) -> None:
    """Seconds for n recordings: pieces of real codes in another order, and copies of some."""
    rng = np.random.default_rng(0)
    whole = [
        np.frombuffer(data[4:], "<u4").reshape(len(SPEEDS), -1) for data in found.values() if data
    ]
    pieces = [one[:, k : k + 24] for one in whole for k in range(0, one.shape[1] - 24, 24)]
    made: dict[str, bytes] = {}
    for k in range(n):
        if k % 10 == 9:
            before = np.frombuffer(made[f"r{k - 1}"][4:], "<u4").reshape(len(SPEEDS), -1)
            turned = (rng.random(before.shape) < 0.5).astype(np.uint32)
            codes = before ^ (turned << np.uint32(rng.integers(0, 32)))
        else:
            codes = np.concatenate([pieces[i] for i in rng.integers(0, len(pieces), 19)], axis=1)
            # Pieces are shared by many made recordings: turned bits keep them apart.
            codes = (codes ^ np.uint32(rng.integers(0, 2**32, dtype=np.uint64))).copy()
        head = np.array(codes.shape, "<u2").tobytes()
        made[f"r{k}"] = head + codes.astype("<u4").tobytes()
    began = time.perf_counter()
    masters = same_master(made)
    print(
        f"{n} recordings clustered in {time.perf_counter() - began:.1f} s,"
        f" {len(masters)} in clusters"
    )


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cantes", type=int, default=40)
    parser.add_argument("--many", type=int, default=5000)
    given = parser.parse_args()
    found: dict[str, bytes] = {}
    kinds: dict[str, str] = {}
    whose: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, path in enumerate(originals(given.data, given.cantes, folder)):
            plain = taken(path)
            if not plain:
                continue
            rows = {"original": plain}
            for kind, (how, suffix) in COPIES.items():
                target = copy(path, how, folder / f"copy.{suffix}")
                rows[kind] = taken(target)
                target.unlink()
            for kind, data in rows.items():
                id_ = f"{number}-{path.stem[:20]}-{kind}"
                found[id_], kinds[id_], whose[id_] = data, kind, str(path)
        print(f"{len(set(whose.values()))} recordings")
    judge(found, kinds, whose)
    many(found, given.many)


if __name__ == "__main__":
    main()
