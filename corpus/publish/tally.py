"""What a release holds, counted from its rows: for the card, and for whoever doubts the card."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.publish.choose import Rights
from corpus.publish.divide import SPLITS
from corpus.publish.folder import data_files, rows_of, split_of
from corpus.publish.splits import singers_of
from corpus.text import fold

__all__ = ["GROUPS", "Part", "Share", "Tally", "shared", "tally"]

GROUPS = ("palo", "singer", "sex", "region", "decade", "tier", "kind")
"""What utterances and hours are counted by."""

_Key = tuple[str, str]
"""What no two splits may share: "singer", "copla" or "master", and which."""

_COLUMNS = (
    *("duration", "recording", "master", "copla", "palo", "singer", "sex", "region", "year"),
    *("tier", "kind", "annotators", "rights_audio", "rights_text", "rights_annotation"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """Some utterances: how many, and how long together."""

    utterances: int = 0
    hours: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Some utterances of a release: how many, how long together, from how many and whom."""

    utterances: int = 0
    hours: float = 0.0
    recordings: int = 0
    singers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A release in numbers.

    `groups` are by what they are grouped by, the value ("" where it is not known), and the
    split; `rights` utterances by their three rights; `shared` what stands in two splits, which
    nothing should; `unnamed` recordings without a singer's name.
    """

    splits: Mapping[str, Share]
    groups: Mapping[str, Mapping[str, Mapping[str, Part]]]
    rights: Mapping[Rights, int]
    shared: tuple[str, ...]
    unnamed: int
    annotators: int


class _Counts:
    """Of the rows seen so far."""

    def __init__(self) -> None:
        self.rows, self.seconds = Counter[str](), defaultdict[str, float](float)
        self.recordings: dict[str, set[str]] = defaultdict(set)
        self.singers: dict[str, set[str]] = defaultdict(set)
        self.groups: dict[str, dict[str, dict[str, Part]]] = {
            name: defaultdict(dict) for name in GROUPS
        }
        self.rights = Counter[Rights]()
        self.splits_of: dict[_Key, set[str]] = defaultdict(set)
        self.unnamed, self.annotators = set[str](), set[str]()

    def add(self, split: str, row: Mapping[str, Any]) -> None:
        self.rows[split] += 1
        self.seconds[split] += row["duration"]
        self.recordings[split].add(row["recording"])
        if singer := fold(row["singer"]):
            self.singers[split].add(singer)
        else:
            self.unnamed.add(row["recording"])
        for name in GROUPS:
            mine = self.groups[name][_value(row, name)]
            before = mine.get(split, Part())
            hours = before.hours + row["duration"] / 3600
            mine[split] = Part(before.utterances + 1, hours)
        self.rights[_rights(row)] += 1
        self.annotators.update(row["annotators"])
        for key in _keys(row):
            self.splits_of[key].add(split)


def tally(folder: Path) -> Tally:
    """Count what lies in the folder of a release; raises PublishError where it cannot be read."""
    counts = _Counts()
    for file in data_files(folder):
        for row in rows_of(file, _COLUMNS):
            counts.add(split_of(file), row)
    return Tally(
        splits={split: _share(counts, split) for split in SPLITS if counts.rows[split]},
        groups={name: dict(sorted(found.items())) for name, found in counts.groups.items()},
        rights=dict(counts.rights),
        shared=_in_two(counts.splits_of),
        unnamed=len(counts.unnamed),
        annotators=len(counts.annotators),
    )


def shared(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[str, ...]:
    """The singers, coplas and masters that stand in two splits, of rows and their splits.

    Empty: that is what a release promises.  A singer or copla that is not known is in none.
    """
    splits_of: dict[_Key, set[str]] = defaultdict(set)
    for split, row in rows:
        for key in _keys(row):
            splits_of[key].add(split)
    return _in_two(splits_of)


def _in_two(splits_of: Mapping[_Key, set[str]]) -> tuple[str, ...]:
    """What stands in two splits; of several who sing together, each."""
    singers = singers_of(name for kind, name in splits_of if kind == "singer")
    found: dict[str, set[str]] = defaultdict(set)
    for (kind, name), splits in splits_of.items():
        for one in singers[name] if kind == "singer" else (name,):
            found[f"{kind} {one}"] |= splits
    return tuple(sorted(key for key, splits in found.items() if len(splits) > 1))


def _keys(row: Mapping[str, Any]) -> Iterator[_Key]:
    yield "singer", row["singer"] or ""
    if row["copla"]:
        yield "copla", row["copla"]
    yield "master", row["master"]


def _value(row: Mapping[str, Any], name: str) -> str:
    if name == "decade":
        return f"{row['year'] // 10 * 10}s" if row["year"] else ""
    return str(row[name] or "")


def _rights(row: Mapping[str, Any]) -> Rights:
    return Rights(
        audio=row["rights_audio"], text=row["rights_text"], annotation=row["rights_annotation"]
    )


def _share(counts: _Counts, split: str) -> Share:
    return Share(
        utterances=counts.rows[split],
        hours=counts.seconds[split] / 3600,
        recordings=len(counts.recordings[split]),
        singers=len(counts.singers[split]),
    )
