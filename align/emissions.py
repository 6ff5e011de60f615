"""Acoustic models: audio to log-probabilities of letters, frame by frame.

Another model is another class behind `AcousticModel`; nothing else changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from align.windows import Window, windows
from corpus.errors import ModelError
from corpus.media import Samples, hash_file
from corpus.records import content_id

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["AcousticModel", "Heard", "Progress", "WhisperCTC", "name_of", "pick_device"]

Progress = Callable[[float], None]
"""Told the share of the audio that was listened to, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a model makes of some audio.

    `letters` are log-probabilities, shape (n_frames, n_labels); `voice` is how
    likely it is that somebody sings, shape (n_frames,), 0..1.
    """

    letters: NDArray[np.float32]
    voice: NDArray[np.float32]


class AcousticModel(Protocol):
    """What hears letters: pure but for its weights, and bounded in memory."""

    @property
    def name(self) -> str:
        """What the model is called in cards and logs."""

    @property
    def labels(self) -> tuple[str, ...]:
        """What a frame may be: blank ("") first, then letters as of `corpus.text.letters`."""

    @property
    def frame_rate(self) -> float:
        """Frames a second."""

    def hear(self, samples: Samples, progress: Progress | None = None) -> Heard:
        """Letters and voice of the whole audio."""


def pick_device(wanted: str = "auto") -> str:
    """The device for torch, "cpu" or "cuda"; "auto" is cuda where there is one.

    Raises ModelError when cuda is asked for and there is none.
    """
    import torch

    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise ModelError("no CUDA device is to be seen by torch: choose the device 'cpu' or 'auto'")
    return "cuda" if there and wanted in {"auto", "cuda"} else "cpu"


class WhisperCTC:
    """A frozen Whisper encoder and a head of letters, 50 frames a second.

    `encoder` is a folder of transformers' form; `head` a folder that
    `align.head.save_head` wrote, or None for the one that is shipped for such an
    encoder.  `batch_size` windows of 30 s are heard at once.  Of an hour of audio only
    the letters are kept, 21 MB.  Raises ModelError when a folder does not hold what it
    should.
    """

    frame_rate = 50.0

    def __init__(
        self,
        encoder: Path,
        head: Path | None = None,
        device: str = "auto",
        batch_size: int = 1,
    ) -> None:
        # torch takes 2 s to import: not before it is needed.
        from align.encoder import WhisperEncoder
        from align.head import load_head, shipped_head

        device = pick_device(device)
        self._encoder = WhisperEncoder(encoder, device)
        folder = head or shipped_head(self._encoder.width, self._encoder.n_layers)
        self._head = load_head(folder, device)
        made_for = self._head.config.encoder_width, self._head.config.encoder_layers
        if made_for != (self._encoder.width, self._encoder.n_layers):
            raise ModelError(
                f"the head in {folder} was made for another encoder than {encoder}: "
                "train one with `corpus train-aligner`"
            )
        self.head = folder
        self._folders = encoder, folder
        self._batch_size = batch_size
        self.labels = self._head.config.labels

    @cached_property
    def name(self) -> str:
        """The two folders' names and what their weights are now: other weights, another name."""
        return name_of(*self._folders)

    def hear(self, samples: Samples, progress: Progress | None = None) -> Heard:
        """ceil(seconds * 50) frames of 29 labels, by windows of 30 s that share 10 s."""
        from align.encoder import FRAMES_A_WINDOW, OVERLAP_FRAMES, n_frames_of

        letters = np.empty((n_frames_of(samples.n_samples), len(self.labels)), np.float32)
        voice = np.empty(len(letters), np.float32)
        all_windows = windows(len(letters), FRAMES_A_WINDOW, OVERLAP_FRAMES)
        while some := list(islice(all_windows, self._batch_size)):
            for window, logits in zip(some, self._logits(samples, some), strict=True):
                kept = slice(window.keep_from, window.keep_to)
                letters[kept] = logits[window.kept, :-1].log_softmax(-1).numpy()
                voice[kept] = logits[window.kept, -1].sigmoid().numpy()
            if progress is not None:
                progress(some[-1].keep_to / len(letters))
        return Heard(letters=letters, voice=voice)

    def _logits(self, samples: Samples, some: Sequence[Window]) -> list[Tensor]:
        """What the head makes of windows, shape (n_frames, n_labels + 1) each."""
        import torch

        from align.encoder import read_window

        pieces = [read_window(samples, window) for window in some]
        with torch.inference_mode():
            states = self._encoder.batch_states(pieces, self._head.config.layers)
            # The last window of all may be shorter, and then goes by itself.
            same = (torch.stack(list(group)) for _, group in groupby(states, key=len))
            return [logits for group in same for logits in self._head(group).cpu()]


def name_of(encoder: Path, head: Path | None = None) -> str:
    """The name of the `WhisperCTC` of these folders, which is not loaded for it."""
    if head is None:
        from align.encoder import read_sizes
        from align.head import shipped_head

        sizes = read_sizes(encoder)
        head = shipped_head(sizes["d_model"], sizes["encoder_layers"])
    folders = encoder, head
    files = [path for folder in folders for path in sorted(folder.glob("*.safetensors"))]
    digest = content_id(*(hash_file(path) for path in files))
    return "+".join(folder.name for folder in folders) + f"-{digest[:8]}"
