"""Kinds of Whisper and of data: English alone, 128 mels, streams, replayed speech."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.errors import ModelError, TrainError
from corpus.media import ArraySamples
from tests.train.made import row, tone, write_dataset
from train.backends import BACKENDS, open_backend
from train.config import TrainConfig
from train.data import Row
from train.finetune import finetune
from train.long_form import long_form
from train.trainer import n_workers
from train.whisper import open_whisper


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of converted models."""
    monkeypatch.setenv("CANTE_MODELS", str(tmp_path / "models"))


@pytest.fixture
def english(tiny_whisper: Path, tmp_path: Path) -> Path:
    """The tiny Whisper as one that was never told a language."""
    folder = shutil.copytree(tiny_whisper, tmp_path / "tiny.en")
    settings = json.loads((folder / "generation_config.json").read_text("utf-8"))
    settings["is_multilingual"] = False
    for name in ("lang_to_id", "task_to_id", "forced_decoder_ids"):
        settings.pop(name, None)
    (folder / "generation_config.json").write_text(json.dumps(settings), "utf-8")
    return folder


@pytest.fixture
def many_bands(tiny_whisper: Path, tmp_path: Path) -> Path:
    """The tiny Whisper with the 128 mel bands of large-v3."""
    import torch
    from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

    folder = shutil.copytree(tiny_whisper, tmp_path / "v3")
    whisper = open_whisper(tiny_whisper)
    whisper.model.config.num_mel_bins = 128
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(whisper.model.config)
    model.generation_config = whisper.model.generation_config
    model.save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=128).save_pretrained(folder)
    return folder


def _written_by_both(folder: Path, language: str) -> None:
    sounds = [tone(1.0), tone(2.0, 330.0)]
    for name in BACKENDS:
        backend = open_backend(name, folder, language=language, device="cpu", beam=1)
        assert len(backend.write(sounds)) == 2
    # Whole recordings, of more than one window.
    rows = [Row(number=0, text="ay", recording="uno", start=1.0, end=3.0)]
    sound = ArraySamples(np.concatenate([tone(20.0), tone(15.0, 330.0)]))
    found = long_form(folder, rows, lambda _: sound, language, "cpu")
    assert (found.wer.n, found.notes) == (1, ())


def test_a_whisper_of_english_alone(dataset: Path, config: TrainConfig, english: Path) -> None:
    settings = replace(config, model=str(english), language="en", max_steps=1, checks=0)
    finetune(dataset, settings)
    _written_by_both(Path(settings.output), "en")
    vocabulary = open_whisper(Path(settings.output)).vocabulary("en", "transcribe")
    assert len(vocabulary.prompt) == 1


def test_a_whisper_of_english_alone_is_not_told_spanish(
    dataset: Path, config: TrainConfig, english: Path
) -> None:
    with pytest.raises(ModelError, match="of English alone was asked to transcribe 'es'"):
        finetune(dataset, replace(config, model=str(english)))


def test_128_mel_bands(dataset: Path, config: TrainConfig, many_bands: Path) -> None:
    settings = replace(config, model=str(many_bands), max_steps=1, checks=0)
    finetune(dataset, settings)
    saved = json.loads((Path(settings.output) / "preprocessor_config.json").read_text("utf-8"))
    assert saved["feature_size"] == 128
    _written_by_both(Path(settings.output), "es")


@pytest.mark.parametrize(
    "changes",
    [
        {"gradient_checkpointing": True},
        {"gradient_checkpointing": True, "lora": True, "rank": 2},
        {"precision": "bfloat16"},
        {"augment": 1.0},
    ],
    ids=" ".join,
)
def test_ways_to_train_learn(dataset: Path, config: TrainConfig, changes: dict[str, Any]) -> None:
    result = finetune(dataset, replace(config, max_steps=6, checks=0, **changes))
    assert result.loss_last < result.loss_first
    saved = json.loads((Path(config.output) / "config.json").read_text("utf-8"))
    assert saved.get("use_cache", True) is True


def test_one_clip_a_window(dataset: Path, config: TrainConfig) -> None:
    result = finetune(dataset, replace(config, packing=False, max_steps=1, checks=0))
    assert result.windows == 12


@pytest.fixture
def general(tmp_path: Path) -> Path:
    """Speech that shall not be forgotten, a split to hear and one to be judged by."""
    said = [row("buenos días", 4.0, f"charla {i}") for i in range(6)]
    return write_dataset(tmp_path / "general", train=said[:5], test=said[5:])


def test_general_speech_is_heard_again(dataset: Path, config: TrainConfig, general: Path) -> None:
    alone = finetune(dataset, replace(config, max_steps=1, checks=0, epochs=1))
    config = replace(config, output=f"{config.output}-both", general=str(general), replay=0.3)
    both = finetune(dataset, replace(config, max_steps=1, checks=0, epochs=1))
    assert both.windows > alone.windows
    assert both.utterances == alone.utterances  # those of the corpus


