"""Training a head on frozen hidden states with CTC, each letter only near its word."""

from __future__ import annotations

import contextlib
import json
import math
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from align.encoder import FRAME_RATE, FRAMES_A_WINDOW, OVERLAP_FRAMES, WhisperEncoder, n_frames_of
from align.fit_data import TimedAudio
from align.head import Head, HeadConfig
from align.labels import Speller
from align.windows import windows
from corpus.errors import TrainError
from corpus.media import ArraySamples
from corpus.text import letters
from corpus.whole import writing

__all__ = [
    "Checkpoint",
    "Features",
    "FitPlan",
    "Target",
    "extract",
    "fit",
    "read_states",
    "targets",
]

_FAR = -20.0
"""The log-probability of a letter where its word is not: small, but a path stays possible."""

_UNREADABLE = (
    *(OSError, EOFError, KeyError, TypeError, ValueError, RuntimeError),
    pickle.UnpicklingError,
)
_Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FitPlan:
    """How long and how fast to train."""

    steps: _Count = 500
    batch: _Count = 8
    rate: Annotated[float, Field(gt=0)] = 2e-3
    warm_up: _Count = 50
    seed: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True, slots=True)
class Target:
    """The labels of one word, and the seconds between which it is sung."""

    labels: tuple[int, ...]
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Hidden states of some audio, shape (n_frames, n_layers, width), and its targets.

    Those of letters are by line; `voice`, shape (n_frames,), is 1 where somebody
    sings, 0 where nobody does and -1 where it is not known.
    """

    states: NDArray[np.float16]
    lines: tuple[tuple[Target, ...], ...]
    voice: NDArray[np.int8]
    tolerance: float
    weight: float


def extract(audio: TimedAudio, encoder: WhisperEncoder, config: HeadConfig, file: Path) -> None:
    """Write the hidden states of audio to a file: an hour of them is 0.9 GB."""
    samples = ArraySamples(audio.samples)
    # Written, not mapped: a disk that is full is then an error, and not the end of the process.
    with file.open("wb") as out:
        for window in windows(n_frames_of(samples.n_samples), FRAMES_A_WINDOW, OVERLAP_FRAMES):
            found = encoder.window_states(samples, window, config.layers)[window.kept]
            out.write(found.to("cpu", torch.float16).numpy().tobytes())


def read_states(file: Path, config: HeadConfig) -> NDArray[np.float16]:
    """What `extract` wrote, mapped: shape (n_frames, n_layers, width)."""
    flat = np.memmap(file, np.float16, "r")
    return flat.reshape(-1, len(config.layers), config.encoder_width)


def targets(
    audio: TimedAudio,
    states: NDArray[np.float16],
    labels: Sequence[str],
    spell: Speller = letters,
) -> Features:
    """What a head should hear of states; `spell` gives the labels of a word in a language."""
    index = {label: i for i, label in enumerate(labels)}
    lines = tuple(
        tuple(
            Target(tuple(index[c] for c in spell(w.text, audio.language)), w.start, w.end)
            for w in line
        )
        for line in audio.lines
    )
    return Features(
        states=states,
        lines=lines,
        voice=_voice(audio, len(states)),
        tolerance=audio.tolerance,
        weight=audio.weight,
    )


def _voice(audio: TimedAudio, n_frames: int) -> NDArray[np.int8]:
    """When somebody sings; not known near the ends of what is timed roughly."""
    voice = np.zeros(n_frames, np.int8)
    doubt = audio.tolerance / 2
    frames = [(round(s * FRAME_RATE), round(e * FRAME_RATE)) for s, e in audio.voice]
    for start, end in frames:
        voice[start:end] = 1
    for edge in (edge for pair in frames for edge in pair):
        around = round(doubt * FRAME_RATE)
        voice[max(0, edge - around) : edge + around] = -1
    for span in audio.unsure:
        voice[slice(*(round(edge * FRAME_RATE) for edge in span))] = -1
    return voice


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A training example: states, labels, which labels each frame may have, and the voice."""

    states: NDArray[np.float16]
    labels: tuple[int, ...]
    allowed: NDArray[np.bool_]
    voice: NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The file in which the state of a training is kept, anew after so many steps."""

    file: Path
    every: int = 50


def fit(
    data: Sequence[Features],
    config: HeadConfig,
    plan: FitPlan,
    told: Callable[[int, float], None] | None = None,
    checkpoint: Checkpoint | None = None,
    device: str = "cpu",
    *,
    begin: Head | None = None,
) -> Head:
    """A head trained on the data, from `begin` on; `told` hears the step and its loss.

    The same data, plan and number of threads give the same head on a CPU, also where
    a run was killed and carries on from its checkpoint.  Raises TrainError when no
    data is given, or the checkpoint is not one of such a training.
    """
    if not any(features.lines for features in data):
        raise TrainError("there is nothing to train on: no line of words with times was given")
    share = np.array([len(f.states) * f.weight for f in data])
    with _without_denormals():
        training = _Training(config, plan, device)
        if begin is not None:
            training.head.load_state_dict(begin.state_dict())
        return _fitted(data, share / share.sum(), training, told, checkpoint)


@contextlib.contextmanager
def _without_denormals() -> Iterator[None]:
    """What is masked away is almost nothing: with numbers so small a CPU takes three times as long.

    numpy asks once whether there are such numbers, and warns where there are none.
    """
    np.finfo(np.float64)
    torch.set_flush_denormal(True)
    # It holds for this thread alone: a second one would be four times slower.
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(n_threads)


def _fitted(
    data: Sequence[Features],
    share: NDArray[np.float64],
    run: _Training,
    told: Callable[[int, float], None] | None,
    checkpoint: Checkpoint | None,
) -> Head:
    n_labels, plan = len(run.head.config.labels), run.plan
    for step in range(run.carry_on(checkpoint), plan.steps):
        batch = [_draw(data, share, n_labels, run.rng) for _ in range(plan.batch)]
        loss = run.learn(batch)
        if checkpoint and ((step + 1) % checkpoint.every == 0 or step + 1 == plan.steps):
            run.keep(checkpoint.file, step + 1)
        if told is not None:
            told(step + 1, loss)
    return run.head.eval()


class _Training:
    """Everything that changes from step to step."""

    def __init__(self, config: HeadConfig, plan: FitPlan, device: str) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.rng = np.random.default_rng(plan.seed)
        self.head = Head(config).train().to(device)
        self.optimiser = torch.optim.AdamW(self.head.parameters(), lr=plan.rate, weight_decay=1e-2)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimiser, lambda step: _pace(step, plan)
        )
        self.on_cuda = device.startswith("cuda")

    def learn(self, batch: Sequence[_Stretch]) -> float:
        """One step; gives its loss."""
        loss = _loss(self.head, batch, self.rng)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it without types
        torch.nn.utils.clip_grad_norm_(self.head.parameters(), 1.0)
        self.optimiser.step()
        self.schedule.step()
        return float(loss.item())

    def keep(self, file: Path, step: int) -> None:
        """Write the state after `step` steps, whole or not at all."""
        state = {
            "step": step,
            "head": self.head.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            # Its numbers have 128 bits, which torch's safe reader does not take.
            "numpy": json.dumps(self.rng.bit_generator.state),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state() if self.on_cuda else None,
        }
        with writing(file) as scratch:
            torch.save(state, scratch)

    def carry_on(self, checkpoint: Checkpoint | None) -> int:
        """Take up what was kept, if anything was; gives the steps done."""
        if checkpoint is None or not checkpoint.file.is_file():
            return 0
        try:
            return self._take(torch.load(checkpoint.file, "cpu", weights_only=True))
        except _UNREADABLE as error:
            raise TrainError(
                f"{checkpoint.file} holds no state of this training: remove it to begin anew"
            ) from error

    def _take(self, state: dict[str, Any]) -> int:
        self.head.load_state_dict(state["head"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.rng.bit_generator.state = json.loads(state["numpy"])
        torch.set_rng_state(state["torch"])
        if self.on_cuda and state["cuda"] is not None:
            torch.cuda.set_rng_state(state["cuda"])
        return int(state["step"])


def _pace(step: int, plan: FitPlan) -> float:
    """The share of the full rate: a warm-up, then half a cosine down to almost nothing."""
    fall = 0.5 * (1 + math.cos(math.pi * step / plan.steps))
    return min(1.0, (step + 1) / plan.warm_up) * fall + 0.005


def _draw(
    data: Sequence[Features], share: NDArray[np.float64], n_labels: int, rng: np.random.Generator
) -> _Stretch:
    """A stretch of some data that has some length."""
    for _ in range(1000):
        features = data[rng.choice(len(data), p=share)]
        first, last, words = _chosen(features, rng) if features.lines else _anywhere(features, rng)
        if last - first >= 20 and (words or not features.lines):
            allowed = _allowed(words, first, last, features.tolerance, n_labels)
            labels = tuple(label for word in words for label in word.labels)
            return _Stretch(
                features.states[first:last], labels, allowed, features.voice[first:last]
            )
    raise TrainError("the lines to train on are too short or too long: none fits 26 s of audio")


def _anywhere(features: Features, rng: np.random.Generator) -> tuple[int, int, list[Target]]:
    """Frames of audio without words, 3 to 10 s of them."""
    length = int(rng.uniform(3, 10) * FRAME_RATE)
    first = int(rng.integers(max(1, len(features.states) - length)))
    return first, min(first + length, len(features.states)), []


def _chosen(features: Features, rng: np.random.Generator) -> tuple[int, int, list[Target]]:
    """Frames of consecutive lines, 6 to 18 s of them, and their words.

    Of the silence before and after, mostly up to a second is taken with them, now
    and then up to eight: a song has its intro.
    """
    lines = features.lines
    first = last = int(rng.integers(len(lines)))
    room = 8.0 if rng.random() < 0.25 else 1.0
    begin = lines[first][0].start - rng.uniform(0, room)
    if first:
        begin = max(begin, min(_end(lines[first - 1]), lines[first][0].start))
    begin, length = max(0.0, begin), rng.uniform(6, 18)
    while last + 1 < len(lines) and _end(lines[last + 1]) - begin < length:
        last += 1
    end = _end(lines[last]) + rng.uniform(0, room)
    if last + 1 < len(lines):
        end = min(end, max(_end(lines[last]), lines[last + 1][0].start))
    end = min(end, begin + 26)
    words = [w for line in lines[first : last + 1] for w in line if w.end <= end]
    frames = int(begin * FRAME_RATE), min(math.ceil(end * FRAME_RATE), len(features.states))
    return (*frames, words)


def _end(line: Iterable[Target]) -> float:
    return max(word.end for word in line)


def _allowed(
    words: Iterable[Target], first: int, last: int, tolerance: float, n_labels: int
) -> NDArray[np.bool_]:
    """Blank anywhere, a letter only near its word; shape (last - first, n_labels)."""
    allowed = np.zeros((last - first, n_labels), bool)
    allowed[:, 0] = True
    for word in words:
        begin = max(0, int((word.start - tolerance) * FRAME_RATE) - first)
        end = max(0, math.ceil((word.end + tolerance) * FRAME_RATE) - first)
        allowed[begin : end + 1, list(set(word.labels))] = True
    return allowed


def _loss(head: Head, batch: Sequence[_Stretch], rng: np.random.Generator) -> Tensor:
    """CTC loss a letter (or a fifth of a second), letters held to their words, and that of voice.

    An example that costs more than 60, as one with wrong times does, teaches
    nothing: it counts 60.
    """
    n_frames = torch.tensor([len(s.states) for s in batch])
    n_labels = torch.tensor([len(s.labels) for s in batch])
    states = _padded([torch.from_numpy(s.states.astype(np.float32)) for s in batch], 0.0)
    allowed = _padded([torch.from_numpy(s.allowed) for s in batch], True)
    voice = _padded([torch.from_numpy(s.voice.astype(np.float32)) for s in batch], -1.0)
    for i, n in enumerate(n_frames.tolist()):
        _mask_times(states[i, :n], rng)
    device = head.mix.device
    allowed, voice = allowed.to(device), voice.to(device)
    logits = head(states.to(device))
    scores = logits[..., :-1].log_softmax(-1).masked_fill(~allowed, _FAR).transpose(0, 1)
    labels = torch.tensor([label for stretch in batch for label in stretch.labels]).to(device)
    loss = functional.ctc_loss(
        scores, labels, n_frames, n_labels, reduction="none", zero_infinity=True
    )
    size = torch.maximum(n_labels, n_frames // 10).to(device)
    of_letters = (loss / size).clamp(max=60).mean()
    known = voice >= 0
    of_voice = functional.binary_cross_entropy_with_logits(logits[..., -1][known], voice[known])
    return of_letters + of_voice


def _padded(rows: Sequence[Tensor], value: float) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True, padding_value=value)


def _mask_times(states: Tensor, rng: np.random.Generator) -> None:
    """Two short holes in the states, so that a letter is also known by its neighbours."""
    for _ in range(2):
        start = int(rng.integers(0, max(1, len(states) - 10)))
        states[start : start + int(rng.integers(1, 10))] = 0
