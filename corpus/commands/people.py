"""Verbs for people's work: utterances go out to be corrected, and what was said comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from corpus.commands.shared import Json, open_workspace, stage
from corpus.show import as_json, say, tracker

__all__ = ["app"]

app = typer.Typer()
annotate = typer.Typer(no_args_is_help=True, help="People correct utterances in Label Studio.")
app.add_typer(annotate, name="annotate")


@annotate.command("export")
def export_folder(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The folder to write.")],
    minutes: Annotated[
        float | None, typer.Option(help="At most so many minutes of clips, the worst first.")
    ] = None,
    json: Json = False,
) -> None:
    """Write tasks, a labelling config and clips for Label Studio: what nobody has checked yet."""
    from annotate.stage import export

    made = export(open_workspace(context), folder, minutes, track=tracker("annotate"))
    if json:
        as_json(made)
        return
    say(f"annotate: {made.tasks} tasks, {made.seconds / 60:.1f} minutes of clips in {folder}")
    say("annotate: in Label Studio, set up a project with config.xml and import tasks.json")


@annotate.command("import")
def import_exports(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(help="JSON exports of Label Studio, or folders of them.")
    ],
) -> None:
    """Take annotations in from Label Studio's JSON export; nothing unchecked becomes checked."""
    from annotate.stage import items, take_in

    workspace = open_workspace(context)
    stage(context, workspace, "annotate", items(paths), lambda path: take_in(workspace, path))
