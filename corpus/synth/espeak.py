"""The espeak-ng library through ctypes: a line of text in, samples and timed events out.

Structures and numbers are those of its header:
https://github.com/espeak-ng/espeak-ng/blob/master/src/include/espeak-ng/speak_lib.h
"""

from __future__ import annotations

import _ctypes
import contextlib
import ctypes
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.errors import CanteError

__all__ = ["NEEDS", "PHONEME", "WORD", "Event", "synthesise"]

NEEDS = "the demo needs espeakng-loader and pyworld-prebuilt: uv sync --group demo"
WORD, PHONEME = 1, 7
"""Types of events."""

_SYNCHRONOUS = 2
_OPTIONS = 0x0001 | 0x8000  # phoneme events; an error does not end the process
_UTF_8 = 1
_BY_CHARACTER = 1
_RATE_PARAMETER = 1
_LOCK = threading.Lock()


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A WORD or PHONEME: where in the text (characters, from 0), when (seconds), the mnemonic."""

    type: int
    position: int
    start: float
    name: str


def synthesise(
    text: str, voice: str, words_per_minute: int
) -> tuple[NDArray[np.int16], int, list[Event]]:
    """Samples of shape (n_samples,), their rate in Hz, and the events in order.

    The same call gives the same samples.  Raises CanteError when the library is
    missing or has no such voice.
    """
    blocks: list[NDArray[np.int16]] = []
    events: list[Event] = []

    def take(wave: Any, n_samples: int, raw: Any) -> int:
        if wave and n_samples > 0:
            blocks.append(np.ctypeslib.as_array(wave, (n_samples,)).copy())
        events.extend(_read(raw))
        return 0

    with _LOCK, _library() as (library, rate):
        callback = _CALLBACK(take)
        library.espeak_SetSynthCallback(callback)
        if library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise CanteError(f"espeak-ng has no voice {voice!r}: try one such as 'es+m3'")
        library.espeak_SetParameter(_RATE_PARAMETER, words_per_minute, 0)
        data = text.encode() + b"\0"
        library.espeak_Synth(data, len(data), 0, _BY_CHARACTER, 0, _UTF_8, None, None)
    return np.concatenate([np.zeros(0, np.int16), *blocks]), rate, events


@contextlib.contextmanager
def _library() -> Iterator[tuple[ctypes.CDLL, int]]:
    # It keeps state from one call to the next (the phase of the wave) that no function resets: only
    # a library loaded anew, which takes a millisecond, and seeded, says the same line twice alike.
    library, data = _load()
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _OPTIONS)
    if rate <= 0:
        raise CanteError(f"espeak-ng finds no data in {data}: uv sync --group demo --reinstall")
    try:
        library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        yield library, rate
    finally:
        library.espeak_Terminate()
        _unload(library)


def _load() -> tuple[ctypes.CDLL, str]:
    try:
        import espeakng_loader

        return ctypes.CDLL(espeakng_loader.get_library_path()), espeakng_loader.get_data_path()
    except (ImportError, OSError, RuntimeError) as error:
        raise CanteError(NEEDS) from error


def _unload(library: ctypes.CDLL) -> None:
    handle = library._handle  # noqa: SLF001 - ctypes has no public way to let a library go
    if sys.platform == "win32":
        _ctypes.FreeLibrary(handle)
    else:
        _ctypes.dlclose(handle)


def _read(raw: Any) -> Iterator[Event]:
    index = 0
    while raw[index].type:
        event, index = raw[index], index + 1
        if event.type in (WORD, PHONEME):
            yield Event(
                type=event.type,
                position=event.text_position - 1,
                start=event.audio_position / 1000,
                name=event.id.string.decode("ascii", "replace") if event.type == PHONEME else "",
            )
