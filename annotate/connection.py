"""A line to a Label Studio server: its address, a token, and what is asked over it.

The only file that imports its SDK (https://labelstud.io/guide/sdk).  Every answer that is no good
becomes an AnnotationServerError in one line without token, cookies or HTML.  What writes is sent
once and never again by itself; what reads is asked three times.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from label_studio_sdk import LabelStudio as Sdk
from label_studio_sdk.core.api_error import ApiError
from pydantic import ValidationError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from annotate.wire import Refusals, address, checked_token
from corpus.errors import AnnotationServerError

__all__ = ["Connection", "writing"]

T = TypeVar("T")

_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
# A batch that is given up on may still be stored: the server gets the time to say so.
_WRITING_TIMEOUT = 300.0


class Connection:
    """The server at an address; `token` is an access token, or a legacy one.

    The constructor raises UsageError for what is no address or no token, and
    AnnotationServerError where the token is out of date.
    """

    def __init__(self, url: str, token: str, *, timeout: httpx.Timeout = _TIMEOUT) -> None:
        self.url = address(url)
        token = checked_token(token)
        self._says = Refusals(self.url, token)
        self._http = httpx.Client(
            timeout=timeout,
            # A proxy cannot reach what runs on this machine.
            trust_env=urlsplit(self.url).hostname not in {"127.0.0.1", "localhost", "::1"},
            # A POST that is sent on to elsewhere becomes a GET there.
            follow_redirects=False,
            # The server sends a session: with it, a token that was revoked would go on working.
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        )
        with self._told("logging in"):
            # The slash keeps the last folder of the address where the SDK joins its own paths.
            self._sdk = Sdk(  # type: ignore[no-untyped-call]  # its subclass of itself has no types
                base_url=f"{self.url}/",
                api_key=token,
                httpx_client=self._http,
                max_retries=0,
            )

    def _read(self, what: str, call: Callable[[], T]) -> T:
        asking = Retrying(
            retry=retry_if_exception(_passing),
            stop=stop_after_attempt(3),
            wait=wait_exponential(multiplier=0.25, max=2),
            reraise=True,
        )
        with self._told(what):
            return asking(call)

    def _write(self, what: str, call: Callable[[], T]) -> T:
        with self._told(what):
            return call()

    def _raw(self, path: str, **request: Any) -> Any:
        """The JSON as the server sends it: the SDK's own types turn dates and choices around."""
        # The one way to ask with the SDK's login.
        wrapper = self._sdk._client_wrapper  # noqa: SLF001
        answer = wrapper.httpx_client.request(path, **request)
        if not answer.is_success:
            raise ApiError(
                status_code=answer.status_code, headers=dict(answer.headers), body=_body(answer)
            )
        return answer.json()

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Errors in one line.  Nothing is chained to them: theirs hold cookies and pages."""
        try:
            yield
        except ApiError as error:
            status, answer = error.status_code or 0, (error.headers, error.body)
            raise AnnotationServerError(self._says.refused(what, status, *answer)) from None
        except httpx.HTTPError as error:
            raise AnnotationServerError(self._says.unreached(what, error)) from None
        except (json.JSONDecodeError, ValidationError, KeyError):
            raise AnnotationServerError(self._says.no_label_studio(what)) from None


def _passing(error: BaseException) -> bool:
    """Whether it may be better in a moment; who was waited for too long is not asked again."""
    if isinstance(error, ApiError):
        return error.status_code in {429, 502, 503, 504}
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.TimeoutException)


def _body(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return None


def writing() -> Any:
    """What the SDK is told of a request that puts something there: once, and with patience."""
    return {"max_retries": 0, "timeout": _WRITING_TIMEOUT}
