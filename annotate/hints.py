"""Waiting for what a server does: it posts a hint to an address on this machine, or time is up."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["PATH", "Hints", "hints"]

PATH = "/corpus-annotate-pull/"
"""How the address begins after the port: by that, one that nobody listens at is known."""

_SETTLING = 0.5
"""Seconds after a hint: it is sent before what it tells of is there for others to read."""


class Hints:
    """Where hints come in: `url` is to be told to who gives them, and to nobody else."""

    def __init__(self) -> None:
        self._come, secret = threading.Event(), f"{PATH}{secrets.token_urlsafe(24)}"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(secret, self._come.set))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}{secret}"

    def wait(self, seconds: float) -> bool:
        """Come back after so many seconds at the latest; whether that was for a hint."""
        if not self._come.wait(seconds):
            return False
        time.sleep(_SETTLING)
        self._come.clear()
        return True

    def serve(self) -> None:
        """Take hints until `close`."""
        self._server.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        """Take no more."""
        self._server.shutdown()
        self._server.server_close()


def _handler(secret: str, tell: Callable[[], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10.0

        def do_POST(self) -> None:  # its name
            known = secrets.compare_digest(self.path, secret)
            self.send_response(204 if known else 404)
            self.end_headers()
            if known:
                tell()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@contextlib.contextmanager
def hints() -> Iterator[Hints]:
    """Take hints while the block lasts."""
    taking = Hints()
    thread = threading.Thread(target=taking.serve, daemon=True)
    thread.start()
    try:
        yield taking
    finally:
        taking.close()
        thread.join()
