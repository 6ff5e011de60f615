"""Recordings come in, a dataset goes out."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from corpus.commands.shared import open_workspace, stage
from corpus.errors import UsageError
from corpus.rights import MARKS, rights_of
from corpus.show import say, waiting

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
        typer.Argument(help="Audio files, folders, links, searches, or a table of recordings."),
    ],
    rights: Annotated[
        str, typer.Option(help=f"Of the audio, where nothing else is said: {', '.join(MARKS)}.")
    ] = "",
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many of each link, folder or table.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y%m%d"], help="Of links: put there on or after."),
    ] = None,
    match: Annotated[
        str, typer.Option(help="Of links: a regular expression to be found in the title.")
    ] = "",
    max_duration: Annotated[
        float | None, typer.Option(min=0, help="Of links: at most so many seconds.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=1, help="At most so many kilobytes a second.")
    ] = None,
    retries: Annotated[int, typer.Option(min=0, help="How often a link is tried again.")] = 5,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds to wait for the next byte.")
    ] = 20.0,
    cookies: Annotated[
        Path | None, typer.Option(help="A cookies.txt, for what a browser must be signed in to.")
    ] = None,
    proxy: Annotated[str, typer.Option(help="The URL of a proxy.")] = "",
    allow_local: Annotated[
        bool, typer.Option("--allow-local", help="Links may lead to this machine or network.")
    ] = False,
) -> None:
    """Take recordings in: files, folders, links, searches, or a table with one row a recording.

    A link may be a recording, a playlist or a channel of any site that yt-dlp knows; a search
    is written `ytsearch20:soleá de Alcalá`. What is here already is not fetched again.

    A table (.csv, .tsv or .toml) has the columns song, author, album, year, link, transcription,
    palo, region, sex, rights; others are kept as extra fields. It wins over what a site says.
    """
    from corpus.collect.base import Network, Wanted
    from corpus.collect.intake import Intake
    from corpus.engine import Here
    from corpus.run import n_cores

    if cookies is not None and not cookies.is_file():
        raise UsageError(f"there is no file {cookies}: export the cookies of a browser as a file")
    intake = Intake(
        open_workspace(context),
        wanted=Wanted(
            limit=limit,
            since=since.strftime("%Y%m%d") if since else "",
            match=_pattern(match),
            max_duration=max_duration,
        ),
        network=Network(
            rate=rate and rate * 1000,
            retries=retries,
            timeout=timeout,
            cookies=cookies,
            proxy=proxy,
            allow_local=allow_local,
        ),
        rights=_mark(rights),
    )
    with waiting("looking for recordings"):
        items = intake.items(sources)
    engine = Here(n_workers=n_cores() + 1)
    stage(context, intake.workspace, "collect", items, intake.take_in, engine=engine)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise UsageError(f"--match is no regular expression: {error}") from error
    return text


def _mark(text: str) -> str:
    """The rights as a mark; UsageError for what is none."""
    mark = rights_of(text)
    if mark and re.sub(r"-\d\.\d$", "", mark) not in MARKS:
        raise UsageError(f"--rights: '{text}' is none of {', '.join(MARKS)}")
    return mark
