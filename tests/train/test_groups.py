from __future__ import annotations

from dataclasses import replace

import numpy as np

from train.data import Row
from train.effects import explain
from train.groups import group
from train.metrics import Counts

ROW = Row(number=0, text="x", recording="r")


def rows(n_recordings: int, seed: int = 0) -> tuple[list[Row], list[Counts]]:
    """Six utterances of ten words a recording; noise costs 15 in a hundred a point, reverb none."""
    rng = np.random.default_rng(seed)
    made: list[Row] = []
    counts: list[Counts] = []
    for k in range(n_recordings):
        noise, reverb = int(rng.integers(3)), int(rng.integers(3))
        one = replace(
            ROW,
            recording=f"r{k}",
            year=1930 + int(rng.integers(60)),
            marks=(("noise", noise), ("reverb", reverb)),
        )
        for _ in range(6):
            made.append(replace(one, number=len(made)))
            errors = int(rng.binomial(10, 0.2 + 0.15 * noise))
            counts.append(Counts(words=10, substitutions=errors))
    return made, counts


def test_utterances_are_grouped_by_what_is_known_of_them() -> None:
    known = replace(
        ROW,
        palo="soleá",
        singer="una",
        sex="f",
        region="Cádiz",
        year=1957,
        kind="letra",
        tier="gold",
        marks=(("noise", 2),),
        quejio_share=0.3,
        culture_share=0.0,
    )
    found = group([known, ROW], [Counts(words=4, deletions=1), Counts(words=2)])
    assert [(one.by, one.value) for one in found] == [
        ("palo", "soleá"),
        ("singer", "una"),
        ("sex", "f"),
        ("region", "Cádiz"),
        ("decade", "1950s"),
        ("mark: noise", "2"),
        ("quejío share", "0.25-0.5"),
        ("culture share", "0"),
        ("kind", "letra"),
        ("tier", "gold"),
    ]
    assert {(one.utterances, one.wer.value, one.wer.n) for one in found} == {(1, 0.25, 4)}


def test_names_come_by_their_number_and_decades_in_order() -> None:
    made = [
        replace(ROW, palo="tangos", year=1990),
        replace(ROW, palo="soleá", year=1990),
        replace(ROW, palo="soleá", year=1939),
    ]
    found = group(made, [Counts(words=1)] * 3)
    assert [one.value for one in found] == ["soleá", "tangos", "1930s", "1990s"]


def test_a_group_without_words_is_none() -> None:
    assert group([replace(ROW, palo="soleá")], [Counts(silent=1)]) == ()


def test_shares_fall_into_bins() -> None:
    shares = [0.0, 0.1, 0.11, 0.5, 0.51, 1.0]
    made = [replace(ROW, quejio_share=share) for share in shares]
    found = group(made, [Counts(words=1)] * len(made))
    assert [(one.value, one.utterances) for one in found] == [
        ("0", 1),
        ("0-0.1", 1),
        ("0.1-0.25", 1),
        ("0.25-0.5", 1),
        ("0.5-1", 2),
    ]


def test_the_mark_that_explains_errors_is_found_and_the_other_is_not() -> None:
    found = explain(*rows(60))
    noise, reverb, year = (
        next(one for one in found.effects if one.name == name)
        for name in ("mark: noise", "mark: reverb", "year")
    )
    assert found.effects[0] == noise
    assert noise.low < 0.3 < noise.high
    assert noise.low > 0.15
    assert reverb.low < 0 < reverb.high
    assert year.low < 0 < year.high
    assert noise.utterances == 360


def test_too_few_recordings_are_told() -> None:
    found = explain(*rows(12))
    assert found.effects == ()
    (note,) = found.notes
    assert note.startswith("12 recordings are too few to tell which of 3 marks")
    assert note.endswith("20 are needed")


def test_nothing_known_and_nothing_that_differs() -> None:
    found = explain([ROW] * 3, [Counts(words=1)] * 3)
    assert found.effects == ()
    assert found.notes == ("no mark or share differs enough to explain errors by",)
    assert explain([], []).effects == ()


def test_a_mark_that_goes_with_another_is_left_out_and_told() -> None:
    made, counts = rows(60)
    doubled = [replace(row, marks=(*row.marks, ("worn", dict(row.marks)["noise"]))) for row in made]
    found = explain(doubled, counts)
    assert found.notes == ("the effect of mark: worn cannot be told from that of others",)
    assert [one.name for one in found.effects] == [
        one.name for one in explain(made, counts).effects
    ]


def test_what_some_rows_do_not_say_is_the_mean_of_the_others() -> None:
    made, counts = rows(60)
    made[:30] = [replace(row, marks=()) for row in made[:30]]
    assert {one.name for one in explain(made, counts).effects} >= {"mark: noise"}
    unknown = [replace(row, marks=()) if row.number % 2 else row for row in made]
    assert {one.name for one in explain(unknown, counts).effects} == {"year"}
