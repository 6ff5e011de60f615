"""A Whisper in transformers' form: opening it, its control tokens, and writing it down plainly."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.errors import ModelError
from train.windows import Vocabulary

__all__ = ["Whisper", "check_whisper", "no_whisper", "open_whisper", "save_whisper"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whisper:
    """Model, tokenizer and feature extractor of one folder."""

    model: Any
    tokenizer: Any
    extractor: Any

    @property
    def n_positions(self) -> int:
        """The longest label that the decoder takes, in tokens."""
        return int(self.model.config.max_target_positions)

    @property
    def multilingual(self) -> bool:
        """Whether it is told a language and a task; those of English alone are not."""
        return bool(getattr(self.model.generation_config, "is_multilingual", True))

    @property
    def vocabulary_end(self) -> int:
        """The token that ends a text; those after it say nothing that is written."""
        return self._token("<|endoftext|>")

    def text_tokens(self, text: str) -> tuple[int, ...]:
        """The tokens of a text as Whisper writes it: after a space, without control tokens."""
        return tuple(self.tokenizer.encode(f" {text}", add_special_tokens=False))

    def vocabulary(self, language: str, task: str) -> Vocabulary:
        """The control tokens for a language ("es") and a task; raises ModelError when unknown.

        A Whisper of English alone is asked for neither.
        """
        asked = (f"<|{language}|>", f"<|{task}|>") if self.multilingual else ()
        if not self.multilingual and (language, task) != ("en", "transcribe"):
            raise ModelError(
                f"a Whisper of English alone was asked to {task} '{language}': take a multilingual "
                "one, or language = 'en'"
            )
        return Vocabulary(
            prompt=(self._token("<|startoftranscript|>"), *map(self._token, asked)),
            # <|nocaptions|> or <|nospeech|> by the age of the tokenizer, at one place always.
            no_speech=self._token("<|notimestamps|>") - 1,
            no_timestamps=self._token("<|notimestamps|>"),
            first_timestamp=self._token("<|0.00|>"),
            end=self.vocabulary_end,
        )

    def _token(self, token: str) -> int:
        number = self.tokenizer.convert_tokens_to_ids(token)
        if number is None or self.tokenizer.convert_ids_to_tokens(number) != token:
            raise ModelError(f"this Whisper has no token {token}: take a multilingual one")
        return int(number)


def check_whisper(folder: Path) -> None:
    """Raise ModelError where a folder holds another kind of model.

    transformers would open it as a Whisper, and draw the weights that it does not find by lot.
    """
    try:
        kind = json.loads((folder / "config.json").read_text("utf-8"))["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise no_whisper(folder, error) from error
    if kind != "whisper":
        raise no_whisper(folder, ValueError(f"it is a model of type '{kind}'"))


def no_whisper(folder: Path, error: Exception) -> ModelError:
    """What to raise for a folder that cannot be opened."""
    reason = str(error).strip().split("\n")[0]
    return ModelError(f"{folder} holds no Whisper in transformers form: {reason}")


def open_whisper(folder: Path) -> Whisper:
    """The Whisper of a folder, weights in float32; raises ModelError when there is none."""
    import torch
    from safetensors import SafetensorError
    from transformers import WhisperForConditionalGeneration, WhisperProcessor

    check_whisper(folder)
    try:
        model = WhisperForConditionalGeneration.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True
        )
        # Any: what the processor holds is set at run time.
        processor: Any = WhisperProcessor.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise no_whisper(folder, error) from error
    return Whisper(
        model=model, tokenizer=processor.tokenizer, extractor=processor.feature_extractor
    )


def save_whisper(whisper: Whisper, folder: Path) -> None:
    """Write model, tokenizer and preprocessor_config.json into a folder that is there.

    The feature extractor is saved by itself: with the processor transformers 5 puts
    it into processor_config.json, where CTranslate2 and faster-whisper do not look.
    """
    whisper.model.save_pretrained(folder)
    whisper.tokenizer.save_pretrained(folder)
    whisper.extractor.save_pretrained(folder)
