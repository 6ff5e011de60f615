"""Judging Whispers on one split of a dataset, side by side: what they write, and how much is wrong.

Each clip is heard in a 30 s of its own, as a model will hear what comes to it; many go through at
once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from corpus.engine import Engine, Here
from corpus.errors import TrainError
from train.backends import BACKENDS, BackendName, open_backend
from train.config import Device, Precision
from train.data import Progress, Row, Split, open_splits
from train.device import in_bfloat16, pick_device
from train.effects import explain
from train.findings import Finding, Judged, Rate, Report
from train.function_words import FUNCTION_WORDS
from train.groups import group, recording_of
from train.guards import LeftOut, another_language
from train.intervals import change_of, rate_of
from train.long_form import Recordings, long_form
from train.metrics import Counts, count, score, total
from train.quiet import quiet
from train.write_down import (
    Batch,
    Written,
    WrittenBatch,
    rows_to_judge,
    spread,
    write_batch,
    write_down,
)

__all__ = ["How", "evaluate"]

_FEW = 10
"""Recordings below which an interval by drawing them is too narrow to be believed."""

_COMPARED = 60
_AGREE_WITHIN = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How models are asked and judged.

    `beam` 1 is greedy.  `sample` takes so many utterances, spread over the split.
    `function_words` (folded) are left out of the reading of content; None: those of the language.
    With `compare`, the other backend writes some of it too.
    """

    split: str = "test"
    language: str = "es"
    backend: BackendName = "transformers"
    beam: int = 1
    batch_size: int = 8
    device: Device = "auto"
    precision: Precision = "auto"
    sample: int | None = None
    compare: bool = False
    function_words: frozenset[str] | None = None

    @property
    def left_out_words(self) -> frozenset[str]:
        """The function words that are meant."""
        if self.function_words is not None:
            return self.function_words
        return FUNCTION_WORDS.get(self.language, frozenset())

    @property
    def halved(self) -> bool:
        """Whether the models count in bfloat16."""
        by_us = self.backend == "transformers"
        return by_us and in_bfloat16(self.precision, pick_device(self.device))


