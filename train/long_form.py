"""Whole recordings written by a model, and compared with their utterances: words, and times.

By faster-whisper's long form, which cuts at the times that Whisper itself writes
(Radford et al., 2022, section 4.5).  A release holds clips only, so the recordings must be at hand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from corpus import media
from corpus.errors import MediaError
from corpus.records import Segment
from train.config import Device
from train.data import Progress, Row
from train.findings import Rate, Timing
from train.intervals import rate_of
from train.metrics import Counts, count

__all__ = ["LongForm", "Recordings", "compare", "long_form"]

Recordings = Callable[[str], media.Samples]
"""Gives the sound of a recording, 16 kHz mono; raises MediaError when it is not at hand."""

_Transcribe = Callable[[NDArray[np.float32]], tuple[Segment, ...]]

_WITHIN = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class LongForm:
    """The word error rate over whole recordings, the times of segments, and what to know."""

    wer: Rate
    timing: Timing | None = None
    notes: tuple[str, ...] = ()


def long_form(
    folder: Path,
    rows: Sequence[Row],
    recordings: Recordings,
    language: str = "es",
    device: Device = "auto",
    progress: Progress | None = None,
) -> LongForm:
    """What the Whisper in a folder (transformers form) makes of the recordings of rows.

    Raises ModelError when it cannot be converted.
    """
    by_recording: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_recording[row.recording].append(row)
    transcribe = _transcriber(folder, language, device)
    heard: dict[str, tuple[Segment, ...]] = {}
    missing = 0
    for done, name in enumerate(by_recording, start=1):
        try:
            sound = recordings(name)
            heard[name] = transcribe(sound.read(0, sound.n_samples))
        except MediaError:
            missing += 1
        if progress is not None:
            progress("whole recordings", done, len(by_recording))
    notes = (f"{missing} of {len(by_recording)} recordings are not at hand",) if missing else ()
    return compare({name: by_recording[name] for name in heard}, heard, language, notes)


def _transcriber(folder: Path, language: str, device: Device) -> _Transcribe:
    from ctranslate2 import set_random_seed

    from train.fast_writer import transcriber

    model = transcriber(folder, device)

    def transcribe(samples: NDArray[np.float32]) -> tuple[Segment, ...]:
        set_random_seed(0)  # where Whisper is unsure it draws lots
        found, _ = model.transcribe(
            samples,
            language=language,
            condition_on_previous_text=False,  # one wrong line would be sung on and on
            vad_filter=False,  # it takes melismas for music
        )
        return tuple(_segment(one.text, one.start, one.end) for one in found)

    return transcribe


def _segment(text: str, start: float, end: float) -> Segment:
    start = max(0.0, float(start))
    return Segment(text=text.strip(), start=start, end=max(start, float(end)))


def compare(
    rows: dict[str, list[Row]],
    heard: dict[str, tuple[Segment, ...]],
    language: str = "es",
    notes: tuple[str, ...] = (),
) -> LongForm:
    """The segments of recordings against their utterances in order, both by recording.

    Segments that touch no utterance are set aside: what is sung there may be unknown, or was not
    published.
    """
    counts: list[Counts] = []
    errors: list[tuple[float, float]] = []
    for name, utterances in rows.items():
        segments = [one for one in heard[name] if any(_overlap(one, row) for row in utterances)]
        counts.append(_counts(utterances, segments, language))
        errors += _time_errors(segments, utterances)
    wer = rate_of([one.errors for one in counts], [one.words for one in counts], list(rows))
    return LongForm(wer=wer, timing=_timing(errors, len(rows)), notes=notes)


def _counts(rows: Iterable[Row], segments: Iterable[Segment], language: str) -> Counts:
    ordered = sorted(rows, key=lambda row: row.start)
    sung = " ".join(row.text for row in ordered if not row.nothing_sung)
    return count(sung, " ".join(one.text for one in segments), language=language)


def _overlap(segment: Segment, row: Row) -> float:
    """Seconds that both last; 0 where one ends before the other."""
    return max(0.0, min(segment.end, row.end) - max(segment.start, row.start))


def _time_errors(segments: Sequence[Segment], rows: Sequence[Row]) -> list[tuple[float, float]]:
    """How far each segment lies from the utterance that it shares most time with: begin and end."""
    sung = [row for row in rows if not row.nothing_sung]
    errors = []
    for segment in segments:
        nearest = max(sung, key=lambda row: _overlap(segment, row), default=None)
        if nearest is not None and _overlap(segment, nearest):
            errors.append((abs(segment.start - nearest.start), abs(segment.end - nearest.end)))
    return errors


def _timing(errors: Sequence[tuple[float, float]], n_recordings: int) -> Timing | None:
    if not errors:
        return None
    onsets = [onset for onset, _ in errors]
    return Timing(
        recordings=n_recordings,
        segments=len(errors),
        onset_median=median(onsets),
        offset_median=median(offset for _, offset in errors),
        onset_within=sum(onset <= _WITHIN for onset in onsets) / len(onsets),
    )
