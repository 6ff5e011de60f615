"""The dataset card: what is in it, how it came about, who may use it, what it lacks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from corpus.publish.choose import Rights, licensed, public
from corpus.publish.divide import SPLITS
from corpus.publish.folder import Manifest
from corpus.publish.tally import GROUPS, Part, Share, Tally
from corpus.text import fold

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["card", "escaped"]

_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"))

_LITTLE = 0.01
"""The share of the hours below which a palo is a gap."""

_MOST_VALUES = 40
"""Lines of a table: what comes after goes together."""


def card(told: Manifest, tally: Tally) -> str:
    """The README.md of the dataset, with the metadata that the hub and `datasets` read."""
    total, sound = _total(tally), bool(told.codec)
    n_unlicensed = _unlicensed(told, tally)
    body = _template().render(
        told=told,
        tally=tally,
        total=total,
        genre="flamenco singing" if "seguiriyas" in told.palos else "singing",
        asked=_asked(told.wanted),
        groups=[(name, _values(tally.groups[name])) for name in GROUPS],
        agreement=list(_agreement(told.agreement)),
        gaps=list(_gaps(told, tally, total)),
        missing=[split for split in SPLITS if split not in tally.splits],
        rights_of=sorted(tally.rights.items(), key=lambda pair: (-pair[1], str(pair[0]))),
        n_unlicensed=n_unlicensed,
        reaches={rights: _reach(rights, sound=sound) for rights in tally.rights},
        citation=_AsItIs(told.citation.strip().replace("```", "'''") or _citation(told)),
        hours=_hours,
        counts=_counts,
        of=_of,
    )
    licence = "" if n_unlicensed else told.license
    return f"---\n{_metadata(told, tally, total, licence)}\n---\n\n{body}\n"


def _unlicensed(told: Manifest, tally: Tally) -> int:
    """Utterances whose own rights do not allow the licence that was named for the whole."""
    rows = tally.rights.items() if told.license else ()
    sound = bool(told.codec)
    return sum(n for rights, n in rows if not licensed(rights, told.license, sound=sound))


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    # It is Markdown: `escaped` takes care of what a name could do there.
    environment = Environment(undefined=StrictUndefined, finalize=escaped)  # noqa: S701
    return environment.from_string(files(__package__).joinpath("card.md").read_text("utf-8"))


def _metadata(told: Manifest, tally: Tally, total: Share, licence: str) -> str:
    """No `configs`: files tell their splits by name.

    With `configs`, datasets 5.0 takes two local folders of one name for the same dataset;
    `corpus push` writes them, for the hub.
    """
    from huggingface_hub import DatasetCardData

    size = next((name for n, name in _SIZES if total.utterances < n), "1M<n<10M")
    made: dict[str, Any] = {} if licence else {"license_name": "rights-stand-in-every-row"}
    data = DatasetCardData(
        language=[told.language] if told.language else None,
        pretty_name=told.corpus,
        license=licence or "other",
        annotations_creators=["machine-generated", *["expert-generated"] * bool(tally.annotators)],
        language_creators=["found"],
        multilinguality=["monolingual"],
        size_categories=[size],
        source_datasets=["original"],
        task_categories=["automatic-speech-recognition"],
        tags=["flamenco", "singing", "lyrics-alignment", "lyrics-transcription", "audio"],
        **made,
    )
    return str(data.to_yaml())


def _total(tally: Tally) -> Share:
    shares = tally.splits.values()
    return Share(
        utterances=sum(one.utterances for one in shares),
        hours=sum(one.hours for one in shares),
        recordings=sum(one.recordings for one in shares),
        singers=sum(one.singers for one in shares),
    )


def _asked(wanted: Mapping[str, Any]) -> str:
    parts = [f"tier {wanted['min_tier']} or better"] if wanted.get("min_tier") else []
    for name, what in (("palos", "palo"), ("singers", "singer")):
        if wanted.get(name):
            parts.append(f"{what} {', '.join(wanted[name])}")
    if wanted.get("years"):
        parts.append("years {}-{}".format(*wanted["years"]))
    if wanted.get("verified"):
        parts.append("only what a person has checked")
    if wanted.get("public"):
        parts.append("only rows that everybody may have")
    if wanted.get("gated"):
        parts.append("only rows that who asks for access may have")
    return "; ".join(parts)


def _values(
    found: Mapping[str, Mapping[str, Part]],
) -> list[tuple[str, Mapping[str, Part]]]:
    """The most hours first; what is too much for a table goes together at its end."""
    ordered = sorted(found.items(), key=lambda pair: (-_of(pair[1]), pair[0]))
    kept, rest = ordered[:_MOST_VALUES], ordered[_MOST_VALUES:]
    if rest:
        together: dict[str, Part] = {}
        for _, parts in rest:
            for split, part in parts.items():
                had = together.get(split, Part())
                together[split] = Part(had.utterances + part.utterances, had.hours + part.hours)
        kept.append((f"{len(rest)} others", together))
    return kept


def _agreement(found: Mapping[str, Any]) -> Iterator[str]:
    if (rate := found.get("word_error_rate")) is not None:
        yield f"word error rate between two people: {rate:.3f}"
    if ends := found.get("boundaries"):
        yield f"between their ends: {ends[0]:.2f} s in the middle, {ends[1]:.2f} s for 95 of 100"
    for name, alpha in found.get("alpha", ()):
        if alpha is not None:
            yield f"Krippendorff's alpha of {name}: {alpha:.2f}"


def _gaps(told: Manifest, tally: Tally, total: Share) -> Iterator[str]:
    hours = total.hours or 1.0
    there = defaultdict[str, float](float)
    for palo, parts in tally.groups["palo"].items():
        # Two spellings are one palo.
        there[fold(palo)] += _of(parts)
    absent = [palo for palo in told.palos if not there.get(fold(palo))]
    if absent:
        yield f"nothing of {', '.join(absent)}"
    little = [palo for palo in told.palos if 0 < there.get(fold(palo), 0) / hours < _LITTLE]
    if little:
        yield f"less than {_LITTLE:.0%} of the hours of {', '.join(little)}"
    for name in ("palo", "singer", "sex", "region", "decade"):
        unknown = _of(tally.groups[name].get("", {})) / hours
        if unknown >= 0.005:
            yield f"{name} is not known of {unknown:.0%} of the hours"
    sexes = {value: _of(parts) / hours for value, parts in tally.groups["sex"].items() if value}
    if sexes:
        said = ", ".join(f"{value} {share:.0%}" for value, share in sorted(sexes.items()))
        yield f"of the hours by sex of the singer: {said}"
    checked = _of(tally.groups["tier"].get("gold", {})) / hours
    if checked < 1:
        yield f"{1 - checked:.0%} of the hours were checked by nobody"


def _citation(told: Manifest) -> str:
    key = re.sub(r"[^a-z0-9]+", "-", fold(f"{told.corpus} {told.name}")).strip("-") or "corpus"
    title = re.sub(r"[{}\\]", "", " ".join(told.corpus.split()))
    return f"@misc{{{key},\n  title = {{{title}}},\n  note = {{Release {told.name}}}\n}}"


def _of(parts: Mapping[str, Part]) -> float:
    return sum(part.hours for part in parts.values())


def _reach(rights: Rights, *, sound: bool) -> str:
    """Who may have a row."""
    if public(rights, sound=sound):
        return "everybody"
    return "who asks" if public(rights, sound=sound, asked=True) else "nobody else"


def _hours(hours: float) -> str:
    return f"{hours:.2f}" if hours < 100 else f"{hours:.0f}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in sorted(counts.items()) if n)


def escaped(value: object) -> object:
    """No name starts a line, a cell of a table, or a tag."""
    if not isinstance(value, str) or isinstance(value, _AsItIs):
        return value
    return " ".join(value.split()).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")


class _AsItIs(str):
    """What stands where nothing has to be escaped."""

    __slots__ = ()
