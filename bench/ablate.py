"""What of a head and of its training matters: one thing changed at a time, three seeds each.

    python bench/ablate.py prepare WHISPER SONGS SPEECH CANCIONES WORK
    python bench/ablate.py run WORK NAME SEED [--steps N]
    python bench/ablate.py table WORK

`prepare` listens once to everything (WORK then holds some 5 GB), `run` trains one
head and places the words of CANCIONES with it, `table` shows what stands.  Every
head has the same steps and sees the same songs; NAME is one of `VARIANTS`.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from songs import Song, jamendo, line_hits, main_words

from align.augment import Mixing, song_change, sung_speech, without_voice
from align.emissions import Heard
from align.encoder import WhisperEncoder
from align.fit import Features, FitPlan, extract, fit, read_states, targets
from align.fit_data import TimedAudio, music_without_voice, ultrastar
from align.graph import AS_WRITTEN
from align.head import Head, HeadConfig, save_head
from align.labels import LABELS, Speller
from align.listening import Listening
from align.placing import place
from align.windows import windows
from corpus.media import SAMPLE_RATE
from corpus.synth.espeak import PHONEME, synthesise
from corpus.text import letters

LAYERS = (2, 3, 4, 5, 6)
NO_DERIVATIVES = ("Dead Smiling Pirates - I", "Pornophonique - Space Invaders")
PHONES = ("", *"abdefghijklmnoprstuvwxyzBCDEGILNORSTUVZ@3&A8QWYq1oJPXHM*?#^;:")


@dataclass(frozen=True)
class Variant:
    """The sets of audio to train on, and what the head is."""

    sets: tuple[str, ...] = ("songs", "songs changed", "speech", "melisma", "music")
    context: str = "lstm"
    phones: bool = False


VARIANTS = {
    "all": Variant(),
    "convolution": Variant(context="convolution"),
    "phones": Variant(phones=True),
    "no melisma": Variant(sets=("songs", "songs changed", "speech", "music")),
    "no beds": Variant(sets=("songs", "songs changed", "speech bare", "melisma bare")),
    "songs as they are": Variant(sets=("songs", "speech", "melisma", "music")),
}


@lru_cache(maxsize=100_000)
def phones(word: str, language: str) -> tuple[str, ...]:
    """What espeak-ng says of a word, the first sign of each phoneme."""
    voice = {"en": "en-us"}.get(language, language)
    _, _, events = synthesise(word, voice, 175)
    names = (e.name.lstrip("',%=")[:1] for e in events if e.type == PHONEME)
    return tuple(name for name in names if name in PHONES and name)


def audio_sets(songs: Path, speech: Path) -> Iterator[tuple[str, TimedAudio]]:
    """All audio by the name of its set."""
    rng = np.random.default_rng(0)
    plain = list(ultrastar(songs, NO_DERIVATIVES))
    yield from (("songs", one) for one in plain)
    for one in ultrastar(songs, NO_DERIVATIVES, lambda: song_change(rng)):
        yield "songs changed", one
    music = music_without_voice(songs, plain, NO_DERIVATIVES)
    yield from (("music", one) for one in without_voice(music))
    for name, mixing in (
        ("speech", Mixing()),
        ("speech bare", Mixing(beds=None)),
        ("melisma", Mixing(melisma=True)),
        ("melisma bare", Mixing(beds=None, melisma=True)),
    ):
        total = 0.0
        for one in sung_speech(speech, music, mixing, np.random.default_rng(1)):
            yield name, one
            total += len(one.samples) / SAMPLE_RATE
            if total > 2400:
                break


def prepare(given: argparse.Namespace) -> None:
    """Hidden states of everything, to files."""
    encoder = WhisperEncoder(given.whisper)
    config = HeadConfig(encoder_width=encoder.width, encoder_layers=encoder.n_layers, layers=LAYERS)
    given.work.mkdir(parents=True, exist_ok=True)
    kept: list[tuple[str, str, TimedAudio]] = []
    for k, (name, audio) in enumerate(audio_sets(given.songs, given.speech)):
        extract(audio, encoder, config, given.work / f"{k}.states")
        kept.append((name, f"{k}.states", replace(audio, samples=np.zeros(0, np.float32))))
        print(name, audio.name, len(audio.samples) // SAMPLE_RATE, flush=True)
    tests: list[tuple[Song, str]] = []
    for song in jamendo(given.canciones):
        whole = TimedAudio(name=song.name, samples=song.samples, lines=(), voice=(), tolerance=0.05)
        extract(whole, encoder, config, given.work / f"test{len(tests)}.states")
        tests.append((song, f"test{len(tests)}.states"))
    with (given.work / "index.pickle").open("wb") as out:
        pickle.dump((asdict(config), kept, tests), out)


def run(given: argparse.Namespace) -> None:
    """Train one head and measure it."""
    torch.set_num_threads(1)
    variant = VARIANTS[given.name]
    with (given.work / "index.pickle").open("rb") as file:
        settings, kept, tests = pickle.load(file)  # noqa: S301 - written by `prepare`
    labels, spell = (PHONES, phones) if variant.phones else (LABELS, letters)
    config = HeadConfig(**settings | {"labels": labels, "context": variant.context})
    data: list[Features] = [
        targets(audio, read_states(given.work / file, config), labels, spell)
        for name, file, audio in kept
        if name in variant.sets and fold_of(name, audio, kept) != given.without
    ]
    began = time.monotonic()
    head = fit(data, config, FitPlan(steps=given.steps, seed=given.seed))
    minutes = (time.monotonic() - began) / 60
    figures = measure(head, config, tests, given.work, spell)
    kind = given.name if given.without is None else f"without {given.without}"
    out = given.work / f"{kind.replace(' ', '-')}-{given.seed}-{given.steps}"
    save_head(head, out)
    found = {"name": kind, "seed": given.seed, "steps": given.steps, "minutes": minutes}
    (out / "figures.json").write_text(json.dumps(found | figures))
    print(found | figures, flush=True)


def fold_of(name: str, audio: TimedAudio, kept: Sequence[tuple[str, str, TimedAudio]]) -> int:
    """Which third of the songs a song is of; -1 for what is no song."""
    if not name.startswith("songs"):
        return -1
    songs = [one.name for set_name, _, one in kept if set_name == "songs"]
    return next(k for k, song in enumerate(songs) if audio.name.startswith(song)) % 3


def measure(
    head: Head, config: HeadConfig, tests: Sequence[tuple[Song, str]], work: Path, spell: Speller
) -> dict[str, float]:
    """Word onsets and lines of the test songs."""
    errors, hits = [], []
    for song, file in tests:
        listening = Listening(
            heard=heard(head, read_states(work / file, config)),
            labels=config.labels,
            frame_rate=50.0,
            duration=len(song.samples) / SAMPLE_RATE,
            language=song.language,
            spell=spell,
        )
        lines = place(listening, song.lines, AS_WRITTEN).lines
        errors.append(np.abs(main_words(lines)[:, 0] - song.truth[:, 0]))
        hits += line_hits(song, main_words(lines))
    off = np.concatenate(errors)
    return {
        "mean": float(off.mean()),
        "median": float(np.median(off)),
        "within": float((off <= 0.3).mean()),
        "lines": float(np.mean(hits)),
    }


def heard(head: Head, states: NDArray[np.float16]) -> Heard:
    """Letters and voice, by pieces of a minute that share 10 s."""
    found = np.empty((len(states), len(head.config.labels) + 1), np.float32)
    for window in windows(len(states), 3000, 250):
        piece = torch.from_numpy(states[window.begin : window.end].astype(np.float32))
        with torch.inference_mode():
            logits = head(piece[None])[0]
        scores = torch.cat([logits[:, :-1].log_softmax(-1), logits[:, -1:].sigmoid()], dim=1)
        found[window.keep_from : window.keep_to] = scores.numpy()[window.kept]
    return Heard(letters=np.ascontiguousarray(found[:, :-1]), voice=found[:, -1].copy())


def table(given: argparse.Namespace) -> None:
    """Means over seeds, and from the lowest to the highest."""
    found = [json.loads(p.read_text()) for p in sorted(given.work.glob("*/figures.json"))]
    for name in VARIANTS:
        mine = [f for f in found if f["name"] == name]
        if mine:
            cells = (
                f"{np.mean([f[k] for f in mine]):.3f} "
                f"({min(f[k] for f in mine):.3f}-{max(f[k] for f in mine):.3f})"
                for k in ("mean", "median", "within", "lines")
            )
            print(f"| {name} | {len(mine)} | " + " | ".join(cells) + " |")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("prepare")
    for name in ("whisper", "songs", "speech", "canciones", "work"):
        verb.add_argument(name, type=Path)
    verb.set_defaults(do=prepare)
    verb = verbs.add_parser("run")
    verb.add_argument("work", type=Path)
    verb.add_argument("name", choices=list(VARIANTS))
    verb.add_argument("seed", type=int)
    verb.add_argument("--steps", type=int, default=300)
    verb.add_argument("--without", type=int, choices=[0, 1, 2], help="a third of the songs")
    verb.set_defaults(do=run)
    verb = verbs.add_parser("table")
    verb.add_argument("work", type=Path)
    verb.set_defaults(do=table)
    given = parser.parse_args()
    given.do(given)


if __name__ == "__main__":
    main()
