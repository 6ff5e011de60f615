"""A split written down by a model: which rows, in which batches, and what it wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.engine import Open, as_ended
from corpus.errors import MediaError
from corpus.media import SAMPLE_RATE
from train.backends import Backend
from train.data import Progress, Row, Split, read_sound
from train.guards import LeftOut, Reason, reason_of_audio, reason_of_text

__all__ = [
    "Batch",
    "Written",
    "WrittenBatch",
    "rows_to_judge",
    "spread",
    "write_batch",
    "write_down",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a model wrote of which rows, in the order of the split; how long it took and they last.

    `left_out` counts the rows whose sound is of no use, by reason; `seconds` are those of all
    workers together, `busy` the share of their time that they worked (None: it was one process).
    """

    rows: tuple[Row, ...]
    texts: tuple[str, ...]
    left_out: LeftOut
    seconds: float
    audio_seconds: float
    workers: int = 1
    busy: float | None = None


Batch = tuple[tuple[Row, Mapping[str, Any]], ...]
"""Rows with their undecoded sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenBatch:
    """What a model wrote of which rows of a batch, and why others were left out."""

    texts: tuple[tuple[Row, str], ...]
    left_out: tuple[tuple[Row, Reason], ...]
    n_samples: int


def rows_to_judge(split: Split, left_out: LeftOut) -> list[Row]:
    """Rows that say what is sung, or that nothing is; others are counted in `left_out`."""
    fine = []
    for row in split.rows():
        reason = reason_of_text(row.text, nothing_sung=row.nothing_sung)
        if reason is None:
            fine.append(row)
        else:
            left_out.add(row, reason)
    return fine


def spread(rows: Sequence[Row], n: int | None) -> list[Row]:
    """So many of them, at equal distances; all where there are fewer, or None is asked for."""
    if n is None or n >= len(rows):
        return list(rows)
    return [rows[i * len(rows) // n] for i in range(n)]


def write_down(
    split: Split,
    rows: Sequence[Row],
    crew: Open[Batch, WrittenBatch],
    batch_size: int,
    progress: Progress | None = None,
    stage: str = "judging",
) -> Written:
    """What a model writes of rows whose sound can be read and lasts at most 30 s.

    The workers' step is `write_batch`.  Clips of like length go together: a batch takes as long as
    its longest answer.
    """
    left_out, n_samples = LeftOut(), 0
    done: list[tuple[Row, str]] = []
    n_asked = 0
    for ended in as_ended(crew, _batches(split, rows, batch_size)):
        for batch, given in ended:
            written = given.result()
            done += written.texts
            left_out.rows.extend(written.left_out)
            n_samples += written.n_samples
            n_asked += len(batch)
            if progress is not None:
                progress(stage, n_asked, len(rows))
    done.sort(key=lambda pair: pair[0].number)
    return Written(
        rows=tuple(row for row, _ in done),
        texts=tuple(text for _, text in done),
        left_out=left_out,
        seconds=crew.seconds,
        audio_seconds=n_samples / SAMPLE_RATE,
        workers=crew.n_workers,
        busy=crew.busy,
    )


def _batches(split: Split, rows: Sequence[Row], batch_size: int) -> Iterator[Batch]:
    by_length = sorted(rows, key=lambda row: row.end - row.start)
    for k in range(0, len(by_length), batch_size):
        yield tuple((row, split.cell(row.number)) for row in by_length[k : k + batch_size])


def write_batch(backend: Backend, batch: Batch) -> WrittenBatch:
    """What a model writes of rows that go through it at once."""
    heard: list[tuple[Row, NDArray[np.float32]]] = []
    left_out: list[tuple[Row, Reason]] = []
    for row, cell in batch:
        try:
            sound = read_sound(cell)
        except MediaError:
            left_out.append((row, Reason.UNREADABLE))
            continue
        reason = reason_of_audio(len(sound))
        if reason is None:
            heard.append((row, sound))
        else:
            left_out.append((row, reason))
    texts = backend.write([sound for _, sound in heard]) if heard else []
    return WrittenBatch(
        texts=tuple((row, text) for (row, _), text in zip(heard, texts, strict=True)),
        left_out=tuple(left_out),
        n_samples=sum(len(sound) for _, sound in heard),
    )
