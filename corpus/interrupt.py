"""Ctrl-C, however deep in a library the process is."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

__all__ = ["heard"]

_PATIENCE = 0.5
"""Seconds in which the main thread must have come to hear of it."""


@contextlib.contextmanager
def heard(leave: Callable[[], NoReturn]) -> Iterator[None]:
    """Inside, Ctrl-C raises KeyboardInterrupt in the main thread, as ever.

    That thread only hears of it between two steps of Python.  Where it is within a step that
    takes long, as a model that listens, another thread calls `leave`, which ends the process.
    """
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return
    raised = threading.Event()

    def handler(number: int, frame: FrameType | None) -> None:
        raised.set()
        signal.default_int_handler(number, frame)

    told, tells = socket.socketpair()
    tells.setblocking(False)  # as the signal module asks for it
    before = signal.set_wakeup_fd(tells.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, handler)

    def watch() -> None:
        while number := told.recv(1):
            mine = number[0] == signal.SIGINT and signal.getsignal(signal.SIGINT) is handler
            if mine and not raised.wait(_PATIENCE):
                leave()

    watching = threading.Thread(target=watch, name="interrupt", daemon=True)
    watching.start()
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.set_wakeup_fd(before)
        tells.close()
        watching.join()
        told.close()
