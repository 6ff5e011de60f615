"""What a run learns from: clips that passed the guards, their windows, and their sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from corpus.errors import TrainError
from train.batches import Features, WindowFeatures
from train.config import TrainConfig
from train.course import Course, Packing
from train.data import Progress, Split, open_splits
from train.guards import LeftOut, Reason, another_language, usable
from train.whisper import Whisper
from train.windows import Clip, Vocabulary, n_label_tokens

if TYPE_CHECKING:
    from train.stream import Stream

__all__ = ["Material", "checked_clip", "gather", "packing_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The windows of a run and what was left out of them.

    `windows` is a dataset as torch's data loaders take it, of `n_windows` for all epochs; None
    where a stream does not tell.  `left_out` grows while a stream is read.
    """

    windows: WindowFeatures | Stream
    n_windows: int | None
    left_out: LeftOut
    notes: tuple[str, ...] = ()


class _Joined:
    """The sound of two splits, the rows of the second counted on after those of the first."""

    def __init__(self, first: Split, second: Split | None) -> None:
        self._first = first
        self._second = second

    def __call__(self, number: int) -> NDArray[np.float32]:
        if self._second is None or number < len(self._first):
            return self._first.sound(number)
        return self._second.sound(number - len(self._first))


def gather(
    split: Split,
    whisper: Whisper,
    vocabulary: Vocabulary,
    config: TrainConfig,
    progress: Progress | None,
) -> Material:
    """Read a split, and where a share of general speech is replayed that one too.

    Raises TrainError when nothing with text is left.
    """
    left_out = LeftOut()
    clips, texts = _clips(split, whisper, vocabulary, left_out, progress)
    if not any(clip.tokens for clip in clips):
        raise TrainError(f"no utterance with text is left to train on; left out: {left_out}")
    general = _general_split(config) if config.replay and config.general else None
    replayed: list[Clip] = []
    if general is not None:
        replayed, _ = _clips(general, whisper, vocabulary, LeftOut(), progress, after=len(split))
    course = Course(
        clips,
        epochs=config.epochs,
        seed=config.seed,
        packing=packing_of(config, whisper),
        general=replayed,
    )
    windows = WindowFeatures(
        course,
        _Joined(split, general),
        Features(whisper, vocabulary),
        seed=config.seed,
        augment=config.augment,
        music=[clip.row for clip in clips if not clip.tokens],
    )
    other = another_language(texts, config.language)
    left_out.taken = len(clips)
    return Material(
        windows=windows,
        n_windows=len(course),
        left_out=left_out,
        notes=(other,) if other else (),
    )


def packing_of(config: TrainConfig, whisper: Whisper) -> Packing:
    """How the windows of a run are laid."""
    return Packing(
        max_tokens=whisper.n_positions,
        without_timestamps=config.without_timestamps,
        together=config.packing,
        augment=config.augment,
        replay=config.replay,
    )


def _general_split(config: TrainConfig) -> Split:
    splits = open_splits(str(config.general))
    if "train" not in splits or len(splits) < 2:
        raise TrainError(
            f"{config.general} has the splits {', '.join(splits)}: to replay it takes 'train', and "
            "another to judge on"
        )
    return splits["train"]


def _clips(
    split: Split,
    whisper: Whisper,
    vocabulary: Vocabulary,
    left_out: LeftOut,
    progress: Progress | None,
    after: int = 0,
) -> tuple[list[Clip], Sequence[str]]:
    """The clips of a split, their rows counted from `after`, and their texts."""
    clips: list[Clip] = []
    texts: list[str] = []
    for row, sound in usable(split, left_out, progress):
        clip = Clip(
            row=row.number + after,
            n_samples=len(sound),
            tokens=() if row.nothing_sung else whisper.text_tokens(row.text),
            recording=row.recording,
            start=row.start,
        )
        reason = checked_clip(clip, vocabulary, whisper.n_positions)
        if reason is None:
            clips.append(clip)
            texts.append(row.text)
        else:
            left_out.add(row, reason)
    return clips, texts


def checked_clip(clip: Clip, vocabulary: Vocabulary, n_positions: int) -> Reason | None:
    """Why the label of a clip cannot be taken, or None."""
    if any(token >= vocabulary.end for token in clip.tokens):
        return Reason.CONTROL
    return Reason.TOO_MANY_TOKENS if n_label_tokens([clip]) > n_positions else None
