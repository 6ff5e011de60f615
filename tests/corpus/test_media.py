from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile

from corpus.depot import FolderDepot
from corpus.errors import DiskFullError, MediaError
from corpus.media import (
    SAMPLE_RATE,
    ArraySamples,
    FlacSamples,
    Media,
    decode,
    decoded_copy,
    flac_bytes,
    hash_file,
)
from corpus.whole import writing
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.made import ffmpeg, tone, write_tone

ROOT = os.geteuid() == 0


def leftovers(folder: Path) -> list[Path]:
    """What was begun and not ended."""
    return [path for path in folder.rglob("*") if "part" in path.name or "tmp" in path.name]


@pytest.fixture
def mp3(tmp_path: Path) -> Path:
    """Four seconds of mp3, its length announced in its header."""
    path = tmp_path / "made.mp3"
    ffmpeg("-f", "lavfi", "-i", "sine=330:duration=4", path)
    return path


# ---- reading


def test_flac_samples_are_read_piece_by_piece(tmp_path: Path) -> None:
    made = tone(1.0)
    path = tmp_path / "made.flac"
    path.write_bytes(flac_bytes(made))
    read = FlacSamples(path)
    assert read.n_samples == SAMPLE_RATE
    np.testing.assert_allclose(read.read(100, 500), made[100:600], atol=1e-4)
    assert read.read(SAMPLE_RATE - 10, 500).shape == (10,)
    assert read.read(SAMPLE_RATE + 10, 500).shape == (0,)
    assert read.read(0, 0).shape == (0,)
    np.testing.assert_array_equal(ArraySamples(made).read(5, 20), made[5:25])


def test_flac_samples_refuse_another_rate(tmp_path: Path) -> None:
    path = tmp_path / "made.flac"
    soundfile.write(str(path), tone(1.0), 44_100)
    with pytest.raises(MediaError, match="not 16 kHz mono"):
        FlacSamples(path)
    with pytest.raises(MediaError, match="cannot be read as FLAC"):
        FlacSamples(tmp_path / "nothing.flac")


def test_a_damaged_flac(tmp_path: Path) -> None:
    path = tmp_path / "made.flac"
    path.write_bytes(flac_bytes(np.random.default_rng(1).uniform(-1, 1, 160_000).astype("f4")))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MediaError, match="damaged: run `corpus verify --mend`"):
        FlacSamples(path).read(150_000, 1000)


# ---- decoding


@pytest.mark.parametrize("suffix", [".mp3", ".m4a", ".ogg", ".opus", ".flac", ".wma", ".aiff"])
def test_formats(tmp_path: Path, suffix: str) -> None:
    source = tmp_path / f"made{suffix}"
    ffmpeg("-i", write_tone(tmp_path / "tone.wav", 2.0), source)
    decoded = decode(source, tmp_path / "out" / "made.flac")
    assert decoded.duration == pytest.approx(2.0, abs=0.12)
    assert decoded.warning == ""
    heard = FlacSamples(tmp_path / "out" / "made.flac").read(0, 2 * SAMPLE_RATE)
    assert np.abs(heard).max() == pytest.approx(0.5, abs=0.1)


def test_stereo_and_other_rates(tmp_path: Path) -> None:
    both = np.stack([tone(1.0), -0.5 * tone(1.0)], axis=1)
    soundfile.write(str(tmp_path / "made.wav"), both, 16_000)
    ffmpeg("-i", tmp_path / "made.wav", "-ar", 48_000, tmp_path / "high.wav")  # type: ignore[arg-type]  # made a text
    with decoded_copy(tmp_path / "high.wav") as samples:
        assert samples.n_samples == pytest.approx(SAMPLE_RATE, abs=10)
        assert np.abs(samples.read(0, SAMPLE_RATE)).max() == pytest.approx(0.125, abs=0.01)
        copy = samples.path
    assert not copy.exists()


@pytest.mark.parametrize("seconds", [0.2, 0.01])
def test_very_short(tmp_path: Path, seconds: float) -> None:
    decoded = decode(write_tone(tmp_path / "made.wav", seconds), tmp_path / "made.flac")
    assert decoded.duration == pytest.approx(seconds)


