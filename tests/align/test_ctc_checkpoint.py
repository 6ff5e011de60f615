from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from align.ctc_checkpoint import Wav2Vec2CTC
from align.labels import LABELS
from corpus.errors import ModelError
from corpus.media import flac_bytes
from tests.align.toys import noise
from tests.conftest import Cli

SIGNS = ["[PAD]", "|", "[UNK]", "A", "á", "n", "Ñ", "'", "3", "ß"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random wav2vec2 CTC checkpoint with its processor, as transformers saves them."""
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
        Wav2Vec2Processor,
    )

    folder = tmp_path_factory.mktemp("wav2vec2")
    (folder / "vocab.json").write_text(json.dumps({s: i for i, s in enumerate(SIGNS)}), "utf-8")
    tokenizer = Wav2Vec2CTCTokenizer(
        str(folder / "vocab.json"),
        pad_token=SIGNS[0],
        unk_token=SIGNS[2],
        bos_token=None,
        eos_token=None,
    )
    Wav2Vec2Processor(Wav2Vec2FeatureExtractor(), tokenizer).save_pretrained(folder)
    torch.manual_seed(0)
    config = Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8,) * 7,
        vocab_size=len(SIGNS),
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )
    Wav2Vec2ForCTC(config).save_pretrained(folder)
    return folder


def test_emissions_are_log_probabilities_of_plain_letters(checkpoint: Path) -> None:
    told: list[float] = []
    model = Wav2Vec2CTC(checkpoint, device="cpu")
    heard = model.emissions(noise(33.333), told.append)
    assert heard.shape == (1667, len(LABELS))
    assert heard.dtype == np.float32
    assert np.exp(heard).sum(1) == pytest.approx(np.ones(1667), abs=1e-4)
    assert told[-1] == 1.0
    assert model.labels == LABELS
    assert (model.name, model.frame_rate) == (checkpoint.name, 50.0)


def test_accents_and_capitals_count_as_the_letter_and_signs_as_blank(checkpoint: Path) -> None:
    model = Wav2Vec2CTC(checkpoint, device="cpu")
    assert {SIGNS[i]: LABELS[int(row.argmax())] for i, row in enumerate(model._fold)} == {
        "[PAD]": "",
        "|": "",
        "[UNK]": "",
        "3": "",
        "A": "a",
        "á": "a",
        "n": "n",
        "Ñ": "ñ",
        "'": "'",
        "ß": "s",
    }
    assert model._fold.sum(1).tolist() == [1.0] * len(SIGNS)


def test_it_hears_what_the_checkpoint_hears(checkpoint: Path) -> None:
    from transformers import Wav2Vec2ForCTC

    samples = noise(2.0)
    heard = Wav2Vec2CTC(checkpoint, device="cpu").emissions(samples)
    audio = samples.read(0, 32000)
    normed = torch.from_numpy((audio - audio.mean()) / np.sqrt(audio.var() + 1e-7))
    with torch.inference_mode():
        theirs = Wav2Vec2ForCTC.from_pretrained(checkpoint).eval()(normed[None]).logits[0]
    letter = LABELS.index("n")
    expected = theirs.log_softmax(-1)[:, SIGNS.index("n")].numpy()
    assert np.abs(heard[:80, letter] - expected[:80]).max() < 0.05


def test_a_folder_without_a_checkpoint_raises_in_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ModelError, match="holds no wav2vec2 CTC checkpoint"):
        Wav2Vec2CTC(tmp_path, device="cpu")
    assert capsys.readouterr().out == ""


def test_the_command_line_takes_one_by_its_folder(
    cli: Cli, checkpoint: Path, tmp_path: Path
) -> None:
    sound, letra = tmp_path / "ruido.flac", tmp_path / "letra.txt"
    samples = noise(3.0)
    sound.write_bytes(flac_bytes(samples.read(0, samples.n_samples)))
    letra.write_text("ay pena\npenita\n", "utf-8")
    ran = cli("align-file", sound, letra, "--model", checkpoint)
    assert ran.code == 0
    assert [line["text"] for line in ran.json["lines"]] == ["ay pena", "penita"]
