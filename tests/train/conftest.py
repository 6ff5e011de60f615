"""A tiny Whisper with the real tokenizer, and small datasets as `corpus publish` writes them."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from numpy.typing import NDArray

WriteDataset = Callable[..., Path]


def flac(samples: NDArray[np.float32], rate: int = 16_000) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format="FLAC", subtype="PCM_16")
    return out.getvalue()


def tone(seconds: float, pitch: float = 220.0, rate: int = 16_000) -> NDArray[np.float32]:
    at = np.arange(round(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * pitch * at)).astype(np.float32)


def row(
    text: str = "ay pena", seconds: float = 2.0, recording: str = "uno", **cells: Any
) -> dict[str, Any]:
    """A row of a dataset; `audio` may be given as bytes."""
    audio = cells.pop("audio", None) or flac(tone(seconds))
    return {
        "audio": {"bytes": audio, "path": None},
        "text": text,
        "kind": "letra",
        "recording": recording,
        "start": 0.0,
        "palo": "soleá",
        "singer": "voz",
        **cells,
    }


def write_split(folder: Path, split: str, rows: Iterable[dict[str, Any]]) -> None:
    from datasets import Audio, Features, Value

    rows = list(rows)
    types = {name: Value("float64" if name == "start" else "string") for name in rows[0]}
    features = Features({**types, "audio": Audio(sampling_rate=16_000)})
    table = pa.Table.from_pylist(rows, schema=features.arrow_schema)
    pq.write_table(table, folder / f"{split}-00000-of-00001.parquet")


@pytest.fixture
def write_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteDataset:
    """Writes a folder that `load_dataset` opens: write_dataset("name", train=[row(), ...])."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")

    def write(name: str, **splits: Iterable[dict[str, Any]]) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for split, rows in splits.items():
            write_split(folder, split, rows)
        return folder

    return write


@pytest.fixture
def dataset(write_dataset: WriteDataset) -> Path:
    """Twelve short utterances of two recordings to train on, three of another to judge by."""
    texts = ["ay pena penita", "por la calle abajo", "ya no te quiero"]
    train = [
        row(texts[i % 3], 2.0 + i % 4, f"cinta {i % 2}", start=float(i)) for i in range(12)
    ]
    test = [
        row(texts[0], 2.0, "otra", palo="soleá", singer="una"),
        row(texts[1], 3.0, "otra", palo="bulerías", singer="una"),
        row("", 1.0, "otra", kind="nothing", palo="bulerías", singer="otra"),
    ]
    return write_dataset("publicado", train=train, test=test)


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
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(WhisperConfig(**{**found, **small, "d_model": 16}))
    model.generation_config = GenerationConfig.from_pretrained(whisper_base_hf)
    model.generation_config.alignment_heads = [[0, 0]]
    model.save_pretrained(folder)
    for path in whisper_base_hf.iterdir():
        if path.is_file() and not (folder / path.name).exists():
            if not path.name.endswith((".safetensors", ".bin")):
                shutil.copy(path, folder / path.name)
    return folder
