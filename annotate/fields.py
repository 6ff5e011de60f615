"""Reading fields of JSON that nobody has checked: each is what it must be, or MalformedError."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from reprlib import Repr
from typing import Any

from pydantic import TypeAdapter

from corpus.text import clean

__all__ = [
    "Fields",
    "MalformedError",
    "annotator",
    "choice",
    "fields",
    "listed",
    "moment",
    "number",
]

Fields = Mapping[str, Any]

# What is nested without end is not written out to its end.
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60
_MOMENT = TypeAdapter(datetime)


class MalformedError(Exception):
    """Something is not what it must be; caught in this package and told as a problem."""


def fields(found: object, what: str) -> Fields:
    """A JSON object."""
    if isinstance(found, dict):
        return found
    raise MalformedError(f"{what} is no object with fields, but {shown(found)}")


def listed(found: object, what: str) -> list[Fields]:
    """A JSON list of objects."""
    if isinstance(found, list):
        return [fields(one, f"a part of {what}") for one in found]
    raise MalformedError(f"{what} is no list, but {shown(found)}")


def number(within: Fields, name: str) -> float:
    """A finite number of seconds."""
    found = within.get(name)
    # JSON's true is an int for Python, and its ints may be too long for a float.
    if isinstance(found, int | float) and not isinstance(found, bool) and abs(found) < 1e9:
        return float(found)
    raise MalformedError(f"'{name}' is no number of seconds, but {shown(found)}")


def choice(within: Fields, name: str) -> str:
    """The one thing that was chosen."""
    found = within.get(name)
    if isinstance(found, list) and len(found) == 1 and isinstance(found[0], str):
        return clean(found[0])
    raise MalformedError(f"'{name}' is not one choice, but {shown(found)}")


def annotator(found: object) -> str:
    """The e-mail address of who annotated, else the name, else the number on the server."""
    if isinstance(found, dict):
        found = found.get("email") or found.get("username") or found.get("id")
    if isinstance(found, str | int) and not isinstance(found, bool) and clean(str(found)):
        return clean(str(found))
    raise MalformedError(f"'completed_by' does not say who annotated, but {shown(found)}")


def moment(found: object) -> str:
    """ISO 8601, UTC, with microseconds: two edits within a second keep their order."""
    if isinstance(found, str | datetime):
        try:
            told = _MOMENT.validate_python(found)
            # The server speaks UTC and does not always say so.
            aware = told if told.tzinfo else told.replace(tzinfo=timezone.utc)
            return aware.astimezone(timezone.utc).isoformat(timespec="microseconds")
        except (ValueError, OverflowError):
            pass
    raise MalformedError(f"'updated_at' or 'created_at' is no date and time, but {shown(found)}")


def shown(found: object) -> str:
    """The beginning of a value, as a message shows it: in one line, whatever it holds."""
    return "nothing" if found is None else _SHORT.repr(found)[:60]
