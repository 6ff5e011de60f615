"""Variants of coplas found again: `python bench/variants.py STANZAS.jsonl`.

STANZAS.jsonl has an object with `lines` a line.  Variants are made of stanzas in the ways
in which sources differ; strangers are stanzas with lines of two coplas, half of each.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from pathlib import Path

from bank import Lines, stanzas

from corpus.lyrics.variants import coplas_of
from corpus.show import table

_RESPELT = (("ado", "ao"), ("para ", "pa "), ("z", "s"), ("ll", "y"), ("v", "b"), ("qu", "k"))


def respelt(lines: Lines, rng: random.Random) -> Lines:
    """Write by ear; and one letter in twelve is another vowel."""
    text = "\n".join(lines)
    for written, heard in _RESPELT:
        text = text.replace(written, heard)
    wrong = (rng.choice("aeiou") if c in "aeiou" and rng.random() < 0.08 else c for c in text)
    return tuple("".join(wrong).split("\n"))


def a_word(lines: Lines, rng: random.Random) -> Lines:
    """Another word in one line."""
    place = rng.randrange(len(lines))
    words = lines[place].split()
    words[rng.randrange(len(words))] = rng.choice(("serrana", "mare", "pena", "corazón", "gitana"))
    return (*lines[:place], " ".join(words), *lines[place + 1 :])


def dropped(lines: Lines, rng: random.Random) -> Lines:
    """One line missing."""
    place = rng.randrange(len(lines))
    return (*lines[:place], *lines[place + 1 :])


def repeated(lines: Lines, rng: random.Random) -> Lines:
    """One line sung twice."""
    place = rng.randrange(len(lines))
    return (*lines[: place + 1], *lines[place:])


def turned(lines: Lines, rng: random.Random) -> Lines:
    """The second half first."""
    half = len(lines) // 2 + rng.randrange(2) * (len(lines) % 2)
    return (*lines[half:], *lines[:half])


def joined(lines: Lines, rng: random.Random) -> Lines:
    """Two lines in one row, as some books print them; and another first word."""
    words = " ".join(lines[:2]).split()
    words[0] = rng.choice(("que", "ay", "y", "si"))
    return (" ".join(words), *(" ".join(lines[k : k + 2]) for k in range(2, len(lines), 2)))


KINDS: tuple[Callable[[Lines, random.Random], Lines], ...] = (
    *(respelt, a_word, dropped, repeated, turned, joined),
)


def main() -> None:
    """Print what is found again, what is found wrongly, and seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stanzas", type=Path)
    parser.add_argument("--each", type=int, default=500)
    given = parser.parse_args()
    rng = random.Random(3)
    known = {str(k): lines for k, lines in enumerate(stanzas(given.stanzas)) if len(lines) > 1}
    began = time.perf_counter()
    already = coplas_of(known, {}, {})
    seconds = time.perf_counter() - began
    variants = sum(verse != copla for verse, copla in already.items())
    print(f"{len(known)} stanzas among themselves: {seconds:.1f} s, {variants} are variants")
    # As long as coplas are: a word counts for less in a sonnet's lines.
    four = [
        verse
        for verse, lines in known.items()
        if len(lines) == 4 and max(map(len, lines)) <= 34 and already[verse] == verse
    ]
    rows = []
    for kind in KINDS:
        some = rng.sample(four, given.each)
        new = {f"new {verse}": kind(known[verse], rng) for verse in some}
        found = coplas_of(new, known, already)
        right = sum(found[f"new {verse}"] == already[verse] for verse in some)
        wrong = sum(found[f"new {verse}"] not in {already[verse], f"new {verse}"} for verse in some)
        rows.append((kind.__name__, right / len(some), wrong / len(some)))
    halves = [rng.sample(four, 2) for _ in range(given.each)]
    new = {f"new {k}": (*known[a][:2], *known[b][2:]) for k, (a, b) in enumerate(halves)}
    found = coplas_of(new, known, already)
    rows.append(
        ("two lines of another", 0.0, sum(id_ != of for id_, of in found.items()) / len(found))
    )
    table(("variants", "found again", "taken for another"), rows)


if __name__ == "__main__":
    main()
