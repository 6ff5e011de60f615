"""transformers' trainer, set up for Whisper: quiet, by the clock, its checkpoints by time.

Written for transformers 4.57 and 5 alike, on one device or on many (accelerate's settings, DDP,
FSDP and DeepSpeed come from `accelerate launch`).
"""

from __future__ import annotations

import os
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import PrinterCallback, Seq2SeqTrainer, Seq2SeqTrainingArguments
from transformers.integrations.integration_utils import TensorBoardCallback

from corpus.errors import TrainError
from train.batches import Collator
from train.check import Check
from train.config import TrainConfig
from train.data import Progress
from train.device import in_bfloat16
from train.schedule import Clock, Schedule
from train.watch import Watch

__all__ = ["MemoryFullError", "losses", "make_trainer", "n_workers", "plain", "prepare", "run"]

_LORA_LAYERS = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]
_MASKED_SHARE = 0.05  # of the frames
_MOST_WORKERS = 4
_GPU = ("CUDA", "NCCL")
_WRITING = ("PytorchStreamWriter", "inline_container")
"""What torch.save says of a disk that takes no more, where others raise OSError."""
_NEVER = 1 << 60
"""Steps between what the trainer would do by itself: the callback says when."""


class MemoryFullError(TrainError):
    """A batch does not fit into the memory of the GPU."""


def prepare(model: Any, config: TrainConfig) -> Any:
    """The model ready to be trained: SpecAugment set in its config, with LoRA its layers wrapped.

    SpecAugment: Park et al. 2019; LoRA: Hu et al. 2021, on all linear layers.
    """
    torch.manual_seed(config.seed)  # LoRA's layers begin at random
    model.config.apply_spec_augment = config.spec_augment
    model.config.mask_time_prob = _MASKED_SHARE
    if not config.lora:
        return model
    from peft import LoraConfig, get_peft_model

    wrapping = LoraConfig(r=config.rank, lora_alpha=2 * config.rank, target_modules=_LORA_LAYERS)
    with warnings.catch_warnings():
        # What peft asks of the model has another name since transformers 5.23.
        warnings.filterwarnings("ignore", ".is_gradient_checkpointing.", FutureWarning)
        return get_peft_model(model, wrapping)


def plain(model: Any) -> None:
    """Undo `prepare`, what was learned kept: LoRA's layers are merged into the model's own."""
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    model.config.apply_spec_augment = False
    model.config.use_cache = True  # off while gradients are checkpointed


class _Trainer(Seq2SeqTrainer):
    """Goes through its windows in the order they have, by our schedule, judged by WER."""

    def __init__(self, *given: Any, schedule: Schedule, check: Check | None, **named: Any) -> None:
        self._schedule = schedule
        self._check = check
        super().__init__(*given, **named)

    def _get_train_sampler(self, *_given: Any, **_named: Any) -> Any:
        windows: Any = self.train_dataset  # a course, which is shuffled as it is
        return torch.utils.data.SequentialSampler(windows)

    def get_train_dataloader(self) -> Any:
        """Batches as they are asked for now: a checkpoint would bring those it was made with."""
        self._train_batch_size = self.args.train_batch_size
        return super().get_train_dataloader()

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """The learning rate, by steps or by time: made once, for trainers ask twice."""
        del num_training_steps
        if self.lr_scheduler is None:
            chosen: Any = self.optimizer if optimizer is None else optimizer
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(chosen, self._schedule)
        return self.lr_scheduler

    def evaluate(self, *_given: Any, **_named: Any) -> dict[str, float]:
        """WER on some of the split validation, measured by one process for all."""
        from accelerate.utils import broadcast_object_list

        found = [self._check() if self._check and self.is_world_process_zero() else None]
        metrics = {"eval_wer": float(broadcast_object_list(found)[0] or 0.0)}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics


