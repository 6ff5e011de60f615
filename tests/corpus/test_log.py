from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from corpus.log import Redact
from corpus.redact import REDACTED

CORPUS = [sys.executable, "-m", "corpus"]


def said(text: str, **facts: object) -> logging.LogRecord:
    """A record as it leaves the filter."""
    record = logging.LogRecord("corpus", logging.INFO, "", 0, text, None, None)
    vars(record).update(facts)
    assert Redact().filter(record)
    return record


@pytest.mark.parametrize(
    "secret",
    [
        "hf_abcdefghijKLMNOP",
        "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.abc-_123",
        "pena:de-noche@",
        "0123456789abcdef",
    ],
)
def test_no_secret_is_said(secret: str) -> None:
    line = {
        "pena:de-noche@": "postgresql://pena:de-noche@host/cante: refused",
        "0123456789abcdef": "https://host/key?a=1&X-Amz-Signature=0123456789abcdef",
    }.get(secret, f"the token {secret} is refused")
    record = said(line, note=line)
    for text in (record.getMessage(), record.note):  # type: ignore[attr-defined]  # put there above
        assert secret not in text
        assert REDACTED in text


def test_what_the_environment_calls_a_secret_is_not_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", "sombrero-de-copa")
    monkeypatch.setenv("MY_SECRET", "ay")  # too short: it stands in other words
    assert said("refused: sombrero-de-copa, ay").getMessage() == f"refused: {REDACTED}, ay"


def test_other_texts_are_left_alone() -> None:
    text = "a las 10:30, peña@example.org, 50 % %s http://127.0.0.1:80/x"
    assert said(text).getMessage() == text


def tone(path: Path, hz: float) -> None:
    time_s = np.arange(16_000) / 16_000
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * hz * time_s), 16_000)


def test_a_log_for_machines(tmp_path: Path) -> None:
    """Every line is JSON of the same run; each item and the end are told; output stays output."""
    tone(tmp_path / "uno.wav", 220.0)
    (tmp_path / "dos.wav").write_bytes(b"no sound")
    subprocess.run([*CORPUS, "init", "c"], cwd=tmp_path, check=True, capture_output=True)
    # After the verb too, as people type it.
    command = [*CORPUS, "-w", "c", "collect", "uno.wav", "dos.wav", "--log-json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert len({line["run"] for line in lines}) == 1
    assert all({"timestamp", "level", "message"} <= line.keys() for line in lines)
    assert lines[0]["message"] == "begun"
    assert lines[0]["verb"] == "collect"
    assert lines[-1]["message"] == "ended"
    assert lines[-1]["code"] == 1
    landed = [line for line in lines if line["message"] == "landed"]
    assert [line["stage"] for line in landed] == ["collect"] * len(landed)
    assert any(line.get("failed") and line["item"].endswith("dos.wav") for line in lines)


def test_ctrl_c_ends_at_once_and_cleanly(tmp_path: Path) -> None:
    """In the middle of a step that would take long: one line, 130, and nothing is lost."""
    script = tmp_path / "run.py"
    script.write_text(
        "import pathlib, time\n"
        "def slow(*given, **named):\n"
        "    pathlib.Path('begun').touch(); time.sleep(60)\n"
        "import corpus.run as run\n"
        "run._attempt = slow\n"
        "from corpus.cli import main\n"
        "main()\n"
    )
    for i in range(3):
        tone(tmp_path / f"{i}.wav", 200.0 + i)
    subprocess.run([*CORPUS, "init", "c"], cwd=tmp_path, check=True, capture_output=True)
    command = [sys.executable, str(script), "-w", "c", "collect", "0.wav", "1.wav", "2.wav"]
    running = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    pressed = time.monotonic()
    _, told = running.communicate(timeout=30)
    assert time.monotonic() - pressed < 10
    assert running.returncode == 130
    assert told.splitlines()[-1].startswith("corpus: interrupted: what was done is kept")
    assert "Traceback" not in told
    again = [*CORPUS, "-w", "c", "collect", "0.wav", "1.wav", "2.wav"]
    subprocess.run(again, cwd=tmp_path, check=True, capture_output=True, env=os.environ)
