"""A tiny Whisper with the real tokenizer, a small dataset, and the one trained on the other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.train.made import row, write_dataset
from train.config import TrainConfig


@pytest.fixture(scope="session", autouse=True)
def datasets_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    import datasets

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))
        yield


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Two threads that wait for each other at every tiny step take longer than one."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve short utterances of two recordings to train on, three of another to judge by."""
    texts = ["ay pena penita", "por la calle abajo", "ya no te quiero"]
    train = [row(texts[i % 3], 2.0 + i % 4, f"cinta {i % 2}", start=float(i)) for i in range(12)]
    test = [
        row(texts[0], 2.0, "otra", palo="soleá", singer="una"),
        row(texts[1], 3.0, "otra", palo="bulerías", singer="una"),
        row("", 1.0, "otra", kind="nothing", palo="bulerías", singer="otra"),
    ]
    return write_dataset(tmp_path_factory.mktemp("made") / "publicado", train=train, test=test)


@pytest.fixture(scope="session")
def validated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with a split to check on."""
    texts = ("ay pena penita", "por la calle abajo", "ya no te quiero")
    train = [row(texts[i % 3], 2.0, f"cinta {i}", start=0.0, singer=f"voz {i}") for i in range(8)]
    validation = [
        row(texts[0], 2.0, "otra", singer="voz 1"),
        row("", 2.0, "muda", singer="sola"),
        row("¡!", 2.0, "signos", singer="sola"),
    ]
    folder = tmp_path_factory.mktemp("made") / "comprobado"
    return write_dataset(folder, train=train, validation=validation)


@pytest.fixture(scope="session")
def tiny_whisper(tmp_path_factory: pytest.TempPathFactory, whisper_base_hf: Path) -> Path:
    """A Whisper of one layer a side and width 16, with the tokenizer of the real one."""
    import torch
    from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration

    folder = tmp_path_factory.mktemp("models") / "tiny"
    small = dict.fromkeys(("encoder_layers", "decoder_layers"), 1)
    small |= dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 2)
    small |= dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim"), 32)
    found = json.loads((whisper_base_hf / "config.json").read_text("utf-8"))
    # The room for 64 tokens keeps an untrained model from going on for long.
    small |= {"d_model": 16, "max_target_positions": 64}
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(WhisperConfig(**{**found, **small}))
    settings = GenerationConfig.from_pretrained(whisper_base_hf)
    settings.update(alignment_heads=[[0, 0]])
    model.generation_config = settings
    model.save_pretrained(folder)
    for path in whisper_base_hf.iterdir():
        if path.is_file() and path.suffix != ".safetensors" and not (folder / path.name).exists():
            shutil.copy(path, folder / path.name)
    return folder


@pytest.fixture
def config(tiny_whisper: Path, tmp_path: Path) -> TrainConfig:
    """Three steps of the tiny Whisper on the CPU."""
    return TrainConfig(
        model=str(tiny_whisper),
        output=str(tmp_path / "modelo"),
        max_steps=3,
        batch_size=1,
        learning_rate=1e-2,
        device="cpu",
        precision="float32",  # the same numbers on every machine
    )
