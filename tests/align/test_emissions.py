from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from align.emissions import WhisperCTC, name_of, pick_device
from align.encoder import WhisperEncoder
from align.head import Head, HeadConfig, load_head, save_head, shipped_head
from align.labels import LABELS
from corpus.errors import ModelError
from corpus.media import ArraySamples
from tests.align.toys import noise

TINY = {
    "model_type": "whisper",
    "d_model": 16,
    "encoder_layers": 2,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "num_mel_bins": 80,
}


@pytest.fixture(scope="module")
def tiny_whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Whisper of two layers, with a decoder that is to be left alone."""
    from transformers import WhisperConfig, WhisperModel

    folder = tmp_path_factory.mktemp("tiny-whisper")
    torch.manual_seed(0)
    sizes = {k: v for k, v in TINY.items() if k != "model_type"}
    config = WhisperConfig(
        **sizes, decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=32, vocab_size=51865
    )
    WhisperModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def tiny_head(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-head")
    torch.manual_seed(0)
    save_head(Head(HeadConfig(encoder_width=16, encoder_layers=2, layers=(1, 2), width=8)), folder)
    return folder


def test_the_encoder_computes_what_that_of_transformers_does(tiny_whisper: Path) -> None:
    from transformers import WhisperFeatureExtractor, WhisperModel

    samples = noise(7.0).read(0, 7 * 16000)
    ours = WhisperEncoder(tiny_whisper).states(samples, (0, 1, 2))
    theirs = WhisperModel.from_pretrained(tiny_whisper).encoder.eval()
    extract = WhisperFeatureExtractor()
    mel = extract(samples, sampling_rate=16000, return_tensors="pt").input_features
    with torch.inference_mode():
        states = theirs(mel, output_hidden_states=True).hidden_states
    for layer in range(3):
        expected = states[layer][0][:350]
        scale = float(expected.abs().mean())
        assert float((ours[:, layer] - expected).abs().mean()) < 1e-4 * scale


def test_several_windows_at_once_are_heard_as_one_by_one(
    tiny_whisper: Path, tiny_head: Path
) -> None:
    told: list[float] = []
    once = WhisperCTC(tiny_whisper, tiny_head, "cpu").hear(noise(75.3))
    heard = WhisperCTC(tiny_whisper, tiny_head, "cpu", 3).hear(noise(75.3), told.append)
    assert len(told) == 2
    assert np.abs(heard.letters - once.letters).max() < 1e-4
    assert np.abs(heard.voice - once.voice).max() < 1e-4


def test_a_model_has_its_name_before_it_is_loaded(tiny_whisper: Path, tiny_head: Path) -> None:
    model = WhisperCTC(tiny_whisper, tiny_head, "cpu")
    assert name_of(tiny_whisper, tiny_head) == model.name
    with pytest.raises(ModelError, match="comes with cante-corpus"):
        name_of(tiny_whisper)


def test_emissions_are_log_probabilities_of_every_frame(
    tiny_whisper: Path, tiny_head: Path
) -> None:
    told: list[float] = []
    model = WhisperCTC(tiny_whisper, tiny_head, "cpu")
    heard = model.hear(noise(41.01), told.append).letters
    assert heard.shape == (2051, len(LABELS))
    assert heard.dtype == np.float32
    assert np.exp(heard).sum(1) == pytest.approx(np.ones(2051), abs=1e-4)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert model.labels == LABELS
    assert model.name.startswith(f"{tiny_whisper.name}+{tiny_head.name}-")


def test_other_weights_in_the_same_folder_go_by_another_name(
    tiny_whisper: Path, tiny_head: Path, tmp_path: Path
) -> None:
    folder = tmp_path / tiny_head.name
    shutil.copytree(tiny_head, folder)
    before = WhisperCTC(tiny_whisper, folder, "cpu").name
    assert before == WhisperCTC(tiny_whisper, tiny_head, "cpu").name
    torch.manual_seed(9)
    save_head(Head(load_head(folder).config), folder)
    assert WhisperCTC(tiny_whisper, folder, "cpu").name != before


def test_voice_is_a_chance_of_every_frame(tiny_whisper: Path, tiny_head: Path) -> None:
    voice = WhisperCTC(tiny_whisper, tiny_head, "cpu").hear(noise(3.3)).voice
    assert voice.shape == (165,)
    assert ((voice >= 0) & (voice <= 1)).all()


def test_no_audio_gives_no_frames(tiny_whisper: Path, tiny_head: Path) -> None:
    model = WhisperCTC(tiny_whisper, tiny_head, "cpu")
    assert model.hear(ArraySamples(np.zeros(0, np.float32))).letters.shape == (0, len(LABELS))


def test_windows_do_not_show(tiny_whisper: Path, tiny_head: Path) -> None:
    """Frames well inside two windows of long audio are those of that stretch alone."""
    model = WhisperCTC(tiny_whisper, tiny_head, "cpu")
    samples = noise(60)
    whole = model.hear(samples).letters
    alone = model.hear(ArraySamples(samples.read(20 * 16000, 30 * 16000))).letters
    assert np.abs(whole[1250:1500] - alone[250:500]).max() < 1e-3


def test_the_shipped_head_fits_whisper_base(whisper_base_hf: Path) -> None:
    folder = shipped_head(512, 6)
    head = load_head(folder)
    assert head.config.labels == LABELS
    assert {path.name for path in folder.iterdir()} >= {"README.md", "config.json"}
    assert "+whisper-base-" in WhisperCTC(whisper_base_hf).name


def test_no_head_for_an_unknown_encoder(tiny_whisper: Path) -> None:
    with pytest.raises(ModelError, match="no head for an encoder of 2 layers and width 16"):
        WhisperCTC(tiny_whisper)


def test_a_head_for_another_encoder_is_refused(tiny_whisper: Path) -> None:
    with pytest.raises(ModelError, match="made for another encoder"):
        WhisperCTC(tiny_whisper, shipped_head(512, 6))


@pytest.mark.parametrize("content", [None, "[]", "{", '{"model_type": "wav2vec2"}'])
def test_a_folder_without_a_whisper_raises(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content, "utf-8")
    with pytest.raises(ModelError, match="holds no Whisper in transformers' form"):
        WhisperCTC(tmp_path)


def test_weights_that_do_not_fit_their_config_raise(tiny_whisper: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_whisper, tmp_path, dirs_exist_ok=True)
    (tmp_path / "config.json").write_text(json.dumps(TINY | {"encoder_layers": 3}), "utf-8")
    with pytest.raises(ModelError, match=r"do not fit its config\.json"):
        WhisperEncoder(tmp_path)


def test_damaged_weights_raise(tiny_whisper: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_whisper, tmp_path, dirs_exist_ok=True)
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="are damaged: fetch them again"):
        WhisperEncoder(tmp_path)


def test_a_head_is_read_as_it_was_written(tiny_head: Path) -> None:
    torch.manual_seed(0)
    made = Head(HeadConfig(encoder_width=16, encoder_layers=2, layers=(1, 2), width=8)).eval()
    read = load_head(tiny_head)
    states = torch.randn(1, 50, 2, 16)
    assert torch.equal(made(states), read(states))
    assert read.config == made.config


@pytest.mark.parametrize("broken", ["config.json", "head.safetensors"])
def test_a_head_that_is_missing_or_damaged_raises(
    tiny_head: Path, tmp_path: Path, broken: str
) -> None:
    shutil.copytree(tiny_head, tmp_path, dirs_exist_ok=True)
    (tmp_path / broken).write_text("{}", "utf-8")
    with pytest.raises(ModelError, match="holds no head that can be read"):
        load_head(tmp_path)
    with pytest.raises(ModelError, match="holds no head that can be read"):
        load_head(tmp_path / "nowhere")


def test_a_device_that_is_not_there_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto") == pick_device("cpu") == "cpu"
    with pytest.raises(ModelError, match="no CUDA device"):
        pick_device("cuda")


def test_importing_align_imports_nothing_heavy() -> None:
    import subprocess

    program = (
        "import sys, align, align.emissions, align.cut, align.draft, align.formats, align.checks;"
        "print([m for m in ('torch', 'transformers', 'whisperx', 'faster_whisper', 'numba')"
        " if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
