"""Judging a Whisper on one split of a dataset: what it writes, and how much of it is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

from corpus.errors import TrainError
from train.config import Device
from train.data import Progress, Row, Split, open_splits
from train.guards import LeftOut, usable
from train.metrics import Scores, score
from train.quiet import quiet
from train.writer import Writer

__all__ = ["Evaluation", "Judged", "evaluate"]

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One utterance: its row, what it should be and what the model wrote."""

    row: int
    reference: str
    hypothesis: str
    recording: str = ""
    palo: str = ""
    singer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a model wrote over a split, and its scores: of all, by palo and by singer.

    `by_palo` and `by_singer` are empty where the dataset does not say; `left_out`
    counts utterances by reason; `seconds` are those of reading and generating.
    """

    model: Path
    split: str
    scores: Scores
    utterances: tuple[Judged, ...]
    by_palo: dict[str, Scores] = field(default_factory=dict)
    by_singer: dict[str, Scores] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


@quiet()
def evaluate(
    model: Path,
    dataset: str | Path,
    *,
    split: str = "test",
    language: str = "es",
    batch_size: int = 8,
    device: Device = "auto",
    limit: int | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Let the Whisper in folder `model` write down a split (its first `limit` utterances).

    Greedy decoding without timestamps, language and task given.  Raises TrainError
    when the split is not there or nothing in it can be used, ModelError when the
    folder holds no multilingual Whisper.
    """
    began = time.monotonic()
    found = _split(dataset, split)
    writer = Writer(model, language=language, device=device)
    left_out = LeftOut()
    taken = islice(usable(found, left_out, progress), limit)
    judged: list[Judged] = []
    for batch in _batches(taken, batch_size):
        texts = writer.write([sound for _, sound in batch])
        judged += [_judged(row, text) for (row, _), text in zip(batch, texts, strict=True)]
    if not judged:
        raise TrainError(f"{dataset}: no utterance of {split} can be judged; left out: {left_out}")
    return Evaluation(
        model=model,
        split=split,
        scores=_scores(judged),
        utterances=tuple(judged),
        by_palo=_by(judged, lambda one: one.palo),
        by_singer=_by(judged, lambda one: one.singer),
        left_out=left_out.summary(),
        seconds=time.monotonic() - began,
    )


def _split(dataset: str | Path, name: str) -> Split:
    splits = open_splits(dataset)
    if name not in splits:
        raise TrainError(f"{dataset} has no split '{name}' (it has {', '.join(splits)})")
    return splits[name]


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _judged(row: Row, hypothesis: str) -> Judged:
    return Judged(
        row=row.number,
        reference="" if row.nothing_sung else row.text,
        hypothesis=hypothesis,
        recording=row.recording,
        palo=row.palo,
        singer=row.singer,
    )


def _scores(judged: Iterable[Judged]) -> Scores:
    together = list(judged)
    return score([one.reference for one in together], [one.hypothesis for one in together])


def _by(judged: Sequence[Judged], group: Callable[[Judged], str]) -> dict[str, Scores]:
    names = sorted({group(one) for one in judged} - {""})
    return {name: _scores(one for one in judged if group(one) == name) for name in names}
