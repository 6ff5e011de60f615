"""The `corpus` command: options that all verbs share, and what is said when things go wrong."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from typer.core import TyperGroup

from corpus.commands import (
    care,
    curate,
    doctor,
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
from corpus.interrupt import heard
from corpus.log import LOG, as_json_lines, no_secret_in_tracebacks

__all__ = ["app", "main", "run"]

_INTERRUPTED = 130
"""As a shell tells of what ended by Ctrl-C: 128 and the signal's number."""


class _InterruptedError(Exception):
    """Somebody pressed Ctrl-C."""


class _Verbs(TyperGroup):
    """The verbs; Ctrl-C in one of them is told by `main`, and not by typer's own word and code."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # typer's is click's
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise _InterruptedError from error


app = typer.Typer(
    name="corpus",
    cls=_Verbs,
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
    care,
    doctor,
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
    log_json: Annotated[
        bool,
        typer.Option(
            "--log-json",
            help="Say everything as JSON lines on standard error, with an id of the run.",
            envvar="CORPUS_LOG_JSON",
        ),
    ] = False,
    version: Annotated[  # noqa: ARG001  # its callback prints and leaves
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=_version),
    ] = False,
) -> None:
    """Hold what all verbs share."""
    context.obj = {"workspace": workspace, "debug": debug}
    if log_json:
        as_json_lines()
    LOG.debug("begun", extra={"verb": context.invoked_subcommand or ""})


def main() -> None:
    """Run the command that was typed, and leave with its exit code."""
    no_secret_in_tracebacks()
    code = run(sys.argv[1:])
    if code == _INTERRUPTED:
        _leave_at_once()
    sys.exit(code)


def run(typed: Sequence[str]) -> int:
    """Run a command, in this process; gives its exit code.

    One line for what goes wrong, which is raised only with --debug.
    """
    # Global options that people type after the verb: they are understood in any place.
    general = [option for option in ("--debug", "--log-json") if option in typed]
    arguments = [argument for argument in typed if argument not in general]
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # text streams here
    began = time.monotonic()

    def leave() -> NoReturn:
        _told_end(_interrupted(), began)
        _leave_at_once()

    with heard(leave):
        code = _ran([*general, *arguments], debug="--debug" in general)
    _told_end(code, began)
    return code


def _told_end(code: int, began: float) -> None:
    LOG.debug("ended", extra={"code": code, "seconds": round(time.monotonic() - began, 3)})


def _ran(arguments: list[str], *, debug: bool) -> int:
    """The exit code of a command."""
    try:
        app(arguments)
    except SystemExit as left:
        return int(left.code or 0)
    except _InterruptedError:
        if debug:
            raise
        return _interrupted()
    except CanteError as error:
        if debug:
            raise
        return _fail(str(error), 2 if isinstance(error, UsageError) else 1)
    except Exception as error:
        if debug:
            raise
        kind = type(error).__name__
        return _fail(f"unexpected {kind}: {error}; run with --debug for more", 1)
    return 0


def _interrupted() -> int:
    message = "interrupted: what was done is kept, the same command carries on"
    return _fail(message, _INTERRUPTED)


def _leave_at_once() -> NoReturn:
    """Without waiting for threads: what they would give nobody will save."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(_INTERRUPTED)


def _fail(message: str, code: int) -> int:
    from corpus.show import say

    say(f"corpus: {' '.join(message.split())}", code=code)
    return code


if __name__ == "__main__":
    main()
