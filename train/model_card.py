"""The card of a fine-tuned Whisper: what it was trained on, by whose leave, how it was judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from corpus.publish.choose import Rights, public
from corpus.publish.folder import Manifest

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["Judgement", "ModelFacts", "base_model", "model_card"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How a model did on a split; rates in 0..1 and more, None where nothing could be judged.

    `low` and `high` are the 95 % interval of `wer`; `beam` is 1 where it decoded greedily.
    """

    model: str
    split: str
    utterances: int
    words: int
    wer: float | None
    cer: float | None
    low: float | None = None
    high: float | None = None
    beam: int = 1

    @property
    def decoding(self) -> str:
        """How it was decoded."""
        return "greedy" if self.beam == 1 else f"{self.beam} beams"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What the card tells.

    `settings` and `result` are those of `corpus train`; `release` and `rights` what it was trained
    on, where that is known.
    """

    name: str
    settings: Mapping[str, Any]
    result: Mapping[str, Any]
    release: Manifest | None = None
    rights: Mapping[Rights, int] = field(default_factory=dict)
    judged: Sequence[Judgement] = ()


def base_model(settings: Mapping[str, Any]) -> str:
    """The hub's name of the Whisper that was begun with; "" where it is only a folder here."""
    name = PurePath(str(settings.get("model", ""))).name
    owner, dashes, rest = name.partition("--")
    return f"{owner}/{rest}" if dashes and owner and rest else ""


def model_card(facts: ModelFacts) -> str:
    """The README.md of the model, with the metadata that the hub reads.

    Nothing of the machine is in it: no paths, no names of people.
    """
    settings = {
        name: value
        for name, value in sorted(facts.settings.items())
        if value is not None and name not in {"model", "output", "dataset", "dataset_digest"}
    }
    body = _template().render(
        facts=facts,
        base=base_model(facts.settings) or "a Whisper",
        settings=settings,
        rights=sorted(facts.rights.items(), key=lambda pair: (-pair[1], str(pair[0]))),
        public=public,
        all_public=bool(facts.rights) and all(map(public, facts.rights)),
    )
    return f"---\n{_metadata(facts)}\n---\n\n{body}\n"


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    from corpus.publish.card import escaped

    # It is Markdown: `escaped` takes care of what a name could do there.
    environment = Environment(undefined=StrictUndefined, finalize=escaped)  # noqa: S701
    text = files(__package__).joinpath("model_card.md").read_text("utf-8")
    return environment.from_string(text)


def _metadata(facts: ModelFacts) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    results = [
        EvalResult(
            task_type="automatic-speech-recognition",
            task_name="singing transcription",
            dataset_type="cante-corpus",
            dataset_name=facts.release.corpus if facts.release else "not known",
            dataset_split=one.split,
            metric_type=metric,
            metric_value=round(100 * rate, 2),
        )
        for one in facts.judged[-1:]
        for metric, rate in (("wer", one.wer), ("cer", one.cer))
        if rate is not None
    ]
    license_ = facts.release.license if facts.release else ""
    made: dict[str, Any] = {} if license_ else {"license_name": "see-the-rights-of-the-data"}
    data = ModelCardData(
        language=[str(facts.settings.get("language", "es"))],
        license=license_ or "other",
        library_name="transformers",
        pipeline_tag="automatic-speech-recognition",
        base_model=base_model(facts.settings) or None,
        tags=["whisper", "flamenco", "singing", "lyrics-transcription"],
        model_name=facts.name,
        eval_results=results or None,
        **made,
    )
    return str(data.to_yaml())
