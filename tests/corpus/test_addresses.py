from __future__ import annotations

import socket
import threading

import pytest

from corpus.addresses import check_public, is_public, only_public
from corpus.errors import UsageError


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104  # an address to refuse
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("::127.0.0.1", False),
        ("::ffff:0:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::93.184.216.34", True),
        ("64:ff9b:1::192.168.0.1", False),
        ("2002:7f00:1::", False),
        ("2002:5db8:d822::1", True),
        ("2001:0:7f00:1::", False),
        ("fec0::1", False),
        ("::", False),
        ("2130706433", False),
        ("0x7f.1", False),
        ("example.org", False),
    ],
)
def test_what_is_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/", "http://localhost:80/x", "http://[::1]/", "http://2130706433/"),
        *("http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/", "http://[::ffff:7f00:1]/"),
        *("http://ana:clave@127.0.0.1:80/", "http://①②⑦.⓪.⓪.①/", "http://[fe80::1]/"),
    ],
)
def test_links_to_this_machine(url: str) -> None:
    with pytest.raises(UsageError, match="allow it with --allow-local"):
        check_public(url)


@pytest.mark.parametrize(
    "url", ["http://93.184.216.34/", "http://nowhere.invalid/", "x", "http://[", "http://a\0b/", ""]
)
def test_other_links(url: str) -> None:
    check_public(url)


def test_nothing_here_is_reached_while_it_is_guarded() -> None:
    before = socket.getaddrinfo
    with only_public(), pytest.raises(PermissionError, match="localhost is this machine"):
        socket.create_connection(("localhost", 9), timeout=1)
    assert socket.getaddrinfo is before


def test_the_proxy_may_be_here() -> None:
    with only_public("http://127.0.0.1:3128"):
        assert socket.getaddrinfo("127.0.0.1", 80)
        with pytest.raises(PermissionError):
            socket.getaddrinfo("127.0.0.2", 80)


def test_one_that_ends_leaves_the_other_guarded() -> None:
    before, begun, ended = socket.getaddrinfo, threading.Event(), threading.Event()

    def first() -> None:
        with only_public():
            begun.set()
            ended.wait(5)

    thread = threading.Thread(target=first)
    thread.start()
    begun.wait(5)
    with only_public():
        ended.set()
        thread.join()
        with pytest.raises(PermissionError):
            socket.getaddrinfo("127.0.0.1", 80)
    assert socket.getaddrinfo is before


def test_a_name_that_leads_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of the open internet may have any address, also one of each kind."""
    known = {"both.example": ["93.184.216.34", "127.0.0.1"], "here.example": ["::1"]}

    def answered(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (at, 80)) for at in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", answered)
    for host in known:
        with pytest.raises(UsageError, match=f"{host} is this machine"):
            check_public(f"https://{host}/x")
        with only_public(), pytest.raises(PermissionError, match=f"{host} is this machine"):
            socket.create_connection((host, 80), timeout=1)
