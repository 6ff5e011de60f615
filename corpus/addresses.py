"""Addresses that lead to this machine or a private network: a link from outside may not reach them.

What a name means is asked when it is connected to, so that neither a redirect nor a
name that changes its mind gets past.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from corpus.errors import UsageError

__all__ = ["check_public", "is_public", "only_public"]


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet; False for what is no IP address."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inside = _inside(found)
        if inside is not None:
            return inside.is_global and not inside.is_multicast
        return found.is_global and not (found.is_multicast or found.is_site_local)
    return found.is_global and not found.is_multicast


_CARRIERS = [
    ipaddress.IPv6Network(one)
    for one in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
]
"""What carries an IPv4 address in its last 32 bits: RFC 4291, RFC 6052, RFC 8215."""


def _inside(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that is meant by one of IPv6, where it is a way to write one."""
    if any(address in one for one in _CARRIERS):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour


def check_public(url: str) -> None:
    """Raise UsageError where the host of a URL is this machine or in a private network.

    A host that cannot be found is no error here: whoever connects will say so.
    """
    host = ""
    try:
        host = urlsplit(url).hostname or ""
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        return
    for *_, place in found:
        if not is_public(str(place[0])):
            raise UsageError(_refused(host))


def _refused(host: str) -> str:
    return (
        f"{host} is this machine or in a private network:"
        " allow it with --allow-local if it is meant"
    )


class _Guard:
    """Stands in for socket.getaddrinfo as long as anybody in this process wants it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._proxies = Counter[str]()
        self._asked = socket.getaddrinfo

    def set(self, proxy: str) -> None:
        with self._lock:
            if not self._proxies.total():
                self._asked, socket.getaddrinfo = socket.getaddrinfo, self._answered
            self._proxies[proxy] += 1

    def lift(self, proxy: str) -> None:
        with self._lock:
            self._proxies[proxy] -= 1
            if not self._proxies.total():
                socket.getaddrinfo = self._asked

    def _answered(self, host: Any, *arguments: Any, **more: Any) -> list[Any]:
        found: list[Any] = self._asked(host, *arguments, **more)
        name = host.decode() if isinstance(host, bytes) else str(host)
        public = all(is_public(str(place[0])) for *_, place in found)
        if not (public or self._proxies[name] > 0):
            raise PermissionError(_refused(name))
        return found


_guard = _Guard()


@contextlib.contextmanager
def only_public(proxy: str = "") -> Iterator[None]:
    """In this process no name and no address leads to a private network; but `proxy` may be there.

    Whoever asks for one gets a PermissionError.
    """
    exempt = urlsplit(proxy).hostname or ""
    _guard.set(exempt)
    try:
        yield
    finally:
        _guard.lift(exempt)
