"""Songs that people timed, as LRC or as Praat's TextGrid, beside their audio."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from align.fit_data import Song, Spans, ultrastar_songs
from corpus.collect.files import AUDIO_SUFFIXES
from corpus.errors import TrainError
from corpus.lyrics.base import read_text
from corpus.lyrics.lrc import TimedLine, timed_lines
from corpus.records import Word
from corpus.text import letters

__all__ = ["READERS", "Reader", "lrc_songs", "textgrid_songs"]

Reader = Callable[[Path, str, Sequence[str]], list[Song]]
"""Gives the songs of a folder in a language, but for those that are left out."""

_LAST = 10.0  # seconds for a last line of which no end is known
_FOREVER = 1e6  # seconds: after the end of any song
# What praatio raises of a file that only begins as a TextGrid, or as one in JSON.
_NO_GRID = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
_PAUSE = 0.5  # seconds without a word that part two lines of a TextGrid


def lrc_songs(folder: Path, language: str, leave_out: Sequence[str] = ()) -> list[Song]:
    """Songs of a folder with a NAME.lrc beside NAME.mp3 (or another form of audio).

    A line ends where the next begins.  Where words have no times of their own, a
    line is one word.  Raises TrainError when there is no song, or one without audio.
    """
    return [_lrc_song(path, audio, language) for path, audio in _pairs(folder, ".lrc", leave_out)]


def textgrid_songs(folder: Path, language: str, leave_out: Sequence[str] = ()) -> list[Song]:
    """Songs of a folder with a NAME.TextGrid beside NAME.wav (or another form of audio).

    Words are those of the tier "words", or of the first tier of intervals; lines those
    of the tier "lines", or what pauses of half a second part.  Raises TrainError when
    there is no song, or one without audio or words.
    """
    return [
        _textgrid_song(path, audio, language)
        for path, audio in _pairs(folder, ".textgrid", leave_out)
    ]


READERS: dict[str, Reader] = {
    "ultrastar": ultrastar_songs,
    "lrc": lrc_songs,
    "textgrid": textgrid_songs,
}


def _pairs(folder: Path, suffix: str, leave_out: Sequence[str]) -> list[tuple[Path, Path]]:
    """Files with times and the audio of the same name."""
    files = sorted(folder.glob("*"))
    audio = {path.stem: path for path in files if path.suffix.lower() in AUDIO_SUFFIXES}
    named = [p for p in files if p.suffix.lower() == suffix and p.stem not in leave_out]
    if not named:
        raise TrainError(f"{folder} holds no song: each needs a NAME{suffix} and its audio")
    for path in named:
        if path.stem not in audio:
            raise TrainError(f"{path} has no audio beside it: put {path.stem}.mp3 or .wav there")
    return [(path, audio[path.stem]) for path in named]


# ---- LRC


def _lrc_song(path: Path, audio: Path, language: str) -> Song:
    found = timed_lines(read_text(path))
    lines = [line for line in _lrc_lines(found) if line.has_letters(language)]
    if not lines:
        raise TrainError(f"{path} has no line with a time: time its lines, or leave it out")
    return Song(
        name=path.stem,
        audio=audio,
        lines=tuple(line.words for line in lines),
        tolerance=0.5 if any(line.is_whole for line in lines) else 0.15,
        language=language,
        unsure=_unsure(lines),
        has_ends=all(line.has_end for line in lines),
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """Words of a line, whether its end is known, and whether only the line has times."""

    words: tuple[Word, ...]
    has_end: bool
    is_whole: bool

    def has_letters(self, language: str) -> bool:
        return any(letters(word.text, language) for word in self.words)


def _unsure(lines: Sequence[_Line]) -> Spans:
    """All but lines, for lyrics leave cries out; of a line without an end, its last word too."""
    firsts = [line.words[0].start for line in lines]
    known = [x.words[-1].end if x.has_end else x.words[-1].start for x in lines]
    spans = zip([0.0, *known], [*firsts, _FOREVER], strict=True)
    return tuple((start, end) for start, end in spans if start < end)


def _lrc_lines(found: Sequence[TimedLine]) -> Iterator[_Line]:
    for nth, line in enumerate(found, start=1):
        after = found[nth] if nth < len(found) else None
        if line.parts:
            closed = not line.parts[-1][1]
            end = after.start if after else line.parts[-1][0] + _LAST
            is_silence = after is not None and not after.parts
            yield _Line(_lrc_words(line, end), closed or is_silence, len(line.parts) == 1)


def _lrc_words(line: TimedLine, end: float) -> tuple[Word, ...]:
    """Each until the next begins, the last one until the line ends."""
    starts = [at for at, _ in line.parts]
    ends = [*starts[1:], max(end, starts[-1])]
    return tuple(
        Word(text=text, start=start, end=max(start, stop))
        for (start, text), stop in zip(line.parts, ends, strict=True)
        if text
    )


# ---- TextGrid


def _textgrid_song(path: Path, audio: Path, language: str) -> Song:
    tiers = _tiers(path)
    words = next((tiers[name] for name in tiers if name.lower() == "words"), None)
    if words is None:
        words = next(iter(tiers.values()), [])
    words = [word for word in words if letters(word.text, language)]
    if not words:
        raise TrainError(f"{path} has no words in its tier 'words' (or its first): leave it out")
    spans = next((tiers[name] for name in tiers if name.lower() == "lines"), None)
    lines = _by_pauses(words) if spans is None else _by_lines(words, spans)
    return Song(name=path.stem, audio=audio, lines=tuple(lines), tolerance=0.1, language=language)


def _tiers(path: Path) -> dict[str, list[Word]]:
    """Tiers of intervals by name, empty intervals left out."""
    from praatio.textgrid import IntervalTier, openTextgrid
    from praatio.utilities.errors import PraatioException

    try:
        grid = openTextgrid(str(path), includeEmptyIntervals=False, reportingMode="silence")
        return {
            tier.name: [Word(text=e.label.strip(), start=e.start, end=e.end) for e in tier.entries]
            for tier in grid.tiers
            if isinstance(tier, IntervalTier)
        }
    except (PraatioException, OSError, *_NO_GRID) as error:
        raise TrainError(f"{path} cannot be read as a TextGrid: save it anew in Praat") from error


def _by_pauses(words: Sequence[Word]) -> Iterator[tuple[Word, ...]]:
    line = [words[0]]
    for before, word in pairwise(words):
        if word.start - before.end > _PAUSE:
            yield tuple(line)
            line = []
        line.append(word)
    yield tuple(line)


def _by_lines(words: Sequence[Word], spans: Iterable[Word]) -> Iterator[tuple[Word, ...]]:
    """The words whose middle lies in each line; those of no line are left out."""
    for span in spans:
        line = tuple(w for w in words if span.start <= (w.start + w.end) / 2 < span.end)
        if line:
            yield line
