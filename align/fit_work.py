"""The folder in which a training keeps what it has heard, so that it is heard once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from align.encoder import WhisperEncoder
from align.fit import Features, extract, read_states, targets
from align.fit_data import TimedAudio
from align.fit_sets import AudioSet
from align.head import HeadConfig
from corpus.records import Word, content_id
from corpus.whole import writing

__all__ = ["Work"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A folder of hidden states, by what they are of.

    `weights` names the weights of the encoder.  Every file is whole or not there: a
    set that is listed is not made again, and audio whose states stand is not heard again.
    """

    root: Path
    encoder: WhisperEncoder
    config: HeadConfig
    weights: str

    def features(self, audio_set: AudioSet) -> list[Features]:
        """States and targets of a set of audio."""
        listed = self.root / "sets" / f"{self._key(audio_set.key)}.json"
        entries = _read(listed)
        if entries is None or not all(self._states(e["states"]).is_file() for e in entries):
            entries = [_entry(audio, self._hear(audio)) for audio in audio_set.make()]
            with writing(listed) as scratch:
                scratch.write_text(json.dumps(entries), "utf-8")
        return [self._features(entry) for entry in entries]

    def _key(self, *parts: str) -> str:
        return content_id(self.weights, repr(self.config.layers), *parts)

    def _states(self, key: str) -> Path:
        return self.root / "states" / f"{key}.states"

    def _hear(self, audio: TimedAudio) -> str:
        """The key of the states of audio, which stand when it is given."""
        samples = np.ascontiguousarray(audio.samples, np.float32)
        key = self._key(hashlib.sha256(samples.tobytes()).hexdigest())
        if not self._states(key).is_file():
            with writing(self._states(key)) as scratch:
                extract(audio, self.encoder, self.config, scratch)
        return key

    def _features(self, entry: dict[str, Any]) -> Features:
        states = read_states(self._states(entry["states"]), self.config)
        return targets(_audio(entry), states, self.config.labels)


def _read(listed: Path) -> list[dict[str, Any]] | None:
    if not listed.is_file():
        return None
    found: list[dict[str, Any]] = json.loads(listed.read_text("utf-8"))
    return found


def _entry(audio: TimedAudio, states: str) -> dict[str, Any]:
    """What of audio is kept beside its states."""
    lines = [[(word.text, word.start, word.end) for word in line] for line in audio.lines]
    return {
        "name": audio.name,
        "lines": lines,
        "voice": audio.voice,
        "unsure": audio.unsure,
        "tolerance": audio.tolerance,
        "weight": audio.weight,
        "language": audio.language,
        "states": states,
    }


def _audio(entry: dict[str, Any]) -> TimedAudio:
    """The same again, without its samples."""
    return TimedAudio(
        name=entry["name"],
        samples=np.zeros(0, np.float32),
        lines=tuple(
            tuple(Word(text=text, start=start, end=end) for text, start, end in line)
            for line in entry["lines"]
        ),
        voice=_spans(entry["voice"]),
        unsure=_spans(entry["unsure"]),
        tolerance=entry["tolerance"],
        weight=entry["weight"],
        language=entry["language"],
    )


def _spans(found: Sequence[Sequence[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((start, end) for start, end in found)
