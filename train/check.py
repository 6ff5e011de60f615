"""A model under way, judged by WER on some of the split validation."""

from __future__ import annotations

import numpy as np

from corpus.errors import MediaError
from train.data import Row, Split
from train.guards import reason_of_audio
from train.metrics import normalise, score
from train.whisper import Whisper
from train.writer import Writer

__all__ = ["Check"]

_AT_A_TIME = 8


class Check:
    """Tells the WER of a Whisper that is being trained, on the same `n` utterances each time.

    They are drawn from those with words whose sound can be used; there may be fewer.
    """

    def __init__(self, split: Split, whisper: Whisper, *, language: str, n: int, seed: int) -> None:
        self._split = split
        self._whisper = whisper
        self._language = language
        self._rows = _drawn(split, n, seed)

    def __len__(self) -> int:
        return len(self._rows)

    def __call__(self) -> float:
        """The WER now; the model is left in training mode."""
        writer = Writer(self._whisper, language=self._language)
        texts: list[str] = []
        for k in range(0, len(self._rows), _AT_A_TIME):
            batch = self._rows[k : k + _AT_A_TIME]
            texts += writer.write([self._split.sound(row.number) for row in batch])
        self._whisper.model.train()
        return score([row.text for row in self._rows], texts).wer or 0.0


def _drawn(split: Split, n: int, seed: int) -> list[Row]:
    sung = [row for row in split.rows() if normalise(row.text) and not row.nothing_sung]
    drawn: list[Row] = []
    for i in np.random.default_rng(seed).permutation(len(sung)):
        if len(drawn) == n:
            break
        try:
            n_samples = len(split.sound(sung[i].number))
        except MediaError:
            continue
        if reason_of_audio(n_samples) is None:
            drawn.append(sung[i])
    return sorted(drawn, key=lambda row: row.number)
