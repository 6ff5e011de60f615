"""Models and datasets that are at the hub, by their names there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import soundfile

from tests.conftest import Cli
from tests.servers.hub_state import Hub
from tests.train.made import tone
from train.push_model import push_model
from train.whisper import open_whisper

MODEL, DATASET = "pena/whisper-cante", "pena/cante"


@pytest.fixture
def roomy(tiny_whisper: Path, tmp_path: Path) -> Path:
    """The tiny Whisper with the real one's room for tokens, which faster-whisper counts on."""
    import torch
    from transformers import WhisperForConditionalGeneration

    folder = shutil.copytree(tiny_whisper, tmp_path / "roomy")
    whisper = open_whisper(tiny_whisper)
    whisper.model.config.max_target_positions = 448
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(whisper.model.config)
    model.generation_config = whisper.model.generation_config
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def pushed(
    online: Hub,
    cli: Cli,
    roomy: Path,
    releases: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Hub:
    """A hub with a model and a dataset that were pushed, and a machine that has neither."""
    monkeypatch.setenv("HF_ENDPOINT", online.url)
    monkeypatch.setenv("CANTE_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("datasets.config.HF_ENDPOINT", online.url)
    for constant in ("huggingface_hub.constants.HF_HUB_CACHE", "datasets.config.HF_DATASETS_CACHE"):
        monkeypatch.setattr(constant, str(tmp_path / "cache"))
    push_model(roomy, MODEL)
    assert cli("push", DATASET, releases["v1"]).code == 0
    return online


@pytest.mark.usefixtures("pushed")
def test_a_pushed_model_writes_down(cli: Cli, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "ay.wav", tone(2.0), 16_000)
    ran = cli("transcribe", tmp_path / "ay.wav", "--model", MODEL, "--no-words", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["duration"] == 2.0
    (kept,) = (tmp_path / "models" / "converted").iterdir()
    assert kept.name.startswith("pena--whisper-cante-")


@pytest.mark.usefixtures("pushed")
def test_a_pushed_model_is_judged_on_a_pushed_dataset(cli: Cli, tmp_path: Path) -> None:
    asked = ("evaluate", MODEL, "--on", DATASET, "--report", tmp_path / "told", "--json")
    ran = cli(*asked, "--device", "cpu")
    assert ran.code == 0, ran.err
    (one,) = ran.json["models"]
    assert (one["model"], one["utterances"]) == (MODEL, 3)
    assert "<audio" in (tmp_path / "told" / "index.html").read_text("utf-8")


@pytest.mark.usefixtures("pushed")
def test_a_pushed_dataset_is_trained_on_as_a_stream(cli: Cli, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text('max_steps = 1\nstreaming = true\nchecks = 0\nlog_to = "none"\n', "utf-8")
    output = tmp_path / "mine"
    asked = ("train", DATASET, "--config", settings, "--model", MODEL, "--output", output)
    ran = cli(*asked, "--device", "cpu", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["train"]["steps"] == 1
    assert "train: output " in ran.err
    assert f"`corpus evaluate {output} --on {DATASET}` fetches it" in ran.err


def test_what_looks_like_no_dataset_is_refused(cli: Cli, tiny_whisper: Path) -> None:
    ran = cli("evaluate", tiny_whisper, "--on", "a/b/c")
    assert ran.code == 2
    assert "'a/b/c' is no dataset: give a release of the corpus" in ran.err
