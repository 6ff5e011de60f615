"""Aligned lines as JSON, LRC, SubRip and Praat's TextGrid."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from align.records import AlignedLine

__all__ = ["as_dict", "as_lrc", "as_srt", "as_textgrid"]


def as_dict(lines: Sequence[AlignedLine]) -> dict[str, Any]:
    """What JSON holds: lines with text, start, end and words, those with a score too; seconds."""
    return {
        "lines": [
            {
                "text": line.text,
                "start": round(line.start, 3),
                "end": round(line.end, 3),
                "words": [
                    {
                        "text": word.text,
                        "start": round(word.start, 3),
                        "end": round(word.end, 3),
                        "score": round(word.score, 3),
                    }
                    for word in line.words
                ],
            }
            for line in lines
        ]
    }


def as_lrc(lines: Sequence[AlignedLine]) -> str:
    """Lines with the time each begins, `[mm:ss.xx]`; minutes go on past 99."""
    return "".join(f"[{_clock(line.start)}]{line.text}\n" for line in lines)


def _clock(seconds: float) -> str:
    minutes, hundredths = divmod(round(seconds * 100), 6000)
    return f"{minutes:02}:{hundredths // 100:02}.{hundredths % 100:02}"


def as_srt(lines: Sequence[AlignedLine]) -> str:
    """SubRip subtitles, one a line."""
    from pysubs2 import SSAEvent, SSAFile

    subtitles = SSAFile()
    for line in lines:
        start, end = round(line.start * 1000), round(line.end * 1000)
        subtitles.append(SSAEvent(start=start, end=end, text=line.text))
    return str(subtitles.to_string("srt", keep_ssa_tags=True))


def as_textgrid(lines: Sequence[AlignedLine], duration: float) -> str:
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
