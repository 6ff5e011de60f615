"""Whole synthetic cantes with their ground truth: quejío, verses, falsetas, tags and files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.errors import MediaError, UsageError
from corpus.media import SAMPLE_RATE
from corpus.synth.band import accompany, lay
from corpus.synth.coplas import COPLAS, PALOS, Copla, coplas_of
from corpus.synth.melody import rest_of
from corpus.synth.sing import Sung, sing
from corpus.synth.singers import SINGERS, Singer
from corpus.synth.truth import Cante, Span, SungLine, SungVerse, SungWord
from corpus.whole import writing

__all__ = [
    "Cante",
    "Span",
    "SungLine",
    "SungVerse",
    "SungWord",
    "make_cante",
    "make_cantes",
    "sing_lines",
    "write_cante",
]

STRETCH = 1.7
"""How much longer a line is sung than it is spoken, unless told otherwise."""

_QUEJIO_STRETCH = 3.0
_END = 1.5  # seconds after the last word
_ALBUM = "Cante sintético"
# Which copla of a palo a recording begins with, so that the first dozen shares none.
_FIRST = (0, 2, 1, 3)


class _Reel:
    """A tape on which sounds are laid one after the other."""

    def __init__(self) -> None:
        self.now = 0.0
        self._laid: list[tuple[float, NDArray[np.float64]]] = []

    def rest(self, seconds: float) -> Span:
        """Let some time pass; the span that passed."""
        span = Span(start=self.now, end=self.now + seconds)
        self.now = span.end
        return span

    def record(self, sung: Sung) -> tuple[SungWord, ...]:
        """Lay a sung line here; its words by the time of the tape."""
        # A whole number of samples, so that words and sound stay together.
        start = round(self.now * SAMPLE_RATE) / SAMPLE_RATE
        self._laid.append((start, sung.samples))
        self.now = start + len(sung.samples) / SAMPLE_RATE
        return tuple(
            SungWord(text=word.text, start=start + word.start, end=start + word.end)
            for word in sung.words
        )

    def played(self) -> NDArray[np.float64]:
        """The whole tape, shape (n_samples,)."""
        track = np.zeros(round(self.now * SAMPLE_RATE))
        for start, samples in self._laid:
            lay(track, samples, start)
        return track


def sing_lines(
    lines: Sequence[str],
    singer: Singer = SINGERS[0],
    *,
    seed: int = 0,
    stretch: float = STRETCH,
    repeats: bool = False,
) -> tuple[SungVerse, NDArray[np.float32]]:
    """One verse sung alone, and its audio: float32 of shape (n_samples,), 16 kHz.

    Raises CanteError when the group `demo` is not installed, or where espeak-ng
    does not say every word of a line.
    """
    reel, rng = _Reel(), np.random.default_rng(seed)
    reel.rest(0.3)
    verse = _sing_verse(tuple(lines), singer, reel, rng, stretch=stretch, repeats=repeats)
    reel.rest(0.3)
    return verse, _mastered(reel.played())


def make_cante(
    *,
    seed: int,
    verses: int = 2,
    band: bool = True,
    quejio: bool = True,
    repeats: bool = True,
    stretch: float = STRETCH,
    melisma: tuple[float, float] | None = None,
    singer: Singer | None = None,
    coplas: Sequence[Copla] | None = None,
    name: str = "",
) -> Cante:
    """One recording; the same arguments give the same samples.

    Without `singer` or `coplas` the seed chooses; `verses` counts only where it
    does.  `stretch` is how much longer a line is sung than it is spoken; with
    `melisma` some vowels are held for so many seconds more, from and to, and a cry
    of 5 to 20 s opens every verse.  Raises CanteError when the group `demo` is not
    installed.
    """
    rng = np.random.default_rng(seed)
    singer = singer or SINGERS[rng.integers(len(SINGERS))]
    coplas = coplas or _chosen(verses, rng)
    palo, reel = coplas[0].palo, _Reel()
    gaps = [reel.rest(_gap(band, rng))]
    quejios = [_quejio(reel, singer, rng)] if quejio and not melisma else []
    sung = []
    for copla in coplas:
        if quejio and melisma:
            quejios.append(_quejio(reel, singer, rng, (5.0, 20.0)))
        sung.append(
            _sing_verse(
                copla.lines,
                singer,
                reel,
                rng,
                stretch=stretch,
                repeats=repeats,
                melisma=melisma,
            )
        )
        gaps.append(reel.rest(_gap(band, rng) if len(sung) < len(coplas) else _END))
    played, falsetas = reel.played(), tuple(gaps) if band else ()
    if band:
        played += accompany(len(played), tonic=singer.tonic, palo=palo, falsetas=falsetas, rng=rng)
    return Cante(
        name=name or f"cante-{seed}",
        title=coplas[0].lines[0],
        singer=singer.name,
        sex=singer.sex,
        palo=palo,
        region=singer.region,
        year=int(rng.integers(1955, 2000)),
        verses=tuple(sung),
        quejios=tuple(quejios),
        falsetas=falsetas,
        audio=_mastered(played),
    )


def make_cantes(
    n: int, seed: int = 0, *, verses: int = 2, band: bool = True, stretch: float = STRETCH
) -> Iterator[Cante]:
    """`n` recordings, each of another title, going round the singers and the palos.

    Raises UsageError when there are not so many coplas to begin with.
    """
    if not 0 < n <= len(COPLAS):
        raise UsageError(f"{n} recordings cannot be made: ask for 1 to {len(COPLAS)}")
    for index in range(n):
        known = coplas_of(PALOS[index % len(PALOS)])
        first = _FIRST[index // len(PALOS)]
        yield make_cante(
            seed=seed * len(COPLAS) + index,
            band=band,
            stretch=stretch,
            singer=SINGERS[index % len(SINGERS)],
            coplas=[known[(first + i) % len(known)] for i in range(verses)],
            name=f"cante-{index + 1:02d}",
        )


def write_cante(cante: Cante, folder: Path) -> tuple[Path, Path, Path]:
    """Write NAME.mp3 with tags, TITLE.txt (the letra) and NAME.json (the truth); their paths.

    Raises MediaError when FFmpeg is missing or fails, DiskFullError without room.
    """
    audio, letra = folder / f"{cante.name}.mp3", folder / f"{cante.title}.txt"
    truth = folder / f"{cante.name}.json"
    with writing(audio) as scratch:
        _write_mp3(cante, scratch)
    with writing(letra) as scratch:
        scratch.write_text(cante.letra, encoding="utf-8")
    with writing(truth) as scratch:
        text = json.dumps(_truth(cante), ensure_ascii=False, indent=1) + "\n"
        scratch.write_text(text, encoding="utf-8")
    return audio, letra, truth


# ---- what is sung


def _chosen(n_verses: int, rng: np.random.Generator) -> list[Copla]:
    known = coplas_of(PALOS[rng.integers(len(PALOS))])
    order = rng.permutation(len(known))
    return [known[order[i % len(known)]] for i in range(n_verses)]


def _gap(band: bool, rng: np.random.Generator) -> float:
    """Seconds until the voice sets in: the guitar's, or a breath where there is none."""
    return float(rng.uniform(3.0, 5.0) if band else rng.uniform(0.8, 1.4))


