"""Whisper's encoder alone: hidden states of chosen layers for windows of 30 s.

The same computation as the encoder of transformers' WhisperModel (Radford et al.,
"Robust Speech Recognition via Large-Scale Weak Supervision", 2022), from the same
files.  It stands here because importing transformers' Whisper takes 6 to 8 s and
loads the decoder too, which nothing here listens to; a test holds the two equal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from align.windows import Window
from corpus.errors import ModelError
from corpus.media import SAMPLE_RATE, Samples

__all__ = [
    "FRAMES_A_WINDOW",
    "FRAME_RATE",
    "OVERLAP_FRAMES",
    "SAMPLES_A_FRAME",
    "WhisperEncoder",
    "n_frames_of",
    "read_sizes",
    "read_window",
]

FRAME_RATE = 50
SAMPLES_A_FRAME = SAMPLE_RATE // FRAME_RATE
FRAMES_A_WINDOW = 30 * FRAME_RATE
OVERLAP_FRAMES = 5 * FRAME_RATE


def n_frames_of(n_samples: int) -> int:
    """Frames of 20 ms that cover so many samples."""
    return -(-n_samples // SAMPLES_A_FRAME)


class _Attention(nn.Module):
    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        def heads(y: Tensor) -> Tensor:
            return y.reshape(*y.shape[:2], self.n_heads, -1).transpose(1, 2)

        query, key, value = heads(self.q_proj(x)), heads(self.k_proj(x)), heads(self.v_proj(x))
        heard = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.out_proj(heard.transpose(1, 2).flatten(-2))
        return out


class _Layer(nn.Module):
    def __init__(self, width: int, n_heads: int, inner: int) -> None:
        super().__init__()
        self.self_attn = _Attention(width, n_heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.self_attn_layer_norm(x))
        out: Tensor = x + self.fc2(functional.gelu(self.fc1(self.final_layer_norm(x))))
        return out


class _Encoder(nn.Module):
    """Named as in transformers' files, so that their weights load as they are."""

    def __init__(self, width: int, n_layers: int, n_heads: int, inner: int, n_mels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(n_mels, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(FRAMES_A_WINDOW, width)
        self.layers = nn.ModuleList(_Layer(width, n_heads, inner) for _ in range(n_layers))
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, mel: Tensor) -> list[Tensor]:
        x = functional.gelu(self.conv2(functional.gelu(self.conv1(mel))))
        x = x.transpose(1, 2) + self.embed_positions.weight
        states = [x]
        for layer in self.layers:
            x = layer(x)
            states.append(x)
        states[-1] = self.layer_norm(x)
        return states


class _WithoutInit(TorchFunctionMode):
    """Weights are loaded, not drawn: drawing on "meta" alone imports sympy, 3 s."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", "") == "torch.nn.init":
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


class WhisperEncoder:
    """The frozen encoder of a Whisper in a folder of transformers' form.

    `width` is its d_model, `n_layers` how many layers it has.  Raises ModelError
    when the folder holds no Whisper or its weights do not fit its config.
    """

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        config = read_sizes(folder)
        self.width: int = config["d_model"]
        self.n_layers: int = config["encoder_layers"]
        self.n_mels: int = config["num_mel_bins"]
        self.device = device
        n_heads, inner = config["encoder_attention_heads"], config["encoder_ffn_dim"]
        with torch.device("meta"), _WithoutInit():
            encoder = _Encoder(self.width, self.n_layers, n_heads, inner, self.n_mels)
        try:
            encoder.load_state_dict(_read_weights(folder), strict=True, assign=True)
        except RuntimeError as error:
            raise ModelError(
                f"the weights in {folder} do not fit its config.json: fetch it again"
            ) from error
        self._encoder = encoder.to(device).eval().requires_grad_(requires_grad=False)
        from faster_whisper.feature_extractor import FeatureExtractor  # 0.4 s, so not above

        self._mel = FeatureExtractor(feature_size=self.n_mels)

    def states(self, samples: NDArray[np.float32], layers: tuple[int, ...]) -> Tensor:
        """Hidden states of at most 30 s, shape (n_frames, len(layers), width), on the device.

        Layer 0 is what goes into the first layer, the last one is normed.
        """
        return self.batch_states([samples], layers)[0]

    def batch_states(
        self, pieces: Sequence[NDArray[np.float32]], layers: tuple[int, ...]
    ) -> list[Tensor]:
        """The same of several pieces, which are heard at once."""
        room = FRAMES_A_WINDOW * SAMPLES_A_FRAME
        padded = [np.pad(one[:room], (0, max(0, room - len(one)))) for one in pieces]
        mels = np.stack([np.asarray(self._mel(one, padding=0), np.float32) for one in padded])
        with torch.inference_mode():
            found = self._encoder(torch.from_numpy(mels).to(self.device))
            kept = torch.stack([found[layer] for layer in layers], dim=2)
        return [one[: n_frames_of(len(piece))] for one, piece in zip(kept, pieces, strict=True)]

    def window_states(self, samples: Samples, window: Window, layers: tuple[int, ...]) -> Tensor:
        """Hidden states of one window of longer audio, as `states` gives them."""
        return self.states(read_window(samples, window), layers)


def read_window(samples: Samples, window: Window) -> NDArray[np.float32]:
    """The audio of one window."""
    n_samples = (window.end - window.begin) * SAMPLES_A_FRAME
    return samples.read(window.begin * SAMPLES_A_FRAME, n_samples)


_SIZES = {
    "d_model",
    "encoder_layers",
    "num_mel_bins",
    "encoder_attention_heads",
    "encoder_ffn_dim",
}


def read_sizes(folder: Path) -> dict[str, int]:
    """What the config.json of a Whisper says of its encoder, by transformers' names.

    Raises ModelError when there is none.
    """
    try:
        config: Any = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _no_whisper(folder) from error
    if not isinstance(config, dict) or not _SIZES.issubset(config):
        raise _no_whisper(folder)
    return {key: int(config[key]) for key in _SIZES}


def _no_whisper(folder: Path) -> ModelError:
    return ModelError(
        f"{folder} holds no Whisper in transformers' form: name a folder with its config.json"
    )


def _read_weights(folder: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError, safe_open

    weights: dict[str, Tensor] = {}
    try:
        for path in sorted(folder.glob("model*.safetensors")):
            with safe_open(str(path), "pt") as tensors:
                for key in tensors.keys():  # noqa: SIM118  (no mapping: keys() is all it has)
                    _, found, name = key.rpartition("encoder.")
                    if found and "decoder." not in key:
                        weights[name] = tensors.get_tensor(key).float()
    except (SafetensorError, OSError) as error:
        raise ModelError(f"the weights in {folder} are damaged: fetch them again") from error
    return weights
