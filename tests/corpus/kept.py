"""A small corpus with something of everything, to copy, to damage and to look after."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from corpus import tables as t
from corpus.care import manifest
from corpus.care.manifest import MANIFEST
from corpus.care.verify import verify
from corpus.media import flac_bytes, hash_file
from corpus.publish.folder import Manifest, write_manifest
from corpus.records import (
    Annotation,
    Decision,
    Description,
    Draft,
    Features,
    Fingerprint,
    Mark,
    Match,
    MatchedVerse,
    Recording,
    Release,
    ReleasedUtterance,
    Segment,
    Tombstone,
    Variant,
    Verdict,
)
from corpus.rows import AlignedRecording, Done
from corpus.store import Store
from corpus.workspace import Workspace
from tests.corpus.made import utterance, verse, write_tone

TRACK = "ab" * 32
"""The id of a track; its bytes are of no file."""

WHEN = "2026-01-01T00:00:00+00:00"
ODD = "ay 💃 \"qué\\\" \u2028 'pena' [x] :100: ñ\t%s"


def take_in(workspace: Workspace, name: str, hertz: float = 440.0) -> Recording:
    """A recording of two seconds, with its audio."""
    path = write_tone(workspace.root.parent / f"{name}.wav", 2.0, hertz)
    id_ = hash_file(path)
    duration = workspace.media.take(path, id_, ".wav").duration
    one = Recording(id=id_, source=str(path), duration=duration, suffix=".wav", title=ODD)
    with workspace.store.transaction() as transaction:
        transaction.save([one])
    return one


def cut_track(workspace: Workspace, side: Recording) -> Recording:
    """The second half of a side, as a track of its own."""
    samples = workspace.media.samples(side.id)
    path = workspace.media.flac(TRACK)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(flac_bytes(samples.read_pcm(16_000, 16_000)))
    track = replace(side, id=TRACK, part_of=side.id, offset=1.0, duration=1.0, suffix=".flac")
    with workspace.store.transaction() as transaction:
        transaction.save([track])
    return track


def fill(workspace: Workspace) -> Recording:
    """A recording, a track of it, and a row in every table; files of every kind."""
    one = take_in(workspace, "cinta")
    cut_track(workspace, one)
    copla, other = verse(ODD, "va", title=ODD), verse(ODD, "vas")
    sung = utterance(one, "por la calle\nabajo", 0.5)
    first = replace(sung, verse=copla.id)
    with workspace.store.transaction() as transaction:
        transaction.save(
            [
                copla,
                other,
                Variant(verse=other.id, copla=copla.id),
                Features(
                    recording=one.id,
                    measures=(("noise", -55.125), ("tiny", 1e-300)),
                    marks=(Mark(name="white noise", points=1, measure="noise", value=-55.125),),
                ),
                Fingerprint(recording=one.id, codes=bytes(range(256))),
                Tombstone(recording="0" * 64, source="/x", suffix="", reason=ODD, at=WHEN),
                Draft(
                    recording=one.id,
                    model="base",
                    segments=(Segment(text=ODD, start=0.1, end=1 / 3),),
                ),
                Match(
                    recording=one.id,
                    verses=(MatchedVerse(verse=copla.id, score=0.9, reason=ODD, start=0.5),),
                    decision=Decision.ACCEPTED,
                ),
                AlignedRecording(recording=one.id, utterances=(first,)),
                Annotation(
                    utterance=first.id,
                    annotator="ana",
                    made=WHEN,
                    verdict=Verdict.CORRECTED,
                    text=ODD,
                    start=0.5,
                    end=1.5,
                ),
                Description(
                    recording=one.id, annotator="ana", made=WHEN, answers=(("words", ODD),)
                ),
                Release(
                    name="uno",
                    made=WHEN,
                    utterances=(ReleasedUtterance(utterance=first.id, split="train"),),
                ),
            ]
        )
        transaction.mark(
            Done(stage="collect", item=ODD, inputs="", state="done", note=ODD, at=WHEN)
        )
    _files(workspace.root)
    return one


def _files(root: Path) -> None:
    told = {
        "lyrics/site/a.page": b"{}\n\npage",
        "heads/head-1/config.json": b"{}",
        "models/mine/config.json": b"{}",
        "releases/uno/data/train-0.bin": b"rows of a release",
        "releases/uno/README.md": "ñ".encode(),
        # What is made again, and what is none of the corpus.
        "bank/index": b"again",
        "labelstudio/login.json": b"secret",
        "notes.txt": b"mine",
        "lyrics/site/.part-x": b"half",
    }
    for name, data in told.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    write_manifest(root / "releases" / "uno", Manifest(name="uno", made=WHEN))
    with os.fdopen(os.open(root / "pseudonyms.key", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as key:
        key.write(bytes(32))


@pytest.fixture(scope="session")
def whole_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a corpus that is filled, made once; it is only copied."""
    workspace = Workspace.create(tmp_path_factory.mktemp("whole") / "cante")
    fill(workspace)
    workspace.store.close()
    return workspace.root


