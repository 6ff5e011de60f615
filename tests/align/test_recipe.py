from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from align.head import shipped_head
from align.recipe import (
    CorpusPart,
    HeadPart,
    Recipe,
    SongsPart,
    SpeechPart,
    dump_recipe,
    encoder_of,
    read_recipe,
)
from corpus.errors import ConfigError, UsageError


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text, "utf-8")
    return path


def test_an_empty_recipe_is_all_defaults(tmp_path: Path) -> None:
    assert read_recipe(written(tmp_path, "")) == Recipe()


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe(
            head=HeadPart(encoder='a "b"\\c', layers=(0, 3), context="convolution"),
            songs=(
                SongsPart(kind="lrc", folder="cañí", hold_out=("soleá 🎸",), copies=0),
                SongsPart(kind="ultrastar", folder="b", language="en"),
            ),
            speech=(SpeechPart(folder="c", beds=False, ways=("melisma",), minutes=0.5),),
            corpus=(CorpusPart(folder="d"),),
        ),
    ],
)
def test_a_recipe_is_read_as_it_was_written(tmp_path: Path, recipe: Recipe) -> None:
    assert read_recipe(written(tmp_path, dump_recipe(recipe))) == recipe


def test_all_values_are_written(tmp_path: Path) -> None:
    path = written(tmp_path, '[[songs]]\nkind = "lrc"\nfolder = "a"\n')
    text = dump_recipe(read_recipe(path))
    for line in ("copies = 1", "steps = 500", "hold_out = []", 'encoder = "base"', "dropout = 0.2"):
        assert f"{line}\n" in text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nix = 1", "nix: unknown key"),
        ("[fit]\nstps = 3", r"fit\.stps: unknown key"),
        ("[[songs]]\nkind = 'lrc'\nfolders = 'a'", r"songs\.0\.folder"),
        ("[[songs]]\nkind = 'srt'\nfolder = 'a'", r"songs\.0\.kind: input should be 'ultrastar'"),
        ("[[songs]]\nkind = 'lrc'\nfolder = 'a'\ncopies = -1", r"songs\.0\.copies: .*greater"),
        ("[[speech]]\nfolder = 'a'\nbeds = true", r"speech\.0\.beds"),
        ("[[speech]]\nfolder = 'a'\nways = ['sung']", r"speech\.0\.ways\.0"),
        ("[[speech]]\nfolder = 'a'\nminutes = 0", r"speech\.0\.minutes"),
        ("[[corpus]]\n", r"corpus\.0\.folder"),
        ("[head]\nwidth = 255", r"head\.width"),
        ("[head]\ncontext = 'mamba'", r"head\.context"),
        ("[head]\nlayers = [-1]", r"head\.layers\.0"),
        ("[fit]\nsteps = 0", r"fit\.steps"),
        ("[fit]\nsteps = '9'", r"fit\.steps: input should be a valid integer"),
        ("[fit]\nrate = inf", r"fit\.rate"),
        ("[fit", "cannot be read"),
    ],
)
def test_what_cannot_be_is_told_with_its_key(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as told:
        read_recipe(written(tmp_path, text))
    assert isinstance(told.value, UsageError)
    assert "\n" not in str(told.value)


def test_a_recipe_that_is_not_there_raises(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_recipe(tmp_path / "nowhere.toml")


def test_the_encoder_of_a_head_is_that_of_its_recipe(tmp_path: Path) -> None:
    assert not encoder_of(tmp_path)
    written(tmp_path, dump_recipe(replace(Recipe(), head=HeadPart(encoder="small"))))
    assert encoder_of(tmp_path) == "small"


def test_the_shipped_head_says_how_it_was_made() -> None:
    recipe = read_recipe(shipped_head(512, 6) / "recipe.toml")
    (songs,) = recipe.songs
    assert encoder_of(shipped_head(512, 6)) == "base"
    assert set(songs.hold_out) == {"Dead Smiling Pirates - I", "Pornophonique - Space Invaders"}