def test_speech_to_hear_again_takes_two_splits(
    dataset: Path, config: TrainConfig, tmp_path: Path
) -> None:
    one = write_dataset(tmp_path / "one", train=[row()])
    with pytest.raises(TrainError, match="has the splits train: to replay it takes 'train', and"):
        finetune(dataset, replace(config, general=str(one), replay=0.5))


def test_a_stream_is_trained_on(dataset: Path, config: TrainConfig) -> None:
    told: list[str] = []
    settings = replace(config, streaming=True, max_steps=5, checks=0, augment=0.5)
    result = finetune(dataset, settings, tell=told.append)
    assert (result.steps, result.utterances, result.windows) == (5, 12, 2)
    assert result.loss_last < result.loss_first
    assert told == []


def test_the_best_of_a_stream_is_kept(tmp_path: Path, config: TrainConfig) -> None:
    """Some of the split validation is held to check on, if its files are shuffled or not."""
    held = [row("ya no te quiero", recording=f"otra {i}") for i in range(3)]
    folder = write_dataset(
        tmp_path / "d", train=[row()], validation=[row("", recording="x"), *held]
    )
    settings = replace(config, streaming=True, max_steps=2, checks=2, check_utterances=2)
    assert len(finetune(folder, settings).checks) == 2


def test_a_leak_in_a_stream_stops_it(tmp_path: Path, config: TrainConfig) -> None:
    folder = write_dataset(tmp_path / "d", train=[row()], test=[row()])
    with pytest.raises(TrainError, match="1 recordings are in both train and test"):
        finetune(folder, replace(config, streaming=True, max_steps=1))


def test_what_a_stream_does_not_say_is_told(tmp_path: Path, config: TrainConfig) -> None:
    english = "and all the people sing in the morning when the moon is still over the river " * 4
    rows = [row(english)]
    del rows[0]["recording"]
    told: list[str] = []
    settings = replace(config, streaming=True, max_steps=1, checks=0)
    with pytest.raises(TrainError, match="label longer than the decoder takes"):
        finetune(write_dataset(tmp_path / "d", train=rows), settings, tell=told.append)
    assert told == [
        "the stream's recordings cannot be looked through: leaks between splits are not found",
        (
            "the texts look like english ('en'), and Whisper is told 'es': set `language` if that "
            "is not meant"
        ),
    ]


def test_a_stream_is_read_by_one_process(config: TrainConfig) -> None:
    """Each of several would read all of it."""
    assert n_workers(replace(config, streaming=True), "cuda") == 0
    assert n_workers(config, "cuda") >= 1
    assert n_workers(config, "cpu") == 0


def test_a_stream_leaves_out_what_cannot_be_taken(tmp_path: Path, config: TrainConfig) -> None:
    rows = [row(), row("", recording="b"), row(recording="d", audio=b"no audio at all")]
    folder = write_dataset(tmp_path / "d", train=rows)
    settings = replace(config, streaming=True, max_steps=3, checks=0)
    result = finetune(folder, settings)
    assert result.utterances == 1
    assert result.left_out == {"audio that cannot be read": 1, "no text": 1}


def test_a_stream_of_nothing(tmp_path: Path, config: TrainConfig) -> None:
    folder = write_dataset(tmp_path / "d", train=[row("")])
    with pytest.raises(TrainError, match=r"no utterance with text is left .* 1 × no text"):
        finetune(folder, replace(config, streaming=True, max_steps=3))
    nowhere = replace(config, streaming=True, max_steps=3, output=f"{config.output}-2")
    with pytest.raises(TrainError, match="cannot be read as a stream"):
        finetune(tmp_path / "nowhere", nowhere)
    untrained = write_dataset(tmp_path / "untrained", test=[row()])
    with pytest.raises(TrainError, match=r"no split 'train' \(it has test\)"):
        finetune(untrained, nowhere)


def test_times_survive(dataset: Path, config: TrainConfig, whisper_base_hf: Path) -> None:
    """After some steps real Whisper still says when what it hears begins and ends."""
    import torch

    torch.manual_seed(0)
    settings = replace(config, model=str(whisper_base_hf), max_steps=2, learning_rate=2e-5)
    finetune(dataset, replace(settings, checks=0))
    whisper = open_whisper(Path(config.output))
    sound = np.concatenate([np.zeros(16_000, np.float32), tone(2.0), np.zeros(8_000, np.float32)])
    features = whisper.extractor(sound, sampling_rate=16_000, return_tensors="pt").input_features
    tokens = whisper.model.generate(
        features, return_timestamps=True, language="es", task="transcribe", max_new_tokens=40
    )
    first = whisper.vocabulary("es", "transcribe").first_timestamp
    times = [int(token) - first for token in tokens[0] if token >= first]
    assert times == sorted(times)
    assert times
