"""A recording that is asked which verses are sung in it."""

from __future__ import annotations

import numpy as np
import pytest

from align import ear as ear_of
from align.aligner import Aligner
from align.ear import Ear, Listener
from align.labels import LABELS
from corpus.errors import AlignmentError
from corpus.media import ArraySamples
from corpus.spelling import fold_stream
from tests.align.toys import ToyModel, noise, sung

WORDS = "por la calle abajo va la que yo quiero"
OTHER = "dos besos tengo en el alma"
VERSES = [("por la calle abajo", "va la que yo quiero"), ("dos besos tengo", "en el alma"), ("¡!",)]


def spread(text: str, start: float, seconds: float) -> list[tuple[str, float, float]]:
    words = text.split()
    step = seconds / len(words)
    return [(w, start + k * step, start + (k + 0.9) * step) for k, w in enumerate(words)]


def listened(*sung_at: tuple[str, float], seconds: float = 60.0, sure: float = 0.9) -> Ear:
    words = [word for text, start in sung_at for word in spread(text, start, 6.0)]
    return Listener(Aligner(ToyModel(sung(seconds, words, sure)))).listen(noise(seconds))


def test_verses_where_they_are_sung_each_time() -> None:
    ear = listened((WORDS, 5.0), (OTHER, 20.0), (WORDS, 40.0))
    first, second, nothing = ear.places(VERSES)
    assert sorted(round(place.start) for place in first[:2]) == [5, 40]
    assert all(place.score > -0.5 for place in first[:2])
    assert second[0].start == pytest.approx(20, abs=0.2)
    assert second[0].end == pytest.approx(26, abs=0.7)
    assert nothing == ()
    for mine in (first, second):
        assert [place.score for place in mine] == sorted((p.score for p in mine), reverse=True)
        assert all(
            one.start >= other.end or one.end <= other.start
            for k, one in enumerate(mine)
            for other in mine[:k]
        )


def test_of_many_verses_those_that_fit_have_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ear_of, "_LOOKED_AT", 3)
    strangers = [(f"{a}i{b}o {b}e{a}u zumba {a}{b}",) for a in "bcdfgm" for b in "lnprst"]
    places = listened((WORDS, 5.0)).places([*strangers, *VERSES])
    assert places[len(strangers)][0].score > -0.5
    assert sum(map(len, places)) <= 3


def test_what_may_have_been_sung_in_each_stretch() -> None:
    ear = listened((WORDS, 5.0), (OTHER, 42.0))
    readings = ear.readings()
    assert len(readings) == 5  # 0-20, 10-30, ... 40-60
    heard = WORDS.replace(" ", "").replace("ll", "l")
    assert readings[0][0] == heard
    assert readings[4][0] == OTHER.replace(" ", "")
    assert readings[2][0] == ""
    assert len(set(readings[0])) > 5
    # Readings differ from what was likeliest, and are mostly it.
    alike = [sum(a in one for a in ("por", "cal", "bajo", "quie")) for one in readings[0]]
    assert np.mean(alike) > 1
    assert ear.readings() == readings
    assert fold_stream(readings[0][0]).startswith("porlakal")


def test_a_short_recording_is_one_stretch() -> None:
    assert len(listened(("dos besos", 0.5), seconds=7.0).readings()) == 1


def test_where_no_letter_is_heard() -> None:
    model = ToyModel(np.log(np.eye(len(LABELS))[np.zeros(500, int)] + 1e-9).astype(np.float32))
    ear = Listener(Aligner(model)).listen(noise(10.0))
    assert ear.places(VERSES) == [(), (), ()]
    assert set(ear.readings()[0]) == {""}
    assert ear.places([]) == []


def test_silence_is_told() -> None:
    model = ToyModel(sung(10.0, []))
    silence = ArraySamples(np.zeros(160_000, np.float32))
    with pytest.raises(AlignmentError, match="nothing is heard"):
        Listener(Aligner(model)).listen(silence)


def test_when_words_are_sung_and_which_letters() -> None:
    ear = listened((WORDS, 5.0), (OTHER, 40.0))
    first, second = ear.sung()
    assert first == pytest.approx((5, 10.9), abs=0.3)
    assert second == pytest.approx((40, 45.9), abs=0.3)
    assert ear.letters(39, 47) == OTHER.replace(" ", "")
    assert ear.letters(20, 30) == ""
