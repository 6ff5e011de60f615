"""Keeping the collection in order: sides into tracks, the same master twice, what has to go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from corpus.commands.shared import Json, find_recording, open_workspace
from corpus.errors import UsageError
from corpus.show import as_json, say

if TYPE_CHECKING:
    from corpus.purge import Choice, Purged

__all__ = ["app"]

app = typer.Typer()


@app.command()
def purge(
    context: typer.Context,
    recording: Annotated[str, typer.Option(help="How the id of a recording begins.")] = "",
    source: Annotated[
        str, typer.Option(help="A file, folder, link or site, or how it begins.")
    ] = "",
    artist: Annotated[str, typer.Option(help="Everything of one singer.")] = "",
    reason: Annotated[str, typer.Option(help="Kept with the tombstone.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Remove recordings and letras for good: bytes, rows, and all that came of them.

    A tombstone stays, so that a recording is not taken in again. Originals outside the corpus
    are left alone. Run it again after it was killed: it ends what it began.
    """
    from corpus.purge import chosen, empty_tombs
    from corpus.purge import purge as remove

    workspace = open_workspace(context)
    if not (recording or source or artist):
        n_files = empty_tombs(workspace)
        if not n_files:
            raise UsageError("say what is to go: --recording, --source or --artist")
        say(f"purge: {n_files} files removed that an earlier purge had left")
        return
    id_ = find_recording(workspace.store, recording).id if recording else ""
    choice = chosen(workspace.store, source=source, artist=artist, recording=id_)
    if not (choice.recordings or choice.letras):
        raise UsageError("nothing here is of that source or singer: see `corpus recordings`")
    if not json:
        _list(choice)
    if dry_run:
        if json:
            as_json(choice)
        return
    if not yes:
        typer.confirm("Remove all this for good?", abort=True, err=True)
    purged = remove(workspace, choice, reason)
    if json:
        as_json(purged)
    else:
        _tell(purged)


def _list(choice: Choice) -> None:
    for one in choice.recordings:
        say(f"purge: {one.id[:12]} {one.artist} - {one.title} ({one.source})")
    for letra in choice.letras:
        say(f"purge: the letras of {letra}")


def _tell(purged: Purged) -> None:
    for name, n_rows in purged.rows:
        say(f"purge: {n_rows} rows of {name} removed")
    say(f"purge: {purged.n_files} files removed")
