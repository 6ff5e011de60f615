from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from align.aligner import Aligner
from align.confidence import (
    EVIDENCE,
    SHIPPED_JUDGE,
    Judge,
    Judges,
    evidence,
    judged,
    load_judges,
)
from align.listening import Listening
from align.records import AlignedLine
from corpus.errors import ModelError
from corpus.records import Segment
from tests.align.toys import ToyModel, noise, sung

TRUTH = [("fui", 1.0, 1.5), ("piedra", 1.5, 2.5), ("centro", 5.0, 6.0), ("luz", 6.0, 7.0)]
LINES = ["fui piedra", "centro luz"]


def heard() -> Listening:
    return Aligner(ToyModel(sung(10, TRUTH, 0.99))).listen(noise(10))


def aligned(lines: list[str] = LINES) -> tuple[AlignedLine, ...]:
    return Aligner(ToyModel(sung(10, TRUTH, 0.99))).align(noise(10), lines).lines


def test_evidence_has_a_row_a_line_and_is_finite() -> None:
    found = evidence(aligned(), heard())
    assert found.shape == (2, len(EVIDENCE))
    assert np.isfinite(found).all()
    assert evidence((), heard()).shape == (0, len(EVIDENCE))


def of(
    name: str, lines: tuple[AlignedLine, ...], draft: list[Segment] | None = None
) -> list[float]:
    column = evidence(lines, heard(), draft or [])[:, EVIDENCE.index(name)]
    return [float(value) for value in column]


def test_evidence_tells_right_from_wrong() -> None:
    right, wrong = aligned(), aligned(["fui piedra", "quiso sol"])
    assert of("greedy", right)[1] > 0.9
    assert of("greedy", wrong)[1] < 0.5
    assert of("loss", right)[1] < 0.1 < of("loss", wrong)[1]
    assert of("margin", right)[1] > 0.5
    assert of("margin", wrong)[1] < 0.5
    assert of("letters", right) == pytest.approx([np.log(9), np.log(9)])


def test_a_draft_speaks_for_what_it_has_around_the_time() -> None:
    draft = [Segment(text="Fui, piedra.", start=1, end=2.5), Segment(text="nada", start=5, end=7)]
    said, other = of("draft", aligned(), draft)
    assert said == 1
    assert other < 0.6
    assert of("draft", aligned()) == [0.5, 0.5]


def test_lines_left_out_and_sung_again_are_told() -> None:
    first, second = aligned()
    lines = (replace(first, sung=""), replace(second, repeat=True))
    assert of("left out", lines) == [1, 0]
    assert of("repeat", lines) == [0, 1]


def judge_that_says(bias: float) -> Judge:
    return Judge(mean=(0.0,) * 12, scale=(1.0,) * 12, weights=(0.0,) * 12, bias=bias)


def test_a_draft_and_what_comes_back_have_judges_of_their_own() -> None:
    judges = Judges(
        alone=judge_that_says(10.0), drafted=judge_that_says(-10.0), again=judge_that_says(0.0)
    )
    draft = [Segment(text="otra cosa", start=0.0, end=9.0)]
    assert judged(aligned()[:1], heard(), judges)[0].probability > 0.99
    assert judged(aligned()[:1], heard(), judges, draft)[0].probability < 0.01
    back = [replace(aligned()[0], repeat=True)]
    assert judged(back, heard(), judges, draft)[0].probability == 0.5


def test_a_line_that_breaks_a_check_is_never_called_right() -> None:
    sure = judge_that_says(10.0)
    first, second = aligned()
    good, bad = judged(
        (first, replace(second, sung="")), heard(), Judges(alone=sure, drafted=sure, again=sure)
    )
    assert good.probability > 0.99
    assert good.doubts == ()
    assert bad.probability == 0.3
    assert bad.doubts == ("it is not heard",)


def test_the_chance_follows_the_weights() -> None:
    judge = Judge(mean=(1.0, 0.0), scale=(2.0, 1.0), weights=(1.0, -1.0), bias=0.5)
    assert judge.probability([3.0, 0.5]) == pytest.approx(1 / (1 + np.exp(-1.0)))
    assert 0 < judge.probability([-1e9, 0]) < judge.probability([1e9, 0]) < 1


def test_the_shipped_judge_is_there() -> None:
    judges = load_judges(SHIPPED_JUDGE)
    assert len(judges.alone.weights) == len(judges.drafted.weights) == len(EVIDENCE)
    draft = EVIDENCE.index("draft")
    assert judges.alone.weights[draft] == 0.0 < judges.drafted.weights[draft]


@pytest.mark.parametrize("text", ["", "{}", '{"evidence": [], "mean": 3}'])
def test_a_judge_that_is_damaged_or_missing_raises(tmp_path: Path, text: str) -> None:
    (tmp_path / "judge.json").write_text(text)
    with pytest.raises(ModelError, match="holds no weights for judging"):
        load_judges(tmp_path / "judge.json")
    with pytest.raises(ModelError, match="holds no weights for judging"):
        load_judges(tmp_path / "none.json")


def test_a_judge_of_other_evidence_raises(tmp_path: Path) -> None:
    found = json.loads(SHIPPED_JUDGE.read_text())
    (tmp_path / "judge.json").write_text(json.dumps(found | {"evidence": ["luck"]}))
    with pytest.raises(ModelError, match="made for other evidence"):
        load_judges(tmp_path / "judge.json")
