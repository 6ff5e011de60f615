"""Splits that share no singer, no master and no copla.

What one singer sings, and copies of one master, go together.  A copla is sung by many, and
famous ones tie most singers together: where whole groups cannot be told apart by coplas, each
copla stays in the split that has most of it, and the rows of the others are set aside, as few
as can be found.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from random import Random

from corpus.errors import PublishError
from corpus.publish.together import Together
from corpus.records import content_id

__all__ = ["SPLITS", "Divided", "Row", "divide", "leaks"]

SPLITS = ("train", "validation", "test")

_LOST, _SIZE, _EVEN = 4.0, 2.0, 0.5
"""What counts how much, a share of all seconds each: rows set aside, sizes that are off, and
palos, eras or qualities that are not spread as the whole is."""

_EMPTY = 1.0
"""What a split counts that has a share and nothing in it."""

_SMALL = 0.01
"""A group with so small a share of all seconds fits anywhere."""

_PASSES = 12
_PAIRS = 1000
_EPS = 1e-12

_WORTH = 0.004
"""How much less all has to cost, that what was in one split before goes to another: two
thousandths of the seconds, if that is only for the sizes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An utterance as it is divided: `group` never is, nor is `copla` ("" where none is known).

    `strata` are what is to be spread evenly: palo, era, quality.
    """

    id: str
    group: str
    copla: str
    seconds: float
    strata: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Divided:
    """The split of each row that has one, and why the others have none, by id."""

    split_of: Mapping[str, str] = field(default_factory=dict)
    set_aside: Mapping[str, str] = field(default_factory=dict)


def divide(
    rows: Sequence[Row],
    shares: Mapping[str, float],
    fixed_test: Iterable[str] = (),
    before: Mapping[str, str] | None = None,
) -> Divided:
    """Divide rows by their seconds; the same rows give the same splits, in whatever order.

    `before` are splits of groups in an earlier release: they stay in them but where that is
    clearly worse by now, so that what changes a little leaves the splits as they were.
    `fixed_test` are rows of an earlier test set, which stay it for good: nothing joins
    them, and what their groups have besides is set aside.  Raises PublishError when the
    shares do not add up to 1.
    """
    wanted = {split: shares.get(split, 0.0) for split in SPLITS if shares.get(split, 0.0) > 0}
    if abs(sum(wanted.values()) - 1) > 1e-6:
        raise PublishError(f"the shares of the splits add up to {sum(wanted.values()):.2f}, not 1")
    ordered = sorted(rows, key=lambda row: row.id)
    fixed = set(fixed_test) & {row.id for row in ordered}
    pinned = {row.group for row in ordered if row.id in fixed}
    beside = {
        row.id: "its singer is in the fixed test set"
        for row in ordered
        if row.group in pinned and row.id not in fixed
    }
    left = _with_lengths(_tied([row for row in ordered if row.id not in beside]))
    if before:
        split_of = _Search(left, wanted, pinned).best(before, least=_WORTH)[1]
    else:
        split_of = min(_searches(left, wanted, pinned), key=lambda found: found[0])[1]
    return _without_shared_coplas(ordered, split_of, beside, fixed=bool(fixed))


def _tied(rows: Sequence[Row]) -> list[Row]:
    """Rows with those coplas only that tie groups together: no others are ever set aside."""
    groups: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        groups[row.copla].add(row.group)
    return [row if len(groups[row.copla]) > 1 else replace(row, copla="") for row in rows]


def _with_lengths(rows: Sequence[Row]) -> list[Row]:
    """How long rows and groups are is to be spread evenly, too.

    Else a small split would be filled with what is shortest, which is easily put anywhere.
    """
    size: dict[str, float] = defaultdict(float)
    for row in rows:
        size[row.group] += row.seconds
    return [
        replace(
            row,
            strata=(
                *row.strata,
                f"row of {_step(row.seconds, 1.5)}",
                f"group of {_step(size[row.group], 4.0)}",
            ),
        )
        for row in rows
    ]


def _step(seconds: float, times: float) -> int:
    """Which step of a ladder on which each is so many times the one below."""
    return round(math.log(max(seconds, 0.1), times))


def _searches(
    rows: Sequence[Row], wanted: Mapping[str, float], pinned: Collection[str]
) -> Iterator[tuple[float, dict[str, str]]]:
    """The cost and the split of each group: group by group; and begun by what hangs together."""
    yield _Search(rows, wanted, pinned).best()
    islands = _islands(rows)
    # Beside a fixed test set there is nothing to begin: what hangs together with it is not in it.
    if not pinned and len(set(islands.values())) > 1:
        together = [replace(row, group=islands[row.group]) for row in rows]
        _, split_of = _Search(together, wanted, ()).best()
        begun = {group: split_of[island] for group, island in islands.items()}
        yield _Search(rows, wanted, pinned).best(begun)


def _islands(rows: Sequence[Row]) -> dict[str, str]:
    """The first of the groups that hang together by coplas, by group."""
    together = Together()
    for row in rows:
        together.add(row.group)
        if row.copla:
            together.join(row.group, f"copla {row.copla}")
    return {row.group: together.top(row.group) for row in rows}


def _without_shared_coplas(
    rows: Sequence[Row], split_of: Mapping[str, str], beside: Mapping[str, str], *, fixed: bool
) -> Divided:
    at: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        if row.copla and row.id not in beside:
            at[row.copla][SPLITS.index(split_of[row.group])] += _milliseconds(row)
    home = {copla: SPLITS[_home(sizes, fixed=fixed)] for copla, sizes in at.items()}
    kept, aside = {}, dict(beside)
    for row in rows:
        if row.id in beside:
            continue
        mine = split_of[row.group]
        if home.get(row.copla, mine) == mine:
            kept[row.id] = mine
        else:
            aside[row.id] = f"its copla is in {home[row.copla]}"
    return Divided(split_of=kept, set_aside=aside)


def _home(at: Sequence[int], *, fixed: bool) -> int:
    """The split that keeps a copla with so much time in each: a fixed test set loses nothing."""
    if fixed and at[2]:
        return 2
    return max(range(len(at)), key=lambda split: (at[split], split))


def _milliseconds(row: Row) -> int:
    return max(1, round(1000 * row.seconds))


def leaks(rows: Iterable[Row], split_of: Mapping[str, str]) -> list[str]:
    """The groups and coplas that are in two splits: none, where rows were divided here."""
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        if row.id in split_of:
            for kind, name in (("group", row.group), ("copla", row.copla)):
                if name:
                    seen[kind, name].add(split_of[row.id])
    return sorted(f"{kind} {name}" for (kind, name), splits in seen.items() if len(splits) > 1)


class _Search:
    """Whole groups in splits, moved and swapped as long as that makes them better.

    Time is in whole milliseconds: what is added and taken away again leaves nothing.
    """

    def __init__(
        self, rows: Sequence[Row], wanted: Mapping[str, float], pinned: Collection[str]
    ) -> None:
        self._wanted = [wanted.get(split, 0.0) for split in SPLITS]
        self._pinned = pinned
        self._parts = {group: _Part() for group in dict.fromkeys(row.group for row in rows)}
        for row in rows:
            self._parts[row.group].add(row)
        self._whole = _Part()
        for row in rows:
            self._whole.add(row)
        # The order of a hash: neither names nor lengths decide who is judged on.
        self._order = sorted(self._parts, key=content_id)
        self._split_of: dict[str, int] = {}
        self._members, self._size = [0, 0, 0], [0, 0, 0]
        self._aside = [0, 0, 0]
        self._coplas = {name: [0, 0, 0] for name in self._whole.coplas}
        self._strata = {name: [0, 0, 0] for name in self._whole.strata}
        self._uneven = sum(self._off(name) for name in self._strata)

    def best(
        self, begun: Mapping[str, str] | None = None, least: float = _EPS
    ) -> tuple[float, dict[str, str]]:
        """What it costs, and the split of each group; from where it was begun, if it was.

        A move or a swap has to be better by `least`.
        """
        self._least = least
        free = [group for group in self._order if group not in self._pinned]
        self._begin([group for group in free if not self._as_before(group, begun or {})])
        for _ in range(_PASSES):
            n_better = sum(map(self._move, free))
            n_better += sum(self._swap(one, other) for one, other in _pairs(free))
            if not n_better:
                break
        found = {group: SPLITS[split] for group, split in self._split_of.items()}
        return self._cost(), found

    def _as_before(self, group: str, begun: Mapping[str, str]) -> bool:
        """Put a group where it was, if that may be; whether it was put."""
        split = SPLITS.index(begun[group]) if group in begun else -1
        if split in self._splits():
            self._put(group, split)
        return group in self._split_of

    def _splits(self) -> list[int]:
        """Where groups may go: nothing joins a fixed test set."""
        return [
            i for i, share in enumerate(self._wanted) if share and not (self._pinned and i == 2)
        ]

    def _begin(self, free: Sequence[str]) -> None:
        """Pinned groups; a group for each split; then each where it fits, large ones first.

        Those that are a small part of all come in no order of size: the last ones fill what is
        left over, and a small split would be made of the smallest.
        """
        for group in self._order:
            if group in self._pinned:
                self._put(group, 2)
        by_size = sorted(free, key=lambda group: -self._parts[group].size)
        left = by_size
        # Train first where there are too few for all, validation last.
        for split in (one for one in (0, 2, 1) if one in self._splits()):
            if left and not self._members[split]:
                self._put(left[0 if split == 0 else -1], split)
                left = [group for group in left if group not in self._split_of]
        large = [group for group in left if self._parts[group].size > _SMALL * self._whole.size]
        rest = set(left).difference(large)
        small = [group for group in free if group in rest]
        for group in (*large, *small):
            self._put(group, min(self._splits(), key=lambda split: self._cost_with(group, split)))

    # ---- moves

    def _move(self, group: str) -> bool:
        before, cost = self._split_of[group], self._cost()
        if self._members[before] == 1:
            return False
        self._take(group)
        others = [split for split in self._splits() if split != before]
        costs = {split: self._cost_with(group, split) for split in others}
        best = min(others, key=lambda split: costs[split], default=before)
        better = best != before and costs[best] < cost - self._least
        self._put(group, best if better else before)
        return better

    def _swap(self, one: str, other: str) -> bool:
        first, second = self._split_of[one], self._split_of[other]
        if first == second:
            return False
        before = self._cost()
        self._exchange(one, second, other, first)
        if self._cost() < before - self._least:
            return True
        self._exchange(one, first, other, second)
        return False

    def _exchange(self, one: str, to: int, other: str, back: int) -> None:
        self._take(one)
        self._take(other)
        self._put(one, to)
        self._put(other, back)

    def _cost_with(self, group: str, split: int) -> float:
        self._put(group, split)
        cost = self._cost()
        self._take(group)
        return cost

    # ---- what it costs

    def _cost(self) -> float:
        whole, lost = max(1, self._whole.size), sum(self._aside)
        sizes = zip(self._size, self._aside, self._wanted, strict=True)
        off, empty = 0.0, 0
        for size, aside, share in sizes:
            off += abs(size - aside - share * (whole - lost))
            empty += share > 0 and size == aside
        return _EMPTY * empty + (_LOST * lost + _SIZE * off + _EVEN * self._uneven) / whole

    def _put(self, group: str, split: int) -> None:
        self._split_of[group] = split
        self._add(self._parts[group], split, 1)

    def _take(self, group: str) -> None:
        self._add(self._parts[group], self._split_of.pop(group), -1)

    def _add(self, part: _Part, split: int, sign: int) -> None:
        self._members[split] += sign
        self._size[split] += sign * part.size
        for name, size in part.coplas.items():
            self._count_aside(self._coplas[name], -1)
            self._coplas[name][split] += sign * size
            self._count_aside(self._coplas[name], 1)
        for name, size in part.strata.items():
            self._uneven -= self._off(name)
            self._strata[name][split] += sign * size
            self._uneven += self._off(name)

    def _count_aside(self, at: Sequence[int], sign: int) -> None:
        home = _home(at, fixed=bool(self._pinned))
        for split, size in enumerate(at):
            if split != home:
                self._aside[split] += sign * size

    def _off(self, stratum: str) -> float:
        """How far the splits' parts of a stratum are from their shares of it."""
        whole = self._whole.strata[stratum]
        at = self._strata[stratum]
        return sum(abs(at[i] - self._wanted[i] * whole) for i in range(len(SPLITS)))


class _Part:
    """Rows together: milliseconds in all, by copla and by stratum."""

    __slots__ = ("coplas", "size", "strata")

    def __init__(self) -> None:
        self.size = 0
        self.coplas: dict[str, int] = defaultdict(int)
        self.strata: dict[str, int] = defaultdict(int)

    def add(self, row: Row) -> None:
        size = _milliseconds(row)
        self.size += size
        if row.copla:
            self.coplas[row.copla] += size
        for stratum in row.strata:
            self.strata[stratum] += size


def _pairs(groups: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Pairs to be swapped, the same at every time: all of them where they are few."""
    if len(groups) * (len(groups) - 1) // 2 <= _PAIRS:
        yield from combinations(groups, 2)
        return
    chance = Random(0)  # noqa: S311  # nothing is to be kept secret
    for _ in range(_PAIRS):
        one, other = chance.sample(groups, 2)
        yield one, other
