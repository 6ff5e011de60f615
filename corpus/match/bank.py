"""Candidates: which of a million verses may stand behind a stretch of text or of letters.

An index of grams of four letters (tantivy: an inverted index, ranked by BM25, Robertson and
Zaragoza, 2009).  Letters are levelled without regard to words, for nobody who only hears
letters knows where one ends.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import Any

from corpus.errors import StoreError
from corpus.spelling import fold_stream
from corpus.whole import writing

__all__ = ["Bank"]

_FORMAT = 2
_GRAM = 4  # letters
_STRETCH, _STEP = 160, 80
"""Letters of a draft that are looked for together: a verse of four lines has some ninety."""

_LEAST = 100
"""Verses that each stretch is asked for, at least."""

_HEAP = 256_000_000  # bytes, while documents are taken in
_NOTE = "bank.json"
_INDEX = re.compile(r"meta\.json|[0-9a-f]{32}\.\w+(?:\.\w+)?")
_OURS = re.compile(rf"{_INDEX.pattern}|{re.escape(_NOTE)}|\.(?:managed\.json|tantivy-.*|part-.*)")
"""Names of files: what an index is made of; that, and all else that is written beside it."""


class Bank:
    """Verses by what they sound like; in a folder, or in memory where that is None.

    Needs filelock and tantivy, which are imported with it.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._ids: set[str] = set()
        self._index: Any = None
        if folder is None:
            self._index = _new_index()

    def update(self, verses: Mapping[str, str]) -> None:
        """Hold these texts, by id, and no others; cheap where most of them are held.

        The text of an id never changes.  What another process left half-done, or
        another version wrote, is built anew.  Who searches meanwhile finds what was held
        before.  Raises StoreError or MediaError where the folder cannot be written.
        """
        if self._folder is None:
            self._change(verses)
            return
        try:
            self._change_on_disk(self._folder, verses)
        # tantivy tells what the file system refuses by a ValueError.
        except (OSError, ValueError) as error:
            message = f"{self._folder}: no bank of verses can be kept there: {error}"
            raise StoreError(f"{' '.join(message.split())}; see what is in its place") from error

    def __len__(self) -> int:
        return len(self._ids)

    def by_text(self, text: str, limit: int = 300) -> list[str]:
        """Verses that may stand in a draft, by id, those that are surest first."""
        letters = fold_stream(text)
        pieces = [letters[k : k + _STRETCH] for k in range(0, max(1, len(letters) - _STEP), _STEP)]
        return self._of_all([_grams([piece]) for piece in pieces], limit)

    def by_readings(self, readings: Sequence[Sequence[str]], limit: int = 3000) -> list[str]:
        """The same for stretches of sound, each of which may be read in several ways."""
        return self._of_all([_grams(map(fold_stream, stretch)) for stretch in readings], limit)

    def _of_all(self, queries: Sequence[Mapping[str, float]], limit: int) -> list[str]:
        """The first of each stretch, then the second of each."""
        # Stretches find the same verses in part: each is asked for more than its share.
        each = min(limit, max(_LEAST, 3 * limit // max(1, len(queries))))
        found = [self._search(query, each) for query in queries]
        ranked = dict.fromkeys(id_ for row in zip_longest(*found) for id_ in row if id_)
        return list(ranked)[:limit]

    def _search(self, grams: Mapping[str, float], limit: int) -> list[str]:
        if not grams or not self._ids or limit < 1:
            return []
        import tantivy

        query, schema = tantivy.Query, self._index.schema
        parts = [
            (tantivy.Occur.Should, query.boost_query(query.term_query(schema, "grams", gram), w))
            for gram, w in grams.items()
        ]
        searcher = self._index.searcher()
        hits = searcher.search(query.boolean_query(parts), limit, count=False).hits
        ranked = sorted((-score, searcher.doc(address)["id"][0]) for score, address in hits)
        return [id_ for _, id_ in ranked]

    # ---- on disk

    def _change_on_disk(self, folder: Path, verses: Mapping[str, str]) -> None:
        from filelock import FileLock

        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            self._index, self._ids = _opened(folder)
            if self._change(verses) or not (folder / _NOTE).exists():
                _note(folder, self._ids)

    def _change(self, verses: Mapping[str, str]) -> bool:
        """Take in what is new and leave out what is gone; whether anything was."""
        import tantivy

        gone, new = self._ids - verses.keys(), verses.keys() - self._ids
        if not gone and not new:
            return False
        writer = self._index.writer(_HEAP, 1)
        for id_ in gone:
            writer.delete_documents_by_term("id", id_)
        # In order: the same verses give the same index.
        for id_ in sorted(new):
            grams = " ".join(_grams([fold_stream(verses[id_])]))
            writer.add_document(tantivy.Document(id=id_, grams=grams))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._ids = set(verses)
        return True


def _opened(folder: Path) -> tuple[Any, set[str]]:
    """The index in a folder and what it holds; an empty one where it is not whole."""
    ids = _noted(folder)
    if ids is not None:
        with suppress(OSError, ValueError):
            index = _new_index(folder)
            if index.searcher().num_docs == len(ids):
                return index, ids
    # Only what a bank writes: a person may keep files there.
    for path in [path for path in folder.iterdir() if _OURS.fullmatch(path.name)]:
        path.unlink()
    return _new_index(folder), set()


def _note(folder: Path, ids: Iterable[str]) -> None:
    """What the index holds, so that it is seen at once what is new; and its files, as written."""
    noted = {"format": _FORMAT, "files": _files(folder), "ids": sorted(ids)}
    with writing(folder / _NOTE) as scratch:
        scratch.write_text(json.dumps(noted), "utf-8")


def _noted(folder: Path) -> set[str] | None:
    """What the index holds; None where it is not as it was when that was written down."""
    try:
        noted = json.loads((folder / _NOTE).read_text("utf-8"))
        ids, files = set(noted["ids"]), dict(noted["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # What a killed process has written and not committed may stand there beside.
    whole = noted["format"] == _FORMAT and files.items() <= _files(folder).items()
    return ids if whole else None


def _files(folder: Path) -> dict[str, str]:
    """The files of an index, with sizes and times: contents would take long to read."""
    found = ((path.name, path.stat()) for path in folder.iterdir() if _INDEX.fullmatch(path.name))
    return {name: f"{stat.st_size} {stat.st_mtime_ns}" for name, stat in found}


def _new_index(folder: Path | None = None) -> Any:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("grams", tokenizer_name="grams", index_option="basic")
    made = tantivy.Index(builder.build(), path=None if folder is None else str(folder))
    by_spaces = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    made.register_tokenizer("grams", by_spaces)
    # What another process commits is not seen before the next update: ids belong to one state.
    made.config_reader("manual")
    return made


def _grams(texts: Iterable[str]) -> dict[str, float]:
    """The grams of readings of one stretch, and how much each counts: the root of its share."""
    readings = [set(_cut(text)) for text in texts]
    counts = Counter(gram for reading in readings for gram in sorted(reading))
    return {gram: (count / len(readings)) ** 0.5 for gram, count in counts.items()}


def _cut(letters: str) -> Iterator[str]:
    """Grams of four letters; of a text that is shorter, all of it."""
    if letters:
        yield from (letters[k : k + _GRAM] for k in range(max(1, len(letters) - _GRAM + 1)))
