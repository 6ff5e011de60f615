"""What people have done, and what the corpus is by now."""

from __future__ import annotations

from dataclasses import replace

import pytest

from annotate.status import Shares, Work, projects_of, shares, work_of
from corpus.records import Description, Kind, Tier, Verdict
from tests.annotate.people import said
from tests.corpus.made import recording, utterance

UNO = recording("uno")
PENA = utterance(UNO, "ay pena mía", 2.0, 3.0)
MADRE = utterance(UNO, "mare de mi alma", 6.0, 6.0)
DRAWN = replace(utterance(UNO, "olé", 9.0, 3.0), corrects="drawn")
KNOWN = {one.id: one for one in (PENA, MADRE, DRAWN)}


def test_the_work_of_each_person() -> None:
    annotations = [
        said("eva", PENA, Verdict.SKIPPED),
        said("ana", PENA, Verdict.CORRECTED, text="ay", start=2.1),
        said("ana", MADRE, Verdict.RIGHT),
        said("ana", DRAWN, Verdict.CORRECTED),
        said("ana", utterance(UNO, "is no longer there", 1.0), Verdict.RIGHT),
    ]
    ana, eva = work_of(annotations, KNOWN)
    # What was drawn was heard with what it was drawn in.
    assert ana == Work(
        person="ana", right=1, corrected=2, texts=1, times=1, added=1, minutes=1.5, audio=0.15
    )
    assert ana.done == 3
    assert ana.pace == pytest.approx(10)
    assert eva == Work(person="eva", skipped=1, minutes=0.5)
    assert (eva.done, eva.pace) == (0, None)


def test_who_comes_back_has_spoken_once() -> None:
    first = said("ana", PENA, Verdict.DRAFT, origin="task")
    second = said("ana", PENA, Verdict.CORRECTED, day=2, kind=Kind.QUEJIO, start=2.01)
    # A server tells of an edit what was spent on all of it.
    (ana,) = work_of([replace(second, origin="task", seconds=50.0), first], KNOWN)
    assert ana == Work(person="ana", corrected=1, kinds=1, minutes=50 / 60, audio=0.05)
    (both,) = work_of([replace(second, origin="page"), first], KNOWN)
    assert both.minutes == 1.0


def test_shares() -> None:
    gold = [replace(one, tier=Tier.GOLD) for one in (PENA, MADRE)]
    cry = replace(utterance(UNO, "", 7.0, 1.0), kind=Kind.QUEJIO, tier=Tier.GOLD)
    falseta = replace(cry, kind=Kind.FALSETA)
    unchecked = utterance(UNO, "ay ay ay", 8.0, 11.0)
    words = Description(
        recording=UNO.id, annotator="ana", made="2026", answers=(("words", "Mare, bajañí\ncalé"),)
    )
    found = shares([*gold, cry, falseta, unchecked], [words])
    assert found.checked == pytest.approx(11 / 22)
    assert found.quejio == pytest.approx(1 / 10)
    assert found.culture == pytest.approx(1 / 7)


def test_of_nothing_there_are_no_shares() -> None:
    assert shares([], []) == Shares(checked=None, quejio=None, culture=None)


def test_how_far_a_project_has_come() -> None:
    pushed = [f"http://x.org 3 {one.id}" for one in (PENA, MADRE)] + [f"http://x.org 4 {PENA.id}"]
    people = {"http://x.org 3": {PENA.id: {"ana", "eva"}, MADRE.id: {"ana"}}}
    heard = [
        said("ana", PENA, Verdict.RIGHT, origin=PENA.id),
        said("eva", PENA, Verdict.CORRECTED, origin=PENA.id, text="ay pena tuya"),
        said("ana", MADRE, Verdict.SKIPPED, origin=MADRE.id),
        said("luz", PENA, Verdict.RIGHT, origin=PENA.id),
        said("ana", utterance(UNO, "is no longer there", 1.0), Verdict.RIGHT, origin=PENA.id),
    ]
    three, four = projects_of(pushed, people, heard, KNOWN)
    assert (three.name, three.tasks, three.heard) == ("http://x.org 3", 2, 1)
    assert three.work == Work(
        person="http://x.org 3",
        right=1,
        corrected=1,
        skipped=1,
        texts=1,
        minutes=1.5,
        audio=0.1,
    )
    assert three.agreement.word_error_rate == pytest.approx(1 / 3)
    # What somebody else has said of the same utterance elsewhere is not of this project.
    assert (four.tasks, four.heard, four.work.done, four.agreement.pairs) == (1, 0, 0, 0)
