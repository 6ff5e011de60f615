"""A head that learns from what people checked, kept only where it is better for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from align import renew as renewing
from align.emissions import WhisperCTC
from align.fit import FitPlan
from align.fit_data import TimedAudio
from align.head import Head, HeadConfig, load_head, save_head
from align.renew import cost_a_letter, renew
from corpus.errors import TrainError
from corpus.media import flac_bytes
from corpus.records import Tier, Word
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.align.timed_made import tiny_whisper, voiced
from tests.align.toys import ToyModel, noise, sung
from tests.corpus.made import recording, utterance

PLAN = FitPlan(steps=3, batch=1, warm_up=1)


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    return tiny_whisper(tmp_path / "whisper")


@pytest.fixture
def head(encoder: Path, tmp_path: Path) -> Path:
    from align.encoder import WhisperEncoder

    hears = WhisperEncoder(encoder, "cpu")
    config = HeadConfig(
        encoder_width=hears.width, encoder_layers=hears.n_layers, layers=(1, 2), width=8
    )
    save_head(Head(config), tmp_path / "head")
    return tmp_path / "head"


@pytest.fixture
def checked(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Six recordings with half a minute that somebody has checked."""
    monkeypatch.setattr(renewing, "LEAST_MINUTES", 0.5)
    for k in range(6):
        one = recording(f"cinta {k}")
        path = workspace.media.flac(one.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(flac_bytes(voiced(8, 120.0 + 10 * k)))
        said = replace(utterance(one, "ay pena mía de mi alma", 1, 6), tier=Tier.GOLD)
        with workspace.store.transaction() as transaction:
            transaction.save([one, AlignedRecording(recording=one.id, utterances=(said,))])
    return workspace


def made(checked: Workspace, encoder: Path, head: Path) -> renewing.Renewed:
    folder = checked.root / "heads" / "head-1"
    return renew(checked, str(encoder), head, folder, plan=PLAN, device="cpu")


def test_a_better_head_is_kept(
    checked: Workspace, encoder: Path, head: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = iter([2.0, 1.5])
    monkeypatch.setattr(renewing, "cost_a_letter", lambda *_: next(costs))
    told = made(checked, encoder, head)
    assert (told.before, told.after) == (2.0, 1.5)
    assert (told.recordings, told.held_out) == (6, 2)
    assert told.minutes == pytest.approx(0.6)
    before, after = load_head(head), load_head(Path(told.folder))
    assert before.config == after.config
    # It went on from where the other was, and went somewhere.
    first, last = before.state_dict()["out.weight"], after.state_dict()["out.weight"]
    assert 0 < float((first - last).abs().max()) < 0.1


def test_one_that_is_no_better_goes(
    checked: Workspace, encoder: Path, head: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = iter([1.5, 1.5])
    monkeypatch.setattr(renewing, "cost_a_letter", lambda *_: next(costs))
    told = made(checked, encoder, head)
    assert told.folder == ""
    assert not (checked.root / "heads" / "head-1").exists()


def test_what_is_held_out_is_not_trained_on(
    checked: Workspace, encoder: Path, head: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[list[str]] = []

    def cost(_: object, audios: list[TimedAudio]) -> float:
        judged.append([audio.name for audio in audios])
        return 2.0 - len(judged)

    monkeypatch.setattr(renewing, "cost_a_letter", cost)
    told = made(checked, encoder, head)
    assert judged[0] == judged[1]
    recipe = (Path(told.folder) / "recipe.toml").read_text("utf-8")
    ids = sorted(one.id for one in checked.store.recordings())
    assert [id_ in recipe for id_ in ids] == [True, False, False, False, False, True]
    assert {name.split()[0] for name in judged[0]} == {ids[0][:12], ids[5][:12]}


def test_too_little_to_learn_from(workspace: Workspace, encoder: Path, head: Path) -> None:
    with pytest.raises(TrainError, match=r"0\.0 minutes of 0 recordings are checked"):
        made(workspace, encoder, head)


# ---- what a letter costs


def heard(*texts: str) -> list[TimedAudio]:
    samples = noise(8.0)
    lines = tuple((Word(text=text, start=1.0, end=7.0),) for text in texts)
    return [
        TimedAudio(
            name="uno",
            samples=samples.read(0, samples.n_samples),
            lines=lines,
            voice=(),
            tolerance=0.1,
            weight=1.0,
            language="es",
        )
    ]


def test_what_is_sung_costs_less_than_what_is_not() -> None:
    model = ToyModel(sung(8.0, [("ay", 2.0, 2.4), ("penita", 2.6, 3.4), ("mia", 3.6, 4.0)]))
    right = cost_a_letter(model, heard("ay", "penita", "mía"))
    assert 0 <= right < cost_a_letter(model, heard("el", "camino", "del")) / 2


def test_nothing_with_letters_is_told() -> None:
    with pytest.raises(TrainError, match="nothing that was held out has letters"):
        cost_a_letter(ToyModel(sung(8.0, [])), heard("♪"))


def test_the_model_names_its_head(encoder: Path, head: Path) -> None:
    assert WhisperCTC(encoder, head, "cpu").head == head
