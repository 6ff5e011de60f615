"""Splits share no singer, no master and no copla, and lose as little as can be for it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from statistics import fmean, median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import PublishError
from corpus.publish.divide import SPLITS, Row, divide, leaks

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def row(id: int, group: str, copla: str = "", seconds: float = 5.0, *strata: str) -> Row:  # noqa: A002  # as in the row
    return Row(id=f"{id:04d}", group=group, copla=copla, seconds=seconds, strata=strata)


def seconds_by_split(rows: Sequence[Row], split_of: Mapping[str, str]) -> dict[str, float]:
    found = dict.fromkeys(SPLITS, 0.0)
    for one in rows:
        if one.id in split_of:
            found[split_of[one.id]] += one.seconds
    return found


def corpus(
    n_groups: int, n_coplas: int, famous: float, seed: int = 0, n_rows: int = 12
) -> list[Row]:
    """Singers who sing coplas of their own, and now and then one that everybody sings."""
    chance, rows = Random(seed), list[Row]()
    for group in range(n_groups):
        palo = f"palo {chance.randrange(4)}"
        for _ in range(n_rows):
            shared = chance.random() < famous
            copla = f"famous {chance.randrange(n_coplas)}" if shared else f"own {len(rows)}"
            rows.append(row(len(rows), f"g{group}", copla, chance.uniform(2, 20), palo))
    return rows


ROWS = st.lists(
    st.tuples(
        st.sampled_from("abcdefgh"),
        st.sampled_from(["", "x", "y", "z", "u", "v"]),
        st.floats(0, 30),
        st.sampled_from(["tonás", "soleares"]),
    ),
    max_size=30,
).map(lambda made: [row(i, *one[:3], one[3]) for i, one in enumerate(made)])


@st.composite
def shares(draw: st.DrawFn) -> dict[str, float]:
    whole = [draw(st.integers(1, 10)), draw(st.integers(0, 10)), draw(st.integers(0, 10))]
    return {name: part / sum(whole) for name, part in zip(SPLITS, whole, strict=True)}


@settings(max_examples=200)
@given(ROWS, shares())
def test_nothing_leaks_and_nothing_is_forgotten(rows: list[Row], wanted: dict[str, float]) -> None:
    found = divide(rows, wanted)
    assert leaks(rows, found.split_of) == []
    assert found.split_of.keys() | found.set_aside.keys() == {one.id for one in rows}
    assert not found.split_of.keys() & found.set_aside.keys()
    assert set(found.split_of.values()) <= {name for name in SPLITS if wanted[name] > 0}
    assert divide(rows[::-1], wanted) == found
    # A row is set aside only where its copla is kept in another split.
    kept = {one.copla for one in rows if one.id in found.split_of}
    assert all(one.copla in kept for one in rows if one.id in found.set_aside)


@settings(max_examples=100)
@given(ROWS, shares())
def test_a_fixed_test_is_never_joined(rows: list[Row], wanted: dict[str, float]) -> None:
    test = {one.id for one in rows if one.group in "ab"}
    found = divide(rows, wanted, fixed_test=test)
    assert leaks(rows, found.split_of) == []
    if test:
        assert {id_ for id_, split in found.split_of.items() if split == "test"} == test


@settings(max_examples=60)
@given(ROWS, shares())
def test_every_split_gets_a_group_while_there_are_enough(
    rows: list[Row], wanted: dict[str, float]
) -> None:
    alone = [row(i, one.group, "", one.seconds) for i, one in enumerate(rows)]
    found = divide(alone, wanted)
    assert not found.set_aside
    asked = [name for name in SPLITS if wanted[name] > 0]
    groups = {one.group for one in alone}
    assert len(set(found.split_of.values())) == min(len(asked), len(groups))


def test_where_coplas_can_be_told_apart_nothing_is_set_aside() -> None:
    # Twenty islands of three singers who share their coplas.
    rows = [
        row(len_, f"singer {len_ % 60}", f"copla {len_ % 20} {len_ // 60}", 10.0)
        for len_ in range(600)
    ]
    found = divide(rows, SHARES)
    assert not found.set_aside
    told = seconds_by_split(rows, found.split_of)
    assert told["train"] / 6000 == pytest.approx(0.8, abs=0.01)
    assert told["test"] == pytest.approx(told["validation"]) == 600.0


def test_sizes_and_palos_are_as_wanted_where_singers_are_many() -> None:
    rows = corpus(200, 1, 0.0)
    found = divide(rows, SHARES)
    assert not found.set_aside
    whole = sum(one.seconds for one in rows)
    for name, seconds in seconds_by_split(rows, found.split_of).items():
        assert seconds / whole == pytest.approx(SHARES[name], abs=0.01)
    for palo in {one.strata[0] for one in rows}:
        mine = [one for one in rows if one.strata[0] == palo]
        part = sum(one.seconds for one in mine)
        for name, seconds in seconds_by_split(mine, found.split_of).items():
            assert seconds / part == pytest.approx(SHARES[name], abs=0.03)


def lost(rows: Sequence[Row], split_of_group: Mapping[str, str]) -> float:
    """Seconds that are set aside, by the definition."""
    by_copla: dict[str, dict[str, float]] = {}
    for one in rows:
        if one.copla:
            mine = by_copla.setdefault(one.copla, dict.fromkeys(SPLITS, 0.0))
            mine[split_of_group[one.group]] += one.seconds
    return sum(sum(at.values()) - max(at.values()) for at in by_copla.values())


@pytest.mark.parametrize("seed", range(6))
def test_hardly_more_is_set_aside_than_has_to_be(seed: int) -> None:
    rows = corpus(8, 12, 0.3, seed, n_rows=6)
    found = divide(rows, {"train": 0.6, "validation": 0.2, "test": 0.2})
    whole = sum(one.seconds for one in rows)
    mine = seconds_by_split(rows, found.split_of)
    ours = sum(one.seconds for one in rows if one.id in found.set_aside)
    groups = sorted({one.group for one in rows})
    size = {g: sum(one.seconds for one in rows if one.group == g) for g in groups}
    best = min(
        lost(rows, dict(zip(groups, splits, strict=True)))
        for splits in itertools.product(SPLITS, repeat=len(groups))
        if all(
            abs(
                sum(size[g] for g, s in zip(groups, splits, strict=True) if s == name)
                - share * whole
            )
            <= 0.12 * whole
            for name, share in (("train", 0.6), ("validation", 0.2), ("test", 0.2))
        )
    )
    assert ours <= best + 0.08 * whole
    assert min(mine.values()) > 0


def test_famous_coplas_that_everybody_sings() -> None:
    rows = corpus(150, 40, 0.25, n_rows=20)
    found = divide(rows, SHARES)
    assert leaks(rows, found.split_of) == []
    told = seconds_by_split(rows, found.split_of)
    whole = sum(one.seconds for one in rows)
    assert told["test"] / whole == pytest.approx(0.1, abs=0.03)
    # Whoever takes singers as they come sets more aside.
    chance = Random(1)
    groups = sorted({one.group for one in rows})
    by_chance = [
        lost(rows, {g: chance.choices(SPLITS, list(SHARES.values()))[0] for g in groups})
        for _ in range(20)
    ]
    ours = sum(one.seconds for one in rows if one.id in found.set_aside)
    assert ours < 0.95 * min(by_chance)
    assert set(found.set_aside.values()) <= {f"its copla is in {split}" for split in SPLITS}


def test_a_copla_that_all_sing_stays_where_most_of_it_is() -> None:
    rows = [row(k, f"g{k}", "the one copla", 5.0 + k) for k in range(10)]
    found = divide(rows, SHARES)
    assert set(found.split_of.values()) == {"train"}
    assert sorted(found.set_aside.values()) == ["its copla is in train"] * 2


def test_a_fixed_test_set_stays_for_good() -> None:
    before = corpus(20, 5, 0.2)
    first = divide(before, SHARES)
    test = {id_ for id_, split in first.split_of.items() if split == "test"}
    group = next(one.group for one in before if one.id in test)
    later = [*before, row(9000, group, "new copla"), row(9001, "new singer", "another")]
    second = divide(later, SHARES, fixed_test=test)
    assert {id_ for id_, split in second.split_of.items() if split == "test"} == test
    assert second.set_aside["9000"] == "its singer is in the fixed test set"
    assert second.split_of["9001"] in ("train", "validation")
    assert leaks(later, second.split_of) == []


def test_a_row_of_a_fixed_test_that_is_gone_is_gone() -> None:
    rows = corpus(5, 1, 0.0)
    assert divide(rows, SHARES, fixed_test=["not there"]) == divide(rows, SHARES)


def test_a_leak_is_told() -> None:
    rows = [row(1, "a", "x"), row(2, "a", "y"), row(3, "b", "y"), row(4, "c", "")]
    split_of = {"0001": "train", "0002": "test", "0003": "train", "0004": "test"}
    assert leaks(rows, split_of) == ["copla y", "group a"]


@pytest.mark.parametrize("wrong", [{}, {"train": 0.5}, {"train": 0.9, "test": 0.2}, {"dev": 1.0}])
def test_shares_that_do_not_add_up(wrong: dict[str, float]) -> None:
    with pytest.raises(PublishError, match=r"add up to \d\.\d\d, not 1"):
        divide([], wrong)


def test_the_test_set_is_not_what_is_shortest() -> None:
    chance = Random(7)
    rows = [
        Row(id=f"{k:03}", group=f"voz {k}", copla="", seconds=chance.lognormvariate(0.6, 0.6))
        for k in range(600)
    ]
    split_of = divide(rows, {"train": 0.8, "validation": 0.1, "test": 0.1}).split_of
    for split, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
        mine = [row.seconds for row in rows if split_of[row.id] == split]
        everything = [row.seconds for row in rows]
        assert sum(mine) / sum(everything) == pytest.approx(share, abs=0.01)
        assert fmean(mine) == pytest.approx(fmean(everything), rel=0.1)
        assert median(mine) == pytest.approx(median(everything), rel=0.15)


def test_singers_of_a_split_are_neither_the_least_nor_the_most_recorded() -> None:
    chance = Random(3)
    rows = [
        Row(id=f"{k:03} {i}", group=f"voz {k}", copla="", seconds=5.0)
        for k in range(80)
        for i in range(round(chance.paretovariate(1.2) * 4))
    ]
    split_of = divide(rows, {"train": 0.8, "test": 0.2}).split_of
    rows_of = Counter(row.group for row in rows)
    in_test = {row.group for row in rows if split_of[row.id] == "test"}
    assert 8 <= len(in_test) <= 30
    assert max(rows_of[name] for name in in_test) > 4 * min(rows_of[name] for name in in_test)


def singers(chance: Random, n: int = 60) -> list[Row]:
    return [
        Row(
            id=f"{k:03} {i:03}",
            group=f"voz {k}",
            copla=f"copla {chance.randrange(4000)}",
            seconds=chance.uniform(2, 12),
            strata=(f"palo {chance.randrange(5)}",),
        )
        for k in range(n)
        for i in range(round(chance.paretovariate(1.2) * 4))
    ]


def groups_of(rows: Sequence[Row], split_of: Mapping[str, str]) -> dict[str, str]:
    return {row.group: split_of[row.id] for row in rows if row.id in split_of}


def test_a_small_change_leaves_the_splits_as_they_were() -> None:
    rows = singers(Random(5))
    first = divide(rows, SHARES)
    before = groups_of(rows, first.split_of)
    changed = [replace(rows[0], seconds=rows[0].seconds + 0.4), *rows[1:]]
    again = divide(changed, SHARES, before=before)
    assert again == first
    grown = [*rows, row(9000, "una nueva", "suya", 8.0), row(9001, "voz 3", "otra", 4.0)]
    then = divide(grown, SHARES, before=before)
    assert {id_: then.split_of.get(id_) for id_ in first.split_of} == dict(first.split_of)
    assert groups_of(grown, then.split_of)["voz 3"] == before["voz 3"]
    assert not leaks(grown, then.split_of)


def test_what_is_clearly_worse_does_not_stay() -> None:
    rows = singers(Random(5))
    before = dict.fromkeys((row.group for row in rows), "train")
    found = divide(rows, SHARES, before=before)
    seconds = seconds_by_split(rows, found.split_of)
    whole = sum(seconds.values())
    for split, share in SHARES.items():
        assert seconds[split] / whole == pytest.approx(share, abs=0.02)
    assert not leaks(rows, found.split_of)


def test_a_split_that_has_no_share_any_more_keeps_nothing() -> None:
    rows = singers(Random(5))
    before = groups_of(rows, divide(rows, SHARES).split_of)
    found = divide(rows, {"train": 0.9, "test": 0.1}, before=before)
    assert set(found.split_of.values()) == {"train", "test"}
    stayed = [g for g, split in groups_of(rows, found.split_of).items() if split == before.get(g)]
    assert len(stayed) > 0.7 * len(before)
