"""Writes docs/reference.md from the command line itself: `python docs/commands.py`."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

REFERENCE = Path(__file__).parent / "reference.md"

_HEAD = """# Command reference

Generated from the commands themselves by `python docs/commands.py`.

Options of `corpus` itself stand before the verb: `corpus -w FOLDER status`.
Exit codes: 0 done, 1 some items failed, 2 wrong usage.
"""


def verbs(group: Any, path: str = "corpus") -> Iterator[tuple[str, Any]]:
    """Give every command with its whole name, groups included, in the order of the help."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from verbs(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def _parameter(parameter: Any) -> str:
    names = " / ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    if parameter.param_type_name == "argument":
        names = f"`{parameter.name.upper()}`"
    default = parameter.default
    plain = isinstance(default, str | int | float) and not isinstance(default, bool)
    default = default.value if isinstance(default, Enum) else default
    told = f" Default: `{default}`." if plain and default != "" else ""
    return f"| {names} | {parameter.help or ''}{told} |"


def _options(command: Any) -> list[str]:
    shown = [p for p in command.params if p.name != "help"]
    return ["| | what it is |", "|---|---|", *(_parameter(p) for p in shown), ""] if shown else []


def reference() -> str:
    """Give the whole page."""
    from typer.main import get_command

    from corpus.cli import app

    root = get_command(app)
    lines = [_HEAD, "## corpus\n", f"{root.help}\n", *_options(root)]
    for name, command in verbs(root):
        lines += [f"## {name}\n", f"{(command.help or '').strip()}\n", *_options(command)]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    REFERENCE.write_text(reference(), "utf-8")
