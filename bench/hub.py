"""What a push sends again after one utterance was changed, of all that the release holds.

    python -m bench.hub [--recordings 2000]

Made audio, few seconds a recording, so that a release of many files is small; the hub stands on
this machine, asked by the real client, and counts the bytes that come.  Files end where a
recording's id says so, so that one of them changes; `files` is how many the training split has.
`moved` are utterances that the change has sent to another split: each changes two files more.
Over all utterances, `mean` to `most`: the share of bytes of the file each lies in, which is what
its change sends.  `chunks`: what would go where the hub stores chunks and not files (Xet): those
of the changed files that the old ones did not have, cut by a rolling hash (gear) at 64 KB on the
mean, as https://huggingface.co/docs/hub/storage-backends tells; counted here, not sent.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

# Read by the client when it is imported: files go as files, and to this machine.
os.environ["HF_HUB_DISABLE_XET"] = "1"

import numpy as np
from numpy.typing import NDArray

from corpus.media import SAMPLE_RATE, flac_bytes
from corpus.publish import shards
from corpus.publish.choose import Wanted
from corpus.publish.folder import data_files, read_manifest, rows_of
from corpus.publish.push import push
from corpus.publish.release import Options, release
from corpus.records import Recording, Tier, Utterance
from corpus.rows import AlignedRecording
from corpus.show import table
from corpus.workspace import Workspace
from tests.servers.hub import serving
from tests.servers.hub_state import OWNER, Hub

SECONDS, CLIPS, VOICES = 8.0, 2, 20
SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def utterances(recording: str) -> tuple[Utterance, ...]:
    """Two of three seconds."""
    return tuple(
        Utterance(
            recording=recording,
            start=i * 4 + 0.3,
            end=i * 4 + 3.3,
            text=f"por la calle abajo {recording[:6]}\nva la pena mía {i}",
            score=0.9,
            tier=Tier.SILVER,
        )
        for i in range(CLIPS)
    )


def fill(root: Path, n_recordings: int) -> Workspace:
    """A corpus: each sound stands under many names."""
    root.mkdir(parents=True)
    workspace, rng = Workspace.create(root), np.random.default_rng(0)
    sounds = []
    for voice in range(VOICES):
        path = root / f"voice-{voice}.flac"
        hiss = rng.normal(0, 0.05, round(SECONDS * SAMPLE_RATE)).astype(np.float32)
        path.write_bytes(flac_bytes(hiss))
        sounds.append(path)
    with workspace.store.transaction() as transaction:
        for k in range(n_recordings):
            one = Recording(
                id=hashlib.sha256(str(k).encode()).hexdigest(),
                source=f"made {k}",
                title=f"cante {k}",
                artist=f"voz {k % 200}",
                palo="soleares",
                duration=SECONDS,
            )
            path = workspace.media.flac(one.id)
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(sounds[k % VOICES], path)
            made = AlignedRecording(recording=one.id, utterances=utterances(one.id))
            transaction.save([one, made])
    return workspace


def frozen(workspace: Workspace, name: str) -> Path:
    """The folder of a release of all that is there."""
    folder = workspace.root / "releases" / name
    release(workspace, name, folder, Options(shares=SHARES, wanted=Wanted()))
    return folder


CHANGES = {"text": (0.0, 0.0), "text, ends": (0.2, 0.2), "text, length": (0.0, -0.4)}
"""What is changed of an utterance, and by how many seconds its start and end."""


def change(workspace: Workspace, recording: str, ends: tuple[float, float]) -> None:
    """Another text for one utterance, and other ends."""
    first, *rest = utterances(recording)
    start, end = first.start + ends[0], first.end + ends[1]
    first = replace(first, text="ay\notra letra", start=start, end=end)
    with workspace.store.transaction() as transaction:
        transaction.save([AlignedRecording(recording=recording, utterances=(first, *rest))])


def shares_of_files(folder: Path) -> NDArray[np.float64]:
    """Of each utterance, the bytes of the file it lies in by those of the release."""
    told = read_manifest(folder)
    total = sum(one.bytes for one in told.files.values())
    found = []
    for file in data_files(folder):
        share = told.files[f"data/{file.name}"].bytes / total
        found += [share for _ in rows_of(file, ("id",))]
    return np.array(found)


def chunks(data: bytes) -> dict[str, int]:
    """Chunks by digest, and their bytes: cut where a hash of the last 64 bytes ends in 16 zeros."""
    gear = np.random.default_rng(0).integers(0, 2**63, 256, dtype=np.uint64)
    rolled = gear[np.frombuffer(data, np.uint8)]
    for shift in (1, 2, 4, 8, 16, 32):
        before = rolled.copy()
        rolled[shift:] += before[:-shift] << np.uint64(shift)
    # The upper bits: they know of all 64 bytes.
    ends = np.flatnonzero(rolled >> np.uint64(48) == 0) + 1
    bounds = [0, *ends.tolist(), len(data)]
    pieces = (data[a:b] for a, b in pairwise(bounds))
    return {hashlib.sha256(one).hexdigest(): len(one) for one in pieces}


def new_chunks(before: Path, after: Path) -> int:
    """Bytes of chunks of files that changed, which the release before did not have."""
    had, now = read_manifest(before).files, read_manifest(after).files
    total = 0
    for path, one in now.items():
        if path in had and had[path].sha256 == one.sha256:
            continue
        known = chunks((before / path).read_bytes()) if path in had else {}
        made = chunks((after / path).read_bytes())
        total += sum(size for digest, size in made.items() if digest not in known)
    return total


def moved(workspace: Workspace) -> int:
    """Utterances that went to another split from the release before the last to the last."""
    first, second = (
        {one.utterance: one.split for one in told.utterances}
        for told in sorted(workspace.store.releases(), key=lambda told: told.name)[-2:]
    )
    return sum(first[id_] != second[id_] for id_ in first.keys() & second.keys())


@contextmanager
def files_of(seconds: int) -> Iterator[None]:
    """Files are as short as this: as long as the rule has them, a bench would be of hours."""
    usual = shards._SHORTEST  # noqa: SLF001  # what is measured
    shards._SHORTEST = seconds  # noqa: SLF001
    try:
        yield
    finally:
        shards._SHORTEST = usual  # noqa: SLF001


def measured(hub: Hub, root: Path, n_recordings: int, shortest: int) -> list[list[object]]:
    """A row for each kind of change."""
    rows: list[list[object]] = []
    hub.clear()
    with files_of(shortest):
        workspace = fill(root, n_recordings)
        before = frozen(workspace, "v0")
        push(before, "pena/cante", token=OWNER)
        whole, n_files = hub.received, len(list((before / "data").glob("train-*")))
        shares = 100 * shares_of_files(before)
        ids = [one.id for one in workspace.store.recordings()]
        for n, (what, ends) in enumerate(CHANGES.items(), 1):
            change(workspace, ids[n * len(ids) // 4], ends)
            after = frozen(workspace, f"v{n}")
            hub.calm()
            push(after, "pena/cante", token=OWNER)
            by_chunks = 100 * new_chunks(before, after) / whole
            spread = [float(np.mean(shares)), float(np.percentile(shares, 95)), shares.max()]
            sent = 100 * hub.received / whole
            told = [n_files, whole / 1e6, what, moved(workspace), sent]
            rows.append([*told, *map(float, spread), by_chunks])
            before = after
        workspace.store.close()
    return rows


def main() -> None:
    """Measure a small release, with few files, and one with as many as there may be."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--recordings", type=int, default=2000)
    n_recordings = asked.parse_args().recordings
    os.environ.pop("HF_HUB_OFFLINE", None)
    rows = []
    with tempfile.TemporaryDirectory() as scratch, serving() as hub:
        # Before the client is imported, which reads it then.
        os.environ["HF_ENDPOINT"] = hub.url
        for shortest in (600, 1):
            rows += measured(hub, Path(scratch) / str(shortest), n_recordings, shortest)
    columns = (
        "files",
        "MB",
        "changed",
        "moved",
        "sent %",
        "mean %",
        "95th %",
        "most %",
        "chunks %",
    )
    table(columns, rows)


if __name__ == "__main__":
    main()
