"""A Whisper in transformers' form: opening it, its control tokens, and writing it down plainly."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.errors import ModelError
from train.windows import Vocabulary

__all__ = ["Whisper", "open_whisper", "save_whisper"]


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

    def text_tokens(self, text: str) -> tuple[int, ...]:
        """The tokens of a text as Whisper writes it: after a space, without control tokens."""
        return tuple(self.tokenizer.encode(f" {text}", add_special_tokens=False))

    def vocabulary(self, language: str, task: str) -> Vocabulary:
        """The control tokens for a language ("es") and a task; raises ModelError when unknown."""
        return Vocabulary(
            start=self._token("<|startoftranscript|>"),
            language=self._token(f"<|{language}|>"),
            task=self._token(f"<|{task}|>"),
            # <|nocaptions|> or <|nospeech|> by the age of the tokenizer, at one place always.
            no_speech=self._token("<|notimestamps|>") - 1,
            no_timestamps=self._token("<|notimestamps|>"),
            first_timestamp=self._token("<|0.00|>"),
            end=self._token("<|endoftext|>"),
        )

    def _token(self, token: str) -> int:
        number = self.tokenizer.convert_tokens_to_ids(token)
        if number is None or self.tokenizer.convert_ids_to_tokens(number) != token:
            raise ModelError(f"this Whisper has no token {token}: take a multilingual one")
        return int(number)


def open_whisper(folder: Path) -> Whisper:
    """The Whisper of a folder, weights in float32; raises ModelError when there is none."""
    import torch
    from transformers import WhisperForConditionalGeneration, WhisperProcessor

    try:
        model = WhisperForConditionalGeneration.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True
        )
        # Any: what the processor holds is set at run time.
        processor: Any = WhisperProcessor.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().split("\n")[0]
        raise ModelError(f"{folder} holds no Whisper in transformers form: {reason}") from error
    if not getattr(model.generation_config, "is_multilingual", True):
        raise ModelError(f"{folder} holds a Whisper of English only: take a multilingual one")
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
