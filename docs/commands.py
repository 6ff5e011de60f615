"""Writes what the code says itself: `python docs/commands.py`.

That is docs/reference.md, from the command line, and the tree of docs/errors.md, from
corpus/errors.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

REFERENCE = Path(__file__).parent / "reference.md"
ERRORS = Path(__file__).parent / "errors.md"
_MARKS = "<!-- errors -->\n", "<!-- /errors -->\n"

_HEAD = """# Command reference

Generated from the commands themselves by `python docs/commands.py`.

Options of `corpus` itself stand before the verb: `corpus -w FOLDER status`.
Exit codes: 0 done, 1 some items failed, 2 wrong usage, 130 interrupted ([errors](errors.md)).
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


def error_classes() -> Iterator[tuple[int, type[Exception]]]:
    """Give every error that is raised on purpose with its depth in the tree, the root first."""
    from corpus import errors

    def below(one: type[Exception], depth: int) -> Iterator[tuple[int, type[Exception]]]:
        yield depth, one
        for child in one.__subclasses__():
            if child.__module__ == errors.__name__:
                yield from below(child, depth + 1)

    yield from below(errors.CanteError, 0)


def errors_page() -> str:
    """Give docs/errors.md as it is, with what its marks enclose made anew."""
    head, mark, rest = ERRORS.read_text("utf-8").partition(_MARKS[0])
    return head + mark + _tree() + _MARKS[1] + rest.partition(_MARKS[1])[2]


def _tree() -> str:
    import inspect

    from corpus import errors

    drawn = inspect.getdoc(errors) or ""
    lines = [
        line
        for line in drawn.splitlines()
        if line.startswith(("    CanteError", "    ├", "    │", "    └"))
    ]
    parts = ["```text", *(line[4:] for line in lines), "```", ""]
    for _, one in error_classes():
        when, _, what = (inspect.getdoc(one) or "").partition("\n\n")
        parts += [f"### {one.__name__}", "", f"{when}", ""]
        parts += [f"**What to do.** {what}", ""] if what else []
    return "\n".join(parts)


if __name__ == "__main__":
    REFERENCE.write_text(reference(), "utf-8")
    ERRORS.write_text(errors_page(), "utf-8")
