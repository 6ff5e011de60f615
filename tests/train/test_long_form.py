from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from corpus.errors import MediaError
from corpus.media import ArraySamples, Samples
from corpus.records import Segment
from tests.train.made import tone
from train.data import Row
from train.long_form import compare, long_form


def said(text: str, start: float, end: float) -> Segment:
    return Segment(text=text, start=start, end=end)


ROWS = [
    Row(number=0, text="ya no te quiero", recording="uno", start=10.0, end=14.0),
    Row(number=1, text="ay pena penita", recording="uno", start=2.0, end=6.0),
    Row(number=2, text="", kind="falseta", recording="uno", start=6.0, end=10.0),
]


def test_segments_are_compared_with_utterances_in_order() -> None:
    segments = (said("Ay, pena penita", 2.2, 6.5), said("ya no me quiero", 10.8, 13.0))
    found = compare({"uno": ROWS}, {"uno": segments})
    assert found.wer.value == pytest.approx(1 / 7)
    assert (found.wer.n, found.wer.recordings) == (7, 1)
    assert found.timing is not None
    assert found.timing.onset_median == pytest.approx(0.5)
    assert found.timing.offset_median == pytest.approx(0.75)
    assert found.timing.onset_within == 0.5
    assert (found.timing.segments, found.timing.recordings) == (2, 1)


def test_what_is_sung_where_nothing_was_published_is_set_aside() -> None:
    segments = (said("otra cosa", 30.0, 34.0), said("gracias", 7.0, 8.0))
    found = compare({"uno": ROWS}, {"uno": segments})
    # Over the falseta it is made up, and counts; it answers no utterance, and has no time.
    assert found.wer.value == 1.0
    assert found.timing is None


def test_nothing_is_heard() -> None:
    found = compare({"uno": ROWS}, {"uno": ()})
    assert found.wer.value == 1.0
    assert found.timing is None
    assert compare({}, {}).wer.value is None


def test_recordings_that_are_not_at_hand_are_told(
    tiny_whisper: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANTE_MODELS", str(tmp_path / "models"))
    there = {"uno": ArraySamples(np.concatenate([tone(3.0), tone(3.0, 330.0)]))}

    def recordings(name: str) -> Samples:
        if name not in there:
            raise MediaError("missing")
        return there[name]

    rows = [*ROWS, Row(number=3, text="dos", recording="dos", end=1.0)]
    found = long_form(tiny_whisper, rows, recordings, device="cpu")
    assert found.notes == ("1 of 2 recordings are not at hand",)
    assert found.wer.n == 7
    assert long_form(tiny_whisper, rows, recordings, device="cpu") == found
