"""Kaldi's data directories: one a split, sorted as LC_ALL=C does, with WAV files.

https://kaldi-asr.org/doc/data_prep.html.  Every clip is a recording of one segment; names of
utterances begin with the speaker's, so that both are in one order.
"""

from __future__ import annotations

import io
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import soundfile

from corpus.errors import PublishError
from corpus.publish.formats.base import (
    METADATA,
    Clip,
    Part,
    Row,
    checked_name,
    clip_of,
    rest_of,
    write_line,
)
from corpus.publish.formats.lhotse_cuts import SPLITS
from corpus.records import content_id
from corpus.text import fold

__all__ = ["exporter", "speaker_of"]


@dataclass(frozen=True, slots=True)
class _Said:
    """What the tables say of an utterance: all that is kept of it until they are sorted."""

    speaker: str
    text: str
    seconds: float
    wav: str


class Kaldi:
    """One data directory a split."""

    name = "kaldi"
    needs_sound = True

    def write(self, part: Part, folder: Path, at: Path) -> None:
        """<split>/ with wav.scp, text, utt2spk and so on, wav/, and metadata.jsonl for the rest."""
        split = SPLITS.get(part.split, part.split)
        if "\n" in str(at) or str(at) != str(at).strip():
            raise PublishError(f"Kaldi cannot name files in '{at}': write to another folder")
        below = folder / split
        below.mkdir()
        utterances: dict[str, _Said] = {}
        with (below / METADATA).open("w", encoding="utf-8") as file:
            for row in part.rows:
                clip, speaker = clip_of(row), speaker_of(row)
                name, text = f"{speaker}-{clip.name}", " ".join(row["text"].split())
                wav = f"wav/{clip.name[:2]}/{name}.wav"
                _write_wav(below / wav, clip)
                utterances[name] = _Said(speaker, text, clip.seconds, wav)
                write_line(file, utterance=name, **rest_of(row))
        _write_tables(below, at / split, utterances, part.language)


def speaker_of(row: Row) -> str:
    """A speaker's name for Kaldi, which is ASCII: of a singer's, and a hash that parts any two.

    Of a singer who is not known, each recording has a speaker of its own.
    """
    folded = fold(row["singer"] or "")
    if not folded:
        return f"unknown-{checked_name(row, 'recording')[:12]}"
    readable = re.sub(r"[^a-z0-9]+", "-", folded.replace("ñ", "n"))[:40].strip("-")
    return f"{readable or 'singer'}-{content_id('singer', folded)[:8]}"


def _write_wav(target: Path, clip: Clip) -> None:
    try:
        samples, rate = soundfile.read(io.BytesIO(clip.data), dtype="int16")
    except soundfile.LibsndfileError as error:
        raise PublishError(
            f"the sound of row {clip.name} is damaged: get the release again"
        ) from error
    made = io.BytesIO()
    soundfile.write(made, samples, rate, format="WAV", subtype="PCM_16")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(made.getvalue())


def _write_tables(folder: Path, at: Path, utterances: Mapping[str, _Said], language: str) -> None:
    speakers: dict[str, list[str]] = defaultdict(list)
    names = sorted(utterances)
    for name in names:
        speakers[utterances[name].speaker].append(name)
    seconds = {name: f"{utterances[name].seconds:.6f}" for name in names}
    tables = {
        "wav.scp": {name: f"{at}/{utterances[name].wav}" for name in names},
        "text": {name: utterances[name].text for name in names},
        "segments": {name: f"{name} 0.000000 {seconds[name]}" for name in names},
        "utt2spk": {name: utterances[name].speaker for name in names},
        "spk2utt": {speaker: " ".join(speakers[speaker]) for speaker in sorted(speakers)},
        "utt2dur": seconds,
        "reco2dur": seconds,
        "utt2lang": dict.fromkeys(names, language) if language else {},
    }
    for table, lines in tables.items():
        if lines:
            text = "".join(f"{key} {value}".rstrip() + "\n" for key, value in lines.items())
            (folder / table).write_text(text, "utf-8")


exporter = Kaldi()
