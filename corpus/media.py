"""Audio bytes: probe, hash, decode, read piece by piece, cut.

The original is kept untouched; beside it stands what every stage hears: 16 kHz
mono FLAC.  Both are named by the SHA-256 of the original's bytes, so a file's
own name (spaces, emoji, "../") is never part of a path here.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

from corpus.errors import MediaError
from corpus.whole import removed, writing

if TYPE_CHECKING:
    from corpus.depot import Depot

__all__ = [
    "AUDIO",
    "SAMPLE_RATE",
    "ArraySamples",
    "Decoded",
    "FlacSamples",
    "Media",
    "Samples",
    "compact",
    "decode",
    "decoded_copy",
    "ffmpeg",
    "flac_bytes",
    "flac_key",
    "has_muxer",
    "hash_file",
    "original_key",
]

SAMPLE_RATE = 16_000
"""Hertz, mono: what every stage hears."""

_OPEN_LENGTH = 2**63 - 1
_MEND = "run `corpus verify --mend`"


class Samples(Protocol):
    """Audio at 16 kHz mono that can be read piece by piece, however long it is."""

    @property
    def n_samples(self) -> int:
        """How many samples there are."""

    def read(self, start: int, n_samples: int) -> NDArray[np.float32]:
        """Samples from `start` on, shape (n,), in -1..1; fewer than asked for at the end."""


class ArraySamples:
    """Audio that is in memory, shape (n_samples,)."""

    def __init__(self, samples: NDArray[np.float32]) -> None:
        self._samples = samples

    @property
    def n_samples(self) -> int:
        """How many samples there are."""
        return len(self._samples)

    def read(self, start: int, n_samples: int) -> NDArray[np.float32]:
        """Samples from `start` on, shape (n,)."""
        return self._samples[start : start + n_samples]


class FlacSamples:
    """Audio in a 16 kHz mono FLAC file, of which only what is asked for is read.

    `bring` brings the file where it is no longer: what lies elsewhere is cleared away here.
    Raises MediaError when the file is missing, damaged or of another rate.
    """

    def __init__(self, path: Path, bring: Callable[[], Path] | None = None) -> None:
        self.path, self._bring = path, bring
        try:
            info = soundfile.info(str(path))
        except (soundfile.LibsndfileError, OSError) as error:
            raise MediaError(f"{path} cannot be read as FLAC: {_MEND}") from error
        if (info.samplerate, info.channels) != (SAMPLE_RATE, 1):
            raise MediaError(f"{path} is not 16 kHz mono: {_MEND}")
        self._n_samples = int(info.frames)

    @property
    def n_samples(self) -> int:
        """How many samples there are."""
        return self._n_samples

    def read(self, start: int, n_samples: int) -> NDArray[np.float32]:
        """Samples from `start` on, shape (n,), in -1..1."""
        samples: NDArray[np.float32] = self._read(start, n_samples, "float32")
        return samples

    def read_pcm(self, start: int, n_samples: int) -> NDArray[np.int16]:
        """The same as they are in the file, 16 bits: `flac_bytes` of them loses nothing."""
        samples: NDArray[np.int16] = self._read(start, n_samples, "int16")
        return samples

    def _read(self, start: int, n_samples: int, dtype: str) -> NDArray[Any]:
        start = min(start, self._n_samples)
        n_samples = min(n_samples, self._n_samples - start)
        try:
            found, _ = soundfile.read(str(self.path), n_samples, start, dtype=dtype)
        except (soundfile.LibsndfileError, OSError) as error:
            if self._bring and not self.path.is_file() and self._bring().is_file():
                return self._read(start, n_samples, dtype)
            raise MediaError(f"{self.path} is damaged: {_MEND}") from error
        samples: NDArray[Any] = found
        return samples


def flac_bytes(samples: NDArray[np.float32] | NDArray[np.int16]) -> bytes:
    """16 kHz mono FLAC, 16 bits, of samples in -1..1 or of 16 bits, shape (n_samples,)."""
    out = io.BytesIO()
    soundfile.write(out, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return out.getvalue()


def hash_file(path: Path) -> str:
    """The SHA-256 of a file's bytes, 64 hex digits; raises MediaError when it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as data:
            while block := data.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise MediaError(f"cannot be read: {error.strerror}") from error
    return digest.hexdigest()


