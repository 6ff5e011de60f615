"""transformers' trainer, set up for Whisper: quiet, by the clock, its checkpoints by time.

Written for transformers 4.57 and 5 alike.
"""

from __future__ import annotations

import math
import os
import time
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import (
    PrinterCallback,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    TrainerCallback,
)

from corpus.errors import TrainError
from train.batches import Collator, WindowFeatures
from train.config import TrainConfig
from train.data import Progress
from train.runs import clear_old_checkpoints
from train.schedule import Clock

__all__ = ["losses", "make_trainer", "plain", "prepare", "run"]

_LORA_LAYERS = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]
_MASKED_SHARE = 0.05  # of the frames
_MOST_WORKERS = 4


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


class _ByTheClock(TrainerCallback):
    """Stops when the time is over, saves every so many minutes, tells how far it is."""

    def __init__(self, clock: Clock, save_minutes: float, progress: Progress | None) -> None:
        self._clock = clock
        self._save_seconds = save_minutes * 60
        self._saved = time.monotonic()
        self._progress = progress

    def on_train_begin(self, *_given: Any, **_named: Any) -> None:
        self._clock.tick()

    def on_step_end(self, *given: Any, **_named: Any) -> None:
        _, state, control = given
        self._clock.tick()
        if self._clock.over():
            control.should_training_stop = True
        if time.monotonic() - self._saved >= self._save_seconds:
            control.should_save = True
            self._saved = time.monotonic()
        if self._progress is not None:
            expected = self._clock.schedule.expected_steps(state.global_step)
            self._progress("training", state.global_step, expected)

    def on_save(self, *given: Any, **_named: Any) -> None:
        clear_old_checkpoints(Path(given[0].output_dir))

    def on_log(self, *given: Any, **named: Any) -> None:
        _, state, _ = given
        if not math.isfinite(named["logs"].get("loss", 0.0)):
            raise TrainError(
                f"the loss is no number at step {state.global_step}: take a lower learning_rate"
            )


def make_trainer(
    model: Any,
    windows: WindowFeatures,
    collator: Collator,
    *,
    config: TrainConfig,
    folder: Path,
    device: str,
    clock: Clock,
    progress: Progress | None,
) -> Any:
    """A trainer of `model` over `windows` that keeps its checkpoints in `folder`."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=config.peak_rate, weight_decay=0.0)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, clock.schedule)
    trainer = Seq2SeqTrainer(
        model=model,
        args=_arguments(config, folder, device, clock.schedule.total_steps),
        train_dataset=windows,
        data_collator=collator,
        callbacks=[_ByTheClock(clock, config.save_minutes, progress)],
        optimizers=(optimizer, scheduler),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _arguments(
    config: TrainConfig, folder: Path, device: str, total_steps: int
) -> Seq2SeqTrainingArguments:
    on_gpu = device == "cuda"
    return Seq2SeqTrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=config.batch_size,
        gradient_accumulation_steps=config.gradient_accumulation,
        max_steps=total_steps,
        seed=config.seed,
        use_cpu=device == "cpu",
        bf16=on_gpu and torch.cuda.is_bf16_supported(),
        # Off a GPU the model is slower than the features it waits for.
        dataloader_num_workers=min(_MOST_WORKERS, os.cpu_count() or 1) if on_gpu else 0,
        dataloader_pin_memory=on_gpu,
        # The callback saves, by time, and clears old ones: the trainer goes by their age,
        # which two of one second do not have.
        save_strategy="no",
        logging_steps=1,
        logging_nan_inf_filter=False,
        remove_unused_columns=False,
        label_names=["labels"],
        report_to=[],
        disable_tqdm=True,
    )


def run(trainer: Any, checkpoint: Path | None) -> None:
    """Train to the end, from a checkpoint where there is one.

    Raises TrainError when the memory or the disk is full, or the loss is no number.
    """
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except torch.OutOfMemoryError as error:
        raise TrainError("the GPU's memory is full: take a smaller batch_size") from error
    except (OSError, SafetensorError) as error:
        folder = trainer.args.output_dir
        raise TrainError(f"the checkpoints in {folder} cannot be kept: {error}") from error


def losses(trainer: Any) -> list[float]:
    """The loss of every step of the run, those before an interruption included."""
    return [float(entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
