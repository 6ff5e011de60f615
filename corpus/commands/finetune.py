"""The verb that fine-tunes Whisper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.commands.judge import judge as judged_on
from corpus.commands.judge import show as show_judged
from corpus.commands.language import sung_language
from corpus.commands.shared import Json, extra, find_dataset, newest_release
from corpus.errors import UsageError
from corpus.show import as_json, say, steps

if TYPE_CHECKING:
    from train.config import TrainConfig
    from train.findings import Report

__all__ = ["app"]

app = typer.Typer()


@app.command()
def train(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            help="A release by name, the folder of a dataset or its name at the hub; or settings "
            "(TOML), for the newest release or what --on says."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The folder of the new model.")
    ] = None,
    on: Annotated[str, typer.Option("--on", help="The dataset, where settings come first.")] = "",
    config: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Settings, TOML.")
    ] = None,
    preset: Annotated[
        str,
        typer.Option(help="Settings that come along: quick, base-cpu, small-gpu, large-lora."),
    ] = "",
    model: Annotated[
        str, typer.Option(help="Whisper to begin with: a size, a folder, a hub name.")
    ] = "",
    language: Annotated[
        str, typer.Option(help="Language that is sung; else that of the dataset.")
    ] = "",
    epochs: Annotated[int | None, typer.Option(min=1, help="Times over the data.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Wall-clock budget.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Windows of 30 s a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The highest one.")] = None,
    lora: Annotated[bool | None, typer.Option(help="Train a LoRA adapter, merged in.")] = None,
    general: Annotated[
        str | None,
        typer.Option(
            help="Speech that shall not be forgotten: a dataset, judged before and after."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed, the same run.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps or auto.")] = None,
    judge: Annotated[
        bool, typer.Option(help="Tell WER and CER on the split test, before and after.")
    ] = True,
    show: Annotated[
        bool, typer.Option("--print", help="Only print all settings, as TOML.")
    ] = False,
    json: Json = False,
) -> None:
    """Fine-tune Whisper on a published dataset; tell WER and CER before and after.

    The same command again carries on where a killed run stopped. Settings come from the options,
    else from the TOML file or the preset, else from the defaults. Several GPUs: `accelerate launch
    -m corpus.cli train ...`.
    """
    named = {
        "model": model or None,
        "language": language or None,
        "output": str(output) if output else None,
        "epochs": epochs,
        "minutes": minutes,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "lora": lora,
        "general": general,
        "seed": seed,
        "device": device,
    }
    chosen = {name: value for name, value in named.items() if value is not None}
    with extra("train"):
        from train.config import dump_toml
        from train.finetune import finetune
    first = what.endswith(".toml")
    file = _file([Path(what) if first else None, config], preset)
    settings = _settings(file, chosen)
    # Settings alone are printed without a dataset.
    place = on if first else what
    dataset = None
    if place:
        dataset = find_dataset(context, place)
    elif not show:
        dataset = newest_release(context, to_hear=True)
    if not language:
        settings = _in_its_language(context, settings, file, dataset)
    if dataset is None or show:
        typer.echo(dump_toml(settings), nl=False)
        return
    if _first_process(settings):
        _print_settings(settings)
    with steps() as move:
        result = finetune(dataset, settings, progress=move, tell=lambda line: say(f"train: {line}"))
    if not _first_process(settings):
        return
    say(
        f"train: {result.steps} steps over {result.windows} windows in {result.seconds:.0f} s, "
        f"loss {result.loss_first:.3f} -> {result.loss_last:.3f}"
    )
    if result.checks:
        rates = ", ".join(f"{rate:.3f}" for rate in result.checks)
        say(f"train: WER on validation along the way: {rates}; the best is kept")
    say(f"train: the model is in {settings.output}")
    judged = _before_and_after(dataset, settings) if judge else {}
    if json:
        from train.report import as_plain

        as_json({"train": result, **{n: as_plain(one)["models"] for n, one in judged.items()}})
        return
    for one in judged.values():
        show_judged(one)


def _print_settings(settings: TrainConfig) -> None:
    """What the run is told, in one line; the file beside the model has it as TOML."""
    from dataclasses import asdict

    told = {name: value for name, value in asdict(settings).items() if value is not None}
    say("train: " + ", ".join(f"{name} {value}" for name, value in told.items()))


def _first_process(settings: TrainConfig) -> bool:
    from accelerate import PartialState

    from train.device import pick_device

    # Who asks first decides, for all, what the processes talk by.
    return bool(PartialState(cpu=pick_device(settings.device) == "cpu").is_main_process)


def _file(files: list[Path | None], preset: str) -> Path | None:
    """The one file with the settings, if any."""
    from train.config import presets

    given = [path for path in files if path is not None]
    if len(given) + bool(preset) > 1:
        raise UsageError("settings are given twice: take one of a TOML file, --config and --preset")
    if not preset:
        return given[0] if given else None
    known = presets()
    if preset not in known:
        raise UsageError(f"there is no preset '{preset}': take one of {', '.join(known)}")
    return known[preset]


def _settings(config: Path | None, chosen: dict[str, Any]) -> TrainConfig:
    """The settings of a run, its model found on this machine."""
    from dataclasses import replace

    from corpus.models import resolve
    from train.config import TrainConfig, load_toml

    if config is None and "output" not in chosen:
        raise UsageError("where shall the new model go? Give --output FOLDER")
    settings = load_toml(config, **chosen) if config else TrainConfig(**chosen)
    return replace(settings, model=str(resolve(settings.model)))


def _in_its_language(
    context: typer.Context, settings: TrainConfig, file: Path | None, dataset: str | Path | None
) -> TrainConfig:
    """The settings with the language of the dataset, where their file does not say another."""
    from dataclasses import replace

    from corpus.workspace import read_toml

    if file is not None and "language" in read_toml(file):
        return settings
    return replace(settings, language=sung_language(context, "", dataset))


def _before_and_after(dataset: str | Path, settings: TrainConfig) -> dict[str, Report]:
    """How the model did before and does after: on the dataset, and on general speech if named."""
    from train.data import open_splits

    models = {"before": Path(settings.model), "after": Path(settings.output)}
    found: dict[str, Report] = {}
    if not settings.general:
        say("train: no general speech is named (--general): what is forgotten is not measured")
    for name, where in (("test", dataset), ("general", settings.general)):
        if not where:
            continue
        if settings.streaming and name == "test":
            say(
                f"train: a stream is not judged here: `corpus evaluate {settings.output} --on "
                f"{where}` fetches it"
            )
            continue
        splits = list(open_splits(where))
        split = "test" if "test" in splits or name == "test" else splits[-1]
        if split not in splits:
            say("train: the dataset has no split 'test': nothing is judged")
            continue
        found[name] = judged_on(
            models, where, split=split, language=settings.language, device=settings.device
        )
    return found
