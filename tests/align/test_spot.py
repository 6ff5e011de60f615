"""Verses heard anywhere: the fast search against one that can be read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from align import spot
from align.emissions import Heard
from align.labels import LABELS
from align.listening import Listening
from align.spot import Sound, Voices, scores, sound_of, spans, voices_of
from tests.align.toys import FRAME_RATE, sung

N_LABELS = 4


def slow(sound: Sound, columns: Sequence[int], lines: Sequence[bool]) -> dict[int, float]:
    """The best score of a verse by the step it ends at, every way through tried."""
    # States: the blank before a letter, and the letter.
    now: dict[tuple[int, str], float] = {}
    found: dict[int, float] = {}
    for t in range(len(sound.blank)):
        then: dict[tuple[int, str], float] = {}

        def reach(place: tuple[int, str], score: float) -> None:
            then[place] = max(then.get(place, -np.inf), score)  # noqa: B023  # used at once

        starts = {**now, (0, "blank"): 0.0}
        for (j, kind), score in starts.items():
            here = float(sound.letters[t, columns[j]])
            if kind == "blank":
                reach((j, "letter"), score + here)
                gap = sound.rest[t] if lines[j] else sound.blank[t]
                reach((j, "blank"), score + float(gap))
                continue
            reach((j, "letter"), score + here)
            if j + 1 < len(columns):
                after = float(sound.letters[t, columns[j + 1]])
                gap = sound.rest[t] if lines[j + 1] else sound.blank[t]
                reach((j + 1, "blank"), score + float(gap))
                if columns[j + 1] != columns[j]:
                    reach((j + 1, "letter"), score + after)
        now = then
        if (len(columns) - 1, "letter") in now:
            found[t] = now[len(columns) - 1, "letter"]
    return found


@st.composite
def searches(draw: st.DrawFn) -> tuple[Sound, Voices]:
    n_steps = draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    less = -rng.exponential(1.0, (n_steps, N_LABELS + 1)).astype(np.float32)
    less -= less[:, :N_LABELS].max(axis=1, keepdims=True)
    sound = Sound(
        letters=np.ascontiguousarray(less[:, :N_LABELS]),
        blank=np.ascontiguousarray(less[:, 0]),
        rest=np.minimum(less[:, -1], 0),
        frames=np.arange(n_steps, dtype=np.int32),
        frame_rate=FRAME_RATE,
    )
    letter = st.integers(1, N_LABELS - 1)
    verses = draw(st.lists(st.lists(st.lists(letter, max_size=3), max_size=3), max_size=6))
    rows = [c for verse in verses for line in verse for c in line]
    first = [k == 0 for verse in verses for line in verse for k in range(len(line))]
    sizes = [sum(len(line) for line in verse) for verse in verses]
    return sound, Voices(
        columns=np.array(rows, np.int32),
        lines=np.array(first, bool),
        starts=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
    )


@settings(max_examples=200)
@given(searches(), st.integers(1, 4))
def test_the_fast_search_is_the_slow_one(made: tuple[Sound, Voices], row: int) -> None:
    sound, voices = made
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(spot, "_ROW", row)
        found, ends = scores(sound, voices, n_threads=2)
    for v in range(len(voices.starts) - 1):
        mine = slice(voices.starts[v], voices.starts[v + 1])
        columns, lines = voices.columns[mine].tolist(), voices.lines[mine].tolist()
        wanted = slow(sound, columns, lines) if columns else {}
        best = max(wanted.values(), default=-np.inf)
        if best == -np.inf:
            assert found[v, 0] == -np.inf
            continue
        assert found[v, 0] == pytest.approx(best / len(columns), abs=1e-4)
        (span,) = spans(sound, voices, [v], [int(ends[v, 0])], [float(found[v, 0])])
        assert span.score == pytest.approx(best / len(columns), abs=1e-4)
        assert 0 <= span.start < span.end


@given(searches())
def test_parts_are_looked_at_apart(made: tuple[Sound, Voices]) -> None:
    sound, voices = made
    whole, _ = scores(sound, voices)
    parts, ends = scores(sound, voices, n_parts=3)
    if len(voices.starts) > 1:
        assert np.array_equal(parts.max(axis=1, initial=-np.inf), whole[:, 0])
    bounds = np.linspace(0, len(sound.blank), 4).astype(int)
    heard = np.isfinite(parts)
    for k in range(3):
        assert np.all((ends[heard[:, k], k] >= bounds[k]) & (ends[heard[:, k], k] < bounds[k + 1]))


# ---- on what a model heard


def listening(scores_: NDArray[np.float32]) -> Listening:
    return Listening(
        heard=Heard(letters=scores_, voice=(np.exp(scores_[:, 0]) < 0.5).astype(np.float32)),
        labels=LABELS,
        frame_rate=FRAME_RATE,
        duration=len(scores_) / FRAME_RATE,
    )


WORDS = [("por", 10.0, 10.6), ("la", 10.7, 11.0), ("calle", 11.1, 12.0), ("abajo", 20.0, 21.5)]


def test_a_verse_is_found_where_it_is_sung() -> None:
    heard = listening(sung(60.0, WORDS))
    sound = sound_of(heard)
    assert len(sound.frames) < len(heard.heard.letters) / 4
    voices = voices_of([["por la calle", "abajo"], ["calle arriba"], ["¡!"], []], heard)
    found, ends = scores(sound, voices)
    assert found[0, 0] > -0.5 > found[1, 0]
    assert np.all(np.isneginf(found[2:, 0]))
    (span,) = spans(sound, voices, [0], [int(ends[0, 0])], [float(found[0, 0])])
    assert span.start == pytest.approx(10.0, abs=0.1)
    assert 21.0 < span.end <= 21.5  # the last letter has begun


def test_nothing_heard() -> None:
    silence = np.full((500, len(LABELS)), -20.0, np.float32)
    silence[:, 0] = 0.0
    heard = listening(silence)
    found, _ = scores(sound_of(heard), voices_of([["por la calle abajo"]], heard))
    assert np.isneginf(found).all()


def test_no_verses() -> None:
    heard = listening(sung(5.0, []))
    found, ends = scores(sound_of(heard), voices_of([], heard), n_parts=2)
    assert found.shape == ends.shape == (0, 2)


def test_a_verse_that_lasts_for_minutes_is_found_from_its_beginning() -> None:
    far = [
        ("por", 10.0, 10.6),
        ("la", 90.0, 90.4),
        ("calle", 200.0, 201.0),
        ("abajo", 290.0, 291.0),
    ]
    heard = listening(sung(300.0, far))
    sound = sound_of(heard)
    voices = voices_of([["por", "la", "calle", "abajo"]], heard)
    found, ends = scores(sound, voices)
    (span,) = spans(sound, voices, [0], [int(ends[0, 0])], [float(found[0, 0])])
    assert span.start == pytest.approx(10.0, abs=0.1)
    assert span.score == pytest.approx(float(found[0, 0]), abs=1e-3)
