"""What a model heard of a recording, kept in a small file: nobody listens twice.

Log-probabilities are kept in 256 steps, fine near 0 and coarse where a label is as
good as impossible; whoever listens for the first time gets them so as well, so that
the first time and the second give the same.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from align.emissions import AcousticModel, Heard, Progress
from corpus.media import FlacSamples, Samples
from corpus.whole import writing

__all__ = ["Kept", "compacted"]

_FLOOR = 25.0
"""Nats; a label that is less likely than exp(-25) is taken for that."""

_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


class Kept:
    """An acoustic model that remembers, in a folder, what it heard of a corpus's recordings."""

    def __init__(self, model: AcousticModel, folder: Path) -> None:
        self._model, self._folder = model, folder
        self.name, self.labels, self.frame_rate = model.name, model.labels, model.frame_rate

    def hear(self, samples: Samples, progress: Progress | None = None) -> Heard:
        """Letters and voice, from the file where there is one.

        Only a recording of a corpus has a name to be kept by.  Raises MediaError or
        DiskFullError where the file cannot be written.
        """
        if not isinstance(samples, FlacSamples):
            return compacted(self._model.hear(samples, progress))
        recording = samples.path.stem
        path = self._folder / self.name / recording[:2] / f"{recording}.npz"
        known = _read(path, len(self.labels))
        if known is not None:
            return known
        heard = self._model.hear(samples, progress)
        with writing(path) as scratch, scratch.open("wb") as out:
            np.savez_compressed(out, letters=_steps(heard.letters), voice=_parts(heard.voice))
        return compacted(heard)


def compacted(heard: Heard) -> Heard:
    """The same in the steps in which it is kept."""
    return _restored(_steps(heard.letters), _parts(heard.voice))


def _steps(scores: NDArray[np.float32]) -> NDArray[np.uint8]:
    shares = np.sqrt(np.clip(-scores, 0, _FLOOR) / _FLOOR)
    return np.asarray(np.rint(shares * 255), np.uint8)


def _parts(chances: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(np.clip(chances, 0, 1) * 255).astype(np.uint8)


def _restored(letters: NDArray[np.uint8], voice: NDArray[np.uint8]) -> Heard:
    shares = letters.astype(np.float32) / 255
    return Heard(
        letters=np.asarray(-_FLOOR * shares**2, np.float32),
        voice=np.asarray(voice / np.float32(255), np.float32),
    )


def _read(path: Path, n_labels: int) -> Heard | None:
    """What is kept; None where nothing is, or what is there is damaged."""
    try:
        # Opened here: numpy leaves a damaged file open.
        with path.open("rb") as file, np.load(file) as found:
            letters, voice = found["letters"], found["voice"]
    except _UNREADABLE:
        return None
    whole = letters.shape == (len(voice), n_labels) and letters.dtype == voice.dtype == np.uint8
    return _restored(letters, voice) if whole else None