@quiet()
def evaluate(
    models: Mapping[str, Path],
    dataset: str | Path,
    how: How | None = None,
    *,
    recordings: Recordings | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Report:
    """Let Whispers (folders in transformers form, by name) write down a split; the first is base.

    `recordings` gives the sound of whole recordings: with it they are written too, in long form,
    in this process.  Utterances are written in the workers of the engine, `Here` by default.
    Raises TrainError when the split is not there or nothing in it can be judged, ModelError when
    a folder holds no Whisper or it knows no such language.
    """
    how = how or How()
    split, left_out = _split(dataset, how.split), LeftOut()
    fine = rows_to_judge(split, left_out)
    asked = _Asked(
        split=split,
        rows=spread(fine, how.sample),
        how=how,
        engine=engine or Here(),
        progress=progress,
    )
    notes = _notes(asked.rows, len(fine), how)
    findings: list[Finding] = []
    base: list[Counts] = []
    for name, folder in models.items():
        written = asked.write(folder, f"judging {name}")
        written.left_out.rows.extend(left_out.rows)
        if not written.rows:
            raise TrainError(
                f"{dataset}: no utterance of {how.split} can be judged; left out: "
                f"{written.left_out}"
            )
        counts = _counts(written, how)
        base = base or counts
        finding, told = _judge(name, written, counts, base if findings else None, how)
        if how.compare:
            finding = replace(finding, agreement=_agreement(asked, written, folder))
            told += (_of_agreement(finding),)
        if recordings is not None:
            heard = long_form(folder, written.rows, recordings, how.language, how.device, progress)
            finding = replace(finding, long_form=heard.wer, timing=heard.timing)
            told += heard.notes
        findings.append(finding)
        notes += told
    return Report(
        release=Path(dataset).resolve().name,
        split=how.split,
        language=how.language,
        findings=tuple(findings),
        notes=tuple(dict.fromkeys(notes)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What every model is asked."""

    split: Split
    rows: Sequence[Row]
    how: How
    engine: Engine
    progress: Progress | None

    def write(self, folder: Path, stage: str) -> Written:
        """What the model in a folder writes."""
        # Decided here: on a machine with another chip a model would write other words.
        how = replace(self.how, precision="bfloat16" if self.how.halved else "float32")
        with self.engine.crew(partial(_writing, folder, how)) as crew:
            return write_down(self.split, self.rows, crew, how.batch_size, self.progress, stage)


@quiet()
def _writing(folder: Path, how: How) -> Callable[[Batch], WrittenBatch]:
    """What a worker writes by."""
    backend = open_backend(
        how.backend,
        folder,
        language=how.language,
        device=how.device,
        beam=how.beam,
        precision=how.precision,
    )
    return quiet()(partial(write_batch, backend))


def _split(dataset: str | Path, name: str) -> Split:
    splits = open_splits(dataset)
    if name not in splits:
        raise TrainError(f"{dataset} has no split '{name}' (it has {', '.join(splits)})")
    return splits[name]


def _notes(rows: Sequence[Row], n_all: int, how: How) -> list[str]:
    """What is to be known before anything is heard."""
    notes = []
    if len(rows) < n_all:
        notes.append(f"a sample of {len(rows)} of {n_all} utterances was judged")
    named = {row.recording for row in rows if not row.nothing_sung} - {""}
    if not named:
        notes.append("the dataset names no recordings: intervals are drawn over utterances")
    elif len(named) < _FEW:
        notes.append(f"{len(named)} recordings are few: another {len(named)} may tell otherwise")
    if how.halved:
        notes.append("the models counted in bfloat16 (--precision float32 for all their digits)")
    if not how.left_out_words:
        notes.append(f"no function words are known of '{how.language}': content is all words")
    told = another_language((row.text for row in rows if not row.nothing_sung), how.language)
    return [*notes, told] if told else notes


def _counts(written: Written, how: How) -> list[Counts]:
    return [
        count(
            _reference(row),
            text,
            kind=row.kind,
            language=how.language,
            function_words=how.left_out_words,
        )
        for row, text in zip(written.rows, written.texts, strict=True)
    ]


def _reference(row: Row) -> str:
    return "" if row.nothing_sung else row.text


def _judge(
    name: str, written: Written, counts: Sequence[Counts], base: Sequence[Counts] | None, how: How
) -> tuple[Finding, tuple[str, ...]]:
    """What the counts say, against those of the first model; and what to know of it."""
    rows, all_, explained = written.rows, total(counts), explain(written.rows, counts)
    finding = Finding(
        model=name,
        as_sung=_rate(counts, rows, "errors", "words"),
        folded=_rate(counts, rows, "folded_errors", "folded_words"),
        content=_rate(counts, rows, "content_errors", "content_words"),
        characters=_rate(counts, rows, "character_errors", "characters"),
        quejio_missed=_rate(counts, rows, "cries_missed", "cries"),
        change=None if base is None else _rate(counts, rows, "errors", "words", base),
        substitutions=all_.substitutions,
        deletions=all_.deletions,
        insertions=all_.insertions,
        silent=all_.silent,
        invented_words=all_.invented,
        utterances=tuple(map(_judged, rows, written.texts, counts)),
        groups=group(rows, counts),
        effects=explained.effects,
        left_out=tuple(written.left_out.summary().items()),
        backend=how.backend,
        beam=how.beam,
        seconds=written.seconds,
        workers=written.workers,
        busy=written.busy,
        audio_seconds=written.audio_seconds,
    )
    return finding, explained.notes


def _rate(
    counts: Sequence[Counts],
    rows: Sequence[Row],
    errors: str,
    units: str,
    base: Sequence[Counts] | None = None,
) -> Rate:
    """A rate over all utterances, or how much it is above another model's."""
    wrong = [getattr(one, errors) for one in counts]
    of = [getattr(one, units) for one in counts]
    recordings = list(map(recording_of, rows))
    if base is None:
        return rate_of(wrong, of, recordings)
    return change_of(wrong, [getattr(one, errors) for one in base], of, recordings)


def _judged(row: Row, text: str, counts: Counts) -> Judged:
    return Judged(
        row=row.number,
        reference=_reference(row),
        hypothesis=text,
        id=row.id,
        recording=row.recording,
        kind=row.kind,
        palo=row.palo,
        singer=row.singer,
        seconds=max(0.0, row.end - row.start),
        words=counts.words,
        errors=counts.errors,
    )


def _agreement(asked: _Asked, written: Written, folder: Path) -> float | None:
    """The other backend's WER above this one's on some of the same utterances, in points."""
    texts = dict(zip(written.rows, written.texts, strict=True))
    sung = spread([row for row in written.rows if not row.nothing_sung], _COMPARED)
    (other,) = (name for name in BACKENDS if name != asked.how.backend)
    again = replace(asked, rows=sung, how=replace(asked.how, backend=other)).write(
        folder, f"comparing with {other}"
    )
    references = [row.text for row in again.rows]
    theirs = score(references, again.texts).wer
    ours = score(references, [texts[row] for row in again.rows]).wer
    return None if theirs is None or ours is None else 100 * (theirs - ours)


def _of_agreement(finding: Finding) -> str:
    if finding.agreement is None:
        return "there was nothing to compare the backends on"
    verdict = "agree" if abs(finding.agreement) <= _AGREE_WITHIN else "DO NOT agree"
    return (
        f"{finding.model}: transformers and faster-whisper {verdict} within {_AGREE_WITHIN} points "
        f"of WER on up to {_COMPARED} utterances ({finding.agreement:+.2f})"
    )
