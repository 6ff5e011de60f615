"""The head: what turns the hidden states of a frozen Whisper encoder into letters, frame by frame.

A learned mix of some of the encoder's layers, two convolutions, one bidirectional
LSTM (or dilated convolutions) and a linear layer that gives the letters and, last,
whether somebody sings; trained with CTC (Graves et al., 2006) by `align.fit`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from align.labels import LABELS
from corpus.errors import ModelError

__all__ = ["Head", "HeadConfig", "load_head", "save_head", "shipped_head"]

_SHIPPED = Path(__file__).parent / "heads"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadConfig:
    """What a head is made for (width and number of layers of the encoder) and of.

    `context` is what sees beyond 0.2 s: "lstm" or "convolution".
    """

    encoder_width: int
    encoder_layers: int
    layers: tuple[int, ...]
    labels: tuple[str, ...] = LABELS
    width: int = 256
    dropout: float = 0.2
    context: Literal["lstm", "convolution"] = "lstm"


class Head(nn.Module):
    """Hidden states, shape (batch, n_frames, n_layers, encoder_width), to logits.

    Those of the labels come first, the last one is of voice.
    """

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.config = config
        n_layers, width = len(config.layers), config.width
        # Later layers know more of letters; training starts from there.
        self.mix = nn.Parameter(torch.linspace(-1.0, 1.0, n_layers).clamp(min=0))
        self.norms = nn.ModuleList(nn.LayerNorm(config.encoder_width) for _ in range(n_layers))
        self.narrow = nn.Conv1d(config.encoder_width, width, 5, padding=2)
        self.smooth = nn.Conv1d(width, width, 5, padding=2)
        self.context = _Recurrent(width) if config.context == "lstm" else _Dilated(width)
        self.out = nn.Linear(width, len(config.labels) + 1)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, states: Tensor) -> Tensor:
        """Logits of every frame, shape (batch, n_frames, n_labels + 1)."""
        share = self.mix.softmax(0)
        x = torch.stack([share[i] * norm(states[:, :, i]) for i, norm in enumerate(self.norms)])
        x = self.drop(x.sum(0)).transpose(1, 2)
        x = functional.gelu(self.narrow(x))
        x = functional.gelu(self.smooth(self.drop(x))) + x
        x = x.transpose(1, 2)
        x = self.context(self.drop(x)) + x
        logits: Tensor = self.out(self.drop(x))
        return logits


class _Recurrent(nn.Module):
    """A bidirectional LSTM, shapes (batch, n_frames, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, width // 2, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.lstm(x)[0]
        return found


class _Dilated(nn.Module):
    """Convolutions of width 3 that see 2.5 s, shapes (batch, n_frames, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=2**k, dilation=2**k) for k in range(6)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x.transpose(1, 2)
        for layer in self.layers:
            x = x + functional.gelu(layer(x))
        return x.transpose(1, 2)


def save_head(head: Head, folder: Path) -> None:
    """Write head.safetensors and config.json into a folder, made when missing."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.contiguous().cpu() for name, tensor in head.state_dict().items()}
    save_file(weights, folder / "head.safetensors")
    config = json.dumps(asdict(head.config), ensure_ascii=False, indent=1)
    (folder / "config.json").write_text(config + "\n", "utf-8")


def load_head(folder: Path, device: str = "cpu") -> Head:
    """The head in a folder, ready to listen; raises ModelError when it is missing or damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        head = Head(_read_config(folder))
        head.load_state_dict(load_file(folder / "head.safetensors"))
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"{folder} holds no head that can be read: train one with `corpus train-aligner`"
        ) from error
    return head.to(device).eval().requires_grad_(requires_grad=False)


def _read_config(folder: Path) -> HeadConfig:
    found = json.loads((folder / "config.json").read_text("utf-8"))
    found["layers"], found["labels"] = tuple(found["layers"]), tuple(found["labels"])
    return HeadConfig(**found)


def shipped_head(encoder_width: int, encoder_layers: int) -> Path:
    """The folder of the head that comes with this package for such an encoder.

    Raises ModelError when none was trained for it.
    """
    for path in sorted(_SHIPPED.glob("*/config.json")):
        config = _read_config(path.parent)
        if (config.encoder_width, config.encoder_layers) == (encoder_width, encoder_layers):
            return path.parent
    raise ModelError(
        f"no head for an encoder of {encoder_layers} layers and width {encoder_width} comes with "
        "cante-corpus: train one with `corpus train-aligner`"
    )
