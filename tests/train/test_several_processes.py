"""One model that several processes train."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.train.test_finetune import changed
from train.config import TrainConfig, dump_toml

SETTINGS = Path(__file__).parent.parent.parent / "docs" / "accelerate"


def train(launcher: list[str], config: TrainConfig, dataset: Path, folder: Path) -> tuple[Any, str]:
    """The result of a run that a launcher started, and what it said."""
    settings = folder / "training.toml"
    settings.write_text(dump_toml(config), "utf-8")
    verb = ["-m", "corpus.cli", "train", str(settings), "--on", str(dataset), "--no-judge"]
    command = [sys.executable, "-m", *launcher, *verb]
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("train: the model is in") == 1
    assert changed(config.model, config.output)
    told = json.loads((Path(config.output) / "training.json").read_text("utf-8"))
    return told["result"], ran.stderr


def test_each_with_the_whole_model(validated: Path, config: TrainConfig, tmp_path: Path) -> None:
    asked = replace(config, max_steps=None, epochs=4, checks=2, packing=False)
    launcher = ["torch.distributed.run", "--nproc_per_node", "2"]
    told, _ = train(launcher, asked, validated, tmp_path)
    # Each step takes a window in each process.
    assert told["steps"] == 2 * told["windows"]


@pytest.mark.parametrize("name", ["fsdp", "deepspeed"])
def test_accelerate_knows_the_settings_for_several_gpus(name: str) -> None:
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.commands.launch import launch_command_parser

    known = load_config_from_file(str(SETTINGS / f"{name}.yaml"))
    assert (known.distributed_type.value.lower(), known.num_processes) == (name, 4)
    told = getattr(known, f"{name}_config")
    assert told
    # It takes any key, and uses those that are options of its launcher.
    assert set(told) <= set(vars(launch_command_parser().parse_args(["train.py"])))


def test_the_layers_to_be_laid_over_gpus_are_whispers() -> None:
    from accelerate.commands.config.config_args import load_config_from_file
    from transformers.models.whisper import modeling_whisper

    told = load_config_from_file(str(SETTINGS / "fsdp.yaml")).fsdp_config
    names = told["fsdp_transformer_layer_cls_to_wrap"].split(",")
    assert len(names) == 2
    assert all(hasattr(modeling_whisper, name) for name in names)
