"""Utterances become tasks: the least sure first, each with what there is to begin from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from annotate.tasks import clip_span, make_tasks, region_id, worst_first
from corpus.records import Kind
from tests.corpus.made import recording, utterance

UNO = recording("uno", artist="voz", palo="tonás")
PENA = utterance(UNO, "ay pena\nmía", 2.0, 3.0)


def test_a_task_says_what_it_is_about() -> None:
    (task,) = make_tasks([PENA], {UNO.id: UNO})
    assert task["data"] == {
        "audio": f"clips/{PENA.id}.flac",
        "external_id": PENA.id,
        "title": "uno",
        "singer": "voz",
        "palo": "tonás",
        "offset": 1.5,
    }


def test_the_prediction_is_one_region_of_label_and_text() -> None:
    (task,) = make_tasks([PENA], {UNO.id: UNO})
    (prediction,) = task["predictions"]
    label, text = prediction["result"]
    assert prediction["score"] == label["score"] == text["score"] == PENA.score
    assert label["id"] == text["id"] == region_id(PENA.id)
    span = {"start": 0.5, "end": 3.5, "channel": 0}
    assert label["value"] == {**span, "labels": ["Letra"]}
    assert text["value"] == {**span, "text": ["ay pena\nmía"]}
    assert label["original_length"] == 4.0


def test_nothing_sung_has_no_text() -> None:
    (task,) = make_tasks([replace(PENA, text="", words=(), kind=Kind.NOTHING)], {UNO.id: UNO})
    (label,) = task["predictions"][0]["result"]
    assert label["value"]["labels"] == ["Nada cantado"]


@pytest.mark.parametrize(
    ("start", "seconds", "span"),
    [(2.0, 3.0, (1.5, 5.5)), (0.2, 1.0, (0.0, 1.7)), (8.0, 1.8, (7.5, 10.0))],
    ids=["inside", "at the beginning", "at the end"],
)
def test_a_clip_is_padded_as_far_as_there_is_audio(
    start: float, seconds: float, span: tuple[float, float]
) -> None:
    assert clip_span(utterance(UNO, "ay", start, seconds), 10.0) == pytest.approx(span)


def test_a_clip_begins_on_a_sample() -> None:
    start, _ = clip_span(utterance(UNO, "ay", 2.00001, 1.0), 10.0)
    assert start * 16_000 == int(start * 16_000)
    assert 1.5 <= start <= 1.50001


def test_the_least_sure_come_first_whatever_the_order_they_are_given_in() -> None:
    low, mid, high = (
        replace(utterance(UNO, "ay", at), score=score) for at, score in [(5, 0.1), (1, 0.5), (3, 1)]
    )
    assert worst_first([high, low, mid]) == worst_first([mid, high, low]) == [low, mid, high]
    tasks = make_tasks([high, low, mid], {UNO.id: UNO})
    assert [task["predictions"][0]["score"] for task in tasks] == [0.1, 0.5, 1]
