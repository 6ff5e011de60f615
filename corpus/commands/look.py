"""Listings: what there is, and how far it has come."""

from __future__ import annotations

import typer

from corpus.commands.shared import Json, open_workspace, shown
from corpus.show import as_json, plain, table

__all__ = ["app"]

app = typer.Typer()


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
def recordings(context: typer.Context, json: Json = False) -> None:
    """List the recordings."""
    found = open_workspace(context).store.recordings()
    if json:
        as_json(found)
        return
    rows = [(r.id[:12], r.title, r.artist, r.palo, r.year, r.duration, r.rights) for r in found]
    table(("id", "title", "artist", "palo", "year", "seconds", "rights"), rows)


@app.command()
def verses(context: typer.Context, json: Json = False) -> None:
    """List the verses."""
    found = open_workspace(context).store.verses()
    if json:
        as_json([{"id": verse.id, **plain(verse)} for verse in found])
        return
    rows = [(v.id[:12], " / ".join(v.lines), v.sources[0].title, len(v.sources)) for v in found]
    table(("id", "lines", "title", "sources"), rows)


@app.command()
def matches(context: typer.Context, json: Json = False) -> None:
    """List which verses were found in which recordings, and why."""
    store = open_workspace(context).store
    found = store.matches()
    if json:
        as_json(found)
        return
    recordings = {recording.id: recording for recording in store.recordings()}
    verses = {verse.id: verse for verse in store.verses()}
    rows: list[tuple[object, ...]] = []
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
    found = open_workspace(context).store.utterances()
    if json:
        as_json({"lines": [{"id": u.id, **plain(u)} for u in found]})
        return
    rows = [
        (u.recording[:12], u.start, u.end, " / ".join(u.text.split("\n")), u.score, u.tier.value)
        for u in found
    ]
    table(("recording", "start", "end", "text", "score", "tier"), rows)
