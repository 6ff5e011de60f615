"""Aligned lines as JSON, LRC, SubRip, Praat's TextGrid and Audacity's labels."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from align.records import AlignedLine
from corpus.records import Utterance, Word, hull

__all__ = ["as_audacity", "as_dict", "as_lines", "as_lrc", "as_srt", "as_textgrid", "only_sung"]


def as_lines(utterances: Iterable[Utterance]) -> tuple[AlignedLine, ...]:
    """The lines of utterances, each with its words; without text there is no line.

    Where the words have no times the whole text is one line of the utterance's span.
    """
    found: list[AlignedLine] = []
    for utterance in utterances:
        for text, words in _lines_of(utterance):
            start, end = hull(words) if words else (utterance.start, utterance.end)
            found.append(
                AlignedLine(
                    text=text,
                    start=start,
                    end=end,
                    words=words,
                    score=utterance.score,
                    probability=utterance.score,
                    line=len(found),
                )
            )
    return tuple(found)


def _lines_of(utterance: Utterance) -> list[tuple[str, tuple[Word, ...]]]:
    texts = [line for line in utterance.text.split("\n") if line.split()]
    if not utterance.words:
        return [(" ".join(texts), ())] if texts else []
    words = iter(utterance.words)
    return [(text, tuple(islice(words, len(text.split())))) for text in texts]


def as_dict(lines: Sequence[AlignedLine]) -> dict[str, Any]:
    """What JSON holds: lines in time with text, start, end, probability and words; seconds.

    A line has "sung" where that differs from its text ("" where it was left out),
    "repeat" where it was sung again, and "doubts" where a check is broken.
    """
    return {
        "lines": [
            {
                "text": line.text,
                **_beside(line),
                "start": round(line.start, 3),
                "end": round(line.end, 3),
                "probability": round(line.probability, 3),
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


def _beside(line: AlignedLine) -> dict[str, Any]:
    """What is to be said of a line beyond its text and times."""
    beside: dict[str, Any] = {} if line.sung is None else {"sung": line.sung}
    if line.repeat:
        beside["repeat"] = True
    if line.doubts:
        beside["doubts"] = list(line.doubts)
    return beside


def only_sung(lines: Iterable[AlignedLine]) -> tuple[AlignedLine, ...]:
    """What was sung, as subtitles show it: halves as halves, nothing that was left out."""
    return tuple(replace(line, text=line.sung or line.text) for line in lines if not line.left_out)


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


def as_audacity(lines: Sequence[AlignedLine]) -> str:
    """A label track of Audacity, one label a line: start, end and text with tabs between; seconds.

    https://manual.audacityteam.org/man/importing_and_exporting_labels.html
    """
    return "".join(
        f"{line.start:.6f}\t{line.end:.6f}\t{' '.join(line.text.split())}\n" for line in lines
    )


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
