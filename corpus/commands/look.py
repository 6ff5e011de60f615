"""What there is, and how far it has come: listings, and one recording to look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpus.commands.shared import (
    Json,
    Limit,
    extra,
    find_recording,
    find_utterances,
    first,
    open_workspace,
    shown,
)
from corpus.show import as_json, as_json_list, plain, progress, table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from corpus.records import Recording
    from corpus.workspace import Workspace

__all__ = ["app"]

app = typer.Typer()

MEASURES_SHOWN = ("loudness, LUFS", "noise below music, dB", "bandwidth, Hz")

OneRecording = Annotated[
    str, typer.Argument(metavar="RECORDING", help="Its id, or how that begins.")
]


@app.command()
def status(context: typer.Context, json: Json = False) -> None:
    """Show how much of the corpus has come how far, and what failed and why."""
    store = open_workspace(context).store
    funnel = store.funnel()
    if json:
        as_json(funnel)
        return
    rows = [
        ("recordings", funnel.recordings),
        ("hours", f"{funnel.hours:.2f}"),
        ("verses", funnel.verses),
        ("recordings matched", funnel.matched),
        ("matches to review", funnel.to_review),
        ("recordings aligned", funnel.aligned),
        ("utterances", funnel.utterances),
        ("utterances corrected", funnel.corrected),
        ("utterances published", funnel.published),
        ("failed", len(funnel.failed)),
    ]
    table(("stage", "count"), rows)
    if funnel.failed:
        failed = [(done.stage, shown(store, done.item), done.note) for done in funnel.failed]
        table(("stage", "item", "reason"), failed, title="failed")


@app.command()
def recordings(context: typer.Context, limit: Limit = None, json: Json = False) -> None:
    """List the recordings."""
    store = open_workspace(context).store
    found = first(store.each_recording(), limit, "recordings", json=json)
    if json:
        as_json_list(found)
        return
    rows = [(r.id[:12], r.title, r.artist, r.palo, r.year, r.duration, r.rights) for r in found]
    table(("id", "title", "artist", "palo", "year", "seconds", "rights"), rows)


@app.command()
def features(context: typer.Context, json: Json = False) -> None:
    """List what was measured of the recordings as they came in, and the marks this suggests.

    Each mark takes 0 to 2 points off for what it names: a person decides. `--json` has every
    measure, and the one behind each mark.
    """
    store = open_workspace(context).store
    found = store.features()
    if json:
        as_json(list(found.values()))
        return
    titles = {recording.id: recording.title for recording in store.recordings()}
    rows = []
    for id_, one in found.items():
        measures = dict(one.measures)
        shown = [f"{measures[m]:.1f}" if m in measures else "" for m in MEASURES_SHOWN]
        marks = ", ".join(f"{mark.name} {mark.points}" for mark in one.marks if mark.points)
        rows.append((id_[:12], titles.get(id_, ""), *shown, marks))
    table(("id", "title", *MEASURES_SHOWN, "suggested marks"), rows)


@app.command()
def verses(context: typer.Context, limit: Limit = None, json: Json = False) -> None:
    """List the verses; variants of one copla name the verse that stands for it."""
    store = open_workspace(context).store
    coplas = store.coplas()
    found = first(store.verses(), limit, "verses", json=json)
    if json:
        as_json_list(
            {"id": verse.id, "copla": coplas.get(verse.id, verse.id), **plain(verse)}
            for verse in found
        )
        return
    rows = [
        (
            verse.id[:12],
            " / ".join(verse.lines),
            verse.sources[0].title,
            len(verse.sources),
            coplas[verse.id][:12] if coplas.get(verse.id, verse.id) != verse.id else "",
        )
        for verse in found
    ]
    table(("id", "lines", "title", "sources", "variant of"), rows)


@app.command()
def utterances(
    context: typer.Context,
    recording: Annotated[
        str, typer.Option("--recording", "-r", help="Of one: its id, or how that begins.")
    ] = "",
    limit: Limit = None,
    json: Json = False,
) -> None:
    """List the utterances with their times."""
    store = open_workspace(context).store
    of = find_recording(store, recording).id if recording else None
    found = first(store.each_utterance(of), limit, "utterances", json=json)
    if json:
        as_json_list(({"id": u.id, **plain(u)} for u in found), "lines")
        return
    rows = [
        (u.recording[:12], u.start, u.end, " / ".join(u.text.split("\n")), u.score, u.tier.value)
        for u in found
    ]
    table(("recording", "start", "end", "text", "score", "tier"), rows)


@app.command()
def show(
    context: typer.Context,
    recording: OneRecording,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", file_okay=False, help="A folder; else `show` in the corpus."
        ),
    ] = None,
    png: Annotated[bool, typer.Option("--png", help="Only the picture.")] = False,
    html: Annotated[bool, typer.Option("--html", help="Only the page.")] = False,
    json: Json = False,
) -> None:
    """Draw a recording and its alignment: a picture, and a page to listen with; print the paths.

    The page holds the sound (over 20 minutes, it plays the file of the corpus) and asks nothing
    of a network.
    """
    from corpus.whole import writing

    workspace = open_workspace(context)
    one = find_recording(workspace.store, recording)
    folder = output or workspace.root / "show"
    wanted = [form for form, given in (("png", png), ("html", html)) if given] or ["png", "html"]
    paths = {form: folder / f"{_file_name(one)}.{form}" for form in wanted}
    with extra("align"):
        drawn = _drawn(workspace, one, folder)
        for form, path in paths.items():
            with writing(path) as scratch:
                scratch.write_bytes(drawn[form]())
    if json:
        as_json({"recording": one.id, **{form: str(path) for form, path in paths.items()}})
        return
    for path in paths.values():
        typer.echo(path)


def _drawn(workspace: Workspace, one: Recording, folder: Path) -> dict[str, Callable[[], bytes]]:
    """What draws a recording, by form; `folder` is where the page will stand."""
    from align.level import level_curve
    from align.page import render, sound
    from align.picture import draw

    utterances = find_utterances(workspace, one, "show")
    level = level_curve(workspace.media.samples(one.id))
    voice = _voice(workspace, one) if utterances else None

    def page() -> bytes:
        audio = sound(workspace.media.flac(one.id), one.duration, folder)
        language = workspace.config.corpus.language
        return render(one, utterances, level, voice, audio=audio, language=language).encode()

    return {"png": lambda: draw(one, utterances, level, voice), "html": page}


def _voice(workspace: Workspace, one: Recording) -> NDArray[np.float32]:
    """Where somebody sings, as the model of the corpus hears it."""
    from corpus.commands.listen import aligner_of

    settings = workspace.config.align
    language = workspace.config.corpus.language
    heard = workspace.media.heard
    model = aligner_of(settings.model, settings.encoder, language, "auto", heard).model
    with progress("listen") as move:
        return model.hear(workspace.media.samples(one.id), move).voice


def _file_name(recording: Recording) -> str:
    """The title as a file's name, with the beginning of the id: two may have one title."""
    from corpus.text import fold

    return "-".join([*fold(recording.title)[:60].split(), recording.id[:8]])
