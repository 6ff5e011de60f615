"""Verbs that listen: when each word is sung, what is heard."""

from __future__ import annotations

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
from corpus.commands.shared import Device, Format, extra, open_workspace, print_lines, ran
from corpus.records import content_id
from corpus.show import progress, say

if TYPE_CHECKING:
    from align.aligner import Aligner
    from align.draft import Drafter
    from align.emissions import AcousticModel
    from align.stage import Aligning
    from align.word_times import Corrected, Timing
    from corpus.media import Media

__all__ = [
    "BUILT_IN",
    "Audio",
    "By",
    "aligner_of",
    "app",
    "draft_folder",
    "drafter",
    "name_of_model",
]

app = typer.Typer()

BUILT_IN = "whisper-ctc"
Audio = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A recording.")]
By = tuple[str, str, str, str, Path | None, int]
"""What `aligner_of` is told, as it goes to workers."""


def aligner_of(
    model: str,
    encoder: str,
    language: str,
    device: str,
    heard: Path | None = None,
    batch_size: int = 1,
) -> Aligner:
    """The aligner of a model's name, with the model found on this machine.

    What it hears of a corpus's recordings is kept in the folder `heard`, if there is one;
    whisper-ctc hears `batch_size` windows of 30 s at once.
    """
    with extra("align"):
        from align.aligner import Aligner
        from align.emissions import WhisperCTC
        from align.kept import Kept

        folders = _folders(model, encoder)
        found: AcousticModel
        if folders is None:
            from align.ctc_checkpoint import Wav2Vec2CTC

            found = Wav2Vec2CTC(model, language, device=device)
        else:
            found = WhisperCTC(*folders, device, batch_size)
        return Aligner(found if heard is None else Kept(found, heard), language)


def name_of_model(model: str, encoder: str) -> str:
    """What the model of `aligner_of` is called in a corpus; it is not loaded for that."""
    with extra("align"):
        from align.ctc_checkpoint import find_checkpoint
        from align.emissions import name_of

        folders = _folders(model, encoder)
        return name_of(*folders) if folders else find_checkpoint(model).edition


def _folders(model: str, encoder: str) -> tuple[Path, Path | None] | None:
    """Encoder and head (None: the shipped one) of a Whisper that aligns; None for another model."""
    from align.recipe import encoder_of
    from corpus.models import resolve

    head = Path(model).expanduser()
    if (head / "head.safetensors").is_file():
        # A head brings its encoder; one that is named beside it, other than by default, wins.
        name = encoder if encoder != "base" else encoder_of(head) or encoder
        return resolve(name), head
    return (resolve(encoder), None) if model == BUILT_IN else None


def _edition(name: str, folder: Path) -> str:
    """A name for the weights that a folder holds now.

    Drafts are kept by the name of their model: one that is trained anew in the
    same folder, or stands in another of the same name, must not go by the old one.
    """
    from corpus.media import hash_file

    weights = sorted([*folder.glob("*.safetensors"), *folder.glob("pytorch_model*.bin")])
    digest = content_id(*(hash_file(path) for path in weights))
    return f"{name}-{digest[:12]}"


def drafter(model: str, language: str, device: str) -> Drafter:
    """What writes drafts, with the Whisper of that name."""
    with extra("align"):
        from align.draft import Drafter
    return Drafter(draft_folder(model), language, device)


def draft_folder(model: str) -> Path:
    """Where the Whisper of a drafter is; one that was fine-tuned is brought to its form."""
    from corpus.models import cache_folder, form_of, resolve

    folder = resolve(model, "ctranslate2", or_else="transformers")
    if form_of(folder) == "ctranslate2":
        return folder
    # A folder of the hub's cache goes by the name of a commit.
    named = Path(model).expanduser()
    name = named.resolve().name if named.is_dir() else model.replace("/", "--")
    with extra("train"):
        from train.convert import to_ctranslate2

        return to_ctranslate2(folder, cache_folder() / "converted" / _edition(name, folder))


