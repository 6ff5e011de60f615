"""Recordings and letras come in, a dataset goes out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from corpus.commands.shared import Json, open_workspace, stage
from corpus.records import Tier
from corpus.show import as_json, say, tracker

__all__ = ["app"]

app = typer.Typer()


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The folder to make; may exist.")] = Path(),
) -> None:
    """Make a corpus: a commented corpus.toml, an empty store, a media folder."""
    from corpus.workspace import Workspace

    workspace = Workspace.create(folder)
    workspace.store.close()
    say(f"made {workspace.root / 'corpus.toml'}")
    there = "" if folder == Path() else f"cd {folder} && "
    say(f"next: {there}corpus collect RECORDINGS...")


@app.command()
def collect(
    context: typer.Context,
    sources: Annotated[
        list[str],
        typer.Argument(help="Audio files, folders, links, or a CSV of recordings."),
    ],
) -> None:
    """Take recordings in: files, folders, links, or a table with one row a recording.

    A table has the columns song, author, album, year, link, transcription, palo, region, sex;
    others are kept as extra fields.
    """
    from corpus.collect.intake import items, take_in

    workspace = open_workspace(context)
    stage(context, workspace, "collect", items(sources), lambda f: take_in(workspace, f))


@app.command()
def lyrics(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(help="Files (.txt, .lrc, .csv, .json, .jsonl) or folders.")
    ],
) -> None:
    """Take letras in: their stanzas become verses."""
    from corpus.lyrics import items, take_in

    workspace = open_workspace(context)
    rights = workspace.config.corpus.rights
    stage(context, workspace, "lyrics", items(paths), lambda path: take_in(path, rights))


@app.command()
def publish(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The folder to make.")],
    min_tier: Annotated[
        Tier, typer.Option(help="Only utterances of this tier and better.")
    ] = Tier.SILVER,
    train: Annotated[float | None, typer.Option(min=0, max=1, help="Share of train.")] = None,
    validation: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of validation.")
    ] = None,
    test: Annotated[float | None, typer.Option(min=0, max=1, help="Share of test.")] = None,
    json: Json = False,
) -> None:
    """Write a Hugging Face dataset: parquet with audio, splits by singer, a card.

    Nothing leaves the machine. Shares are those of corpus.toml where they are not given; given
    ones must add up to 1.
    """
    from corpus.publish.stage import publish as write

    workspace = open_workspace(context)
    given = {"train": train, "validation": validation, "test": test}
    shares = {name: share for name, share in given.items() if share is not None}
    made = write(
        workspace,
        folder,
        shares=shares or workspace.config.publish.model_dump(),
        min_tier=min_tier,
        track=tracker("publish"),
    )
    if json:
        as_json(made)
        return
    rows = ", ".join(f"{n_rows} {split}" for split, n_rows in made.rows)
    say(f"publish: {made.folder}: {rows} utterances, {made.seconds / 60:.1f} minutes")
    for reason, n_rows in made.left_out:
        say(f"publish: {n_rows} left out: {reason}")
