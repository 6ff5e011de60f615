"""The aligner's head, and the demo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpus.commands.shared import Device, Json, extra
from corpus.show import as_json, say, table

if TYPE_CHECKING:
    from align.fit_figures import Figures

__all__ = ["app"]

app = typer.Typer()


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
