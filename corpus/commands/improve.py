"""The verb that goes round once more: what was learned makes the corpus better."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpus.commands.listen import BUILT_IN, aligner_of, drafter
from corpus.commands.matching import listener_of
from corpus.commands.shared import Device, Json, extra, open_workspace, ran
from corpus.errors import TrainError
from corpus.show import as_json, say, steps, table

if TYPE_CHECKING:
    from corpus.changes import Change
    from corpus.workspace import Workspace

__all__ = ["app"]

app = typer.Typer()

_SHOWN = 20


@app.command()
def improve(
    context: typer.Context,
    model: Annotated[
        str, typer.Option(help="Whisper that writes the drafts; else the newest in models/.")
    ] = "",
    head: Annotated[
        bool, typer.Option(help="Let the aligner's head learn from what people checked.")
    ] = True,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Go round once more: draft with your newest model, match, train the aligner, align, compare.

    What people checked and decided stays. The head is kept only if it hears checked singing
    better that it was not trained on. What came out otherwise is listed, and `corpus annotate push`
    asks for that first.
    """
    from corpus.changes import changes
    from corpus.improving import begun, ended

    workspace = open_workspace(context)
    this = begun(workspace)
    settings = workspace.config.align
    whisper = model or _newest(workspace.root / "models") or workspace.config.match.draft_model
    say(f"improve: drafts by {whisper}")
    trained = _trained(workspace, workspace.root / this.head, device) if head else None
    name = str(trained) if trained else settings.model
    fine = _matched(context, workspace, whisper, name, device)
    fine &= _aligned(context, workspace, name, device)
    found = changes(this.utterances, workspace.store.utterances())
    _mark(workspace, found)
    ended(workspace)
    if json:
        as_json({"model": whisper, "head": str(trained or ""), "changes": found})
    else:
        _show(found)
    if trained:
        say(f'improve: to go on with this head, put model = "{trained}" under [align]')
    if not fine:
        raise typer.Exit(1)


def _newest(folder: Path) -> str:
    """The model below a folder that was trained last; "" where there is none."""
    from corpus.models import form_of

    found = [path for path in folder.glob("*/") if form_of(path) == "transformers"]
    return str(max(found, key=lambda path: (path / "config.json").stat().st_mtime, default=""))


def _trained(workspace: Workspace, folder: Path, device: str) -> Path | None:
    """The folder of a head that has learned and is better for it."""
    settings = workspace.config.align
    with extra("fit"):
        from align.renew import renew
    given = Path(settings.model).expanduser()
    begin = None if settings.model == BUILT_IN else given
    if begin is not None and not (begin / "head.safetensors").is_file():
        say(f"improve: {settings.model} has no head that can learn: it stays as it is")
        return None
    try:
        with steps() as move:
            made = renew(workspace, settings.encoder, begin, folder, device=device, progress=move)
    except TrainError as error:
        say(f"improve: the head stays as it is: {error}")
        return None
    say(
        f"improve: {made.minutes:.1f} checked minutes taught the head: a letter of {made.held_out} "
        f"other recordings costs {made.after:.3f}, before {made.before:.3f}"
    )
    if not made.folder:
        say("improve: it is no better: the head stays as it is")
    return Path(made.folder) if made.folder else None


def _matched(
    context: typer.Context, workspace: Workspace, whisper: str, name: str, device: str
) -> bool:
    from corpus.match.stage import Matcher

    settings, language = workspace.config.align, workspace.config.corpus.language
    listener = listener_of(name, settings.encoder, language, device, workspace.media.heard)
    matcher = Matcher(workspace, drafter(whisper, language, device), listener)
    return ran(context, workspace, "match", matcher.items(again=True), matcher.match)


def _aligned(context: typer.Context, workspace: Workspace, name: str, device: str) -> bool:
    from corpus.run import Work

    with extra("align"):
        from align.stage import Aligning, AlignStage
    settings, language = workspace.config.align, workspace.config.corpus.language
    aligner = aligner_of(name, settings.encoder, language, device, workspace.media.heard)
    stage = AlignStage(workspace, aligner.model.name)
    step = Aligning(aligner, workspace.media, settings.max_seconds)
    work = Work(ask=stage.ask, make=lambda: step)
    return ran(context, workspace, "align", stage.items(), work)


def _mark(workspace: Workspace, found: Sequence[Change]) -> None:
    """Note what changed, in place of what had changed before."""
    from corpus.changes import CHANGED
    from corpus.rows import Done
    from corpus.run import now

    at = now()
    with workspace.store.transaction() as transaction:
        for old in workspace.store.done(CHANGED):
            transaction.forget(CHANGED, old)
        for one in found:
            note = "words" if one.words else f"{one.seconds:.1f} s"
            done = Done(stage=CHANGED, item=one.after.id, inputs="", state="done", note=note, at=at)
            transaction.mark(done)


def _show(found: Sequence[Change]) -> None:
    words = sum(one.words for one in found)
    say(f"improve: {len(found)} utterances came out otherwise, {words} of them in their words")
    rows = [
        (
            one.after.recording[:12],
            f"{one.after.start:.1f}",
            " / ".join(one.before.text.splitlines()) if one.before else "",
            " / ".join(one.after.text.splitlines()) if one.words else f"moved {one.seconds:.1f} s",
        )
        for one in found[:_SHOWN]
    ]
    if rows:
        table(("recording", "at s", "before", "now"), rows)
