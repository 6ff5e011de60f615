"""A whole recording written down by a Whisper, however long, with times."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.errors import TrainError
from corpus.media import SAMPLE_RATE, Samples
from train.config import Device
from train.data import Progress
from train.device import pick_device
from train.evaluate import generation_settings
from train.whisper import Whisper, open_whisper
from train.windows import WINDOW_SAMPLES

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

    Greedy, window after window, each beginning where the one before was sure to
    end (Radford et al. 2022, section 3.8).  `progress` is told seconds.  Raises
    TrainError on an empty recording, ModelError when the folder holds no
    multilingual Whisper.
    """
    if not samples.n_samples:
        raise TrainError("there is no sound in this recording")
    whisper = open_whisper(model)
    whisper.model.to(pick_device(device)).eval()
    duration = samples.n_samples / SAMPLE_RATE
    segments = (
        _segment(whisper, part, duration) for part in _parts(whisper, samples, language, progress)
    )
    return tuple(segment for segment in segments if segment.text)


def _parts(
    whisper: Whisper, samples: Samples, language: str, progress: Progress | None
) -> list[dict[str, Any]]:
    import torch

    def told(frames: Any) -> None:
        if progress is not None:
            done, total = (int(n) // 100 for n in frames[0])
            progress("transcribing", done, total)

    # The encoder wants 30 s at the least.
    padding = "max_length" if samples.n_samples <= WINDOW_SAMPLES else "longest"
    features = whisper.extractor(
        samples.read(0, samples.n_samples),
        sampling_rate=SAMPLE_RATE,
        return_tensors="pt",
        truncation=False,
        padding=padding,
        return_attention_mask=True,
    ).to(whisper.model.device)
    with torch.inference_mode():
        found = whisper.model.generate(
            **features,
            generation_config=generation_settings(whisper),
            language=language,
            task="transcribe",
            return_timestamps=True,
            return_segments=True,
            monitor_progress=told,
        )
    parts: list[dict[str, Any]] = found["segments"][0]
    return parts


def _segment(whisper: Whisper, part: dict[str, Any], duration: float) -> Segment:
    return Segment(
        start=round(min(float(part["start"]), duration), 2),
        end=round(min(float(part["end"]), duration), 2),
        text=whisper.tokenizer.decode(part["tokens"], skip_special_tokens=True).strip(),
    )
