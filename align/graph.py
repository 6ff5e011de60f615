"""What may be sung: lines of words as a chain of states, a letter each, with blanks between.

The topology of CTC (Graves et al., 2006): before, between and after the letters
stands a blank that may be passed over, but for the one between two equal letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.errors import AlignmentError
from corpus.text import letters

__all__ = ["INNER_PRICE", "Graph", "build_graph"]

INNER_PRICE = 0.02
"""What a frame of blank costs inside a line: it keeps a word from slipping into an intro."""

_NEAREST = {"ñ": "n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A chain of n_states = 2 * letters + 1, blanks at the even places.

    `labels` are columns of the emissions, `words` the index of the word that a
    state belongs to (-1 for blanks), `price` what a frame there costs, `skip`
    where the blank before may be passed over.  All have the shape (n_states,).
    """

    labels: NDArray[np.int32]
    words: NDArray[np.int32]
    price: NDArray[np.float32]
    skip: NDArray[np.bool_]

    @property
    def n_frames_needed(self) -> int:
        """The fewest frames that a path through all letters takes."""
        return len(self.labels) // 2 + int((~self.skip[3::2]).sum())


def build_graph(
    lines: Sequence[Sequence[str]],
    labels: Sequence[str],
    language: str = "es",
    inner_price: float = INNER_PRICE,
) -> Graph:
    """The graph of lines of words for a model with such labels (blank first).

    Words count through all lines.  A letter that the model does not know is
    passed over (ñ is heard as n); raises AlignmentError when none is left.
    """
    column = {label: i for i, label in enumerate(labels)}
    spelled = [_columns(word, column, language) for line in lines for word in line]
    if not any(spelled):
        raise AlignmentError("the text has no letters to listen for: give the words that are sung")
    chain = [c for word in spelled for c in word]
    owners = [i for i, word in enumerate(spelled) for _ in word]
    states = np.zeros(2 * len(chain) + 1, np.int32)
    states[1::2] = chain
    words = np.full(len(states), -1, np.int32)
    words[1::2] = owners
    skip = np.zeros(len(states), bool)
    skip[3::2] = states[3::2] != states[1:-2:2]
    price = _prices(owners, [len(line) for line in lines], inner_price)
    return Graph(labels=states, words=words, price=price, skip=skip)


def _columns(word: str, column: dict[str, int], language: str) -> list[int]:
    heard = (c if c in column else _NEAREST.get(c, "") for c in letters(word, language))
    return [column[c] for c in heard if c in column and c]


def _prices(owners: Sequence[int], lengths: Sequence[int], inner: float) -> NDArray[np.float32]:
    """Blanks are free where a line begins or all ends, and cost `inner` elsewhere."""
    line_of = np.repeat(np.arange(len(lengths)), lengths)[list(owners)]
    price = np.zeros(2 * len(owners) + 1, np.float32)
    price[2:-1:2] = np.where(line_of[1:] == line_of[:-1], inner, 0)
    return price
