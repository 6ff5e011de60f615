"""Lyric sources: letras come in as verses.  One file a source, found by listing this folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from pathlib import Path

from corpus.collect.base import file_inputs, files_below, is_file, is_folder, printable
from corpus.errors import LyricsError
from corpus.lyrics.base import Flaw, Letra, LyricSource, verses_of
from corpus.records import UNKNOWN_RIGHTS
from corpus.run import Failure, Item, Outcome

__all__ = ["Flaw", "Letra", "LyricSource", "items", "sources", "take_in"]


def sources() -> dict[str, LyricSource]:
    """Every lyric source, by the suffix of the files that it reads."""
    found: dict[str, LyricSource] = {}
    for module in pkgutil.iter_modules(__path__):
        made = importlib.import_module(f"{__name__}.{module.name}")
        if hasattr(made, "source"):
            found |= dict.fromkeys(made.source.suffixes, made.source)
    return found


def items(paths: Sequence[Path]) -> list[Item[Path]]:
    """The files at the paths; of a folder, those of a known suffix, and what cannot be read."""
    known = sources()
    found: dict[str, Path] = {}
    for path in paths:
        inside = files_below(path) if is_folder(path) else [(path, "")]
        for file, problem in inside:
            if file == path or problem or file.suffix.lower() in known:
                found[printable(str(file.absolute()))] = file.absolute()
    return [Item(key=key, inputs=file_inputs(file), payload=file) for key, file in found.items()]


def take_in(path: Path, rights: str = UNKNOWN_RIGHTS) -> Outcome:
    """The verses of a file; parts of it without a letra are told and the others taken.

    `rights` are those of letras that say none.

    Raises LyricsError when nothing of the file can be read.
    """
    if is_folder(path):
        raise LyricsError("the folder cannot be read: see who may read it")
    if not is_file(path):
        raise LyricsError("there is no such file")
    source = sources().get(path.suffix.lower())
    if source is None:
        raise LyricsError(
            f"no reader for '{path.suffix}': {', '.join(sorted(sources()))} are known"
        )
    key = printable(str(path))
    parts = list(source.read(path))
    letras = [part for part in parts if isinstance(part, Letra)]
    verses = [verse for letra in letras for verse in verses_of(letra, key, rights)]
    flaws = [part for part in parts if isinstance(part, Flaw)]
    if not verses:
        raise LyricsError(flaws[0].reason if flaws else "no letra in the file")
    failures = tuple(Failure(item=f"{key}:{flaw.part}", reason=flaw.reason) for flaw in flaws)
    return Outcome(records=tuple(verses), failures=failures)
