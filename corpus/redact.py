"""Secrets taken out of what is said and stored: by their form, and those that are known here."""

from __future__ import annotations

import os
import re
from urllib.parse import quote

__all__ = ["REDACTED", "keep_secret", "without_credentials", "without_secrets"]

REDACTED = "***"

_SIGNED = (
    r"x-amz-(?:signature|credential|security-token)|x-goog-(?:signature|credential)|signature|sig"
    r"|awsaccesskeyid|(?:access_|id_|refresh_)?token|api_?key|password|secret|auth"
)
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    # A database's address; its password may hold whatever an address may not.
    (
        re.compile(r"(\b(?:postgres(?:ql)?|mysql|mariadb|redis)(?:\+\w+)?://[^\s:/@]*):\S*@"),
        rf"\1:{REDACTED}@",
    ),
    # User and password of an address, or a token in their place.
    (re.compile(r"(?<=://)(?:[^/\s@]*:[^/\s@]*|[\w~.-]{16,})(?=@)"), REDACTED),
    # What an address is signed with.
    (re.compile(rf"([?&;](?:{_SIGNED})=)[^&\s'\"<>)]+", re.IGNORECASE), rf"\1{REDACTED}"),
    (
        re.compile(
            r"\b((?:proxy-)?authorization|x-api-key|(?:set-)?cookie)"
            r"(['\"]?\s*[:=]\s*b?['\"]?(?:(?:bearer|token|basic)\s+)?)[^\s'\",]+",
            re.IGNORECASE,
        ),
        rf"\1\2{REDACTED}",
    ),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{16,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"\b(Token)\s+[0-9a-f]{40}\b"), rf"\1 {REDACTED}"),
    # As libpq and shells write it.
    (
        re.compile(r"\b((?:pg)?passw(?:or)?d\s?=\s?)(?:'[^']*'|[^\s'\",;)]+)", re.IGNORECASE),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"\bhf_[A-Za-z0-9]{10,}"), REDACTED),
    # A JSON web token, as Label Studio gives.
    (re.compile(r"\beyJ[\w-]{10,}\.[\w-]+\.[\w-]+"), REDACTED),
)
_NAMED = re.compile(r"TOKEN|SECRET|PASSWORD|API_KEY")
_SHORTEST = 8
"""Letters of a secret that is looked for: what is shorter stands in other words too."""

_kept: set[str] = set()


def keep_secret(*secrets: str) -> None:
    """From here on, these are taken out of whatever this process says, in any form of address."""
    _kept.update(one for one in secrets if len(one) >= _SHORTEST)


def without_credentials(text: str) -> str:
    """A text without what looks like a secret; always the same for the same text."""
    for form, instead in _FORMS:
        text = form.sub(instead, text)
    return text


def without_secrets(text: str) -> str:
    """A text without what looks like a secret, or is one: kept here, or in the environment."""
    for secret in _known():
        text = text.replace(secret, REDACTED)
    return without_credentials(text)


def _known() -> list[str]:
    """The longest first: one may hold another."""
    environment = {value for name, value in os.environ.items() if _NAMED.search(name)}
    secrets = {value for value in environment if len(value) >= _SHORTEST} | _kept
    return sorted(secrets | {quote(one, safe="") for one in secrets}, key=len, reverse=True)
