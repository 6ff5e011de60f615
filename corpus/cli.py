"""The `corpus` command: options that all verbs share, and what is said when things go wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from corpus.commands import (
    curate,
    export,
    finetune,
    gather,
    hub,
    improve,
    judge,
    learn,
    letras,
    listen,
    look,
    matching,
    people,
    rebuild,
    releases,
    report,
    transcribe,
)
from corpus.errors import CanteError, UsageError

__all__ = ["app", "main"]

app = typer.Typer(
    name="corpus",
    help="From flamenco recordings and letras to a labelled corpus and a Whisper that understands"
    " cante.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verbs in (
    gather,
    letras,
    curate,
    look,
    matching,
    listen,
    people,
    releases,
    rebuild,
    export,
    hub,
    finetune,
    learn,
    judge,
    transcribe,
    improve,
    report,
):
    app.add_typer(verbs.app)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("cante-corpus"))
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    workspace: Annotated[
        Path,
        typer.Option(
            "--workspace",
            "-w",
            help="Folder of the corpus, or one below it.",
            envvar="CORPUS_WORKSPACE",
        ),
    ] = Path(),
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[  # noqa: ARG001  # its callback prints and leaves
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=_version),
    ] = False,
) -> None:
    """Hold what all verbs share."""
    context.obj = {"workspace": workspace, "debug": debug}


def main() -> None:
    """Run the command; one line for what goes wrong, a traceback only with --debug."""
    debug = "--debug" in sys.argv
    # A global option that people type after the verb: it is understood in any place.
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # text streams here
    try:
        app(["--debug", *arguments] if debug else arguments)
    except CanteError as error:
        if debug:
            raise
        sys.exit(_fail(str(error), 2 if isinstance(error, UsageError) else 1))
    except Exception as error:
        if debug:
            raise
        kind = type(error).__name__
        sys.exit(_fail(f"unexpected {kind}: {error}; run with --debug for more", 1))


def _fail(message: str, code: int) -> int:
    from corpus.show import say

    say(f"corpus: {' '.join(message.split())}")
    return code


if __name__ == "__main__":
    main()
