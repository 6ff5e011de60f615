"""The page of an evaluation, from records made by hand."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from corpus.errors import MediaError, TrainError
from tests.servers.browser import Browser
from tests.train.made import tone
from train import page as page_module
from train.differences import Piece, differences
from train.findings import Effect, Finding, Group, Judged, Rate, Report, Timing
from train.metrics import normalise
from train.page import table_of_models, write_report


def rate(value: float, spread: float = 0.1, n: int = 200) -> Rate:
    return Rate(value=value, low=max(0.0, value - spread), high=value + spread, n=n, recordings=9)


def judged(row: int, reference: str, hypothesis: str, errors: int) -> Judged:
    return Judged(
        row=row,
        reference=reference,
        hypothesis=hypothesis,
        id=f"{row:064d}",
        recording=f"cinta {row}",
        kind="letra",
        palo="soleá",
        singer="La <b>Niña</b> & co",
        words=len(reference.split()),
        errors=errors,
    )


SAID = (
    ("Por la calle abajo viene", "la calle viene <script>", 3),
    ("Ay, pena penita pena", "ay pena penita pena", 0),
    ("a la mar fui por naranjas", "a la mal fui por naranjas", 1),
    ("sí", "no", 1),
)


def finding(model: str, value: float, **more: object) -> Finding:
    palos = [
        Group(by="palo", value="soleá", utterances=30, wer=rate(value)),
        Group(by="palo", value="bulerías", utterances=3, wer=Rate(value=value + 0.2, n=9)),
    ]
    noise = [
        Group(by="mark: noise", value=str(k), utterances=9, wer=rate(value + k / 10))
        for k in range(3)
    ]
    made = Finding(
        model=model,
        as_sung=rate(value),
        folded=rate(value - 0.05),
        content=rate(value + 0.05),
        characters=rate(value / 2),
        substitutions=20,
        deletions=10,
        insertions=5,
        utterances=tuple(judged(k, *said) for k, said in enumerate(SAID)),
        quejio_missed=rate(0.7),
        silent=4,
        invented_words=11,
        groups=(*palos, *noise),
        effects=(Effect(name="noise", points=0.2, low=0.1, high=0.3, utterances=40),),
        left_out=(("no text", 2),),
        audio_seconds=600.0,
    )
    return replace(made, **more)  # type: ignore[arg-type]  # named fields of it


@pytest.fixture
def report() -> Report:
    after = finding(
        "cante|1",
        0.4,
        change=Rate(value=-0.5, low=-0.6, high=-0.4, n=200, recordings=9),
        long_form=rate(0.5),
        timing=Timing(
            recordings=3, segments=20, onset_median=0.2, offset_median=-0.1, onset_within=0.8
        ),
        agreement=0.31,
    )
    return Report(
        release="2026-1",
        split="test",
        language="es",
        findings=(finding("base", 0.9), after),
        notes=("9 recordings are few",),
    )


def sound(row: int) -> NDArray[np.float32]:
    if row == 2:
        raise MediaError("gone")
    return tone(0.5)


def test_three_files_are_written_whole(report: Report, tmp_path: Path) -> None:
    page = write_report(report, tmp_path / "informe", sound=sound)
    assert page == tmp_path / "informe" / "index.html"
    assert {path.name for path in page.parent.iterdir()} == {
        "index.html",
        "report.md",
        "report.json",
    }
    told = json.loads((page.parent / "report.json").read_text("utf-8"))
    assert told["findings"][1]["as_sung"]["value"] == 0.4
    assert told["findings"][0]["utterances"][0]["reference"] == SAID[0][0]


def test_what_the_page_says(report: Report, tmp_path: Path) -> None:
    text = write_report(report, tmp_path / "informe", sound=sound).read_text("utf-8")
    assert "<script" not in text
    assert "<b>Niña</b>" not in text
    assert "La &lt;b&gt;Niña&lt;/b&gt; &amp; co" in text
    for wanted in (
        "40.0<br><small>30.0 to 50.0</small>",
        "-50.0<br><small>-60.0 to -40.0</small>",
        "11 in 4 clips",
        "9 recordings are few",
        "By palo (2)",
        "By mark: noise (3)",
        "2 × no text",
        "Its segments begin 0.2 s and end -0.1 s",
        "0.31 points from the other backend",
        "<strong>noise</strong>",
        "<del>Por</del>",
        "<del>mar</del> <ins>mal</ins>",
    ):
        assert wanted in text, wanted
    # Worst first, the one of a single word never; a sound that is gone has no player.
    assert text.index(SAID[0][0]) < text.index(SAID[2][0]) < text.index(SAID[1][0])
    assert "<strong>sí</strong>" not in text
    assert text.count("<audio") == 2


def test_the_table_for_a_card(report: Report) -> None:
    lines = table_of_models(report).splitlines()
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines[:4]]
    assert {len(row) for row in cells} == {8}
    assert cells[0][1].strip() == "WER"
    assert cells[3][0].strip() == "cante\\|1"
    assert cells[3][-1].strip() == "-50.0 (-60.0 to -40.0)"
    assert cells[2][-1].strip() == "–"


def test_a_report_of_little(tmp_path: Path) -> None:
    """One recording, no groups, no effects, nothing left to say."""
    few = Finding(
        model="base",
        as_sung=Rate(value=1.5, n=2, recordings=1),
        folded=Rate(),
        content=Rate(),
        characters=Rate(),
        substitutions=0,
        deletions=0,
        insertions=0,
        utterances=(),
    )
    found = Report(release="una", split="test", language="es", findings=(few,))
    text = write_report(found, tmp_path / "informe", sound=sound).read_text("utf-8")
    assert "150.0" in text
    assert "says nothing by which" in text
    assert "Nothing can be said" in text
    assert "Worst of" not in text


def test_an_older_report_is_replaced_and_nothing_else(report: Report, tmp_path: Path) -> None:
    folder = tmp_path / "informe"
    write_report(report, folder, sound=sound)
    write_report(replace(report, release="2026-2"), folder, sound=sound)
    assert "2026-2" in (folder / "index.html").read_text("utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["informe"]
    (folder / "mine.txt").write_text("kept", "utf-8")
    with pytest.raises(TrainError, match="is no report: take another folder"):
        write_report(report, folder, sound=sound)
    assert (folder / "mine.txt").read_text("utf-8") == "kept"


def test_a_full_disk_leaves_the_older_report(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "informe"
    write_report(report, folder, sound=sound)
    before = (folder / "index.html").read_bytes()

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(page_module, "_page", full)
    with pytest.raises(TrainError, match="no room left"):
        write_report(replace(report, release="other"), folder, sound=sound)
    assert (folder / "index.html").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["informe"]


WORDS = st.lists(st.sampled_from(["Ay,", "pena", "¡ole!", "¿y", "pa'", "ti-ti", "«", "1,5"])).map(
    " ".join
)


@given(WORDS, WORDS)
def test_differences_hold_all_words_of_both(reference: str, hypothesis: str) -> None:
    found = differences(reference, hypothesis)
    assert normalise(" ".join(piece.sung for piece in found)) == normalise(reference)
    assert normalise(" ".join(piece.written for piece in found)) == normalise(hypothesis)
    for piece in found:
        assert (piece.kind == "insert") == (not piece.sung)
        assert (piece.kind == "delete") == (not piece.written)


def test_differences_show_words_as_they_came() -> None:
    assert differences("¡Ay, mi pena!", "ay mi niña") == (
        Piece(kind="equal", sung="¡Ay, mi", written="ay mi"),
        Piece(kind="replace", sung="pena!", written="niña"),
    )
    assert differences("", "algo") == (Piece(kind="insert", sung="", written="algo"),)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_it_looks_right_in_a_browser(
    report: Report, tmp_path: Path, browser: Browser, pictures: Path, width: int, scheme: str
) -> None:
    page = write_report(report, tmp_path / "informe", sound=sound)
    browser.call(
        "Emulation.setEmulatedMedia",
        features=[{"name": "prefers-color-scheme", "value": scheme}],
    )
    browser.open(page.as_uri(), width=width, height=2600)
    browser.value("document.querySelector('audio').load()")
    browser.until("document.querySelector('audio').duration > 0.4")
    assert browser.value("document.documentElement.scrollWidth <= window.innerWidth")
    dark = browser.value("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 28)"
    assert dark == (scheme == "dark")
    assert browser.complaints == []
    assert [url for url in browser.asked if not url.startswith(("file:", "data:"))] == []
    browser.picture(pictures / f"evaluation-{width}-{scheme}.png")