def test_silence_is_audio(tmp_path: Path) -> None:
    soundfile.write(str(tmp_path / "made.wav"), np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    assert decode(tmp_path / "made.wav", tmp_path / "made.flac").duration == 1.0


def test_a_truncated_mp3_is_taken_and_told(mp3: Path, tmp_path: Path) -> None:
    whole = mp3.read_bytes()
    mp3.write_bytes(whole[: len(whole) // 2])
    decoded = decode(mp3, tmp_path / "made.flac")
    assert 1.5 < decoded.duration < 2.5
    assert "cut short: 2 s of the 4 s announced" in decoded.warning


def test_a_damaged_mp3_is_taken_and_told(mp3: Path, tmp_path: Path) -> None:
    whole = bytearray(mp3.read_bytes())
    whole[8000:12000] = np.random.default_rng(1).bytes(4000)
    mp3.write_bytes(whole)
    assert "damaged in places" in decode(mp3, tmp_path / "made.flac").warning


def test_opus_named_mp3(tmp_path: Path) -> None:
    ffmpeg("-i", write_tone(tmp_path / "a.wav"), "-c:a", "libopus", "-f", "ogg", tmp_path / "a.mp3")
    assert decode(tmp_path / "a.mp3", tmp_path / "a.flac").duration == pytest.approx(1.0, abs=0.1)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("por la calle abajo\n" * 200, "utf-8")


def noise(path: Path) -> None:
    path.write_bytes(np.random.default_rng(1).bytes(300))


def video_without_audio(path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=duration=1:size=64x64:rate=5", "-f", "matroska", path)


def wav_without_samples(path: Path) -> None:
    soundfile.write(str(path), np.zeros(0), SAMPLE_RATE, format="WAV")


def half_a_header(path: Path) -> None:
    path.write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt ")


def picture(path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "color=size=16x16", "-frames:v", "1", "-f", "image2", path)


BAD = [empty, text, noise, video_without_audio, wav_without_samples, half_a_header, picture]


@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__name__)
def test_what_is_no_audio(tmp_path: Path, make: Callable[[Path], None]) -> None:
    source, target = tmp_path / "made.mp3", tmp_path / "out" / "made.flac"
    make(source)
    with pytest.raises(MediaError, match="no audio") as told:
        decode(source, target)
    assert "\n" not in str(told.value)
    assert not target.exists()
    assert leftovers(tmp_path) == []


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{path}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile {name}\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_opens_no_other_file(tmp_path: Path, kind: str) -> None:
    other = write_tone(tmp_path / "other.wav", 3.0)
    source = tmp_path / "made.mp3"
    source.write_text(PLAYLISTS[kind].format(path=other, name=other.name), "utf-8")
    with pytest.raises(MediaError, match="a playlist: name the files themselves"):
        decode(source, tmp_path / "made.flac")


NAMES = [
    "con espacios y 'comillas'.wav",
    "🎸💃.wav",
    "dos\nlíneas.wav",
    "-y.wav",
    "http:nada.wav",
    "a%d.wav",
    "..wav",
    "....wav",
    os.fsdecode(b"latin-\xf1.wav"),
]


@pytest.mark.parametrize("name", NAMES)
def test_names(cli: Cli, workspace: Workspace, tmp_path: Path, name: str) -> None:
    made = write_tone(tmp_path / "tone.wav")
    (workspace.root / "aquí").mkdir()
    made.rename(workspace.root / "aquí" / name)
    # As a person in that folder names it; a leading dash is theirs to mask.
    ran = cli("collect", "--", f"aquí/../aquí/{name}")
    assert (ran.code, ran.err.count("\n")) == (0, 1), ran.err
    (found,) = workspace.store.recordings()
    assert workspace.media.flac(found.id).is_file()
    original = workspace.media.original(found.id, found.suffix)
    assert original.name in {found.id, f"{found.id}.wav"}
    assert found.title
    assert "\n" not in found.title + found.source
    assert cli("recordings").code == 0
    assert cli("recordings", "--json").json[0]["id"] == found.id


@pytest.mark.parametrize("name", ["x" * 300 + ".wav", "no/such/file.wav", ""])
def test_names_of_no_file(cli: Cli, name: str) -> None:
    ran = cli("collect", name)
    assert ran.code == 1
    assert "there is no such file" in ran.err
    assert "unexpected" not in ran.err


def test_a_name_that_starts_with_a_dash_reaches_ffmpeg_as_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_tone(Path("-version.wav"))
    assert decode(Path("-version.wav"), tmp_path / "made.flac").duration == 1.0


def test_a_nul_in_a_tag(cli: Cli, workspace: Workspace, mp3: Path) -> None:
    tags = mutagen.File(mp3, easy=True)
    tags["title"] = ["Soleá\x00 de\n Alcalá"]
    tags["artist"] = ["\x00"]
    tags.save()
    assert cli("collect", mp3).code == 0
    (found,) = workspace.store.recordings()
    assert "\x00" not in found.title + found.artist
    assert found.title.startswith("Soleá")
    assert "\n" not in found.title


@pytest.mark.skipif(ROOT, reason="root may read everything")
def test_a_file_that_may_not_be_read(cli: Cli, tmp_path: Path) -> None:
    write_tone(tmp_path / "made.wav").chmod(0)
    ran = cli("collect", tmp_path / "made.wav")
    assert (ran.code, "Permission denied" in ran.err) == (1, True)


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(MediaError, match="cannot be read: Permission denied"):
        hash_file(tmp_path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="cannot be read: Is a directory"):
        hash_file(tmp_path)


def test_without_ffmpeg(
    cli: Cli, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = write_tone(tmp_path / "made.wav")
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "")
        patch.setattr("corpus.media._formats", lambda: "wav")
        ran = cli("collect", made)
    assert ran.code == 1
    assert "is not installed: install FFmpeg" in ran.err
    assert workspace.store.recordings() == ()
    assert cli("collect", made).code == 0


# ---- writing


def test_writing_replaces_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "folder" / "made.txt"
    with writing(target) as scratch:
        scratch.write_text("first", "utf-8")
        assert not target.exists()
    with pytest.raises(ZeroDivisionError), writing(target) as scratch:
        scratch.write_text(str(1 / 0), "utf-8")
    assert target.read_text("utf-8") == "first"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(("number", "kind"), [(28, DiskFullError), (5, MediaError)])
def test_what_the_file_system_refuses(tmp_path: Path, number: int, kind: type[MediaError]) -> None:
    with pytest.raises(kind) as told, writing(tmp_path / "made.txt"):
        raise OSError(number, os.strerror(number))
    assert str(tmp_path) in str(told.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(MediaError, match=r"cannot write in .*file"),
        writing(tmp_path / "file" / "made.txt"),
    ):
        pytest.fail("there is nothing to write to")


def test_the_original_is_kept_untouched(tmp_path: Path, mp3: Path) -> None:
    media, id_ = Media(FolderDepot(tmp_path / "media")), hash_file(mp3)
    media.take(mp3, id_, ".mp3")
    assert hash_file(media.original(id_, ".mp3")) == id_
    assert media.samples(id_).n_samples == pytest.approx(4 * SAMPLE_RATE, rel=0.02)
    assert leftovers(tmp_path) == []


def test_take_leaves_nothing_where_it_fails(
    tmp_path: Path, mp3: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    media = Media(FolderDepot(tmp_path / "media"))
    with pytest.raises(DiskFullError, match="make room, run again"):
        media.take(mp3, "ab" * 32, ".mp3")
    assert [path for path in media.root.rglob("*") if path.is_file()] == []


def test_audio_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"missing .*run `corpus verify --mend`"):
        Media(FolderDepot(tmp_path)).samples("ab" * 32)


# ---- the disk is full

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
sys.argv = ["corpus", "collect", *sys.argv[1:]]
from corpus.cli import main
main()
"""


def test_a_disk_that_is_full(workspace: Workspace, tmp_path: Path, cli: Cli) -> None:
    noise_ = np.random.default_rng(1).uniform(-0.5, 0.5, 40 * SAMPLE_RATE)
    soundfile.write(str(tmp_path / "long.flac"), noise_, SAMPLE_RATE)  # over the limit
    ffmpeg("-i", tmp_path / "long.flac", "-b:a", "32k", tmp_path / "long.mp3")  # its FLAC is
    small = write_tone(tmp_path / "small.wav", 2.0)
    files = [tmp_path / "long.flac", tmp_path / "long.mp3", small]
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, *map(str, files)],
        cwd=workspace.root,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=100,
    )
    assert ran.returncode == 1, ran.stderr
    assert ran.stderr.count("no room left on the disk") == 2
    assert "Traceback" not in ran.stderr
    assert [r.title for r in workspace.store.recordings()] == ["small"]
    assert leftovers(workspace.root) == []
    kept = [path for path in workspace.media.root.rglob("*") if path.is_file()]
    assert len(kept) == 2
    failed = cli("status", "--json").json["failed"]
    assert [Path(f["item"]).name for f in failed] == ["long.flac", "long.mp3"]
    assert all("no room left" in f["note"] for f in failed)


# ---- hours


@pytest.fixture
def three_hours(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "long.mp3"
    ffmpeg("-f", "lavfi", "-i", "sine=220:duration=10800", "-b:a", "64k", path)
    yield path
    path.unlink()


MEASURED = """
import resource, subprocess, sys
code = subprocess.run([sys.executable, "-m", "corpus", "collect", sys.argv[1]]).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.long
def test_three_hours_in_little_memory(workspace: Workspace, three_hours: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", MEASURED, str(three_hours)],
        cwd=workspace.root,
        stdout=subprocess.PIPE,
        check=True,
    )
    code, kilobytes = map(int, ran.stdout.split())
    assert code == 0
    assert workspace.store.recordings()[0].duration == pytest.approx(10_800, abs=2)
    # The largest process: Python and one FFmpeg at a time take less than twice as much.
    assert 2 * kilobytes < 2_000_000