def make_trainer(
    model: Any,
    windows: Any,
    collator: Collator,
    *,
    config: TrainConfig,
    folder: Path,
    device: str,
    clock: Clock,
    check: Check | None = None,
    progress: Progress | None = None,
) -> Any:
    """A trainer of `model` over `windows` that keeps its checkpoints in `folder`.

    With a `check` the best of the checked models is taken in the end.  Raises TrainError when what
    shall be logged to is not installed.
    """
    args = _arguments(config, folder, device, clock.schedule.total_steps, checked=bool(check))
    try:
        trainer: Any = _Trainer(
            model=model,
            args=args,
            train_dataset=windows,
            eval_dataset=[] if check else None,
            data_collator=collator,
            callbacks=[Watch(clock, config, checked=bool(check), progress=progress)],
            schedule=clock.schedule,
            check=check,
        )
    except (RuntimeError, ValueError) as error:
        raise TrainError(f"training cannot be set up: {_first_line(error)}") from error
    trainer.remove_callback(PrinterCallback)
    if config.log_to == "tensorboard" and trainer.is_world_process_zero():
        from torch.utils.tensorboard import SummaryWriter

        trainer.add_callback(TensorBoardCallback(SummaryWriter(str(folder / "runs"))))  # type: ignore[no-untyped-call]
    return trainer


def _arguments(
    config: TrainConfig, folder: Path, device: str, total_steps: int, *, checked: bool
) -> Seq2SeqTrainingArguments:
    on_gpu = device == "cuda"
    # The callback saves, by time, and clears old ones: the trainer goes by their age, which two of
    # one second do not have.
    by_callback: dict[str, Any] = {"save_strategy": "no"}
    if checked:
        by_callback = {
            "save_strategy": "steps",
            "save_steps": _NEVER,
            "eval_strategy": "steps",
            "eval_steps": _NEVER,
            "metric_for_best_model": "wer",
            "greater_is_better": False,
            "load_best_model_at_end": True,
        }
    return Seq2SeqTrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=config.batch_size,
        gradient_accumulation_steps=config.gradient_accumulation,
        max_steps=total_steps,
        seed=config.seed,
        use_cpu=device == "cpu",
        bf16=in_bfloat16(config.precision, device),
        optim="adamw_torch" if device == "mps" else "adamw_torch_fused",
        learning_rate=config.peak_rate,
        weight_decay=0.0,
        dataloader_num_workers=n_workers(config, device),
        dataloader_pin_memory=on_gpu,
        logging_steps=1,
        logging_nan_inf_filter=False,
        remove_unused_columns=False,
        label_names=["labels"],
        report_to=[] if config.log_to in ("tensorboard", "none") else [config.log_to],
        disable_tqdm=True,
        log_level="error",
        log_level_replica="error",
        ddp_find_unused_parameters=False,
        **by_callback,
        **_checkpointing(config),
    )


def n_workers(config: TrainConfig, device: str) -> int:
    """How many processes make features.

    None off a GPU, where the model is slower than the features it waits for; and none for a stream,
    of which each would read the whole, and keep to itself what it left out.
    """
    if device != "cuda" or config.streaming:
        return 0
    return min(_MOST_WORKERS, os.cpu_count() or 1)


def _checkpointing(config: TrainConfig) -> dict[str, Any]:
    """Activations thrown away and made again, by its older name and by its newer one."""
    if not config.gradient_checkpointing:
        return {}
    known = {one.name for one in fields(Seq2SeqTrainingArguments)}
    name = next(n for n in ("activation_checkpointing", "gradient_checkpointing") if n in known)
    return {name: True, f"{name}_kwargs": {"use_reentrant": False}}


def run(trainer: Any, checkpoint: Path | None) -> None:
    """Train to the end, from a checkpoint where there is one.

    Raises MemoryFullError when a batch does not fit on the GPU, TrainError when the GPU fails, the
    disk is full, or the loss is no number.
    """
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except torch.OutOfMemoryError as error:
        raise MemoryFullError("the GPU's memory is full: take a smaller batch_size") from error
    except (OSError, SafetensorError) as error:
        raise _not_kept(trainer, error) from error
    except RuntimeError as error:
        if _says(error, _WRITING):
            raise _not_kept(trainer, error) from error
        if not _says(error, _GPU):
            raise
        raise TrainError(
            f"the GPU failed ({_first_line(error)}): the same command carries on from the newest "
            "checkpoint"
        ) from error


def _not_kept(trainer: Any, error: Exception) -> TrainError:
    folder = trainer.args.output_dir
    return TrainError(
        f"the checkpoints in {folder} cannot be kept ({_first_line(error)}): is the disk full? The "
        "same command carries on"
    )


def _says(error: Exception, names: tuple[str, ...]) -> bool:
    return any(name in str(error) for name in names)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]


def losses(trainer: Any) -> list[float]:
    """The loss of every step of the run, those before an interruption included."""
    return [float(entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
