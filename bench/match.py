"""Which verses are sung, judged on songs and on synthetic cantes.

    python bench/match.py WHISPER CANCIONES STANZAS.jsonl --draft WHISPER_CT2

Verses of songs (four lines each, none twice) and of synthetic cantes that mix coplas are
hidden in a bank of stanzas and made verses; the cantes repeat one copla and have one that
is in no bank.  A verse counts as found where it is said to be sung (probability 0.5 and
0.75) in the recording; order is judged by those that are right.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from bank import Lines, bank, made, stanzas
from confidence import drafted, listen
from match_fit import sung_at, verses_of
from songs import Song, jamendo

from align.ear import Ear
from align.emissions import WhisperCTC
from corpus.match.bank import Bank
from corpus.match.chain import explained, in_order
from corpus.match.index import VerseIndex
from corpus.match.score import DraftText, Evidence, gather
from corpus.match.unknown import unknown_in
from corpus.records import Segment, Verse, VerseSource
from corpus.synth.coplas import Copla
from corpus.synth.make import make_cante
from corpus.text import fold

_WORD = re.compile(r"[^\W\d_]+")


@dataclass
class Count:
    """What was found of what is sung."""

    right: int = 0
    false: int = 0
    missing: int = 0
    out_of_order: int = 0

    def add(
        self, song: Song, sung: Sequence[Lines], found: Sequence[tuple[Lines, Evidence]]
    ) -> None:
        """Count one recording; a verse that is given twice counts once."""
        given, wanted = {_key(lines) for lines, _ in found}, set(map(_key, sung))
        self.right += len(given & wanted)
        self.false += len(given - wanted)
        self.missing += len(wanted - given)
        at = [
            one.start or 0.0
            for lines, one in found
            if _key(lines) in wanted and _there(song, lines, one)
        ]
        self.out_of_order += sum(a > b for a, b in pairwise(at))

    def __str__(self) -> str:
        f1 = 2 * self.right / max(1, 2 * self.right + self.false + self.missing)
        return (
            f"F1 {f1:.3f} (right {self.right}, false {self.false}, missing {self.missing},"
            f" out of order {self.out_of_order})"
        )


def _key(lines: Lines) -> str:
    """A text as the bank knows it: the same verse may be printed with other marks."""
    return fold(" ".join(lines))


def _there(song: Song, lines: Lines, one: Evidence) -> bool:
    place = Segment(text="", start=one.start or 0.0, end=one.end or 0.0)
    return sung_at(song, lines, place)


def indexed(verses: Sequence[Lines]) -> VerseIndex:
    """A bank of verses."""
    records = [
        Verse(lines=lines, sources=(VerseSource(source="bench", position=k, lines=lines),))
        for k, lines in enumerate(verses)
    ]
    return VerseIndex(records, Bank())


def judged(
    song: Song,
    sung: Sequence[Lines],
    index: VerseIndex,
    ear: Ear | None,
    draft: DraftText,
    counts: dict[float, Count],
) -> list[Evidence]:
    """Match one recording and count."""
    evidence = gather(None, draft, index, ear)
    for least, count in counts.items():
        found = in_order(explained(evidence, least))
        count.add(song, sung, [(index.verses[one.verse].lines, one) for one in found])
    return explained(evidence, 0.5)


def mixed(
    seed: int, known: Sequence[Lines], strange: Sequence[Lines]
) -> tuple[Song, list[Lines], Lines]:
    """A cante of 3 to 6 coplas, one of them sung again and one in no bank."""
    rng = np.random.default_rng(seed)
    mine = [known[k] for k in rng.choice(len(known), int(rng.integers(2, 6)), replace=False)]
    unknown = strange[int(rng.integers(len(strange)))]
    order: list[Lines] = [*mine, mine[0]]
    order.insert(int(rng.integers(1, len(order))), unknown)
    coplas = [Copla(palo="soleá", lines=lines) for lines in order]
    one = make_cante(seed=seed, coplas=coplas, melisma=(1.0, 3.0) if seed % 2 else None)
    lines = tuple(line.text for verse in one.verses for line in verse.sung)
    truth = np.array([[word.start, word.end] for word in one.words])
    return Song(one.name, one.audio, lines, truth), mine, unknown


def songs_among(given: argparse.Namespace, model: WhisperCTC, others: Sequence[Lines]) -> None:
    """The verses of songs among others, with sound and without."""
    songs = jamendo(given.songs)
    mine = [verses_of(song) for song in songs]
    index = indexed([*dict.fromkeys([lines for one in mine for lines in one] + list(others))])
    ways: dict[str, dict[float, Count]] = {
        way: {0.5: Count(), 0.75: Count()} for way in ("sound", "draft", "sound and draft")
    }
    for song, sung in zip(songs, mine, strict=True):
        ear, draft = Ear(listen(song, model)), DraftText(drafted(song, given.draft))
        began = time.perf_counter()
        judged(song, sung, index, ear, DraftText(()), ways["sound"])
        seconds = time.perf_counter() - began
        judged(song, sung, index, None, draft, ways["draft"])
        judged(song, sung, index, ear, draft, ways["sound and draft"])
        print(f"{song.name}: {seconds:.1f} s, so far {ways['sound'][0.5]}", flush=True)
    for way, counts in ways.items():
        for least, count in counts.items():
            print(f"songs among {len(index.verses)} verses, {way}, from {least}: {count}")


def cantes_among(given: argparse.Namespace, model: WhisperCTC, others: Sequence[Lines]) -> None:
    """Mixed cantes among others."""
    # Words alone: the voice cannot say all marks that books print.
    plain = [tuple(" ".join(_WORD.findall(line)) for line in s) for s in stanzas(given.stanzas)]
    short = [s for s in plain if len(s) == 4 and min(map(len, s)) > 0 and max(map(len, s)) <= 34]
    strange = list(made(short, 200, seed=99))
    index = indexed([*dict.fromkeys([*short, *others])])
    counts = {0.5: Count(), 0.75: Count()}
    n_unknown = false_unknown = 0
    for seed in range(500, 500 + given.cantes):
        song, mine, unknown = mixed(seed, short, strange)
        ear = Ear(listen(song, model))
        chosen = judged(song, mine, index, ear, DraftText(()), counts)
        lines = [index.verses[one.verse].lines for one in chosen]
        told = unknown_in(ear, chosen, lines)
        hits = [sung_at(song, unknown, one) for one in told]
        n_unknown += any(hits)
        false_unknown += hits.count(False)
        print(
            f"{song.name}: {song.truth[-1, 1]:.0f} s, so far {counts[0.5]}, unknown {n_unknown}",
            flush=True,
        )
    for least, count in counts.items():
        print(f"mixed cantes among {len(index.verses)} verses, from {least}: {count}")
    print(f"unknown told {n_unknown} of {given.cantes}; other stretches: {false_unknown}")


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("whisper", type=Path)
    parser.add_argument("songs", type=Path)
    parser.add_argument("stanzas", type=Path)
    parser.add_argument("--draft", type=Path)
    parser.add_argument("--others", type=int, default=100_000)
    parser.add_argument("--cantes", type=int, default=20)
    parser.add_argument("--part", choices=["songs", "cantes"], help="Only this one.")
    given = parser.parse_args()
    torch.set_num_threads(2)
    model = WhisperCTC(given.whisper)
    others = bank(given.stanzas, given.others)
    steps: dict[str, Callable[..., None]] = {"songs": songs_among, "cantes": cantes_among}
    for name, step in steps.items():
        if given.part in {None, name}:
            step(given, model, others)


if __name__ == "__main__":
    main()