@app.command()
def align(
    context: typer.Context,
    model: Annotated[
        str,
        typer.Option(
            help="whisper-ctc, a head's folder or a wav2vec2 CTC model; as in corpus.toml."
        ),
    ] = "",
    batch_size: BatchSize = 1,
    device: Device = "auto",
    devices: Devices = "",
    processes: Processes = None,
    ray: RayAddress = "",
) -> None:
    """Place every word of the matched verses on the audio; cut utterances of at most 30 s.

    The words of texts that people corrected get their times too.
    """
    with extra("align"):
        from align.stage import AlignStage
        from align.word_times import WordTimes
    from corpus.run import Work

    workspace = open_workspace(context)
    engine = engine_of(processes, ray, device, devices)
    settings, media = workspace.config.align, workspace.media
    language = workspace.config.corpus.language
    name = found_anywhere(model or settings.model)
    encoder = found_anywhere(settings.encoder)
    by: By = (name, encoder, language, device, media.heard, batch_size)
    heard_by = name_of_model(name, encoder)
    aligning = AlignStage(workspace, heard_by)
    work = Work(ask=aligning.ask, make=partial(_aligning, by, media, settings.max_seconds))
    fine = ran(context, workspace, "align", aligning.items(), work, engine=engine)
    if corrected := WordTimes(workspace, heard_by).items():
        timing = Work(ask=_itself, make=partial(_timing, by, media))
        fine &= ran(context, workspace, "word times", corrected, timing, engine=engine)
    if not fine:
        raise typer.Exit(1)


def _aligning(by: By, media: Media, max_seconds: float) -> Aligning:
    """What a worker aligns by."""
    from align.stage import Aligning

    return Aligning(aligner_of(*by), media, max_seconds)


def _timing(by: By, media: Media) -> Timing:
    """What a worker places corrected words by."""
    from align.word_times import Timing

    return Timing(aligner_of(*by), media)


def _itself(corrected: Corrected) -> Corrected:
    return corrected


@app.command()
def align_file(
    context: typer.Context,
    audio: Audio,
    letra: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Its text.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON (the default).")] = False,
    lrc: Annotated[bool, typer.Option("--lrc", help="Print LRC.")] = False,
    srt: Annotated[bool, typer.Option("--srt", help="Print SubRip subtitles.")] = False,
    textgrid: Annotated[bool, typer.Option("--textgrid", help="Print a Praat TextGrid.")] = False,
    audacity: Annotated[
        bool, typer.Option("--audacity", help="Print labels for Audacity.")
    ] = False,
    model: Annotated[
        str,
        typer.Option(
            help="whisper-ctc, a head's folder, or a wav2vec2 CTC model by folder or hub name."
        ),
    ] = BUILT_IN,
    encoder: Annotated[str, typer.Option(help="The Whisper that whisper-ctc hears with.")] = "base",
    language: Annotated[
        str, typer.Option(help="Language of the text; else that of the corpus here, or es.")
    ] = "",
    device: Device = "auto",
) -> None:
    """Place the words of one letra on one recording and print their times; needs no corpus.

    A line that is sung again is there again, unless the text writes repetitions out itself.
    """
    from corpus.lyrics.base import read_text
    from corpus.media import SAMPLE_RATE, decoded_copy

    flags = {
        Format.JSON: json,
        Format.LRC: lrc,
        Format.SRT: srt,
        Format.TEXTGRID: textgrid,
        Format.AUDACITY: audacity,
    }
    chosen = [form for form, given in flags.items() if given]
    if len(chosen) > 1:
        raise typer.BadParameter("choose one of --json, --lrc, --srt, --textgrid and --audacity")
    lines = read_text(letra).split("\n")
    with extra("align"):
        from align.aligner import prices_for
    aligner = aligner_of(model, encoder, sung_language(context, language), device)
    with decoded_copy(audio) as samples, progress("align") as move:
        aligned = aligner.align(samples, lines, move, prices=prices_for(lines)).lines
        duration = samples.n_samples / SAMPLE_RATE
    left_out = [line.text for line in aligned if line.left_out]
    if left_out:
        say(f"align-file: not heard, placed by guess: {' / '.join(left_out)}")
    print_lines(chosen[0] if chosen else Format.JSON, aligned, duration)