# ---- FFmpeg


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What decoding gave: seconds of audio, and what was odd about it ("" when nothing was).

    `said` is what FFmpeg told, with the summaries of filters that were asked for.
    """

    duration: float
    warning: str = ""
    said: str = ""


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    if shutil.which(program) is None:
        raise MediaError(f"{program} is not installed: install FFmpeg (apt, brew or winget has it)")
    return subprocess.run(
        [program, *arguments], capture_output=True, stdin=subprocess.DEVNULL, check=False
    )


# What a file of these formats names, FFmpeg opens: other files of this machine, or addresses.
_PLAYLISTS = {"avisynth", "concat", "dash", "hls", "image2", "imf", "lavfi", "rtsp", "sdp"}


@lru_cache(maxsize=1)
def _formats() -> str:
    """The formats that a file may be taken for: all that this FFmpeg reads but playlists."""
    told = _run("ffmpeg", "-v", "error", "-demuxers").stdout.decode("utf-8", "replace")
    known = re.findall(r"^ D[ d]{0,2} +(\w\S*)", told, re.MULTILINE)
    return ",".join(name for name in known if name not in _PLAYLISTS)


def _input(path: Path) -> list[str]:
    # "file:" and an absolute path: a name with a colon or a leading dash is no option and no URL.
    # A playlist named .mp3 must not make FFmpeg open anything else.
    allowed = ["-protocol_whitelist", "file,pipe", "-format_whitelist", _formats()]
    return [*allowed, "-i", f"file:{path.absolute()}"]


# What FFmpeg says, each line with how bad it is: [flac @ 0x5] [error] invalid sync code
_BAD = re.compile(r"^(?:\[[^\]]* @ [^\]]*\] )?\[(?:error|fatal|panic)\] (.+)$", re.MULTILINE)
_SAID = ("-nostdin", "-hide_banner", "-nostats", "-v", "level+info")


def _errors(stderr: bytes) -> list[str]:
    return _BAD.findall(stderr.decode("utf-8", "replace"))


def _announced(stderr: bytes) -> float | None:
    """The seconds that the container announces; None where it does not, or for a film's picture."""
    said = stderr.decode("utf-8", "replace").partition("Output #")[0]
    found = re.search(r"Duration: (\d+):(\d\d):(\d\d\.\d+)", said)
    film = re.search(r"Stream #\S+: Video: (?!.*\(attached pic\))", said)
    if film or not found:
        return None
    hours, minutes, seconds = found.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _reason(stderr: bytes) -> str:
    lines = _errors(stderr)
    if b"Format not on whitelist" in stderr:
        return " (a playlist: name the files themselves)"
    if any("matches no streams" in line for line in lines):
        return " (it has no sound)"
    return f" ({lines[-1].rsplit(': ', 1)[-1].strip()})" if lines else ""


def decode(source: Path, target: Path, stats: str = "") -> Decoded:
    """Write the audio of `source`, any format FFmpeg reads, to `target` as 16 kHz mono FLAC.

    `stats` are filters through which the original goes besides, for what they tell.
    The file is streamed: a recording of hours costs no memory.  Raises MediaError
    when nothing can be decoded, DiskFullError when there is no room; `target`
    then stays as it was.
    """
    with writing(target) as scratch:
        form = ["-map", "0:a:0", "-ac", "1", "-ar", str(SAMPLE_RATE), "-sample_fmt", "s16"]
        out = ["-map_metadata", "-1", "-c:a", "flac", "-f", "flac", str(scratch)]
        more = ["-map", "0:a:0", "-af", stats, "-f", "null", "-"] if stats else []
        run = _run("ffmpeg", *_SAID, "-y", *_input(source), *form, *out, *more)
        # A signal (-25: over the file size limit) or "No space left" is the disk's doing.
        if run.returncode == -25 or b"No space left" in run.stderr:
            raise OSError(errno.ENOSPC, "No space left on device")
        n_samples = _n_written(scratch)
        if not n_samples:
            raise MediaError(f"no audio that FFmpeg can read{_reason(run.stderr)}")
    duration = n_samples / SAMPLE_RATE
    said = run.stderr.decode("utf-8", "replace")
    return Decoded(duration=duration, warning=_oddity(duration, run.stderr), said=said)


def _n_written(path: Path) -> int:
    try:
        n_samples = int(soundfile.info(str(path)).frames)
    except (soundfile.LibsndfileError, OSError):
        return 0
    # A FLAC that holds nothing leaves its length open, which reads as the largest number.
    return n_samples if n_samples < _OPEN_LENGTH else 0


def _oddity(duration: float, stderr: bytes) -> str:
    announced = _announced(stderr)
    if announced is not None and duration < announced * 0.98 - 1:
        return f"cut short: {duration:.0f} s of the {announced:.0f} s announced could be decoded"
    n_errors = len(_errors(stderr))
    return f"damaged in places: FFmpeg told of {n_errors} errors" if n_errors else ""


def compact(source: Path) -> bytes:
    """The audio of a file as a small MP3, mono, 48 kbit/s: what any browser plays.

    At a constant rate, so that a browser finds a second where it is.  Raises
    MediaError when it cannot be read or encoded.
    """
    with tempfile.TemporaryDirectory(prefix="cante-") as folder:
        target = Path(folder) / "audio.mp3"
        form = ["-map", "0:a:0", "-map_metadata", "-1", "-ac", "1", "-ar", str(SAMPLE_RATE)]
        out = ["-c:a", "libmp3lame", "-b:a", "48k", str(target)]
        run = _run("ffmpeg", *_SAID, "-y", *_input(source), *form, *out)
        if run.returncode != 0 or not target.is_file():
            raise MediaError(f"{source} cannot be made an MP3{_reason(run.stderr)}")
        return target.read_bytes()


