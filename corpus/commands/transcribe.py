"""The verb that writes down what is sung."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpus.commands.language import sung_language
from corpus.commands.listen import BUILT_IN, aligner_of, drafter
from corpus.commands.shared import Device, Json
from corpus.errors import MediaError, UsageError
from corpus.show import as_json, dumps, plain, say, steps

if TYPE_CHECKING:
    from align.aligner import Aligner
    from align.draft import Drafter
    from corpus.timed_text import Line

__all__ = ["app"]

app = typer.Typer()


class Written(str, Enum):
    """What a transcript is written as."""

    TEXT = "text"
    SRT = "srt"
    LRC = "lrc"
    JSON = "json"
    TEXTGRID = "textgrid"
    AUDACITY = "audacity"


_ENDINGS = {Written.TEXT: "txt", Written.TEXTGRID: "TextGrid", Written.AUDACITY: "labels.txt"}


@app.command()
def transcribe(
    context: typer.Context,
    audio: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="Recordings."),
    ],
    model: Annotated[str, typer.Option(help="A size, a folder, a hub name.")] = "base",
    to: Annotated[Written, typer.Option(help="What to write.")] = Written.TEXT,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A folder for a file each; else printed.")
    ] = None,
    words: Annotated[bool, typer.Option(help="Place each word by the built-in aligner.")] = True,
    encoder: Annotated[str, typer.Option(help="The Whisper that the aligner hears with.")] = "base",
    language: Annotated[
        str, typer.Option(help="Language that is sung; else that of the corpus here, or es.")
    ] = "",
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Write down what is sung in recordings, with a Whisper as it comes or one of yours.

    Long files are listened to piece by piece. Each word gets its time from the built-in aligner,
    which knows singing better than Whisper's own times do.
    """
    form = Written.JSON if json else to
    targets = _targets(audio, form, output)
    language = sung_language(context, language)
    hears = drafter(model, language, device)
    placer = aligner_of(BUILT_IN, encoder, language, device) if words else None
    told, n_failed = [], 0
    for path, target in zip(audio, targets, strict=True):
        try:
            lines, duration = _heard(path, hears, placer)
            if form is Written.JSON and target is None:
                told.append(_as_dict(path, lines, duration))
            else:
                _give(path, target, _written(form, path, lines, duration), alone=len(audio) == 1)
        except MediaError as error:
            say(f"transcribe: {path}: {error}")
            n_failed += 1
    if told:
        as_json(told[0] if len(audio) == 1 else told)
    if n_failed:
        raise typer.Exit(1)


def _targets(audio: Sequence[Path], form: Written, output: Path | None) -> list[Path | None]:
    """The file that each transcript is written to; None where it is printed."""
    if output is None:
        if len(audio) > 1 and form not in {Written.TEXT, Written.JSON}:
            raise UsageError(f"several recordings as {form.value}: name a folder with --output")
        return [None] * len(audio)
    found: dict[Path, Path] = {}
    for path in audio:
        target = output / f"{path.stem}.{_ENDINGS.get(form, form.value)}"
        if target in found:
            raise UsageError(f"{found[target]} and {path} would both become {target}: rename one")
        found[target] = path
    return list(found)


def _heard(path: Path, hears: Drafter, placer: Aligner | None) -> tuple[Sequence[Line], float]:
    """The lines of a recording and its length, s."""
    from corpus.media import SAMPLE_RATE, decoded_copy
    from corpus.timed_text import Line

    with decoded_copy(path) as samples, steps() as bars:
        segments = hears.transcribe(samples, _share(bars, path.name))
        lines = tuple(Line(text=s.text, start=s.start, end=s.end) for s in segments)
        if placer is not None and segments:
            # Words need more than the drafts do: without them a training machine can do this too.
            from align.transcript import with_words

            lines = with_words(placer.listen(samples, _share(bars, "words")), segments)
        return lines, samples.n_samples / SAMPLE_RATE


def _share(bars: Callable[[str, int, int], None], what: str) -> Callable[[float], None]:
    return lambda share: bars(what, round(share * 1000), 1000)


def _as_dict(path: Path, lines: Sequence[Line], duration: float) -> dict[str, object]:
    return {"file": str(path), "duration": duration, "lines": plain(lines)}


def _written(form: Written, path: Path, lines: Sequence[Line], duration: float) -> str:
    from corpus import timed_text

    writers: dict[Written, Callable[[Sequence[Line]], str]] = {
        Written.TEXT: _as_text,
        Written.JSON: lambda of: dumps(_as_dict(path, of, duration)),
        Written.SRT: timed_text.as_srt,
        Written.LRC: partial(timed_text.as_lrc, by_word=True),
        Written.TEXTGRID: partial(timed_text.as_textgrid, duration=duration),
        Written.AUDACITY: timed_text.as_audacity,
    }
    return writers[form](lines).rstrip("\n")


def _as_text(lines: Sequence[Line]) -> str:
    return "\n".join(f"[{one.start:7.2f} - {one.end:7.2f}] {one.text}" for one in lines)


def _give(path: Path, target: Path | None, text: str, *, alone: bool) -> None:
    if target is None:
        typer.echo(text if alone else f"# {path}\n{text}")
        return
    from corpus.whole import writing

    with writing(target) as scratch:
        scratch.write_text(f"{text}\n", "utf-8")
    say(f"transcribe: {target}")
