"""A tiny Whisper, and songs and speech with times, all made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

RATE = 16_000
ULTRASTAR = """#TITLE:Made
#BPM:300,0
#GAP:1000
: 0 10 5 To
: 10 10 5 do~
: 20 20 5  el
* 40 20 5 ~
- 70
F 100 20 5 ay\x20
: 130 10 5 —
E
"""
LRC = "[ti:Made]\n[00:01.00]todo el\n[00:04.00]\n[00:06.00]ay\n[00:07.00]\n"


def tiny_whisper(folder: Path) -> Path:
    """A random encoder of two layers in the form of transformers."""
    from safetensors.torch import save_file

    from align.encoder import _Encoder

    torch.manual_seed(0)
    weights = _Encoder(16, 2, 2, 32, 80).state_dict()
    folder.mkdir(parents=True, exist_ok=True)
    save_file({f"model.encoder.{k}": v for k, v in weights.items()}, folder / "model.safetensors")
    sizes = {
        "d_model": 16,
        "encoder_layers": 2,
        "encoder_attention_heads": 2,
        "encoder_ffn_dim": 32,
        "num_mel_bins": 80,
    }
    (folder / "config.json").write_text(json.dumps(sizes), "utf-8")
    return folder


def voiced(seconds: float, hertz: float = 150.0) -> NDArray[np.float32]:
    """A buzz that swells three times a second, as syllables do."""
    time = np.arange(round(seconds * RATE)) / RATE
    buzz = sum(np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, 12))
    swell = 0.15 * (1 - np.cos(2 * np.pi * 3 * time)) / 2
    return np.asarray(buzz * swell, np.float32)


def write_audio(path: Path, samples: NDArray[np.float32]) -> Path:
    """Audio in the form that the path's suffix names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(str(path), samples, RATE)
    return path


def write_ultrastar(folder: Path, name: str, hertz: float = 150.0) -> None:
    """A song of 13 s, sung from 1 to 7 s."""
    write_audio(folder / name / "audio.ogg", voiced(13, hertz))
    (folder / name / "song.txt").write_text(ULTRASTAR, "utf-8")


def write_lrc(folder: Path, name: str, text: str = LRC) -> None:
    """The same song as LRC."""
    write_audio(folder / f"{name}.flac", voiced(13))
    (folder / f"{name}.lrc").write_text(text, "utf-8")


def write_speech(folder: Path, texts: tuple[str, ...] = ("Una rana.", "Un mirlo.")) -> None:
    """An AudioFolder of sentences of a second each."""
    rows = ["file_name,transcription"]
    for k, text in enumerate(texts):
        write_audio(folder / f"{k}.wav", voiced(1, 120 + 10 * k))
        rows.append(f"{k}.wav,{text}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n", "utf-8")
