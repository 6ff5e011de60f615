"""The verb that tells all of a corpus on one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.commands.shared import Json, extra, open_workspace
from corpus.show import as_json, say

if TYPE_CHECKING:
    from corpus.publish.columns import About
    from corpus.report.facts import Facts
    from corpus.workspace import Workspace

__all__ = ["app", "page_of"]

app = typer.Typer()


@app.command()
def report(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(dir_okay=False, help="Else report.html in the corpus.")
    ] = None,
    sound: Annotated[bool, typer.Option(help="With samples to listen to.")] = True,
    json: Json = False,
) -> None:
    """Write one page in one file: how far the corpus has come, what it is made of, what it lacks.

    It names recordings and singers, and people only by pseudonyms; with samples it has sound and
    text that may not be everybody's, and says so.
    """
    from corpus.whole import writing

    workspace = open_workspace(context)
    if json:
        from corpus.publish.about import about_of

        facts = _facts(workspace, about_of(workspace))
        as_json({"facts": facts, "people": _people(workspace)})
        return
    page = page_of(workspace, sound=sound)
    path = file or workspace.root / "report.html"
    with writing(path) as scratch:
        scratch.write_text(page, "utf-8")
    say(f"report: {path}")


def page_of(workspace: Workspace, *, sound: bool) -> str:
    """The page of a corpus."""
    from corpus.publish.about import about_of
    from corpus.run import now

    with extra("publish"):
        from corpus.report.page import render, samples

    store, about = workspace.store, about_of(workspace)
    kept = (about.recordings, about.verses, store.utterances(), about.annotation_rights)
    heard = list(samples(workspace.media, *kept)) if sound else []
    corpus = workspace.config.corpus
    return render(
        corpus.name,
        corpus.language,
        now(),
        funnel=store.funnel(),
        facts=_facts(workspace, about),
        people=_people(workspace),
        heard=heard,
    )


def _facts(workspace: Workspace, about: About) -> Facts:
    from corpus.publish.about import quality_of
    from corpus.report.facts import facts_of

    store = workspace.store
    return facts_of(
        about.recordings.values(),
        store.utterances(),
        aligned=store.aligned_utterances(),
        annotations=store.annotations(),
        marks=about.marks,
        features=about.features,
        quality={id_: quality_of(id_, about) for id_ in about.recordings},
        palos=workspace.config.corpus.palos,
    )


def _people(workspace: Workspace) -> list[dict[str, Any]]:
    """The work of each person, the most first."""
    from annotate.status import work_of
    from corpus.publish.about import pseudonym_of

    store = workspace.store
    found = work_of(store.annotations(), store.aligned_utterances())
    return [
        {
            "person": pseudonym_of(workspace.root, one.person),
            "done": one.done,
            "right": one.right,
            "minutes": one.minutes,
            "pace": one.pace,
        }
        for one in sorted(found, key=lambda one: (-one.done, one.person))
    ]
