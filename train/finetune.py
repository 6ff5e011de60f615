"""Fine-tuning Whisper on a published dataset, in full or with LoRA; killed anywhere, it carries on.

The saved folder is a plain Whisper in either case, which transformers loads and
CTranslate2 converts.
"""

from __future__ import annotations

import gc
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from corpus.errors import TrainError
from corpus.whole import writing
from train.batches import Collator
from train.check import Check
from train.config import TrainConfig, dump_toml
from train.data import Progress, Split, open_some, open_splits
from train.device import peak_memory_mb, pick_device, sharded
from train.folders import making
from train.guards import check_leak, shared_values
from train.material import Material, gather
from train.quiet import quiet
from train.runs import RESULT, begin, finished, identity, newest_checkpoint, part_folder
from train.schedule import Clock, Schedule
from train.stream import stream
from train.trainer import MemoryFullError, losses, make_trainer, plain, prepare, run
from train.whisper import Whisper, open_whisper, save_whisper

__all__ = ["TrainResult", "finetune"]

_LOSSES_AVERAGED = 10
_LOGS = "runs"
_LEFT_OUT = "left_out.csv"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """What came of a run.

    `seconds` are wall-clock, loading and interrupted tries included; `loss_first` and
    `loss_last` are means over the first and the last ten steps (a third of the steps
    in short runs); `left_out` counts utterances by reason.  `checks` are the WERs on the split
    validation along the way, the least of which tells the model that was kept; `batch_size` is
    what the memory had room for; `notes` say what should be known.  Which utterances were left out
    stands in left_out.csv beside the model.
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
    checks: list[float] = field(default_factory=list)
    batch_size: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What stays the same when a run is tried again with smaller batches.

    `first`: of several processes the one that writes and tells.
    """

    splits: Mapping[str, Split]
    config: TrainConfig
    device: str
    folder: Path
    started: float
    tell: Tell
    progress: Progress | None
    first: bool


@quiet()
def finetune(
    dataset: str | Path,
    config: TrainConfig,
    *,
    progress: Progress | None = None,
    tell: Tell = lambda _: None,
) -> TrainResult:
    """Train the Whisper in folder `config.model` on the split `train`; save it as `config.output`.

    A run that was killed is taken up from its newest checkpoint (in OUTPUT.part);
    one that is done is not done again.  Started by `accelerate launch`, all its processes train
    one model.  `progress` is told of reading and of steps, `tell` what a person should know before.
    Raises TrainError when there is nothing to be trained on or a run cannot go on,
    ModelError when the folder holds no Whisper that knows the language.
    """
    from accelerate import PartialState

    started = time.monotonic()
    device = pick_device(config.device)
    processes = PartialState(cpu=device == "cpu")
    output = Path(config.output).absolute()
    splits = _watched(dataset, config) if config.streaming else _splits(dataset)
    digest = "streamed" if config.streaming else splits["train"].digest()
    asked = identity(config, str(dataset), digest)
    result = finished(output, asked)
    if result is not None:
        shutil.rmtree(part_folder(output), ignore_errors=True)
        return TrainResult(**result)
    open_whisper(Path(config.model))  # what is no Whisper leaves no folder behind
    with processes.main_process_first():
        folder = begin(output, asked)
    first = processes.is_main_process
    whisper, made = _with_room(
        str(dataset),
        _Run(
            splits=splits,
            config=config,
            device=device,
            folder=folder,
            started=started,
            tell=tell if first else lambda _: None,
            progress=progress if first else None,
            first=first,
        ),
    )
    if first:
        _save(whisper, config, asked, asdict(made))
        shutil.rmtree(folder, ignore_errors=True)
    processes.wait_for_everyone()
    return made


def _splits(dataset: str | Path) -> dict[str, Split]:
    splits = open_splits(dataset)
    if "train" not in splits:
        raise TrainError(f"{dataset} has no split 'train' (it has {', '.join(splits)})")
    check_leak({name: split.sources() for name, split in splits.items()})
    return splits


def _watched(dataset: str | Path, config: TrainConfig) -> dict[str, Split]:
    """What a streamed run is watched by: some of the split validation, where there is one."""
    some = open_some(dataset, "validation", config.check_utterances, seed=config.seed)
    return {"validation": some} if some and config.checks else {}


def _with_room(dataset: str, asked: _Run) -> tuple[Whisper, TrainResult]:
    """Train; where a batch does not fit, with half of it and more steps accumulated.

    The checkpoints of the larger batches are gone on with.
    """
    while True:
        try:
            return _train(dataset, asked)
        except MemoryFullError:
            smaller = _halved(asked.config)
            if smaller is None:
                raise
        asked.tell(
            f"the GPU's memory is full: batches of {smaller.batch_size} instead of "
            f"{asked.config.batch_size}, {smaller.gradient_accumulation} a step"
        )
        asked = replace(asked, config=smaller)
        _free_memory()


