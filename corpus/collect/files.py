"""Audio files and folders of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from corpus.collect.base import (
    Found,
    Network,
    Wanted,
    file_inputs,
    files_below,
    is_file,
    is_folder,
    printable,
)

__all__ = ["AUDIO_SUFFIXES", "collector"]

_AUDIO = """
    3gp aac ac3 aif aifc aiff amr ape au avi caf dts flac flv m4a m4b mka mkv mov mp2 mp3 mp4
    mpc mpg oga ogg opus ra spx tta w64 wav webm wma wv
"""
AUDIO_SUFFIXES = frozenset(f".{suffix}" for suffix in _AUDIO.split())
"""What is taken from a folder; a file that is named itself is tried whatever its suffix."""

# So a corpus names what is in its media folder, which may lie below the folder to take.
_HASH = re.compile(r"[0-9a-f]{64}")


class FileCollector:
    """Takes any file, and every audio file below a folder (hidden ones and a corpus's own not)."""

    name = "files"

    def accepts(self, source: str) -> bool:
        """Whether the source is a path; what is a link was asked for before."""
        return "://" not in source

    def find(self, source: str, wanted: Wanted, network: Network) -> Iterable[Found]:  # noqa: ARG002  # for links
        """The file itself, or the audio files below the folder, in order of their paths."""
        path = Path(source)
        if source and is_folder(path):
            return [_found(one.absolute(), problem) for one, problem in _below(path)]
        return [_found(path.absolute(), "" if is_file(path) else "there is no such file")]


def _found(path: Path, problem: str) -> Found:
    location = str(path)
    return Found(
        key=printable(location), inputs=file_inputs(path), location=location, problem=problem
    )


def _below(folder: Path) -> Iterator[tuple[Path, str]]:
    """The audio files below a folder, and what of it cannot be read, with the reason."""
    for path, problem in files_below(folder):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        ours = _HASH.fullmatch(path.stem)
        if not hidden and (problem or (path.suffix.lower() in AUDIO_SUFFIXES and not ours)):
            yield path, problem


collector = FileCollector()
