"""Verbs for people's work: utterances go out to be corrected, and what was said comes back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpus.commands.shared import Json, agreed, extra, open_workspace, stage
from corpus.errors import AnnotationServerError, UsageError
from corpus.show import as_json, say, table, tracker

if TYPE_CHECKING:
    from annotate.labelstudio import LabelStudio
    from annotate.sync import Synced
    from corpus.workspace import Workspace

__all__ = ["app"]

app = typer.Typer()
annotate = typer.Typer(no_args_is_help=True, help="People correct utterances in Label Studio.")
app.add_typer(annotate, name="annotate")


Minutes = Annotated[
    float | None, typer.Option(help="At most so many minutes of sound, what is worth most first.")
]
Whole = Annotated[
    bool,
    typer.Option("--recordings", help="Pieces of recordings with regions, not a clip each."),
]
Url = Annotated[
    str,
    typer.Option(
        envvar="LABEL_STUDIO_URL", help="A Label Studio that runs; else `corpus annotate serve`."
    ),
]
Token = Annotated[
    str,
    typer.Option(envvar="LABEL_STUDIO_API_KEY", help="Its token; better by the environment."),
]
Project = Annotated[str, typer.Option(help="The project's title; else the corpus's name.")]
_PIECE = 180.0
"""Seconds: a browser decodes whole files, and a person wants to see where it ends."""


@annotate.command("export")
def export_folder(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The folder to write.")],
    minutes: Minutes = None,
    recordings: Whole = False,
    json: Json = False,
) -> None:
    """Write tasks, a labelling config and clips for Label Studio: what nobody has checked yet."""
    from annotate.stage import export

    longest = _PIECE if recordings else None
    made = export(open_workspace(context), folder, minutes, longest, track=tracker("annotate"))
    if json:
        as_json(made)
        return
    say(f"annotate: {made.tasks} tasks, {made.seconds / 60:.1f} minutes of clips in {folder}")
    say("annotate: in Label Studio, set up a project with config.xml and import tasks.json")


@annotate.command()
def page(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The page to write, as in FILE.html.")],
    minutes: Minutes = None,
    language: Annotated[
        str, typer.Option(help="es or en; else that of corpus.toml, for what people read.")
    ] = "",
    json: Json = False,
) -> None:
    """Write a page to listen and correct without a server, for one person, in one file.

    What it exports is read by `corpus annotate import`. It holds 200 clips at most.
    """
    if language not in {"", "es", "en"}:
        raise UsageError(f"--language is es or en, not '{language}'")
    with extra("annotate"):
        from annotate.page import page as write_page

    made = write_page(open_workspace(context), file, minutes, language, track=tracker("annotate"))
    if json:
        as_json(made)
        return
    megabytes = made.size / 1e6
    say(
        f"annotate: {made.tasks} clips, {made.seconds / 60:.1f} minutes, {megabytes:.1f} MB: {file}"
    )
    if made.left:
        say(f"annotate: {made.left} more are left for another page, when these have come back")


@annotate.command("import")
def import_exports(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(help="JSON exports of Label Studio, or folders of them.")
    ],
) -> None:
    """Take annotations in from Label Studio's JSON export; nothing unchecked becomes checked."""
    _take_in(context, paths)


def _take_in(context: typer.Context, paths: list[Path]) -> None:
    from annotate.stage import items, take_in

    workspace = open_workspace(context)
    stage(context, workspace, "annotate", items(paths), lambda path: take_in(workspace, path))


@annotate.command()
def status(context: typer.Context, json: Json = False) -> None:
    """Show what each person and project has done, how fast, what changes, how far they agree."""
    from corpus.commands.work import show_work

    show_work(open_workspace(context), json=json)


@annotate.command()
def agreement(context: typer.Context, json: Json = False) -> None:
    """Show how far people agree on what they both heard, and how much a third has to hear."""
    from annotate.agreement import disputed

    workspace = open_workspace(context)
    store, found = workspace.store, agreed(workspace)
    queue = disputed(store.annotations(), store.aligned_utterances())
    if json:
        as_json({**asdict(found), "disputed": queue})
        return
    say(f"annotate: {found.utterances} utterances were heard by two people or more")
    rows: list[tuple[str, float | None]] = [("word error rate", found.word_error_rate)]
    for name, gap in zip(("median", "95 %"), found.boundaries or (), strict=False):
        rows.append((f"ends apart, s: {name}", gap))
    rows += [(f"alpha: {name}", alpha) for name, alpha in found.alpha]
    table(("", "agreement"), rows)
    if queue:
        say(f"annotate: {len(queue)} want a third person: `corpus annotate push --disputed`")


