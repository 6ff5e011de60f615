"""From a recipe to a head: listen, train, judge; killed anywhere, the same call carries on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from align.emissions import WhisperCTC, pick_device
from align.encoder import FRAME_RATE, WhisperEncoder
from align.fit import Checkpoint, Features, fit
from align.fit_figures import Figures, figures
from align.fit_sets import AudioSet, audio_sets, held_out
from align.fit_work import Work
from align.head import Head, HeadConfig, load_head, save_head, shipped_head
from align.recipe import BUILT_IN, RECIPE_NAME, HeadPart, Recipe, dump_recipe
from corpus.errors import ConfigError
from corpus.media import hash_file
from corpus.models import resolve
from corpus.records import content_id
from corpus.whole import writing

__all__ = ["FIGURES_NAME", "Made", "make_head"]

FIGURES_NAME = "figures.json"

Heard = list[tuple[AudioSet, list[Features]]]
Move = Callable[[str, int, int], None]
"""Told what is done, how far, and of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A head that was made: seconds heard by set, the mean loss of the last steps, figures.

    `loss` is None where all steps had been done before.
    """

    output: str
    seconds: dict[str, float]
    steps: int
    loss: float | None
    held_out: tuple[Figures, ...]


def make_head(
    recipe: Recipe,
    data: Path,
    output: Path,
    *,
    device: str = "auto",
    keep: bool = False,
    progress: Move = lambda *_: None,
) -> Made:
    """Train a head and write it to a folder with its recipe and its figures.

    `data` is what the folders of the recipe are below.  What was heard and trained
    is kept in OUTPUT/.work until all is done, or for good with `keep`.  Raises
    ConfigError, TrainError, ModelError and MediaError for what cannot be.
    """
    _check_output(output)
    device = pick_device(device)
    folder = _encoder_folder(recipe.head.encoder, data)
    sets, judges = audio_sets(recipe, data), held_out(recipe, data)
    encoder = WhisperEncoder(folder, device)
    recipe = replace(recipe, head=_settled(recipe.head, data, encoder))
    before = _begin_folder(recipe.head.begin, encoder)
    begin = load_head(before) if before else None
    work = Work(
        root=output / ".work",
        encoder=encoder,
        config=begin.config if begin else _config(recipe.head, encoder),
        weights=content_id(*map(hash_file, sorted(folder.glob("model*.safetensors")))),
    )
    heard = _heard(sets, work, progress)
    first = hash_file(before / "head.safetensors") if before else ""
    loss = _train(recipe, heard, work, output, device, progress, begin=begin, first=first)
    model = WhisperCTC(folder, output, device)
    rows = figures(judges, model, lambda done: progress("judge", done, len(judges)))
    made = Made(
        output=str(output),
        seconds=_seconds(heard),
        steps=recipe.fit.steps,
        loss=loss,
        held_out=tuple(rows),
    )
    with writing(output / FIGURES_NAME) as scratch:
        scratch.write_text(json.dumps(asdict(made), ensure_ascii=False, indent=1) + "\n", "utf-8")
    if not keep:
        shutil.rmtree(work.root)
    return made


def _check_output(output: Path) -> None:
    """Another model has a config.json too, which would be lost."""
    if (output / "config.json").exists() and not (output / "head.safetensors").exists():
        raise ConfigError(f"{output} holds something else than a head: name another folder")


def _encoder_folder(name: str, data: Path) -> Path:
    below = data / Path(name).expanduser()
    return resolve(str(below) if below.is_dir() else name)


def _settled(head: HeadPart, data: Path, encoder: WhisperEncoder) -> HeadPart:
    """With its layers chosen, and an encoder that is found from everywhere."""
    n_layers = encoder.n_layers
    layers = head.layers or tuple(
        sorted({round(float(x)) for x in np.linspace(n_layers / 3, n_layers, 5)})
    )
    if max(layers) > n_layers:
        raise ConfigError(
            f"head.layers names {max(layers)}, and {head.encoder} has {n_layers}: "
            f"take some of 0 to {n_layers}"
        )
    below = data / Path(head.encoder).expanduser()
    name = str(below.resolve()) if below.is_dir() else head.encoder
    named = head.begin in {"", BUILT_IN}
    begin = head.begin if named else str((data / Path(head.begin).expanduser()).resolve())
    return replace(head, layers=layers, encoder=name, begin=begin)


def _begin_folder(begin: str, encoder: WhisperEncoder) -> Path | None:
    """The head that is trained on; None where one begins at random."""
    if begin == BUILT_IN:
        return shipped_head(encoder.width, encoder.n_layers)
    return Path(begin) if begin else None


def _config(head: HeadPart, encoder: WhisperEncoder) -> HeadConfig:
    return HeadConfig(
        encoder_width=encoder.width,
        encoder_layers=encoder.n_layers,
        layers=head.layers,
        width=head.width,
        dropout=head.dropout,
        context=head.context,
    )


def _heard(sets: Sequence[AudioSet], work: Work, progress: Move) -> Heard:
    found = []
    for k, audio_set in enumerate(sets):
        progress("listen", k, len(sets))
        found.append((audio_set, work.features(audio_set)))
    progress("listen", len(sets), len(sets))
    return found


def _train(
    recipe: Recipe,
    heard: Heard,
    work: Work,
    output: Path,
    device: str,
    progress: Move,
    *,
    begin: Head | None,
    first: str,
) -> float | None:
    """Write head and recipe; gives the mean loss of the last steps.

    `first` is the digest of the weights that it begins with.
    """
    losses: list[float] = []

    def told(step: int, loss: float) -> None:
        losses.append(loss)
        progress("train", step, recipe.fit.steps)

    what = (work.weights, repr(work.config), repr(recipe.fit), device, first)
    key = content_id(*what, *(one.key for one, _ in heard))
    checkpoint = Checkpoint(file=work.root / f"training-{key}.pt")
    data = [features for _, of_set in heard for features in of_set]
    head = fit(data, work.config, recipe.fit, told, checkpoint, device, begin=begin)
    save_head(head, output)
    with writing(output / RECIPE_NAME) as scratch:
        scratch.write_text(dump_recipe(recipe), "utf-8")
    return float(np.mean(losses[-50:])) if losses else None


def _seconds(heard: Heard) -> dict[str, float]:
    found: dict[str, float] = {}
    for one, of_set in heard:
        n_frames = sum(len(features.states) for features in of_set)
        found[one.name] = found.get(one.name, 0.0) + n_frames / FRAME_RATE
    return found
