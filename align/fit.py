"""Training a head on frozen hidden states with CTC, each letter only near its word."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from align.encoder import FRAME_RATE, FRAMES_A_WINDOW, OVERLAP_FRAMES, WhisperEncoder, n_frames_of
from align.fit_data import TimedAudio
from align.head import Head, HeadConfig
from align.labels import LABELS
from align.windows import windows
from corpus.errors import TrainError
from corpus.media import ArraySamples
from corpus.text import letters

__all__ = ["Features", "FitPlan", "Target", "extract", "fit"]

_FAR = -20.0
"""The log-probability of a letter where its word is not: small, but a path stays possible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitPlan:
    """How long and how fast to train; the defaults made the head that is shipped."""

    steps: int = 500
    batch: int = 8
    rate: float = 2e-3
    warm_up: int = 50
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """The labels of one word, and the seconds between which it is sung."""

    labels: tuple[int, ...]
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Hidden states of some audio, shape (n_frames, n_layers, width), and its targets by line."""

    states: NDArray[np.float16]
    lines: tuple[tuple[Target, ...], ...]
    tolerance: float
    weight: float


def extract(
    audio: TimedAudio, encoder: WhisperEncoder, layers: tuple[int, ...], file: Path
) -> Features:
    """Hidden states of audio, kept in a file of their own: an hour of them is 0.9 GB."""
    samples = ArraySamples(audio.samples)
    shape = (n_frames_of(samples.n_samples), len(layers), encoder.width)
    states = np.memmap(file, np.float16, "w+", shape=shape)
    for window in windows(shape[0], FRAMES_A_WINDOW, OVERLAP_FRAMES):
        found = encoder.window_states(samples, window, layers)[window.kept]
        states[window.keep_from : window.keep_to] = found.to("cpu", torch.float16).numpy()
    index = {label: i for i, label in enumerate(LABELS)}
    lines = tuple(
        tuple(
            Target(tuple(index[c] for c in letters(w.text, audio.language)), w.start, w.end)
            for w in line
        )
        for line in audio.lines
    )
    return Features(states=states, lines=lines, tolerance=audio.tolerance, weight=audio.weight)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A training example: states, labels, and which labels each frame may have."""

    states: NDArray[np.float16]
    labels: tuple[int, ...]
    allowed: NDArray[np.bool_]


def fit(
    data: Sequence[Features],
    config: HeadConfig,
    plan: FitPlan,
    told: Callable[[int, float], None] | None = None,
) -> Head:
    """A head trained on the data; `told` hears the step and its loss.

    The same data, plan and number of threads give the same head.  Raises TrainError
    when no data is given.
    """
    if not any(features.lines for features in data):
        raise TrainError("there is nothing to train on: no line of words with times was given")
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng(plan.seed)
    head = Head(config).train()
    optimiser = torch.optim.AdamW(head.parameters(), lr=plan.rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _pace(step, plan))
    share = np.array([len(f.states) * f.weight * bool(f.lines) for f in data])
    share = share / share.sum()
    for step in range(plan.steps):
        batch = [_draw(data, share, rng) for _ in range(plan.batch)]
        loss = _loss(head, batch, rng)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it without types
        torch.nn.utils.clip_grad_norm_(head.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if told is not None:
            told(step + 1, loss.item())
    return head.eval()


def _pace(step: int, plan: FitPlan) -> float:
    """The share of the full rate: a warm-up, then half a cosine down to almost nothing."""
    fall = 0.5 * (1 + math.cos(math.pi * step / plan.steps))
    return min(1.0, (step + 1) / plan.warm_up) * fall + 0.005


def _draw(
    data: Sequence[Features], share: NDArray[np.float64], rng: np.random.Generator
) -> _Stretch:
    """A stretch of consecutive lines, 6 to 18 s of them, that has words and some length."""
    for _ in range(1000):
        features = data[rng.choice(len(data), p=share)]
        stretch = _stretch(features, int(rng.integers(len(features.lines))), rng)
        if stretch is not None:
            return stretch
    raise TrainError("the lines to train on are too short or too long: none fits 26 s of audio")


def _stretch(features: Features, first: int, rng: np.random.Generator) -> _Stretch | None:
    lines, last = features.lines, first
    begin = max(0.0, lines[first][0].start - rng.uniform(0, 1))
    length = rng.uniform(6, 18)
    while last + 1 < len(lines) and _end(lines[last + 1]) - begin < length:
        last += 1
    end = min(_end(lines[last]) + rng.uniform(0, 1), begin + 26)
    words = [w for line in lines[first : last + 1] for w in line if w.end <= end]
    from_frame, to_frame = int(begin * FRAME_RATE), math.ceil(end * FRAME_RATE)
    states = features.states[from_frame:to_frame]
    if not words or len(states) < 20:
        return None
    labels = tuple(label for word in words for label in word.labels)
    return _Stretch(states, labels, _allowed(words, begin, len(states), features.tolerance))


def _end(line: Iterable[Target]) -> float:
    return max(word.end for word in line)


def _allowed(
    words: Iterable[Target], begin: float, n_frames: int, tolerance: float
) -> NDArray[np.bool_]:
    """Blank anywhere, a letter only near its word."""
    allowed = np.zeros((n_frames, len(LABELS)), bool)
    allowed[:, 0] = True
    for word in words:
        first = max(0, int((word.start - tolerance - begin) * FRAME_RATE))
        last = max(0, math.ceil((word.end + tolerance - begin) * FRAME_RATE))
        allowed[first : last + 1, list(set(word.labels))] = True
    return allowed


def _loss(head: Head, batch: Sequence[_Stretch], rng: np.random.Generator) -> Tensor:
    """CTC loss a letter, letters held to their words.

    An example that costs more than 30 a letter, as one with wrong times does,
    teaches nothing: it counts 30.
    """
    n_frames = torch.tensor([len(s.states) for s in batch])
    n_labels = torch.tensor([len(s.labels) for s in batch])
    allowed = torch.ones(len(batch), int(n_frames.max()), len(LABELS), dtype=torch.bool)
    states = torch.zeros(len(batch), int(n_frames.max()), *batch[0].states.shape[1:])
    for i, stretch in enumerate(batch):
        states[i, : len(stretch.states)] = torch.from_numpy(stretch.states.astype(np.float32))
        allowed[i, : len(stretch.states)] = torch.from_numpy(stretch.allowed)
        _mask_times(states[i, : len(stretch.states)], rng)
    scores = head(states).log_softmax(-1).masked_fill(~allowed, _FAR).transpose(0, 1)
    labels = torch.tensor([label for stretch in batch for label in stretch.labels])
    loss = functional.ctc_loss(
        scores, labels, n_frames, n_labels, reduction="none", zero_infinity=True
    )
    return (loss / n_labels).clamp(max=30).mean()


def _mask_times(states: Tensor, rng: np.random.Generator) -> None:
    """Two short holes in the states, so that a letter is also known by its neighbours."""
    for _ in range(2):
        start = int(rng.integers(0, max(1, len(states) - 10)))
        states[start : start + int(rng.integers(1, 10))] = 0
