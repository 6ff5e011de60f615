"""How far text tells verses apart: `python bench/matching.py STANZAS.jsonl`.

STANZAS.jsonl has an object with `lines` a line.  Drafts are made of stanzas, with a
share of the words spoilt; the scores are those of corpus/match/score.py before CHANCE
and SURE are applied.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rapidfuzz import fuzz

from corpus.lyrics.base import Letra, verses_of
from corpus.lyrics.json_file import source
from corpus.match.index import VerseIndex
from corpus.records import Verse
from corpus.show import table
from corpus.spelling import fold_sound

_LINE = 24  # letters: as long as a line of a copla


def short(line: str) -> str:
    """Give the first words of a line, up to the length of a copla's line."""
    kept = ""
    for word in line.split():
        if kept and len(kept) + len(word) > _LINE:
            break
        kept = f"{kept} {word}".strip()
    return kept


def spoilt(text: str, share: float, rng: random.Random) -> str:
    """Give the text with a share of its words misheard or missed."""
    out = []
    for word in text.split():
        dice = rng.random()
        if dice < share * 0.3:
            continue
        wrong = 0.5 if dice < share else 0.0
        out.append("".join(rng.choice("aeioslnrt") if rng.random() < wrong else c for c in word))
    return " ".join(out)


def chance(verses: Sequence[Verse], n_lines: int, n_others: int, rng: random.Random) -> list[float]:
    """Give what 2,000 cut stanzas reach against drafts of other stanzas, in percent."""
    four = [verse for verse in verses if len(verse.lines) == 4]
    found = []
    for _ in range(100):
        others = rng.sample(verses, n_others)
        draft = fold_sound(" ".join(verse.text for verse in others))
        for verse in rng.sample(four, 20):
            if verse not in others:
                text = " ".join(short(line) for line in verse.lines[:n_lines])
                found.append(fuzz.partial_ratio(fold_sound(text), draft))
    return found


def search(index: VerseIndex, share: float, rng: random.Random) -> tuple[list[float], list[float]]:
    """Give the best stranger of each of 25 drafts of six stanzas, and what those six reach."""
    strangers, right = [], []
    for _ in range(25):
        own = rng.sample(list(index.verses.values()), 6)
        draft = fold_sound(spoilt(" ".join(verse.text for verse in own), share, rng))
        scores = {
            id_: fuzz.partial_ratio(fold_sound(index.verses[id_].text), draft)
            for id_ in index.by_text(draft)
        }
        mine = {verse.id for verse in own}
        strangers.append(max(score for id_, score in scores.items() if id_ not in mine))
        right += [scores.get(id_, 0.0) for id_ in mine]
    return strangers, right


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stanzas", type=Path)
    path = parser.parse_args().stanzas
    letras = [letra for letra in source.read(path) if isinstance(letra, Letra)]
    verses = [verse for letra in letras for verse in verses_of(letra, path.name)]
    rng = random.Random(7)
    rows = []
    for n_lines, n_others in ((4, 12), (4, 40), (3, 12)):
        found = chance(verses, n_lines, n_others, rng)
        levels = [float(x) for x in np.percentile(found, [95, 99, 99.9])]
        rows.append((n_lines, n_others, float(np.mean(found)), *levels))
    table(("lines", "other stanzas", "mean", "95 %", "99 %", "99.9 %"), rows, title="chance")
    began = time.monotonic()
    index = VerseIndex(verses)
    print(f"index of {len(index.verses)} verses: {time.monotonic() - began:.1f} s")
    found_rows = []
    for share in (0.0, 0.4, 0.8):
        began = time.monotonic()
        strangers, right = search(index, share, rng)
        a_draft = (time.monotonic() - began) / 25
        stranger = (float(np.mean(strangers)), float(np.percentile(strangers, 95)))
        sung = (float(np.percentile(right, 5)), float(np.median(right)))
        found_rows.append((share, *stranger, *sung, a_draft))
    columns = ("words spoilt", "best stranger", "its 95 %", "sung: 5 %", "median", "s a draft")
    table(columns, found_rows, title="search")


if __name__ == "__main__":
    main()
