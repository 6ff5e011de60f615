"""Any wav2vec2 CTC checkpoint of transformers or torchaudio as an acoustic model.

WhisperX loads it (Bain et al., 2023), and only that: its own aligner splits text
with NLTK, downloads what that needs, and places one short segment at a time.
Nothing is fetched here: a checkpoint is on this machine or it is not.
"""

from __future__ import annotations

import contextlib
import io
import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from align.emissions import Heard, Progress, pick_device
from align.labels import LABELS
from align.voice import from_letters
from align.windows import windows
from corpus.errors import MissingExtraError, ModelError
from corpus.media import SAMPLE_RATE, Samples, hash_file
from corpus.models import cache_folder, form_of
from corpus.records import content_id
from corpus.text import letters

__all__ = ["Checkpoint", "Wav2Vec2CTC", "find_checkpoint"]

_SAMPLES_A_FRAME = 320
_FRAMES_A_WINDOW = 30 * SAMPLE_RATE // _SAMPLES_A_FRAME
_OVERLAP_FRAMES = 5 * SAMPLE_RATE // _SAMPLES_A_FRAME
_LEAST = 1e-12
_CLASS = "Wav2Vec2ForCTC"
# WhisperX says ValueError of a folder; of a bundle it lets through whatever torch.load raises.
_DAMAGED = (ValueError, OSError, RuntimeError, KeyError, EOFError, pickle.UnpicklingError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A checkpoint on this machine.

    `name` is what people call it, `source` what WhisperX's loader is given: a
    folder, or the name of a bundle of torchaudio.
    """

    name: str
    source: str
    weights: tuple[Path, ...]

    @property
    def edition(self) -> str:
        """The name and 8 hex digits of its weights: trained anew in place, it is another."""
        return f"{self.name}-{content_id(*map(hash_file, self.weights))[:8]}"


class Wav2Vec2CTC:
    """A Wav2Vec2ForCTC with its processor, or a bundle of torchaudio, 50 frames a second.

    `name` is a folder, a name at the Hugging Face hub, or a bundle such as
    VOXPOPULI_ASR_BASE_10K_ES.  What its dictionary writes with accents or capitals
    is added to the plain letter; word bounds ("|") and other signs count as blank.
    `labels` are those of `align.labels.LABELS` that it knows.  Raises ModelError when
    it is not on this machine or hears no letters, MissingExtraError without whisperx.
    """

    frame_rate = SAMPLE_RATE / _SAMPLES_A_FRAME

    def __init__(self, name: str | Path, language: str = "es", device: str = "auto") -> None:
        checkpoint = find_checkpoint(str(name))
        self._device = pick_device(device)
        self._model, dictionary, self._normed = _load(checkpoint, language, self._device)
        self.labels, self._fold = _folding(dictionary)
        if len(self.labels) < 2:
            raise ModelError(f"{name} hears none of the letters a to z: choose another model")
        self.name = checkpoint.edition

    def hear(self, samples: Samples, progress: Progress | None = None) -> Heard:
        """n_samples // 320 frames, rounded up; voice is where letters are near."""
        n_frames = -(-samples.n_samples // _SAMPLES_A_FRAME)
        out = np.empty((n_frames, len(self.labels)), np.float32)
        for window in windows(n_frames, _FRAMES_A_WINDOW, _OVERLAP_FRAMES):
            begin, n_wanted = window.begin * _SAMPLES_A_FRAME, window.end - window.begin
            piece = samples.read(begin, n_wanted * _SAMPLES_A_FRAME)
            out[window.keep_from : window.keep_to] = self._listen(piece, n_wanted)[window.kept]
            if progress is not None:
                progress(window.keep_to / n_frames)
        return Heard(letters=out, voice=from_letters(out, self.frame_rate))

    def _listen(self, piece: NDArray[np.float32], n_frames: int) -> NDArray[np.float32]:
        """Log-probabilities of one window, shape (n_frames, n_labels)."""
        import torch

        if self._normed:
            piece = (piece - piece.mean()) / np.sqrt(piece.var() + 1e-7)
        # The convolutions see 400 samples a frame: without these the last frame is lost.
        room = n_frames * _SAMPLES_A_FRAME + 80
        padded = np.pad(piece, (0, room - len(piece))).astype(np.float32)
        with torch.inference_mode():
            # First comes the batch's output, in transformers' form as in torchaudio's.
            logits = self._model(torch.from_numpy(padded)[None].to(self._device))[0][0]
            heard = logits.float().softmax(-1).cpu().numpy()[:n_frames, : len(self._fold)]
        known = heard @ self._fold
        known /= np.maximum(known.sum(-1, keepdims=True), _LEAST)
        scores: NDArray[np.float32] = np.log(np.maximum(known, _LEAST))
        return scores


# ---- where it is


def find_checkpoint(name: str) -> Checkpoint:
    """The checkpoint of this name: a folder, a bundle of torchaudio, or of the hub's local cache.

    Raises ModelError, which says how to fetch it, when it is not on this machine.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _in_folder(folder.resolve().name, folder.resolve())
    bundle = _bundle(name)
    return _of_hub(name) if bundle is None else _of_torchaudio(name, bundle)


def _in_folder(name: str, folder: Path) -> Checkpoint:
    """What a folder of transformers' form holds."""
    weights = sorted([*folder.glob("*.safetensors"), *folder.glob("pytorch_model*.bin")])
    if form_of(folder) != "transformers" or not weights:
        raise ModelError(f"{folder} holds no wav2vec2 CTC checkpoint: name another folder")
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        classes = config.get("architectures") or []
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{folder / 'config.json'} cannot be read: fetch the model anew"
        ) from error
    # The loader would take another class too, and draw at random the weights that it lacks.
    if _CLASS not in classes:
        found = ", ".join(map(str, classes)) or "no class"
        raise ModelError(f"{folder} holds {found} and {_CLASS} is needed: choose another model")
    return Checkpoint(name=name, source=str(folder), weights=tuple(weights))


def _of_hub(name: str) -> Checkpoint:
    """What was fetched from the hub before: by `corpus.models`, or by any program that uses it."""
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    ours = cache_folder() / "transformers" / name.replace("/", "--")
    if form_of(ours) == "transformers":
        return _in_folder(name, ours)
    try:
        folder = Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, ValueError, OSError) as error:
        raise ModelError(
            f"model '{name}' is not on this machine (looked for as a folder, in {ours} and in "
            f"{constants.HF_HUB_CACHE}): fetch it with `hf download {name}`"
        ) from error
    return _in_folder(name, folder)


