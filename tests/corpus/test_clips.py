"""Clips of a recording: the samples that were there, the same bytes every time."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from corpus.depot import FolderDepot
from corpus.errors import MediaError
from corpus.media import Media, flac_bytes
from corpus.publish import clips as module
from corpus.publish.clips import Codec, clips
from tests.corpus.made import recording, tone, utterance

UNO = recording("uno")
SPANS = ((0.0, 1.0), (0.5, 1.25), (6.0, 0.0001), (9.0, 1.0))
MINE = [utterance(UNO, f"ay {k}", at, seconds) for k, (at, seconds) in enumerate(SPANS)]
HISS = np.random.default_rng(1).normal(0, 0.03, 160_000).astype(np.float32)
SOUND = tone(10.0) * np.linspace(0.1, 1.0, 160_000, dtype=np.float32) + HISS


@pytest.fixture
def media(tmp_path: Path) -> Media:
    made = Media(FolderDepot(tmp_path))
    path = made.flac(UNO.id)
    path.parent.mkdir(parents=True)
    path.write_bytes(flac_bytes(SOUND))
    return made


def decoded(clip: bytes) -> NDArray[np.float32]:
    samples, rate = soundfile.read(io.BytesIO(clip), dtype="float32")
    assert rate == 16_000
    return np.asarray(samples)


@pytest.mark.parametrize("longest", [600.0, 2.0, 0.1])
def test_clips_are_the_samples_that_were_there(
    media: Media, longest: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONGEST", longest)
    found = list(clips(media, MINE, Codec.FLAC))
    for clip, (at, seconds) in zip(found, SPANS, strict=True):
        first, n_samples = round(at * 16_000), max(1, round(seconds * 16_000))
        expected = SOUND[first : first + n_samples]
        np.testing.assert_allclose(decoded(clip), expected, atol=1e-4)
    assert found == list(clips(media, MINE, Codec.FLAC))


def test_opus_is_much_smaller_and_of_the_same_length(media: Media) -> None:
    mine = [MINE[0], MINE[3]]
    opus = list(clips(media, mine, Codec.OPUS))
    assert opus == list(clips(media, mine, Codec.OPUS))
    flac = list(clips(media, mine, Codec.FLAC))
    for small, whole in zip(opus, flac, strict=True):
        assert len(small) < 0.5 * len(whole)
        heard, was = soundfile.read(io.BytesIO(small))[0], decoded(whole)
        assert len(heard) == pytest.approx(len(was), abs=16)
        assert np.corrcoef(heard[: len(was)], was[: len(heard)])[0, 1] > 0.9


def test_without_audio_it_is_told(media: Media) -> None:
    media.flac(UNO.id).unlink()
    for codec in Codec:
        with pytest.raises(MediaError, match="is missing"):
            list(clips(media, MINE, codec))


def test_a_codec_that_ffmpeg_does_not_have_is_told(
    media: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BITRATE", "no such rate")
    with pytest.raises(MediaError, match=r"FFmpeg cannot write Opus: .+"):
        list(clips(media, MINE[:1], Codec.OPUS))


def test_of_nothing_there_are_none(media: Media) -> None:
    assert list(clips(media, [], Codec.OPUS)) == []
