"""A whole recording written down by a Whisper, with times."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from corpus.errors import TrainError
from corpus.media import SAMPLE_RATE, Samples
from train.config import Device
from train.data import Progress
from train.writer import Writer

__all__ = ["Segment", "transcribe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of a recording, in seconds, and what is sung in it."""

    start: float
    end: float
    text: str


def transcribe(
    model: Path,
    samples: Samples,
    *,
    language: str = "es",
    device: Device = "auto",
    progress: Progress | None = None,
) -> tuple[Segment, ...]:
    """What the Whisper in folder `model` hears in a recording, in order of time.

    Stretches without words are left out.  `progress` is told seconds.  Raises
    TrainError on an empty recording, ModelError when the folder holds no
    multilingual Whisper.
    """
    if not samples.n_samples:
        raise TrainError("there is no sound in this recording")
    writer = Writer(model, language=language, device=device)
    parts = writer.write_parts(samples.read(0, samples.n_samples), progress)
    duration = samples.n_samples / SAMPLE_RATE
    return tuple(
        Segment(start=round(min(start, duration), 2), end=round(min(end, duration), 2), text=text)
        for start, end, text in parts
        if text
    )
