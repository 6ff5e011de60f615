"""What an evaluation found as one page in one file, a table for a model's card, and JSON."""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.errors import MediaError, TrainError
from corpus.media import compact, flac_bytes
from corpus.pages import page
from train.differences import Piece, differences
from train.findings import Finding, Judged, Rate, Report
from train.folders import making

__all__ = ["table_of_models", "write_report"]

Sound = Callable[[int], NDArray[np.float32]]

_FILES = {"index.html", "report.md", "report.json"}
_FEWEST_WORDS = 3  # of an example: shorter ones are all right or all wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class _Example:
    """An utterance to listen to, and what each model made of it."""

    judged: Judged
    lines: tuple[tuple[str, tuple[Piece, ...]], ...]
    sound: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """Groups that answer one question: their names, and for each model a rate or none."""

    by: str
    rows: tuple[tuple[str, int, tuple[Rate, ...]], ...]


def write_report(report: Report, folder: Path, *, sound: Sound, examples: int = 12) -> Path:
    """Write index.html, report.md and report.json into `folder`; gives the page.

    `sound` gives the samples of a row of the split (16 kHz mono); half of the `examples` are the
    worst, half the best of the last model.  An older report is replaced.  Raises TrainError when
    the folder holds anything else or cannot be written.
    """
    with _in_place_of_an_older(folder), making(folder) as made:
        (made / "report.json").write_text(json.dumps(asdict(report), indent=1), "utf-8")
        (made / "report.md").write_text(table_of_models(report), "utf-8")
        (made / "index.html").write_text(_page(report, sound, examples), "utf-8")
    return folder / "index.html"


@contextmanager
def _in_place_of_an_older(folder: Path) -> Iterator[None]:
    """An older report is out of the way inside, and back when the new one cannot be written."""
    if not folder.exists():
        yield
        return
    if not folder.is_dir() or {path.name for path in folder.iterdir()} - _FILES:
        raise TrainError(f"{folder} is there and is no report: take another folder")
    older = folder.with_name(f".{folder.name}.older")
    shutil.rmtree(older, ignore_errors=True)
    folder.rename(older)
    try:
        yield
    except BaseException:
        older.rename(folder)
        raise
    shutil.rmtree(older, ignore_errors=True)


def table_of_models(report: Report) -> str:
    """Models side by side as a table in Markdown, rates in points of a hundred."""
    spelt = ("Model", "WER", "in folded spelling", "content words", "CER", "quejíos left out")
    head = (*spelt, "words made up", "against the first")
    rows = [
        (
            finding.model.replace("|", "\\|"),
            _points(finding.as_sung),
            _points(finding.folded),
            _points(finding.content),
            _points(finding.characters),
            _points(finding.quejio_missed),
            f"{finding.invented_words} in {finding.silent} clips" if finding.silent else "–",
            _points(finding.change) if finding.change else "–",
        )
        for finding in report.findings
    ]
    lines = [head, tuple("---" for _ in head), *rows]
    told = f"WER (%) on {report.release}, split {report.split}; 95 % intervals over recordings."
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", told, ""])


def _points(rate: Rate) -> str:
    if rate.value is None:
        return "–"
    text = f"{100 * rate.value:.1f}"
    if rate.low is None or rate.high is None:
        return text
    return f"{text} ({100 * rate.low:.1f} to {100 * rate.high:.1f})"


def _page(report: Report, sound: Sound, n_examples: int) -> str:
    last = report.findings[-1]
    worst, best = _chosen(last, n_examples // 2)
    return page(
        "train",
        written_in="en",
        title=f"Evaluation on {report.release}",
        media="data:",
        report=report,
        last=last,
        points=_points,
        questions=_questions(report),
        most=_most(report),
        worst=[_example(report, one, sound) for one in worst],
        best=[_example(report, one, sound) for one in best],
    )


def _most(report: Report) -> float:
    """The highest rate that the plots show: 1, or what the highest interval reaches, up to 2."""
    rates = [one.wer for finding in report.findings for one in finding.groups]
    rates += [finding.as_sung for finding in report.findings]
    reached = [rate.high or rate.value or 0.0 for rate in rates]
    return min(2.0, max(1.0, *reached))


def _questions(report: Report) -> list[_Question]:
    """The groups of all models, asked as the last one's are."""
    of_model = [{(g.by, g.value): g for g in finding.groups} for finding in report.findings]
    found = []
    for by in dict.fromkeys(group.by for group in report.findings[-1].groups):
        rows = tuple(
            (
                group.value,
                group.utterances,
                tuple(
                    groups[by, group.value].wer if (by, group.value) in groups else Rate()
                    for groups in of_model
                ),
            )
            for group in report.findings[-1].groups
            if group.by == by
        )
        if len(rows) > 1:
            found.append(_Question(by=by, rows=rows))
    return found


def _chosen(finding: Finding, n: int) -> tuple[list[Judged], list[Judged]]:
    """The worst and the best utterances, longer ones first where they are equal."""
    long = [one for one in finding.utterances if one.words >= _FEWEST_WORDS]
    ranked = sorted(long, key=lambda one: (-one.errors / one.words, -one.words, one.row))
    worst = [one for one in ranked[:n] if one.errors]
    taken = {one.row for one in worst}
    best = sorted(long, key=lambda one: (one.errors / one.words, -one.words, one.row))[:n]
    return worst, [one for one in best if one.row not in taken]


def _example(report: Report, judged: Judged, sound: Sound) -> _Example:
    lines = []
    for finding in report.findings:
        written = {one.row: one.hypothesis for one in finding.utterances}
        if judged.row in written:
            lines.append((finding.model, differences(judged.reference, written[judged.row])))
    return _Example(judged=judged, lines=tuple(lines), sound=_playable(judged.row, sound))


def _playable(row: int, sound: Sound) -> str:
    """The sound of a row as an address of itself; "" where it cannot be read."""
    try:
        with tempfile.TemporaryDirectory(prefix="cante-") as folder:
            clip = Path(folder) / "clip.flac"
            clip.write_bytes(flac_bytes(sound(row)))
            packed = base64.b64encode(compact(clip)).decode("ascii")
    except MediaError:
        return ""
    return f"data:audio/mpeg;base64,{packed}"