@contextlib.contextmanager
def decoded_copy(source: Path) -> Iterator[FlacSamples]:
    """The audio of any file, decoded to a temporary FLAC that goes at the end.

    Raises MediaError as `decode` does.
    """
    with tempfile.TemporaryDirectory(prefix="cante-") as folder:
        target = Path(folder) / "audio.flac"
        decode(source, target)
        yield FlacSamples(target)


@lru_cache(maxsize=8)
def has_muxer(name: str) -> bool:
    """Whether this FFmpeg writes a format."""
    told = _run("ffmpeg", "-v", "error", "-muxers").stdout.decode("utf-8", "replace")
    return re.search(rf"^ +[D ]?E[d ]? +{re.escape(name)}\b", told, re.MULTILINE) is not None


def ffmpeg(source: Path, filters: Sequence[str], outputs: Sequence[str]) -> str:
    """Run FFmpeg on one file; gives what it said.  Raises MediaError when it fails."""
    run = _run("ffmpeg", *_SAID, "-y", *_input(source), *filters, *outputs)
    if run.returncode != 0:
        raise MediaError(f"no audio that FFmpeg can read{_reason(run.stderr)}")
    return run.stderr.decode("utf-8", "replace")


# ---- the media of a workspace

AUDIO = ("original/", "flac/")
"""How the keys of all audio begin."""


def original_key(recording: str, suffix: str) -> str:
    """What the untouched original of a recording is named in a depot."""
    return f"original/{recording[:2]}/{recording}{suffix}"


def flac_key(recording: str) -> str:
    """What the 16 kHz mono FLAC of a recording is named in a depot."""
    return f"flac/{recording[:2]}/{recording}.flac"


class Media:
    """The media of a workspace: originals and their FLAC, by content hash."""

    def __init__(self, depot: Depot) -> None:
        self.depot = depot

    @property
    def root(self) -> Path:
        """The folder on this disk: of all audio, or of what is at hand of it."""
        return self.depot.folder

    @property
    def heard(self) -> Path:
        """Where models keep what they heard, a folder each, by recording."""
        return self.root / "heard"

    def original(self, recording: str, suffix: str) -> Path:
        """The untouched original of a recording on this disk, brought here where it is not."""
        return self.depot.here(original_key(recording, suffix))

    def flac(self, recording: str) -> Path:
        """The 16 kHz mono FLAC of a recording on this disk, brought here where it is not."""
        return self.depot.here(flac_key(recording))

    def has_flac(self, recording: str) -> bool:
        """Whether there is a FLAC of a recording; it is not brought here."""
        return self.depot.told(flac_key(recording)) is not None

    def writing_original(self, recording: str, suffix: str) -> AbstractContextManager[Path]:
        """A path that becomes the original of a recording at the end of the block, or goes."""
        return self.depot.writing(original_key(recording, suffix))

    def writing_flac(self, recording: str) -> AbstractContextManager[Path]:
        """A path that becomes the FLAC of a recording at the end of the block, or goes."""
        return self.depot.writing(flac_key(recording))

    def samples(self, recording: str) -> FlacSamples:
        """The audio of a recording; raises MediaError when it is not there."""
        path = self.flac(recording)
        if not path.is_file():
            place = self.depot.name(flac_key(recording))
            raise MediaError(f"the audio of {recording[:12]} is missing ({place}): {_MEND}")
        return FlacSamples(path, partial(self.flac, recording))

    def _has_original(self, recording: str, suffix: str) -> bool:
        """Whether it is there, and what a power cut left of it is not."""
        key = original_key(recording, suffix)
        if self.depot.told(key) is None:
            return False
        return hash_file(self.depot.fresh(key)) == recording

    def take(self, source: Path, recording: str, suffix: str, stats: str = "") -> Decoded:
        """Copy a file in and decode it; leaves nothing where it raises MediaError."""
        was_there = self._has_original(recording, suffix)
        with self.writing_flac(recording) as scratch:
            decoded = decode(source, scratch, stats)
        try:
            if not was_there:
                with self.writing_original(recording, suffix) as scratch:
                    shutil.copyfile(source, scratch)
        except MediaError:
            with contextlib.suppress(MediaError):
                self.depot.remove(flac_key(recording))
            raise
        return decoded

    def remove(self, recording: str, suffix: str) -> int:
        """Remove the audio of a recording; gives the number of files that were there.

        Raises MediaError when one cannot be removed.
        """
        audio = [original_key(recording, suffix), flac_key(recording)]
        audio += [one.key for one in self.depot.kept(f"clips/{recording}/")]
        heard = self.heard.glob(f"*/{recording[:2]}/{recording}.npz")
        return sum(map(self.depot.remove, audio)) + sum(map(removed, heard))
