"""How well words are placed, what is made of repetitions and wrong texts, and at what cost.

    python bench/alignment.py CANCIONES WHISPER [--head HEAD] [--rivals WHISPER_CT2]

CANCIONES is a folder as JamendoLyrics MultiLang has it (Durand, Stoller, Ewert, ICASSP
2023) of songs that the head was not trained on.  The measures:

1. words and lines placed, with --rivals beside other tools (bench/rivals.py);
2. every line that was there before taken out of the text: what is found again;
3. another song's text told from the right one; foreign lines among the right ones;
4. synthetic cante: vowels held for 1 to 6 s, cries of 5 to 20 s;
6. seconds a minute of audio (5, calibration, is bench/confidence.py's).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rivals import Sung, compare, race
from sklearn.metrics import roc_auc_score
from songs import Song, cantes, jamendo, line_hits, main_words, unique, with_foreign

from align.aligner import Aligner, prices_for
from align.confidence import judged
from align.emissions import WhisperCTC
from align.listening import Listening
from align.placing import place
from align.records import AlignedLine
from corpus.errors import AlignmentError
from corpus.media import SAMPLE_RATE, ArraySamples
from corpus.text import fold

FOREIGN_SEEDS = 5


def onsets(name: str, songs: Sequence[Song], listened: Sequence[Listening]) -> None:
    """Words and lines, a row a song and one of all."""
    print(f"\n{name:34}{'mean':>9}{'median':>9}{'<=0.3':>9}{'lines':>9}{'again':>7}{'out':>5}")
    errors: list[NDArray[np.float64]] = []
    hits: list[bool] = []
    for song, listening in zip(songs, listened, strict=True):
        lines = place(listening, song.lines, prices_for(song.lines)).lines
        found = main_words(lines)
        errors.append(np.abs(found[:, 0] - song.truth[:, 0]))
        hits += (mine := line_hits(song, found))
        extra = sum(line.repeat for line in lines), sum(line.left_out for line in lines)
        print(row(song.name, errors[-1], mine) + f"{extra[0]:7}{extra[1]:5}", flush=True)
    print(row("all", np.concatenate(errors), hits))


def row(name: str, errors: NDArray[np.float64], hits: Sequence[bool]) -> str:
    """One line of the table."""
    figures = errors.mean(), np.median(errors), (errors <= 0.3).mean(), np.mean(hits)
    return f"{name[:34]:34}" + "".join(f"{figure:9.3f}" for figure in figures)


def found_again(songs: Sequence[Song], listened: Sequence[Listening]) -> None:
    """Lines as sung that are found from a text in which each stands once."""
    print("\ntext without repeated lines: lines sung, of them repeats, found, repeats found, false")
    totals = np.zeros(5, int)
    for song, listening in zip(songs, listened, strict=True):
        lines = place(listening, unique(song.lines)).lines
        sung = [line for line in lines if not line.left_out]
        heard = [(fold(line.sung or line.text), line.start) for line in sung]
        seen: set[str] = set()
        counts = np.zeros(5, int)
        for text, start in zip(map(fold, song.lines), song.starts, strict=True):
            hit = any(text == other and abs(start - at) <= 0.5 for other, at in heard)
            again = text in seen
            seen.add(text)
            counts[:4] += (1, again, hit, hit and again)
        true = list(zip(map(fold, song.lines), song.starts, strict=True))
        counts[4] = sum(
            not any(text in other and abs(at - start) < 10 for other, start in true)
            for text, at in heard
        )
        totals += counts
        print(f"{song.name[:34]:34} {counts.tolist()}", flush=True)
    print(
        f"found: {totals[2] / totals[0]:.3f} of all, {totals[3] / max(1, totals[1]):.3f} of repeats"
    )


def wrong_texts(songs: Sequence[Song], listened: Sequence[Listening], aligner: Aligner) -> None:
    """Right texts against each other's, by line and by song; foreign lines among the right."""
    right: list[NDArray[np.float64]] = []
    wrong: list[NDArray[np.float64]] = []
    for song, listening in zip(songs, listened, strict=True):
        for other in songs:
            try:
                lines = judged(place(listening, other.lines).lines, listening, aligner.judges)
            except AlignmentError:
                continue
            chances = np.array([line.probability for line in lines if not line.repeat])
            (right if other is song else wrong).append(chances)
    by_line = area(np.concatenate(right), np.concatenate(wrong))
    by_song = area(np.array([r.mean() for r in right]), np.array([w.mean() for w in wrong]))
    print(f"\nanother song's text: AUC {by_line:.4f} by line, {by_song:.4f} by song")
    rng = np.random.default_rng(0)
    rejected, kept, before = [], [], []
    for song, listening in zip(songs, listened, strict=True):
        usual = near(song, place(listening, song.lines).lines, range(len(song.lines)))
        for _ in range(FOREIGN_SEEDS):
            other = songs[int(rng.integers(len(songs)))]
            if other is song:
                other = songs[(songs.index(song) + 1) % len(songs)]
            text = with_foreign(song.lines, other.lines, rng)
            lines = judged(
                place(listening, [line for line, _ in text]).lines, listening, aligner.judges
            )
            main = sorted((line for line in lines if not line.repeat), key=lambda x: x.line)
            places = [k for _, k in text]
            rejected += [x.probability < 0.5 for x, k in zip(main, places, strict=True) if k < 0]
            kept += near(song, main, places)
            before += [usual[k] for k in places if k >= 0]
    print(
        f"a tenth dropped, a tenth foreign: {np.mean(rejected):.3f} of the foreign rejected; "
        f"others within 0.3 s {np.mean(kept):.3f}, with the right text {np.mean(before):.3f}"
    )


