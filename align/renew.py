"""An aligner's head that learns from what people checked in a corpus, if it gets better by that."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from align.emissions import AcousticModel, WhisperCTC
from align.fit import FitPlan
from align.fit_data import TimedAudio
from align.fit_gold import gold, neighbours
from align.fit_run import FIGURES_NAME, Move, make_head
from align.recipe import CorpusPart, HeadPart, Recipe
from corpus.errors import TrainError
from corpus.media import ArraySamples
from corpus.models import resolve
from corpus.text import letters
from corpus.workspace import Workspace

__all__ = ["LEAST_MINUTES", "Renewed", "cost_a_letter", "renew"]

LEAST_MINUTES = 5.0
"""Checked singing from which a head may learn more than it forgets."""

_HELD_OUT = 5
"""Of so many checked recordings one is not trained on, but judged by."""

_LEAST_RECORDINGS = 3

_PLAN = FitPlan(steps=150, batch=8, rate=2e-4, warm_up=20)
"""A tenth of the rate with which a head is made: it knows a good deal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """A head that went on learning.

    `before` and `after` are what a letter costs (`cost_a_letter`) in the recordings that were
    held out; a head that did not get better there is not kept, and `folder` is "".
    """

    folder: str
    before: float
    after: float
    minutes: float
    recordings: int
    held_out: int


def renew(
    workspace: Workspace,
    encoder: str,
    head: Path | None,
    folder: Path,
    *,
    plan: FitPlan = _PLAN,
    device: str = "auto",
    progress: Move = lambda *_: None,
) -> Renewed:
    """Train `head` (else the shipped one) on the gold utterances of a workspace, into `folder`.

    Of every five recordings with such utterances one is held out.  Raises TrainError where
    there is too little to learn from, ModelError for an encoder or a head that is none.
    """
    runs = neighbours(workspace.store.utterances())
    recordings = sorted({run[0].recording for run in runs})
    held_out = recordings[::_HELD_OUT]
    seconds = sum(one.duration for run in runs for one in run if one.kind.sung)
    if len(recordings) < _LEAST_RECORDINGS or seconds < 60 * LEAST_MINUTES:
        raise TrainError(
            f"{seconds / 60:.1f} minutes of {len(recordings)} recordings are checked: a head "
            f"learns from {LEAST_MINUTES:g} minutes of {_LEAST_RECORDINGS} recordings on"
        )
    before = WhisperCTC(resolve(encoder), head, device)
    root = workspace.root.resolve()
    recipe = Recipe(
        head=HeadPart(encoder=encoder, begin=str(before.head.resolve())),
        corpus=(CorpusPart(folder=str(root), hold_out=tuple(held_out)),),
        fit=plan,
    )
    # Where it is made, but nobody was told yet, it is only judged.
    if not (folder / FIGURES_NAME).is_file():
        make_head(recipe, root, folder, device=device, progress=progress)
    judged = [run for run in runs if run[0].recording in held_out]
    language = workspace.config.corpus.language
    costs = [
        cost_a_letter(model, gold(judged, workspace.media, language))
        for model in (before, WhisperCTC(resolve(encoder), folder, device))
    ]
    better = costs[1] < costs[0]
    if not better:
        shutil.rmtree(folder)
    return Renewed(
        folder=str(folder) if better else "",
        before=costs[0],
        after=costs[1],
        minutes=seconds / 60,
        recordings=len(recordings),
        held_out=len(held_out),
    )


def cost_a_letter(model: AcousticModel, checked: Iterable[TimedAudio]) -> float:
    """What a letter of the checked texts costs, nats: CTC's loss (Graves et al. 2006) by letters.

    The less, the better the model hears what is sung; times do not matter to it.  Where a text
    has more letters than there are frames, its audio does not count.
    """
    from torch import from_numpy, tensor
    from torch.nn.functional import ctc_loss

    index = {label: k for k, label in enumerate(model.labels)}
    cost, n_letters = 0.0, 0
    for audio in checked:
        said = [index[c] for c in _letters(audio)]
        heard = from_numpy(model.hear(ArraySamples(audio.samples)).letters.astype("float32"))
        lengths = tensor([len(heard)]), tensor([len(said)])
        found = float(ctc_loss(heard[:, None], tensor([said]), *lengths, reduction="sum"))
        if said and math.isfinite(found):
            cost, n_letters = cost + found, n_letters + len(said)
    if not n_letters:
        raise TrainError("nothing that was held out has letters: let people check more")
    return cost / n_letters


def _letters(audio: TimedAudio) -> Iterator[str]:
    for line in audio.lines:
        for word in line:
            yield from letters(word.text, audio.language)
