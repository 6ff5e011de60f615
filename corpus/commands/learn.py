"""Verbs that learn and judge: fine-tuning, word error rates, transcripts, the demo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.commands.shared import Device, Json, extra
from corpus.errors import UsageError
from corpus.show import as_json, plain, say, steps, table

if TYPE_CHECKING:
    from align.fit_figures import Figures
    from train.config import TrainConfig
    from train.evaluate import Evaluation

__all__ = ["app"]

app = typer.Typer()

Dataset = Annotated[Path, typer.Argument(exists=True, file_okay=False, help="A dataset folder.")]


@app.command()
def train(
    dataset: Dataset,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder of the new model.")],
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
    epochs: Annotated[int | None, typer.Option(min=1, help="Times over the data.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Wall-clock budget.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Windows of 30 s a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The highest one.")] = None,
    lora: Annotated[bool | None, typer.Option(help="Train a LoRA adapter, merged in.")] = None,
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
    else from the TOML file or the preset, else from the defaults.
    """
    named = {
        "model": model or None,
        "epochs": epochs,
        "minutes": minutes,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "lora": lora,
        "seed": seed,
        "device": device,
    }
    chosen = {name: value for name, value in named.items() if value is not None}
    with extra("train"):
        from train.config import dump_toml
        from train.finetune import finetune

        settings = _settings(_file(config, preset), chosen, output)
    if show:
        typer.echo(dump_toml(settings), nl=False)
        return
    with steps() as move:
        result = finetune(dataset, settings, progress=move)
    say(
        f"train: {result.steps} steps over {result.windows} windows in {result.seconds:.0f} s, "
        f"loss {result.loss_first:.3f} -> {result.loss_last:.3f}"
    )
    for reason, n_rows in result.left_out.items():
        say(f"train: {n_rows} left out: {reason}")
    say(f"train: the model is in {output}")
    judged = _before_and_after(dataset, settings) if judge else []
    if json:
        as_json({"train": result, "test": [_plain(one) for one in judged]})
    elif judged:
        _show(["before", "after"], judged)


def _file(config: Path | None, preset: str) -> Path | None:
    """The file with the settings, if any."""
    from train.config import presets

    if not preset:
        return config
    if config is not None:
        raise UsageError("--config and --preset are both settings: give one of them")
    known = presets()
    if preset not in known:
        raise UsageError(f"there is no preset '{preset}': take one of {', '.join(known)}")
    return known[preset]


def _settings(config: Path | None, chosen: dict[str, Any], output: Path) -> TrainConfig:
    """The settings of a run, its model found on this machine."""
    from dataclasses import replace

    from corpus.models import resolve
    from train.config import TrainConfig, load_toml

    chosen = chosen | {"output": str(output)}
    if config is not None:
        settings = load_toml(config, **chosen)
    else:
        settings = TrainConfig(**({"model": "base"} | chosen))
    return replace(settings, model=str(resolve(settings.model)))


def _before_and_after(dataset: Path, settings: TrainConfig) -> list[Evaluation]:
    from train.data import open_splits

    if "test" not in open_splits(dataset):
        say("train: the dataset has no split 'test': nothing is judged")
        return []
    return [
        _judge(Path(model), dataset, "test", settings.language, 8, settings.device)
        for model in (settings.model, settings.output)
    ]


def _judge(
    model: Path, dataset: Path, split: str, language: str, batch_size: int, device: Any
) -> Evaluation:
    from train.evaluate import evaluate as judge

    with steps() as move:
        return judge(
            model,
            dataset,
            split=split,
            language=language,
            batch_size=batch_size,
            device=device,
            progress=move,
        )


def _plain(judged: Evaluation) -> dict[str, Any]:
    """Scores without the single utterances."""
    return {
        "model": str(judged.model),
        "split": judged.split,
        **plain(judged.scores),
        "by_palo": judged.by_palo,
        "by_singer": judged.by_singer,
        "left_out": judged.left_out,
        "seconds": judged.seconds,
    }


