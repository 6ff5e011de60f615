"""Lines with times, whatever the times are."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.lyrics.lrc import timed_lines
from corpus.publish.formats.recordings import end_of, lines_of
from corpus.records import Word
from corpus.timed_text import Line, as_lrc, as_textgrid


def test_lrc_by_word_ends_with_the_end_of_the_last() -> None:
    words = (Word(text="ay", start=61.0, end=61.5), Word(text="no", start=61.5, end=62.25))
    timed = Line(text="ay no", start=61.0, end=62.25, words=words)
    untimed = Line(text="que no", start=70.0, end=71.0)
    text = as_lrc([timed, untimed], by_word=True)
    assert text == "[01:01.00]<01:01.00>ay <01:01.50>no <01:02.25>\n[01:10.00]que no\n"
    assert as_lrc([timed]) == "[01:01.00]ay no\n"


Spans = list[tuple[float, float, str]]
spans = st.lists(
    st.tuples(st.floats(0, 20), st.floats(0.1, 20), st.sampled_from(["ay", "que no", ""])),
    min_size=1,
    max_size=6,
)


def lines(found: Spans) -> tuple[list[Line], float]:
    """The lines of rows, and where they end; words lie a tenth of a second apart."""
    rows = [
        {
            "text": text,
            "start": start,
            "end": start + seconds,
            "words": [
                {"text": word, "start": k * 0.05, "end": k * 0.05 + 0.05, "score": 1.0}
                for k, word in enumerate(text.split())
            ],
        }
        for start, seconds, text in found
    ]
    return lines_of(rows), end_of(rows)


@given(spans)
def test_a_textgrid_of_lines_that_overlap(
    tmp_path_factory: pytest.TempPathFactory, found: Spans
) -> None:
    from praatio.textgrid import openTextgrid

    path = tmp_path_factory.mktemp("grids") / "a.TextGrid"
    path.write_text(as_textgrid(*lines(found)), "utf-8")
    grid = openTextgrid(str(path), includeEmptyIntervals=True)
    for tier in grid.tiers:
        assert all(a.end == b.start for a, b in pairwise(tier.entries))
        said = sorted(word for entry in tier.entries for word in entry.label.split())
        assert said == sorted(word for _, _, text in found for word in text.split())


@given(spans)
def test_an_lrc_of_lines_that_overlap(found: Spans) -> None:
    made, _ = lines(found)
    read = timed_lines(as_lrc(made, by_word=True))
    assert [line.start for line in read] == pytest.approx([o.start for o in made], abs=0.0051)


@pytest.mark.parametrize("end", [7.0, 7.0004, 7.0005, 7.0006, 7.0009999])
def test_the_last_line_is_in_the_textgrid_whatever_its_end(tmp_path: Path, end: float) -> None:
    from praatio.textgrid import openTextgrid

    (tmp_path / "a.TextGrid").write_text(as_textgrid(*lines([(0.0, end, "ay")])), "utf-8")
    grid = openTextgrid(str(tmp_path / "a.TextGrid"), includeEmptyIntervals=False)
    assert [entry.label for entry in grid.getTier("lines").entries] == ["ay"]
