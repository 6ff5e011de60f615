"""Verbs that give releases and models to the hub, and get releases back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from corpus.commands.shared import Json, extra, find_release, newest_release, open_workspace
from corpus.errors import UsageError
from corpus.show import as_json, say, steps, table

if TYPE_CHECKING:
    from corpus.publish.pull import Pulled
    from corpus.publish.push import Gated, Pushed

__all__ = ["app"]

app = typer.Typer()

_FIELDS = ("text", "checkbox", "country", "date_picker", "ip_location")

Repo = Annotated[str, typer.Argument(metavar="REPO", help="The dataset at the hub: OWNER/NAME.")]


@app.command()
def push(
    context: typer.Context,
    repo: Repo,
    release: Annotated[
        str, typer.Argument(help="Its name, or its folder; else the newest of the corpus.")
    ] = "",
    public: Annotated[
        bool,
        typer.Option(
            "--public/--private", help="For everybody; refused where a row's rights forbid."
        ),
    ] = False,
    gated: Annotated[
        str,
        typer.Option(
            help="Who wants it has to ask: auto lets in who does, manual you, research-only too."
        ),
    ] = "",
    gated_prompt: Annotated[str, typer.Option(help="What who asks reads.")] = "",
    gated_field: Annotated[
        list[str] | None,
        typer.Option(help=f"What who asks fills in; NAME:{' or :'.join(_FIELDS)}; may come again."),
    ] = None,
    tag: Annotated[str, typer.Option(help="Else the release's name.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    json: Json = False,
) -> None:
    """Put a release on the Hugging Face Hub: private unless told, in one commit, under a tag.

    Files that are there are not sent again. Cut off anywhere, the hub holds the release before
    or this one, and the same command goes on. Log in with `hf auth login`, or set HF_TOKEN.
    """
    if gated not in {"", "auto", "manual"}:
        raise UsageError(f"--gated is auto or manual, not '{gated}'")
    gate = _gate(gated_prompt, gated_field or [])
    if gate and not gated:
        raise UsageError("nobody is asked without --gated: give --gated auto or --gated manual")
    from corpus.publish.push import push as send

    folder = find_release(context, release) if release else newest_release(context)
    with steps() as step:
        done = send(
            folder,
            repo,
            private=not public,
            gated=cast("Gated | None", gated or None),
            gate=gate or None,
            tag=tag,
            dry_run=dry_run,
            step=step,
        )
    if json:
        as_json(done)
    elif dry_run:
        _list(done)
    else:
        _tell_pushed(done)


@app.command()
def pull(
    context: typer.Context,
    repo: Repo,
    revision: Annotated[str, typer.Option(help="A tag, branch or commit; else the newest.")] = "",
    name: Annotated[str, typer.Option(help="Of its folder in releases/; else its own.")] = "",
    json: Json = False,
) -> None:
    """Bring a release from the Hugging Face Hub into releases/NAME; every file is checked.

    What is there and right is not fetched again; another release of that name stays as it is.
    Where all its utterances are of this corpus, the corpus knows it as its own.
    """
    from corpus.publish.pull import attach
    from corpus.publish.pull import pull as fetch

    workspace = open_workspace(context)
    with steps() as step:
        done = fetch(repo, workspace.root / "releases", revision=revision, name=name, step=step)
    foreign = attach(workspace, Path(done.folder))
    if json:
        as_json({"pulled": done, "foreign": foreign})
    else:
        _tell_pulled(done, foreign)


@app.command()
def push_model(
    context: typer.Context,
    repo: Annotated[str, typer.Argument(metavar="REPO", help="At the hub: OWNER/NAME.")],
    model: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="The folder of `corpus train`.")
    ],
    on: Annotated[
        str, typer.Option(help="The release it was trained on; else what `corpus train` noted.")
    ] = "",
    evaluation: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="What `corpus evaluate --json` printed."),
    ] = None,
    public: Annotated[
        bool,
        typer.Option("--public/--private", help="For everybody; refused where its data is not."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    json: Json = False,
) -> None:
    """Put a fine-tuned Whisper on the Hugging Face Hub: private unless told, in one commit.

    Its card carries the evaluation, the release and its rights, and the settings of the training.
    """
    with extra("train"):
        from train.push_model import push_model as send
        from train.push_model import read_judgements

    release = find_release(context, on) if on else None
    judged = read_judgements(evaluation) if evaluation else ()
    done = send(model, repo, release=release, judged=judged, private=not public, dry_run=dry_run)
    if json:
        as_json(done)
        return
    if dry_run:
        table(("file", "bytes"), list(done.files.items()))
        typer.echo(done.card)
    size = f"{len(done.files)} files, {sum(done.files.values()) / 1e6:.1f} MB"
    how = "private" if done.private else "public"
    where = "would go to" if dry_run else "is at"
    say(f"push-model: {model} {where} {done.url}: {size}, {how}")


def _gate(prompt: str, fields: list[str]) -> dict[str, Any]:
    """What the card says of who asks for access."""
    from corpus.publish.hub_card import GATE_FIELDS, GATE_PROMPT

    asked = {}
    for one in fields:
        name, _, kind = one.rpartition(":") if one.rpartition(":")[2] in _FIELDS else (one, "", "")
        if not name.strip():
            raise UsageError(f"--gated-field '{one}' has no name: give NAME, or NAME:text")
        asked[name.strip()] = kind or "text"
    return ({GATE_PROMPT: prompt} if prompt else {}) | ({GATE_FIELDS: asked} if asked else {})


def _list(done: Pushed) -> None:
    rows = [(one.path, one.bytes, "sent" if one.sent else "there") for one in done.files]
    rows += [(path, 0, "removed") for path in done.removed]
    table(("file", "bytes", ""), rows, title=f"{done.release} to {done.url}, tag {done.tag}")
    table(("rights of audio | text | annotation", "rows"), list(done.rights.items()))
    typer.echo(done.card)
    say(f"push: a dry run: {_size(done)}, {_access(done)}")
    if done.unreached:
        say(f"push: {done.unreached}; so what is there already is not counted")


def _tell_pushed(done: Pushed) -> None:
    say(
        f"push: {done.release} is at {done.url} (tag {done.tag}, commit {done.commit[:7]}): "
        f"{_size(done)}, {_access(done)}"
    )


def _size(done: Pushed) -> str:
    sent = [one.bytes for one in done.files if one.sent]
    told = f"{len(sent)} of {len(done.files)} files to send, {sum(sent) / 1e6:.1f} MB"
    return f"{told}, {len(done.removed)} removed" if done.removed else told


def _access(done: Pushed) -> str:
    seen = "private" if done.private else "public"
    return f"{seen}, gated ({done.gated})" if done.gated else seen


def _tell_pulled(done: Pulled, foreign: int) -> None:
    say(
        f"pull: {done.folder}: {done.release}, {done.files} files, {done.fetched} fetched, "
        f"{done.fetched_bytes / 1e6:.1f} MB"
    )
    if foreign:
        say(f"pull: {foreign} of its utterances are not of this corpus: it stands for itself")
    else:
        say("pull: its utterances are of this corpus, which knows it as its own")
