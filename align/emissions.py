"""Acoustic models: audio to log-probabilities of letters, frame by frame.

Another model is another class behind `AcousticModel`; nothing else changes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ModelError
from corpus.media import Samples

__all__ = ["AcousticModel", "Progress", "WhisperCTC", "pick_device"]

Progress = Callable[[float], None]
"""Told the share of the audio that was listened to, 0 to 1."""


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

    def emissions(self, samples: Samples, progress: Progress | None = None) -> NDArray[np.float32]:
        """Log-probabilities, shape (n_frames, n_labels)."""


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
    encoder.  Of an hour of audio only the letters are kept, 21 MB.  Raises
    ModelError when a folder does not hold what it should.
    """

    frame_rate = 50.0

    def __init__(self, encoder: Path, head: Path | None = None, device: str = "auto") -> None:
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
                "train one with bench/fit_head.py"
            )
        self.name = f"{encoder.name}+{folder.name}"
        self.labels = self._head.config.labels

    def emissions(self, samples: Samples, progress: Progress | None = None) -> NDArray[np.float32]:
        """Log-probabilities, shape (ceil(seconds * 50), 29), by windows of 30 s that share 10 s."""
        import torch

        from align.encoder import FRAMES_A_WINDOW, OVERLAP_FRAMES, n_frames_of
        from align.windows import windows

        layers = self._head.config.layers
        out = np.empty((n_frames_of(samples.n_samples), len(self.labels)), np.float32)
        for window in windows(len(out), FRAMES_A_WINDOW, OVERLAP_FRAMES):
            with torch.inference_mode():
                states = self._encoder.window_states(samples, window, layers)
                heard = self._head(states[None])[0].log_softmax(-1).cpu().numpy()
            out[window.keep_from : window.keep_to] = heard[window.kept]
            if progress is not None:
                progress(window.keep_to / len(out))
        return out
