"""A split written down by a model: which rows, in which batches, and what it wrote."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.errors import MediaError
from corpus.media import SAMPLE_RATE
from train.backends import Backend
from train.data import Progress, Row, Split
from train.guards import LeftOut, Reason, reason_of_audio, reason_of_text

__all__ = ["Written", "rows_to_judge", "spread", "write_down"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a model wrote of which rows, in the order of the split; how long it took and they last.

    `left_out` counts the rows whose sound is of no use, by reason.
    """

    rows: tuple[Row, ...]
    texts: tuple[str, ...]
    left_out: LeftOut
    seconds: float
    audio_seconds: float


def rows_to_judge(split: Split, left_out: LeftOut) -> list[Row]:
    """Rows that say what is sung, or that nothing is; others are counted in `left_out`."""
    fine = []
    for row in split.rows():
        reason = reason_of_text(row.text, nothing_sung=row.nothing_sung)
        if reason is None:
            fine.append(row)
        else:
            left_out.add(reason)
    return fine


def spread(rows: Sequence[Row], n: int | None) -> list[Row]:
    """So many of them, at equal distances; all where there are fewer, or None is asked for."""
    if n is None or n >= len(rows):
        return list(rows)
    return [rows[i * len(rows) // n] for i in range(n)]


def write_down(
    split: Split,
    rows: Sequence[Row],
    backend: Backend,
    batch_size: int,
    progress: Progress | None = None,
    stage: str = "judging",
) -> Written:
    """What a model writes of rows whose sound can be read and lasts at most 30 s.

    Clips of like length go together: a batch takes as long as its longest answer.
    """
    began = time.monotonic()
    left_out, lasting = LeftOut(), 0
    done: list[tuple[Row, str]] = []
    by_length = sorted(rows, key=lambda row: row.end - row.start)
    for k in range(0, len(by_length), batch_size):
        heard = list(_heard(split, by_length[k : k + batch_size], left_out))
        texts = backend.write([sound for _, sound in heard]) if heard else []
        done += [(row, text) for (row, _), text in zip(heard, texts, strict=True)]
        lasting += sum(len(sound) for _, sound in heard)
        if progress is not None:
            progress(stage, min(k + batch_size, len(rows)), len(rows))
    done.sort(key=lambda pair: pair[0].number)
    return Written(
        rows=tuple(row for row, _ in done),
        texts=tuple(text for _, text in done),
        left_out=left_out,
        seconds=time.monotonic() - began,
        audio_seconds=lasting / SAMPLE_RATE,
    )


def _heard(
    split: Split, rows: Sequence[Row], left_out: LeftOut
) -> Iterator[tuple[Row, NDArray[np.float32]]]:
    for row in rows:
        try:
            sound = split.sound(row.number)
        except MediaError:
            left_out.add(Reason.UNREADABLE)
            continue
        reason = reason_of_audio(len(sound))
        if reason is None:
            yield row, sound
        else:
            left_out.add(reason)
