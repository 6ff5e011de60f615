"""Fine-tuning Whisper on a published dataset, in full or with LoRA; killed anywhere, it carries on.

The saved folder is a plain Whisper in either case, which transformers loads and
CTranslate2 converts.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from corpus.errors import TrainError
from train.batches import Collator, WindowFeatures
from train.config import TrainConfig, dump_toml
from train.data import Progress, Split, open_splits
from train.device import peak_memory_mb, pick_device
from train.folders import making
from train.guards import LeftOut, Reason, check_leak, usable
from train.quiet import quiet
from train.runs import RESULT, begin, finished, identity, newest_checkpoint, part_folder
from train.schedule import Clock, Schedule
from train.trainer import losses, make_trainer, plain, prepare, run
from train.whisper import Whisper, open_whisper, save_whisper
from train.windows import Clip, Vocabulary, Window, n_label_tokens, pack, sequence

__all__ = ["TrainResult", "finetune"]

_LOSSES_AVERAGED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """What came of a run.

    `seconds` are wall-clock, loading and interrupted tries included; `loss_first` and
    `loss_last` are means over the first and the last ten steps (a third of the steps
    in short runs); `left_out` counts utterances by reason.
    """

    output: str
    steps: int
    seconds: float
    loss_first: float
    loss_last: float
    utterances: int
    windows: int
    peak_memory_mb: float | None = None
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is to be learned: the windows, and how many utterances went in and stayed out."""

    windows: tuple[Window, ...]
    n_clips: int
    left_out: dict[str, int]


@quiet()
def finetune(
    dataset: str | Path, config: TrainConfig, *, progress: Progress | None = None
) -> TrainResult:
    """Train the Whisper in folder `config.model` on the split `train`; save it as `config.output`.

    A run that was killed is taken up from its newest checkpoint (in OUTPUT.part);
    one that is done is not done again.  `progress` is told of reading and of steps.
    Raises TrainError when there is nothing to be trained on or a run cannot go on,
    ModelError when the folder holds no multilingual Whisper.
    """
    clock_start = time.monotonic()
    device = pick_device(config.device)
    output = Path(config.output)
    split = _training_split(dataset)
    asked = identity(config, str(dataset), split.digest())
    result = finished(output, asked)
    if result is None:
        whisper = open_whisper(Path(config.model))
        folder = begin(output, asked)
        result = asdict(
            _train(
                whisper,
                split,
                config,
                device=device,
                folder=folder,
                clock_start=clock_start,
                progress=progress,
            )
        )
        _save(whisper, config, asked, result)
    shutil.rmtree(part_folder(output), ignore_errors=True)
    return TrainResult(**result)


def _training_split(dataset: str | Path) -> Split:
    splits = open_splits(dataset)
    if "train" not in splits:
        raise TrainError(f"{dataset} has no split 'train' (it has {', '.join(splits)})")
    check_leak({name: split.sources() for name, split in splits.items()})
    return splits["train"]


def _train(
    whisper: Whisper,
    split: Split,
    config: TrainConfig,
    *,
    device: str,
    folder: Path,
    clock_start: float,
    progress: Progress | None,
) -> TrainResult:
    """Train the model of `whisper` in place."""
    vocabulary = whisper.vocabulary(config.language, config.task)
    plan = _plan(split, whisper, vocabulary, config, progress)
    schedule = Schedule(
        total_steps=_total_steps(len(plan.windows), config),
        warmup=config.warmup,
        seconds=config.minutes * 60 if config.minutes is not None else None,
    )
    trainer = make_trainer(
        prepare(whisper.model, config),
        WindowFeatures(plan.windows, split, whisper, vocabulary),
        Collator(vocabulary.end),
        config=config,
        folder=folder,
        device=device,
        clock=Clock(schedule, clock_start),
        progress=progress,
    )
    run(trainer, newest_checkpoint(folder))
    plain(trainer.model)
    return _result(config, plan, schedule, losses(trainer))


def _plan(
    split: Split,
    whisper: Whisper,
    vocabulary: Vocabulary,
    config: TrainConfig,
    progress: Progress | None,
) -> _Plan:
    left_out = LeftOut()
    clips: list[Clip] = []
    for row, sound in usable(split, left_out, progress):
        clip = Clip(
            row=row.number,
            n_samples=len(sound),
            tokens=() if row.nothing_sung else whisper.text_tokens(row.text),
            recording=row.recording,
            start=row.start,
        )
        reason = _reason_of_tokens(clip, vocabulary, whisper.n_positions)
        if reason is None:
            clips.append(clip)
        else:
            left_out.add(reason)
    if not any(clip.tokens for clip in clips):
        raise TrainError(f"no utterance with text is left to train on; left out: {left_out}")
    windows = pack(
        sequence(clips, seed=config.seed),
        seed=config.seed,
        max_tokens=whisper.n_positions,
        without_timestamps=config.without_timestamps,
    )
    return _Plan(windows=windows, n_clips=len(clips), left_out=left_out.summary())


def _reason_of_tokens(clip: Clip, vocabulary: Vocabulary, n_positions: int) -> Reason | None:
    if any(token >= vocabulary.end for token in clip.tokens):
        return Reason.CONTROL
    return Reason.TOO_MANY_TOKENS if n_label_tokens([clip]) > n_positions else None


def _total_steps(n_windows: int, config: TrainConfig) -> int:
    n_batches = -(-n_windows // config.batch_size)
    steps = config.epochs * -(-n_batches // config.gradient_accumulation)
    return steps if config.max_steps is None else min(steps, config.max_steps)


def _result(
    config: TrainConfig, plan: _Plan, schedule: Schedule, found: list[float]
) -> TrainResult:
    n = min(_LOSSES_AVERAGED, -(-len(found) // 3))
    return TrainResult(
        output=config.output,
        steps=len(found),
        seconds=round(schedule.spent, 3),
        loss_first=sum(found[:n]) / n,
        loss_last=sum(found[-n:]) / n,
        utterances=plan.n_clips,
        windows=len(plan.windows),
        peak_memory_mb=peak_memory_mb(),
        left_out=plan.left_out,
    )


def _save(
    whisper: Whisper, config: TrainConfig, asked: Mapping[str, Any], result: Mapping[str, Any]
) -> None:
    with making(Path(config.output)) as folder:
        save_whisper(whisper, folder)
        (folder / "training.toml").write_text(dump_toml(config), "utf-8")
        told = json.dumps({"asked": asked, "result": result}, indent=1)
        (folder / RESULT).write_text(told, "utf-8")
