"""What a collector is: it names what there is to take in, and says how to get at each."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from corpus.redact import without_credentials

__all__ = [
    "AS_USUAL",
    "EVERYTHING",
    "FIELDS",
    "Collector",
    "Found",
    "Network",
    "Wanted",
    "file_inputs",
    "files_below",
    "is_file",
    "is_folder",
    "printable",
]

FIELDS = ("title", "artist", "author", "album", "year", "palo", "region", "sex", "rights")
"""What is known of a recording beside its audio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which recordings of a link are wanted: the first `limit`, those that a rule lets through.

    `since` is YYYYMMDD, `match` a pattern to be found in the title, `max_duration` seconds.
    """

    limit: int | None = None
    since: str = ""
    match: str = ""
    max_duration: float | None = None


EVERYTHING = Wanted()


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How links are fetched: `rate` in bytes a second, `timeout` in seconds without a byte.

    `allow_local` lets addresses through that lead to this machine or a private network.
    """

    rate: float | None = None
    retries: int = 5
    timeout: float = 20.0
    cookies: Path | None = None
    proxy: str = ""
    allow_local: bool = False


AS_USUAL = Network()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One piece of audio to take in.

    `location` is a path or a URL, `number` which of several at that URL (from 1);
    `given` holds what the source says of it (by FIELDS; it wins over the tags in the
    file), `extra` whatever else it says, `transcription` the text that is sung, if the
    source has it.
    """

    key: str
    inputs: str
    location: str
    number: int = 0
    given: tuple[tuple[str, str], ...] = ()
    extra: tuple[tuple[str, str], ...] = ()
    transcription: str = ""
    problem: str = ""


_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Collector(Protocol):
    """One way in.  A module of corpus/collect with an object `collector` is found by itself."""

    name: str

    def accepts(self, source: str) -> bool:
        """Whether this collector is the one for a path or URL."""

    def find(self, source: str, wanted: Wanted, network: Network) -> Iterable[Found]:
        """What there is to take in.  Raises CanteError when the source itself cannot be read."""


def printable(path: str) -> str:
    """A path or URL that can be stored and shown in one line, whatever bytes it is made of.

    What lets somebody in (a password, a signature) is not stored with a URL.
    """
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    text = without_credentials(text) if "://" in text else text
    return _UNSEEN.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def is_file(path: Path) -> bool:
    """Whether there is a file at a path; False also for a name that no file can have."""
    with contextlib.suppress(OSError, ValueError):
        return path.is_file()
    return False


def is_folder(path: Path) -> bool:
    """Whether there is a folder at a path; False also for a name that no folder can have."""
    with contextlib.suppress(OSError, ValueError):
        return path.is_dir()
    return False


def files_below(folder: Path) -> Iterator[tuple[Path, str]]:
    """The files below a folder in order of their paths, and folders that cannot be read, with why.

    The reason is "" for a file.  Links to folders are followed, each folder once.
    """
    found: list[tuple[Path, str]] = []
    seen: set[tuple[int, int]] = set()

    def closed(error: OSError) -> None:
        found.append((Path(error.filename), f"the folder cannot be read: {error.strerror}"))

    for name, inside, files in os.walk(folder, onerror=closed, followlinks=True):
        at = Path(name)
        place = at.stat().st_dev, at.stat().st_ino
        if place in seen:
            inside.clear()
            continue
        seen.add(place)
        inside.sort()
        found += [(at / file, "") for file in files if is_file(at / file)]
    yield from sorted(found)


def file_inputs(path: Path) -> str:
    """Size and time of change: what tells that a file is not the one of last time."""
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_size}-{found.st_mtime_ns}"
