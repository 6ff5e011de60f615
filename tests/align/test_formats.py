from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from praatio import textgrid

from align.formats import as_dict, as_lines
from align.records import AlignedLine
from corpus.records import Kind, Word
from corpus.timed_text import as_audacity, as_lrc, as_srt, as_textgrid
from tests.align import drawn


def line(start: float, *words: tuple[str, float, float]) -> AlignedLine:
    made = tuple(Word(text=t, start=s, end=e, score=0.87654) for t, s, e in words)
    text = " ".join(w.text for w in made)
    return AlignedLine(text=text, start=start, end=made[-1].end, words=made, score=0.5)


LINES = [
    line(1.23456, ("—", 1.23456, 1.23456), ("Ay,", 1.23456, 2.0), ("niño", 2.0, 3.5)),
    line(65.999, ("{mar}", 65.999, 70.0), ("¡!", 70.0, 70.0)),
]


def test_json_holds_what_was_agreed_and_no_more() -> None:
    assert as_dict(LINES[:1]) == {
        "lines": [
            {
                "text": "— Ay, niño",
                "start": 1.235,
                "end": 3.5,
                "probability": 0.0,
                "words": [
                    {"text": "—", "start": 1.235, "end": 1.235, "score": 0.877},
                    {"text": "Ay,", "start": 1.235, "end": 2.0, "score": 0.877},
                    {"text": "niño", "start": 2.0, "end": 3.5, "score": 0.877},
                ],
            }
        ]
    }
    assert json.loads(json.dumps(as_dict([]))) == {"lines": []}


def test_lrc_counts_minutes_and_hundredths() -> None:
    assert as_lrc(LINES) == "[00:01.23]— Ay, niño\n[01:06.00]{mar} ¡!\n"
    assert as_lrc([line(6001.5, ("ay", 6001.5, 6002))]).startswith("[100:01.50]")


def test_subrip_is_read_back_as_it_was() -> None:
    text = as_srt(LINES)
    assert "00:00:01,235 --> 00:00:03,500\n— Ay, niño" in text
    assert "{mar} ¡!" in text
    assert len(pysubs2.SSAFile.from_string(text)) == 2


def read(text: str, folder: Path) -> textgrid.Textgrid:
    path = folder / "x.TextGrid"
    path.write_text(text, "utf-8")
    return textgrid.openTextgrid(str(path), includeEmptyIntervals=True)


def test_textgrid_covers_all_and_loses_no_word(tmp_path: Path) -> None:
    grid = read(as_textgrid(LINES, 100.0), tmp_path)
    assert grid.tierNames == ("lines", "words")
    for tier in grid.tiers:
        assert (tier.entries[0].start, tier.entries[-1].end) == (0, 100)
        bounds = [(a.end, b.start) for a, b in pairwise(tier.entries)]
        assert all(end == start for end, start in bounds)
    labels = [e.label for e in grid.getTier("words").entries if e.label]
    assert labels == ["— Ay,", "niño", "{mar} ¡!"]


def test_textgrid_escapes_quotes_and_takes_nothing(tmp_path: Path) -> None:
    grid = read(as_textgrid([line(0, ('"ay"', 0, 1))], 2.0), tmp_path)
    assert grid.getTier("words").entries[0].label == '"ay"'
    assert len(read(as_textgrid([], 2.0), tmp_path).getTier("lines").entries) == 1


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.tuples(st.floats(0, 3), st.floats(0, 3)), min_size=1, max_size=8))
def test_textgrid_is_sound_whatever_the_times(
    steps: list[tuple[float, float]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    words: list[tuple[str, float, float]] = []
    at = 0.0
    for pause, length in steps:
        words.append(("ay", at + pause, at + pause + length))
        at += pause + length * 0.9
    end = max(e for _, _, e in words) + 0.01
    text = as_textgrid([line(words[0][1], *words)], end)
    grid = read(text, tmp_path_factory.mktemp("grid"))
    tier = grid.getTier("words").entries
    assert tier[-1].end == pytest.approx(end, abs=0.001)
    n_words = sum(e.label.split().count("ay") for e in tier)
    assert n_words == (len(words) if any(e.label for e in tier) else 0)


def test_audacity_has_one_label_a_line_and_no_tab_inside() -> None:
    assert as_audacity(LINES) == (
        "1.234560\t3.500000\t— Ay, niño\n65.999000\t70.000000\t{mar} ¡!\n"
    )
    tabbed = AlignedLine(text="ay\tno", start=0, end=1, words=(), score=1)
    assert as_audacity([tabbed]) == "0.000000\t1.000000\tay no\n"
    assert as_audacity([]) == ""


# ---- utterances as lines


def test_the_lines_of_an_utterance_have_its_words_and_their_span() -> None:
    one = drawn.sung(5, "si la mar fuera", "de tinta", score=0.3)
    first, second = as_lines([one])
    assert (first.text, first.start, first.end) == ("si la mar fuera", 5, 6.95)
    assert (second.text, second.start, second.end) == ("de tinta", 7, 7.95)
    assert first.words + second.words == one.words
    assert {line.probability for line in (first, second)} == {0.3}
    assert [line.line for line in (first, second)] == [0, 1]


def test_what_has_no_times_is_one_line_and_what_has_no_text_none() -> None:
    untimed = drawn.untimed(1, 3, "ay\nque no", Kind.QUEJIO)
    nothing = drawn.untimed(4, 9, "", Kind.NOTHING)
    (line,) = as_lines([untimed, nothing])
    assert (line.text, line.start, line.end, line.words) == ("ay que no", 1, 3, ())
    for write in (as_lrc, as_srt, as_audacity):
        assert "ay que no" in write([line])


@given(st.lists(st.lists(st.sampled_from(["ay", "—", "3", "niña"]), min_size=1, max_size=4)))
def test_no_word_is_lost_between_utterance_and_lines(texts: list[list[str]]) -> None:
    given_lines = [" ".join(words) for words in texts]
    lines = as_lines([drawn.sung(0, *given_lines)] if given_lines else [])
    assert [line.text for line in lines] == given_lines
    assert [[word.text for word in line.words] for line in lines] == texts
