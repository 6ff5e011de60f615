"""Cuts of LP sides and cassettes, on sides that are made and whose cuts are known.

    python bench/sides.py [--sides 4] [--pictures FOLDER]

Guitar and palmas (corpus.synth), a voice that pauses between coplas, and what the
medium adds.  A cut is right where the next track begins within 1 s of where it truly
does.  What matters most is the last column: sides of which all cuts were called sure
while one was wrong or missing.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.collect.side_level import side_level
from corpus.collect.side_picture import draw_side
from corpus.collect.sides import Side, split_side
from corpus.media import SAMPLE_RATE, ArraySamples
from corpus.synth.band import accompany
from corpus.synth.truth import Span

Audio = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How a kind of side is made: seconds and dB, each drawn between two bounds."""

    name: str
    gap: tuple[float, float] = (2.0, 4.0)
    noise: float = -50.0
    pause: tuple[float, float] = (0.3, 0.7)
    hum: float = -120.0
    clicks: float = 2.0
    fade: float = 0.0
    spread: float = 3.0
    tracks: tuple[int, int] = (3, 6)
    overlap: float = 0.0
    applause: bool = False
    leader: bool = False


KINDS = (
    Kind(name="clean LP"),
    Kind(name="pauses of 1 to 2 s", pause=(1.0, 2.0)),
    Kind(name="many clicks", clicks=8.0, noise=-44.0),
    Kind(name="hum", hum=-38.0),
    Kind(name="cassette, loud hiss", noise=-38.0, clicks=0.0),
    Kind(name="digital silence", noise=-140.0, clicks=0.0, pause=(0.5, 1.0)),
    Kind(name="gaps of 1 s", gap=(0.9, 1.2)),
    Kind(name="fade-outs of 6 s", fade=6.0),
    Kind(name="tracks 12 dB apart", spread=12.0),
    Kind(name="leader and needle", leader=True),
    Kind(name="one track", tracks=(1, 1), pause=(0.8, 1.6)),
    Kind(name="cross-faded", overlap=4.0),
    Kind(name="applause between", applause=True, gap=(4.0, 6.0)),
)


def music(seconds: float, kind: Kind, rng: np.random.Generator) -> Audio:
    """A guitar and a voice in coplas; where the voice pauses between coplas all is quiet."""
    out = []
    made = 0.0
    while made < seconds:
        length = float(min(rng.uniform(12, 25), seconds - made))
        n_samples = round(length * SAMPLE_RATE)
        tonic = float(rng.choice([110.0, 131.0, 196.0]))
        falsetas = [Span(start=0.0, end=length / 3)]
        guitar = accompany(n_samples, tonic=tonic, palo="soleá", falsetas=falsetas, rng=rng)
        copla = guitar * 0.5 + voice(n_samples, tonic, rng)
        copla[-800:] *= np.linspace(1, 0, len(copla[-800:]))
        quiet = round(rng.uniform(*kind.pause) * SAMPLE_RATE)
        out += [copla, np.zeros(quiet)]
        made += length + quiet / SAMPLE_RATE
    track = np.concatenate(out[:-1])
    if kind.fade:
        n_fade = round(kind.fade * SAMPLE_RATE)
        track[-n_fade:] *= 10 ** (np.linspace(0, -50, n_fade) / 20)
    gain = 10 ** (rng.uniform(-kind.spread, 0) / 20)
    return np.asarray(track / np.abs(track).max() * 0.5 * gain, np.float32)


