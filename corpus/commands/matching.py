"""Verbs that tell which verses are sung in which recording, and let people decide."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpus.commands.engines import (
    BatchSize,
    Devices,
    Processes,
    RayAddress,
    engine_of,
    found_anywhere,
)
from corpus.commands.language import sung_language
from corpus.commands.listen import (
    BUILT_IN,
    Audio,
    By,
    aligner_of,
    draft_folder,
    drafter,
    name_of_model,
)
from corpus.commands.shared import Device, Json, extra, find_recording, open_workspace, stage
from corpus.errors import LyricsError, UsageError
from corpus.records import Segment
from corpus.show import as_json, clock, progress, say, table

if TYPE_CHECKING:
    from align.ear import Listener
    from corpus.match.draft import Drafting
    from corpus.match.index import VerseIndex
    from corpus.match.score import Evidence
    from corpus.media import Media

__all__ = ["app", "listener_of"]

app = typer.Typer()


@app.command()
def match(
    context: typer.Context,
    model: Annotated[
        str, typer.Option(help="Whisper that writes the drafts; as in corpus.toml.")
    ] = "",
    draft: Annotated[bool, typer.Option(help="Have a Whisper write down what it hears.")] = True,
    sound: Annotated[bool, typer.Option(help="Search the verses in the sound.")] = True,
    again: Annotated[bool, typer.Option("--again", help="Also what was accepted before.")] = False,
    device: Device = "auto",
) -> None:
    """Find which verses are sung in each recording: by their sound, a draft, title and artist.

    The sound is heard by the model of `corpus align`. With neither sound nor draft, titles
    alone decide. What a person decided stays.
    """
    from corpus.match.stage import Matcher

    workspace = open_workspace(context)
    language = workspace.config.corpus.language
    name = model or workspace.config.match.draft_model
    transcriber = drafter(name, language, device) if draft else None
    settings = workspace.config.align
    listener = (
        listener_of(settings.model, settings.encoder, language, device, workspace.media.heard)
        if sound
        else None
    )
    matcher = Matcher(workspace, transcriber, listener)
    stage(context, workspace, "match", matcher.items(again=again), matcher.match)


@app.command()
def draft(
    context: typer.Context,
    model: Annotated[
        str, typer.Option(help="Whisper that writes the drafts; as in corpus.toml.")
    ] = "",
    batch_size: BatchSize = 1,
    device: Device = "auto",
    devices: Devices = "",
    processes: Processes = None,
    ray: RayAddress = "",
) -> None:
    """Listen to every recording once: what a Whisper writes down, and the letters heard.

    `corpus match` and `corpus align` then need not listen again; they do it themselves where
    this was not run. `corpus drafts` shows what was heard.
    """
    from corpus.match.draft import DraftStage
    from corpus.run import Work

    workspace = open_workspace(context)
    engine = engine_of(processes, ray, device, devices)
    settings, media = workspace.config.align, workspace.media
    language = workspace.config.corpus.language
    whisper = found_anywhere(model or workspace.config.match.draft_model)
    heard_by, encoder = found_anywhere(settings.model), found_anywhere(settings.encoder)
    by: By = (heard_by, encoder, language, device, media.heard, batch_size)
    names = draft_folder(whisper).name, name_of_model(heard_by, encoder)
    drafting = DraftStage(workspace, *names)
    work = Work(ask=drafting.ask, make=partial(_drafting, whisper, by, media))
    stage(context, workspace, "draft", drafting.items(), work, engine=engine)


def _drafting(whisper: str, by: By, media: Media) -> Drafting:
    """What a worker writes drafts by."""
    from corpus.match.draft import Drafting

    _, _, language, device, _, _ = by
    return Drafting(drafter(whisper, language, device), listener_of(*by), media)


@app.command()
def drafts(
    context: typer.Context,
    recording: Annotated[str, typer.Argument(help="Its id, or how that begins.")],
    json: Json = False,
) -> None:
    """Show what was heard in a recording: the draft, and letters wherever words are sung."""
    workspace = open_workspace(context)
    one = find_recording(workspace.store, recording)
    settings, language = workspace.config.align, workspace.config.corpus.language
    kept = workspace.media.heard
    listener = listener_of(settings.model, settings.encoder, language, "auto", kept)
    ear = listener.listen(workspace.media.samples(one.id))
    written = workspace.store.draft(one.id)
    segments = written.segments if written else ()
    letters = [Segment(text=ear.letters(*span), start=span[0], end=span[1]) for span in ear.sung()]
    if json:
        as_json({"draft": segments, "letters": letters})
        return
    rows = [("draft", *_timed(segment)) for segment in segments]
    rows += [("letters", *_timed(segment)) for segment in letters]
    table(("", "start", "end", "text"), rows)


def _timed(segment: Segment) -> tuple[str, str, str]:
    return clock(segment.start), clock(segment.end), segment.text


def listener_of(
    model: str,
    encoder: str,
    language: str,
    device: str,
    heard: Path | None = None,
    batch_size: int = 1,
) -> Listener:
    """What tells verses by their sound, with the model of `corpus align`."""
    aligner = aligner_of(model, encoder, language, device, heard, batch_size)
    with extra("align"):
        from align.ear import Listener
    return Listener(aligner)


@app.command()
def identify(
    context: typer.Context,
    audio: Audio,
    bank: Annotated[
        list[Path] | None,
        typer.Option(help="A corpus, or letras: files and folders; else the corpus here."),
    ] = None,
    least: Annotated[float, typer.Option(min=0, max=1, help="The least probability.")] = 0.5,
    json: Json = False,
    model: Annotated[
        str, typer.Option(help="whisper-ctc, a head's folder or a wav2vec2 CTC model.")
    ] = BUILT_IN,
    encoder: Annotated[str, typer.Option(help="The Whisper that whisper-ctc hears with.")] = "base",
    device: Device = "auto",
) -> None:
    """Tell which coplas are sung in a recording, when, and how sure that is.

    The recording need not be in a corpus, and nothing is kept.
    """
    from corpus.match.identify import identify as found_in
    from corpus.media import decoded_copy

    index = _bank(context, bank or [])
    listener = listener_of(model, encoder, sung_language(context), device)
    with decoded_copy(audio) as samples, progress("identify") as move:
        ear = listener.listen(samples, move)
        found, unknown = found_in(index, ear, least)
    if json:
        as_json({"verses": [_as_told(one, index) for one in found], "unknown": unknown})
        return
    _list(found, index)
    for one in unknown:
        say(f"identify: no verse for {clock(one.start)} to {clock(one.end)}: {one.text}")


def _bank(context: typer.Context, places: Sequence[Path]) -> VerseIndex:
    """The verses of the corpus here, of one that is named, or of letras on disk."""
    from corpus.lyrics import items, take_in
    from corpus.match.bank import Bank
    from corpus.match.index import VerseIndex
    from corpus.records import Verse
    from corpus.workspace import CONFIG_NAME, Workspace

    corpora = [place for place in places if (place / CONFIG_NAME).is_file()]
    if corpora or not places:
        if len(places) > 1:
            raise UsageError("--bank is one corpus, or letras: take the letras into the corpus")
        workspace = Workspace.open(corpora[0]) if corpora else open_workspace(context)
        return VerseIndex(workspace.store.verses(), Bank(workspace.root / "bank"))
    verses: list[Verse] = []
    for item in items(places):
        try:
            outcome = take_in(item.payload)
        except LyricsError as error:
            say(f"identify: {item.key}: {error}")
            continue
        verses += [record for record in outcome.records if isinstance(record, Verse)]
        for failure in outcome.failures:
            say(f"identify: {failure.item}: {failure.reason}")
    if not verses:
        raise UsageError("no letra to look for: name a corpus, or files and folders of letras")
    return VerseIndex(verses)


def _as_told(one: Evidence, index: VerseIndex) -> dict[str, object]:
    return {
        "text": "\n".join(index.verses[one.verse].lines),
        "start": round(one.start or 0.0, 2),
        "end": round(one.end or 0.0, 2),
        "probability": round(one.score, 4),
        "verse": one.verse,
    }


def _list(found: Sequence[Evidence], index: VerseIndex) -> None:
    rows = [
        (
            clock(one.start or 0.0),
            clock(one.end or 0.0),
            f"{one.score:.2f}",
            " / ".join(index.verses[one.verse].lines),
        )
        for one in found
    ]
    if rows:
        table(("start", "end", "probability", "copla"), rows)
    else:
        say(f"identify: none of {len(index.verses)} verses is heard in it")


@app.command()
def matches(
    context: typer.Context,
    review: Annotated[
        bool, typer.Option("--review", help="Decide by key, verse by verse, in the terminal.")
    ] = False,
    json: Json = False,
) -> None:
    """List which verses were found in which recordings, and why; or review those in doubt."""
    workspace = open_workspace(context)
    store = workspace.store
    if review:
        from corpus.commands.review import review as ask
        from corpus.match.bank import Bank
        from corpus.match.index import VerseIndex

        ask(store, VerseIndex(store.verses(), Bank(workspace.root / "bank")))
        return
    found = store.matches()
    if json:
        as_json(found)
        return
    recordings = {recording.id: recording for recording in store.recordings()}
    verses = {verse.id: verse for verse in store.verses()}
    rows: list[tuple[object, ...]] = []
    for one in found:
        title = recordings[one.recording].title
        if not one.verses:
            rows.append((title, one.decision.value, "", "", None, ""))
        for verse in one.verses:
            start = "" if verse.start is None else clock(verse.start)
            line = verses[verse.verse].lines[0]
            rows.append((title, one.decision.value, start, line, verse.score, verse.reason))
        rows += [(title, "unknown", clock(s.start), s.text, None, "") for s in one.unknown]
    table(("recording", "decision", "start", "verse", "score", "reason"), rows)


@app.command()
def match_set(
    context: typer.Context,
    recording: Annotated[str, typer.Argument(help="Its id, or how that begins.")],
    verses: Annotated[
        list[str] | None, typer.Argument(help="Ids, or how they begin, in the order sung.")
    ] = None,
    nothing: Annotated[
        bool, typer.Option("--nothing", help="None of the verses is sung in it.")
    ] = False,
) -> None:
    """Say by hand which verses are sung in a recording; the machine never changes that.

    A verse that comes back is named again.
    """
    from corpus.match.decide import decided, find_verse

    if bool(verses) == nothing:
        raise UsageError("name the verses that are sung (see `corpus verses`), or say --nothing")
    workspace = open_workspace(context)
    one = find_recording(workspace.store, recording)
    known = [verse.id for verse in workspace.store.verses()]
    chosen = [find_verse(known, beginning) for beginning in verses or []]
    with workspace.store.transaction() as transaction:
        transaction.save([decided(one.id, chosen)])
    say(f"match-set: {len(chosen)} verses in {one.title or one.id[:12]}")
