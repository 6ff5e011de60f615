"""A page for one person without a server: clips, their text, what is said of them, in one file.

What it exports is a Label Studio export, so that it comes back as that does.
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.captions import Captions, Said
from annotate.labels import AUDIO, LABEL, TEXT, VERDICT, questions_of
from annotate.page_words import page_words
from annotate.stage import sent, to_hear
from annotate.tasks import Piece, Task, make_tasks
from corpus.errors import UsageError
from corpus.media import SAMPLE_RATE, Media, compact, flac_bytes
from corpus.pages import page as made
from corpus.records import Kind, content_id
from corpus.whole import writing
from corpus.workspace import Workspace

__all__ = ["MOST_CLIPS", "Clip", "Paged", "level_of", "page", "render"]

MOST_CLIPS = 200
"""Clips that a page holds: with 30 s each it is a file of 48 MB."""

_LEVEL_RATE = 40
"""Values a second of the level curve: an onset is placed to 25 ms by eye."""

_RANGE = 50.0
"""dB from the loudest of a clip down to the foot of its curve."""

_FLAGS = (Said.TEXT_WRONG, Said.TIMES_WRONG, Said.NOT_SUNG, Said.OTHER_VERSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A task of one utterance with what is heard: `sound` an MP3, `level` as of `level_of`."""

    task: Task
    sound: bytes
    level: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged:
    """What a page holds, and how many clips were `left` for others; `size` in bytes."""

    tasks: int
    left: int
    seconds: float
    size: int


def page(
    workspace: Workspace,
    file: Path,
    minutes: float | None = None,
    language: str = "",
    *,
    track: Callable[[Sequence[Piece]], Iterable[Piece]] = iter,
) -> Paged:
    """Write the page of what `to_hear` gives, of its first 200 clips where there are more.

    `language` is that of the page, "es" or "en"; without it the one of corpus.toml.
    Raises UsageError for a limit that is none, a file that no browser takes for a page,
    or where there is nothing to hear; MediaError when audio is missing or the file
    cannot be written.
    """
    if file.suffix.lower() not in {".html", ".htm"}:
        raise UsageError(f"a browser opens a page by its name: {file.name}.html, not {file.name}")
    everything = to_hear(workspace, minutes)
    chosen = everything[:MOST_CLIPS]
    if not chosen:
        raise UsageError(
            "there is nothing to hear: all is checked, `corpus align` has not run, or the first "
            "clip is longer than --minutes"
        )
    recordings = {recording.id: recording for recording in workspace.store.recordings()}
    config = workspace.config
    own = questions_of(config).captions
    captions = Captions(language or own.language, own.own)
    sounds = [_sound(workspace.media, piece) for piece in track(chosen)]
    clips = [
        Clip(task=task, sound=sound, level=level)
        for task, (sound, level) in zip(
            make_tasks(chosen, recordings, captions), sounds, strict=True
        )
    ]
    sung = config.corpus.language
    written = render(clips, name=config.corpus.name, captions=captions, sung=sung).encode()
    with writing(file) as scratch:
        scratch.write_bytes(written)
    sent(workspace.store, chosen)
    return Paged(
        tasks=len(chosen),
        left=len(everything) - len(chosen),
        seconds=sum(piece.seconds for piece in chosen),
        size=len(written),
    )


def _sound(media: Media, piece: Piece) -> tuple[bytes, bytes]:
    first, last = (round(at * SAMPLE_RATE) for at in (piece.start, piece.end))
    samples = media.samples(piece.recording).read(first, max(1, last - first))
    with tempfile.TemporaryDirectory(prefix="cante-") as folder:
        flac = Path(folder) / "clip.flac"
        flac.write_bytes(flac_bytes(samples))
        return compact(flac), level_of(samples)


def level_of(samples: NDArray[np.float32]) -> bytes:
    """How loud 16 kHz samples are, shape (n_samples,): 0 to 100, 40 values a second.

    100 is the loudest of them, 0 is 50 dB below that.
    """
    step = SAMPLE_RATE // _LEVEL_RATE
    parts = np.pad(samples, (0, -len(samples) % step)).reshape(-1, step)
    with np.errstate(divide="ignore", invalid="ignore"):
        level = 10 * np.log10(np.square(parts, dtype=np.float64).mean(axis=1))
        curve = 100 * (1 + (level - level.max(initial=-np.inf)) / _RANGE)
    # Digital silence is far below anything, and so it is where there is nothing else.
    return bytes(np.rint(np.clip(np.nan_to_num(curve, nan=0.0), 0, 100)).astype(np.uint8))


def render(
    clips: Sequence[Clip], *, name: str, captions: Captions | None = None, sung: str = "es"
) -> str:
    """The page of clips; `name` of the corpus, `sung` the language that is sung in it.

    The tasks must have been made with the same captions: what a person chooses is
    exported in them.
    """
    captions = captions or Captions()
    words = page_words(captions.language)
    shown = {"nothing": captions[Kind.NOTHING], "not_sung": captions[Said.NOT_SUNG]}
    words |= {name: words[name].format(**shown) for name in ("no text", "help nothing")}
    return made(
        "annotate",
        written_in=captions.language,
        title=f"{words['headline']} · {name}",
        media="blob:",
        sung=sung,
        name=name,
        words=words,
        kinds=[captions[kind] for kind in Kind],
        flags=[captions[said] for said in _FLAGS],
        keys=_keys(words),
        given=_given(clips, name, captions, words),
        sounds=[base64.b64encode(clip.sound).decode("ascii") for clip in clips],
    )


def _given(
    clips: Sequence[Clip], name: str, captions: Captions, words: dict[str, str]
) -> dict[str, Any]:
    """What the script of the page goes by."""
    tasks = [clip.task for clip in clips]
    return {
        # The same tasks are the same page: work at it goes on when it is made anew.
        "key": "cante-corpus 1 " + content_id("page", json.dumps(tasks, sort_keys=True)),
        "name": name,
        "words": words,
        "tags": {"audio": AUDIO, "kind": LABEL, "text": TEXT, "verdict": VERDICT},
        "kinds": [
            {"caption": captions[kind], "sung": kind.sung, "worded": kind is Kind.LETRA}
            for kind in Kind
        ],
        "flags": [{"caption": captions[said], "rejects": said is Said.NOT_SUNG} for said in _FLAGS],
        "rate": _LEVEL_RATE,
        "clips": [
            {"task": clip.task, "level": base64.b64encode(clip.level).decode("ascii")}
            for clip in clips
        ],
    }


def _keys(words: dict[str, str]) -> list[tuple[str, str]]:
    """The keys and what each does, as the help tells it."""
    return [
        (words["space"], f"{words['play']} / {words['pause']}"),
        ("r", words["repeat"]),
        ("w", words["whole"]),
        ("v", f"{words['slow']} (0.75×)"),
        ("e", words["edit"]),
        ("Esc", words["leave"]),
        ("a", words["accept"]),
        (words["enter"], words["accept"]),
        ("f 1-4", words["flag"]),
        ("s", words["skip"]),
        ("n / p", f"{words['next']} / {words['previous']}"),
        ("h / j", f"{words['start']}: {words['earlier']} / {words['later']}"),
        ("k / l", f"{words['end']}: {words['earlier']} / {words['later']}"),
        ("1-5", words["kind"]),
        ("z", words["undo"]),
        ("x", words["export"]),
        ("?", words["help"]),
    ]