def voice(n_samples: int, tonic: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Lines of a few seconds with a vibrato, a breath between them."""
    time = np.arange(n_samples) / SAMPLE_RATE
    pitch = tonic * 2 * 2 ** (np.sin(2 * np.pi * 5.5 * time) * 0.3 / 12)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    tones = sum(np.sin(k * phase) / k for k in range(1, 12))
    line = rng.uniform(3, 5)
    sung = np.clip(np.sin(2 * np.pi * time / line) * 3 + 1.5, 0, 1)
    return np.asarray(0.2 * tones * sung)


def medium(n_samples: int, kind: Kind, rng: np.random.Generator) -> Audio:
    """Surface noise, hum and clicks."""
    out = rng.normal(0, 10 ** (kind.noise / 20), n_samples).astype(np.float32)
    time = np.arange(n_samples, dtype=np.float32) / SAMPLE_RATE
    for k, part in enumerate((50, 100, 150, 250), 1):
        out += (10 ** (kind.hum / 20) / k * np.sin(2 * np.pi * part * time)).astype(np.float32)
    for at in rng.integers(0, n_samples - 40, round(kind.clicks * n_samples / SAMPLE_RATE)):
        out[at : at + 24] += rng.uniform(0.1, 0.5) * rng.normal(0, 1, 24) * np.hanning(24)
    return out


def clapping(seconds: float, rng: np.random.Generator) -> Audio:
    """Applause: noise that swells and dies away."""
    n_samples = round(seconds * SAMPLE_RATE)
    swell = np.minimum(np.linspace(0, 6, n_samples), np.linspace(3, 0.15, n_samples))
    return np.asarray(rng.normal(0, 0.06, n_samples) * np.clip(swell, 0, 1), np.float32)


def made(kind: Kind, rng: np.random.Generator) -> tuple[Audio, list[float], list[float]]:
    """A side, the seconds at which its second and later tracks begin, and all durations."""
    tracks = [music(float(rng.uniform(70, 190)), kind, rng) for _ in range(_count(kind, rng))]
    lead = round(rng.uniform(3, 8) * SAMPLE_RATE)
    parts: list[tuple[int, Audio]] = []
    at, starts = lead, []
    for track in tracks:
        starts.append(at / SAMPLE_RATE)
        parts.append((at, track))
        gap = 0.0 if kind.overlap else float(rng.uniform(*kind.gap))
        at += len(track) + round((gap - kind.overlap) * SAMPLE_RATE)
        if kind.applause:
            parts.append((parts[-1][0] + len(track), clapping(gap, rng)))
    whole = medium(at + lead, kind, rng)
    for start, part in parts:
        room = whole[start : start + len(part)]
        room += part[: len(room)] * _edges(len(room), kind.overlap)
    if kind.leader:
        whole[: SAMPLE_RATE * 2] *= 0.02
        thump = SAMPLE_RATE * 2 + np.arange(4000)
        whole[thump] += (0.6 * rng.normal(0, 1, 4000) * np.hanning(4000)).astype(np.float32)
        whole = np.concatenate([np.zeros(5 * SAMPLE_RATE, np.float32), whole])
        starts = [start + 5 for start in starts]
    seconds = [len(track) / SAMPLE_RATE for track in tracks]
    return np.clip(whole, -1, 1), starts[1:], seconds


def _count(kind: Kind, rng: np.random.Generator) -> int:
    low, high = kind.tracks
    return int(rng.integers(low, high + 1))


def _edges(n_samples: int, overlap: float) -> Audio:
    n_edge = round(overlap * SAMPLE_RATE)
    out = np.ones(n_samples, np.float32)
    if n_edge:
        out[:n_edge], out[-n_edge:] = np.linspace(0, 1, n_edge), np.linspace(1, 0, n_edge)
    return out


@dataclass(kw_only=True)
class Tally:
    """What was counted over the sides of one kind, asked in one way."""

    wanted: int = 0
    cut: int = 0
    right: int = 0
    sides: int = 0
    sure: int = 0
    surely_wrong: int = 0

    def count(self, side: Side, truth: Sequence[float]) -> None:
        """Add one side."""
        begins = [track.start for track in side.tracks[1:]]
        n_right = sum(any(abs(b - t) <= 1 for b in begins) for t in truth)
        self.wanted += len(truth)
        self.cut += len(begins)
        self.right += n_right
        self.sides += 1
        self.sure += side.sure
        self.surely_wrong += side.sure and not n_right == len(truth) == len(begins)

    def row(self) -> str:
        """The figures, in columns."""
        share = f"{self.right / self.wanted:6.3f}" if self.wanted else "     -"
        return (
            f"{self.wanted:6} {self.cut:5} {share} {self.sure:4}/{self.sides}{self.surely_wrong:7}"
        )


Ask = Callable[[NDArray[np.float32], int, Sequence[float]], Side]
ASKED: dict[str, Ask] = {
    "with N": lambda level, n, _: split_side(level, n),
    "durations": lambda level, _, seconds: split_side(level, durations=seconds),
    "nothing": lambda level, _, __: split_side(level),
}


def main() -> None:
    """Print a table of kinds, each asked in three ways."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sides", type=int, default=4)
    parser.add_argument("--pictures", type=Path)
    given = parser.parse_args()
    print(f"{'kind':22} {'asked':10} wanted   cut  <=1 s   sure  surely wrong")
    sums = {ask: Tally() for ask in ASKED}
    for number, kind in enumerate(KINDS):
        tallies = {ask: Tally() for ask in ASKED}
        for seed in range(given.sides):
            rng = np.random.default_rng(1000 * number + seed)
            audio, truth, seconds = made(kind, rng)
            level = side_level(ArraySamples(audio))
            # A sleeve is some seconds off.
            printed = [one + rng.uniform(-4, 4) for one in seconds]
            for ask, answer in ASKED.items():
                side = answer(level, len(seconds), printed)
                for tally in (tallies[ask], sums[ask]):
                    tally.count(side, truth)
                if given.pictures and ask == "with N":
                    picture = draw_side(side, level, name=f"{kind.name}, {seed}")
                    given.pictures.mkdir(exist_ok=True)
                    (given.pictures / f"{number:02}-{seed}.png").write_bytes(picture)
        for ask, tally in tallies.items():
            print(f"{kind.name:22} {ask:10} {tally.row()}", flush=True)
    for ask, tally in sums.items():
        print(f"{'all':22} {ask:10} {tally.row()}")


if __name__ == "__main__":
    main()
