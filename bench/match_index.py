"""Candidates out of a bank, how soon and how surely: `python bench/match_index.py STANZAS.jsonl`.

STANZAS.jsonl has an object with `lines` a line; where more verses are wanted than it has, the
rest is made (bench/bank.py).  A query is a draft of one verse, with a share of its words wrong,
in the spelling that is sung.  It is looked up as `corpus match` does.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bank import Lines, bank, spoilt
from rapidfuzz import fuzz, process

from corpus.match.bank import Bank
from corpus.match.index import VerseIndex
from corpus.match.score import DraftText, gather
from corpus.records import Segment, Verse, VerseSource
from corpus.show import table
from corpus.spelling import fold_stream
from corpus.text import fold

_RATES = (0.3, 0.6, 0.9)  # of words that are wrong
_RANKS = (1, 10, 300)
_NEW = 100  # verses
_LONG = 20_000  # letters
_BRUTE = 100_000  # verses among which all are compared as well
_CHUNK = 20  # queries that are compared at once
_SECONDS = 60.0  # for comparing
_ACCEPT = 0.75  # as in corpus.toml


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A draft of one verse, and the ids of all verses of its words."""

    text: str
    rate: float
    right: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The rank of the right verse, from 0, and the seconds it took."""

    rank: float
    seconds: float


def drafts(verses: Sequence[Lines], n: int, seed: int = 1) -> list[Query]:
    """As many of each rate, together n, of the same verses."""
    rng = random.Random(seed)
    same: dict[str, set[str]] = {}
    texts = [fold(" ".join(verse)) for verse in verses]
    for place, text in enumerate(texts):
        same.setdefault(text, set()).add(str(place))
    words = [word for text in rng.sample(texts, min(3000, len(texts))) for word in text.split()]
    places = rng.sample(range(len(verses)), min(n // len(_RATES), len(verses)))
    return [
        Query(
            text=spoilt([verses[place]], rate, rng, words),
            rate=rate,
            right=frozenset(same[texts[place]]),
        )
        for rate in _RATES
        for place in places
    ]


def looked_up(queries: Sequence[Query], search: Callable[[str], Sequence[str]]) -> list[Found]:
    """Search for one after the other."""
    out = []
    for query in queries:
        began = time.perf_counter()
        ids = search(query.text)
        seconds = time.perf_counter() - began
        ranks = [rank for rank, id_ in enumerate(ids) if id_ in query.right]
        out.append(Found(rank=min(ranks, default=float("inf")), seconds=seconds))
    return out


def recall(queries: Sequence[Query], found: Sequence[Found], rate: float, within: int) -> float:
    """The share of drafts of a rate whose verse is among the first."""
    ranks = [one.rank for query, one in zip(queries, found, strict=True) if query.rate == rate]
    return float(np.mean([rank < within for rank in ranks])) if ranks else float("nan")


def timed(act: Callable[[], object]) -> float:
    """How many seconds it takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def megabytes(folder: Path) -> float:
    """What the files of a folder take."""
    return sum(path.stat().st_size for path in folder.iterdir()) / 1e6


def measured(
    verses: Sequence[Lines], new: Sequence[Lines], queries: Sequence[Query], folder: Path
) -> tuple[list[float], list[Found]]:
    """What a bank of verses costs, in the order of the columns; what it finds."""
    texts = {str(place): " ".join(lines) for place, lines in enumerate(verses)}
    built = timed(lambda: Bank(folder).update(texts))
    size = megabytes(folder)
    known = Bank(folder)
    nothing = timed(lambda: known.update(texts))
    looked_up(queries[:20], known.by_text)  # what is read from disk once
    found = looked_up(queries, known.by_text)
    spent = [1000 * one.seconds for one in found]
    draft = " ".join(query.text for query in [*queries] * 10)[:_LONG]
    long = timed(lambda: known.by_text(draft))
    more = texts | {f"new {place}": " ".join(lines) for place, lines in enumerate(new)}
    added = timed(lambda: Bank(folder).update(more))
    each = (float(np.mean(spent)), float(np.percentile(spent, 95)))
    return [built, size, *each, long, nothing, added], found


def brute(
    verses: Sequence[Lines], queries: Sequence[Query], scorer: Callable[..., float]
) -> tuple[list[Query], list[Found]]:
    """Compare drafts with every verse, as many drafts as there is time for; equals share a rank."""
    folded = [fold_stream(" ".join(lines)) for lines in verses]
    order = random.Random(2).sample(list(queries), len(queries))
    done: list[Query] = []
    found: list[Found] = []
    until = time.perf_counter() + _SECONDS
    for start in range(0, len(order), _CHUNK):
        chunk = order[start : start + _CHUNK]
        began = time.perf_counter()
        letters = [fold_stream(query.text) for query in chunk]
        scores = process.cdist(letters, folded, scorer=scorer, workers=2, dtype=np.float32)
        each = (time.perf_counter() - began) / len(chunk)
        for query, row in zip(chunk, scores, strict=True):
            best = max(row[int(id_)] for id_ in query.right)
            # Verses of other words that score as well may come first.
            found.append(Found(rank=float((row > best).sum()), seconds=each))
        done += chunk
        if time.perf_counter() > until:
            break
    return done, found


