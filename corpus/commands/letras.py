"""Letras come in: from files, and from the web."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.commands.shared import open_workspace, stage
from corpus.errors import UsageError
from corpus.show import say, steps

if TYPE_CHECKING:
    from corpus.lyrics.web.base import Manners, WebSource
    from corpus.lyrics.web.lrclib import Track
    from corpus.run import Item, Outcome
    from corpus.store import Store
    from corpus.workspace import Workspace

__all__ = ["app"]

app = typer.Typer()

_LEAST_DELAY = 0.5
"""Seconds between two requests to a site of somebody else."""


@app.command()
def lyrics(
    context: typer.Context,
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Files (.txt, .lrc, .csv, .json, .jsonl), folders, or the names of web sources."
        ),
    ],
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many pages with letras of each source.")
    ] = None,
    artist: Annotated[str, typer.Option(help="LRCLIB: ask for this artist.")] = "",
    title: Annotated[str, typer.Option(help="LRCLIB: ask for this title.")] = "",
    address: Annotated[
        str, typer.Option(help="Another server with the API of lrclib, wikisource or blogger.")
    ] = "",
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no site: read what is stored.")
    ] = False,
    max_age: Annotated[
        float | None, typer.Option(min=0, help="Fetch anew what was stored so many days ago.")
    ] = None,
    delay: Annotated[
        float, typer.Option(min=0, help="Seconds between two requests to a site, at least.")
    ] = 1.0,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for a page.")] = 30.0,
    contact: Annotated[
        str,
        typer.Option(
            help="Your mail or page, told to sites with each request.", envvar="CORPUS_CONTACT"
        ),
    ] = "",
    allow_local: Annotated[
        bool, typer.Option("--allow-local", help="Sites may be on this machine or network.")
    ] = False,
) -> None:
    """Take letras in: their stanzas become verses.

    Web sources: `site:NAME` (shipped) or the .toml of a site, `lrclib` (for each recording with
    artist and title), `wikisource:PAGE`, `wikisource:Categoría:NAME`, `blogger:https://HOST`.
    robots.txt is obeyed. Pages are kept: what was fetched is not fetched again, a command that
    was killed goes on, and pages are read anew when the rules of their site change.
    """
    from corpus.lyrics.web.base import Manners

    if delay < _LEAST_DELAY and not allow_local:
        raise UsageError(
            f"--delay below {_LEAST_DELAY} is for a server of your own: give --allow-local too"
        )
    asked = _Asked(artist=artist, title=title, address=address, limit=limit)
    manners = Manners(
        delay=delay,
        timeout=timeout,
        max_age=max_age,
        contact=" ".join(contact.split()),
        allow_local=allow_local,
        offline=offline,
    )
    _take_in(context, list(dict.fromkeys(sources)), asked, manners)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What web sources are asked for."""

    artist: str
    title: str
    address: str
    limit: int | None


def _take_in(context: typer.Context, names: list[str], asked: _Asked, manners: Manners) -> None:
    from corpus.lyrics import items, take_in
    from corpus.lyrics.web.intake import WebIntake, is_web

    workspace = open_workspace(context)
    rights = workspace.config.corpus.rights
    web = [_source(name, workspace, asked) for name in names if is_web(name)]
    found: list[Item[Any]] = [*items([Path(name) for name in names if not is_web(name)])]
    intake = WebIntake(workspace.root / "lyrics", manners=manners, rights=rights)
    if web:
        with steps() as move:
            found += intake.items(web, lambda name, n, of: move(f"pages of {name}", n, of))
        _forget_failures(workspace.store, intake.led_on)

    def step(one: Any) -> Outcome:
        return take_in(one, rights) if isinstance(one, Path) else intake.take_in(one)

    try:
        stage(
            context,
            workspace,
            "lyrics",
            found,
            step,
            after=lambda: _find_variants(workspace.store),
        )
    finally:
        for notice in intake.notices():
            say(f"lyrics: {notice}")


def _find_variants(store: Store) -> None:
    """Compare the verses that are new with all others: variants are told from coplas."""
    while not _variants_found(store):
        pass


def _variants_found(store: Store) -> bool:
    """Compare; False where another command did the same meanwhile, or purged some of them."""
    from corpus.errors import PurgedError
    from corpus.lyrics.variants import coplas_of
    from corpus.records import Variant

    coplas = store.coplas()
    # The fullest text is the one that stands for a copla.
    verses = sorted(store.verses(), key=lambda verse: (-len(verse.text), verse.id))
    known = {verse.id: verse.lines for verse in verses if verse.id in coplas}
    new = {verse.id: verse.lines for verse in verses if verse.id not in coplas}
    if not new:
        return True
    with steps() as move:
        found = coplas_of(new, known, coplas, lambda n: move("variants", n, len(new)))
    try:
        with store.transaction() as transaction:
            if store.coplas() != coplas:
                return False
            transaction.save(Variant(verse=verse, copla=copla) for verse, copla in found.items())
    except PurgedError:
        return False
    n_variants = sum(verse != copla for verse, copla in found.items())
    if n_variants:
        say(f"lyrics: {n_variants} of {len(new)} new verses are variants of others")
    return True


def _forget_failures(store: Store, came: list[str]) -> None:
    before = store.done("lyrics")
    with store.transaction() as transaction:
        for url in came:
            if url in before:
                transaction.forget("lyrics", url)


def _source(name: str, workspace: Workspace, asked: _Asked) -> WebSource:
    from corpus.lyrics.web.intake import open_source

    return open_source(
        name,
        tracks=lambda: _tracks(workspace, asked),
        address=asked.address,
        limit=asked.limit,
    )


def _tracks(workspace: Workspace, asked: _Asked) -> list[Track]:
    """The track that was named, or those of the corpus."""
    from corpus.lyrics.web.lrclib import Track, tracks_of

    if asked.artist and asked.title:
        return [Track(artist=asked.artist, title=asked.title)]
    if asked.artist or asked.title:
        raise UsageError("LRCLIB is asked for a track by --artist and --title: give both")
    return tracks_of(workspace.store.recordings())
