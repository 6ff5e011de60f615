"""What a workspace knows of the rows of a release."""

from __future__ import annotations

import hmac
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from corpus.errors import PublishError
from corpus.publish.columns import About, lines_of, marks_of
from corpus.records import Annotation, Description, Kind, Utterance, Verdict
from corpus.text import fold
from corpus.whole import writing
from corpus.workspace import Workspace

__all__ = ["about_of", "pseudonym_of", "quality_of", "strata_of", "words_of_the_culture"]

_SALT = "pseudonyms.key"
"""A file of the workspace: without it nobody can tell a pseudonym from an address by trying."""

_SALT_BYTES = 32


def about_of(workspace: Workspace) -> About:
    """Everything but the utterances themselves."""
    store, config = workspace.store, workspace.config
    descriptions, utterances = store.descriptions(), store.utterances(words=False)
    verses, coplas = store.verses(), store.coplas()
    # Folding all letras takes a second or two: only what people wrote themselves needs it.
    written = any(one.kind is Kind.LETRA and not one.verse for one in utterances)
    marks = (*config.annotate.quality, *config.annotate.accompaniment)
    return About(
        recordings={one.id: one for one in store.recordings()},
        verses={one.id: one for one in verses},
        coplas=coplas,
        lines=lines_of(verses, coplas) if written else {},
        marks=marks_of(descriptions, marks),
        features=store.features(),
        codes=store.fingerprints(),
        quejio=_quejio(utterances),
        people=_people(store.annotations(), _salt(workspace.root)),
        culture=words_of_the_culture(descriptions),
        annotation_rights=config.publish.annotations,
    )


def quality_of(recording: str, about: About) -> str:
    """How good the sound of a recording is, by its marks; "" where nobody and nothing tells."""
    if recording in about.marks:
        points = sum(about.marks[recording].values())
    elif recording in about.features:
        points = sum(mark.points for mark in about.features[recording].marks)
    else:
        return ""
    return "good" if points < 2 else "fair" if points < 5 else "poor"


def strata_of(utterance: Utterance, about: About) -> tuple[str, ...]:
    """What splits are to have evenly: the palo, the decade, how good the sound is."""
    recording = about.recordings[utterance.recording]
    era = f"{recording.year // 10 * 10}s" if recording.year else "unknown"
    quality = quality_of(recording.id, about) or "unknown"
    return f"palo {fold(recording.palo)}", f"era {era}", f"quality {quality}"


def _quejio(utterances: Iterable[Utterance]) -> dict[str, float]:
    """The share of cries in the sung seconds of each recording."""
    sung: dict[str, float] = defaultdict(float)
    cries: dict[str, float] = defaultdict(float)
    for one in utterances:
        if one.kind in (Kind.LETRA, Kind.QUEJIO):
            sung[one.recording] += one.duration
            cries[one.recording] += one.duration if one.kind is Kind.QUEJIO else 0.0
    return {id_: cries[id_] / seconds for id_, seconds in sung.items() if seconds > 0}


def _people(annotations: Iterable[Annotation], salt: bytes) -> Mapping[str, tuple[str, ...]]:
    """Who checked an utterance, by pseudonym: nobody's address is given away."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in annotations:
        if one.verdict in (Verdict.RIGHT, Verdict.CORRECTED):
            found[one.utterance].add(_pseudonym(salt, one.annotator))
    return {id_: tuple(sorted(people)) for id_, people in found.items()}


def pseudonym_of(root: Path, person: str) -> str:
    """What somebody goes by outside of the corpus in a folder: always the same."""
    return _pseudonym(_salt(root), person)


def _pseudonym(salt: bytes, person: str) -> str:
    return f"annotator-{hmac.new(salt, person.encode('utf-8'), 'sha256').hexdigest()[:8]}"


def _salt(root: Path) -> bytes:
    """The key of a corpus, made where there is none; PublishError where it is damaged."""
    path = root / _SALT
    if not path.exists():
        with writing(path, private=True, once=True) as scratch:
            scratch.write_bytes(secrets.token_bytes(_SALT_BYTES))
    try:
        found = path.read_bytes()
    except OSError as error:
        raise PublishError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(found) != _SALT_BYTES:
        raise PublishError(
            f"{path} is damaged: bring it back from a backup, or remove it, and who annotates gets "
            "another name in releases from now on"
        )
    return found


def words_of_the_culture(descriptions: Iterable[Description]) -> frozenset[str]:
    """The words that anybody named as words of this culture, folded."""
    told = (answer for one in descriptions for name, answer in one.answers if name == "words")
    return frozenset(word for answer in told for word in fold(answer).split())
