"""Keeping the collection in order: sides into tracks, the same master twice, what has to go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpus.commands.shared import Json, extra, find_recording, open_workspace, stage
from corpus.errors import UsageError
from corpus.records import Recording
from corpus.show import as_json, say, table, waiting

if TYPE_CHECKING:
    from corpus.collect.sides import Side
    from corpus.purge import Choice, Purged
    from corpus.workspace import Workspace

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
    from corpus.purge import Choice, chosen, empty_tombs
    from corpus.purge import purge as remove

    workspace = open_workspace(context)
    if not (recording or source or artist):
        n_files = empty_tombs(workspace)
        if not n_files:
            raise UsageError("say what is to go: --recording, --source or --artist")
        say(f"purge: {n_files} files removed that an earlier purge had left")
        return
    id_ = find_recording(workspace.store, recording).id if recording else ""
    choice = chosen(workspace, source=source, artist=artist, recording=id_)
    if choice == Choice():
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


@app.command()
def sides(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An LP side.")],
    tracks: Annotated[int | None, typer.Option(min=1, help="How many there are.")] = None,
    titles: Annotated[
        list[str] | None, typer.Option(help="The title of a track; once for each, in order.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The picture; else in the corpus.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only draw.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Also where it is not sure.")] = False,
    json: Json = False,
) -> None:
    """Cut one side of an LP or a cassette into tracks where it falls silent; draw level and cuts.

    Without a number of tracks it cuts at all clear gaps. The side itself is kept; each track
    refers to it. Where it is not sure, nothing is taken in without --yes.
    """
    with extra("align"):
        from corpus.collect.side_picture import draw_side
    from corpus.collect.sides import side_level, split_side
    from corpus.media import decoded_copy, hash_file, writing

    workspace = open_workspace(context)
    named = titles or []
    n_tracks = tracks or (len(named) or None)
    if named and n_tracks != len(named):
        raise UsageError(f"{n_tracks} tracks and {len(named)} titles: give one title for each")
    with waiting("listening"), decoded_copy(file) as samples:
        level = side_level(samples)
    side = split_side(level, n_tracks)
    picture = output or workspace.root / "sides" / f"{hash_file(file)[:12]}.png"
    with writing(picture) as scratch:
        scratch.write_bytes(draw_side(side, level, named, name=file.name))
    taken = side.sure or yes
    found: list[Recording] = []
    if taken and not dry_run:
        with waiting("taking the tracks in"):
            found = _taken(workspace, file, side, named)
    if json:
        said = {
            "side": found[0].part_of if found else "",
            "picture": str(picture),
            "sure": side.sure,
            "reason": side.reason,
            "cuts": side.cuts,
            "tracks": side.tracks,
            "recordings": [one.id for one in found],
        }
        as_json(said)
    else:
        _tell_side(side, found)
        typer.echo(picture)
    if not taken:
        raise typer.Exit(1)


def _taken(workspace: Workspace, file: Path, side: Side, titles: Sequence[str]) -> list[Recording]:
    """The tracks of a side in the corpus, and the side itself."""
    from corpus.collect.intake import Intake
    from corpus.collect.tracks import take_tracks

    intake = Intake(workspace)
    (item,) = intake.items([str(file)])
    outcome = intake.take_in(item.payload)
    with workspace.store.transaction() as transaction:
        transaction.save(outcome.records)
    whole = next(one for one in outcome.records if isinstance(one, Recording))
    return take_tracks(workspace, whole, side, titles)


def _tell_side(side: Side, found: Sequence[Recording]) -> None:
    rows = [
        (
            k + 1,
            f"{track.start:.1f}",
            f"{track.end:.1f}",
            found[k].title if found else "",
            f"{track.confidence:.2f}",
            track.reason,
        )
        for k, track in enumerate(side.tracks)
    ]
    table(("track", "start", "end", "title", "confidence", "why"), rows)
    if not side.sure:
        say(f"sides: not sure: {side.reason}; look at the picture, then give --tracks or --yes")


@app.command()
def duplicates(context: typer.Context, json: Json = False) -> None:
    """List recordings that are one performance: other encodings, levels, trims, speeds up to 2 %.

    Recordings that are new are fingerprinted first. Publishing keeps copies in one split.
    """
    from corpus.duplicates import clusters, items, take_fingerprint
    from corpus.run import n_cores

    workspace = open_workspace(context)
    stage(
        context,
        workspace,
        "fingerprint",
        items(workspace),
        lambda one: take_fingerprint(workspace, one),
        n_workers=n_cores(),
        after=lambda: _list_clusters(clusters(workspace), json=json),
    )


def _list_clusters(found: Sequence[Sequence[Recording]], *, json: bool) -> None:
    if json:
        as_json([[one.id for one in cluster] for cluster in found])
        return
    rows = [
        (number, one.id[:12], one.artist, one.title, f"{one.duration:.1f}", one.source)
        for number, cluster in enumerate(found, start=1)
        for one in cluster
    ]
    table(("master", "recording", "artist", "title", "seconds", "source"), rows)
    say(f"duplicates: {len(found)} masters of which there are copies")


def _list(choice: Choice) -> None:
    for one in choice.recordings:
        say(f"purge: {one.id[:12]} {one.artist} - {one.title} ({one.source})")
    for letra in choice.letras:
        say(f"purge: the letras of {letra}")
    if choice.pages:
        say(f"purge: {len(choice.pages)} pages that were fetched")


def _tell(purged: Purged) -> None:
    for name, n_rows in purged.rows:
        say(f"purge: {n_rows} rows of {name} removed")
    say(f"purge: {purged.n_files} files removed")
