"""Verbs that give what is there to other programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.commands.shared import (
    Format,
    Json,
    extra,
    find_recording,
    find_utterances,
    open_workspace,
    print_lines,
    release_folder,
)
from corpus.errors import UsageError
from corpus.show import as_json, say, tracker

if TYPE_CHECKING:
    from corpus.records import Recording
    from corpus.workspace import Workspace

__all__ = ["app"]

app = typer.Typer()


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What was asked for, as it was typed."""

    context: typer.Context
    what: str
    folder: Path | None
    to: str
    precision: str
    json: bool

    @cached_property
    def workspace(self) -> Workspace:
        """The corpus; a folder of a release does without."""
        return open_workspace(self.context)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """A kind of thing that is exported: how it is found by its name, and its formats.

    `find` gives None where a name is of another kind; the last kind raises UsageError.
    """

    name: str
    find: Callable[[_Asked], Any]
    formats: Callable[[], Sequence[str]]
    export: Callable[[_Asked, Any], None]


@app.command()
def export(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="A release (its name, or its folder), a model's folder, or how a recording's id "
            "begins.",
        ),
    ],
    folder: Annotated[
        Path | None, typer.Argument(help="The folder to make, else ./NAME-FORMAT.")
    ] = None,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            "--format",
            metavar="FORMAT",
            help="Of a release: audiofolder, kaldi, lhotse, lrc, nemo, shar, textgrid, webdataset. "
            "Of a model: ctranslate2, safetensors, gguf-compatible. "
            "Of a recording: json (unless told), lrc, srt, textgrid, audacity.",
        ),
    ] = "",
    precision: Annotated[
        str, typer.Option(help="Of a model's numbers: float32, float16; for ctranslate2 int8 too.")
    ] = "float32",
    json: Json = False,
) -> None:
    """Write a release or a model in another toolkit's format; print one recording line by line.

    What is exported stays as it is; the folder is made whole or not at all.
    """
    asked = _Asked(
        context=context, what=what, folder=folder, to=to.lower(), precision=precision, json=json
    )
    for kind in _KINDS:
        found = kind.find(asked)
        if found is not None:
            _check(asked.to, kind)
            kind.export(asked, found)
            return


def _check(to: str, kind: _Kind) -> None:
    known = kind.formats()
    if to and to not in known:
        raise UsageError(f"a {kind.name} is not exported to '{to}': --to {', '.join(known)}")


# ---- a release


def _find_release(asked: _Asked) -> Path | None:
    """The folder of a release, by its path or its name in the corpus."""
    return release_folder(asked.context, asked.what)


def _release_formats() -> list[str]:
    from corpus.publish.formats import formats

    return sorted(formats())


def _export_release(asked: _Asked, release: Path) -> None:
    from corpus.publish.export import export as write
    from corpus.publish.formats import formats

    if not asked.to:
        raise UsageError(f"say what the release is to become: --to {', '.join(_release_formats())}")
    folder = asked.folder or Path(f"{release.resolve().name}-{asked.to}")
    with extra("publish"):
        made = write(release, formats()[asked.to], folder, track=tracker(asked.to))
    if asked.json:
        as_json(made)
        return
    rows = ", ".join(f"{n_rows} {split}" for split, n_rows in made.rows.items())
    say(f"export: {made.folder}: {made.format}, {rows} utterances")


# ---- a model


def _find_model(asked: _Asked) -> Path | None:
    from corpus.collect.base import is_file
    from corpus.models import form_of

    folder = Path(asked.what)
    # What cannot be a path at all, as it is too long, is no model.
    form = form_of(folder) if is_file(folder / "config.json") else None
    if form == "ctranslate2":
        raise UsageError(f"{folder} is in CTranslate2's form already: export what it was made of")
    return folder if form else None


def _export_model(asked: _Asked, model: Path) -> None:
    if not asked.to:
        raise UsageError(f"say what the model is to become: --to {', '.join(_MODEL_FORMATS)}")
    known = _MODEL_FORMATS[asked.to]
    if asked.precision not in known:
        raise UsageError(f"--precision of {asked.to} is {' or '.join(known)}")
    folder = asked.folder or Path(f"{model.resolve().name}-{asked.to}")
    with extra("train"):
        from train.convert import to_ctranslate2
        from train.give import to_gguf_compatible, to_safetensors
    writers: dict[str, Callable[[Path, Path, Any], Path]] = {
        "ctranslate2": to_ctranslate2,
        "safetensors": to_safetensors,
        "gguf-compatible": to_gguf_compatible,
    }
    writers[asked.to](model, folder, asked.precision)
    if asked.json:
        as_json({"model": str(model), "format": asked.to, "folder": str(folder)})
        return
    say(f"export: {folder}: {asked.to}, {asked.precision}")
    if asked.to == "gguf-compatible":
        say(f"export: whisper.cpp makes its file of it: convert-h5-to-ggml.py {folder} {folder} .")


_MODEL_FORMATS = {
    "ctranslate2": ("float32", "float16", "int8"),
    "safetensors": ("float32", "float16"),
    "gguf-compatible": ("float32", "float16"),
}


# ---- a recording


def _find_recording(asked: _Asked) -> Recording:
    store = asked.workspace.store
    if re.fullmatch(r"[0-9a-fA-F]+", asked.what):
        return find_recording(store, asked.what)
    raise UsageError(
        f"'{asked.what}' is no release (a name, or a folder with its manifest.json), no folder of "
        "a model, and no recording's id begins so: see `corpus status` and `corpus recordings`"
    )


def _export_recording(asked: _Asked, one: Recording) -> None:
    if asked.folder:
        raise UsageError(f"a recording is printed, not written to {asked.folder}: use > FILE")
    form = Format(asked.to or Format.JSON)
    if asked.json and form is not Format.JSON:
        raise UsageError(f"--json and --to {form.value} are two formats: give one")
    utterances = find_utterances(asked.workspace, one, "export")
    with extra("align"):
        from align.formats import as_lines

        print_lines(form, as_lines(utterances), one.duration)


_KINDS = (
    _Kind(name="release", find=_find_release, formats=_release_formats, export=_export_release),
    _Kind(
        name="model",
        find=_find_model,
        formats=lambda: list(_MODEL_FORMATS),
        export=_export_model,
    ),
    _Kind(
        name="recording",
        find=_find_recording,
        formats=lambda: [form.value for form in Format],
        export=_export_recording,
    ),
)
"""In the order in which a name is tried."""
