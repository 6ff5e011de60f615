"""Cells of a CSV that is written are no formulas, and come back as what they were."""

from __future__ import annotations

import ast
import csv
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.tabular import read_rows, write_rows
from corpus.text import clean

ROOT = Path(__file__).parents[2]
STARTS = "=+-@\t\r\n＝＋－＠"


def cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize(
    "text",
    [
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2+3",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1+1",
        "- Ay, pena",
        "'=1",
        "''@x",
    ],
)
def test_no_cell_is_a_formula(text: str, tmp_path: Path) -> None:
    write_rows(tmp_path / "a.csv", ["title", text], [[text, "x"]])
    head, row = cells(tmp_path / "a.csv")
    for cell in (*head, *row):
        assert cell[:1] not in STARTS
    assert row[0] == f"'{text}"


@pytest.mark.parametrize("text", ["", "ay pena", "'ay", "''", "1=1", "a@b", "d'una", "¡Olé!"])
def test_other_texts_are_as_they_were(text: str, tmp_path: Path) -> None:
    write_rows(tmp_path / "a.csv", ["title", "n"], [[text, -3], ["x", None]])
    assert cells(tmp_path / "a.csv")[1:] == [[text, "-3"], ["x", ""]]


texts = st.text(
    st.one_of(st.sampled_from(f"{STARTS}',;\" \0"), st.characters(codec="utf-8")), max_size=12
).map(clean)


@given(rows=st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
def test_what_is_written_is_read_again(rows: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        write_rows(path, ["title", "text", "n"], [(*row, 7) for row in rows])
        for line in cells(path)[1:]:
            assert line[0][:1] not in STARTS or not line[0]
        read = [(row["title"], row["text"]) for _, row in read_rows(path)]
    assert read == [
        tuple(text.replace("\r\n", "\n").replace("\r", "\n") for text in r) for r in rows
    ]


def test_nothing_else_writes_tables() -> None:
    """Else somebody would have to think of formulas in each place."""
    writers = {"csv.writer", "csv.DictWriter", "to_csv", "to_excel", "savetxt"}
    found = [
        (path.relative_to(ROOT).as_posix(), name)
        for package in ("corpus", "align", "annotate", "train")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        for name in (ast.unparse(node), node.attr)
        if name in writers
    ]
    assert found == [("corpus/tabular.py", "csv.writer")]
