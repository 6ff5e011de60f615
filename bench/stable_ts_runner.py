"""Words placed by stable-ts, from inside an environment that has it (see `rivals.stable_ts`).

    python bench/stable_ts_runner.py WHISPER_FOLDER LANGUAGE AUDIO.wav LINES.json WORDS.json

LINES is a list of lines, AUDIO 16 kHz mono of 16 bits; WORDS gets [text, start, end]
for whatever stable-ts takes for a word.  Nothing of this project is imported: it is
not installed there.
"""

from __future__ import annotations

import json
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import stable_whisper  # type: ignore[import-not-found]  # in its own environment only
import torch
from transformers import pipeline


def load(folder: Path) -> Any:
    """A Whisper by the form of the folder: CTranslate2's has a model.bin."""
    if (folder / "model.bin").is_file():
        return stable_whisper.load_faster_whisper(str(folder), device="cpu", compute_type="float32")
    # Its own way to make the pipeline passes an argument that transformers has dropped.
    pipe = pipeline("automatic-speech-recognition", model=str(folder), device="cpu")
    return stable_whisper.load_hf_whisper(str(folder), pipeline=pipe)


def main() -> None:
    """Place the lines, as one text, its line breaks kept."""
    folder, language, audio, lines, out = sys.argv[1:]
    with wave.open(audio) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
    text = "\n".join(json.loads(Path(lines).read_text("utf-8")))
    waveform = torch.from_numpy(samples.astype(np.float32) / 32768)
    result = load(Path(folder)).align(waveform, text, language, original_split=True, verbose=None)
    words = result.all_words() if result else []
    placed = [[word.word, float(word.start), float(word.end)] for word in words]
    Path(out).write_text(json.dumps(placed), "utf-8")


if __name__ == "__main__":
    main()
