"""Verbs for people's work: utterances go out to be corrected, and what was said comes back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from corpus.commands.shared import Json, open_workspace, stage
from corpus.show import as_json, say, table, tracker

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


@annotate.command("import")
def import_exports(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(help="JSON exports of Label Studio, or folders of them.")
    ],
) -> None:
    """Take annotations in from Label Studio's JSON export; nothing unchecked becomes checked."""
    from annotate.stage import items, take_in

    workspace = open_workspace(context)
    stage(context, workspace, "annotate", items(paths), lambda path: take_in(workspace, path))


@annotate.command()
def status(context: typer.Context, json: Json = False) -> None:
    """Show what each person has done, how fast, and what they change; and what is checked."""
    from annotate.status import shares, work_of

    store = open_workspace(context).store
    work = work_of(store.annotations(), store.aligned_utterances())
    shared = shares(store.utterances(), store.descriptions())
    if json:
        as_json({"people": work, "shares": shared})
        return
    table(
        ("person", "right", "corrected", "not sung", "flagged", "skipped", "begun"),
        [
            (
                one.person,
                one.right,
                one.corrected,
                one.rejected,
                one.flagged,
                one.skipped,
                one.drafts,
            )
            for one in work
        ],
    )
    table(
        ("changed by", "texts", "times", "kinds", "added", "minutes", "a minute of audio"),
        [
            (one.person, one.texts, one.times, one.kinds, one.added, one.minutes, one.pace)
            for one in work
        ],
    )
    for name, share in (
        ("checked, of the seconds of all utterances", shared.checked),
        ("cries (quejío), of what is sung and checked", shared.quejio),
        ("words of this culture, of the words that were checked", shared.culture),
    ):
        if share is not None:
            say(f"annotate: {100 * share:.1f} % {name}")


@annotate.command()
def agreement(context: typer.Context, json: Json = False) -> None:
    """Show how far people agree on what they both heard, and how much a third has to hear."""
    from annotate.agreement import agreement as agreed
    from annotate.agreement import disputed

    workspace = open_workspace(context)
    store, asked = workspace.store, workspace.config.annotate
    annotations = store.annotations()
    found = agreed(annotations, store.descriptions(), (*asked.quality, *asked.accompaniment))
    queue = disputed(annotations, store.aligned_utterances())
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
