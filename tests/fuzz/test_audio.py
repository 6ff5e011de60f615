"""Damaged audio: each file is taken in or told in one line, and the run goes on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.made import ffmpeg, write_tone

FORMATS = ("wav", "mp3", "flac", "ogg", "m4a")
PIECES = (
    *(b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b""),
    *(
        b"RIFF",
        b"fLaC",
        b"OggS",
        b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f",
        b"moov",
        b"#EXTM3U\n",
        b"\xff" * 64,
    ),
    *(b"file:///etc/passwd", b"http://127.0.0.1:9/x", b"../../x"),
)


def made(folder: Path) -> dict[str, bytes]:
    """A second of a tone in each container, with tags."""
    tone = write_tone(folder / "tone.wav", 1.0)
    tags = ["-metadata", "title=Tientos", "-metadata", "artist=La Niña"]
    for form in FORMATS:
        ffmpeg("-i", tone, *tags, folder / f"whole.{form}")
    return {form: (folder / f"whole.{form}").read_bytes() for form in FORMATS}


def damaged(data: bytes, luck: random.Random) -> bytes:
    """The bytes with one to four places cut, doubled, or overwritten; heads more than the rest."""
    for _ in range(luck.randint(1, 4)):
        at = luck.randrange(min(len(data), luck.choice((64, 512, len(data) or 1))) or 1)
        length = luck.randint(0, 64)
        piece = luck.choice((*PIECES, luck.randbytes(luck.randint(1, 16)), data[at : at + length]))
        kind = luck.randrange(4)
        if kind == 0:
            data = data[:at] + piece + data[at + len(piece) :]
        elif kind == 1:
            data = data[:at] + piece + data[at:]
        elif kind == 2:
            data = data[:at] + data[at + length :]
        else:
            data = data[: max(1, at)]
    return data


def many(whole: dict[str, bytes], n_each: int, seed: int) -> Iterator[tuple[str, bytes]]:
    luck = random.Random(seed)
    for form, data in whole.items():
        for k in range(n_each):
            # Under its own name, or that of another container.
            name = form if k % 5 else luck.choice(FORMATS)
            yield f"{form}-{k}.{name}", damaged(data, luck)


def collected(cli: Cli, workspace: Workspace, folder: Path, n_each: int, seed: int) -> None:
    source = folder / "damaged"
    source.mkdir()
    (folder / "whole").mkdir()
    for name, data in many(made(folder / "whole"), n_each, seed):
        (source / name).write_bytes(data)
    # Last in the order of names: the run came to it.
    write_tone(source / "zz.wav", 1.0, 220.0)
    before = {path for path in folder.rglob("*") if workspace.root not in path.parents}
    ran = cli("collect", source)
    assert ran.code in {0, 1}, ran.err
    assert "unexpected" not in ran.err
    assert "Traceback" not in ran.err
    done = workspace.store.done("collect")
    names = {Path(item).name for item in done}
    assert names == {path.name for path in source.iterdir()}
    failed = [one for one in done.values() if one.state == "failed"]
    assert all("\n" not in one.note for one in failed)
    for one in failed:
        assert sum(one.item in line for line in ran.err.splitlines()) == 1, one
    assert failed, "nothing was damaged enough"
    taken = workspace.store.recordings()
    assert any(one.source.endswith("zz.wav") for one in taken)
    # A second is never taken for hours, whatever a head says.
    assert all(0 < one.duration < 120 for one in taken)
    assert {path for path in folder.rglob("*") if workspace.root not in path.parents} == before
    # What could not be taken in has left nothing.
    kept = {path.stem for path in workspace.media.root.rglob("*") if path.is_file()}
    assert kept <= {one.id for one in taken}


def test_damaged_containers(cli: Cli, workspace: Workspace, tmp_path: Path) -> None:
    collected(cli, workspace, tmp_path, n_each=5, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 6))
def test_many_damaged_containers(cli: Cli, workspace: Workspace, tmp_path: Path, seed: int) -> None:
    collected(cli, workspace, tmp_path, n_each=60, seed=seed)
