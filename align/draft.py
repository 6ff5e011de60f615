"""Free transcripts: what a Whisper hears by itself, with rough times (faster-whisper).

They are drafts: of cante Whisper base writes more wrong words than right ones.
They serve to find which letra is sung, and where nothing is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from align.emissions import Progress
from corpus.errors import MissingExtraError, ModelError
from corpus.media import SAMPLE_RATE, Samples
from corpus.records import Segment
from corpus.text import fold

__all__ = ["Drafter"]

BLOCK_SECONDS = 300.0
_LOOK_BACK_SECONDS = 30.0
_STEP = SAMPLE_RATE // 10


class Drafter:
    """A Whisper of CTranslate2's form in a folder; `device` is "auto", "cpu" or "cuda".

    Raises ModelError when the folder holds no such model, or one that does not know
    the language, MissingExtraError without faster-whisper.
    """

    def __init__(self, folder: Path, language: str = "es", device: str = "auto") -> None:
        self.name = folder.name
        self.language = language
        self._model = _load(folder, device)
        known = self._model.supported_languages
        # One of English alone hears English whatever it is told.
        if self._model.model.is_multilingual and language not in known:
            raise ModelError(
                f"Whisper knows no language '{language}': do without drafts (`corpus match "
                f"--no-draft`), or name a relative of those it knows: {', '.join(known)}"
            )

    def transcribe(self, samples: Samples, progress: Progress | None = None) -> tuple[Segment, ...]:
        """Segments in order; none where nothing is heard.

        Audio is listened to in blocks of at most five minutes that end where it is
        quietest, so that memory does not grow with its length.  The same audio gives
        the same text: where Whisper is unsure it draws lots, from the same seed.
        """
        from ctranslate2 import set_random_seed

        set_random_seed(0)
        found: list[Segment] = []
        for begin, end in blocks(samples):
            found += self._block(samples, begin, end)
            if progress is not None:
                progress(end / samples.n_samples)
        return tuple(found)

    def _block(self, samples: Samples, begin: int, end: int) -> Iterator[Segment]:
        segments, _ = self._model.transcribe(
            samples.read(begin, end - begin),
            language=self.language,
            # One wrong line would be sung on and on.
            condition_on_previous_text=False,
            compression_ratio_threshold=2.2,
            no_speech_threshold=0.6,
            log_prob_threshold=-1.5,
            # Voice activity detection takes melismas for music and drops them.
            vad_filter=False,
        )
        offset, last = begin / SAMPLE_RATE, end / SAMPLE_RATE
        for segment in segments:
            text = str(segment.text).strip()
            if text and not repeats(text) and not made_up(text):
                start = min(offset + max(0.0, float(segment.start)), last)
                stop = min(offset + float(segment.end), last)
                yield Segment(text=text, start=start, end=max(start, stop))


_MADE_UP = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?:sub)?titul(?:os|ad[oa]s?|es)\b.*\b(?:por|amara|comunidad)\b.*",
        r".*\bamara ?org\b.*",
        r"(?:muchas )?gracias(?: a todos)? por (?:ver|mirar|escuch)\w*\b.*",
        r"(?:muchas )?gracias por (?:su|vuestra|tu) atencion",
        r"(?:no (?:te )?olvides? (?:de )?)?(?:suscribete|suscribirte|suscribanse)\b.*",
        r"dale (?:a )?like\b.*|.*\bmi canal\b.*|.*\bactiva la campan(?:a|ita)\b.*",
        r"(?:y )?(?:hasta la proxima|nos vemos en el (?:proximo|siguiente) video)",
        r"mas informacion (?:en )?www\b.*|www .*",
        r"(?:la )?musica(?: de fondo| suave| instrumental)?|aplausos|risas|silencio|ovacion",
        r"traducid[oa] por\b.*|transcri(?:to|pcion)\b.*\bpor\b.*|copyright\b.*",
    )
)
"""What Whisper writes of Spanish music in which it hears no words, by its training: captions.

See github.com/openai/whisper/discussions/928, where people collect such lines.
"""


def made_up(text: str) -> bool:
    """Whether a whole segment is one of the lines that Whisper makes up; compared by `fold`."""
    folded = " ".join(fold(text).split())
    return any(pattern.fullmatch(folded) for pattern in _MADE_UP)


def _load(folder: Path, device: str) -> Any:
    try:
        import ctranslate2
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise MissingExtraError("align", "faster-whisper") from error
    there = ctranslate2.get_cuda_device_count() > 0
    if device == "cuda" and not there:
        raise ModelError("no CUDA device is to be seen: choose the device 'cpu' or 'auto'")
    device = "cuda" if there and device != "cpu" else "cpu"
    if not (folder / "model.bin").is_file():
        raise ModelError(f"{folder} holds no model.bin: name a Whisper in CTranslate2's form")
    form = "float16" if device == "cuda" else "int8"
    try:
        return WhisperModel(str(folder), device=device, compute_type=form, local_files_only=True)
    except (RuntimeError, ValueError, OSError) as error:
        raise ModelError(f"the Whisper in {folder} cannot be read: fetch it again") from error


def blocks(samples: Samples, seconds: float = BLOCK_SECONDS) -> Iterator[tuple[int, int]]:
    """First and last sample of blocks that cover the audio and last at most `seconds`."""
    begin, length = 0, int(seconds * SAMPLE_RATE)
    while begin < samples.n_samples:
        end = min(begin + length, samples.n_samples)
        if end < samples.n_samples:
            end = _quietest(samples, begin, end)
        yield begin, end
        begin = end


def _quietest(samples: Samples, begin: int, end: int) -> int:
    """The middle of the quietest half second in the last thirty of a block."""
    first = max(begin + (end - begin) // 2, end - int(_LOOK_BACK_SECONDS * SAMPLE_RATE))
    piece = samples.read(first, end - first)
    tenths = piece[: len(piece) // _STEP * _STEP].reshape(-1, _STEP)
    if len(tenths) < 5:
        return end
    power = np.convolve(np.square(tenths, dtype=np.float64).mean(1), np.ones(5), "valid")
    return first + int(power.argmin()) * _STEP + 5 * _STEP // 2


def repeats(text: str, at_least: int = 6) -> bool:
    """Whether a text is a phrase of up to four words over and over, as Whisper writes of music."""
    words = text.lower().split()
    return len(words) >= at_least and any(
        len(words) >= 3 * n and words[n:] == words[:-n] for n in range(1, 5)
    )
