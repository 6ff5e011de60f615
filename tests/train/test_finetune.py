from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.errors import ModelError, TrainError
from corpus.tabular import read_rows
from tests.train.made import flac, row, tone, write_dataset
from train import finetune as finetune_module
from train.config import TrainConfig, load_toml
from train.finetune import TrainResult, finetune
from train.runs import part_folder
from train.whisper import open_whisper


def weights(folder: str) -> dict[str, Any]:
    state: dict[str, Any] = open_whisper(Path(folder)).model.state_dict()
    return {name: values.numpy() for name, values in state.items()}


def changed(one: str, other: str) -> set[str]:
    before, after = weights(one), weights(other)
    assert before.keys() == after.keys()
    return {name for name in before if not np.array_equal(before[name], after[name])}


class KillError(Exception):
    """Stands for a kill: nothing in the library catches it."""


def killed_after(steps: int) -> Any:
    def progress(stage: str, done: int, _total: int) -> None:
        # The checkpoint of a step is written after its progress is told.
        if stage == "training" and done > steps:
            raise KillError

    return progress


def test_full_training_changes_every_part_and_lets_the_loss_fall(
    dataset: Path, config: TrainConfig, capfd: pytest.CaptureFixture[str]
) -> None:
    told: list[tuple[str, int, int]] = []
    result = finetune(dataset, config, progress=lambda *news: told.append(news))
    assert (result.steps, result.utterances, result.windows) == (3, 12, 2)
    assert result.loss_last < result.loss_first
    assert result.peak_memory_mb is None or result.peak_memory_mb > 100
    assert told[-1] == ("training", 3, 3)
    assert ("reading train", 12, 12) in told
    assert capfd.readouterr() == ("", "")
    assert not part_folder(Path(config.output)).exists()
    parts = {name.split(".")[1] for name in changed(config.model, config.output)}
    assert {"encoder", "decoder"} <= parts
    _says_what_made_it_and_is_plain(Path(config.output), config, result)


def _says_what_made_it_and_is_plain(output: Path, config: TrainConfig, result: TrainResult) -> None:
    assert load_toml(output / "training.toml") == config
    told = json.loads((output / "training.json").read_text("utf-8"))
    assert TrainResult(**told["result"]) == result
    saved = json.loads((output / "config.json").read_text("utf-8"))
    assert saved.get("apply_spec_augment", False) is False
    extractor = json.loads((output / "preprocessor_config.json").read_text("utf-8"))
    assert extractor["feature_size"] == 80
    assert (output / "tokenizer.json").is_file()


def test_lora_is_merged_into_a_plain_whisper(dataset: Path, config: TrainConfig) -> None:
    config = replace(config, lora=True, rank=2)
    finetune(dataset, config)
    names = changed(config.model, config.output)
    assert names
    assert all(name.endswith(("proj.weight", "fc1.weight", "fc2.weight")) for name in names)
    assert not list(Path(config.output).glob("adapter*"))


@pytest.mark.parametrize("lora", [False, True])
def test_a_killed_run_carries_on_and_ends_as_if_it_had_not_been(
    dataset: Path, config: TrainConfig, tmp_path: Path, lora: bool
) -> None:
    config = replace(config, lora=lora, rank=2, save_minutes=0)
    whole = finetune(dataset, replace(config, output=str(tmp_path / "whole")))
    with pytest.raises(KillError):
        finetune(dataset, config, progress=killed_after(1))
    assert not Path(config.output).exists()
    # What a kill in the middle of writing a checkpoint leaves.
    cut_short = part_folder(Path(config.output)) / "checkpoint-2"
    cut_short.mkdir()
    (cut_short / "model.safetensors").write_bytes(b"cut")
    stages: list[int] = []
    resumed = finetune(
        dataset, config, progress=lambda s, n, _: stages.append(n) if s == "training" else None
    )
    assert stages == [2, 3]
    assert resumed.steps == 3
    assert (resumed.loss_first, resumed.loss_last) == (whole.loss_first, whole.loss_last)
    assert changed(whole.output, resumed.output) == set()


