"""Keeping the collection in order: sides into tracks, the same master twice, what has to go."""

from __future__ import annotations

import re
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
    from corpus.purge import empty_tombs, unfinished
    from corpus.purge import purge as remove

    workspace = open_workspace(context)
    ended = unfinished(workspace) and not dry_run
    if ended:
        say(f"purge: {empty_tombs(workspace)} files removed that an earlier purge had left")
    elif not (recording or source or artist):
        raise UsageError("say what is to go: --recording, --source or --artist")
    choice = _chosen(workspace, recording, source, artist, ended=ended)
    if choice is None:
        return
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


def _chosen(
    workspace: Workspace, recording: str, source: str, artist: str, *, ended: bool
) -> Choice | None:
    """What is to go, UsageError where nothing is; None where it is the purge that was `ended`."""
    from corpus.purge import Choice, chosen

    known = not recording or bool(workspace.store.recordings_of(recording.lower()))
    if known or not ended:
        id_ = find_recording(workspace.store, recording).id if recording else ""
        choice = chosen(workspace, source=source, artist=artist, recording=id_)
        if choice != Choice():
            return choice
    if ended:
        return None
    raise UsageError("nothing here is of that source or singer: see `corpus recordings`")


@app.command()
def sides(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An LP side.")],
    tracks: Annotated[int | None, typer.Option(min=1, help="How many there are.")] = None,
    titles: Annotated[
        list[str] | None, typer.Option(help="The title of a track; once for each, in order.")
    ] = None,
    durations: Annotated[
        str, typer.Option(help='As the sleeve has them, one for each track: "3:10 4:05 2:50".')
    ] = "",
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
    from corpus.collect.side_level import side_level
    from corpus.collect.sides import split_side
    from corpus.media import decoded_copy, hash_file
    from corpus.whole import writing

    workspace = open_workspace(context)
    named, lasting = titles or [], _durations(durations)
    n_tracks = tracks or len(lasting) or len(named) or None
    for given, what in ((named, "title"), (lasting, "duration")):
        if given and n_tracks != len(given):
            raise UsageError(f"{n_tracks} tracks and {len(given)} {what}s: give one for each")
    if output and output.resolve() == file.resolve():
        raise UsageError(f"{output} is the side itself: name another file for the picture")
    with waiting("listening"), decoded_copy(file) as samples:
        level = side_level(samples)
    side = split_side(level, n_tracks, lasting)
    picture = output or workspace.root / "sides" / f"{hash_file(file)[:12]}.png"
    with writing(picture) as scratch:
        scratch.write_bytes(draw_side(side, level, named, name=file.name))
    taken = side.sure or yes
    id_, found = "", list[Recording | None]()
    if taken and not dry_run:
        if named and len(named) != len(side.tracks):
            raise UsageError(f"{side.reason}: which title is whose cannot be told, see {picture}")
        with waiting("taking the tracks in"):
            id_, found = _taken(workspace, file, side, named)
    if json:
        said = {
            "side": id_,
            "picture": str(picture),
            "sure": side.sure,
            "reason": side.reason,
            "cuts": side.cuts,
            "tracks": side.tracks,
            "recordings": [one and one.id for one in found],
        }
        as_json(said)
    else:
        _list_tracks(side, found)
        typer.echo(picture)
    if not side.sure:
        advice = "" if taken else "; look at the picture, then give --tracks, --durations or --yes"
        say(f"sides: not sure: {side.reason}{advice}")
    if not taken:
        raise typer.Exit(1)


def _durations(text: str) -> list[float]:
    """Seconds, of what stands as 3:10 or 1:02:30; raises UsageError for what is no such thing."""
    found = []
    for word in text.replace(",", " ").split():
        if not re.fullmatch(r"(\d+:)?\d{1,3}:\d\d", word, re.ASCII):
            raise UsageError(f"{word} is no duration: give minutes and seconds, as in 3:10")
        found.append(float(sum(int(part) * 60**k for k, part in enumerate(word.split(":")[::-1]))))
    return found


def _taken(
    workspace: Workspace, file: Path, side: Side, titles: Sequence[str]
) -> tuple[str, list[Recording | None]]:
    """The id of a side that is in the corpus now, and its tracks; None for those once purged."""
    from corpus.collect.intake import Intake
    from corpus.collect.tracks import overlapping, take_tracks
    from corpus.media import hash_file

    intake = Intake(workspace)
    (item,) = intake.items([str(file)])
    outcome = intake.take_in(item.payload)
    with workspace.store.transaction() as transaction:
        transaction.save(outcome.records)
    if outcome.note:
        say(f"sides: {outcome.note}")
    (whole,) = workspace.store.recordings_of(hash_file(file))
    found = take_tracks(workspace, whole, side, titles)
    for k, one in enumerate(found, start=1):
        if one is None:
            say(f"sides: track {k} was purged: it is not taken in again")
    for old in overlapping(workspace, whole.id, [one for one in found if one]):
        say(
            f"sides: an earlier cut left {old.title}, which overlaps: "
            f"corpus purge --recording {old.id[:12]}"
        )
    return whole.id, found


def _list_tracks(side: Side, found: Sequence[Recording | None]) -> None:
    recordings = found or [None] * len(side.tracks)
    rows = [
        (
            k,
            f"{track.start:.1f}",
            f"{track.end:.1f}",
            one.title if one else "",
            f"{track.confidence:.2f}",
            track.reason,
        )
        for k, (track, one) in enumerate(zip(side.tracks, recordings, strict=True), start=1)
    ]
    table(("track", "start", "end", "title", "confidence", "why"), rows)


@app.command()
def duplicates(context: typer.Context, json: Json = False) -> None:
    """List recordings that are one performance: other encodings, levels, trims, speeds up to 2 %.

    Recordings that are new are fingerprinted first. Publishing keeps copies in one split.
    """
    from corpus.duplicates import clusters, items, take_fingerprint
    from corpus.engine import Here
    from corpus.run import n_cores

    workspace = open_workspace(context)
    stage(
        context,
        workspace,
        "fingerprint",
        items(workspace),
        lambda one: take_fingerprint(workspace, one),
        engine=Here(n_workers=n_cores()),
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
    for release, n_rows in purged.published:
        say(
            f"purge: the release {release} holds {n_rows} rows of it: `corpus withdraw {release} "
            "NEW` makes one without them, to push where that one was"
        )
    for release, n_rows in purged.elsewhere:
        say(
            f"purge: the release {release}, whose folder is not in the corpus, held {n_rows} rows "
            "of it: `corpus withdraw FOLDER NEW` makes one without them"
        )