@annotate.command("serve")
def serve_label_studio(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The port; without it, a free one.")
    ] = None,
) -> None:
    """Run a Label Studio for this corpus until Ctrl-C; it is heard on this machine only."""
    from annotate.bucket import reaching
    from annotate.server import ending_on_signals, running_server, serve

    workspace = open_workspace(context)
    root, place = workspace.root, workspace.media.depot.s3()
    if (there := running_server(root)) is not None:
        say(f"annotate: Label Studio runs already, at {there.url} (process {there.process})")
        return
    more = reaching(place) if place else {}
    starting = serve(root, port, tell=lambda text: say(f"annotate: {text}"), more=more)
    with ending_on_signals(), starting as here:
        say(f"annotate: Label Studio is at {here.server.url}; Ctrl-C ends it")
        say(f"annotate: log in as {here.server.email}; {here.server.login} has the password")
        here.wait()
    say("annotate: Label Studio has ended; all that was annotated is kept")


@annotate.command()
def push(
    context: typer.Context,
    minutes: Minutes = None,
    recordings: Whole = False,
    project: Project = "",
    overlap: Annotated[
        float, typer.Option(min=0, max=1, help="The share that two people are to hear.")
    ] = 0.0,
    disputed: Annotated[
        bool, typer.Option("--disputed", help="What people differ about, for a third person.")
    ] = False,
    url: Url = "",
    token: Token = "",
    audio_url: Annotated[
        str, typer.Option(help="Where the server finds clips that you put there; else sent.")
    ] = "",
    send: Annotated[
        bool,
        typer.Option("--send", help="Send clips also where it could hear them in a bucket of S3."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go there, and send nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Put what nobody has checked before people in Label Studio; twice is once.

    What is worth most of their time comes first: doubtful, long, of rare palos and singers.
    """
    from annotate.stage import disputed_pieces, to_hear

    if audio_url and not audio_url.startswith(("http://", "https://")):
        raise UsageError(f"--audio-url is an address of http:// or https://, not '{audio_url}'")
    workspace = open_workspace(context)
    longest = _PIECE if recordings else None
    chosen = disputed_pieces(workspace) if disputed else to_hear(workspace, minutes, longest)
    with extra("annotate"):
        from annotate.sync import THIRD, Sound, push_to

    title = project or _title(workspace) + (THIRD if disputed else "")
    seconds = sum(piece.seconds for piece in chosen)
    if dry_run:
        say(f"annotate: would push {len(chosen)} tasks, {seconds / 60:.1f} minutes, to '{title}'")
        return
    with _server(workspace, url, token) as (server, here):
        place = None if send or audio_url else workspace.media.depot.s3()
        sound = Sound(here=here and not audio_url, url=audio_url, bucket=place)
        track = tracker("clips")
        done = push_to(workspace, server, title, chosen, sound, overlap=overlap, track=track)
        address = f"{server.url}/projects/{done.project}"
    if json:
        as_json({**asdict(done), "url": address})
        return
    for note in done.notes:
        say(f"annotate: {note}")
    say(
        f"annotate: {done.new} new tasks, {done.known} were there ({done.replaced} of them begin "
        f"anew); {seconds / 60:.1f} minutes in {address}"
    )
    if done.withdrawn:
        say(
            f"annotate: {done.withdrawn} tasks that nobody had touched are withdrawn: aligned "
            "anew, checked elsewhere, or heard in other pieces now"
        )


@annotate.command()
def pull(
    context: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="What a page of `corpus annotate page` exported: read instead of a server."
        ),
    ] = None,
    project: Project = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Read everything again, not what changed.")
    ] = False,
    watch: Annotated[
        float | None, typer.Option(min=1, help="Go on, every so many seconds, until Ctrl-C.")
    ] = None,
    url: Url = "",
    token: Token = "",
    json: Json = False,
) -> None:
    """Bring back what people said in Label Studio; nothing unchecked becomes checked.

    What is malformed is set aside with the reason. With `--watch`, the server of
    `corpus annotate serve` also tells at once when somebody hands in. Files are read as
    `corpus annotate import` reads them.
    """
    if files:
        # The address and the token may stand in the environment for other times.
        if project or everything or watch is not None or json:
            raise UsageError("files are read without a server: name them alone")
        _take_in(context, files)
        return
    with extra("annotate"):
        from annotate.server import ending_on_signals
        from annotate.sync import projects_of, pull_from

    workspace = open_workspace(context)
    fine = True
    with _server(workspace, url, token) as (server, here):

        def numbers() -> list[int]:
            return projects_of(server, project, _title(workspace))

        def bring(number: int) -> None:
            nonlocal fine
            told = pull_from(workspace, server, number, everything=everything)
            wrong = bool(told.failures or told.missing)
            fine = fine and not wrong
            if json:
                as_json({"project": number, **asdict(told)})
            elif told.new or wrong or watch is None:
                _tell_pulled(number, told)

        if watch is None:
            for number in numbers():
                bring(number)
        else:
            with ending_on_signals():
                _watch(server, numbers, bring, watch, here=here)
    if not fine:
        raise typer.Exit(1)


def _watch(
    server: LabelStudio,
    numbers: Callable[[], Sequence[int]],
    bring: Callable[[int], None],
    seconds: float,
    *,
    here: bool,
) -> None:
    """Bring what people say until Ctrl-C; a server that runs here hints when there is something.

    What fails is told and tried again in its turn, where it went once.
    """
    import time

    from annotate.hints import hints

    with contextlib.ExitStack() as stack:
        taking = stack.enter_context(hints()) if here else None
        known, told = set[int](), ""
        while True:
            try:
                for number in numbers():
                    if taking and number not in known:
                        stack.enter_context(server.hinting([number], taking.url))
                    bring(number)
                    known.add(number)
                told = ""
            except AnnotationServerError as error:
                if not known:
                    raise
                if str(error) != told:
                    say(f"annotate: {error}; it is tried again every {seconds:g} s")
                told = str(error)
            (taking.wait if taking else time.sleep)(seconds)


def _tell_pulled(project: int, told: Synced) -> None:
    for failure in told.failures:
        task = failure.item.rpartition(":")[2]
        say(f"annotate: task {task} of project {project}: {failure.reason}")
    said = [f"{count} {verdict}" for verdict, count in sorted(told.verdicts.items())]
    added = [f"{told.added} added"] if told.added else []
    aside = [f"{len(told.failures)} set aside"] if told.failures else []
    parts = ", ".join((*said, *added, *aside)) or "nobody has said anything new"
    say(f"annotate: project {project}: {told.tasks} tasks were read: {parts}")
    if told.missing:
        say(
            f"annotate: project {project}: the server counts {told.missing} annotations more than "
            "it gave: run again; if that stays so, look for them there"
        )


def _title(workspace: Workspace) -> str:
    """Label Studio wants three letters of a title."""
    name = workspace.config.corpus.name
    return name if len(name) >= 3 else f"corpus {name}"


@contextlib.contextmanager
def _server(workspace: Workspace, url: str, token: str) -> Iterator[tuple[LabelStudio, bool]]:
    """The server that is named, or the one that runs here, for which it is True."""
    with extra("annotate"):
        from annotate.labelstudio import LabelStudio
        from annotate.server import is_starting, running_server

    here = None if url else running_server(workspace.root)
    if here is not None:
        url, token = here.url, here.token
    if not url and is_starting(workspace.root):
        raise AnnotationServerError(
            "Label Studio is still starting here: try again when `corpus annotate serve` "
            "has told its address"
        )
    if not url:
        raise UsageError(
            "no Label Studio runs here: start one with `corpus annotate serve` in another "
            "terminal, or name one with --url and its token in LABEL_STUDIO_API_KEY"
        )
    if not token:
        raise UsageError(f"put the token of {url} in LABEL_STUDIO_API_KEY")
    with LabelStudio(url, token) as server:
        yield server, here is not None
