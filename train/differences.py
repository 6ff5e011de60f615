"""Where what was written differs from what is sung, word by word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from rapidfuzz.distance import Levenshtein

from train.metrics import normalise

__all__ = ["Piece", "differences"]


Kind = Literal["equal", "delete", "insert", "replace"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Neighbouring words that are alike, left out, put in, or other words; as they came.

    `sung` is "" where something was put in, `written` where something was left out.
    """

    kind: Kind
    sung: str
    written: str


def differences(reference: str, hypothesis: str) -> tuple[Piece, ...]:
    """The words of both in order, aligned as the word error rate counts them."""
    sung, written = list(_words(reference)), list(_words(hypothesis))
    blocks = Levenshtein.opcodes([word for word, _ in sung], [word for word, _ in written])
    return tuple(
        Piece(
            kind=cast("Kind", block.tag),
            sung=_shown(sung[block.src_start : block.src_end]),
            written=_shown(written[block.dest_start : block.dest_end]),
        )
        for block in blocks
    )


def _words(text: str) -> Iterator[tuple[str, str]]:
    """Words as they are compared, and as they came: with their signs, where these stay together."""
    for token in text.split():
        compared = normalise(token).split()
        if len(compared) == 1:
            yield compared[0], token
        else:
            yield from zip(compared, compared, strict=True)


def _shown(words: Sequence[tuple[str, str]]) -> str:
    return " ".join(came for _, came in words)
