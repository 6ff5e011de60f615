"""Verbs that freeze what is there into releases."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpus.commands.engines import Processes, RayAddress, engine_of
from corpus.commands.shared import (
    Json,
    agreed,
    extra,
    find_release,
    open_workspace,
    utilisation,
)
from corpus.errors import UsageError
from corpus.records import Tier
from corpus.show import as_json, say, table, tracker

if TYPE_CHECKING:
    from corpus.engine import Engine
    from corpus.publish.release import Options, Released
    from corpus.publish.withdraw import Withdrawn
    from corpus.workspace import Workspace

__all__ = ["app"]

app = typer.Typer()

MinTier = Annotated[Tier, typer.Option(help="Only utterances of this tier and better.")]
Share = Annotated[float | None, typer.Option(min=0, max=1, help="Its share of the hours.")]
Palos = Annotated[list[str] | None, typer.Option("--palo", help="Only this; may come again.")]
Singers = Annotated[list[str] | None, typer.Option("--singer", help="Only this; may come again.")]
Years = Annotated[str, typer.Option(help='Only recordings of these years: "1950-1975", "1957".')]
Verified = Annotated[bool, typer.Option("--verified", help="Only what a person has checked.")]
Public = Annotated[
    bool, typer.Option("--public", help="Only rows that everybody may have, by all three rights.")
]
Gated = Annotated[
    bool,
    typer.Option("--gated", help="Only rows that who asks may have: those, and research-only."),
]
Audio = Annotated[str, typer.Option(help="flac, which loses nothing, or opus, an eighth of it.")]
FixedTest = Annotated[str, typer.Option(help="A release whose test set stays the test set.")]


@app.command()
def publish(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The folder to make; its name is the release's.")],
    min_tier: MinTier = Tier.SILVER,
    train: Share = None,
    validation: Share = None,
    test: Share = None,
    json: Json = False,
) -> None:
    """Write a Hugging Face dataset: parquet with audio, splits that share nothing, a card.

    It is `corpus release` into a folder of your choice. Nothing leaves the machine. Shares are
    those of corpus.toml where they are not given; given ones must add up to 1.
    """
    from corpus.publish.choose import Wanted
    from corpus.publish.release import Options

    workspace = open_workspace(context)
    shares = _shares(workspace, {"train": train, "validation": validation, "test": test})
    options = Options(shares=shares, wanted=Wanted(min_tier=min_tier))
    _tell(_made(workspace, folder.resolve().name, folder, options), "publish", json=json)


@app.command()
def release(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Letters, digits, dots, dashes.")],
    min_tier: MinTier = Tier.SILVER,
    train: Share = None,
    validation: Share = None,
    test: Share = None,
    palo: Palos = None,
    singer: Singers = None,
    years: Years = "",
    verified: Verified = False,
    public: Public = False,
    gated: Gated = False,
    audio: Audio = "flac",
    fixed_test: FixedTest = "",
    pointers: Annotated[
        bool, typer.Option("--pointers", help="No sound, but what `corpus rebuild` knows it by.")
    ] = False,
    processes: Processes = None,
    ray: RayAddress = "",
    json: Json = False,
) -> None:
    """Freeze utterances as a Hugging Face dataset under a name, in releases/NAME of the corpus.

    No singer, no copla and no master is in two splits. A release never changes: the same name
    with other utterances is refused, and the same utterances give the same bytes.
    """
    _check_name(name)
    from corpus.publish.choose import Wanted
    from corpus.publish.clips import Codec
    from corpus.publish.release import Options

    if audio not in (codecs := [codec.value for codec in Codec]):
        raise UsageError(f"--audio is {' or '.join(codecs)}, not '{audio}'")
    if public and gated:
        raise UsageError("--public is for everybody, --gated for who asks: give one")
    workspace = open_workspace(context)
    wanted = Wanted(
        min_tier=min_tier,
        palos=tuple(palo or ()),
        singers=tuple(singer or ()),
        years=_span(years),
        verified=verified,
        public=public,
        gated=gated,
    )
    options = Options(
        shares=_shares(workspace, {"train": train, "validation": validation, "test": test}),
        wanted=wanted,
        codec=Codec(audio),
        fixed_test=fixed_test,
        pointers=pointers,
    )
    folder = workspace.root / "releases" / name
    engine = engine_of(processes, ray) if processes or ray else None
    _tell(_made(workspace, name, folder, options, engine), "release", json=json)


@app.command()
def withdraw(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="RELEASE", help="Its name, or its folder.")],
    new: Annotated[str, typer.Argument(help="The name of the one that follows it.")] = "",
    json: Json = False,
) -> None:
    """List the rows of a release that were purged since; make the release without them.

    Nothing else changes: the other rows stay in their splits, byte for byte. Without NEW it only
    lists. A release that was pushed stays at the hub until the new one is pushed over it.
    """
    workspace, folder = open_workspace(context), find_release(context, name)
    with extra("publish"):
        from corpus.publish.withdraw import follow_up, withdrawn
    gone = withdrawn(workspace, folder)
    if not new:
        _tell_gone(gone, json=json)
        return
    _check_name(new)
    if not gone:
        say(f"withdraw: nothing of {folder.name} was purged: it stays as it is")
        return
    target = workspace.root / "releases" / new
    _tell(follow_up(workspace, folder, new, target, gone), "withdraw", json=json)


def _tell_gone(gone: Sequence[Withdrawn], *, json: bool) -> None:
    if json:
        as_json(gone)
        return
    rows = [(one.utterance[:12], one.split, one.singer, one.title, one.reason) for one in gone]
    table(("utterance", "split", "singer", "title", "reason"), rows)


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[\w][\w.-]*", name):
        raise UsageError(f"'{name}' is no name for a release: letters, digits, dots, dashes")


def _shares(workspace: Workspace, given: dict[str, float | None]) -> dict[str, float]:
    """What was given, else what corpus.toml says."""
    told = {split: share for split, share in given.items() if share is not None}
    usual = workspace.config.publish
    whole = {"train": usual.train, "validation": usual.validation, "test": usual.test}
    return told or whole


def _span(years: str) -> tuple[int, int] | None:
    found = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", years, re.ASCII)
    if years and not found:
        raise UsageError(f"--years is a year or two, as in 1950-1975, not '{years}'")
    if found is None:
        return None
    first, last = int(found[1]), int(found[2] or found[1])
    if last < first:
        raise UsageError(f"--years begins after it ends: {years}")
    return first, last


def _made(
    workspace: Workspace,
    name: str,
    folder: Path,
    options: Options,
    engine: Engine | None = None,
) -> Released:
    with extra("publish"):
        from corpus.publish.release import release as freeze

    _compare(workspace)
    people = agreed(workspace)
    options = replace(options, agreement=asdict(people) if people.utterances else {})
    return freeze(workspace, name, folder, options, engine=engine, track=tracker("recordings"))


def _compare(workspace: Workspace) -> None:
    """Look for copies of one master among what is aligned: they may not be in two splits."""
    from corpus.duplicates import compare

    recordings = {one.recording for one in workspace.store.each_utterance(words=False)}
    failures = compare(workspace, recordings, track=tracker("compared by their sound"))
    for reason, n in Counter(failure.reason for failure in failures).items():
        say(f"release: {n} recordings are not compared with the others by their sound: {reason}")


def _tell(made: Released, verb: str, *, json: bool) -> None:
    if json:
        as_json(made)
        return
    rows = ", ".join(f"{n_rows} {split}" for split, n_rows in made.rows.items())
    minutes = 60 * sum(made.hours.values())
    say(f"{verb}: {made.folder}: {rows} utterances, {minutes:.1f} minutes")
    if made.busy is not None:
        say(f"{verb}: {utilisation(made.workers, made.busy)}")
    for reason, n_rows in made.left_out.items():
        say(f"{verb}: {n_rows} left out: {reason}")
    for reason, n_rows in made.set_aside.items():
        say(f"{verb}: {n_rows} set aside from the splits: {reason}")
    if made.fixed_test_gone:
        say(f"{verb}: {made.fixed_test_gone} rows of the earlier test set are not in it any more")
