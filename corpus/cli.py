"""The `corpus` command: one short function a verb; what it needs is loaded when it is called.

This is the one place where the packages align, annotate and train are brought
together with corpus; nothing else in corpus imports them.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.errors import CanteError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from corpus.run import Item, Outcome, Summary
    from corpus.workspace import Workspace

__all__ = ["app", "main"]

app = typer.Typer(
    name="corpus",
    help="From flamenco recordings and letras to a labelled corpus and a Whisper that understands"
    " cante.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Home = Annotated[
    Path,
    typer.Option(
        "--workspace", "-w", help="Folder of the corpus, or one below it.", envvar="CORPUS_WORKSPACE"
    ),
]


@app.callback()
def options(
    context: typer.Context,
    workspace: _Home = Path(),
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Hold what all verbs share."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(installed("cante-corpus"))
        raise typer.Exit
    context.obj = {"workspace": workspace, "debug": debug}


def _open(context: typer.Context) -> Workspace:
    from corpus.workspace import Workspace

    return Workspace.open(context.obj["workspace"])


def _stage(
    context: typer.Context, workspace: Workspace, stage: str, items: list[Item[Any]], step: Any
) -> None:
    """Run a stage with a bar, say how it ended, and leave with 1 where something failed."""
    from corpus.run import run_stage
    from corpus.show import say, tracker

    summary = run_stage(
        workspace.store,
        stage,
        items,
        step,
        track=tracker(stage),
        on_failure=lambda failure: say(f"{stage}: {failure.item}: {failure.reason}"),
        debug=context.obj["debug"],
    )
    _tell(summary)


def _tell(summary: Summary) -> None:
    from corpus.show import say

    for note in summary.notes:
        say(f"{summary.stage}: {note.item}: {note.reason}")
    parts = [f"{summary.done} done"]
    if summary.skipped:
        parts.append(f"{summary.skipped} up to date")
    if summary.failures:
        parts.append(f"{len(summary.failures)} failed (`corpus status` keeps the reasons)")
    say(f"{summary.stage}: {', '.join(parts)}")
    if not summary.ok:
        raise typer.Exit(1)


# ---- the workspace


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The folder to make; may exist.")] = Path(),
) -> None:
    """Make a corpus: a commented corpus.toml, an empty store, a media folder."""
    from corpus.show import say
    from corpus.workspace import Workspace

    workspace = Workspace.create(folder)
    workspace.store.close()
    say(f"made {workspace.root / 'corpus.toml'}")
    say(f"next: cd {folder} && corpus collect RECORDINGS...")


@app.command()
def status(context: typer.Context, json: Json = False) -> None:
    """Show how much of the corpus has come how far, and what failed and why."""
    from corpus.show import as_json, table

    funnel = _open(context).store.funnel()
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
        failed = [(done.stage, done.item, done.note) for done in funnel.failed]
        table(("stage", "item", "reason"), failed, title="failed")


@app.command()
def recordings(context: typer.Context, json: Json = False) -> None:
    """List the recordings."""
    from corpus.show import as_json, table

    found = _open(context).store.recordings()
    if json:
        as_json(found)
        return
    rows = [(r.id[:12], r.title, r.artist, r.palo, r.year, r.duration, r.rights) for r in found]
    table(("id", "title", "artist", "palo", "year", "seconds", "rights"), rows)


@app.command()
def verses(context: typer.Context, json: Json = False) -> None:
    """List the verses."""
    from corpus.show import as_json, plain, table

    found = _open(context).store.verses()
    if json:
        as_json([{"id": verse.id, **plain(verse)} for verse in found])
        return
    rows = [(v.id[:12], " / ".join(v.lines), v.sources[0].title, len(v.sources)) for v in found]
    table(("id", "lines", "title", "sources"), rows)


@app.command()
def matches(context: typer.Context, json: Json = False) -> None:
    """List which verses were found in which recordings, and why."""
    from corpus.show import as_json, table

    store = _open(context).store
    found = store.matches()
    if json:
        as_json(found)
        return
    recordings = {recording.id: recording for recording in store.recordings()}
    verses = {verse.id: verse for verse in store.verses()}
    rows = []
    for match in found:
        title = recordings[match.recording].title
        if not match.verses:
            rows.append((title, match.decision.value, "", None, ""))
        for one in match.verses:
            line = verses[one.verse].lines[0]
            rows.append((title, match.decision.value, line, one.score, one.reason))
    table(("recording", "decision", "verse", "score", "reason"), rows)


@app.command()
def utterances(context: typer.Context, json: Json = False) -> None:
    """List the utterances with their times."""
    from corpus.show import as_json, plain, table

    found = _open(context).store.utterances()
    if json:
        as_json({"lines": [{"id": u.id, **plain(u)} for u in found]})
        return
    rows = [
        (u.recording[:12], u.start, u.end, " / ".join(u.text.split("\n")), u.score, u.tier.value)
        for u in found
    ]
    table(("recording", "start", "end", "text", "score", "tier"), rows)


# ---- gathering


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

    workspace = _open(context)
    _stage(context, workspace, "collect", items(sources), lambda f: take_in(workspace, f))


@app.command()
def lyrics(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(help="Files (.txt, .lrc, .csv, .json, .jsonl) or folders.")
    ],
) -> None:
    """Take letras in: their stanzas become verses."""
    from corpus.lyrics import items, take_in

    _stage(context, _open(context), "lyrics", items(paths), take_in)


# ---- matching and alignment


@app.command()
def match(
    context: typer.Context,
    model: Annotated[
        str, typer.Option(help="Whisper that writes the drafts; as in corpus.toml.")
    ] = "",
    draft: Annotated[bool, typer.Option(help="Listen; else titles alone decide.")] = True,
    again: Annotated[bool, typer.Option("--again", help="Also what was accepted before.")] = False,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "auto",
) -> None:
    """Find which verses are sung in each recording: by title, artist and a draft transcript."""
    from corpus.match.stage import Matcher

    workspace = _open(context)
    name = model or workspace.config.match.draft_model
    language = workspace.config.corpus.language
    transcriber = _drafter(name, language, device) if draft else None
    matcher = Matcher(workspace, transcriber)
    _stage(context, workspace, "match", matcher.items(again=again), matcher.match)


def main() -> None:
    """Run the command; one line for what goes wrong, a traceback only with --debug."""
    debug = "--debug" in sys.argv
    # A global option that people type after the verb: it is understood in any place.
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # text streams here
    try:
        app(["--debug", *arguments] if debug else arguments)
    except CanteError as error:
        if debug:
            raise
        sys.exit(_fail(str(error), 2 if isinstance(error, UsageError) else 1))
    except Exception as error:
        if debug:
            raise
        kind = type(error).__name__
        sys.exit(_fail(f"unexpected {kind}: {error}; run with --debug for more", 1))


def _fail(message: str, code: int) -> int:
    from corpus.show import say

    say(f"corpus: {' '.join(message.split())}")
    return code


if __name__ == "__main__":
    main()
