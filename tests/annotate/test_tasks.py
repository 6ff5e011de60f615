"""Utterances become tasks: clips or pieces of recordings, each with what to begin from."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotate.captions import Captions
from annotate.tasks import PADDING, clip_span, clips, make_tasks, pieces, region_id
from corpus.records import Kind, Utterance
from tests.corpus.made import recording, utterance

UNO = recording("uno", artist="voz", palo="tonás")
RECORDINGS = {UNO.id: UNO}
PENA = replace(utterance(UNO, "ay pena\nmía", 2.0, 3.0), score=0.25)
MADRE = utterance(UNO, "mare de mi alma", 6.0, 2.0)


def test_a_task_says_what_it_is_about() -> None:
    (task,) = make_tasks(clips([PENA], RECORDINGS), RECORDINGS)
    assert task["data"] == {
        "audio": f"clips/{UNO.id}/{PENA.id}.flac",
        "external_id": PENA.id,
        "recording": UNO.id,
        "utterances": [PENA.id],
        "title": "uno",
        "about": "voz · tonás · 0:01.5-0:05.5 · p 0.25",
        "offset": 1.5,
        "score": 0.25,
    }


def test_what_is_not_known_is_left_out() -> None:
    bare = replace(UNO, title="", artist="", palo="")
    (task,) = make_tasks(clips([PENA], RECORDINGS), {UNO.id: bare})
    assert task["data"]["title"] == UNO.id[:12]
    assert task["data"]["about"] == "0:01.5-0:05.5 · p 0.25"


def test_the_prediction_is_one_region_of_label_and_text() -> None:
    (task,) = make_tasks(clips([PENA], RECORDINGS), RECORDINGS)
    (prediction,) = task["predictions"]
    label, text = prediction["result"]
    assert prediction["score"] == label["score"] == text["score"] == PENA.score
    assert label["id"] == text["id"] == region_id(PENA.id)
    span = {"start": 0.5, "end": 3.5, "channel": 0}
    assert label["value"] == {**span, "labels": ["Letra"]}
    assert text["value"] == {**span, "text": ["ay pena\nmía"]}
    assert label["original_length"] == 4.0


def test_nothing_sung_has_no_text() -> None:
    nothing = replace(PENA, text="", words=(), kind=Kind.NOTHING)
    (task,) = make_tasks(clips([nothing], RECORDINGS), RECORDINGS, Captions("en"))
    (label,) = task["predictions"][0]["result"]
    assert label["value"]["labels"] == ["Nothing sung"]


def test_a_piece_holds_all_that_is_sung_in_it() -> None:
    (piece,) = pieces([MADRE, PENA], RECORDINGS, 60)
    assert (piece.start, piece.end, piece.utterances) == (1.5, 8.5, (PENA, MADRE))
    (task,) = make_tasks([piece], RECORDINGS)
    assert task["data"]["utterances"] == [PENA.id, MADRE.id]
    assert task["data"]["score"] == 0.25
    labels = [one for one in task["predictions"][0]["result"] if one["from_name"] == "label"]
    assert [one["value"]["start"] for one in labels] == [0.5, 4.5]
    assert piece.clip == f"clips/{UNO.id}/{piece.id}.flac"


@given(
    st.lists(st.tuples(st.floats(0, 300), st.floats(0.1, 30)), min_size=1, max_size=20),
    st.floats(5, 120),
)
def test_pieces_hold_everything_once_and_are_not_too_long(
    spans: list[tuple[float, float]], longest: float
) -> None:
    uno = replace(UNO, duration=400.0)
    mine = [Utterance(recording=UNO.id, start=at, end=at + for_, text="ay") for at, for_ in spans]
    found = pieces(mine, {UNO.id: uno}, longest)
    held = [one for piece in found for one in piece.utterances]
    assert sorted(held, key=repr) == sorted(mine, key=repr)
    assert held == sorted(held, key=lambda one: (one.start, one.id))
    for piece in found:
        assert piece.start <= min(one.start for one in piece.utterances)
        assert piece.end >= max(one.end for one in piece.utterances)
        assert piece.seconds <= longest + 1e-3 or len(piece.utterances) == 1


@pytest.mark.parametrize(
    ("start", "end", "span"),
    [(2.0, 5.0, (1.5, 5.5)), (0.2, 1.2, (0.0, 1.7)), (8.0, 9.8, (7.5, 10.0))],
    ids=["inside", "at the beginning", "at the end"],
)
def test_a_clip_is_padded_as_far_as_there_is_audio(
    start: float, end: float, span: tuple[float, float]
) -> None:
    assert clip_span(start, end, 10.0) == pytest.approx(span)


def test_a_clip_begins_on_a_sample() -> None:
    start, _ = clip_span(2.00001, 3.0, 10.0)
    assert start * 16_000 == int(start * 16_000)
    assert 1.5 <= start <= 1.50001
    assert PADDING == 0.5
