"""What people and machines see: tables, JSON, progress, one line for what went wrong."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

from corpus.log import LOG, Redact, to_machines

__all__ = [
    "as_json",
    "as_json_list",
    "clock",
    "dumps",
    "plain",
    "progress",
    "say",
    "steps",
    "table",
    "tracker",
    "waiting",
]

T = TypeVar("T")

# No emoji codes: "table.csv:100: ..." says line 100, and not what stands for :100:.
_out = Console(highlight=False, emoji=False)
_err = Console(stderr=True, highlight=False, emoji=False)


class _ToPeople(logging.Handler):
    """One line to standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        _err.print(record.getMessage(), markup=False, soft_wrap=True)


_to_people = _ToPeople(logging.INFO)
_to_people.addFilter(Redact())
LOG.addHandler(_to_people)


def say(text: str, **facts: object) -> None:
    """One line to standard error; machines that read the log get the facts beside it."""
    LOG.info("%s", text, extra=facts)


def _bars() -> bool:
    """Whether somebody looks who would see a bar move."""
    return _err.is_terminal and not to_machines()


def plain(value: Any) -> Any:
    """Records as JSON can hold them; their extra fields, kept as pairs, as an object."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        if "extra" in found:
            found["extra"] = dict(found["extra"])
        return plain(found)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple):
        return [plain(member) for member in value]
    if isinstance(value, dict):
        return {str(key): plain(member) for key, member in value.items()}
    return value


def dumps(value: Any) -> str:
    """JSON for people to read as well."""
    return json.dumps(plain(value), ensure_ascii=False, indent=2)


def as_json(value: Any) -> None:
    """Write JSON to standard output, UTF-8 whatever the terminal's encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(dumps(value).encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.buffer.flush()


def as_json_list(values: Iterable[Any], key: str = "") -> None:
    """Write a list, or an object that holds it, as JSON: each member as it comes."""
    out, head, tail = sys.stdout, "", ""
    if key:
        head, tail = f"{{{json.dumps(key)}: ", "}"
    out.flush()
    out.buffer.write(f"{head}[".encode())
    before = "\n"
    for value in values:
        made = json.dumps(plain(value), ensure_ascii=False)
        out.buffer.write(f"{before}{made}".encode("utf-8", "backslashreplace"))
        before = ",\n"
    out.buffer.write(f"\n]{tail}\n".encode())
    out.buffer.flush()


def clock(seconds: float) -> str:
    """Minutes and seconds, as a player shows them."""
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths % 600 // 10:02d}.{tenths % 10}"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """A table to standard output; numbers to the right."""
    from rich.text import Text

    made = Table(title=title or None, title_justify="left")
    kept = [list(row) for row in rows]
    for i, column in enumerate(columns):
        numeric = all(isinstance(row[i], int | float) for row in kept)
        made.add_column(column, justify="right" if numeric and kept else "left", overflow="fold")
    for row in kept:
        # Text, not markup: a title may hold square brackets.
        made.add_row(*(Text(_cell(value)) for value in row))
    _out.print(made)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return "" if value is None else str(value)


def tracker(description: str) -> Callable[[Sequence[T]], Iterable[T]]:
    """A progress bar over a sequence, on standard error; none where there is nothing to do."""

    def track(items: Sequence[T]) -> Iterable[T]:
        from rich.progress import track as bar

        if not items:
            return iter(())
        return bar(items, description=description, console=_err, disable=not _bars())

    return track


@contextlib.contextmanager
def waiting(description: str) -> Iterator[None]:
    """A sign of life on a terminal while something takes as long as it takes."""
    with _err.status(description) if _bars() else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def progress(description: str) -> Iterator[Callable[[float], None]]:
    """A bar that is moved by the share done, 0..1."""
    with steps() as move:
        yield lambda share: move(description, round(share * 1000), 1000)


@contextlib.contextmanager
def steps() -> Iterator[Callable[[str, int, int], None]]:
    """Bars that are moved by (what, done, of how many); they go at the end, also at a bad one."""
    from rich.progress import Progress

    tasks: dict[str, Any] = {}
    with Progress(console=_err, transient=True, disable=not _bars()) as bars:

        def move(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield move
