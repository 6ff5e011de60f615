"""What is left out of training and judging, why, and how often; and the leak that stops a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.errors import MediaError, TrainError
from corpus.media import SAMPLE_RATE
from corpus.tabular import write_rows
from train.data import Progress, Row, Split
from train.windows import WINDOW_SAMPLES

__all__ = [
    "LeftOut",
    "Reason",
    "another_language",
    "check_leak",
    "reason_of_audio",
    "reason_of_text",
    "shared_values",
    "usable",
]

_SHORTEST = SAMPLE_RATE // 10
_FEWEST_WORDS = 50  # for a language to be told by
_MOST_WORDS = 5_000
_SURE = 0.9


class Reason(str, Enum):
    """Why an utterance is left out."""

    UNREADABLE = "audio that cannot be read"
    TOO_SHORT = "shorter than 0.1 s"
    TOO_LONG = "longer than 30 s"
    NO_TEXT = "no text"
    CONTROL = "control tokens in the text"
    TOO_MANY_TOKENS = "label longer than the decoder takes"


@dataclass(slots=True)
class LeftOut:
    """Rows with the reason, gathered while they go by, and how many were taken."""

    rows: list[tuple[Row, Reason]] = field(default_factory=list)
    taken: int = 0

    def add(self, row: Row, reason: Reason) -> None:
        """One more utterance left out for this reason."""
        self.rows.append((row, reason))

    def summary(self) -> dict[str, int]:
        """How many by reason, in the order of `Reason`; reasons that did not occur are absent."""
        counts = Counter(reason for _, reason in self.rows)
        return {reason.value: counts[reason] for reason in Reason if counts[reason]}

    def write(self, path: Path) -> None:
        """A table with a line for each row: where it stands, why it is left out, what it says."""
        columns = ("row", "id", "recording", "start", "end", "reason", "text")
        lines = [
            (row.number, row.id, row.recording, row.start, row.end, reason.value, row.text)
            for row, reason in self.rows
        ]
        write_rows(path, columns, lines)

    def __str__(self) -> str:
        return ", ".join(f"{n} × {reason}" for reason, n in self.summary().items()) or "none"


def reason_of_audio(n_samples: int) -> Reason | None:
    """Why audio of this many samples (16 kHz) cannot be taken, or None."""
    if n_samples < _SHORTEST:
        return Reason.TOO_SHORT
    return Reason.TOO_LONG if n_samples > WINDOW_SAMPLES else None


def reason_of_text(text: str, *, nothing_sung: bool) -> Reason | None:
    """Why an utterance of this text is of no use, or None.

    No text is right where nothing is sung, and of no use anywhere else.
    """
    return None if nothing_sung or text.strip() else Reason.NO_TEXT


def check_leak(sources: Mapping[str, Collection[str]]) -> None:
    """Raise TrainError when one source (recording or sound) stands in two splits.

    `sources` gives what each split was made from.  A model judged on what it was
    trained on says nothing.
    """
    names = list(sources)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            shared = set(sources[one]) & set(sources[other])
            if shared:
                raise TrainError(
                    f"{len(shared)} recordings are in both {one} and {other} "
                    f"({min(shared)[:16]} …): publish the dataset again with splits by recording"
                )


def shared_values(
    values: Mapping[str, Mapping[str, Collection[str]]],
) -> tuple[str, ...]:
    """What to know where a singer or a copla of the training set is judged on too, a line each.

    `values` gives the values of each split's columns.  A split by recording may share them, and
    what is measured then says less about new ones.
    """
    lines = []
    for name, columns in values.items():
        for column, found in columns.items():
            shared = set(found) & set(values.get("train", {}).get(column, ()))
            if name != "train" and shared:
                lines.append(f"{len(shared)} of {len(found)} {column}s of {name} are in train too")
    return tuple(lines)


def another_language(texts: Iterable[str], language: str) -> str | None:
    """A line that says so where the texts together are in another language, or None.

    By py3langid (Lui & Baldwin, "langid.py", 2012) over the languages that Whisper knows; nothing
    is said of few words, of a language that it does not know, or of near relatives.
    """
    from py3langid.langid import MODEL_FILE, LanguageIdentifier
    from transformers.models.whisper.tokenization_whisper import LANGUAGES

    words = " ".join(texts).split()[:_MOST_WORDS]
    if len(words) < _FEWEST_WORDS:
        return None
    try:
        identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    except OSError as error:  # it is unpacked into a temporary file
        return f"whether the texts are in '{language}' cannot be told: {error.strerror or error}"
    known = [name for name in identifier.labels if name in LANGUAGES]
    if language not in known:
        return None
    identifier.set_languages(known)
    found, share = identifier.classify(" ".join(words))
    if found == language or share < _SURE:
        return None
    return (
        f"the texts look like {LANGUAGES[found]} ('{found}'), and Whisper is told '{language}': "
        "set `language` if that is not meant"
    )


def usable(
    split: Split, left_out: LeftOut, progress: Progress | None = None
) -> Iterator[tuple[Row, NDArray[np.float32]]]:
    """Rows that can be taken, with their sound; what cannot is counted in `left_out`.

    Every sound is decoded here, so that a damaged one is found before it is needed.
    """
    for row in split.rows():
        reason = reason_of_text(row.text, nothing_sung=row.nothing_sung)
        if reason is None:
            try:
                sound = split.sound(row.number)
                reason = reason_of_audio(len(sound))
            except MediaError:
                reason = Reason.UNREADABLE
        if reason is None:
            yield row, sound
        else:
            left_out.add(row, reason)
        if progress is not None:
            progress(f"reading {split.name}", row.number + 1, len(split))
