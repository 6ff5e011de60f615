"""How a run is watched: checks by WER, early stopping, memory, faults, logs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from transformers import Seq2SeqTrainer

from corpus.errors import TrainError
from tests.train.made import row, write_dataset
from tests.train.test_finetune import changed
from train import check as check_module
from train.config import TrainConfig, dump_toml
from train.finetune import finetune
from train.runs import part_folder
from train.watch import no_better_since

TEXTS = ("ay pena penita", "por la calle abajo", "ya no te quiero")


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The WERs that checks shall find, in turn: what an untrained model writes tells nothing."""
    wanted: list[float] = []

    def told(check: Any) -> float:
        check._whisper.model.train()
        return wanted.pop(0)

    monkeypatch.setattr(check_module.Check, "__call__", told)
    yield wanted
    assert wanted == []


def test_the_best_of_the_checked_models_is_kept(
    validated: Path, config: TrainConfig, rates: list[float], tmp_path: Path
) -> None:
    config = replace(config, max_steps=4, checks=4, warmup=0.0)
    rates += [0.9, 0.2, 0.6, 0.5]
    result = finetune(validated, config)
    assert result.checks == [0.9, 0.2, 0.6, 0.5]
    # Of two steps of the same four: the learning rate is the same.
    rates += [0.9, 0.2, 0.1, 0.1]
    last = finetune(validated, replace(config, output=str(tmp_path / "last")))
    assert changed(result.output, last.output)
    assert result.steps == last.steps == 4


def test_lora_keeps_its_best_too(validated: Path, config: TrainConfig, rates: list[float]) -> None:
    rates += [0.2, 0.6]
    result = finetune(validated, replace(config, max_steps=2, checks=2, lora=True, rank=2))
    assert changed(config.model, result.output)


def test_a_run_ends_when_nothing_gets_better(
    validated: Path, config: TrainConfig, rates: list[float]
) -> None:
    rates += [0.5, 0.6, 0.7]
    result = finetune(validated, replace(config, max_steps=8, checks=8, patience=2))
    assert result.steps == 3


def test_no_better_since() -> None:
    assert no_better_since([]) == 0
    assert no_better_since([0.5]) == 0
    assert no_better_since([0.5, 0.4]) == 0
    assert no_better_since([0.5, 0.4, 0.4, 0.6]) == 2


def test_real_checks_judge_what_has_words(validated: Path, config: TrainConfig) -> None:
    result = finetune(validated, replace(config, max_steps=2, checks=2, save_minutes=0))
    assert len(result.checks) == 2
    assert all(rate > 0 for rate in result.checks)


def test_a_check_leaves_the_run_as_it_was(
    validated: Path, config: TrainConfig, tmp_path: Path
) -> None:
    """The losses are those of a run that is not looked at."""
    looked = finetune(validated, replace(config, max_steps=3, checks=3))
    alone = finetune(
        validated, replace(config, max_steps=3, checks=0, output=str(tmp_path / "alone"))
    )
    assert (looked.loss_first, looked.loss_last) == (alone.loss_first, alone.loss_last)


def test_what_should_be_known_is_told_before(validated: Path, config: TrainConfig) -> None:
    told: list[str] = []
    result = finetune(validated, replace(config, max_steps=1, checks=1), tell=told.append)
    assert told == ["1 of 2 singers of validation are in train too"]
    assert result.notes == told


def test_without_a_split_to_check_on_the_last_model_is_kept(
    dataset: Path, config: TrainConfig
) -> None:
    told: list[str] = []
    finetune(dataset, replace(config, max_steps=1), tell=told.append)
    assert told == ["there is no split validation: the last model is kept, not the best"]


def test_what_is_left_out_is_told_before_a_step(tmp_path: Path, config: TrainConfig) -> None:
    folder = write_dataset(tmp_path / "d", train=[row(), row("", recording="b")])
    told: list[str] = []
    finetune(folder, replace(config, max_steps=1, checks=0), tell=told.append)
    assert told == [
        "left out: 1 × no text",
        "left out: which ones stands in left_out.csv beside the model",
    ]


def test_labels_in_another_language_are_told(tmp_path: Path, config: TrainConfig) -> None:
    english = "and all the people sing in the morning when the moon is still over the river"
    rows = [row(english, recording=str(i)) for i in range(5)]
    told: list[str] = []
    folder = write_dataset(tmp_path / "d", train=rows)
    finetune(folder, replace(config, max_steps=1, checks=0), tell=told.append)
    assert told == [
        (
            "the texts look like english ('en'), and Whisper is told 'es': set `language` if that "
            "is not meant"
        )
    ]


def test_logs_lie_beside_the_model(dataset: Path, config: TrainConfig) -> None:
    finetune(dataset, config)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (log,) = (Path(config.output) / "runs").iterdir()
    events = EventAccumulator(str(log))
    events.Reload()
    assert len(events.Scalars("train/loss")) == 3


def test_a_logger_that_is_not_there(dataset: Path, config: TrainConfig) -> None:
    with pytest.raises(TrainError, match=r"training cannot be set up: .*nowhere"):
        finetune(dataset, replace(config, log_to="nowhere"))


