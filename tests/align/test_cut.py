from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from align.cut import SILVER, cut
from align.records import AlignedLine
from corpus.records import Kind, Tier, Word

RECORDING = "0" * 64


def line(text: str, *spans: tuple[float, float], score: float = 0.5) -> AlignedLine:
    words = tuple(
        Word(text=w, start=s, end=e) for w, (s, e) in zip(text.split(), spans, strict=True)
    )
    return AlignedLine(
        text=text,
        start=words[0].start,
        end=words[-1].end,
        words=words,
        score=1.0,
        probability=score,
    )


def test_a_verse_that_fits_is_one_utterance() -> None:
    lines = [line("a la", (1, 2), (2, 3)), line("mar", (4, 6))]
    (found,) = cut(lines, RECORDING, within=(0, 10), verse="v")
    assert (found.text, found.verse, found.recording) == ("a la\nmar", "v", RECORDING)
    assert (found.start, found.end) == pytest.approx((0.8, 6.2))


def test_a_long_pause_between_lines_cuts() -> None:
    lines = [line("a", (1, 2)), line("b", (4.4, 5)), line("c", (8, 9))]
    assert [u.text for u in cut(lines, RECORDING, within=(0, 10))] == ["a\nb", "c"]
    assert len(cut(lines, RECORDING, within=(0, 10), max_pause=5)) == 1


def test_what_does_not_fit_is_cut_between_lines() -> None:
    lines = [line("a b", (0, 6), (6, 12)), line("c", (13, 24)), line("d", (25, 34))]
    assert [u.text for u in cut(lines, RECORDING, within=(0, 40))] == ["a b\nc", "d"]


def test_a_line_that_is_too_long_is_cut_at_its_longest_pause() -> None:
    lines = [line("a b c", (0, 10), (12, 20), (21, 35))]
    assert [u.text for u in cut(lines, RECORDING, within=(0, 40))] == ["a", "b c"]


def test_parts_of_a_line_that_fit_together_stay_one_line() -> None:
    lines = [line("a b c", (0, 5), (6, 26), (26.5, 50))]
    assert [u.text for u in cut(lines, RECORDING, within=(0, 60))] == ["a b", "c"]


def test_a_word_held_too_long_is_clipped_to_the_limit() -> None:
    (found,) = cut([line("ay", (2, 45))], RECORDING, within=(0, 60))
    assert (found.start, found.end) == (2, 32)
    assert (found.words[0].start, found.words[0].end) == (2, 32)


def test_padding_stays_out_of_neighbours_and_inside_the_audio() -> None:
    lines = [line("a", (0.1, 2)), line("b", (4.7, 6))]
    first, second = cut(lines, RECORDING, within=(0, 6.05))
    assert (first.start, first.end) == pytest.approx((0, 2.2))
    assert (second.start, second.end) == pytest.approx((4.5, 6.05))


def test_neighbours_share_a_short_gap() -> None:
    lines = [line("a", (0, 20)), line("b", (20.2, 40))]
    first, second = cut(lines, RECORDING, within=(0, 40))
    assert first.end == pytest.approx(20.1)
    assert second.start == pytest.approx(20.1)


def test_padding_never_reaches_into_the_verse_before() -> None:
    (found,) = cut([line("a", (5, 6))], RECORDING, within=(5.0, 6.1))
    assert (found.start, found.end) == pytest.approx((5.0, 6.1))


def test_the_least_probability_of_its_lines_decides_the_tier() -> None:
    lines = [line("mares", (1, 2), score=0.95), line("y", (2, 3), score=0.92)]
    (found,) = cut(lines, RECORDING, within=(0, 5))
    assert found.score == pytest.approx(0.92)
    assert found.tier is Tier.SILVER
    assert cut(lines, RECORDING, within=(0, 5), silver=0.93)[0].tier is Tier.BRONZE
    (bad,) = cut([line("a", (1, 2), score=SILVER / 2)], RECORDING, within=(0, 5))
    assert bad.tier is Tier.BRONZE


def test_a_moment_is_made_a_second_where_there_is_room() -> None:
    (found,) = cut([line("mar", (2, 2.3))], RECORDING, within=(0, 5))
    assert (found.start, found.end) == pytest.approx((1.65, 2.65))
    (tight,) = cut([line("mar", (2, 2.3))], RECORDING, within=(1.9, 2.4))
    assert (tight.start, tight.end) == pytest.approx((1.9, 2.4))


def test_lines_of_ay_stand_alone_as_quejios() -> None:
    lines = [line("Ay, ay", (1, 3), (3, 6)), line("mi mare", (6.5, 7), (7, 8))]
    cry, letra = cut(lines, RECORDING, within=(0, 10))
    assert (cry.text, cry.kind) == ("Ay, ay", Kind.QUEJIO)
    assert (letra.text, letra.kind) == ("mi mare", Kind.LETRA)


def test_no_text_is_longer_than_what_whisper_can_write() -> None:
    words = ["ñandú"] * 60  # 7 bytes each with the space
    both = [
        line(" ".join(words), *((at + k * 0.1, at + k * 0.1 + 0.1) for k in range(60)))
        for at in (0, 7)
    ]
    pieces = cut(both, RECORDING, within=(0, 30))
    assert all(len(piece.text.encode()) <= 448 for piece in pieces)
    assert [w.text for piece in pieces for w in piece.words] == words * 2


def test_nothing_in_nothing_out() -> None:
    assert cut([], RECORDING, within=(0, 5)) == ()


@st.composite
def verses(draw: st.DrawFn) -> list[AlignedLine]:
    at = draw(st.floats(0, 100))
    found = []
    for n_words in draw(st.lists(st.integers(1, 6), min_size=1, max_size=6)):
        spans = []
        for _ in range(n_words):
            at += draw(st.sampled_from([0, 0.01, 0.1, 0.3, 1, 2.4, 2.6, 7]))
            length = draw(st.sampled_from([0, 0.02, 0.3, 1, 4, 12, 29.9, 30, 31, 70]))
            spans.append((at, at + length))
            # Words may run into each other in what comes from elsewhere.
            at += length * draw(st.sampled_from([1, 1, 1, 0.5]))
        text = " ".join(draw(st.sampled_from(["ay", "—", "niño"])) for _ in spans)
        found.append(line(text, *spans, score=draw(st.floats(0, 1))))
    return found


@given(verses(), st.floats(0, 3))
def test_whatever_the_verse(lines: list[AlignedLine], spare: float) -> None:
    within = max(0.0, lines[0].start - spare), max(w.end for x in lines for w in x.words) + spare
    found = cut(lines, RECORDING, within=within)
    words = [w.text for line in lines for w in line.words]
    assert [w.text for u in found for w in u.words] == words
    assert all(u.duration <= 30 + 1e-6 for u in found)
    assert all(u.start <= w.start <= w.end <= u.end for u in found for w in u.words)
    assert all(a.end <= b.start + 1e-9 for a, b in pairwise(found))
    assert within[0] <= found[0].start
    assert found[-1].end <= within[1] + 1e-9