def _quejio(
    reel: _Reel,
    singer: Singer,
    rng: np.random.Generator,
    seconds: tuple[float, float] | None = None,
) -> Span:
    # With seconds to hold, one ay alone takes them all.
    cry = " ".join(["ay"] * int(rng.integers(1, 4))) if seconds is None else "ay"
    made = sing(cry, singer, stretch=_QUEJIO_STRETCH, rest=0, rng=rng, melisma=seconds)
    words = reel.record(made)
    reel.rest(rng.uniform(0.6, 1.2))
    return Span(start=words[0].start, end=words[-1].end)


def _sing_verse(
    lines: tuple[str, ...],
    singer: Singer,
    reel: _Reel,
    rng: np.random.Generator,
    *,
    stretch: float,
    repeats: bool,
    melisma: tuple[float, float] | None = None,
) -> SungVerse:
    sung: list[SungLine] = []
    order = _order(len(lines), repeats, rng)
    for place, index in enumerate(order):
        if sung:
            reel.rest(rng.uniform(0.35, 0.8))
        rest = rest_of(index, len(lines))
        line = sing(lines[index], singer, stretch=stretch, rest=rest, rng=rng, melisma=melisma)
        words = reel.record(line)
        sung.append(
            SungLine(
                text=lines[index],
                words=words,
                start=words[0].start,
                end=words[-1].end,
                repeat=index in order[:place],
            )
        )
    return SungVerse(lines=lines, sung=tuple(sung))


def _order(n_lines: int, repeats: bool, rng: np.random.Generator) -> list[int]:
    """The lines as they are sung: one twice in a row, or the last two again at the end."""
    written = list(range(n_lines))
    if not repeats:
        return written
    twice = int(rng.integers(n_lines + 1))
    if twice == n_lines:
        return written + written[-2:]
    return [*written[: twice + 1], *written[twice:]]


# ---- what is written


def _mastered(track: NDArray[np.float64]) -> NDArray[np.float32]:
    """Float32, never louder than -1 dB."""
    peak = np.abs(track).max(initial=0.0)
    loudness = min(1.0, 0.89 / max(peak, 1e-9))
    return np.asarray(track * loudness, dtype=np.float32)


def _write_mp3(cante: Cante, path: Path) -> None:
    from pydub import AudioSegment
    from pydub.exceptions import CouldntEncodeError

    samples = np.round(cante.audio * 32767).astype("<i2").tobytes()
    sound = AudioSegment(samples, sample_width=2, frame_rate=SAMPLE_RATE, channels=1)
    tags = {
        "title": cante.title,
        "artist": cante.singer,
        "album": _ALBUM,
        "date": str(cante.year),
        "genre": cante.palo,
    }
    # pydub leaves files open and behind when the program is not there, so that is asked first.
    if shutil.which(sound.converter) is None:
        message = f"{sound.converter} is not installed: install FFmpeg (apt, brew or winget has it)"
        raise MediaError(message)
    try:
        with path.open("wb+") as out:
            sound.export(out, format="mp3", bitrate="96k", tags=tags)
    except CouldntEncodeError as error:
        raise MediaError(f"{sound.converter} cannot write MP3: is libmp3lame in it?") from error


def _truth(cante: Cante) -> dict[str, object]:
    """Everything but the samples."""
    return {f.name: _plain(getattr(cante, f.name)) for f in fields(cante) if f.name != "audio"}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
