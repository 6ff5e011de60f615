"""Whether the audio of a recording is what was taken in."""

from __future__ import annotations

import hashlib
from pathlib import Path

from corpus.care.shelf import opened
from corpus.errors import MediaError
from corpus.media import SAMPLE_RATE, FlacSamples, hash_file

__all__ = ["flac_flaw", "is_damaged", "original_flaw"]

_BLOCK = 60 * SAMPLE_RATE
_SLACK = 0.001
"""Seconds by which a duration may differ: it is counted in samples."""


def original_flaw(path: Path, recording: str, *, quick: bool) -> str:
    """What is wrong with an original, whose SHA-256 is the recording's id; "" when nothing is.

    With `quick`, only whether it is there, and not empty.
    """
    try:
        if not path.stat().st_size:
            return "is empty"
        if not quick and hash_file(path) != recording:
            return "is damaged: its bytes are not those that were taken in"
    except FileNotFoundError:
        return "is missing"
    except MediaError as error:
        return str(error)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return ""


def flac_flaw(path: Path, duration: float, *, quick: bool) -> str:
    """What is wrong with what stages hear of a recording of `duration` s; "" when nothing is.

    All of it is decoded, and compared with the MD5 of its samples that a FLAC has in its head
    (RFC 9639, 8.2); with `quick`, only the length that it says.
    """
    if not path.is_file():
        return "is missing"
    try:
        samples = FlacSamples(path)
        found = samples.n_samples / SAMPLE_RATE
        if abs(found - duration) > _SLACK:
            return f"lasts {found:.3f} s, not {duration:.3f} s"
        if not quick and is_damaged(samples):
            return "is damaged: its samples are not those that were written"
    except MediaError as error:
        return f"is damaged: {str(error).partition(': ')[0]}"
    return ""


def is_damaged(samples: FlacSamples) -> bool:
    """Whether the samples are not those that were written, as far as the file tells.

    Raises MediaError where they cannot be decoded.
    """
    written = _md5_written(samples.path)
    found = hashlib.md5(usedforsecurity=False)
    for start in range(0, samples.n_samples, _BLOCK):
        pcm = samples.read_pcm(start, _BLOCK)
        if len(pcm) < min(_BLOCK, samples.n_samples - start):
            return True
        found.update(pcm.astype("<i2").tobytes())
    # All zero: who wrote it did not count.
    return any(written) and found.digest() != written


def _md5_written(path: Path) -> bytes:
    # "fLaC", 4 bytes of the block's head, and STREAMINFO of 34 bytes, the last 16 of which are it.
    with opened(path) as data:
        return data.read(42)[26:]
