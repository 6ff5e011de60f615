"""A real Chromium without a window, driven over a pipe with its DevTools protocol.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any, cast

import pytest

# Chromium reads commands from descriptor 3 and answers on 4: this puts the pipe there.
_START = """
import fcntl, os, sys
reads, writes = (fcntl.fcntl(int(given), fcntl.F_DUPFD, 10) for given in sys.argv[1:3])
os.dup2(reads, 3)
os.dup2(writes, 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-pipe",
)


class Browser:
    """One page.  `complaints`: errors and warnings in its console; `asked`: what it loaded.

    `asked_to_stay` counts how often a page that was left wanted to be asked.
    """

    def __init__(self, commands: int, answers: int) -> None:
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.asked_to_stay = 0
        self._commands, self._answers = commands, answers
        self._rest = b""
        self._n = 0
        self._session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer; what happens meanwhile is noted."""
        number = self._send(method, parameters)
        while True:
            told = self._next()
            if told.get("id") == number:
                assert "error" not in told, told
                return cast("dict[str, Any]", told["result"])
            self._note(told)

    def _send(self, method: str, parameters: dict[str, Any]) -> int:
        self._n += 1
        asked: dict[str, Any] = {"id": self._n, "method": method, "params": parameters}
        if self._session:
            asked["sessionId"] = self._session
        os.write(self._commands, json.dumps(asked).encode() + b"\0")
        return self._n

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            piece = os.read(self._answers, 1 << 16)
            assert piece, "the browser is gone"
            self._rest += piece
        told, _, self._rest = self._rest.partition(b"\0")
        return cast("dict[str, Any]", json.loads(told))

    def _note(self, told: dict[str, Any]) -> None:
        method, what = told.get("method"), told.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(what["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and what["type"] in {"error", "warning"}:
            self.complaints.append(json.dumps(what["args"]))
        elif method == "Log.entryAdded" and what["entry"]["level"] in {"error", "warning"}:
            self.complaints.append(what["entry"]["text"])
        elif method == "Page.javascriptDialogOpening":
            # Nobody is there to answer: a page that is left with work in it would wait for ever.
            self.asked_to_stay += what["type"] == "beforeunload"
            self._send("Page.handleJavaScriptDialog", {"accept": True})
        elif method == "Network.requestWillBeSent":
            self.asked.append(what["request"]["url"])

    def open(self, url: str, *, width: int = 1200, height: int = 900) -> None:
        """Open a page in a window of this size, and wait until it is there."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def value(self, expression: str) -> Any:
        """What a JavaScript expression is."""
        told = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def until(self, expression: str, seconds: float = 20.0) -> None:
        """Wait for an expression to become true."""
        limit = time.monotonic() + seconds
        while not self.value(expression):
            assert time.monotonic() < limit, f"waited in vain for {expression}"
            time.sleep(0.02)

    def click(self, selector: str) -> None:
        """Click the middle of an element, as a mouse does."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.value(f"{found}.scrollIntoView({{block: 'center'}})")
        box = self.value(
            f"(({{x, y, width, height}}) => [x, y, width, height])({found}.getBoundingClientRect())"
        )
        at = {"x": box[0] + box[2] / 2, "y": box[1] + box[3] / 2}
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)

    def write(self, selector: str, text: str) -> None:
        """Click a field and write into it."""
        self.click(selector)
        self.call("Input.insertText", text=text)

    def picture(self, path: Path) -> None:
        """Keep what is seen as a PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def press(self, key: str) -> None:
        """Press a key on the keyboard."""
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)


@contextlib.contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    program = which("chromium") or which("chromium-browser") or which("google-chrome")
    assert program, "Chromium is not installed: setup.sh installs it"
    reads, commands = os.pipe()
    answers, writes = os.pipe()
    start = [sys.executable, "-c", _START, str(reads), str(writes)]
    options = [*_OPTIONS, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(
        [*start, program, *options],
        pass_fds=(reads, writes),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        os.close(reads)
        os.close(writes)
        try:
            yield Browser(commands, answers)
        finally:
            # Its parts end with the pipe.
            os.close(commands)
            os.close(answers)
            running.wait(20)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """A new page in a new Chromium."""
    with chromium(tmp_path / "chromium") as running:
        yield running
