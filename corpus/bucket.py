"""Audio that lies elsewhere, as in a bucket of S3, by an address that fsspec knows.

Nothing is written twice over: what is new is written here, sent whole, and only then seen.  What is
used is fetched whole into a cache.  Credentials are those of the environment, as each service's own
tools take them; none is kept or told.
"""

from __future__ import annotations

import contextlib
import errno
import re
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from corpus.cache import Cache
from corpus.depot import Kept, S3Place
from corpus.errors import CanteError, DiskFullError, MediaError, MissingExtraError
from corpus.whole import removed, writing

__all__ = ["Bucket", "is_address"]

T = TypeVar("T")

_WHOLE = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss"}
"""Where what is sent is there whole or not at all; elsewhere it is sent by another name first."""

_S3 = {"s3", "s3a"}
_AMAZON = re.compile(r"\.amazonaws\.com(\.cn)?$")
_TRIES = 3
_CONNECT_S, _READ_S = 10, 30
"""Seconds that S3 is waited for, each of a few times."""


def is_address(place: str) -> bool:
    """Whether audio lies elsewhere: not in a folder of this disk."""
    return "://" in place


class Bucket:
    """Files below an address, and a cache of them of at most so many bytes in a folder here."""

    def __init__(self, address: str, folder: Path, most: float) -> None:
        self.address, self.folder = address.rstrip("/"), folder
        self._cache = Cache(folder / "fetched", most)

    @property
    def _protocol(self) -> str:
        return self.address.partition("://")[0]

    def name(self, key: str) -> str:
        """Where a file lies, for people."""
        return f"{self.address}/{key}"

    def s3(self) -> S3Place | None:
        """Where in S3 it is, as its own server says; None where it is elsewhere."""
        if self._protocol not in _S3:
            return None
        files, root = self._files()
        bucket, _, prefix = root.partition("/")
        what = "asking where it is"
        told = self._asked(what, lambda: files.call_s3("head_bucket", Bucket=bucket))
        headers, own = told["ResponseMetadata"]["HTTPHeaders"], files.s3.meta
        return S3Place(
            bucket=bucket,
            prefix=prefix,
            region=headers.get("x-amz-bucket-region") or own.region_name or "us-east-1",
            endpoint="" if _AMAZON.search(own.endpoint_url) else own.endpoint_url,
        )

    def try_out(self) -> None:
        """Write, list, read and remove a small file; raises MediaError where one is refused."""
        key = f"tried/{uuid.uuid4().hex}"
        try:
            with self.writing(key) as scratch:
                scratch.write_bytes(b"corpus doctor")
            list(self.kept("tried/"))
            self.fresh(key)
        except MediaError:
            with contextlib.suppress(MediaError):
                self.remove(key)
            raise
        self.remove(key)

    def keeps_versions(self) -> bool:
        """Whether what is removed stays as an older version, as far as S3 tells."""
        place = self.s3()
        if place is None:
            return False
        files, _ = self._files()
        try:
            told = self._asked(
                "asking for versions",
                lambda: files.call_s3("get_bucket_versioning", Bucket=place.bucket),
            )
        except MediaError:
            # Not everybody may ask.
            return False
        return bool(told.get("Status") == "Enabled")

    # ---- files

    def here(self, key: str) -> Path:
        """The copy of a file, fetched where there is none yet; a path of nothing without a file."""
        if not self._cache.use(key):
            self.fresh(key)
        return self._cache.path(key)

    def at_hand(self, key: str) -> Path | None:
        """The copy of a file, where there is one."""
        path = self._cache.path(key)
        return path if path.is_file() else None

    def fresh(self, key: str) -> Path:
        """The copy of a file, fetched anew; a path of nothing without a file."""
        path, told = self._cache.path(key), self.told(key)
        if told is None:
            removed(path)
            return path
        self._cache.make_room(told.n_bytes)
        with writing(path) as scratch:
            self._asked(f"fetching {key}", lambda: self._fetch(key, scratch, told.n_bytes))
        self._cache.make_room()
        return path

    def _fetch(self, key: str, path: Path, n_bytes: int) -> None:
        files, root = self._files()
        files.get_file(f"{root}/{key}", str(path))
        if path.stat().st_size != n_bytes:
            raise ConnectionError("not all of it came")

    def told(self, key: str) -> Kept | None:
        """What is told of a file; None where there is none."""
        files, root = self._files()
        try:
            found = self._asked(f"looking for {key}", lambda: _info(files, f"{root}/{key}"))
        except FileNotFoundError:
            return None
        return None if found["type"] == "directory" else _kept(key, found)

    def kept(self, under: str) -> Iterator[Kept]:
        """All files whose key begins so."""
        files, root = self._files()
        top, start = under.rpartition("/")[::2]

        def listed() -> Mapping[str, Mapping[str, Any]]:
            # "prefix" is of object stores; where it is not known, it is passed over.
            found: Mapping[str, Mapping[str, Any]] = files.find(
                f"{root}/{top}".rstrip("/"), detail=True, prefix=start
            )
            return found

        for name, told in self._asked(f"listing {under}", listed).items():
            key = name.removeprefix(root).lstrip("/")
            if key.startswith(under):
                yield _kept(key, told)

    @contextlib.contextmanager
    def writing(self, key: str) -> Iterator[Path]:
        """A path to write to; at the end of the block the file is sent, and then it is there."""
        with writing(self._cache.path(key)) as scratch:
            yield scratch
            self._asked(f"sending {key}", lambda: self._send(scratch, key))
        self._cache.make_room()

    def _send(self, path: Path, key: str) -> None:
        files, root = self._files()
        place = f"{root}/{key}"
        if self._protocol in _WHOLE:
            files.put_file(str(path), place)
        else:
            folder, _, name = place.rpartition("/")
            files.makedirs(folder, exist_ok=True)
            half = f"{folder}/.part-{uuid.uuid4().hex}-{name}"
            files.put_file(str(path), half)
            files.mv(half, place)
        if _info(files, place)["size"] != path.stat().st_size:
            raise ConnectionError("not all of it went")

    def remove(self, key: str) -> int:
        """Remove a file there and its copy here; gives 1, or 0 where there was neither."""
        there = self.told(key) is not None
        if there:
            files, root = self._files()
            self._asked(f"removing {key}", lambda: files.rm_file(f"{root}/{key}"))
        return max(int(there), removed(self._cache.path(key)))

    def tidy(self, keys: Collection[str]) -> None:
        """Remove copies of what others have removed there; `keys` are of all that is there."""
        self._cache.keep_only(keys)

    # ---- asking

    def _files(self) -> tuple[Any, str]:
        """The file system, and where its files of this corpus begin."""
        from fsspec.core import url_to_fs

        # Listings of a while ago would hide what others have sent since.
        options: dict[str, Any] = {"use_listings_cache": False}
        if self._protocol in _S3:
            patience = {"connect_timeout": _CONNECT_S, "read_timeout": _READ_S}
            # s3fs itself asks five times.
            options["config_kwargs"] = {**patience, "retries": {"total_max_attempts": 1}}
        with self._saying("opening it"):
            # Asked for each time: fsspec keeps one for each process and thread.
            files, root = url_to_fs(self.address, **options)
        return files, str(root).rstrip("/")

    def _asked(self, what: str, call: Callable[[], T]) -> T:
        """What a call gives; one that breaks off is made again.

        Raises MediaError, and FileNotFoundError where only a file is missing.
        """
        patient = Retrying(
            retry=retry_if_exception(_passing),
            stop=stop_after_attempt(_TRIES),
            wait=wait_exponential(multiplier=0.25, max=5),
            reraise=True,
        )
        with self._saying(what):
            return patient(call)

    @contextlib.contextmanager
    def _saying(self, what: str) -> Iterator[None]:
        """Errors in one line, and nothing chained to them: theirs may hold what was sent."""
        try:
            yield
        except CanteError:
            raise
        except ImportError as error:
            if self._protocol in _S3:
                raise MissingExtraError("s3", "s3fs") from None
            raise MediaError(f"{self.address} needs another package: {error}") from None
        except Exception as error:
            if _is_missing_file(error):
                raise
            if getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT}:
                text = f"no room left on the disk for {self.folder}: make room, run again"
                raise DiskFullError(text) from None
            raise MediaError(f"{self.address}: {_reason(error)} ({what})") from None