@pytest.fixture
def cinta(workspace: Workspace, whole_corpus: Path) -> Recording:
    """The corpus is filled; the recording of it, whose file lies beside the corpus."""
    workspace.store.close()
    for path in workspace.root.glob("corpus.db*"):
        path.unlink()
    shutil.copytree(whole_corpus, workspace.root, dirs_exist_ok=True)
    source = shutil.copy2(whole_corpus.parent / "cinta.wav", workspace.root.parent)
    (one,) = (one for one in workspace.store.recordings() if not one.part_of)
    moved = replace(one, source=str(source))
    with workspace.store.transaction() as transaction:
        transaction.save([moved])
    return moved


@pytest.fixture
def unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a power cut would leave is not tried, and waiting for the disk takes most time."""
    monkeypatch.setattr("corpus.whole._sync", lambda _: None)


def all_rows(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, as values."""
    with store.snapshot() as connection:
        return {
            table.name: [
                dict(row)
                for row in connection.execute(
                    sa.select(table).order_by(*table.primary_key.columns)
                ).mappings()
            ]
            for table in t.metadata.sorted_tables
        }


def all_files(root: Path) -> dict[str, bytes]:
    """Every file below a folder, but the store's own."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.startswith("corpus.db")
    }


def flip(path: Path, at: int = -1) -> None:
    """Change one bit of a file, and leave its times as they are."""
    told = path.stat()
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))


def spoil(workspace: Workspace, *statements: str) -> None:
    """Do to the store what no command does."""
    connection = sqlite3.connect(workspace.root / "corpus.db")
    try:
        connection.execute("PRAGMA foreign_keys=OFF")
        for statement in statements:
            assert connection.execute(statement).rowcount > 0
        connection.commit()
    finally:
        connection.close()


def old(path: Path) -> Path:
    """As if it had been there for a day."""
    day = time.time() - 86_400
    os.utime(path, (day, day))
    return path


def take_flac(workspace: Workspace, id_: str) -> Path:
    """A file of bytes that are no sound, under the name of what is heard of a recording."""
    path = workspace.media.flac(id_)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


# ---- backups

LEFT = ("bank/index", "labelstudio/login.json", "lyrics/site/.part-x", "notes.txt")
"""Files that a backup leaves out."""


def objects(folder: Path) -> dict[str, int]:
    """The bytes that a folder of backups holds: by digest, with what the disk knows them as."""
    return {path.name: path.stat().st_ino for path in (folder / "objects").glob("*/*")}


def told(folder: Path) -> manifest.Manifest:
    """What is told of a backup in a folder."""
    return manifest.read((folder / MANIFEST).read_bytes(), str(folder))


def opened(folder: Path, check: Callable[[Workspace], None]) -> None:
    """Check a corpus that is open meanwhile."""
    workspace = Workspace.open(folder)
    try:
        check(workspace)
    finally:
        workspace.store.close()


def unlike(restored: Workspace, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Fail where a restored corpus has other rows, or anything is wrong with it."""
    assert all_rows(restored.store) == rows
    assert verify(restored).problems == ()
