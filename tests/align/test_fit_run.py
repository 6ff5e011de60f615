"""The verb `train-aligner`: from a recipe to a head that aligns."""

from __future__ import annotations

import importlib.util
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from align import fit, fit_run
from align.fit import extract
from align.fit_run import make_head
from align.fit_sets import audio_sets
from align.head import load_head, shipped_head
from align.recipe import Recipe, read_recipe
from corpus.commands.listen import aligner_of
from corpus.errors import ConfigError, MediaError, MissingExtraError, TrainError
from corpus.media import flac_bytes
from corpus.records import Tier
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.align.timed_made import (
    tiny_whisper,
    voiced,
    write_audio,
    write_lrc,
    write_speech,
    write_ultrastar,
)
from tests.conftest import Cli
from tests.corpus.made import recording, utterance

RECIPE = """
[head]
encoder = "whisper"
width = 8

[[songs]]
kind = "ultrastar"
folder = "songs"
language = "en"
hold_out = ["held"]

[[songs]]
kind = "lrc"
folder = "lrc"
copies = 0

[[speech]]
folder = "speech"
minutes = 0.05

[fit]
steps = 6
batch = 2
warm_up = 2
"""


@pytest.fixture(scope="module")
def made_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two songs of UltraStar, one as LRC, an instrumental, two sentences, a tiny Whisper."""
    folder = tmp_path_factory.mktemp("data")
    tiny_whisper(folder / "whisper")
    write_ultrastar(folder / "songs", "one")
    write_ultrastar(folder / "songs", "held", 180.0)
    write_audio(folder / "songs" / "music" / "instrumental.ogg", voiced(21, 90))
    write_lrc(folder / "lrc", "two")
    write_speech(folder / "speech")
    (folder / "recipe.toml").write_text(RECIPE, "utf-8")
    return folder


@pytest.fixture
def data(made_data: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(made_data, tmp_path / "data"))


def recipe_of(data: Path) -> Recipe:
    return read_recipe(data / "recipe.toml")


def weights(folder: Path) -> bytes:
    return (folder / "head.safetensors").read_bytes()


def test_a_head_comes_with_its_recipe_and_figures(cli: Cli, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run = cli("train-aligner", data / "recipe.toml", "--output", out, "--device", "cpu", "--json")
    assert run.code == 0, run.err
    assert {p.name for p in out.iterdir()} == {
        *("config.json", "head.safetensors", "recipe.toml", "figures.json")
    }
    assert json.loads((out / "figures.json").read_text("utf-8")) == run.json
    assert set(run.json["seconds"]) == {
        *("songs of songs", "songs of songs, changed", "songs of lrc", "music"),
        *("speech of speech, slowed", "speech of speech, melisma"),
    }
    assert run.json["seconds"]["songs of songs"] == pytest.approx(13, abs=0.1)
    song, together = run.json["held_out"]
    assert (song["song"], song["n_words"], together["song"]) == ("held", 3, "all words")
    assert {k: v for k, v in song.items() if k != "song"} == {
        k: v for k, v in together.items() if k != "song"
    }
    assert 0 <= song["within"] <= 1
    assert song["lines"] in {0.0, 0.5, 1.0}
    full = read_recipe(out / "recipe.toml")
    assert full.head.layers == (1, 2)
    assert full.head.encoder == str((data / "whisper").resolve())
    assert replace(full, head=recipe_of(data).head) == recipe_of(data)
    assert load_head(out).config.layers == (1, 2)


def test_figures_are_shown_as_a_table(cli: Cli, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    given = ("--output", out, "--data", data, "--steps", "1", "--seed", "3", "--keep")
    shutil.move(data / "recipe.toml", tmp_path / "elsewhere.toml")
    run = cli("train-aligner", tmp_path / "elsewhere.toml", *given)
    assert run.code == 0, run.err
    for said in ("held", "all words", "median s", "lines within 0.5 s"):
        assert said in run.out
    assert "1 steps" in run.err
    assert (read_recipe(out / "recipe.toml").fit.steps, recipe_of(out).fit.seed) == (1, 3)
    assert {p.name for p in (out / ".work").iterdir() if p.is_dir()} == {"sets", "states"}


def test_the_head_aligns_with_the_encoder_of_its_recipe(
    cli: Cli, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    make_head(recipe_of(data), data, out, device="cpu")
    (tmp_path / "letra.txt").write_text("todo el\nay\n", "utf-8")
    song = data / "lrc" / "two.flac"
    run = cli("align-file", song, tmp_path / "letra.txt", "--model", out, "--device", "cpu")
    assert run.code == 0, run.err
    assert [line["text"] for line in run.json["lines"]][:1] == ["todo el"]
    other = tmp_path / "other"
    shutil.copytree(data / "whisper", other)
    for encoder, name in (("base", "whisper+out"), (str(other), "other+out")):
        assert aligner_of(str(out), encoder, "es", "cpu").model.name.startswith(f"{name}-")


class KilledError(Exception):
    pass


def killed_while(data: Path, out: Path, doing: str, done: int) -> None:
    def progress(what: str, now: int, _: int) -> None:
        if (what, now) == (doing, done):
            raise KilledError

    with pytest.raises(KilledError):
        make_head(recipe_of(data), data, out, device="cpu", progress=progress)


def test_the_shipped_head_is_trained_on(data: Path, tmp_path: Path, whisper_base_hf: Path) -> None:
    recipe = recipe_of(data)
    head = replace(recipe.head, encoder=str(whisper_base_hf), begin="whisper-ctc")
    plan = replace(recipe.fit, steps=1, warm_up=1, rate=1e-6)
    songs = recipe.songs[1:]
    out = tmp_path / "out"
    make_head(replace(recipe, head=head, songs=songs, speech=(), fit=plan), data, out, device="cpu")
    shipped, made = (load_head(one) for one in (shipped_head(512, 6), out))
    assert made.config == shipped.config
    assert read_recipe(out / "recipe.toml").head.begin == "whisper-ctc"
    bits = (shipped.out.bias, made.out.bias)
    assert 0 < float((bits[0] - bits[1]).abs().max()) < 1e-4


@pytest.mark.parametrize(
    ("doing", "done"), [("listen", 3), ("train", 1), ("train", 4), ("train", 6), ("judge", 1)]
)
def test_a_killed_run_carries_on_to_the_same_head(
    data: Path, tmp_path: Path, doing: str, done: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit_run, "Checkpoint", lambda file: fit.Checkpoint(file=file, every=2))
    killed_while(data, tmp_path / "out", doing, done)
    heard: list[str] = []

    def listening(audio, *rest):  # type: ignore[no-untyped-def]
        heard.append(audio.name)
        return extract(audio, *rest)

    monkeypatch.setattr("align.fit_work.extract", listening)
    steps: list[int] = []
    make_head(
        recipe_of(data),
        data,
        tmp_path / "out",
        device="cpu",
        progress=lambda what, now, _: steps.append(now) if what == "train" else None,
    )
    # "one" stands in the first set, which had been heard in every case.
    assert "one" not in heard
    assert bool(heard) is (doing == "listen")
    first = {"listen": 1, "train": done // 2 * 2 + 1, "judge": 7}[doing]
    assert steps == list(range(first, 7))
    make_head(recipe_of(data), data, tmp_path / "whole", device="cpu")
    assert weights(tmp_path / "out") == weights(tmp_path / "whole")
    assert not (tmp_path / "out" / ".work").exists()


def test_what_was_half_written_is_heard_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def dies(*given):  # type: ignore[no-untyped-def]
        given[-1].write_bytes(b"half")
        raise KilledError

    monkeypatch.setattr("align.fit_work.extract", dies)
    with pytest.raises(KilledError):
        make_head(recipe_of(data), data, tmp_path / "out", device="cpu")
    monkeypatch.setattr("align.fit_work.extract", extract)
    assert not list((tmp_path / "out" / ".work").rglob("*.states"))
    make_head(recipe_of(data), data, tmp_path / "out", device="cpu")
    make_head(recipe_of(data), data, tmp_path / "whole", device="cpu")
    assert weights(tmp_path / "out") == weights(tmp_path / "whole")


def test_another_recipe_does_not_take_up_the_state_of_this(data: Path, tmp_path: Path) -> None:
    recipe = recipe_of(data)
    make_head(recipe, data, tmp_path / "out", device="cpu", keep=True)
    before = weights(tmp_path / "out")
    write_ultrastar(data / "songs", "one", 200.0)
    made = make_head(recipe, data, tmp_path / "out", device="cpu", keep=True)
    assert made.loss is not None
    assert weights(tmp_path / "out") != before
    again = make_head(recipe, data, tmp_path / "out", device="cpu")
    assert again.loss is None  # all had been done


def test_music_is_what_is_sure_to_have_no_voice(data: Path) -> None:
    """The rests of a song timed by syllable and the instrumental, but not the gaps of an LRC."""
    recipe = recipe_of(data)
    for songs, lengths in ((recipe.songs[:1], [5.4, 20]), (recipe.songs[1:], [])):
        music = audio_sets(replace(recipe, songs=songs, speech=()), data)[-1]
        assert music.name == "music"
        found = sorted(len(one.samples) / 16000 for one in music.make())
        assert found == [pytest.approx(length, abs=0.1) for length in lengths]


def test_gold_of_a_corpus_is_trained_on(data: Path, tmp_path: Path, workspace: Workspace) -> None:
    here = recording("soleá")
    path = workspace.media.flac(here.id)
    path.parent.mkdir(parents=True)
    path.write_bytes(flac_bytes(voiced(10)))
    checked = replace(utterance(here, "todo el ay", 1, 6), tier=Tier.GOLD)
    with workspace.store.transaction() as transaction:
        transaction.save([here, AlignedRecording(recording=here.id, utterances=(checked,))])
    text = f'[head]\nencoder = "whisper"\nwidth = 8\n[[corpus]]\nfolder = "{workspace.root}"\n'
    (data / "recipe.toml").write_text(text + "[fit]\nsteps = 2\nbatch = 1\n", "utf-8")
    made = make_head(recipe_of(data), data, tmp_path / "out", device="cpu")
    assert list(made.seconds.values()) == [pytest.approx(6, abs=0.1)]
    assert made.held_out == ()


@pytest.mark.parametrize(
    ("change", "says", "code"),
    [
        (('hold_out = ["held"]', 'hold_out = ["nobody"]'), "there is no song 'nobody'", 2),
        (('hold_out = ["held"]', 'leave_out = ["on"]'), "there is no song 'on'", 2),
        (('hold_out = ["held"]', 'hold_out = ["held", "one"]'), "holds no UltraStar songs", 1),
        (('folder = "lrc"', 'folder = "nowhere"'), "holds no song", 1),
        (('folder = "speech"', 'folder = "songs"'), "holds no speech", 1),
        (("width = 8", "layers = [3]"), "head.layers names 3", 2),
        (('encoder = "whisper"', 'encoder = "songs"'), "holds no model", 1),
        (("steps = 6", "stpes = 6"), "fit.stpes: unknown key", 2),
        (("[fit]", '[[corpus]]\nfolder = "lrc"\n[fit]'), "no corpus.toml", 2),
    ],
)
def test_what_cannot_be_is_one_line(
    cli: Cli, data: Path, tmp_path: Path, change: tuple[str, str], says: str, code: int
) -> None:
    assert change[0] in RECIPE
    (data / "recipe.toml").write_text(RECIPE.replace(*change), "utf-8")
    run = cli("train-aligner", data / "recipe.toml", "--output", tmp_path / "out")
    assert (run.code, run.err.count("\n")) == (code, 1)
    assert says in run.err
    assert not (tmp_path / "out").exists()


def test_a_sentence_that_is_not_there_is_told(data: Path, tmp_path: Path) -> None:
    (data / "speech" / "0.wav").unlink()
    with pytest.raises(TrainError, match=r"0\.wav is named in metadata\.csv"):
        make_head(recipe_of(data), data, tmp_path / "out", device="cpu")


def test_a_missing_vocoder_is_told_before_anything_is_heard(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"cante-corpus\[fit\]"):
        make_head(recipe_of(data), data, tmp_path / "out", device="cpu")


def test_a_corpus_that_nobody_checked_is_told(
    data: Path, tmp_path: Path, workspace: Workspace
) -> None:
    text = RECIPE + f'[[corpus]]\nfolder = "{workspace.root}"\n'
    (data / "recipe.toml").write_text(text, "utf-8")
    with pytest.raises(TrainError, match="has no gold utterance"):
        make_head(recipe_of(data), data, tmp_path / "out", device="cpu")


def test_the_folder_of_another_model_is_left_alone(data: Path) -> None:
    with pytest.raises(ConfigError, match="holds something else than a head"):
        make_head(recipe_of(data), data, data / "whisper", device="cpu")


def test_a_folder_that_cannot_be_made_raises(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(MediaError, match="cannot write"):
        make_head(recipe_of(data), data, tmp_path / "file" / "out", device="cpu")
