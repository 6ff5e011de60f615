"""Lines with times as LRC, SubRip, Praat's TextGrid and Audacity's labels."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from corpus.records import Word

__all__ = ["Line", "Timed", "as_audacity", "as_lrc", "as_srt", "as_textgrid"]


class Timed(Protocol):
    """A line from `start` to `end` s of a recording, with its words, or none where untimed."""

    @property
    def text(self) -> str:
        """The line as it is written."""

    @property
    def start(self) -> float:
        """Where it begins."""

    @property
    def end(self) -> float:
        """Where it ends."""

    @property
    def words(self) -> Sequence[Word]:
        """The words in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that is nothing more."""

    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()


def as_lrc(lines: Sequence[Timed], *, by_word: bool = False) -> str:
    """Lines with the time each begins, `[mm:ss.xx]`; minutes go on past 99.

    With `by_word`, each word has its time before it and the last one its end behind it,
    `<mm:ss.xx>`: https://en.wikipedia.org/wiki/LRC_(file_format), "enhanced" LRC.
    """
    return "".join(
        f"[{_clock(line.start)}]{_by_word(line) if by_word and line.words else line.text}\n"
        for line in lines
    )


def _by_word(line: Timed) -> str:
    timed = " ".join(f"<{_clock(word.start)}>{word.text}" for word in line.words)
    return f"{timed} <{_clock(max(word.end for word in line.words))}>"


def _clock(seconds: float) -> str:
    minutes, hundredths = divmod(round(seconds * 100), 6000)
    return f"{minutes:02}:{hundredths // 100:02}.{hundredths % 100:02}"


def as_srt(lines: Sequence[Timed]) -> str:
    """SubRip subtitles, one a line."""
    from pysubs2 import SSAEvent, SSAFile

    subtitles = SSAFile()
    for line in lines:
        start, end = round(line.start * 1000), round(line.end * 1000)
        subtitles.append(SSAEvent(start=start, end=end, text=line.text))
    return str(subtitles.to_string("srt", keep_ssa_tags=True))


def as_audacity(lines: Sequence[Timed]) -> str:
    """A label track of Audacity, one label a line: start, end and text with tabs between; seconds.

    https://manual.audacityteam.org/man/importing_and_exporting_labels.html
    """
    return "".join(
        f"{line.start:.6f}\t{line.end:.6f}\t{' '.join(line.text.split())}\n" for line in lines
    )


def as_textgrid(lines: Sequence[Timed], duration: float) -> str:
    """A TextGrid (Praat's long form) of the whole recording with the tiers "lines" and "words".

    Praat knows no interval without length: text that has none stands with its neighbour's.
    """
    from praatio.textgrid import IntervalTier, Textgrid

    grid = Textgrid(0, duration)
    spans = {
        "lines": [(line.start, line.end, line.text) for line in lines],
        "words": [(word.start, word.end, word.text) for line in lines for word in line.words],
    }
    for name, entries in spans.items():
        grid.addTier(IntervalTier(name, _intervals(entries, duration), 0, duration))
    with tempfile.TemporaryDirectory(prefix="cante-") as folder:
        path = Path(folder) / "grid.TextGrid"
        grid.save(str(path), format="long_textgrid", includeBlankSpaces=True)
        return path.read_text("utf-8")


def _intervals(
    spans: Sequence[tuple[float, float, str]], duration: float
) -> list[tuple[float, float, str]]:
    """The spans to the millisecond, none overlapping, none without length, inside 0..duration."""
    out: list[tuple[float, float, str]] = []
    waiting = ""
    # Where two lines overlap, the words of one lie between those of the other.
    spans = sorted(spans, key=lambda span: span[0])
    limits = [start for start, _, _ in spans[1:]] + [duration]
    for (start, end, text), limit in zip(spans, limits, strict=False):
        first, last = round(start, 3), round(min(end, limit), 3)
        if last - first >= 0.001 and last <= duration:
            out.append((first, last, waiting + text))
            waiting = ""
        elif out:
            out[-1] = (*out[-1][:2], f"{out[-1][2]} {text}")
        else:
            waiting += f"{text} "
    return out
