"""What may have been sung: the lines of a letra in order, and the liberties that singers take.

The letters of all lines stand in one chain with the topology of CTC (Graves et al.,
2006): before, between and after them a blank that may be passed over, but for the
one between two equal letters.  The blank before and after a line is a rest: it
lasts as long as it lasts, and what is sung there that is not in the text (jaleos,
other words) costs a little.  From rest to rest a path may also

- leave a line out,
- go back a line, or several, to sing them again,
- go anywhere else, as a song does to its refrain;

and in the middle of a line it may go back to its beginning, or come back there from
its end, since cantaores repeat half-lines.  Each has its price (`Prices`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from align.labels import Speller
from align.vocalise import VOWELS, is_vocalise
from corpus.errors import AlignmentError
from corpus.text import letters

__all__ = [
    "ANYWHERE",
    "AS_SUNG",
    "AS_WRITTEN",
    "WRITTEN_OUT",
    "Graph",
    "Prices",
    "build_graph",
    "columns_of",
    "observe",
]

_NEAREST = {"ñ": "n"}
_NEVER = 1e30
# What a letter that goes on costs in a rest: so little, but it goes with its word.
_HOLDING = 0.05
# What a state hears, beside the labels of the model; counted from the number of labels on.
_REST, _INNER, _HELD, _VOWEL = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What a singer's liberties cost, in nats.

    `silence`, a frame without voice inside a line: it keeps a word from slipping
    into an intro; `hold`, one with voice but without a letter, as in melisma.
    `other`, a letter that is heard between lines, however long it is held;
    `unsung`, a frame of voice there.  `letter` and `line`, a line left out, by its
    letters and as such.  `again`, each line that is gone back; `half`, half a line;
    `jump`, from any rest to any other.
    """

    silence: float = 0.06
    hold: float = 0.01
    other: float = 3.0
    unsung: float = 0.0
    line: float = 8.0
    letter: float = 3.3
    again: float = 6.0
    half: float = 8.0
    jump: float = _NEVER


AS_SUNG = Prices()
WRITTEN_OUT = Prices(again=_NEVER, half=_NEVER)
"""Nothing is sung that is not written; lines may be left out."""
AS_WRITTEN = Prices(line=_NEVER, again=_NEVER, half=_NEVER)
"""Every line once, in order."""
ANYWHERE = Prices(line=_NEVER, half=_NEVER, jump=2.0, other=4.0, unsung=0.3)
"""Any lines in any order, or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A chain of n_states = 2 * letters + 1, blanks at the even places.

    `columns` are those of what `observe` gives, `words` the index of the word that
    a state belongs to (-1 for blanks, but for those in an ay), `skip` where the
    blank before may be passed over; all have the shape (n_states,).  `rests`, shape
    (n_lines + 1,), are the states before each line and after the last one, `halves`,
    shape (n_lines,), the one in the middle of each line or -1, and `leave`, shape
    (n_lines,), is what a line costs that is left out; lines without letters do not
    count.
    """

    columns: NDArray[np.int32]
    words: NDArray[np.int32]
    skip: NDArray[np.bool_]
    rests: NDArray[np.int32]
    halves: NDArray[np.int32]
    leave: NDArray[np.float32]
    prices: Prices
    labels: tuple[str, ...]

    @property
    def n_frames_needed(self) -> int:
        """The fewest frames that a path through all letters takes, or one that need not."""
        if self.prices.jump < _NEVER:
            return 1
        return len(self.columns) // 2 + int((~self.skip[3::2]).sum())


