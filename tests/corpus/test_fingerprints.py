from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from corpus import fingerprints
from corpus.errors import MediaError
from corpus.fingerprints import SPEEDS, fingerprint, same_master
from corpus.synth.coplas import PALOS, coplas_of
from corpus.synth.make import make_cante
from corpus.synth.singers import SINGERS
from tests.corpus.made import ffmpeg, write_tone


@pytest.fixture(scope="module")
def performances(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same voice sings the same coplas twice, and another one others."""
    folder = tmp_path_factory.mktemp("cantes")
    found = []
    for seed, palo, singer in ((1, 0, 0), (2, 0, 0), (3, 1, 1)):
        made = make_cante(seed=seed, singer=SINGERS[singer], coplas=coplas_of(PALOS[palo])[:2])
        found.append(folder / f"{seed}.flac")
        soundfile.write(found[-1], made.audio, 16_000)
    return found


COPIES = {
    "mp3": ("-b:a", "64k", "c.mp3"),
    "aac": ("-c:a", "aac", "-b:a", "64k", "c.m4a"),
    "softer": ("-af", "volume=-12dB", "c.flac"),
    "clipped": ("-af", "volume=9dB", "c.flac"),
    "faster": ("-af", "asetrate=16320,aresample=16000", "c.flac"),
    "slower": ("-af", "asetrate=15680,aresample=16000", "c.flac"),
    "between": ("-af", "asetrate=16116,aresample=16000", "c.flac"),
    "trimmed": ("-ss", "5", "c.flac"),
}


@pytest.mark.parametrize("kind", COPIES)
def test_copies_have_one_master(performances: list[Path], tmp_path: Path, kind: str) -> None:
    *how, name = COPIES[kind]
    ffmpeg("-i", performances[0], *how, tmp_path / name)
    found = {str(k): fingerprint(path) for k, path in enumerate(performances)}
    found["copy"] = fingerprint(tmp_path / name)
    assert same_master(found) == {"0": "0", "copy": "0"}
    assert same_master(found, new=["copy"]) == {"0": "0", "copy": "0"}
    assert same_master(found, new=["0"]) == {"0": "0", "copy": "0"}


def test_what_was_known_stays(performances: list[Path]) -> None:
    found = {str(k): fingerprint(path) for k, path in enumerate(performances)}
    assert same_master(found, new=[], masters={"1": "2"}) == {"1": "1", "2": "1"}
    assert same_master(found, new=[], masters={"1": "gone"}) == {}


def test_silence_and_hum_are_no_evidence(tmp_path: Path) -> None:
    quiet = np.zeros(16_000 * 30)
    found = {}
    for k, hertz in enumerate((200.0, 330.0)):
        audio = quiet.copy()
        audio[:64_000] = 0.3 * np.sin(2 * np.pi * hertz * np.arange(64_000) / 16_000)
        soundfile.write(tmp_path / f"{k}.wav", audio, 16_000)
        found[str(k)] = fingerprint(tmp_path / f"{k}.wav")
    assert all(found.values())
    assert same_master(found) == {}


def test_too_short_to_tell(tmp_path: Path) -> None:
    assert fingerprint(write_tone(tmp_path / "a.wav", 5.0)) == b""
    assert same_master({"a": b"", "b": b""}) == {}


def test_no_audio(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"none")
    with pytest.raises(MediaError, match="no audio that FFmpeg can read"):
        fingerprint(tmp_path / "a.wav")


def test_an_ffmpeg_without_chromaprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints, "has_muxer", lambda _: False)
    with pytest.raises(MediaError, match="without Chromaprint"):
        fingerprint(write_tone(tmp_path / "a.wav"))


@given(st.binary(max_size=100))
def test_fingerprints_of_another_form_are_passed_over(data: bytes) -> None:
    assert same_master({"a": data, "b": data}) == {}


@given(st.integers(0, 10_000), st.integers(0, 40), st.floats(0, 0.2))
def test_turned_bits_and_lost_beginnings(seed: int, lost: int, turned: float) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2**32, (len(SPEEDS), 400), dtype=np.uint64).astype(np.uint32)
    flips = np.packbits(rng.random((*codes.shape, 32)) < turned, axis=-1).view(np.uint32)[..., 0]
    # A fifth of the codes come through whole, as they do in music that is held.
    flips[rng.random(codes.shape) < 0.2] = 0
    copy = (codes ^ flips)[:, lost:]
    other = rng.integers(0, 2**32, codes.shape, dtype=np.uint64).astype(np.uint32)

    def packed(one: np.typing.NDArray[np.uint32]) -> bytes:
        return np.array(one.shape, "<u2").tobytes() + one.astype("<u4").tobytes()

    found = {"a": packed(codes), "other": packed(other), "b": packed(copy)}
    assert same_master(found) == {"a": "a", "b": "a"}
