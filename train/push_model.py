"""A fine-tuned Whisper goes to the hub: in one commit, private unless all its data is free."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from corpus.errors import HubError, ModelError, PublishError
from corpus.models import form_of
from corpus.publish.folder import read_manifest
from corpus.publish.hub import MISSING, RefusedError, at_hub
from corpus.publish.public import check_public, rights_of
from train.config import TrainConfig, dump_toml
from train.model_card import Judgement, ModelFacts, base_model, model_card
from train.runs import RESULT

__all__ = ["PushedModel", "push_model", "read_judgements"]

_FILES = (
    *("config.json", "generation_config.json", "model*.safetensors", "*.safetensors.index.json"),
    *("tokenizer*.json", "vocab.json", "merges.txt", "normalizer.json", "added_tokens.json"),
    *("special_tokens_map.json", "preprocessor_config.json", "processor_config.json"),
)
"""What a Whisper is made of; whatever else lies in its folder stays there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedModel:
    """What was pushed, or of a dry run would be: files and bytes; `commit` is "" in a dry run."""

    repo: str
    url: str
    private: bool
    files: Mapping[str, int]
    commit: str
    card: str


def push_model(
    model: Path,
    repo: str,
    *,
    release: Path | None = None,
    judged: Sequence[Judgement] = (),
    private: bool = True,
    dry_run: bool = False,
    token: str | None = None,
) -> PushedModel:
    """Put the Whisper in a folder (transformers form) on the hub as the model `repo`.

    `release` is what it was trained on; without it a model is not made public.  Raises ModelError
    where there is no model, PublishError where it may not be public, HubError for all else.
    """
    if form_of(model) != "transformers":
        raise ModelError(f"{model} holds no Whisper in transformers form: push what was trained")
    facts = _facts(model, repo, release, judged)
    if not private:
        if facts.release is None:
            raise PublishError(
                f"it is not known what {model} was trained on: name the release with --on, or push "
                "it without --public"
            )
        check_public(facts.release.name, facts.rights)
    card = model_card(facts)
    found = {path.name: path for pattern in _FILES for path in sorted(model.glob(pattern))}
    contents: dict[str, Path | bytes] = {**found, "README.md": card.encode()}
    if told := _settings(facts.settings):
        contents["training.toml"] = told.encode()
    commit, url = "", ""
    with at_hub(repo, token, kind="model") as hub:
        url = hub.url
        if not dry_run:
            commit = _commit(hub, contents, private=private)
    return PushedModel(
        repo=repo,
        url=url,
        private=private,
        files={
            name: len(one) if isinstance(one, bytes) else one.stat().st_size
            for name, one in sorted(contents.items())
        },
        commit=commit,
        card=card,
    )


def _facts(model: Path, repo: str, release: Path | None, judged: Sequence[Judgement]) -> ModelFacts:
    told = _told(model / RESULT)
    named = Path(str(told.get("asked", {}).get("dataset", "")))
    if release is None and (named / "manifest.json").is_file():
        release = named
    return ModelFacts(
        name=repo.rpartition("/")[2],
        settings=told.get("asked", {}),
        result=told.get("result", {}),
        release=read_manifest(release) if release else None,
        rights=rights_of(release) if release else {},
        judged=judged,
    )


def _told(path: Path) -> dict[str, Any]:
    """What `corpus train` wrote of a run; nothing of a model that came from elsewhere."""
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
    return found


def _settings(settings: Mapping[str, Any]) -> str:
    """training.toml without what is only of this machine."""
    if not settings:
        return ""
    known = {one.name for one in fields(TrainConfig)}
    kept = {name: value for name, value in settings.items() if name in known and value is not None}
    base = base_model(settings) or "base"
    return dump_toml(TrainConfig(**{**kept, "model": base, "output": "model"}))


def _commit(hub: Any, contents: Mapping[str, Path | bytes], *, private: bool) -> str:
    from huggingface_hub import CommitOperationAdd

    try:
        there = hub.ask_of(hub.api.repo_info)
    except RefusedError as error:
        if error.status not in MISSING:
            raise
        hub.ask_of(hub.api.create_repo, private=private, exist_ok=True)
        there = hub.ask_of(hub.api.repo_info)
    if bool(there.private) is not private:
        is_, wanted = ("public", "without --public") if private else ("private", "with --public")
        raise HubError(
            f"{hub.repo} is {is_}, and was to be pushed {wanted}: name another, or change it at "
            f"{hub.url}"
        )
    operations = [CommitOperationAdd(name, one) for name, one in sorted(contents.items())]
    done = hub.ask_of(
        hub.api.create_commit,
        operations,
        commit_message="Fine-tuned with cante-corpus",
        parent_commit=there.sha,
    )
    return str(done.oid)


def read_judgements(path: Path) -> tuple[Judgement, ...]:
    """The models that `corpus evaluate --json` has judged; raises ModelError for other files."""
    try:
        models = json.loads(path.read_text("utf-8"))["models"]
        return tuple(
            Judgement(
                model=_named(one["model"]),
                split=one["split"],
                utterances=one["utterances"],
                words=one["words"],
                wer=one["wer"],
                cer=one["cer"],
                low=one["as_sung"]["low"],
                high=one["as_sung"]["high"],
                beam=one["beam"],
            )
            for one in models
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is not what `corpus evaluate --json` prints: {error}") from error


def _named(model: str) -> str:
    """A model as a card may name it: by the hub's name, or its folder's."""
    return base_model({"model": model}) or Path(model).name
