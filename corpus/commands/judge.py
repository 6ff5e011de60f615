"""The verb that judges: word error rates of Whisper models side by side, and what explains them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.commands.engines import Devices, Processes, RayAddress, engine_of
from corpus.commands.language import sung_language
from corpus.commands.shared import Device, Json, extra, find_dataset, open_workspace, utilisation
from corpus.errors import UsageError
from corpus.show import as_json, say, steps, table

if TYPE_CHECKING:
    from corpus.engine import Engine
    from train.findings import Report
    from train.long_form import Recordings

__all__ = ["app", "judge", "show"]

app = typer.Typer()


@app.command()
def evaluate(
    context: typer.Context,
    models: Annotated[list[str], typer.Argument(help="Models: sizes, folders, hub names.")],
    on: Annotated[
        str,
        typer.Option("--on", help="A release by name, the folder of a dataset, or its hub name."),
    ],
    split: Annotated[str, typer.Option(help="Which split.")] = "test",
    language: Annotated[
        str, typer.Option(help="Language that is sung; else that of the dataset.")
    ] = "",
    beam: Annotated[int, typer.Option(min=1, help="Beams; 1 is greedy.")] = 1,
    backend: Annotated[
        str, typer.Option(help="What runs the models: transformers or faster-whisper.")
    ] = "transformers",
    compare_backends: Annotated[
        bool, typer.Option("--compare-backends", help="Tell whether both write the same.")
    ] = False,
    whole: Annotated[
        bool,
        typer.Option("--long", help="Write whole recordings too; run it in their corpus."),
    ] = False,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Only so many utterances, spread over the split.")
    ] = None,
    function_words: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Words that say little, for the reading of content."
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="A folder for a page, a table in Markdown and JSON.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Utterances at a time.")] = 8,
    precision: Annotated[
        str, typer.Option(help="float32 or bfloat16; auto: bfloat16 where the chip has it.")
    ] = "auto",
    device: Device = "auto",
    devices: Devices = "",
    processes: Processes = None,
    ray: RayAddress = "",
    json: Json = False,
) -> None:
    """Tell WER and CER of Whisper models on a dataset, side by side, and what explains the errors.

    Text is compared as sung (lower case, no punctuation; accents count), in one spelling of each
    sound, and without function words. Intervals (95 %) come from drawing recordings anew.
    """
    dataset = find_dataset(context, on)
    with extra("train"):
        from train.backends import BACKENDS
        from train.config import PRECISIONS
        from train.function_words import read_function_words

    for name, given, known in (
        ("backend", backend, BACKENDS),
        ("precision", precision, PRECISIONS),
    ):
        if given not in known:
            raise UsageError(f"there is no {name} '{given}': take one of {', '.join(known)}")
    recordings = _recordings(context) if whole else None
    found = judge(
        _resolved(models),
        dataset,
        recordings=recordings,
        engine=engine_of(processes, ray, device, devices),
        split=split,
        language=sung_language(context, language, dataset),
        backend=backend,
        beam=beam,
        precision=precision,
        batch_size=batch_size,
        device=device,
        sample=sample,
        compare=compare_backends,
        function_words=read_function_words(function_words) if function_words else None,
    )
    if report is not None:
        _write(found, report, dataset)
    if json:
        from train.report import as_plain

        as_json(as_plain(found))
    else:
        show(found)


def judge(
    models: Mapping[str, Path],
    dataset: str | Path,
    *,
    recordings: Recordings | None = None,
    engine: Engine | None = None,
    **how: Any,
) -> Report:
    """How models do, with a bar; `how` are the fields of `train.evaluate.How`."""
    # What runs a model is imported when one is opened.
    with extra("train"), steps() as move:
        from train.evaluate import How
        from train.evaluate import evaluate as run

        return run(models, dataset, How(**how), recordings=recordings, engine=engine, progress=move)


def _resolved(models: Sequence[str]) -> dict[str, Path]:
    """Where models are, by the names that a report gives them: no paths where a folder's own do."""
    from corpus.models import resolve

    short = [Path(name).resolve().name if Path(name).is_dir() else name for name in models]
    names = short if len(set(short)) == len(set(models)) else models
    # Workers may stand in another folder.
    return {name: resolve(given).absolute() for name, given in zip(names, models, strict=True)}


def _recordings(context: typer.Context) -> Recordings:
    """The sound of whole recordings in the corpus that the command is given in."""
    return open_workspace(context).media.samples


def _write(found: Report, folder: Path, dataset: str | Path) -> None:
    with extra("train"):
        from train.data import open_splits
        from train.page import write_report
    page = write_report(found, folder, sound=open_splits(dataset)[found.split].sound)
    say(f"evaluate: the page is {page}")


def show(found: Report) -> None:
    """Models side by side; then what the last one does by group, and what explains its errors."""
    from train.report import by_group, compared, questions

    _side_by_side(compared(found), f"on {found.split}")
    last = found.findings[-1]
    for question in questions(last):
        rows = by_group(last, question)
        if len(rows) > 1:
            _print(rows, f"{last.model}, by {question}")
    if last.effects:
        effects = [(one.name, one.points, one.low, one.high) for one in last.effects]
        title = f"{last.model}: how much WER goes with each, from its lowest to its highest"
        table(("mark or share", "WER", "from", "to"), effects, title=title)
    for reason, n in last.left_out:
        say(f"evaluate: {n} left out: {reason}")
    for note in found.notes:
        say(f"evaluate: {note}")
    for one in found.findings:
        if one.busy is not None:
            say(f"evaluate: {one.model}: {utilisation(one.workers, one.busy)}")


def _side_by_side(rows: Sequence[Mapping[str, object]], title: str) -> None:
    """A column for each model: names of measures are longer than their values."""
    _, *measures = rows[0]
    cells = [(measure, *(row[measure] for row in rows)) for measure in measures]
    table(("", *(str(row["model"]) for row in rows)), cells, title=title)


def _print(rows: Sequence[Mapping[str, object]], title: str) -> None:
    table(list(rows[0]), [list(row.values()) for row in rows], title=title)
