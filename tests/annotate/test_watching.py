"""`corpus annotate pull --watch`, for real: it outlives a pause of the server, and ends well."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from annotate.labelstudio import LabelStudio
from annotate.stage import to_hear
from annotate.sync import THIRD, push_to
from corpus.workspace import Workspace
from tests.annotate.pushed import OLE, PENA, SENT, hand_in, push, said
from tests.annotate.test_all_the_way import until
from tests.servers.label_studio import Between


@pytest.fixture
def titled(corpus: Workspace, title: str) -> Workspace:
    """A corpus that has its project's name."""
    path = corpus.root / "corpus.toml"
    path.write_text(path.read_text("utf-8").replace('name = "cante"', f'name = "{title}"'), "utf-8")
    return corpus


def test_a_server_elsewhere_is_asked_again_and_again(
    titled: Workspace,
    server: LabelStudio,
    between: Between,
    title: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = push(titled, server, title).project
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", server._says.token)
    told = tmp_path / "told"
    command = [sys.executable, "-m", "corpus", "annotate", "pull", "--watch", "1"]
    with (
        told.open("wb") as output,
        subprocess.Popen(
            [*command, "--url", between.url], cwd=titled.root, stdout=output, stderr=output
        ) as watching,
    ):
        try:
            until(lambda: titled.store.done("pull") != {}, 60)
            hand_in(server, project, PENA)
            until(lambda: "1 right" in told.read_text("utf-8"))
            between.rule = lambda _method, _path: "busy"
            until(lambda: "tried again every 1 s" in told.read_text("utf-8"))
            # One that is there only now is looked at too.
            third = push_to(titled, server, f"{title}{THIRD}", to_hear(titled), SENT).project
            hand_in(server, third, OLE)
            between.rule = lambda _method, _path: ""
            until(lambda: len(said(titled)) == 2)
        finally:
            watching.send_signal(signal.SIGINT)
            watching.wait(30)
    text = told.read_text("utf-8")
    assert watching.returncode == 0
    assert text.count("tried again every") == 1
    assert "Traceback" not in text
    assert server._says.token not in text
    # Nothing was put there to hint: the server could not reach this machine.
    assert server._sdk.webhooks.list(project=project) == []


def test_what_fails_at_once_ends_it(titled: Workspace, server: LabelStudio) -> None:
    command = [sys.executable, "-m", "corpus", "annotate", "pull", "--watch", "900"]
    wrong = ["--url", server.url, "--token", "0" * 40]
    ran = subprocess.run(
        [*command, *wrong], cwd=titled.root, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 1
    assert "does not take the token" in ran.stderr