def test_done_twice_is_done_once(dataset: Path, config: TrainConfig) -> None:
    first = finetune(dataset, config)
    made = (Path(config.output) / "model.safetensors").stat().st_mtime_ns
    part_folder(Path(config.output)).mkdir()  # killed just before it was cleared away
    assert finetune(dataset, config) == first
    assert (Path(config.output) / "model.safetensors").stat().st_mtime_ns == made
    assert not part_folder(Path(config.output)).exists()
    with pytest.raises(TrainError, match="holds something else"):
        finetune(dataset, replace(config, seed=1))


def test_a_run_begun_with_other_settings_is_not_taken_up(
    dataset: Path, config: TrainConfig
) -> None:
    with pytest.raises(KillError):
        finetune(dataset, config, progress=killed_after(0))
    with pytest.raises(TrainError, match="another learning_rate"):
        finetune(dataset, replace(config, learning_rate=1e-3))


def test_the_run_stops_when_its_minutes_are_over(dataset: Path, config: TrainConfig) -> None:
    config = replace(config, max_steps=None, epochs=100_000, minutes=0.05)
    began = time.monotonic()
    expected: list[int] = []
    result = finetune(dataset, config, progress=lambda _s, _n, total: expected.append(total))
    assert 1 <= result.steps < 10_000
    assert result.seconds <= time.monotonic() - began
    assert expected[-1] < 20_000  # told by the time, not by the epochs


def test_what_is_left_out_is_counted(tmp_path: Path, config: TrainConfig) -> None:
    rows = [
        row(recording="a"),
        row("", recording="b"),
        row("", recording="c", kind="nothing"),
        row(recording="d", audio=b"no audio at all"),
        row(recording="e", seconds=30.5),
        row(recording="f", seconds=0.05),
        row("ay " * 500, recording="g"),
        row("<|endoftext|> ay", recording="h"),
    ]
    result = finetune(write_dataset(tmp_path / "d", train=rows), replace(config, max_steps=1))
    assert result.utterances == 2
    assert result.left_out == {
        "audio that cannot be read": 1,
        "shorter than 0.1 s": 1,
        "longer than 30 s": 1,
        "no text": 1,
        "control tokens in the text": 1,
        "label longer than the decoder takes": 1,
    }
    told = read_rows(Path(result.output) / "left_out.csv")
    assert [(line["row"], line["recording"], line["reason"]) for _, line in told[:2]] == [
        ("1", "b", "no text"),
        ("3", "d", "audio that cannot be read"),
    ]
    assert len(told) == 6


def test_nothing_to_train_on(tmp_path: Path, config: TrainConfig) -> None:
    silent = write_dataset(tmp_path / "silent", train=[row("", kind="nothing"), row("")])
    with pytest.raises(TrainError, match=r"no utterance with text .* 1 × no text"):
        finetune(silent, config)
    with pytest.raises(TrainError, match=r"no split 'train' \(it has test\)"):
        finetune(write_dataset(tmp_path / "untrained", test=[row()]), config)


def test_a_leak_stops_the_run(tmp_path: Path, config: TrainConfig) -> None:
    leaky = write_dataset(tmp_path / "leaky", train=[row(recording="x")], test=[row(recording="x")])
    with pytest.raises(TrainError, match="in both train and test"):
        finetune(leaky, config)


def test_a_folder_without_a_whisper(dataset: Path, config: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no Whisper"):
        finetune(dataset, replace(config, model=str(tmp_path)))


def test_a_loss_that_is_no_number_stops_the_run(dataset: Path, config: TrainConfig) -> None:
    with pytest.raises(TrainError, match=r"no number at step .* lower learning_rate"):
        finetune(dataset, replace(config, learning_rate=1e30, warmup=0.0, max_steps=8))


def test_a_full_disk_while_saving_leaves_no_half_model(
    dataset: Path, config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(finetune_module, "save_whisper", full)
    with pytest.raises(TrainError, match="no room left"):
        finetune(dataset, replace(config, max_steps=1))
    output = Path(config.output)
    assert not output.exists()
    assert part_folder(output).exists()
    assert [p.name for p in output.parent.iterdir() if p.name.endswith(".making")] == []


def test_sound_at_another_rate_is_resampled(tmp_path: Path, config: TrainConfig) -> None:
    rows = [row(recording="a", audio=flac(tone(2.0, rate=8000), rate=8000))]
    assert (
        finetune(write_dataset(tmp_path / "d", train=rows), replace(config, max_steps=1)).utterances
        == 1
    )
