"""Judged models as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from train.metrics import Scores

__all__ = ["by_group", "compared"]

Cell = str | int | float | None


def compared(judged: Sequence[tuple[str, Scores]]) -> list[dict[str, Cell]]:
    """One row a model, in the order given; rates rounded to 4 places, None where there is none.

    `change` is the WER against the first model's, in points of a hundred.
    """
    base = judged[0][1].wer if judged else None
    return [
        {"model": model, **_row(scores), "change": _points(scores.wer, base)}
        for model, scores in judged
    ]


def by_group(groups: Mapping[str, Scores], name: str) -> list[dict[str, Cell]]:
    """One row a group (a palo, a singer), the one of most utterances first; `name` heads them."""
    ranked = sorted(groups.items(), key=lambda item: (-item[1].utterances, item[0]))
    return [{name: group, **_row(scores)} for group, scores in ranked]


def _row(scores: Scores) -> dict[str, Cell]:
    return {
        "WER": _rounded(scores.wer),
        "CER": _rounded(scores.cer),
        "n": scores.utterances,
        "words": scores.words,
        "without words": scores.empty_references,
        "invented words": scores.invented_words,
    }


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 4)


def _points(rate: float | None, base: float | None) -> float | None:
    return None if rate is None or base is None else round(100 * (rate - base), 2)