def build_graph(
    lines: Sequence[Sequence[str]],
    labels: Sequence[str],
    language: str = "es",
    prices: Prices = AS_SUNG,
    spell: Speller = letters,
) -> Graph:
    """The graph of lines of words for a model with such labels (blank first).

    Words count through all lines.  A letter that the model does not know is
    passed over (ñ is heard as n); raises AlignmentError when none is left.
    """
    column = {label: i for i, label in enumerate(labels)}
    spelled = [[columns_of(spell(word, language), column) for word in line] for line in lines]
    if not any(word for line in spelled for word in line):
        raise AlignmentError("the text has no letters to listen for: give the words that are sung")
    held = [[is_vocalise(word) for word in line] for line in lines]
    chain = [c for line in spelled for word in line for c in word]
    columns, skip, words = _chained(chain, _owners(spelled))
    # A line without letters is nowhere to be heard: it has no rest of its own.
    lettered = [line for line in spelled if any(line)]
    lengths = [sum(map(len, line)) for line in lettered]
    rests = 2 * np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    columns[::2] = len(labels) + _INNER
    _hold(columns, words, [h for line in held for h in line], labels)
    columns[rests], words[rests] = len(labels) + _REST, -1
    return Graph(
        columns=columns,
        words=words,
        skip=skip,
        rests=rests,
        halves=_halves(lettered, rests),
        leave=np.array([prices.line + prices.letter * n for n in lengths], np.float32),
        prices=prices,
        labels=tuple(labels),
    )


def observe(
    emissions: NDArray[np.float32],
    voice: NDArray[np.float32],
    labels: Sequence[str],
    prices: Prices,
) -> NDArray[np.float32]:
    """What the states of a graph hear, shape (n_frames, n_labels + 4).

    `emissions` are log-probabilities, (n_frames, n_labels), `voice` how likely it
    is that somebody sings, (n_frames,).
    """
    vowels = [i for i, label in enumerate(labels) if label in VOWELS] or [0]
    blank, letter = emissions[:, 0], emissions[:, 1:].max(axis=1)
    best = emissions.argmax(axis=1)
    anew = np.diff(best, prepend=0) != 0
    rest = np.maximum(blank, letter - prices.other * anew - _HOLDING) - prices.unsung * voice
    inner = blank - prices.silence * (1 - voice) - prices.hold * voice
    vowel = emissions[:, vowels].max(axis=1)
    held = np.maximum(inner, vowel)
    more = np.stack([rest, inner, held, vowel], axis=1)
    return np.ascontiguousarray(np.concatenate([emissions, more], axis=1), dtype=np.float32)


def columns_of(spelled: Iterable[str], column: dict[str, int]) -> list[int]:
    """The columns of a word's labels; what the model does not know is passed over, ñ is n."""
    heard = (c if c in column else _NEAREST.get(c, "") for c in spelled)
    return [column[c] for c in heard if c in column and c]


def _owners(spelled: Sequence[Sequence[Sequence[int]]]) -> list[int]:
    """The word of each letter, counted through all lines."""
    words = [word for line in spelled for word in line]
    return [i for i, word in enumerate(words) for _ in word]


def _chained(
    chain: Sequence[int], owners: Sequence[int]
) -> tuple[NDArray[np.int32], NDArray[np.bool_], NDArray[np.int32]]:
    """Columns, what may be passed over, and words, of letters with blanks between."""
    columns = np.zeros(2 * len(chain) + 1, np.int32)
    columns[1::2] = chain
    words = np.full(len(columns), -1, np.int32)
    words[1::2] = owners
    skip = np.zeros(len(columns), bool)
    skip[3::2] = columns[3::2] != columns[1:-2:2]
    return columns, skip, words


def _hold(
    columns: NDArray[np.int32],
    words: NDArray[np.int32],
    held: Sequence[bool],
    labels: Sequence[str],
) -> None:
    """In an ay or a lerele any vowel will do, and it holds as long as it lasts."""
    vowels = {i for i, label in enumerate(labels) if label in VOWELS}
    for state in range(1, len(columns), 2):
        if held[words[state]]:
            if columns[state] in vowels:
                columns[state] = len(labels) + _VOWEL
            columns[state + 1], words[state + 1] = len(labels) + _HELD, words[state]


def _halves(
    spelled: Sequence[Sequence[Sequence[int]]], rests: NDArray[np.int32]
) -> NDArray[np.int32]:
    """The blank between two words that is nearest to the middle of each line; -1 for one word."""
    found = []
    for line, first in zip(spelled, rests, strict=False):
        ends = np.cumsum([len(word) for word in line])
        inside = [int(end) for end in ends[:-1] if 0 < end < ends[-1]]
        middle = min(inside, key=lambda end: abs(2 * end - int(ends[-1])), default=-1)
        found.append(int(first) + 2 * middle if inside else -1)
    return np.array(found, np.int32)
