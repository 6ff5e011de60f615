"""How fast tasks go to a real Label Studio and what people said comes back, and how fast it starts.

    python bench/annotate_server.py [TASKS]

Against the plain loop that the SDK's own pages show: a call for each task, one for its
prediction, and one for the annotations of each task; on fewer tasks, as it takes so long.
"""

from __future__ import annotations

import contextlib
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from label_studio_sdk import LabelStudio as Sdk

from annotate.labels import Questions, labelling_config
from annotate.labelstudio import LabelStudio, local_audio
from annotate.server import Server, serve
from corpus.show import say, table

N_LOOP = 200
CONFIG = labelling_config(Questions(palos=("soleá", "seguiriya")))
TEXT = "ya no quiero más relojes que dan la hora a deshora"


def region(i: int) -> list[dict[str, Any]]:
    """A verse of five seconds in a clip of six."""
    span = {"start": 0.5, "end": 5.5, "channel": 0}
    shared = {"id": f"{i:010d}", "to_name": "audio", "original_length": 6.0}
    label = {**shared, "from_name": "label", "type": "labels"}
    text = {**shared, "from_name": "transcript", "type": "textarea"}
    return [
        {**label, "value": {**span, "labels": ["Letra"]}},
        {**text, "value": {**span, "text": [TEXT]}},
    ]


def task(i: int, *, annotated: bool = False) -> dict[str, Any]:
    """A task as `corpus annotate push` sends it."""
    data = {
        "audio": local_audio(f"clips/{i:064x}.flac"),
        "external_id": f"{i:064x}",
        "recording": f"{i // 20:064x}",
        "utterances": [f"{i:064x}"],
        "title": "Soleá de Alcalá",
        "about": "voz · soleares · 0:01.5-0:07.5 · p 0.50",
        "offset": 1.5,
        "score": 0.5,
    }
    prediction = {"model_version": "cante-corpus", "score": 0.5, "result": region(i)}
    said = [{"result": region(i), "lead_time": 12.5}] if annotated else []
    return {"data": data, "predictions": [prediction], "annotations": said}


@contextlib.contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Note how long a block takes."""
    say(f"{name} ...")
    begun = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - begun


def ours(server: Server, n: int, seconds: dict[str, float]) -> None:
    """Push, push again, pull and pull what changed, of one project."""
    with LabelStudio(server.url, server.token) as studio:
        project = studio.make_project("bench", CONFIG)
        many = [task(i) for i in range(n)]
        with timed(seconds, "push"):
            added = studio.add_tasks(project, many)
        check(right=added.new == n, wrong="not every task went there")
        with timed(seconds, "push again"):
            added = studio.add_tasks(project, many)
        check(right=added.known == n, wrong="what was there was not known")
        del many
        annotated = studio.make_project("bench annotated", CONFIG)
        studio.add_tasks(annotated, (task(i, annotated=True) for i in range(n)))
        with timed(seconds, "pull"):
            n_said = sum(len(one["annotations"]) for one in studio.changed_tasks(annotated))
        check(right=n_said == n, wrong="not every annotation came back")


def loop(server: Server, n: int, seconds: dict[str, float]) -> None:
    """The SDK's plain loop, of a project of its own."""
    sdk = Sdk(base_url=server.url, api_key=server.token)  # type: ignore[no-untyped-call]
    project = sdk.projects.create(title="bench loop", label_config=CONFIG)
    numbers: list[int] = []
    with timed(seconds, "push, loop"):
        for i in range(n):
            one = task(i)
            made = sdk.tasks.create(data=one["data"], project=project.id)
            sdk.predictions.create(task=made.id, **one["predictions"][0])
            numbers.append(int(made.id or 0))
    for number in numbers:
        sdk.annotations.create(number, result=region(number), lead_time=12.5)
    with timed(seconds, "pull, loop"):
        n_said = sum(len(sdk.annotations.list(number)) for number in numbers)
    check(right=n_said == n, wrong="the loop lost an annotation")


def check(*, right: bool, wrong: str) -> None:
    """End with a word where something is not right."""
    if not right:
        sys.exit(f"wrong: {wrong}")


def started(
    root: Path, name: str, seconds: dict[str, float], use: Callable[[Server], None]
) -> None:
    """Start the server of a folder, and use it."""
    with contextlib.ExitStack() as stack:
        with timed(seconds, name):
            running = stack.enter_context(serve(root, tell=say))
        use(running.server)


def main() -> None:
    """Measure, and print a table."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        started(root, "first start", seconds, lambda _: None)
        started(root, "later start", seconds, lambda server: ours(server, n, seconds))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        started(root, "start once more", seconds, lambda server: loop(server, N_LOOP, seconds))
    rows: list[tuple[object, ...]] = []
    for name in ("push", "pull"):
        rate, plain = n / seconds[name], N_LOOP / seconds[f"{name}, loop"]
        rows.append((name, n, seconds[name], rate, plain, rate / plain))
    again = seconds["push again"]
    rows.append(("push again", n, again, n / again, None, None))
    table(("", "tasks", "s", "tasks/s", "SDK's loop, tasks/s", "times as fast"), rows)
    starts = ("first start", "later start", "start once more")
    table(("", "s"), [(name, seconds[name]) for name in starts])
    table(("", "MB"), [("peak memory of push and pull", round(peak))])


if __name__ == "__main__":
    main()
