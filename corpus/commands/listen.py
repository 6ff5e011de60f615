"""Verbs that listen: when each word is sung, what is heard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpus.commands.language import sung_language
from corpus.commands.shared import Device, Format, extra, open_workspace, print_lines, ran
from corpus.records import content_id
from corpus.show import progress, say

if TYPE_CHECKING:
    from align.aligner import Aligner
    from align.draft import Drafter
    from align.emissions import AcousticModel

__all__ = ["BUILT_IN", "Audio", "aligner_of", "app", "drafter"]

app = typer.Typer()

BUILT_IN = "whisper-ctc"
Audio = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A recording.")]


def aligner_of(
    model: str, encoder: str, language: str, device: str, heard: Path | None = None
) -> Aligner:
    """The aligner of a model's name, with the model found on this machine.

    What it hears of a corpus's recordings is kept in the folder `heard`, if there is one.
    """
    with extra("align"):
        from align.aligner import Aligner
        from align.kept import Kept

        found = _model_of(model, encoder, language, device)
        return Aligner(found if heard is None else Kept(found, heard), language)


def _model_of(model: str, encoder: str, language: str, device: str) -> AcousticModel:
    from corpus.models import resolve

    with extra("align"):
        from align.emissions import WhisperCTC

        head = Path(model).expanduser()
        if (head / "head.safetensors").is_file():
            from align.recipe import encoder_of

            # A head brings its encoder; one that is named beside it, other than by default, wins.
            name = encoder if encoder != "base" else encoder_of(head) or encoder
            return WhisperCTC(resolve(name), head, device)
        if model == BUILT_IN:
            return WhisperCTC(resolve(encoder), device=device)
        from align.ctc_checkpoint import Wav2Vec2CTC

        return Wav2Vec2CTC(model, language, device=device)


def _edition(folder: Path) -> str:
    """A name for the weights that a folder holds now.

    Drafts are kept by the name of their model: one that is trained anew in the
    same folder, or stands in another of the same name, must not go by the old one.
    """
    from corpus.media import hash_file

    weights = sorted([*folder.glob("*.safetensors"), *folder.glob("pytorch_model*.bin")])
    digest = content_id(*(hash_file(path) for path in weights))
    return f"{folder.resolve().name}-{digest[:12]}"


def drafter(model: str, language: str, device: str) -> Drafter:
    """What writes drafts; a Whisper that was fine-tuned here is brought to CTranslate2's form."""
    from corpus.models import cache_folder, form_of, resolve

    with extra("align"):
        from align.draft import Drafter
    folder = Path(model).expanduser()
    if form_of(folder) == "transformers":
        with extra("train"):
            from train.convert import to_ctranslate2

            folder = to_ctranslate2(folder, cache_folder() / "converted" / _edition(folder))
    else:
        folder = resolve(model, "ctranslate2")
    return Drafter(folder, language, device)


@app.command()
def align(
    context: typer.Context,
    model: Annotated[
        str,
        typer.Option(
            help="whisper-ctc, a head's folder or a wav2vec2 CTC model; as in corpus.toml."
        ),
    ] = "",
    device: Device = "auto",
) -> None:
    """Place every word of the matched verses on the audio; cut utterances of at most 30 s.

    The words of texts that people corrected get their times too.
    """
    with extra("align"):
        from align.stage import AlignStage
        from align.word_times import WordTimes

    workspace = open_workspace(context)
    settings = workspace.config.align
    name = model or settings.model
    language = workspace.config.corpus.language
    aligner = aligner_of(name, settings.encoder, language, device, workspace.media.heard)
    aligning = AlignStage(workspace, aligner)
    fine = ran(context, workspace, "align", aligning.items(), aligning.align)
    timing = WordTimes(workspace, aligner)
    if corrected := timing.items():
        fine &= ran(context, workspace, "word times", corrected, timing.time)
    if not fine:
        raise typer.Exit(1)


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