def _show(names: list[str], judged: list[Evaluation]) -> None:
    """Models side by side, then each palo and singer by the last one."""
    from train.report import by_group, compared

    rows = compared([(n, one.scores) for n, one in zip(names, judged, strict=True)])
    _print(rows, f"on {judged[0].split}")
    for name, groups in (("palo", judged[-1].by_palo), ("singer", judged[-1].by_singer)):
        if len(groups) > 1:
            _print(by_group(groups, name), f"{names[-1]}, by {name}")


def _print(rows: Sequence[Mapping[str, object]], title: str) -> None:
    table(list(rows[0]), [list(row.values()) for row in rows], title=title)


@app.command()
def train_aligner(
    config: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The recipe, TOML.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder of the new head.")],
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="Where the recipe's folders are; else beside it."
        ),
    ] = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Steps of training.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed, the same head.")] = None,
    device: Device = "auto",
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep what was heard, in OUTPUT/.work.")
    ] = False,
    json: Json = False,
) -> None:
    """Train the built-in aligner's head on timed lyrics and on speech that is made to sing.

    The same command again carries on where a killed run stopped. The head's folder is a --model
    for `corpus align` and `corpus align-file`. At the end stands how well it places the words of
    the songs that were held out.
    """
    from dataclasses import replace

    from corpus.show import steps as bars

    with extra("fit"):
        from align.fit_run import make_head
        from align.recipe import read_recipe
    recipe = read_recipe(config)
    given = {"steps": steps, "seed": seed}
    chosen = {name: value for name, value in given.items() if value is not None}
    recipe = replace(recipe, fit=replace(recipe.fit, **chosen))
    with extra("fit"), bars() as move:
        made = make_head(
            recipe, data or config.parent, output, device=device, keep=keep, progress=move
        )
    for name, seconds in made.seconds.items():
        say(f"train-aligner: {seconds / 60:.1f} min of {name}")
    say(f"train-aligner: {made.steps} steps, the head is in {output}")
    if json:
        as_json(made)
    elif made.held_out:
        _show_figures(made.held_out)


def _show_figures(rows: Sequence[Figures]) -> None:
    for row in rows:
        if row.failed:
            say(f"train-aligner: {row.song}: {row.failed}")
    columns = ("song", "words", "mean s", "median s", "within 0.3 s", "lines within 0.5 s")
    placed = [row for row in rows if not row.failed]
    cells = [(r.song, r.n_words, r.mean, r.median, r.within, r.lines) for r in placed]
    table(columns, cells, title="Songs held out: onsets of words, and lines from start to end")


@app.command()
def evaluate(
    models: Annotated[list[str], typer.Argument(help="Models: sizes, folders, hub names.")],
    on: Annotated[
        Path, typer.Option("--on", exists=True, file_okay=False, help="A dataset folder.")
    ],
    split: Annotated[str, typer.Option(help="Which split.")] = "test",
    language: Annotated[str, typer.Option(help="Language that is sung.")] = "es",
    batch_size: Annotated[int, typer.Option(min=1, help="Utterances at a time.")] = 8,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Tell WER and CER of Whisper models on a dataset, side by side, by palo and singer.

    Text is compared in lower case and without punctuation; accents count.
    """
    from corpus.models import resolve

    with extra("train"):
        import train.evaluate  # noqa: F401  # a missing extra is told before anything is read
    judged = [_judge(resolve(name), on, split, language, batch_size, device) for name in models]
    if json:
        as_json({"models": [_plain(one) for one in judged]})
    else:
        _show(models, judged)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to make it.")] = Path("cante-demo"),
) -> None:
    """Take a small synthetic cante the whole way with the real commands; compare with the truth.

    The voices are synthetic: the table shows that the parts work together, not how well they do
    on real cante. Needs the dependency group 'demo'.
    """
    from corpus.demo import demo as run

    rows = run(folder, say)
    title = "Synthetic voices (espeak-ng): this says nothing about real cante"
    table(("measure", "value"), [(row.measure, row.value) for row in rows], title=title)
    say(f"Everything made is in {folder}.  Now with your own recordings:")
    say("  corpus init mycorpus && cd mycorpus && corpus collect ~/recordings")
