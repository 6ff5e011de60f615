"""What is asked of a Label Studio server, and what is said where its answer is no good."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import httpx

from corpus.errors import UsageError
from corpus.redact import keep_secret

__all__ = [
    "Refusals",
    "address",
    "batches",
    "checked_token",
    "named",
    "query",
    "untouched",
]

T = TypeVar("T")

_OVERLAP = timedelta(minutes=1)
"""The server dates a change before it is there to be seen."""

_LONGEST = 200
"""Characters of what a server says of an error that are passed on."""


def address(url: str) -> str:
    """The address of a server without a slash at its end; UsageError where it is none."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise UsageError(f"{url!r} is no address of a server") from None
    # First: no message shows it.
    if parts.username is not None or parts.password is not None:
        raise UsageError("leave name and password out of the address of Label Studio")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"{url!r} is no address of a server: it begins with http:// or https://")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port is None else f"{host}:{port}"
    return urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", ""))


def checked_token(token: str) -> str:
    """The token without white space around it; UsageError where it can be none."""
    token = token.strip()
    if not re.fullmatch(r"[!-~]+", token):
        raise UsageError("the token of Label Studio is empty, or has signs that no token has")
    keep_secret(token)
    return token


@dataclass(frozen=True, slots=True)
class Refusals:
    """Messages of one line, without token, cookies or HTML; `what` is what was being done."""

    url: str
    token: str = field(repr=False)

    def unreached(self, what: str, error: httpx.HTTPError) -> str:
        """It does not answer, or no longer."""
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return (
                f"{self.url} does not answer ({what}): is Label Studio running there? "
                "`corpus annotate serve` starts one on this machine"
            )
        if isinstance(error, httpx.TimeoutException):
            return f"{self.url} takes too long ({what}): run again when it has less to do"
        return (
            f"{self.url} broke off ({what}): look whether it still runs, then run again; "
            "what is there is not doubled"
        )

    def refused(
        self, what: str, status: int, headers: Mapping[str, str] | None, body: object
    ) -> str:
        """It answers, and not as was hoped for."""
        detail = self._detail(body)
        if status < 300:
            return self.no_label_studio(what)
        if status < 400:
            where = (headers or {}).get("location", "").split("?")[0] or "another address"
            return f"{self.url} sends on to {where} ({what}): give the address that it ends at"
        if status in {401, 403}:
            return (
                f"{self.url} does not take the token ({what}{detail}): it is wrong, expired or "
                "revoked; get a new one there, under Account & Settings"
            )
        if status == 404:
            return f"{self.url} has no such thing, or no longer ({what}{detail})"
        if status < 500:
            return f"{self.url} refuses (HTTP {status}, {what}{detail})"
        return f"{self.url} failed (HTTP {status}, {what}{detail}): its log says why; run again"

    def no_label_studio(self, what: str) -> str:
        """It answers with a page, or with JSON of something else."""
        return (
            f"{self.url} does not answer as Label Studio does ({what}): "
            "is this its address, without the path of a page?"
        )

    def _detail(self, body: object) -> str:
        """What the server says of it, if that is no page: its beginning, in one line."""
        if not isinstance(body, Mapping):
            return ""
        said = [*_leaves(body.get("detail")), *_leaves(body.get("validation_errors"))]
        text = " ".join(" ".join(said).split()).replace(self.token, "…")
        return f": {text[:_LONGEST]}" if text else ""


def _leaves(found: object) -> Iterator[str]:
    """The texts in what may be lists and objects within each other."""
    if isinstance(found, Mapping):
        found = list(found.values())
    if isinstance(found, list):
        for one in found:
            yield from _leaves(one)
    elif found is not None:
        yield str(found)


def query(last: int, since: datetime | None = None, *, begun: bool = False) -> str:
    """Tasks with greater numbers that were changed after a moment or shortly before, in order.

    With `begun`, those of which somebody has a draft.
    """
    items = [_filter("id", "Number", last)]
    if since is not None:
        moment = (since.astimezone(timezone.utc) - _OVERLAP).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        items.append(_filter("updated_at", "Datetime", moment))
    if begun:
        items.append(_filter("draft_exists", "Boolean", value=True, operator="equal"))
    return json.dumps({"filters": {"conjunction": "and", "items": items}, "ordering": ["tasks:id"]})


def untouched() -> dict[str, object]:
    """Tasks of which nobody has handed in, skipped or begun anything."""
    counts = ("total_annotations", "cancelled_annotations")
    items = [_filter(name, "Number", 0, operator="equal") for name in counts]
    items.append(_filter("draft_exists", "Boolean", value=False, operator="equal"))
    return {"conjunction": "and", "items": items}


def _filter(name: str, kind: str, value: object, *, operator: str = "greater") -> dict[str, object]:
    return {"filter": f"filter:tasks:{name}", "operator": operator, "type": kind, "value": value}


def named(person: object, people: Mapping[int, str]) -> object:
    """Who annotated as exports say it: of a number, an object with the e-mail address."""
    if isinstance(person, int) and people.get(person):
        return {"id": person, "email": people[person]}
    return person


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """So many at a time."""
    for first in range(0, len(items), size):
        yield items[first : first + size]