def against(
    verses: Sequence[Lines], queries: Sequence[Query], found: Sequence[Found]
) -> list[tuple[str | float, ...]]:
    """Each way on the drafts that it did; and the bank on the same ones."""
    index = dict(zip(queries, found, strict=True))
    rows: list[tuple[str | float, ...]] = []
    for scorer in (fuzz.ratio, fuzz.partial_ratio):
        done, compared = brute(verses, queries, scorer)
        same = [index[query] for query in done]
        spent = [1000 * float(np.mean([one.seconds for one in way])) for way in (compared, same)]
        for name, way, ms in zip((scorer.__name__, "bank"), (compared, same), spent, strict=True):
            ones = [recall(done, way, rate, 1) for rate in _RATES]
            rows.append((name, len(done), ms, spent[0] / ms, *ones))
    return rows


def accepted(verses: Sequence[Lines], queries: Sequence[Query]) -> list[tuple[float, ...]]:
    """By rate: the share of drafts of which a verse is accepted, and of these the right ones."""
    records = [
        Verse(lines=lines, sources=(VerseSource(source="bench", position=k, lines=lines),))
        for k, lines in enumerate(verses)
    ]
    index = VerseIndex(records, Bank())
    words = {one.id: fold(one.text) for one in index.verses.values()}
    counts = {rate: [0, 0, 0] for rate in _RATES}
    for query in queries:
        draft = DraftText([Segment(text=query.text, start=0.0, end=10.0)])
        best = max(gather(None, draft, index), key=lambda one: one.score, default=None)
        right = {fold(" ".join(verses[int(place)])) for place in query.right}
        count = counts[query.rate]
        count[0] += 1
        if best is not None and best.score >= _ACCEPT:
            count[1] += 1
            count[2] += words[best.verse] in right
    return [
        (rate, taken / max(1, n), fine / taken if taken else float("nan"))
        for rate, (n, taken, fine) in counts.items()
    ]


def plot(path: Path, sizes: Sequence[int], costs: Sequence[Sequence[float]]) -> None:
    """Milliseconds a query against the size of the bank, both by powers of ten."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    axes.loglog(sizes, [cost[2] for cost in costs], "o-", label="mean")
    axes.loglog(sizes, [cost[3] for cost in costs], "o--", label="95 %")
    axes.set_xlabel("verses in the bank")
    axes.set_ylabel("milliseconds a query")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=150)


def options() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stanzas", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--plot", type=Path, help="a PNG of milliseconds against size")
    return parser.parse_args()


def main() -> None:
    """Print the tables."""
    asked = options()
    costs: list[list[float]] = []
    recalls: list[tuple[float, ...]] = []
    rows: list[tuple[str | float, ...]] = []
    for size in sorted(asked.sizes):
        (*verses,) = bank(asked.stanzas, size + _NEW)
        held, new = verses[:size], verses[size:]
        queries = drafts(held, asked.queries)
        with tempfile.TemporaryDirectory() as folder:
            cost, found = measured(held, new, queries, Path(folder) / "bank")
        costs.append(cost)
        recalls += [
            (size, rate, *(recall(queries, found, rate, n) for n in _RANKS)) for rate in _RATES
        ]
        if size == _BRUTE:
            rows = against(held, queries, found)
            sure = accepted(held, queries)
            heads = ("words wrong", "accepted", "of these right")
            table(heads, sure, title=f"by their text alone, {size:,} verses")
    costly = ("build s", "MB", "ms a query", "its 95 %", "s 20,000 letters", "s nothing new")
    table(
        ("verses", *costly, f"s {_NEW} new"),
        [(size, *cost) for size, cost in zip(sorted(asked.sizes), costs, strict=True)],
        title="bank",
    )
    table(("verses", "words wrong", *(f"recall at {n}" for n in _RANKS)), recalls, title="found")
    if rows:
        columns = ("way", "queries", "ms a query", "times quicker")
        ones = (f"recall at 1, {rate}" for rate in _RATES)
        table((*columns, *ones), rows, title=f"all compared, {_BRUTE:,} verses")
    if asked.plot:
        plot(asked.plot, sorted(asked.sizes), costs)


if __name__ == "__main__":
    main()
