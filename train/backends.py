"""What runs a Whisper: one question, two ways to have it answered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from train.config import Device, Precision

__all__ = ["BACKENDS", "Backend", "BackendName", "open_backend"]

BackendName = Literal["transformers", "faster-whisper"]
BACKENDS: tuple[BackendName, ...] = ("transformers", "faster-whisper")


class Backend(Protocol):
    """A Whisper that is ready to be asked."""

    def write(self, sounds: Sequence[NDArray[np.float32]]) -> list[str]:
        """One text for each sound (16 kHz mono, up to 30 s); empty where nothing was heard."""
        ...


def open_backend(
    name: BackendName,
    folder: Path,
    *,
    language: str,
    device: Device,
    beam: int,
    precision: Precision = "float32",
) -> Backend:
    """The Whisper of a folder in transformers form; `precision` is for transformers only.

    Raises ModelError when the folder holds no Whisper or it knows no such language, TrainError
    when the device is not there.
    """
    # Each pulls in what it runs on.
    if name == "faster-whisper":
        from train.fast_writer import FastWriter

        return FastWriter(folder, language=language, device=device, beam=beam)
    from train.writer import Writer

    return Writer.open(folder, language=language, device=device, beam=beam, precision=precision)