def _info(files: Any, place: str) -> Mapping[str, Any]:
    told: Mapping[str, Any] = files.info(place)
    return told


def _kept(key: str, told: Mapping[str, Any]) -> Kept:
    # Each file system has its own name for it.
    found = next((told[name] for name in ("LastModified", "mtime", "updated") if told.get(name)), 0)
    seconds = found.timestamp() if isinstance(found, datetime) else float(found)
    return Kept(key=key, n_bytes=told["size"], changed=int(seconds * 1e9))


# ---- what went wrong

_NO_CREDENTIALS = {
    *("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"),
    *("ProfileNotFound", "TokenRetrievalError", "SSOTokenLoadError", "UnauthorizedSSOTokenError"),
}
"""By name: who has no bucket need not have the package that they are of."""


_BROKEN = re.compile("Checksum|Connect|Disconnect|Payload|HTTPClientError|IncompleteRead")
"""Kinds of errors of who was not reached, or heard to the end."""


_LASTING = (FileNotFoundError, PermissionError, TimeoutError, ImportError, ValueError, CanteError)


def _is_missing_file(error: BaseException) -> bool:
    """Whether a file is not there; of a bucket that is not there, S3 speaks in words."""
    return isinstance(error, FileNotFoundError) and "bucket" not in str(error).lower()


