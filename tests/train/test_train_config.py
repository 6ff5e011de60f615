from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import ConfigError
from tests.conftest import Cli
from train.config import TrainConfig, dump_toml, load_toml, presets

CONFIG = TrainConfig(model="base", output="modelo")


@given(
    st.text(st.characters(codec="utf-8")),
    st.none() | st.floats(1e-6, 1e6),
    st.none() | st.integers(1, 10**9),
    st.booleans(),
)
def test_settings_written_down_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    output: str,
    minutes: float | None,
    max_steps: int | None,
    lora: bool,
) -> None:
    config = replace(CONFIG, output=output, minutes=minutes, max_steps=max_steps, lora=lora)
    path = tmp_path_factory.mktemp("toml") / "training.toml"
    path.write_text(dump_toml(config), "utf-8", newline="")
    assert load_toml(path) == config


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("learning_rat = 1e-5", "unknown key 'learning_rat': is 'learning_rate' meant?"),
        ("xyzzy = 1", "unknown key 'xyzzy': known are output, model"),
        ('epochs = "8"', "epochs: .* integer"),
        ("epochs = 2.5", "epochs: .* integer"),
        ("epochs = 0", "epochs = 0 cannot be: take 1 or more"),
        ("lora = 1", "lora: .* boolean"),
        ("device = 'tpu'", "device: .* 'auto'"),
        ("task = 'sing'", "task: .* 'transcribe'"),
        ("seed = 1979-05-27", "seed: .* integer"),
        ("seed = -1", "seed = -1 cannot be"),
        ("warmup = 1.0", "warmup = 1.0 cannot be"),
        ("minutes = nan", "minutes = nan cannot be"),
        ("learning_rate = inf", "learning_rate = inf cannot be"),
        ("save_minutes = -1", "save_minutes = -1.0 cannot be"),
        ("without_timestamps = 1.5", "without_timestamps = 1.5 cannot be"),
        ("epochs = ", "cannot be read"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "training.toml"
    path.write_text(f"model = 'base'\noutput = 'modelo'\n{line}\n", "utf-8")
    with pytest.raises(ConfigError, match=said) as caught:
        load_toml(path)
    assert "\n" not in str(caught.value)


def test_an_output_is_needed_and_the_model_is_base(tmp_path: Path) -> None:
    path = tmp_path / "training.toml"
    path.write_text("epochs = 2\n", "utf-8")
    with pytest.raises(ConfigError, match="output: Field required"):
        load_toml(path)
    assert load_toml(path, output="modelo").model == "base"


def test_what_is_chosen_stands_above_the_file(tmp_path: Path) -> None:
    path = tmp_path / "training.toml"
    path.write_text("model = 'base'\noutput = 'modelo'\nepochs = 3\n", "utf-8")
    assert load_toml(path, output="otro") == replace(CONFIG, output="otro", epochs=3)
    with pytest.raises(ConfigError, match="unknown key 'outptu'"):
        load_toml(path, outptu="otro")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "training.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_toml(path)


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"device": "tpu"}, {"max_steps": 0}])
def test_settings_are_checked_however_they_are_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="cannot be"):
        replace(CONFIG, **wrong)


def test_the_learning_rate_fits_the_kind_of_training() -> None:
    assert CONFIG.peak_rate == 2e-5
    assert replace(CONFIG, lora=True).peak_rate == 5e-4
    assert replace(CONFIG, lora=True, learning_rate=1e-4).peak_rate == 1e-4


def test_presets_are_settings() -> None:
    found = presets()
    assert set(found) == {"quick", "base-cpu", "small-gpu", "large-lora"}
    made = {name: load_toml(path, output="modelo") for name, path in found.items()}
    assert made["quick"].max_steps == 20
    assert made["large-lora"].lora
    assert made["large-lora"].model == "large-v3"


def test_a_preset_is_printed_and_read_again(tmp_path: Path, cli: Cli) -> None:
    asked = ["train", str(tmp_path), "--preset", "base-cpu", "--print", "--epochs", "7"]
    printed = cli(*asked, "-o", "modelo")
    assert printed.code == 0, printed.err
    path = tmp_path / "training.toml"
    path.write_text(printed.out, "utf-8")
    settings = load_toml(path)
    assert (settings.epochs, settings.batch_size, settings.learning_rate) == (7, 4, 3e-5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--preset", "enorme"], "there is no preset 'enorme': take one of base-cpu, large-lora"),
        (
            ["--preset", "quick", "--config", "a.toml"],
            "settings are given twice: take one",
        ),
    ],
)
def test_presets_that_cannot_be(tmp_path: Path, cli: Cli, options: list[str], said: str) -> None:
    (tmp_path / "a.toml").write_text("epochs = 1\n", "utf-8")
    asked = [str(tmp_path / "a.toml") if one == "a.toml" else one for one in options]
    refused = cli("train", str(tmp_path), "-o", "modelo", *asked)
    assert refused.code == 2
    assert said in refused.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["datos"], "where shall the new model go? Give --output FOLDER"),
        (
            ["datos", "-o", "modelo"],
            "'datos' is no dataset: give a release of the corpus, a folder",
        ),
        (["a.toml", "-o", "modelo"], "there is no release yet"),
        (["a.toml", "-o", "modelo", "--preset", "quick"], "settings are given twice"),
        (["none.toml", "-o", "modelo"], "none.toml cannot be read"),
    ],
)
def test_what_training_cannot_be_asked(cli: Cli, arguments: list[str], said: str) -> None:
    Path("a.toml").write_text("epochs = 1\n", "utf-8")
    refused = cli("train", *arguments)
    assert refused.code in (1, 2)
    assert said in refused.err
    assert not Path("modelo").exists()
