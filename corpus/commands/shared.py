"""What the verbs share: options, the workspace, a stage with a bar and an honest last line.

Imported for every `corpus --help`: what is slow to import is imported in the functions.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from corpus.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from align.records import AlignedLine
    from annotate.agreement import Agreement
    from corpus.engine import Engine
    from corpus.records import Recording, Utterance
    from corpus.run import Item, Outcome, Summary, Work
    from corpus.store import Store
    from corpus.workspace import Workspace

__all__ = [
    "Device",
    "Format",
    "Json",
    "Limit",
    "agreed",
    "extra",
    "find_dataset",
    "find_recording",
    "find_release",
    "find_utterances",
    "first",
    "newest_release",
    "open_workspace",
    "print_lines",
    "ran",
    "release_folder",
    "shown",
    "stage",
    "utilisation",
]

P = TypeVar("P")
R = TypeVar("R")

_SHOWN = 100
"""Rows of a table, unless another number is asked for: more than that nobody reads."""

_AT_THE_HUB = re.compile(r"[\w.-]+/[\w.-]+")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Device = Annotated[str, typer.Option(help="cpu, cuda or auto.")]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit", "-n", min=0, help="So many; 0 for all. Else 100, and all of them in JSON."
    ),
]


class Format(str, Enum):
    """What aligned lines are printed as."""

    JSON = "json"
    LRC = "lrc"
    SRT = "srt"
    TEXTGRID = "textgrid"
    AUDACITY = "audacity"


def agreed(workspace: Workspace) -> Agreement:
    """How far the people of a corpus agree."""
    from annotate.agreement import agreement

    store, asked = workspace.store, workspace.config.annotate
    marks = (*asked.quality, *asked.accompaniment)
    return agreement(store.annotations(), store.descriptions(), marks)


def open_workspace(context: typer.Context) -> Workspace:
    """The corpus that the command was given in."""
    from corpus.workspace import Workspace

    start: Path = context.obj["workspace"]
    workspace = Workspace.open(start)
    context.call_on_close(workspace.store.close)
    return workspace


def find_release(context: typer.Context, what: str) -> Path:
    """The folder of a release: by its path, or by its name in the corpus; UsageError else."""
    found = release_folder(context, what)
    if found is None:
        raise UsageError(
            f"'{what}' is no release: give the name of one in the corpus, or a folder with its "
            "manifest.json"
        )
    return found


def find_dataset(context: typer.Context, what: str) -> str | Path:
    """The folder of a dataset or of a release of the corpus, or a name at the hub; UsageError else.

    What looks like a name at the hub is not asked for here.
    """
    if Path(what).is_dir():
        return Path(what)
    if release := release_folder(context, what):
        return release
    if _AT_THE_HUB.fullmatch(what):
        return what
    raise UsageError(
        f"'{what}' is no dataset: give a release of the corpus, a folder, or OWNER/NAME at the hub"
    )


def newest_release(context: typer.Context, *, to_hear: bool = False) -> Path:
    """The release that was made last, and that no other follows.

    `to_hear`: of those with sound, rebuilt ones among them.  Else what lies there under another
    name than its own is left out: it was rebuilt or pulled, and is given away by its name only.
    """
    from corpus.publish.folder import read_manifest

    with extra("publish"):
        from corpus.publish.withdraw import released_here
    told = {folder: read_manifest(folder) for folder in released_here(open_workspace(context))}
    made = {
        folder: one.made
        for folder, one in told.items()
        if (one.codec if to_hear else one.name == folder.name)
    }
    if not made:
        what = "release with sound" if to_hear and told else "release"
        raise UsageError(f"there is no {what} yet: `corpus release NAME` makes one")
    return max(made, key=lambda folder: (made[folder], folder.name))


def release_folder(context: typer.Context, what: str) -> Path | None:
    """The same; None where there is none.  A path needs no corpus around."""
    from corpus.collect.base import is_file
    from corpus.publish.folder import MANIFEST

    folder = Path(what)
    if is_file(folder / MANIFEST):
        return folder
    # A name only: a path with slashes is not looked for in the corpus.
    if not re.fullmatch(r"\w[\w.-]*", what):
        return None
    named = open_workspace(context).root / "releases" / what
    return named if is_file(named / MANIFEST) else None


def find_recording(store: Store, start: str) -> Recording:
    """The one recording whose id begins so; raises UsageError when there is none, or several."""
    found = store.recordings_of(start.lower())
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{len(found)} recordings have an id that begins with {start}: give more")
    raise UsageError(f"no recording has an id that begins with {start}: see `corpus recordings`")


def first(found: Iterable[R], limit: int | None, what: str, *, json: bool = False) -> Iterator[R]:
    """As many as somebody wants to see; what there is beyond is told."""
    from corpus.show import say

    n = limit if limit is not None else 0 if json else _SHOWN
    for i, one in enumerate(found):
        if n and i == n:
            say(f"{what}: these are the first {n}: --limit 0 shows all")
            return
        yield one


def find_utterances(workspace: Workspace, one: Recording, verb: str) -> tuple[Utterance, ...]:
    """The utterances of a recording; where there are none, it says so."""
    from corpus.show import say

    found = workspace.store.utterances(one.id)
    if not found:
        say(f"{verb}: {shown(workspace.store, one.id)} is not aligned yet: run `corpus align`")
    return found


def print_lines(form: Format, lines: Sequence[AlignedLine], duration: float) -> None:
    """Print aligned lines of a recording of `duration` s; what was left out only as JSON."""
    from align.formats import as_dict, only_sung
    from corpus import timed_text
    from corpus.show import as_json

    if form is Format.JSON:
        as_json(as_dict(lines))
        return
    writers: dict[Format, Callable[[Sequence[AlignedLine]], str]] = {
        Format.LRC: timed_text.as_lrc,
        Format.SRT: timed_text.as_srt,
        Format.TEXTGRID: partial(timed_text.as_textgrid, duration=duration),
        Format.AUDACITY: timed_text.as_audacity,
    }
    typer.echo(writers[form](only_sung(lines)).rstrip("\n"))


@contextlib.contextmanager
def extra(name: str) -> Iterator[None]:
    """Imports that need an optional extra: MissingExtraError says which one is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError(name, error.name or name) from error


