"""A bank of verses, as large as is wanted: real and made ones; and drafts that spoil them."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from corpus.synth.coplas import COPLAS
from corpus.text import fold

Lines = tuple[str, ...]

_METRES = ((8, 8, 8, 8), (8, 8, 8), (7, 5, 7, 5), (7, 5, 11, 5), (8, 8, 8, 8, 8))
_VOWELS = frozenset("aeiouáéíóúü")


def stanzas(path: Path) -> list[Lines]:
    """The stanzas of a JSONL with `lines`."""
    with path.open(encoding="utf-8") as file:
        return [tuple(json.loads(row)["lines"]) for row in file]


def syllables(word: str) -> int:
    """Groups of vowels: near enough for a metre."""
    flags = [c in _VOWELS for c in word.lower()]
    return sum(now and not before for before, now in pairwise([False, *flags]))


def made(like: Sequence[Lines], n: int, seed: int = 0) -> Iterator[Lines]:
    """Verses in the metres of coplas, each word one that follows the one before it somewhere."""
    rng = random.Random(seed)
    after: dict[str, list[str]] = defaultdict(list)
    for stanza in like:
        for before, word in pairwise(" ".join(stanza).lower().split()):
            after[before].append(word.strip(",.;:!?¡¿"))
    words = [word for word in after if word]
    for _ in range(n):
        yield tuple(_line(rng, after, words, size) for size in rng.choice(_METRES))


def _line(rng: random.Random, after: dict[str, list[str]], words: list[str], size: int) -> str:
    line = [rng.choice(words)]
    left = size - syllables(line[0])
    while left > 0:
        following = after.get(line[-1]) or words
        line.append(rng.choice(following) or rng.choice(words))
        left -= max(1, syllables(line[-1]))
    return " ".join(line)


def bank(path: Path, n: int, seed: int = 0) -> list[Lines]:
    """Real stanzas first, then made ones until there are n."""
    real = [*(copla.lines for copla in COPLAS), *stanzas(path)]
    return [*real[:n], *made(real, max(0, n - len(real)), seed)]


_ANDALUSIAN = (
    *(("ado ", "ao "), ("ada ", "á "), ("para ", "pa ")),
    *(("s ", " "), ("r ", " "), ("z", "s")),
)


def spoilt(verses: Sequence[Lines], rate: float, rng: random.Random, words: Sequence[str]) -> str:
    """A draft in which so many words of 1 are wrong: dropped, put in, or another; no lines."""
    said = fold(" ".join(line for verse in verses for line in verse)) + " "
    for written, heard in _ANDALUSIAN:
        said = said.replace(written, heard)
    out: list[str] = []
    for word in said.split():
        lot = rng.random()
        if lot >= rate:
            out.append(word)
        elif lot < 0.6 * rate:
            out.append(rng.choice(words))
        elif lot < 0.8 * rate:
            out += [word, rng.choice(words)]
    return " ".join(out)