def _bundle(name: str) -> Any:
    """Torchaudio's bundle of this name, or None."""
    try:
        from torchaudio import pipelines  # type: ignore[import-untyped]  # ships no types
    except ImportError as error:
        raise MissingExtraError("align", "torchaudio") from error
    return getattr(pipelines, name) if name in pipelines.__all__ else None


def _of_torchaudio(name: str, bundle: Any) -> Checkpoint:
    """A bundle, whose weights must lie where torch.hub keeps them, since it would fetch them."""
    import torch
    from torchaudio.pipelines import (  # type: ignore[import-untyped]  # ships no types
        Wav2Vec2ASRBundle,
    )

    if not isinstance(bundle, Wav2Vec2ASRBundle):
        raise ModelError(f"torchaudio's {name} hears no letters: VOXPOPULI_ASR_BASE_10K_ES does")
    # Torchaudio tells nobody else what the file is called.
    file = bundle._path.rsplit("/", 1)[-1]  # noqa: SLF001 - a bundle has no public name of its file
    weights = Path(torch.hub.get_dir(), "checkpoints", file)
    if not weights.is_file():
        fetch = f"import torchaudio; torchaudio.pipelines.{name}.get_model()"
        raise ModelError(
            f"the weights of {name} are not on this machine (looked for in {weights}): "
            f"fetch them with `python -c '{fetch}'`"
        )
    return Checkpoint(name=name, source=name, weights=(weights,))


# ---- what it hears


def _load(checkpoint: Checkpoint, language: str, device: str) -> tuple[Any, dict[str, int], bool]:
    """The model, the column of each sign, and whether it wants audio of mean 0 and variance 1."""
    try:
        from whisperx.alignment import load_align_model
    except ImportError as error:
        raise MissingExtraError("align", "whisperx") from error
    source = checkpoint.source
    try:
        # The loader prints what went wrong; here it is raised.
        with contextlib.redirect_stdout(io.StringIO()):
            model, found = load_align_model(language, device, source, model_cache_only=True)
        if found["type"] == "huggingface":
            signs, normed = _processor(source)
            n_signs = model.config.vocab_size
            # Signs added to a tokenizer later, such as <s>, may have no column.
            signs = {sign: code for sign, code in signs.items() if code < n_signs}
        else:
            # A bundle norms by itself; MMS_FA's star is no sign, but stands for all at every frame.
            signs, normed = found["dictionary"], False
            signs.pop("*", None)
    except _DAMAGED as error:
        raise ModelError(
            f"{source} cannot be loaded as a wav2vec2 CTC checkpoint with its processor: "
            "fetch it anew, or choose another"
        ) from error
    return model.eval(), signs, normed


def _processor(folder: str) -> tuple[dict[str, int], bool]:
    """The signs as they are written: WhisperX's dictionary is in lower case, where A hides a."""
    from transformers import Wav2Vec2Processor

    processor = Wav2Vec2Processor.from_pretrained(folder, local_files_only=True)
    return processor.tokenizer.get_vocab(), bool(processor.feature_extractor.do_normalize)


def _folding(dictionary: Mapping[str, int]) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """The labels that are heard, and which sign counts as which, shape (n_signs, n_labels)."""
    heard = {code: _letter(sign) for sign, code in dictionary.items()}
    labels = tuple(label for label in LABELS if not label or label in heard.values())
    fold = np.zeros((max(heard, default=0) + 1, len(labels)), np.float32)
    fold[:, 0] = 1
    for code, letter in heard.items():
        fold[code] = np.eye(len(labels))[labels.index(letter)]
    return labels, fold


def _letter(sign: str) -> str:
    """The label of a sign, "" for what counts as blank."""
    if sign in {"'", "’"}:
        return "'"
    return letters(sign)[:1] if len(sign) == 1 and sign.isalpha() else ""