def stage(
    context: typer.Context,
    workspace: Workspace,
    name: str,
    items: Sequence[Item[P]],
    step: Callable[[P], Outcome] | Work[P, Any],
    *,
    engine: Engine | None = None,
    after: Callable[[], None] | None = None,
) -> None:
    """Run a stage with a bar, say how it ended, and leave with 1 where something failed.

    `after` is done in any case, before that.
    """
    fine = ran(context, workspace, name, items, step, engine=engine)
    if after is not None:
        after()
    if not fine:
        raise typer.Exit(1)


def ran(
    context: typer.Context,
    workspace: Workspace,
    name: str,
    items: Sequence[Item[P]],
    step: Callable[[P], Outcome] | Work[P, Any],
    *,
    engine: Engine | None = None,
) -> bool:
    """Run a stage with a bar and say how it ended; whether nothing failed."""
    from corpus.run import run_stage
    from corpus.show import say, tracker

    summary = run_stage(
        workspace.store,
        name,
        items,
        step,
        track=tracker(name),
        on_failure=lambda failure: say(
            f"{name}: {shown(workspace.store, failure.item)}: {failure.reason}",
            stage=name,
            item=failure.item,
            failed=failure.reason,
        ),
        engine=engine,
        debug=context.obj["debug"],
    )
    _tell(summary, workspace.store)
    return summary.ok


def shown(store: Store, item: str) -> str:
    """An item as people know it: a recording by where it came from, and not by its hash alone."""
    recording = store.recording(item)
    return f"{item[:12]} ({recording.source})" if recording else item


def _tell(summary: Summary, store: Store) -> None:
    from corpus.show import say

    for note in summary.notes:
        line = f"{summary.stage}: {shown(store, note.item)}: {note.reason}"
        say(line, stage=summary.stage, item=note.item, note=note.reason)
    parts = [f"{summary.done} done"]
    if summary.skipped:
        parts.append(f"{summary.skipped} up to date")
    if summary.passed_over:
        parts.append(f"{summary.passed_over} passed over")
    if summary.failures:
        parts.append(f"{len(summary.failures)} failed (`corpus status` keeps the reasons)")
    counts: dict[str, float] = {
        "done": summary.done,
        "skipped": summary.skipped,
        "failures": len(summary.failures),
    }
    if summary.busy is not None:
        parts.append(utilisation(summary.workers, summary.busy))
        counts |= {"workers": summary.workers, "busy": round(summary.busy, 3)}
    say(f"{summary.stage}: {', '.join(parts)}", stage=summary.stage, **counts)


def utilisation(workers: int, busy: float) -> str:
    """How far workers were made use of, for people."""
    return f"{workers} worker{'s' * (workers != 1)} busy {busy:.0%} of the time"
