"""A fine-tuned Whisper goes to the hub: with a card that tells where it comes from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from corpus.errors import HubError, ModelError, PublishError
from corpus.publish.choose import Rights
from corpus.publish.folder import Manifest
from tests.conftest import Cli
from tests.servers.hub_state import Hub
from train.model_card import Judgement, ModelFacts, base_model, model_card
from train.push_model import push_model, read_judgements
from train.runs import RESULT

FREE = Rights(audio="cc0", text="traditional", annotation="cc-by-4.0")
SETTINGS = {
    "model": "/home/ana/.cache/cante-corpus/models/transformers/openai--whisper-base",
    "epochs": 8,
    "language": "es",
    "minutes": None,
    "dataset": "/home/ana/corpus/releases/v1",
    "dataset_digest": "f00",
}
RESULTS = {"steps": 88, "windows": 43, "loss_first": 2.0, "loss_last": 0.5}
RELEASE = Manifest(
    name="v1",
    made="2026-01-01T00:00:00+00:00",
    corpus="cante",
    license="cc-by-4.0",
    rows={"train": 80},
    hours={"train": 1.5},
)
GOOD = Judgement(
    model="mine",
    split="test",
    utterances=61,
    words=257,
    wer=0.2,
    cer=0.1,
    low=0.15,
    high=0.25,
    beam=5,
)


def facts(**changes: Any) -> ModelFacts:
    made: dict[str, Any] = {
        "name": "whisper-cante",
        "settings": SETTINGS,
        "result": RESULTS,
        "release": RELEASE,
        "rights": {FREE: 80},
        "judged": (GOOD,),
    }
    return ModelFacts(**(made | changes))


# ---- the card


def test_the_card_tells_what_it_was_trained_on_and_how_it_does() -> None:
    text = model_card(facts())
    assert "openai/whisper-base, fine-tuned" in text
    assert "release\n`v1`" in text
    assert "| mine | test | 61 | 257 | 0.200 | 0.150-0.250 | 0.100 | 5 beams |" in text
    assert "- train: 80 utterances, 1.50 hours" in text
    assert "| cc0 | traditional | cc-by-4.0 | 80 | yes |" in text
    assert "keep this model private" not in text
    assert "88 steps over 43 windows" in text
    assert "| epochs | 8 |" in text
    data = ModelCard(text).data
    assert data["base_model"] == "openai/whisper-base"
    assert data["license"] == "cc-by-4.0"
    assert [(one.metric_type, one.metric_value) for one in data["eval_results"]] == [
        ("wer", 20.0),
        ("cer", 10.0),
    ]


def test_nothing_of_the_machine_is_in_it() -> None:
    assert "/home/ana" not in model_card(facts())


def test_what_is_not_known_is_said() -> None:
    text = model_card(facts(release=None, rights={}, judged=(), result={}, settings={}))
    assert "It was not judged" in text
    assert "It is not known here what it was trained on: **keep it private**" in text
    assert ModelCard(text).data["license"] == "other"


def test_data_that_is_not_free_keeps_it_private() -> None:
    text = model_card(facts(rights={FREE: 79, Rights(audio="unknown", text="", annotation=""): 1}))
    assert "keep this model private" in text
    assert "| unknown | no text | unknown | 1 | no |" in text


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("/x/openai--whisper-base", "openai/whisper-base"),
        ("/home/ana/mine", ""),
        ("", ""),
        ("--", ""),
    ],
)
def test_the_model_begun_with_goes_by_its_name_at_the_hub(model: str, name: str) -> None:
    assert base_model({"model": model}) == name


# ---- there


@pytest.fixture
def model(tiny_whisper: Path, tmp_path: Path) -> Path:
    folder = shutil.copytree(tiny_whisper, tmp_path / "mine")
    told = {"asked": {**SETTINGS, "dataset": str(tmp_path / "nowhere")}, "result": RESULTS}
    (folder / RESULT).write_text(json.dumps(told), "utf-8")
    (folder / "notes.txt").write_text("mine alone", "utf-8")
    return folder


REPO = "pena/whisper-cante"


@pytest.mark.usefixtures("online")
def test_a_model_goes_there_in_one_commit(hub: Hub, model: Path, releases: dict[str, Path]) -> None:
    done = push_model(model, REPO, release=releases["v1"], judged=[GOOD])
    repo = hub.repos[REPO]
    assert repo.private
    assert (repo.head, len(repo.commits)) == (done.commit, 2)
    assert set(done.files) == set(repo.files) - {".gitattributes"}
    assert repo.files["model.safetensors"] == (model / "model.safetensors").read_bytes()
    assert "notes.txt" not in repo.files
    assert RESULT not in repo.files
    assert b"/home/ana" not in b"".join(repo.files.values())
    assert b'model = "openai/whisper-base"' in repo.files["training.toml"]
    assert repo.files["README.md"].decode() == done.card
    again = push_model(model, REPO, release=releases["v1"])
    assert hub.repos[REPO].head == again.commit


@pytest.mark.usefixtures("online")
def test_a_dry_run_sends_nothing(hub: Hub, model: Path) -> None:
    done = push_model(model, REPO, dry_run=True)
    assert done.commit == ""
    assert "keep it private" in done.card
    assert hub.repos == {}


@pytest.mark.usefixtures("online")
def test_only_what_everybody_may_have_is_public(
    hub: Hub, model: Path, releases: dict[str, Path]
) -> None:
    with pytest.raises(PublishError, match="it is not known what"):
        push_model(model, REPO, private=False)
    with pytest.raises(PublishError, match="shut may not be public"):
        push_model(model, REPO, private=False, release=releases["shut"])
    assert hub.repos == {}
    push_model(model, REPO, private=False, release=releases["v1"])
    assert not hub.repos[REPO].private
    with pytest.raises(HubError, match="is public, and was to be pushed without --public"):
        push_model(model, REPO, release=releases["v1"])


@pytest.mark.usefixtures("online")
def test_no_model_and_damaged_notes(hub: Hub, model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no Whisper"):
        push_model(tmp_path, REPO)
    (model / RESULT).write_text("{", "utf-8")
    with pytest.raises(ModelError, match="cannot be read"):
        push_model(model, REPO)
    assert hub.repos == {}


# ---- the command


def test_judgements_are_read_and_others_refused(tmp_path: Path) -> None:
    path = tmp_path / "judged.json"
    one: dict[str, Any] = {
        "model": "/x/openai--whisper-base",
        "split": "test",
        "utterances": 3,
        "words": 9,
    }
    one |= {"wer": 0.5, "cer": None, "as_sung": {"low": 0.4, "high": 0.6}, "beam": 1}
    path.write_text(json.dumps({"models": [one]}), "utf-8")
    (found,) = read_judgements(path)
    assert (found.model, found.wer, found.cer) == ("openai/whisper-base", 0.5, None)
    assert (found.low, found.high, found.decoding) == (0.4, 0.6, "greedy")
    for text in ("", "[]", '{"models": [{}]}', '{"models": 3}'):
        path.write_text(text, "utf-8")
        with pytest.raises(ModelError, match="is not what `corpus evaluate --json` prints"):
            read_judgements(path)


@pytest.mark.usefixtures("online")
def test_the_command(cli: Cli, hub: Hub, model: Path, releases: dict[str, Path]) -> None:
    tried = cli("push-model", REPO, model, "--on", releases["v1"], "--dry-run")
    assert tried.code == 0
    assert "would go to" in tried.err
    assert "# whisper-cante" in tried.out
    ran = cli("push-model", REPO, model, "--on", releases["v1"])
    assert ran.code == 0
    assert f"is at {hub.url}/{REPO}: " in ran.err
    assert "private" in ran.err
    told = cli("push-model", REPO, model, "--json").json
    assert told["commit"] == hub.repos[REPO].head
