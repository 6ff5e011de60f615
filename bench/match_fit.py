r"""Fit what tells a verse that is sung from one that is not (corpus/match/sounding.py).

    python bench/match_fit.py WHISPER SONGS STANZAS.jsonl HEAD_WITHOUT_0 ..._1 ..._2 \
        [--leave-out NAME ...]

SONGS are UltraStar songs, each heard by the head that was trained without it (as in
bench/confidence.py); synthetic cantes are heard by the shipped head.  Every verse of all
of them is searched in each among the stanzas.  Half of the recordings bear the title of
their letra, and one verse of a hundred that is not sung bears it too.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from bank import stanzas
from confidence import calibration_error, listen
from numpy.typing import NDArray
from songs import Song, cantes, of_ultrastar, unique

from align.ear import Ear
from align.emissions import WhisperCTC
from corpus.lyrics.variants import likeness
from corpus.match.hearing import Place
from corpus.match.sounding import EVIDENCE, evidence, heard_places
from corpus.records import Segment
from corpus.synth.coplas import COPLAS
from corpus.text import fold

Lines = tuple[str, ...]


def verses_of(song: Song) -> list[Lines]:
    """Its lines four by four, none of them twice."""
    lines = unique(song.lines)
    return [tuple(lines[k : k + 4]) for k in range(0, len(lines), 4)]


def sung_at(song: Song, lines: Lines, place: Place | Segment) -> bool:
    """Whether half of the lines of a verse are sung, for the most part, in a place."""
    mine = {fold(line) for line in lines}
    inside: set[str] = set()
    first = 0
    for line in song.lines:
        last = first + len(line.split()) - 1
        start, end = song.truth[first, 0], song.truth[last, 1]
        shared = min(end, place.end) - max(start, place.start)
        if fold(line) in mine and shared > (end - start) / 2:
            inside.add(fold(line))
        first = last + 1
    return len(inside) >= len(mine) / 2


def rows(
    song: Song, ear: Ear, verses: Sequence[Lines], titled: bool
) -> Iterator[tuple[NDArray[np.float64], bool]]:
    """The evidence for each verse that fits well, and whether it is sung there."""
    rng = np.random.default_rng(len(song.lines))
    letters = [sum(map(str.isalpha, " ".join(lines))) for lines in verses]
    found = heard_places(
        ear.places(verses),
        letters,
        ear.places([copla.lines for copla in COPLAS]),
        lambda a, b: likeness(verses[a], verses[b]) >= 0.5,
    )
    for one in found:
        sung = sung_at(song, verses[one.verse], one.place)
        title = float(titled if sung else rng.random() < 0.01)
        yield np.array(evidence(one.sound, title)), sung


def main() -> None:
    """Gather, cross-validate by recording, fit on all, print the weights."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold, cross_val_predict

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("whisper", type=Path)
    parser.add_argument("songs", type=Path)
    parser.add_argument("stanzas", type=Path)
    parser.add_argument("without", type=Path, nargs=3)
    parser.add_argument("--leave-out", nargs="*", default=[])
    parser.add_argument("--cantes", type=int, default=24)
    given = parser.parse_args()
    torch.set_num_threads(2)
    whole = WhisperCTC(given.whisper)
    models = [WhisperCTC(given.whisper, folder) for folder in given.without]
    known = of_ultrastar(given.songs)
    songs = [song for song in known if song.name not in given.leave_out]
    heard = [(song, models[k % 3]) for k, song in enumerate(songs)]
    half = given.cantes // 2
    made = cantes(range(100, 100 + half)) + cantes(range(200, 200 + half), melisma=(1.0, 6.0))
    heard += [(song, whole) for song in made]
    mine = [verses_of(song) for song, _ in heard]
    verses = [*dict.fromkeys([lines for one in mine for lines in one] + stanzas(given.stanzas))]
    table: list[NDArray[np.float64]] = []
    truth: list[bool] = []
    groups: list[int] = []
    for k, (song, model) in enumerate(heard):
        ear = Ear(listen(song, model))
        for row, sung in rows(song, ear, verses, titled=k % 4 < 2):
            table.append(row)
            truth.append(sung)
            groups.append(k)
        print(song.name, sum(t for t, g in zip(truth, groups, strict=True) if g == k), flush=True)
    x, y = np.array(table), np.array(truth)
    model = LogisticRegression(C=100.0, max_iter=5000)
    chance = cross_val_predict(
        model, x, y, groups=groups, cv=GroupKFold(10), method="predict_proba"
    )[:, 1]
    print(f"{len(heard)} recordings, {len(y)} places, {y.sum()} of them sung")
    print(f"AUC {roc_auc_score(y, chance):.4f}, ECE {calibration_error(y, chance):.4f}")
    for least in (0.5, 0.75, 0.9):
        sure = chance >= least
        print(
            f"from {least}: precision {y[sure].mean():.4f}, recall {(sure & y).sum() / y.sum():.4f}"
        )
    model.fit(x, y)
    for name, weight in zip(EVIDENCE, model.coef_[0], strict=True):
        print(f"    {name}: {weight:+.3f}")
    print(f"    bias: {model.intercept_[0]:+.3f}")


if __name__ == "__main__":
    main()
