from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from corpus.errors import ModelError, TrainError
from tests.train.made import tone
from train.config import TrainConfig
from train.convert import Quantization, to_ctranslate2
from train.finetune import finetune


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, dataset: Path, tiny_whisper: Path) -> Path:
    output = tmp_path_factory.mktemp("convert") / "modelo"
    finetune(dataset, TrainConfig(model=str(tiny_whisper), output=str(output), max_steps=1))
    return output


@pytest.mark.parametrize("quantization", ["float32", "int8"])
def test_faster_whisper_hears_what_transformers_hears(
    trained: Path, tmp_path: Path, quantization: Quantization
) -> None:
    import ctranslate2
    import torch
    from faster_whisper import WhisperModel
    from transformers import WhisperForConditionalGeneration

    folder = to_ctranslate2(trained, tmp_path / "ct2", quantization)
    names = {path.name for path in folder.iterdir()}
    assert {"model.bin", "tokenizer.json", "preprocessor_config.json"} <= names
    model = WhisperModel(str(folder), device="cpu", compute_type=quantization)
    features = model.feature_extractor(tone(30.0))[:, :3000][None].astype(np.float32)
    heard = np.array(model.model.encode(ctranslate2.StorageView.from_array(features)))
    with torch.inference_mode():
        encoder = WhisperForConditionalGeneration.from_pretrained(trained).model.encoder
        wanted = encoder(torch.from_numpy(features)).last_hidden_state.numpy()
    assert np.abs(heard - wanted).max() < (1e-3 if quantization == "float32" else 0.5)


def test_converting_twice_is_converting_once(trained: Path, tmp_path: Path) -> None:
    output = to_ctranslate2(trained, tmp_path / "ct2")
    made = (output / "model.bin").stat().st_mtime_ns
    assert to_ctranslate2(trained, output) == output
    assert (output / "model.bin").stat().st_mtime_ns == made
    full = (output / "model.bin").stat().st_size
    to_ctranslate2(trained, output, "int8")
    assert (output / "model.bin").stat().st_size < full / 2


def test_what_is_no_conversion_is_not_overwritten(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("dear")
    with pytest.raises(TrainError, match="is no conversion"):
        to_ctranslate2(trained, tmp_path)
    assert (tmp_path / "mine").read_text() == "dear"


def test_what_is_no_whisper_is_not_converted(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no config\.json"):
        to_ctranslate2(tmp_path, tmp_path / "ct2")
    damaged = tmp_path / "damaged"
    shutil.copytree(trained, damaged)
    (damaged / "config.json").write_text('{"model_type": "other"}')
    with pytest.raises(ModelError, match="cannot be converted"):
        to_ctranslate2(damaged, tmp_path / "ct2")
    assert not (tmp_path / "ct2").exists()
    assert not list(tmp_path.glob(".ct2*"))


def test_a_trained_model_can_be_trained_on(
    trained: Path, dataset: Path, config: TrainConfig
) -> None:
    again = finetune(dataset, replace(config, model=str(trained), max_steps=1))
    assert again.steps == 1