def _passing(error: BaseException) -> bool:
    """Whether it may be better in a moment."""
    lasting = (
        FileNotFoundError,
        PermissionError,
        TimeoutError,
        ImportError,
        ValueError,
        CanteError,
    )
    kind = type(error).__name__
    # Who was waited for too long is not asked again.
    if isinstance(error, lasting) or kind in _NO_CREDENTIALS or "Timeout" in kind:
        return False
    return getattr(error, "errno", None) not in {errno.ENOSPC, errno.EDQUOT, errno.EINVAL}


def _reason(error: BaseException) -> str:
    """What is wrong, and what to do."""
    kind = type(error).__name__
    fits = (text for is_so, text in _REASONS if is_so(error, kind))
    return next(fits, "it cannot be used ({kind})").format(kind=kind, said=_told(error))


_REASONS: tuple[tuple[Callable[[BaseException, str], bool], str], ...] = (
    (
        lambda _, kind: kind in _NO_CREDENTIALS,
        "there are no credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    (
        lambda error, _: isinstance(error, PermissionError),
        "it is refused ({said}): the credentials must be let read, write, list and remove there",
    ),
    (
        lambda error, _: isinstance(error, FileNotFoundError),
        "there is no such bucket: make it, or look at folder under [media] in corpus.toml",
    ),
    (
        lambda error, kind: isinstance(error, TimeoutError) or "Timeout" in kind,
        "it takes too long: look at the network, then run again",
    ),
    (
        lambda error, kind: isinstance(error, ConnectionError) or bool(_BROKEN.search(kind)),
        "it cannot be reached, or broke off: look at the network, then run again",
    ),
    (
        lambda error, _: isinstance(error, ValueError),
        "it is no address that fsspec knows: look at folder under [media] in corpus.toml",
    ),
    (
        lambda error, _: isinstance(error, OSError),
        "it failed ({said}): run again; who runs it knows why",
    ),
)


def _told(error: BaseException) -> str:
    """What a server says, in one line and not much of it."""
    said = " ".join(str(getattr(error, "strerror", None) or error).split())
    return said[:160] or type(error).__name__
