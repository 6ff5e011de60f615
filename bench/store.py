"""How long questions to the store take as a corpus grows, and what several writers can do at once.

    python bench/store.py questions [--sizes 10000 100000 1000000] [--picture FILE.png]
    python bench/store.py writers [--writers 8] [--seconds 20]

Both on SQLite and on a PostgreSQL of its own (the package 'postgresql' must be installed).  The
corpus is made: ten utterances a recording, ten words each, one in twenty annotated.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path

import sqlalchemy as sa
from voces import machine

from annotate.queue import by_worth, within
from annotate.tasks import Piece, clips
from corpus import tables as t
from corpus.records import Tier, Utterance, Word
from corpus.rows import row_of
from corpus.show import table
from corpus.store import Store
from tests.servers.postgres import postgres

_PER_RECORDING = 10
_BATCH = 10_000
_PATIENCE_S = 10.0  # what takes longer is asked once
_WORDS = ("por", "la", "calle", "abajo", "viene", "cantando", "un", "gitano", "de", "Jerez")


def stores() -> Iterator[tuple[str, str]]:
    """Name and address of an empty store, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        yield "SQLite", f"sqlite:///{folder}/corpus.db"
    with postgres() as server:
        yield "PostgreSQL", server.url


def utterances(recording: str) -> tuple[Utterance, ...]:
    """Those of one recording."""
    made = []
    for i in range(_PER_RECORDING):
        begin = 12.0 * i
        words = tuple(
            Word(text=text, start=begin + j, end=begin + j + 0.8, score=0.9)
            for j, text in enumerate(_WORDS)
        )
        made.append(
            Utterance(
                recording=recording,
                start=begin,
                end=begin + 10,
                text=" ".join(_WORDS),
                words=words,
                score=0.9,
            )
        )
    return tuple(made)


