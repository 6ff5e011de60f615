"""Any wav2vec2 CTC checkpoint of transformers' form as an acoustic model, loaded through WhisperX.

Only WhisperX's loader is used (Bain et al., 2023): its own aligner splits text
with NLTK, downloads what that needs, and places one short segment at a time.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from align.emissions import Progress, pick_device
from align.labels import LABELS
from align.windows import windows
from corpus.errors import MissingExtraError, ModelError
from corpus.media import SAMPLE_RATE, Samples
from corpus.text import letters

__all__ = ["Wav2Vec2CTC"]

_SAMPLES_A_FRAME = 320
_FRAMES_A_WINDOW = 30 * SAMPLE_RATE // _SAMPLES_A_FRAME
_OVERLAP_FRAMES = 5 * SAMPLE_RATE // _SAMPLES_A_FRAME
_LEAST = 1e-12


class Wav2Vec2CTC:
    """A folder with a Wav2Vec2ForCTC and its processor, 50 frames a second.

    What its dictionary writes with accents or capitals is added to the plain
    letter; word bounds ("|") and other signs count as blank.  Raises ModelError
    when the folder holds no such checkpoint, MissingExtraError without whisperx.
    """

    frame_rate = SAMPLE_RATE / _SAMPLES_A_FRAME
    labels = LABELS

    def __init__(self, folder: Path, language: str = "es", device: str = "auto") -> None:
        self.name = folder.name
        self._device = pick_device(device)
        self._model, dictionary = _load(folder, language, self._device)
        self._fold = _folding(dictionary, int(self._model.config.vocab_size))
        self._normed = _wants_normed(folder)

    def emissions(self, samples: Samples, progress: Progress | None = None) -> NDArray[np.float32]:
        """Log-probabilities, shape (n_samples // 320 rounded up, n_labels)."""
        n_frames = -(-samples.n_samples // _SAMPLES_A_FRAME)
        out = np.empty((n_frames, len(self.labels)), np.float32)
        for window in windows(n_frames, _FRAMES_A_WINDOW, _OVERLAP_FRAMES):
            begin, n_wanted = window.begin * _SAMPLES_A_FRAME, window.end - window.begin
            piece = samples.read(begin, n_wanted * _SAMPLES_A_FRAME)
            out[window.keep_from : window.keep_to] = self._listen(piece, n_wanted)[window.kept]
            if progress is not None:
                progress(window.keep_to / n_frames)
        return out

    def _listen(self, piece: NDArray[np.float32], n_frames: int) -> NDArray[np.float32]:
        """Log-probabilities of one window, shape (n_frames, n_labels)."""
        import torch

        if self._normed:
            piece = (piece - piece.mean()) / np.sqrt(piece.var() + 1e-7)
        # The convolutions see 400 samples a frame: without these the last frame is lost.
        room = n_frames * _SAMPLES_A_FRAME + 80
        padded = np.pad(piece, (0, room - len(piece))).astype(np.float32)
        with torch.inference_mode():
            logits = self._model(torch.from_numpy(padded)[None].to(self._device)).logits[0]
            heard = logits.float().softmax(-1).cpu().numpy()[:n_frames]
        scores: NDArray[np.float32] = np.log(np.maximum(heard @ self._fold, _LEAST))
        return scores


def _load(folder: Path, language: str, device: str) -> tuple[Any, dict[str, int]]:
    try:
        from whisperx.alignment import load_align_model
    except ImportError as error:
        raise MissingExtraError("align", "whisperx") from error
    try:
        # The loader prints what went wrong; here it is raised.
        with contextlib.redirect_stdout(io.StringIO()):
            model, found = load_align_model(language, device, str(folder), model_cache_only=True)
    except (ValueError, OSError) as error:
        raise ModelError(
            f"{folder} holds no wav2vec2 CTC checkpoint with its processor: name another folder"
        ) from error
    return model.eval(), found["dictionary"]


def _folding(dictionary: Mapping[str, int], n_signs: int) -> NDArray[np.float32]:
    """Which sign of the checkpoint counts as which label, shape (n_signs, n_labels)."""
    fold = np.zeros((n_signs, len(LABELS)), np.float32)
    fold[:, 0] = 1
    for sign, code in dictionary.items():
        letter = "'" if sign in {"'", "’"} else letters(sign)[:1] if sign.isalpha() else ""
        if letter and len(sign) == 1 and code < n_signs:
            fold[code] = np.eye(len(LABELS))[LABELS.index(letter)]
    return fold


def _wants_normed(folder: Path) -> bool:
    """Whether it was trained on audio of mean 0 and variance 1, as its processor says."""
    try:
        settings = json.loads((folder / "preprocessor_config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return True
    return bool(settings.get("do_normalize", True))