def _halved(config: TrainConfig) -> TrainConfig | None:
    """The same windows a step in smaller batches; None where a batch is one window."""
    if config.batch_size == 1:
        return None
    n_windows = config.batch_size * config.gradient_accumulation
    size = config.batch_size // 2
    return replace(config, batch_size=size, gradient_accumulation=-(-n_windows // size))


def _free_memory() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _train(dataset: str, asked: _Run) -> tuple[Whisper, TrainResult]:
    config = asked.config
    whisper = open_whisper(Path(config.model))
    vocabulary = whisper.vocabulary(config.language, config.task)
    if config.streaming:
        material = stream(dataset, whisper, vocabulary, config)
    else:
        material = gather(asked.splits["train"], whisper, vocabulary, config, asked.progress)
    check = _check(asked, whisper)
    notes = [*_notes(asked, check), *material.notes]
    for line in notes:
        asked.tell(line)
    for reason, n in material.left_out.summary().items():
        asked.tell(f"left out: {n} × {reason}")
    _write_left_out(asked, material)
    schedule = Schedule(
        total_steps=_total_steps(material, config),
        warmup=config.warmup,
        seconds=config.minutes * 60 if config.minutes is not None else None,
    )
    trainer = make_trainer(
        prepare(whisper.model, config),
        material.windows,
        Collator(vocabulary.end),
        config=config,
        folder=asked.folder,
        device=asked.device,
        clock=Clock(schedule, asked.started, _agreed),
        check=check,
        progress=asked.progress,
    )
    run(trainer, newest_checkpoint(asked.folder))
    if config.streaming:
        _write_left_out(asked, material)
    whisper = _learned(trainer, whisper, config)
    return whisper, _result(config, material, schedule, trainer, notes)


def _write_left_out(asked: _Run, material: Material) -> None:
    """Which utterances are not trained on, in a table, where there are any."""
    if not material.left_out.rows or not asked.first:
        return
    with writing(asked.folder / _LEFT_OUT) as scratch:
        material.left_out.write(scratch)
    asked.tell(f"left out: which ones stands in {_LEFT_OUT} beside the model")


def _check(asked: _Run, whisper: Whisper) -> Check | None:
    """What judges the model under way, where there is something to judge it on."""
    config = asked.config
    if not config.checks or "validation" not in asked.splits or sharded():
        return None
    check = Check(
        asked.splits["validation"],
        whisper,
        language=config.language,
        n=config.check_utterances,
        seed=config.seed,
    )
    return check if len(check) else None


def _notes(asked: _Run, check: Check | None) -> tuple[str, ...]:
    """What should be known of the splits and of how the model is chosen."""
    values = {
        name: {column: split.values(column) for column in ("singer", "copla")}
        for name, split in asked.splits.items()
    }
    kept = ""
    if asked.config.checks and check is None:
        why = "the weights are sharded" if sharded() else "there is no split validation"
        kept = f"{why}: the last model is kept, not the best"
    return (*shared_values(values), *([kept] if kept else []))


def _agreed(seconds: float) -> float:
    """The seconds of the first process."""
    from accelerate import PartialState
    from accelerate.utils import broadcast_object_list

    if PartialState().num_processes == 1:
        return seconds
    return float(broadcast_object_list([seconds])[0])


def _total_steps(material: Material, config: TrainConfig) -> int:
    from accelerate import PartialState

    limits = [] if config.max_steps is None else [config.max_steps]  # a stream has this one alone
    if material.n_windows is not None:
        n_processes = int(PartialState().num_processes)
        per_step = config.batch_size * config.gradient_accumulation * n_processes
        limits.append(-(-material.n_windows // per_step))
    return min(limits)


def _learned(trainer: Any, whisper: Whisper, config: TrainConfig) -> Whisper:
    """The Whisper with what was learned, plain; gathered where it lies on several devices."""
    if not sharded():
        plain(trainer.model)
        return whisper
    gathered = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    whisper = open_whisper(Path(config.model))
    model = prepare(whisper.model, config)
    if gathered:  # the other processes have nothing
        model.load_state_dict(gathered)
    plain(model)
    return whisper


def _result(
    config: TrainConfig, material: Material, schedule: Schedule, trainer: Any, notes: list[str]
) -> TrainResult:
    found = losses(trainer)
    n = min(_LOSSES_AVERAGED, -(-len(found) // 3))
    history = trainer.state.log_history
    return TrainResult(
        output=config.output,
        steps=len(found),
        seconds=round(schedule.spent, 3),
        loss_first=sum(found[:n]) / n,
        loss_last=sum(found[-n:]) / n,
        utterances=material.left_out.taken,
        windows=material.windows.an_epoch,
        peak_memory_mb=peak_memory_mb(),
        left_out=material.left_out.summary(),
        checks=[entry["eval_wer"] for entry in history if "eval_wer" in entry],
        batch_size=config.batch_size,
        notes=notes,
    )


def _save(
    whisper: Whisper, config: TrainConfig, asked: Mapping[str, Any], result: Mapping[str, Any]
) -> None:
    output = Path(config.output)
    with making(output) as folder:
        save_whisper(whisper, folder)
        (folder / "training.toml").write_text(dump_toml(config), "utf-8")
        told = json.dumps({"asked": asked, "result": result}, indent=1)
        (folder / RESULT).write_text(told, "utf-8")
        made = part_folder(output)
        if (made / _LOGS).is_dir():
            shutil.copytree(made / _LOGS, folder / _LOGS)
        if (made / _LEFT_OUT).is_file():
            shutil.copyfile(made / _LEFT_OUT, folder / _LEFT_OUT)
