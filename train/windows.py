"""Utterances packed into windows of up to 30 s, labelled with times as Whisper was trained.

Whisper's encoder always hears 30 s: one utterance a window would spend most of
the work on silence.  The label is that of Radford et al., "Robust Speech
Recognition via Large-Scale Weak Supervision" (2022), section 2.3: the prompt,
then for each stretch its start time, its text and its end time in steps of 0.02 s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.media import SAMPLE_RATE

__all__ = [
    "IGNORED",
    "WINDOW_SAMPLES",
    "Clip",
    "Label",
    "Placed",
    "Vocabulary",
    "Window",
    "label",
    "mix",
    "n_label_tokens",
    "pack",
    "sequence",
    "stretched",
]

WINDOW_SAMPLES = 30 * SAMPLE_RATE
IGNORED = -100
"""The target that PyTorch's cross entropy passes over."""

_STEP = SAMPLE_RATE // 50  # samples between two timestamp tokens, 0.02 s
_GAP_SECONDS = (0.2, 0.8)
_FEW = 3
_SHARE_OF_FEW = 0.15
"""Of the windows hold so few clips: not all that is to be heard is full to its end."""
_PROMPT = 4  # start, language, task, and <|notimestamps|> in windows without times


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One utterance to be packed: its row in the dataset, length and text tokens.

    No tokens: nothing is sung in it.  `n_samples` is the length at which it is laid down; where the
    row's own differs, it is played that much faster or slower.
    """

    row: int
    n_samples: int
    tokens: tuple[int, ...] = ()
    recording: str = ""
    start: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.n_samples <= WINDOW_SAMPLES:
            raise ValueError(f"a clip lasts up to 30 s, not {self.n_samples / SAMPLE_RATE} s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A clip and the sample of the window at which it begins."""

    clip: Clip
    at: int

    @property
    def end(self) -> int:
        """The sample after its last one."""
        return self.at + self.clip.n_samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Clips in order of time, and whether the label says when each is sung."""

    placed: tuple[Placed, ...]
    timestamps: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The ids of Whisper's control tokens for one language and task.

    `prompt` is what a label begins with: the start, and unless the model knows English alone the
    language and the task.
    """

    prompt: tuple[int, ...]
    no_speech: int
    no_timestamps: int
    first_timestamp: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What the decoder is fed and what it has to answer; both of one length."""

    inputs: tuple[int, ...]
    targets: tuple[int, ...]


def sequence(clips: Iterable[Clip], *, rng: np.random.Generator) -> list[Clip]:
    """The clips with those of a recording one after the other, in time; recordings shuffled.

    Clips of no known recording are shuffled one by one.
    """
    groups: dict[str, list[Clip]] = {}
    for clip in clips:
        groups.setdefault(clip.recording or f"row {clip.row}", []).append(clip)
    names = list(groups)
    shuffled = rng.permutation(len(names))
    in_time = (sorted(groups[names[i]], key=lambda c: (c.start, c.row)) for i in shuffled)
    return [clip for group in in_time for clip in group]


def pack(
    clips: Iterable[Clip],
    *,
    rng: np.random.Generator,
    max_tokens: int,
    without_timestamps: float = 0.0,
    together: bool = True,
) -> Iterator[Window]:
    """Windows that hold every clip once, in the order given, with silence of 0.2-0.8 s between.

    A window is closed when the next clip, or its label within `max_tokens`, has no
    room; a few of them earlier.  In half of them the first clip begins at once, in the others after
    up to 0.8 s, unless it needs the room: who writes down single clips gives them so.
    `without_timestamps` is the share of windows labelled with text alone, so that the model does
    not unlearn to answer so.  Not `together`, each clip has a window of its own.
    """
    placed: list[Placed] = []
    most = _most(rng, together=together)
    for clip in clips:
        at = placed[-1].end + _gap(rng) if placed else _lead(rng)
        n_tokens = n_label_tokens([*(p.clip for p in placed), clip])
        full = at + clip.n_samples > WINDOW_SAMPLES or n_tokens > max_tokens
        if placed and (full or len(placed) >= most):
            yield _window(placed, rng, without_timestamps)
            placed, at, most = [], _lead(rng), _most(rng, together=together)
        placed.append(Placed(clip=clip, at=min(at, WINDOW_SAMPLES - clip.n_samples)))
    if placed:
        yield _window(placed, rng, without_timestamps)


def _gap(rng: np.random.Generator) -> int:
    return round(rng.uniform(*_GAP_SECONDS) * SAMPLE_RATE)


def _lead(rng: np.random.Generator) -> int:
    longest = _GAP_SECONDS[1]
    return max(0, round(rng.uniform(-longest, longest) * SAMPLE_RATE))


def _most(rng: np.random.Generator, *, together: bool) -> float:
    """How many clips a window may hold: mostly as many as it has room for."""
    if not together:
        return 1
    return int(rng.integers(1, _FEW + 1)) if rng.random() < _SHARE_OF_FEW else math.inf


def _window(placed: list[Placed], rng: np.random.Generator, without_timestamps: float) -> Window:
    return Window(placed=tuple(placed), timestamps=bool(rng.random() >= without_timestamps))


def n_label_tokens(clips: Iterable[Clip]) -> int:
    """The most tokens that a window of these clips can have in its label."""
    return _PROMPT + sum(len(clip.tokens) + 2 for clip in clips)


def mix(window: Window, read: Callable[[int], NDArray[np.float32]]) -> NDArray[np.float32]:
    """The sound of a window, shape (480000,); `read` gives the samples of a row."""
    sound = np.zeros(WINDOW_SAMPLES, np.float32)
    for placed in window.placed:
        sound[placed.at : placed.end] = stretched(read(placed.clip.row), placed.clip.n_samples)
    return sound


def stretched(samples: NDArray[np.float32], n_samples: int) -> NDArray[np.float32]:
    """The sound at another speed, shape (n_samples,), its pitch with it; by its spectrum."""
    if len(samples) == n_samples:
        return samples
    spectrum = np.fft.rfft(samples)[: n_samples // 2 + 1]
    return (np.fft.irfft(spectrum, n_samples) * (n_samples / len(samples))).astype(np.float32)


def label(window: Window, vocabulary: Vocabulary) -> Label:
    """The decoder's input and its targets, the prompt's own positions ignored.

    Where nothing is sung in the whole window, the first target is the no-speech
    token, as in Whisper's training, and the answer to the prompt is the end.
    """
    prompt = [*vocabulary.prompt]
    if window.timestamps:
        body = _timed(window, vocabulary)
    else:
        prompt.append(vocabulary.no_timestamps)
        body = [token for placed in window.placed for token in placed.clip.tokens]
    targets = [IGNORED] * (len(prompt) - 1) + body + [vocabulary.end]
    if not any(placed.clip.tokens for placed in window.placed):
        targets[0] = vocabulary.no_speech
    return Label(inputs=tuple(prompt + body), targets=tuple(targets))


def _timed(window: Window, vocabulary: Vocabulary) -> list[int]:
    first = vocabulary.first_timestamp
    body: list[int] = []
    for placed in window.placed:
        if placed.clip.tokens:
            body += [first + round(placed.at / _STEP), *placed.clip.tokens]
            body.append(first + round(placed.end / _STEP))
    # Decoding with times always begins with one, in silence too.
    return body or [first]