def fill(engine: sa.Engine, first: int, last: int) -> None:
    """Recordings first..last with all that hangs on them."""
    empty = {c.name: "" for c in t.recordings.c if isinstance(c.type, sa.Text)}
    for start in range(first, last, _BATCH // _PER_RECORDING):
        rows: dict[sa.Table, list[Mapping[str, object]]] = {
            t.recordings: [],
            t.utterances: [],
            t.annotations: [],
            t.progress: [],
        }
        for number in range(start, min(last, start + _BATCH // _PER_RECORDING)):
            id_ = f"{number:064x}"
            rows[t.recordings].append(
                {**empty, "id": id_, "source": f"folder/{number}.flac", "duration": 120.0}
                | {"year": None, "offset": 0.0, "extra": []}
            )
            rows[t.progress].append(
                {"stage": "align", "item": id_, "inputs": "x", "state": "done"}
                | {"note": "", "at": "2026-01-01T00:00:00+00:00"}
            )
            for i, one in enumerate(utterances(id_)):
                row = row_of(one)
                del row["corrects"]
                rows[t.utterances].append({"id": one.id, **row, "retired": False})
                if i == 0 and number % 2 == 0:
                    rows[t.annotations].append(
                        {"id": one.id, "utterance": one.id, "annotator": "ana", "made": "2026"}
                        | {"verdict": "right", "text": one.text, "kind": row["kind"]}
                        | {"start": one.start, "end": one.end, "words": row["words"]}
                        | {"seconds": 20.0, "remark": "", "origin": ""}
                    )
        with engine.begin() as connection:
            for where, some in rows.items():
                if some:
                    connection.execute(sa.insert(where), some)


def asked(store: Store) -> dict[str, Callable[[], object]]:
    """What people ask, by name."""
    return {
        "status": store.funnel,
        "list, first 100": lambda: list(islice(store.each_utterance(), 100)),
        "one recording": lambda: store.utterances(f"{7:064x}"),
        "what is done": lambda: len(store.done("align")),
        "queue, an hour": lambda: queue(store),
    }


def queue(store: Store) -> list[Piece]:
    """What people are asked first, of all that nobody has checked, as annotate.stage finds it."""
    recordings = {one.id: one for one in store.recordings()}
    everything = store.utterances(words=False)
    unchecked = [one for one in everything if one.tier is not Tier.GOLD]
    return within(by_worth(clips(unchecked, recordings), recordings, everything), 60)


def questions(given: argparse.Namespace) -> None:
    """Time each question at each size."""
    told: list[tuple[object, ...]] = []
    for name, url in stores():
        store, engine, filled = Store(url), sa.create_engine(url), 0
        for size in sorted(given.sizes):
            fill(engine, filled, size // _PER_RECORDING)
            filled = size // _PER_RECORDING
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                # As PostgreSQL does by itself in quiet minutes.
                connection.execute(sa.text("ANALYZE" if name == "SQLite" else "VACUUM ANALYZE"))
            for what, ask in asked(store).items():
                times: list[float] = []
                while len(times) < 3 and sum(times) < _PATIENCE_S:
                    began = time.perf_counter()
                    ask()
                    times.append(time.perf_counter() - began)
                told.append((name, size, what, times[0], min(times)))
                print(*told[-1], flush=True)
        store.close()
        engine.dispose()
    print(f"machine: {machine()}")
    table(("store", "utterances", "question", "first, s", "best of up to 3, s"), told)
    if given.picture:
        picture(told, given.picture)


def picture(told: list[tuple[object, ...]], path: Path) -> None:
    """Seconds against size, both on a logarithmic scale."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    for axes, name in zip(
        figure.subplots(1, 2, sharey=True), ("SQLite", "PostgreSQL"), strict=True
    ):
        for what in dict.fromkeys(row[2] for row in told):
            mine = [row for row in told if row[0] == name and row[2] == what]
            axes.loglog([r[1] for r in mine], [r[4] for r in mine], marker="o", label=str(what))
        axes.axhline(1.0, color="gray", linestyle=":")
        axes.set(title=name, xlabel="utterances", ylabel="seconds")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=110)


_WRITER = """
import sys, time
sys.path[:0] = sys.argv[4:]
from store import utterances
from corpus.records import Recording
from corpus.rows import AlignedRecording
from corpus.store import Store
store, me, until, n = Store(sys.argv[1]), int(sys.argv[2]), time.time() + float(sys.argv[3]), 0
while time.time() < until:
    id_ = f"{me:08x}{n:056x}"
    with store.transaction() as transaction:
        made = Recording(id=id_, source=f"{me}/{n}.flac", duration=120.0)
        transaction.save([made, AlignedRecording(recording=id_, utterances=utterances(id_))])
    n += 1
print(n)
"""


def writers(given: argparse.Namespace) -> None:
    """Processes that write at once: how much landed, and whether all of it did."""
    told = []
    for name, url in stores():
        for n_writers in (1, given.writers):
            Store(url).close()
            before = counted(url)
            paths = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
            running = [
                subprocess.Popen(
                    [
                        *(sys.executable, "-c", _WRITER, url),
                        *(str(before + i + 1), str(given.seconds), *paths),
                    ],
                    stdout=subprocess.PIPE,
                    text=True,
                )
                for i in range(n_writers)
            ]
            said = sum(int(one.communicate()[0]) for one in running) * _PER_RECORDING
            landed = counted(url) - before
            told.append((name, n_writers, round(landed / given.seconds), said - landed))
            print(*told[-1], flush=True)
    print(f"machine: {machine()}")
    table(("store", "writers", "utterances a second", "lost"), told)


def counted(url: str) -> int:
    """Utterances that are there."""
    store = Store(url)
    with contextlib.closing(store):
        return store.funnel().utterances


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = parser.add_subparsers(required=True)
    one = kinds.add_parser("questions")
    one.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    one.add_argument("--picture", type=Path)
    one.set_defaults(run=questions)
    other = kinds.add_parser("writers")
    other.add_argument("--writers", type=int, default=8)
    other.add_argument("--seconds", type=float, default=20.0)
    other.set_defaults(run=writers)
    given = parser.parse_args()
    given.run(given)


if __name__ == "__main__":
    main()
