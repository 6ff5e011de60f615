r"""Fit what judges lines (align/confidence.py) on songs that the head was not trained on.

    python bench/confidence.py WHISPER SONGS HEAD_WITHOUT_0 HEAD_WITHOUT_1 HEAD_WITHOUT_2 \
        --head HEAD --leave-out NAME... --out judge.json --plot reliability.png

SONGS are UltraStar songs; HEAD_WITHOUT_k was trained without every third of them,
from the k-th on (`bench/ablate.py run ... --without k`), --leave-out names those
that HEAD was not trained on.  Synthetic cantes come from `corpus.synth`.  Each
recording is aligned with its own text, with that text without repetitions, with a
tenth of the lines dropped and as many foreign ones put in, and with another's.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from songs import Song, cantes, of_ultrastar, right, unique, with_foreign

from align.aligner import Aligner
from align.confidence import EVIDENCE, evidence
from align.emissions import WhisperCTC
from align.listening import Listening
from align.placing import place
from corpus.errors import AlignmentError
from corpus.media import ArraySamples
from corpus.records import Segment


def listen(song: Song, model: WhisperCTC) -> Listening:
    """What a model hears of a song."""
    return Aligner(model, song.language).listen(ArraySamples(song.samples))


def texts(song: Song, other: Song, rng: np.random.Generator) -> Iterator[tuple[str, list[str]]]:
    """What the song is aligned with."""
    yield "own", list(song.lines)
    yield "own", unique(song.lines)
    yield "own", [line for line, _ in with_foreign(song.lines, other.lines, rng)]
    yield "other", list(other.lines)


def drafted(song: Song, folder: Path | None) -> tuple[Segment, ...]:
    """A free transcript, where there is a model to write one."""
    if folder is None:
        return ()
    from align.draft import Drafter

    return Drafter(folder, song.language).transcribe(ArraySamples(song.samples))


def examples(
    songs: Sequence[Song],
    listened: Sequence[Listening],
    rng: np.random.Generator,
    whisper: Path | None,
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Evidence without and with a draft, (2, n_lines, n_kinds), and whether each line is right."""
    for k, (song, listening) in enumerate(zip(songs, listened, strict=True)):
        other = songs[(k + 1 + int(rng.integers(len(songs) - 1))) % len(songs)]
        rows: list[NDArray[np.float64]] = []
        truths: list[bool] = []
        draft = drafted(song, whisper)
        for _, lines in texts(song, other, rng):
            try:
                aligned = place(listening, lines).lines
            except AlignmentError:
                continue
            rows.append(np.stack([evidence(aligned, listening, d) for d in ((), draft)]))
            truths += [right(song, line) for line in aligned]
        yield np.concatenate(rows, axis=1), np.array(truths)


def calibration_error(
    truth: NDArray[np.bool_], chance: NDArray[np.float64], bins: int = 10
) -> float:
    """Expected calibration error over bins of equal width (Guo et al., ICML 2017)."""
    which = np.minimum((chance * bins).astype(int), bins - 1)
    gaps = [
        (which == k).mean() * abs(truth[which == k].mean() - chance[which == k].mean())
        for k in range(bins)
        if (which == k).any()
    ]
    return float(sum(gaps))


def plot(truth: NDArray[np.bool_], chance: NDArray[np.float64], path: Path) -> None:
    """A reliability diagram."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.add_subplot()
    which = np.minimum((chance * 10).astype(int), 9)
    points = [(chance[which == k].mean(), truth[which == k].mean(), (which == k).sum())
              for k in range(10) if (which == k).any()]  # fmt: skip
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.plot([p[0] for p in points], [p[1] for p in points], "o-", color="#0072b2")
    for x, y, n in points:
        axes.annotate(str(n), (x, y), textcoords="offset points", xytext=(6, -12), fontsize=8)
    axes.set(xlabel="probability", ylabel="share of lines that are right", xlim=(0, 1), ylim=(0, 1))
    figure.savefig(path, dpi=150)


def main() -> None:
    """Gather, cross-validate, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("whisper", type=Path)
    parser.add_argument("songs", type=Path)
    parser.add_argument("without", type=Path, nargs=3)
    parser.add_argument("--head", type=Path)
    parser.add_argument("--leave-out", nargs="*", default=[])
    parser.add_argument("--draft", type=Path, help="a Whisper of CTranslate2's form")
    parser.add_argument("--cantes", type=int, default=24)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--plot", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(2)
    rng = np.random.default_rng(0)
    whole = WhisperCTC(given.whisper, given.head)
    known = of_ultrastar(given.songs)
    fresh = [song for song in known if song.name in given.leave_out]
    songs = [song for song in known if song.name not in given.leave_out]
    models = [WhisperCTC(given.whisper, folder) for folder in given.without]
    listened = [listen(song, models[k % 3]) for k, song in enumerate(songs)]
    made = cantes(range(100, 100 + given.cantes // 2))
    made += cantes(range(200, 200 + given.cantes // 2), melisma=(1.0, 6.0))
    found = [
        *examples(
            [*songs, *fresh],
            [*listened, *(listen(song, whole) for song in fresh)],
            rng,
            given.draft,
        ),
        *examples(made, [listen(song, whole) for song in made], rng, given.draft),
    ]
    rows = np.concatenate([row for row, _ in found], axis=1)
    truth = np.concatenate([truths for _, truths in found])
    groups = np.repeat(np.arange(len(found)), [len(truths) for _, truths in found])
    print(f"{len(found)} recordings, {len(truth)} lines, {truth.mean():.3f} of them right")
    fitted = {}
    again = rows[0][:, EVIDENCE.index("repeat")] > 0
    for name, mine, which in (
        ("alone", rows[0], ~again),
        ("drafted", rows[1], ~again),
        ("again", rows[0], again),
    ):
        print(name, which.sum())
        picture = given.plot if name == "alone" else None
        fitted[name] = judge(mine[which], truth[which], groups[which], picture)
    given.out.write_text(json.dumps({"evidence": EVIDENCE} | fitted, indent=1) + "\n")


def judge(
    rows: NDArray[np.float64],
    truth: NDArray[np.bool_],
    groups: NDArray[np.int64],
    picture: Path | None,
) -> dict[str, object]:
    """Cross-validate and fit one judge."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    chance = cross_val_predict(
        model, rows, truth, groups=groups, cv=GroupKFold(10), method="predict_proba"
    )[:, 1]
    print(f"  cross-validated by recording: AUC {roc_auc_score(truth, chance):.4f}, "
          f"ECE {calibration_error(truth, chance):.4f}")  # fmt: skip
    if picture is not None:
        plot(truth, chance, picture)
    model.fit(rows, truth)
    scaler, regression = model[0], model[1]
    weights = regression.coef_[0]
    for name, weight in zip(EVIDENCE, weights, strict=True):
        print(f"  {name}: {weight:+.2f}")
    return {
        "mean": scaler.mean_.round(5).tolist(),
        "scale": scaler.scale_.round(5).tolist(),
        "weights": weights.round(5).tolist(),
        "bias": round(float(regression.intercept_[0]), 5),
    }


if __name__ == "__main__":
    main()
