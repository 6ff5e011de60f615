"""A release without sound gets the sound of one's own copies."""

from __future__ import annotations

import csv
import io
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
import typer
from numpy.typing import NDArray

from corpus.commands.hub import app
from corpus.commands.shared import newest_release
from corpus.errors import PublishError, UsageError
from corpus.media import flac_bytes
from corpus.publish.choose import Wanted
from corpus.publish.folder import data_files, read_manifest
from corpus.publish.pointers import POINTERS, read_pointers
from corpus.publish.rebuild import (
    MISSING,
    NO_COPY,
    OTHER_PART,
    OTHER_VERSION,
    Rebuilt,
    rebuild,
)
from corpus.publish.release import Options, release
from corpus.records import Tier
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.made import recording, utterance
from tests.corpus.test_copies import voice

SINGERS = ("Camarón", "La Niña", "=cmd", "El Otro")
RATE = 16_000


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fingerprints that are kept are kept here."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def sound(number: int) -> NDArray[np.float32]:
    return voice(100 + number, 70.0)


@pytest.fixture
def pointers(workspace: Workspace) -> Path:
    """A release without sound: four singers, six utterances of 5 s each."""
    for k, name in enumerate(SINGERS):
        # An id of its own from the first sign on: made ones differ at their ends.
        one = replace(recording(f"cinta {k}", artist=name), id=f"{k}" * 64, source=f"file {k}")
        path = workspace.media.flac(one.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(flac_bytes(sound(k)))
        cut = tuple(
            replace(utterance(one, f"ay {k} {i}", 2.0 + 10 * i, 5.0), tier=Tier.SILVER)
            for i in range(6)
        )
        with workspace.store.transaction() as transaction:
            transaction.save([one, AlignedRecording(recording=one.id, utterances=cut)])
    options = Options(
        shares={"train": 0.5, "test": 0.5}, wanted=Wanted(min_tier=Tier.BRONZE), pointers=True
    )
    folder = workspace.root / "releases" / "uno"
    release(workspace, "uno", folder, options)
    return folder


def write(path: Path, samples: NDArray[np.float32], *options: str, rate: int = RATE) -> Path:
    """A file in whatever form its name says, by FFmpeg."""
    path.parent.mkdir(parents=True, exist_ok=True)
    wav = io.BytesIO()
    soundfile.write(wav, samples, rate, format="WAV", subtype="FLOAT")
    command = ["ffmpeg", "-v", "error", "-y", "-i", "-", *options, str(path)]
    subprocess.run(command, input=wav.getvalue(), check=True)
    return path


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return [row for file in data_files(folder) for row in pq.read_table(file).to_pylist()]


def milliseconds_off(row: dict[str, Any]) -> float:
    """How far a clip lies beside what it should hold, by correlation of the samples."""
    clip, _ = soundfile.read(io.BytesIO(row["audio"]["bytes"]))
    true = sound(int(row["recording"][0]))
    first = round(row["start"] * RATE)
    around = true[first - RATE : first + len(clip) + RATE]
    size = 1 << (len(around) + len(clip)).bit_length()
    product = np.fft.irfft(np.fft.rfft(around, size) * np.conj(np.fft.rfft(clip, size)))
    return abs(int(product[: 2 * RATE].argmax()) - RATE) / RATE * 1000


def built(pointers: Path, media: Path, **more: Any) -> Rebuilt:
    return rebuild(pointers, media, pointers.with_name("dos"), **more)


def test_copies_of_all_kinds_are_found_and_cut_to_the_millisecond(
    pointers: Path, tmp_path: Path
) -> None:
    media = tmp_path / "mine"
    write(media / "a" / "x.mp3", sound(0)[RATE:], "-b:a", "128k", "-ar", "44100")
    write(media / "b" / "y.opus", sound(1) * 0.3, "-b:a", "64k")
    write(media / "b" / "c" / "z.m4a", sound(2)[: -3 * RATE], "-b:a", "96k", "-ar", "22050")
    slow = np.interp(np.arange(0, 70 * RATE - 1, 0.99), np.arange(70 * RATE), sound(3))
    write(media / "cinta.flac", slow.astype(np.float32))
    (media / "notes.txt").write_text("nothing", "utf-8")
    (media / "broken.mp3").write_bytes(b"nothing")
    told = built(pointers, media)
    assert told.missing == ()
    assert list(told.unreadable) == [str(media / "broken.mp3")]
    after = pointers.with_name("dos")
    rows = rows_of(after)
    assert len(rows) == 24
    before = {row["id"]: row for row in rows_of(pointers)}
    assert all({**row, "audio": None} == before[row["id"]] for row in rows)
    assert max(map(milliseconds_off, rows)) < 20
    assert {len(soundfile.read(io.BytesIO(row["audio"]["bytes"]))[0]) for row in rows} == {5 * RATE}
    whole = read_manifest(after)
    assert (whole.name, whole.codec) == ("uno", "flac")
    assert "It holds no sound" not in (after / "README.md").read_text("utf-8")


def test_no_sound_is_in_the_release_itself(pointers: Path) -> None:
    assert all(row["audio"] is None for row in rows_of(pointers))
    assert read_manifest(pointers).codec == ""
    found = list(read_pointers(pointers))
    assert len(found) == 4
    assert {len(one.level) for one in found} == {7000}
    # Less than a two-hundredth of the sound: what is left of it cannot be heard.
    assert (pointers / POINTERS).stat().st_size < 4 * 70 * RATE * 2 / 50


def test_what_is_missing_is_told_with_the_reason(pointers: Path, tmp_path: Path) -> None:
    media = tmp_path / "mine"
    write(media / "whole.wav", sound(0))
    cut = np.concatenate([sound(1)[: 35 * RATE], sound(1)[45 * RATE :]])
    write(media / "cut.wav", cut)
    told = built(pointers, media, codec=told_codec("opus"))
    assert [(one.recording[0], one.utterances, one.reason) for one in told.missing] == [
        ("1", 3, OTHER_PART),
        ("2", 6, NO_COPY),
        ("3", 6, NO_COPY),
    ]
    rows = rows_of(pointers.with_name("dos"))
    assert len(rows) == 9
    assert all(row["audio"]["path"].endswith(".opus") for row in rows)
    with (pointers.with_name("dos") / MISSING).open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    assert [one["reason"] for one in listed] == [OTHER_PART, NO_COPY, NO_COPY]
    # The card counts it too: it is not all of the release that it is named after.
    assert read_manifest(pointers.with_name("dos")).left_out == {OTHER_PART: 3, NO_COPY: 12}
    # A name that a spreadsheet would take for a formula is text.
    assert [one["singer"] for one in listed] == ["La Niña", "'=cmd", "El Otro"]


def told_codec(name: str) -> Any:
    from corpus.publish.clips import Codec

    return Codec(name)


def test_another_performance_is_refused(
    pointers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = tmp_path / "mine"
    write(media / "a.wav", sound(0))
    write(media / "live.wav", sound(1))
    masters = {"1" * 64: "1" * 64, str(media / "live.wav"): "1" * 64}
    masters |= {"0" * 64: "0" * 64, str(media / "a.wav"): "0" * 64}
    # As if the fingerprints had been taken in: the level is not.
    monkeypatch.setattr("corpus.publish.rebuild.same_master", lambda *_: masters)
    write(media / "live.wav", voice(999, 70.0))
    told = built(pointers, media)
    reasons = {one.recording[0]: one.reason for one in told.missing}
    assert reasons == {"1": OTHER_VERSION, "2": NO_COPY, "3": NO_COPY}


def test_of_two_copies_the_longer_one_is_taken(pointers: Path, tmp_path: Path) -> None:
    media = tmp_path / "mine"
    write(media / "a.wav", sound(0)[: 40 * RATE])
    write(media / "b.wav", sound(0)[RATE:])
    write(media / "c.wav", sound(0)[: 30 * RATE])
    told = built(pointers, media)
    assert {one.recording[0] for one in told.missing} == {"1", "2", "3"}
    assert max(map(milliseconds_off, rows_of(pointers.with_name("dos")))) < 20


def test_links_are_not_followed_out(pointers: Path, tmp_path: Path) -> None:
    outside = write(tmp_path / "outside" / "a.wav", sound(0))
    media = tmp_path / "mine"
    media.mkdir()
    (media / "a.wav").symlink_to(outside)
    (media / "more").symlink_to(outside.parent)
    with pytest.raises(PublishError, match="is no copy of anything in uno"):
        built(pointers, media)
    assert not pointers.with_name("dos").exists()


def test_with_more_copies_the_next_time_gives_more(pointers: Path, tmp_path: Path) -> None:
    media = tmp_path / "mine"
    write(media / "a.wav", sound(0))
    assert sum(built(pointers, media).rows.values()) == 6
    with pytest.raises(PublishError, match="is taken"):
        built(pointers, media)
    write(media / "b.wav", sound(1))
    told = rebuild(pointers, media, pointers.with_name("tres"))
    assert sum(told.rows.values()) == 12


# ---- what cannot be


def test_a_release_with_sound_is_told(workspace: Workspace, pointers: Path, tmp_path: Path) -> None:
    options = Options(shares={"train": 0.5, "test": 0.5}, wanted=Wanted(min_tier=Tier.BRONZE))
    folder = workspace.root / "releases" / "whole"
    release(workspace, "whole", folder, options)
    assert pointers.exists()
    with pytest.raises(PublishError, match="it has its sound"):
        rebuild(folder, tmp_path, tmp_path / "out")


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"PAR1"),
        lambda path: path.write_bytes(path.read_bytes()[:-10]),
    ],
)
def test_damaged_pointers_are_told(
    pointers: Path, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    damage(pointers / POINTERS)
    with pytest.raises(PublishError, match=r"recordings\.parquet cannot be read"):
        rebuild(pointers, tmp_path, tmp_path / "out")


def test_a_full_disk_leaves_nothing(
    pointers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    write(tmp_path / "mine" / "a.wav", sound(0))
    monkeypatch.setattr("corpus.publish.rebuild.write_shard", full)
    with pytest.raises(PublishError, match="no room left on the disk for"):
        built(pointers, tmp_path / "mine")
    assert sorted(path.name for path in pointers.parent.iterdir()) == ["uno"]


# ---- the commands


def test_the_commands(cli: Cli, workspace: Workspace, pointers: Path, tmp_path: Path) -> None:
    assert pointers.exists()
    ran = cli("release", "dos", "--min-tier", "bronze", "--pointers")
    assert ran.code == 0
    media = tmp_path / "mine"
    write(media / "a.wav", sound(0))
    ran = cli("rebuild", "dos", "--media", media)
    assert ran.code == 1
    assert "6 " in ran.err
    assert NO_COPY in ran.out
    assert (workspace.root / "releases" / "dos-rebuilt" / MISSING).is_file()
    for k in range(1, 4):
        write(media / f"{k}.wav", sound(k))
    done = cli("rebuild", "dos", "--media", media, "-o", tmp_path / "all", "--json")
    assert done.code == 0
    assert sum(done.json["rows"].values()) == 24
    assert cli("rebuild", "nothing", "--media", media).code == 2
    assert cli("rebuild", "dos", "--media", tmp_path / "nowhere").code == 2
    assert cli("rebuild", "dos", "--media", media, "--audio", "mp3").code == 2


def test_what_was_rebuilt_is_to_be_heard_and_not_to_be_given_away(
    cli: Cli, workspace: Workspace, pointers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rights of its sound are those of the recordings again."""
    write(tmp_path / "mine" / "a.wav", sound(0))
    context = typer.Context(
        typer.main.get_command(app), obj={"workspace": workspace.root, "debug": False}
    )
    with context:
        with pytest.raises(UsageError, match="there is no release with sound yet"):
            newest_release(context, to_hear=True)
        assert cli("rebuild", "uno", "--media", tmp_path / "mine").code == 1
        rebuilt = pointers.with_name("uno-rebuilt")
        assert newest_release(context, to_hear=True) == rebuilt
        assert newest_release(context) == pointers
    monkeypatch.setenv("HF_TOKEN", "hf_nobody")
    ran = cli("push", "pena/cante", "uno-rebuilt", "--public")
    assert ran.code == 1
    assert "uno may not be public (6 by the audio: unknown)" in ran.err
