"""A web server with recordings that behaves as the web does: ranges, redirects, cuts, stalls."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

__all__ = ["MediaSite", "Visit"]


class Visit(BaseHTTPRequestHandler):
    """One request; a page is a function that answers it."""

    protocol_version = "HTTP/1.1"
    site: MediaSite

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        self.site.asked[path] += self.command == "GET"
        self.site.ranges.setdefault(path, []).append(self.headers.get("Range", ""))
        page = self.site.pages.get(path)
        if page is None:
            self.say(404)
        else:
            page(self)

    def say(
        self, status: int, body: bytes = b"", kind: str = "text/html", **headers: object
    ) -> None:
        """An answer with all of its body."""
        self.head(status, len(body), kind, **headers)
        if self.command == "GET":
            self.wfile.write(body)

    def head(self, status: int, length: int, kind: str, **headers: object) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    @property
    def wanted_from(self) -> int:
        """The first byte that a Range asks for."""
        found = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(found[1]) if found else 0

    def send(self, data: bytes, kind: str = "audio/ogg", until: int | None = None) -> None:
        """A file by ranges; `until` is where the connection is cut."""
        start = self.wanted_from
        where = {"Content_Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        self.head(206 if start else 200, len(data) - start, kind, Accept_Ranges="bytes", **where)
        if self.command == "GET":
            self.wfile.write(data[start:until])
            self.close_connection = until is not None

    def log_message(self, *_: object) -> None:
        """Say nothing: tests read what the command says."""


@dataclass
class MediaSite:
    """Where the site is, its pages by path, and how often each was asked for."""

    url: str
    pages: dict[str, Callable[[Visit], None]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    ranges: dict[str, list[str]] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def file(self, path: str, data: bytes, kind: str = "audio/ogg") -> str:
        """Serve a file; gives its address."""
        return self.page(path, lambda visit: visit.send(data, kind))

    def page(self, path: str, answer: Callable[[Visit], None]) -> str:
        self.pages[path] = answer
        return self.url + path

    def html(self, path: str, text: str) -> str:
        return self.page(path, lambda visit: visit.say(200, text.encode()))

    def cut(self, path: str, data: bytes, at: int) -> str:
        """Cut the connection after so many bytes, as often as more than these are left."""

        def answer(visit: Visit) -> None:
            start = visit.wanted_from
            visit.send(data, until=start + at if len(data) - start > at else None)

        return self.page(path, answer)

    def stalled(self, path: str, data: bytes) -> str:
        """Send half, and nothing more until the test is over; whoever comes again gets all."""

        def answer(visit: Visit) -> None:
            if visit.command == "GET" and not visit.wanted_from and self.asked[path] > 1:
                visit.head(200, len(data), "audio/ogg", Accept_Ranges="bytes")
                visit.wfile.write(data[: len(data) // 2])
                visit.wfile.flush()
                self.over.wait(20)
                visit.close_connection = True
            else:
                visit.send(data)

        return self.page(path, answer)

    def busy(self, path: str, data: bytes, times: int, wait: str = "1") -> str:
        """Ask the first visitors to come again later."""
        left, lock = [times], threading.Lock()

        def answer(visit: Visit) -> None:
            with lock:
                left[0] -= 1
                refuse = left[0] >= 0
            if refuse:
                visit.say(429, Retry_After=wait)
            else:
                visit.send(data)

        return self.page(path, answer)

    def endless(self, path: str) -> str:
        """A page that does not end: a megabyte at a time."""

        def answer(visit: Visit) -> None:
            visit.head(200, 300 << 20, "text/html")
            if visit.command == "GET":
                block = b"<p>nada</p>" * 95_000
                for _ in range(300):
                    visit.wfile.write(block)
                    time.sleep(0.001)

        return self.page(path, answer)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Who hangs up is no news."""


@pytest.fixture
def web() -> Iterator[MediaSite]:
    """A site of one test."""
    handler = type("Handler", (Visit,), {})
    server = _Server(("127.0.0.1", 0), handler)
    handler.site = made = MediaSite(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]  # set here
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.over.set()
    server.shutdown()
    thread.join()
    server.server_close()
