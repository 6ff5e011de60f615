"""A trained model as others take it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from corpus.errors import ModelError, TrainError
from tests.conftest import Cli
from train.give import to_gguf_compatible, to_safetensors
from train.whisper import open_whisper


@pytest.mark.parametrize(
    ("precision", "kind"), [("float32", torch.float32), ("float16", torch.half)]
)
def test_the_numbers_are_kept_as_far_as_they_are_wanted(
    tiny_whisper: Path, tmp_path: Path, precision: str, kind: torch.dtype
) -> None:
    made = to_safetensors(tiny_whisper, tmp_path / "made", precision)  # type: ignore[arg-type]
    found = load_file(made / "model.safetensors")
    assert {tensor.dtype for tensor in found.values()} == {kind}
    before = open_whisper(tiny_whisper).model.state_dict()
    after = open_whisper(made).model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name].to(kind).float(), after[name]) for name in before)
    assert (made / "preprocessor_config.json").is_file()
    assert (made / "tokenizer.json").is_file()


def test_what_tells_of_the_model_goes_along(tiny_whisper: Path, tmp_path: Path) -> None:
    model = shutil.copytree(tiny_whisper, tmp_path / "mine")
    (model / "training.toml").write_text("epochs = 3\n", "utf-8")
    made = to_safetensors(model, tmp_path / "made")
    assert (made / "training.toml").read_text("utf-8") == "epochs = 3\n"


def test_taken_or_no_model(tiny_whisper: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(TrainError, match="is there already"):
        to_safetensors(tiny_whisper, tmp_path / "taken")
    with pytest.raises(ModelError):
        to_safetensors(tmp_path / "taken", tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_what_the_converter_of_whisper_cpp_reads_is_there(
    tiny_whisper: Path, tmp_path: Path
) -> None:
    """vocab.json, added_tokens.json and mel filters, whatever transformers saves of its own."""
    made = to_gguf_compatible(tiny_whisper, tmp_path / "made", "float16")
    words = json.loads((made / "vocab.json").read_text("utf-8"))
    control = json.loads((made / "added_tokens.json").read_text("utf-8"))
    assert sorted(words.values()) == list(range(50_258))
    assert (words["<|endoftext|>"], control["<|startoftranscript|>"]) == (50_257, 50_258)
    assert sorted(control.values()) == list(range(50_258, 51_865))
    with np.load(made / "whisper" / "assets" / "mel_filters.npz") as found:
        (filters,) = found.values()
        assert found.files == ["mel_80"]
    assert (filters.shape, filters.dtype) == ((80, 201), np.float32)
    assert (filters.sum(axis=1) > 0).all()
    assert load_file(made / "model.safetensors")["model.decoder.embed_tokens.weight"].dtype == (
        torch.half
    )


# ---- the command


def test_a_model_is_exported_beside_where_one_is(cli: Cli, tiny_whisper: Path) -> None:
    told = cli("export", tiny_whisper, "--to", "safetensors", "--json").json
    assert told == {
        "model": str(tiny_whisper),
        "format": "safetensors",
        "folder": "tiny-safetensors",
    }
    assert Path("tiny-safetensors/model.safetensors").is_file()


def test_a_model_for_whisper_cpp(cli: Cli, tiny_whisper: Path) -> None:
    ran = cli("export", tiny_whisper, "--to", "gguf-compatible")
    assert ran.code == 0
    assert "convert-h5-to-ggml.py tiny-gguf-compatible tiny-gguf-compatible ." in ran.err
    assert Path("tiny-gguf-compatible/vocab.json").is_file()


def test_a_model_for_faster_whisper(cli: Cli, tiny_whisper: Path, tmp_path: Path) -> None:
    ran = cli("export", tiny_whisper, tmp_path / "ct", "--to", "ctranslate2", "--precision", "int8")
    assert (ran.code, ran.err) == (0, f"export: {tmp_path / 'ct'}: ctranslate2, int8\n")
    assert (tmp_path / "ct" / "model.bin").is_file()
    again = cli("export", tmp_path / "ct", "--to", "safetensors")
    assert again.code == 2
    assert "is in CTranslate2's form already" in again.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "say what the model is to become: --to ctranslate2, safetensors"),
        (("--to", "lhotse"), "a model is not exported to 'lhotse'"),
        (("--to", "safetensors", "--precision", "int8"), "is float32 or float16"),
    ],
)
def test_what_cannot_be_is_told(
    cli: Cli, tiny_whisper: Path, options: tuple[str, ...], told: str
) -> None:
    ran = cli("export", tiny_whisper, *options)
    assert ran.code == 2
    assert told in ran.err
