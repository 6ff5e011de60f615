"""The hub's own client, asked patiently: its errors in one line, calls that end, no token told."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.client import responses
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from corpus.errors import HubError
from corpus.publish.folder import MANIFEST
from corpus.redact import keep_secret

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = ["CHANGED", "MISSING", "Hub", "RefusedError", "at_hub", "bad_path", "fetched", "tree"]

MISSING, CHANGED = frozenset({404}), frozenset({409, 412})
"""What the hub answers where a thing is not there, and where somebody was faster."""

_SECONDS = (10.0, 120.0)
"""Until a connection stands, and until the next byte comes: a large commit takes its time."""

_TRIES, _FIRST_WAIT = 4, 1.0
"""How often a call is made, and the seconds before the second time; they double."""

_PATIENCE = 60.0
"""Seconds that the hub may ask to wait before the next request."""

_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
_LINE = frozenset({"requests", "urllib3", "httpx", "httpx2", "httpcore", "httpcore2"})
"""Packages whose errors mean that the line failed: huggingface_hub changed its own with 1.0."""

_NAME = re.compile(r"(?!.*(?:--|\.\.))\w[\w.-]*/\w[\w.-]*", re.ASCII)

Kind = Literal["dataset", "model"]
T = TypeVar("T")


class RefusedError(HubError):
    """Raised when the hub answers with an error; `status` is 0 where it did not answer."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A repository at a hub, of a dataset or a model, and the client to ask about it."""

    api: HfApi
    repo: str
    token: str = field(repr=False)
    kind: Kind = "dataset"

    @property
    def url(self) -> str:
        """Its page."""
        folder = "datasets/" if self.kind == "dataset" else ""
        return f"{self.api.endpoint}/{folder}{self.repo}"

    def ask(self, call: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """What a call of the client gives; made again where the line or the hub fails.

        Raises RefusedError, in one line.  What the disk refuses stays an OSError.
        """
        again = Retrying(
            stop=stop_after_attempt(_TRIES),
            retry=retry_if_exception(lambda error: _failure(error).later),
            wait=_wait,
            reraise=True,
        )
        try:
            return again(call, *arguments, **options)
        except Exception as error:
            failure = _failure(error)
            if failure.own:
                raise
            raise RefusedError(self._message(failure), failure.status) from None

    def ask_of(self, call: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """As `ask`, of this repository."""
        return self.ask(call, self.repo, *arguments, repo_type=self.kind, **options)

    def _message(self, failure: _Failure) -> str:
        known = {
            401: "the hub does not know this token: log in with `hf auth login`, or set HF_TOKEN",
            403: f"you may not do that with {self.repo}: {failure.reason}",
            404: f"{self.repo} is not at the hub, or not for you to see: {failure.reason}",
            429: f"the hub asks to come again later: {failure.reason}",
        }
        if not self.token:
            known[401] = (
                f"{self.repo} is not there for everybody: log in with `hf auth login`, or set "
                "HF_TOKEN"
            )
        told = known.get(failure.status)
        if told is None and failure.status:
            told = f"{self.repo}: the hub answers with {failure.status}: {failure.reason}"
        elif told is None and failure.later:
            told = f"{self.api.endpoint} cannot be reached: {failure.reason}"
        elif told is None:
            told = f"{self.repo}: {failure.reason}"
        # A token that cannot be sent stands in the message of why.
        return told.replace(self.token, "***") if self.token else told


def tree(hub: Hub, revision: str) -> dict[str, Any]:
    """The files of a revision by path: `size`, `blob_id`, and of large ones `lfs.sha256`."""

    def listed(repo: str, **options: Any) -> list[Any]:
        return list(hub.api.list_repo_tree(repo, **options))

    found = hub.ask_of(listed, recursive=True, revision=revision)
    # A folder has no size.
    return {one.path: one for one in found if hasattr(one, "size")}


def fetched(hub: Hub, path: str, revision: str) -> bytes:
    """A small file of a revision."""
    with tempfile.TemporaryDirectory() as scratch:
        got = hub.ask_of(hub.api.hf_hub_download, path, revision=revision, local_dir=scratch)
        return Path(got).read_bytes()


def bad_path(paths: Iterable[str]) -> str:
    """The first that is no plain path of a file inside a release; "" where all are."""
    for path in paths:
        parts = path.split("/")
        if path == MANIFEST or not all(re.fullmatch(r"\w[^\\:\x00-\x1f]*", one) for one in parts):
            return path or "nothing"
    return ""


@dataclass(frozen=True, slots=True)
class _Failure:
    """What went wrong: the status that was answered, why, and whether it may go well later.

    `own` is whether it was nothing of the hub or the line, but of this machine.
    """

    status: int = 0
    reason: str = ""
    later: bool = False
    own: bool = False
    wait: float = 0.0


@contextlib.contextmanager
def at_hub(repo: str, token: str | None, *, kind: Kind = "dataset") -> Iterator[Hub]:
    """A repository at the hub; the client keeps quiet meanwhile.

    Without a token HF_TOKEN counts, and who logged in.  Raises HubError where the hub is not to
    be asked, or the name is none.
    """
    from huggingface_hub import HfApi, get_token

    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        raise HubError("HF_HUB_OFFLINE is set: the hub is not asked; unset it")
    if not _NAME.fullmatch(repo):
        raise HubError(f"'{repo}' is no name at the hub: give OWNER/NAME")
    told = token or get_token() or ""
    keep_secret(told)
    with _quiet():
        _set_patience()
        # False: nothing is sent along; None would be looked for again.
        yield Hub(api=HfApi(token=told or False), repo=repo, token=told, kind=kind)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No bars and no lines of the client: they tell addresses, and these may hold keys."""
    utils: Any = import_module("huggingface_hub.utils")
    spoke, drew = utils.logging.get_verbosity(), not utils.are_progress_bars_disabled()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="huggingface_hub")
        # 2.4 gives httpx2 what that has deprecated; it says so in the module of its own.
        warnings.filterwarnings("ignore", "Use 'content=", DeprecationWarning)
        utils.logging.set_verbosity(logging.CRITICAL)
        utils.disable_progress_bars()
        try:
            yield
        finally:
            utils.logging.set_verbosity(spoke)
            if drew:
                utils.enable_progress_bars()


def _set_patience() -> None:
    """No call of the client lasts for ever: of itself, most do, where a server hangs."""
    import huggingface_hub

    utils: Any = import_module("huggingface_hub.utils")
    usual = utils.get_session()
    set_factory = getattr(huggingface_hub, "set_client_factory", None)
    if set_factory is None:
        huggingface_hub.configure_http_backend(lambda: _requests_session(usual))
        return
    limits = type(usual.timeout)(_SECONDS[1], connect=_SECONDS[0])
    made = type(usual)
    hooks = usual.event_hooks
    set_factory(lambda: made(event_hooks=hooks, follow_redirects=True, timeout=limits))


def _requests_session(usual: Any) -> Any:
    """As huggingface_hub before 1.0 has them, one a thread."""
    import requests

    class Session(requests.Session):
        def request(self, *arguments: Any, **options: Any) -> requests.Response:
            options["timeout"] = options.get("timeout") or _SECONDS
            return super().request(*arguments, **options)

    made = Session()
    for start, adapter in usual.adapters.items():
        made.mount(start, type(adapter)())
    return made


def _wait(state: RetryCallState) -> float:
    """Twice as long from try to try; as long as the hub asks for, where it does."""
    asked = 0.0
    if state.outcome and (error := state.outcome.exception()):
        asked = _failure(error).wait
    return max(asked, _FIRST_WAIT * 2.0 ** (state.attempt_number - 1))


def _failure(error: BaseException) -> _Failure:
    """What an error of the client comes of: the first in its chain that is understood."""
    for one in _chain(error):
        response = getattr(one, "response", None)
        if response is not None:
            return _answered(one, response)
        package = type(one).__module__.partition(".")[0]
        # A page of a gateway, where JSON was expected, is no answer of the hub.
        torn = isinstance(one, json.JSONDecodeError)
        wrong = isinstance(one, ValueError) and not torn
        fell = isinstance(one, ConnectionError | TimeoutError)
        if (package in _LINE and not wrong) or torn or fell:
            return _Failure(reason=_line(list(_chain(one))[-1]), later=True)
    of_client = isinstance(error, OSError | ValueError | RuntimeError)
    of_disk = isinstance(error, OSError) and error.errno is not None
    chain = list(_chain(error))
    told = _line(error) if len(chain) == 1 else f"{_line(error)} {_line(chain[-1])}"
    return _Failure(reason=told, own=of_disk or not of_client)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _answered(error: BaseException, response: Any) -> _Failure:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    status = int(response.status_code)
    if isinstance(error, GatedRepoError):
        return _Failure(status=403, reason="it is gated, ask for access on its page")
    if isinstance(error, RepositoryNotFoundError):
        status = 404
    asked = re.match(r"(\d{1,9})$", response.headers.get("Retry-After", "")) or re.search(
        r"\bt\s*=\s*(\d{1,9})", response.headers.get("RateLimit", "")
    )
    wait = float(asked[1]) if asked else 0.0
    reason = getattr(error, "server_message", None) or responses.get(status, "no reason given")
    # A gateway's page says nothing that a line could hold.
    told = re.sub(r"<[^>]*>", " ", str(reason))
    return _Failure(
        status=status,
        reason=" ".join(told.split())[:300],
        later=status in _LATER and wait <= _PATIENCE,
        wait=wait,
    )


def _line(error: BaseException) -> str:
    """An error in one line: its kind where it says nothing."""
    told = " ".join(str(getattr(error, "strerror", None) or error).split())
    return told[:300] or type(error).__name__
