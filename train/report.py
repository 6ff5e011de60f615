"""What an evaluation says, as rows of tables and as the plain JSON of `corpus evaluate`."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from train.findings import Finding, Rate, Report

__all__ = ["as_plain", "by_group", "compared", "questions"]

Cell = str | int | float | None


def compared(report: Report) -> list[dict[str, Cell]]:
    """One row a model, in the order given; rates rounded to 4 places, None where there is none.

    `95 %` is the interval of the WER as sung; `change` its distance to the first model's, in points
    of a hundred.
    """
    return [_row(finding) for finding in report.findings]


def questions(finding: Finding) -> list[str]:
    """What its groups are by, in their order."""
    return list(dict.fromkeys(one.by for one in finding.groups))


def by_group(finding: Finding, question: str) -> list[dict[str, Cell]]:
    """One row for each answer to one of `questions`."""
    return [
        {
            question: one.value,
            "WER": _rounded(one.wer),
            "95 %": _interval(one.wer),
            "utterances": one.utterances,
            "words": one.wer.n,
            "recordings": one.wer.recordings,
        }
        for one in finding.groups
        if one.by == question
    ]


def as_plain(report: Report) -> dict[str, Any]:
    """Everything but the single utterances; `wer` and `cer` are plain numbers."""
    return {
        "release": report.release,
        "split": report.split,
        "language": report.language,
        "notes": list(report.notes),
        "models": [_plain(finding, report) for finding in report.findings],
    }


_SELDOM = ("model", "utterances", "characters", "left_out")


def _plain(finding: Finding, report: Report) -> dict[str, Any]:
    rest = {f.name: getattr(finding, f.name) for f in fields(finding) if f.name not in _SELDOM}
    return {
        "model": finding.model,
        "split": report.split,
        "utterances": sum(one.words > 0 for one in finding.utterances),
        "words": finding.as_sung.n,
        "characters": finding.characters.n,
        "wer": finding.as_sung.value,
        "cer": finding.characters.value,
        "left_out": dict(finding.left_out),
        **rest,
    }


def _row(finding: Finding) -> dict[str, Cell]:
    change = finding.change
    return {
        "model": finding.model,
        "WER": _rounded(finding.as_sung),
        "95 %": _interval(finding.as_sung),
        "folded": _rounded(finding.folded),
        "content": _rounded(finding.content),
        "CER": _rounded(finding.characters),
        "words": finding.as_sung.n,
        "quejíos missed": _rounded(finding.quejio_missed),
        "invented words": finding.invented_words,
        "change": None if change is None or change.value is None else round(100 * change.value, 2),
    }


def _rounded(rate: Rate) -> float | None:
    return None if rate.value is None else round(rate.value, 4)


def _interval(rate: Rate) -> str:
    return "" if rate.low is None or rate.high is None else f"{rate.low:.3f}-{rate.high:.3f}"
