"""`corpus improve`: round once more, what people said stays, what changed is asked for first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from align.aligner import Aligner
from align.renew import Renewed
from annotate.stage import to_hear
from corpus.changes import CHANGED
from corpus.errors import TrainError
from corpus.media import Samples, flac_bytes
from corpus.records import Segment, Tier
from corpus.workspace import Workspace
from tests.align.toys import ToyModel, noise, sung
from tests.conftest import Cli
from tests.corpus.made import recording, verse
from tests.corpus.publishing import said

COPLA = verse("ay penita mía", "de mi alma", source="a")
UNO = recording("ay penita mía", artist="voz")
Words = Sequence[tuple[str, float, float]]
FIRST = [("ay", 2.0, 2.4), ("penita", 2.6, 3.4), ("mia", 3.6, 4.0)]
THEN = [("de", 5.0, 5.2), ("mi", 5.3, 5.5), ("alma", 5.6, 6.2)]


class Hears:
    """Writes down the copla."""

    name = "mine"

    def transcribe(
        self, samples: Samples, progress: Callable[[float], None] | None = None
    ) -> tuple[Segment, ...]:
        assert samples.n_samples
        if progress is not None:
            progress(1.0)
        return tuple(
            Segment(text=line, start=2.0 + 3 * k, end=4.0 + 3 * k)
            for k, line in enumerate(COPLA.lines)
        )


@pytest.fixture
def hearing(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Callable[[Words], list[str]]:
    """Lets the commands hear some words; gives the names of the models that were asked for."""
    path = workspace.media.flac(UNO.id)
    path.parent.mkdir(parents=True)
    samples = noise(UNO.duration)
    path.write_bytes(flac_bytes(samples.read(0, samples.n_samples)))
    with workspace.store.transaction() as transaction:
        transaction.save([UNO, COPLA])
    asked: list[str] = []

    def hear(words: Words) -> list[str]:
        model = ToyModel(sung(UNO.duration, words))
        model.name = f"toy {len(asked)} {words[0][1]}"

        def drafter(name: str, *_: object) -> Hears:
            asked.append(name)
            return Hears()

        place = "corpus.commands.improve"
        monkeypatch.setattr(f"{place}.drafter", drafter)
        monkeypatch.setattr(f"{place}.listener_of", lambda *_: None)
        monkeypatch.setattr(f"{place}.aligner_of", lambda *_: Aligner(model))
        return asked

    return hear


def test_what_came_out_otherwise_is_listed_and_asked_for_first(
    cli: Cli, workspace: Workspace, hearing: Callable[[Words], list[str]]
) -> None:
    hearing([*FIRST, *THEN])
    first = cli("improve", "--no-head", "--json")
    assert first.code == 0
    assert {one["before"] for one in first.json["changes"]} == {None}
    hearing([(text, start + 1.5, end + 1.5) for text, start, end in (*FIRST, *THEN)])
    told = cli("improve", "--no-head", "--json").json["changes"]
    assert told
    moved = [one for one in told if one["after"]["text"].strip()]
    assert all(one["seconds"] > 0.3 for one in moved)
    changed = workspace.store.done(CHANGED).keys()
    assert changed == {one.id for one in workspace.store.utterances()}.intersection(changed)
    assert {one.id for one in to_hear(workspace)[0].utterances} & changed
    # The same ears again: nothing is otherwise, and nothing of before is left over.
    assert cli("improve", "--no-head", "--json").json["changes"] == []
    assert workspace.store.done(CHANGED) == {}


def test_people_are_told_in_a_table(cli: Cli, hearing: Callable[[Words], list[str]]) -> None:
    hearing([*FIRST, *THEN])
    ran = cli("improve", "--no-head")
    assert ran.code == 0
    assert "utterances came out otherwise" in ran.err
    assert "ay penita mía / de mi alma" in ran.out


def test_what_people_checked_stays(
    cli: Cli, workspace: Workspace, hearing: Callable[[Words], list[str]]
) -> None:
    hearing([*FIRST, *THEN])
    cli("improve", "--no-head")
    mine = next(one for one in workspace.store.utterances() if one.text.strip())
    with workspace.store.transaction() as transaction:
        transaction.save([said(mine, "ana")])
    hearing([(text, start + 0.7, end + 0.7) for text, start, end in (*FIRST, *THEN)])
    assert cli("improve", "--no-head").code == 0
    gold = [one for one in workspace.store.utterances() if one.tier is Tier.GOLD]
    assert [(one.id, one.start, one.text) for one in gold] == [(mine.id, mine.start, mine.text)]


def test_the_newest_model_writes_the_drafts(
    cli: Cli, workspace: Workspace, hearing: Callable[[Words], list[str]], tiny_model: Path
) -> None:
    asked = hearing([*FIRST, *THEN])
    cli("improve", "--no-head")
    (workspace.root / "models").mkdir()
    mine = tiny_model.rename(workspace.root / "models" / "mine")
    cli("improve", "--no-head")
    cli("improve", "--no-head", "--model", "small")
    assert asked == ["base", str(mine), "small"]


@pytest.fixture
def tiny_model(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes(b"{}")
    return folder


def test_a_head_that_learned_is_told_and_used(
    cli: Cli,
    workspace: Workspace,
    hearing: Callable[[Words], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hearing([*FIRST, *THEN])
    folder = workspace.root / "heads" / "head-1"
    renewed = Renewed(
        folder=str(folder), before=0.5, after=0.4, minutes=7.0, recordings=9, held_out=2
    )
    monkeypatch.setattr("align.renew.renew", lambda *_args, **_more: renewed)
    ran = cli("improve")
    assert ran.code == 0
    assert "7.0 checked minutes taught the head: a letter of 2 other recordings costs 0.400" in (
        ran.err
    )
    assert f'put model = "{folder}" under [align]' in ran.err


def test_too_little_to_learn_from_is_told_and_the_rest_goes_on(
    cli: Cli,
    hearing: Callable[[Words], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_args: object, **_more: object) -> Renewed:
        raise TrainError("0.0 minutes of 0 recordings are checked")

    hearing([*FIRST, *THEN])
    monkeypatch.setattr("align.renew.renew", refuse)
    ran = cli("improve")
    assert ran.code == 0
    assert "the head stays as it is: 0.0 minutes" in ran.err
    assert "utterances came out otherwise" in ran.err
