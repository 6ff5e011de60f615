"""Clips of one recording for a release: the recording is decoded once, however many there are."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path

from corpus.errors import MediaError
from corpus.media import SAMPLE_RATE, Media, flac_bytes
from corpus.records import Utterance

__all__ = ["Codec", "clips", "coded"]

_LONGEST = 600.0
"""Seconds that are decoded together: 40 MB."""

_BITRATE = "32k"
"""Opus at 16 kHz mono: speech is transparent there (RFC 7845; Opus recommended settings)."""


class Codec(str, Enum):
    """What clips are kept in: FLAC loses nothing, Opus takes an eighth."""

    FLAC = "flac"
    OPUS = "opus"


def clips(media: Media, utterances: Sequence[Utterance], codec: Codec) -> Iterator[bytes]:
    """The sound of each utterance of one recording, in their order, which is that of time.

    The same audio gives the same bytes.  Raises MediaError when audio is missing.
    """
    for group in _together(utterances):
        yield from coded(_flac(media, group), codec)


def coded(flacs: Sequence[bytes], codec: Codec) -> Iterable[bytes]:
    """FLACs as they are, or as Opus; raises MediaError where FFmpeg cannot write that."""
    return flacs if codec is Codec.FLAC else _opus(flacs)


def _together(utterances: Sequence[Utterance]) -> Iterator[list[Utterance]]:
    group: list[Utterance] = []
    for one in utterances:
        if group and one.end - group[0].start > _LONGEST:
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _flac(media: Media, group: Sequence[Utterance]) -> list[bytes]:
    first = round(group[0].start * SAMPLE_RATE)
    last = max(round(one.end * SAMPLE_RATE) for one in group)
    samples = media.samples(group[0].recording).read_pcm(first, max(1, last - first))
    found = []
    for one in group:
        at = round(one.start * SAMPLE_RATE) - first
        n_samples = max(1, round(one.end * SAMPLE_RATE) - round(one.start * SAMPLE_RATE))
        found.append(flac_bytes(samples[at : at + n_samples]))
    return found


def _opus(flacs: Sequence[bytes]) -> Iterator[bytes]:
    """By one FFmpeg for all: each start of it takes longer than a clip."""
    with tempfile.TemporaryDirectory(prefix="cante-clips-") as folder:
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y"]
        outputs = []
        for k, flac in enumerate(flacs):
            source, target = Path(folder) / f"{k}.flac", Path(folder) / f"{k}.opus"
            source.write_bytes(flac)
            command += ["-i", str(source)]
            exact = ("-fflags", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1")
            outputs += ["-map", f"{k}:a", "-c:a", "libopus", "-b:a", _BITRATE, *exact, str(target)]
        done = subprocess.run([*command, *outputs], capture_output=True, check=False)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines() or [
                "it said nothing"
            ]
            raise MediaError(f"FFmpeg cannot write Opus: {said[-1]}")
        for k in range(len(flacs)):
            yield (Path(folder) / f"{k}.opus").read_bytes()
