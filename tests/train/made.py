"""Small datasets as `corpus publish` writes them, made of tones."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from numpy.typing import NDArray


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


def write_dataset(folder: Path, **splits: Iterable[dict[str, Any]]) -> Path:
    """A folder that `load_dataset` opens: write_dataset(path, train=[row(), ...])."""
    folder.mkdir()
    for split, rows in splits.items():
        write_split(folder, split, rows)
    return folder
