"""Verbs that look after a corpus: what is wrong here, is all as it was, copies and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpus.commands.shared import Json, open_workspace
from corpus.errors import UsageError
from corpus.show import as_json, say, steps, table

if TYPE_CHECKING:
    from corpus.care.backup import BackedUp
    from corpus.care.move import MovedMedia, MovedStore
    from corpus.care.problem import Problem
    from corpus.care.restore import Restored

__all__ = ["app"]

app = typer.Typer()

Quick = Annotated[
    bool, typer.Option("--quick", help="Look for files and compare lengths, but read none.")
]
Backup = Annotated[
    Path, typer.Argument(metavar="BACKUP", help="A folder of backups, or a file that ends in .tar.")
]


@app.command()
def verify(
    context: typer.Context,
    quick: Quick = False,
    mend: Annotated[
        bool, typer.Option("--mend", help="Bring audio back that is missing or damaged.")
    ] = False,
    backup: Annotated[
        Path | None, typer.Option(exists=True, help="With --mend: a backup to take audio from.")
    ] = None,
    json: Json = False,
) -> None:
    """Read every file again and follow every reference, to see whether all is as it was.

    Originals must have the bytes that they are named by, what is heard its length and samples,
    releases their digests; rows must be readable, and what they name be there. Audio without a
    recording is named too. Leaves with 1 where something is wrong.
    """
    from corpus.care.mend import mend as bring_back
    from corpus.care.verify import verify as look

    workspace = open_workspace(context)
    with steps() as step:
        found = look(workspace, quick=quick, step=step)
        left = list(found.problems)
        if mend:
            left = bring_back(workspace, left, backup, step)
    if json:
        as_json({"recordings": found.recordings, "files": found.files, "problems": left})
    else:
        _list(left)
        n_mended = len(found.problems) - len(left)
        mended = [f"{n_mended} mended"] if mend else []
        said = [f"{found.recordings} recordings", f"{found.files} files", *mended]
        say(f"verify: {', '.join(said)}, {len(left)} wrong")
    if left:
        raise typer.Exit(1)


def _list(problems: list[Problem]) -> None:
    for one in problems:
        typer.echo(f"{one.item}: {one.says}")
        typer.echo(f"    -> {one.mend}")


@app.command()
def backup(
    context: typer.Context,
    target: Backup,
    media: Annotated[
        bool, typer.Option("--media/--no-media", help="Audio too, or all but that.")
    ] = True,
    link: Annotated[
        bool,
        typer.Option(
            "--link",
            help="Audio as further names of the same bytes: no copy, for who purges by mistake.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Copy the corpus: rows, settings, letras, releases, models, audio; others may work meanwhile.

    A folder takes only what it has not yet: run it again tomorrow. Killed anywhere, what was there
    stays whole, and the same command carries on. A file that ends in .tar is made anew.
    """
    from corpus.care.backup import back_up

    workspace = open_workspace(context)
    with steps() as step:
        done = back_up(workspace, target, media=media, link=link, step=step)
    if json:
        as_json({**_plain(done), "target": str(done.target)})
    else:
        _tell_backup(done)
    if done.missing:
        raise typer.Exit(1)


def _plain(done: BackedUp | Restored) -> dict[str, object]:
    from dataclasses import asdict

    return asdict(done)


def _tell_backup(done: BackedUp) -> None:
    for missing in done.missing:
        say(f"backup: {missing}")
    if done.left_out:
        say(f"backup: not of the corpus, and not copied: {', '.join(done.left_out)}")
    new = f"{done.new_files} new, {done.new_bytes / 1e6:.1f} MB"
    say(
        f"backup: {sum(done.rows.values())} rows, {done.n_files} files, "
        f"{done.n_bytes / 1e6:.1f} MB ({new}) in {done.target}"
    )


@app.command()
def restore(
    target: Backup,
    folder: Annotated[Path, typer.Argument(help="A new or an empty folder.")],
    store: Annotated[
        str, typer.Option(help="The URL of an empty database; else as corpus.toml has it.")
    ] = "",
    json: Json = False,
) -> None:
    """Make a corpus out of a backup, in a new folder; each byte is compared with its digest.

    With --store, rows go from SQLite to PostgreSQL, or back. Damaged audio is left out and named.
    """
    from corpus.care.restore import restore as bring_back
    from corpus.care.verify import verify as look
    from corpus.workspace import Workspace

    with steps() as step:
        done = bring_back(target, folder, store=store, step=step)
    if not json:
        # First: a bucket that cannot be reached would be all that is heard of it.
        _tell_restored(done)
    with steps() as step:
        workspace = Workspace.open(done.folder)
        try:
            # Every byte was just compared.
            found = look(workspace, quick=True, step=step).problems
        finally:
            workspace.store.close()
    there = done.media or done.elsewhere
    problems = [one for one in found if there or one.place not in {"original", "flac"}]
    if json:
        as_json({**_plain(done), "folder": str(done.folder), "problems": problems})
    else:
        _list(problems)
    if done.damaged or problems:
        raise typer.Exit(1)


def _tell_restored(done: Restored) -> None:
    for damaged in done.damaged:
        say(f"restore: {damaged}")
    if done.elsewhere:
        say(f"restore: the audio was not in the backup: it is where it was, in {done.elsewhere}")
    elif not done.media:
        say("restore: the backup is without audio: put it back, or run `corpus verify --mend`")
    say(
        f"restore: {sum(done.rows.values())} rows and {done.n_files} files of {done.made} in "
        f"{done.folder}"
    )


@app.command()
def move(
    context: typer.Context,
    store: Annotated[
        str,
        typer.Option(
            help="The URL of an empty database, as postgresql+psycopg://user@host/corpus."
        ),
    ] = "",
    media: Annotated[
        str, typer.Option(help="A folder, or a bucket as s3://bucket/corpus, with no other audio.")
    ] = "",
    json: Json = False,
) -> None:
    """Move the corpus to another database, its audio to another place, or both, and back again.

    All is copied and counted here and there; then corpus.toml names the new place, at once. What
    was stays as it is: remove it when you like. Killed anywhere, it is here or there, and the same
    command carries on. Nobody else can write while rows are copied.
    """
    from corpus.care.move import move_media, move_store

    if not (store or media):
        raise UsageError("say where to: --store URL, --media PLACE, or both")
    workspace = open_workspace(context)
    told: dict[str, object] = {}
    # Audio first: it takes longest, and others may work on while it is copied.
    if media:
        with steps() as step:
            told["media"] = moved = move_media(workspace, media, step)
        if not json:
            _tell_moved_media(moved)
    if store:
        # corpus.toml may have changed just now.
        workspace = open_workspace(context)
        with steps() as step:
            told["store"] = rows = move_store(workspace, store, step)
        if not json:
            _tell_moved_store(rows)
    if json:
        as_json(told)


def _tell_moved_media(moved: MovedMedia) -> None:
    say(
        f"move: {moved.here} files here, {moved.there} there, {moved.n_bytes / 1e6:.1f} MB "
        f"({moved.copied} copied now)"
    )
    say(f"move: the audio is in {moved.after}; what is in {moved.before} was left as it is")


def _tell_moved_store(moved: MovedStore) -> None:
    rows = [(name, n_rows, moved.there[name]) for name, n_rows in moved.here.items()]
    table(("table", "rows here", "rows there"), rows)
    say(f"move: the store is {moved.after}; {moved.before} was left as it is")
