"""The dataset card: what is in it, how it came about, who may use it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from corpus.publish.rights import told
from corpus.records import Recording, Utterance, Verse
from corpus.text import fold

__all__ = ["CardFacts", "card"]

_BODY = """
# {name}

Utterances of flamenco singing (or of the tradition that this corpus is of), at most 30 s each,
with their text, times for each word and what is known of the recording.
Made with cante-corpus: known verses were found in recordings and placed on them by forced
alignment. Text and times are a machine's work unless `tier` is `gold`.

## What is in it

| split | utterances | hours | recordings | singers |
|---|---|---|---|---|
{splits}

Tiers: {tiers}. `gold` was checked by a person; `silver` and `bronze` are alignments of which
the aligner is sure, and is not. `probability` is how likely it is that a text is sung, and there.
Left out: {left_out}.

## Splits

No singer, no copla (variants of one count as one) and no master recording is in two splits: this
was checked when the splits were made. Set aside for it: {set_aside}. A recording whose singer
is not known is kept whole, and may share its singer with another split ({n_unknown} recordings).
{missing}

## Rights

{rights}
- annotation: {annotation_rights}

`rights_audio`, `rights_text` and `rights_annotation` stand in every row. Unknown means private:
such rows are not to be given away.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """What the card tells."""

    name: str
    language: str
    utterances: tuple[Utterance, ...]
    split_of: Mapping[str, str]
    recordings: Mapping[str, Recording]
    verses: Mapping[str, Verse]
    annotation_rights: str = "unknown"
    left_out: tuple[tuple[str, int], ...] = ()
    set_aside: tuple[tuple[str, int], ...] = ()


def card(facts: CardFacts) -> str:
    """The README.md of the dataset, with the metadata that the hub and `datasets` read."""
    from huggingface_hub import DatasetCardData

    splits = [s for s in ("train", "validation", "test") if s in set(facts.split_of.values())]
    # No `configs`: the names of the files tell the splits, and with `configs` the library takes
    # two local folders of one name for the same dataset (datasets 5.0).
    data = DatasetCardData(
        language=[facts.language],
        pretty_name=facts.name,
        license="other",
        task_categories=["automatic-speech-recognition"],
        tags=["flamenco", "singing", "lyrics-alignment"],
    )
    body = _BODY.format(
        name=facts.name,
        splits="\n".join(_split_line(facts, split) for split in splits),
        tiers=_counts(Counter(u.tier.value for u in facts.utterances)),
        left_out=_counts(dict(facts.left_out)) or "nothing",
        set_aside=_counts(dict(facts.set_aside)) or "nothing",
        annotation_rights=facts.annotation_rights,
        n_unknown=len({u.recording for u in facts.utterances if not _singer(facts, u)}),
        missing=_missing(splits),
        rights=told(
            (facts.recordings[u.recording], facts.verses.get(u.verse)) for u in facts.utterances
        ),
    )
    return f"---\n{data.to_yaml()}\n---\n{body}"


def _singer(facts: CardFacts, utterance: Utterance) -> str:
    return facts.recordings[utterance.recording].artist


def _split_line(facts: CardFacts, split: str) -> str:
    mine = [u for u in facts.utterances if facts.split_of[u.id] == split]
    hours = sum(u.duration for u in mine) / 3600
    n_recordings = len({u.recording for u in mine})
    n_singers = len({fold(_singer(facts, u)) for u in mine} - {""})
    return f"| {split} | {len(mine)} | {hours:.2f} | {n_recordings} | {n_singers} |"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in sorted(counts.items()) if n)


def _missing(splits: Sequence[str]) -> str:
    absent = [s for s in ("train", "validation", "test") if s not in splits]
    return f"\nToo few singers, or no share, for: {', '.join(absent)}." if absent else ""
