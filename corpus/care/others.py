"""The hub and Label Studio: whether they answer, and whether they know the token."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import httpx

from corpus.care.doctor import Finding, absent, right, wrong

__all__ = ["SECONDS", "answers", "hub"]

SECONDS = 3.0
"""How long anybody is waited for."""


def hub() -> list[Finding]:
    """The Hugging Face Hub, and the token that is sent there."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        return [absent("hub", "is not asked: HF_HUB_OFFLINE is set", "unset HF_HUB_OFFLINE")]
    from huggingface_hub import constants

    address = str(constants.ENDPOINT).rstrip("/")
    # A key in the address is nobody's business.
    shown = _bare(address)
    if reason := answers(address):
        mend = "look at the network; what is on this machine works without it"
        return [absent("hub", f"{shown} cannot be reached: {reason}", mend)]
    return [right("hub", f"{shown} answers"), _token(address)]


def _token(address: str) -> Finding:
    from huggingface_hub import get_token

    token = get_token()
    what, mend = "hub token", "hf auth login"
    if not token:
        return absent(what, "there is none: `corpus push` and what is private need one", mend)
    try:
        answer = httpx.get(
            f"{address}/api/whoami-v2",
            headers={"Authorization": f"Bearer {token}"},
            timeout=SECONDS,
            # Nobody else gets the token.
            follow_redirects=False,
        )
    except (httpx.HTTPError, ValueError) as error:
        return absent(what, f"cannot be tried: {type(error).__name__}", mend)
    if answer.status_code in {401, 403}:
        return wrong(what, "the hub does not know it: also what is public is refused with it", mend)
    if answer.status_code != 200:
        return absent(what, f"cannot be tried: the hub answers with {answer.status_code}")
    return right(what, _owner(answer))


def _owner(answer: httpx.Response) -> str:
    try:
        told = answer.json()
        role = told.get("auth", {}).get("accessToken", {}).get("role", "")
        return f"of {told['name']}" + (f", may {role}" if role else "")
    except (ValueError, KeyError, AttributeError):
        return "is taken"


def answers(address: str) -> str:
    """Why nothing is heard from an address; "" where something is, whatever it says."""
    try:
        httpx.head(address, timeout=SECONDS, follow_redirects=False)
    except httpx.TimeoutException:
        return f"no answer in {SECONDS:.0f} s"
    except (httpx.InvalidURL, ValueError):
        # Its message may hold a part of it, and that a key.
        return "it is no address"
    except (httpx.HTTPError, OSError) as error:
        return " ".join(str(error).split())[:200] or type(error).__name__
    return ""


def _bare(address: str) -> str:
    """An address without name and password; HF_ENDPOINT where it is none."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "HF_ENDPOINT"
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
