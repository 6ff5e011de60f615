"""How far people agree, and what a third person has to hear."""

from __future__ import annotations

from typing import Any

import pytest

from annotate.agreement import agreement, disputed
from corpus.records import Annotation, Description, Kind, Utterance, Verdict
from tests.annotate.people import said
from tests.corpus.made import recording, utterance

UNO = recording("uno")
PENA = utterance(UNO, "ay pena mía", 2.0, 3.0)
MADRE = utterance(UNO, "mare de mi alma", 6.0, 2.0)
KNOWN = {one.id: one for one in (PENA, MADRE)}


def heard(who: str, of: Utterance = PENA, **more: Any) -> Annotation:
    return said(who, of, **more)


def told(who: str, of: str, **answers: str) -> Description:
    return Description(
        recording=of, annotator=who, made="2026-01-01", answers=tuple(answers.items()), origin=of
    )


def test_alone_nobody_agrees() -> None:
    found = agreement([heard("ana"), heard("eva", MADRE)], [], [])
    assert (found.utterances, found.pairs) == (0, 0)
    assert found.word_error_rate is None
    assert found.boundaries is None
    assert found.alpha == (("kind", None),)


def test_texts_are_compared_without_case_accents_and_stops() -> None:
    same = agreement([heard("ana", text="Ay, pena mía."), heard("eva", text="ay pena mia")], [], [])
    assert (same.utterances, same.pairs, same.word_error_rate) == (1, 1, 0.0)
    other = agreement([heard("ana"), heard("eva", text="ay pena de mía")], [], [])
    assert other.word_error_rate == pytest.approx(1 / 3.5)


def test_ends_are_compared() -> None:
    found = agreement([heard("ana"), heard("eva", start=2.2, end=5.4)], [], [])
    assert found.boundaries is not None
    assert found.boundaries == pytest.approx((0.3, 0.2))


def test_kinds_by_krippendorffs_alpha() -> None:
    # Two people, four units, one disagreement: alpha = 1 - (n - 1) * o / (n_a * n_b)
    # with n = 8 values, o = 2 / 1 off-diagonal coincidences, 5 letras and 3 quejíos.
    units = [utterance(UNO, "ay", at) for at in range(4)]
    kinds = [(Kind.LETRA, Kind.LETRA)] * 2 + [(Kind.QUEJIO, Kind.QUEJIO), (Kind.LETRA, Kind.QUEJIO)]
    pairs = [
        heard(who, of, kind=kind)
        for of, both in zip(units, kinds, strict=True)
        for who, kind in zip(("ana", "eva"), both, strict=True)
    ]
    assert dict(agreement(pairs, [], []).alpha)["kind"] == pytest.approx(1 - 7 * 1 / (5 * 3))


def test_what_one_throws_out_is_another_kind_and_no_text() -> None:
    out = heard("eva", verdict=Verdict.REJECTED)
    both = [heard("ana", MADRE), heard("eva", MADRE)]
    found = agreement([heard("ana"), out, *both], [], [])
    assert (found.utterances, found.pairs, found.word_error_rate) == (2, 2, 0.0)
    kind = dict(found.alpha)["kind"]
    assert kind is not None
    assert kind < 0.5


def test_only_the_newest_of_a_person_counts_and_only_what_was_handed_in() -> None:
    edits = [heard("ana", text="ay"), heard("ana", day=2), heard("eva", day=3)]
    begun = [heard("luz", day=4, text="x", verdict=Verdict.DRAFT)]
    skipped = [heard("sol", day=4, verdict=Verdict.SKIPPED)]
    replaced = [heard("mar", day=5, verdict=Verdict.REJECTED, remark="not in the newer annotation")]
    found = agreement([*edits, *begun, *skipped, *replaced], [], [])
    assert (found.pairs, found.word_error_rate) == (1, 0.0)


def test_of_one_person_with_the_others() -> None:
    said_so = [heard("ana"), heard("eva"), heard("luz", text="ay pena tuya")]
    others = [heard("eva", MADRE), heard("luz", MADRE)]
    everybody = agreement([*said_so, *others], [], [])
    assert (everybody.utterances, everybody.pairs) == (2, 4)
    ana = agreement([*said_so, *others], [], [], person="ana")
    assert (ana.utterances, ana.pairs) == (1, 2)
    assert ana.word_error_rate == pytest.approx(1 / 6)
    luz = agreement([*said_so, *others], [], [], person="luz")
    assert (luz.utterances, luz.pairs) == (2, 3)
    assert luz.word_error_rate == pytest.approx(2 / 10)
    assert agreement(said_so, [], [], person="sol").utterances == 0


def test_answers_about_recordings() -> None:
    people = [
        told("ana", "uno", palo="tonás", background="0"),
        told("eva", "uno", palo="tonás", background="1"),
        told("ana", "dos", palo="soleares", background="2"),
        told("eva", "dos", palo="soleares", background="2"),
    ]
    alpha = dict(agreement([], people, ["background"]).alpha)
    assert alpha["palo"] == 1.0
    assert alpha["background"] is not None
    # By degrees, 0 against 1 is a smaller difference than 0 against 2.
    far = [told("eva", "uno", background="2") if i == 1 else one for i, one in enumerate(people)]
    worse = dict(agreement([], far, ["background"]).alpha)["background"]
    assert worse is not None
    assert worse < alpha["background"] < 1.0


@pytest.mark.parametrize(
    ("annotations", "asked"),
    [
        ([heard("ana")], False),
        ([heard("ana"), heard("eva")], False),
        ([heard("ana"), heard("eva", start=2.2)], False),
        ([heard("ana"), heard("eva", start=2.4)], True),
        ([heard("ana"), heard("eva", text="ay pena mía!")], False),
        ([heard("ana"), heard("eva", text="ay pena tuya")], True),
        ([heard("ana"), heard("eva", kind=Kind.QUEJIO)], True),
        ([heard("ana"), heard("eva", verdict=Verdict.REJECTED)], True),
        ([heard(who, verdict=Verdict.REJECTED) for who in ("ana", "eva")], False),
        ([heard("ana"), heard("eva", text="no"), heard("luz", text="ni")], False),
        ([heard("ana", verdict=Verdict.FLAGGED, remark="text wrong")], True),
        ([heard("ana"), heard("eva", day=2, verdict=Verdict.FLAGGED)], True),
        ([heard("ana", verdict=Verdict.FLAGGED), heard("eva", day=2)], False),
        ([heard("ana", verdict=Verdict.FLAGGED), heard("ana", day=2)], False),
    ],
)
def test_what_a_third_person_has_to_hear(annotations: list[Annotation], asked: bool) -> None:
    assert disputed(annotations, KNOWN) == ([PENA.id] if asked else [])


def test_what_is_no_longer_there_is_asked_of_nobody() -> None:
    assert disputed([heard("ana", verdict=Verdict.FLAGGED)], {}) == []
