"""The verb that gives a release without sound the sound of one's own copies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpus.commands.shared import Json, extra, find_release
from corpus.errors import UsageError
from corpus.show import as_json, say, table, tracker

if TYPE_CHECKING:
    from corpus.publish.rebuild import Rebuilt

__all__ = ["app"]

app = typer.Typer()


@app.command()
def rebuild(
    context: typer.Context,
    release: Annotated[str, typer.Argument(help="A release without sound: its name or folder.")],
    media: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="Where your recordings are.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Else RELEASE-rebuilt beside it.")
    ] = None,
    audio: Annotated[str, typer.Option(help="flac, or opus, an eighth of it.")] = "flac",
    json: Json = False,
) -> None:
    """Give a release without sound the sound of your own copies of its recordings.

    They are found by how they sound, at any depth below the folder, whatever they are called.
    What is missing is written to missing.csv in the new folder, with the reason.
    """
    from corpus.publish.clips import Codec

    if audio not in (codecs := [codec.value for codec in Codec]):
        raise UsageError(f"--audio is {' or '.join(codecs)}, not '{audio}'")
    folder = find_release(context, release)
    with extra("publish"):
        from corpus.publish.rebuild import rebuild as build

    target = output or folder.resolve().with_name(f"{folder.resolve().name}-rebuilt")
    made = build(folder, media, target, codec=Codec(audio), track=tracker("copies"))
    if json:
        as_json(made)
    else:
        _tell(made)
    if made.missing:
        raise typer.Exit(1)


def _tell(made: Rebuilt) -> None:
    rows = ", ".join(f"{n_rows} {split}" for split, n_rows in made.rows.items())
    say(f"rebuild: {made.folder}: {rows} utterances")
    for path, reason in made.unreadable.items():
        say(f"rebuild: {path}: {reason}")
    if made.missing:
        cells = [
            (m.recording[:12], m.singer, m.title, m.utterances, m.reason) for m in made.missing
        ]
        table(("recording", "singer", "title", "utterances missing", "reason"), cells)