def near(song: Song, lines: Sequence[AlignedLine], places: Sequence[int]) -> list[bool]:
    """Of the lines that are the song's own, the share of words that begin within 0.3 s."""
    main = sorted((line for line in lines if not line.repeat), key=lambda line: line.line)
    firsts = np.cumsum([0, *(len(line.split()) for line in song.lines)])
    out = []
    for line, k in zip(main, places, strict=True):
        if k >= 0:
            starts = np.array([word.start for word in line.words])
            truth = song.truth[firsts[k] : firsts[k + 1], 0]
            out.append(float((np.abs(starts[: len(truth)] - truth[: len(starts)]) <= 0.3).mean()))
    return out  # type: ignore[return-value]  # shares


def area(right: NDArray[np.float64], wrong: NDArray[np.float64]) -> float:
    """The area under the curve."""
    truth = np.concatenate([np.ones(len(right)), np.zeros(len(wrong))])
    return float(roc_auc_score(truth, np.concatenate([right, wrong])))


def listen_all(songs: Sequence[Song], aligner: Aligner) -> list[Listening]:
    """What is heard in each song."""
    out = []
    for song in songs:
        aligner.language = song.language
        out.append(aligner.listen(ArraySamples(song.samples)))
    return out


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("whisper", type=Path)
    parser.add_argument("--head", type=Path)
    parser.add_argument("--rivals", type=Path, help="the same Whisper in CTranslate2's form")
    parser.add_argument("--cantes", type=int, default=10)
    given = parser.parse_args()
    torch.set_num_threads(2)
    aligner = Aligner(WhisperCTC(given.whisper, given.head))
    songs = jamendo(given.folder)
    aligner.align(ArraySamples(songs[0].samples[: 60 * SAMPLE_RATE]), songs[0].lines[:2])  # warm
    began, seconds = time.monotonic(), sum(len(song.samples) for song in songs) / SAMPLE_RATE
    for song in songs:
        aligner.language = song.language
        aligner.align(ArraySamples(song.samples), song.lines)
    print(f"{(time.monotonic() - began) / seconds * 60:.2f} s a minute of audio, start-up apart")
    listened = listen_all(songs, aligner)
    onsets("songs", songs, listened)
    if given.rivals:
        raw = [Sung(one, aligner.model.hear(ArraySamples(one.samples)).letters) for one in songs]
        compare(raw, aligner.model.labels, given.rivals)
        race(raw, aligner.model.labels)
    found_again(songs, listened)
    wrong_texts(songs, listened, aligner)
    for name, melisma in (("cante", None), ("cante with melisma", (1.0, 6.0))):
        made = cantes(range(300, 300 + given.cantes), melisma)
        listened = listen_all(made, aligner)
        onsets(f"synthetic {name}", made, listened)
        found_again(made, listened)


if __name__ == "__main__":
    main()