def test_a_full_gpu_halves_the_batch(
    dataset: Path, config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    sizes: list[int] = []
    real = Seq2SeqTrainer.training_step

    def step(self: Any, model: Any, inputs: dict[str, Any], *rest: Any) -> Any:
        sizes.append(len(inputs["labels"]))
        if sizes[-1] > 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return real(self, model, inputs, *rest)

    monkeypatch.setattr(Seq2SeqTrainer, "training_step", step)
    told: list[str] = []
    asked = replace(config, batch_size=2, max_steps=2, checks=0)
    result = finetune(dataset, asked, tell=told.append)
    assert told == ["the GPU's memory is full: batches of 1 instead of 2, 2 a step"]
    assert (result.steps, result.batch_size) == (2, 1)
    assert sizes == [2, 1, 1, 1, 1]


def test_a_gpu_that_is_full_after_a_checkpoint(
    dataset: Path, config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """transformers would go on with the batches that the checkpoint was made with."""
    import torch

    sizes: list[int] = []
    real = Seq2SeqTrainer.training_step

    def step(self: Any, model: Any, inputs: dict[str, Any], *rest: Any) -> Any:
        sizes.append(len(inputs["labels"]))
        if len(sizes) > 1 and sizes[-1] > 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return real(self, model, inputs, *rest)

    monkeypatch.setattr(Seq2SeqTrainer, "training_step", step)
    asked = replace(config, batch_size=2, max_steps=None, epochs=3, checks=0, save_minutes=0)
    result = finetune(dataset, asked)
    assert (result.steps, result.batch_size) == (3, 1)
    assert sizes == [2, 2, 1, 1, 1, 1]  # the first step is not done again


def test_a_gpu_too_small_for_one_window(
    dataset: Path, config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(Seq2SeqTrainer, "training_step", full)
    with pytest.raises(TrainError, match="memory is full: take a smaller batch_size"):
        finetune(dataset, config)


def test_a_gpu_that_vanishes(
    dataset: Path, config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(config, save_minutes=0)
    real = Seq2SeqTrainer.training_step
    steps = []

    def step(*given: Any) -> Any:
        steps.append(1)
        if len(steps) == 2:
            raise RuntimeError("CUDA error: device is lost\nmore about it")
        return real(*given)

    monkeypatch.setattr(Seq2SeqTrainer, "training_step", step)
    with pytest.raises(TrainError, match=r"failed \(CUDA error: device is lost\): the same"):
        finetune(dataset, config)
    assert finetune(dataset, config).steps == 3
    assert len(steps) == 4  # the first step was not done again


def test_a_full_disk_at_a_checkpoint(
    dataset: Path, config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    config = replace(config, save_minutes=0)
    with monkeypatch.context() as patch:
        patch.setattr(Seq2SeqTrainer, "_save_optimizer_and_scheduler", full)
        with pytest.raises(TrainError, match=r"checkpoints in .* cannot be kept .*No space left"):
            finetune(dataset, config)
    assert finetune(dataset, config).steps == 3


@pytest.mark.parametrize("what", ["weights", "optimizer"])
def test_a_disk_that_takes_no_more(dataset: Path, config: TrainConfig, what: str) -> None:
    """A real limit: each library says it in its own way, torch.save as a RuntimeError."""
    resource = pytest.importorskip("resource")  # not on Windows
    config = replace(config, save_minutes=0, checks=0)
    weights = (Path(config.model) / "model.safetensors").stat().st_size
    limit = weights // 2 if what == "weights" else weights * 3 // 2
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(
            TrainError, match=r"cannot be kept \(.*\): is the disk full\?"
        ) as caught:
            finetune(dataset, config)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "\n" not in str(caught.value)
    assert finetune(dataset, config).steps == 3


KILLED = """
import sys
from pathlib import Path
from train.config import load_toml

from train.finetune import finetune
import torch
torch.set_num_threads(1)
finetune(sys.argv[1], load_toml(Path(sys.argv[2])))
"""


def test_kill_9_between_the_files_of_a_checkpoint(
    dataset: Path, config: TrainConfig, tmp_path: Path
) -> None:
    config = replace(config, max_steps=40, epochs=40, save_minutes=0)
    settings = tmp_path / "training.toml"
    settings.write_text(dump_toml(config), "utf-8")
    command = [sys.executable, "-c", KILLED, str(dataset), str(settings)]
    part = part_folder(Path(config.output))
    with subprocess.Popen(command) as process:
        deadline = time.monotonic() + 120
        # A checkpoint that has its weights and not yet the file that is written last.
        while not _half_written(part):
            assert time.monotonic() < deadline
            assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
    done = max((int(path.name.split("-")[1]) for path in part.glob("checkpoint-*")), default=0)
    assert json.loads((part / "run.json").read_text("utf-8"))["max_steps"] == 40
    steps: list[int] = []
    result = finetune(
        dataset, config, progress=lambda s, n, _: steps.append(n) if s == "training" else None
    )
    assert result.steps == steps[-1] == 40
    assert steps[0] in range(max(1, done - 2), done + 2)


def _half_written(part: Path) -> bool:
    return any(
        (path / "model.safetensors").exists() and not (path / "trainer_state.json").exists()
        for path in part.glob("checkpoint-*")
    )
