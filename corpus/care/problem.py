"""What is wrong with a corpus: a line each, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Place", "Problem"]

Place = Literal["original", "flac", "stray", "row", "store", "release"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is not as it should be: where, which file or row, what of it, what to do.

    `recording` is the id of the recording whose audio it is, "" for anything else.
    """

    place: Place
    item: str
    says: str
    mend: str
    recording: str = ""
