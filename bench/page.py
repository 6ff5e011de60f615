"""A page of 200 clips of 30 s: how large it is, and how soon a person can begin.

    python -m bench.page

In Chromium, from the file; the time is from the start of loading until keys and buttons do
what they say.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import numpy as np

from annotate.page import MOST_CLIPS, Clip, level_of, render
from annotate.tasks import clips, make_tasks
from corpus.media import compact, flac_bytes
from corpus.records import Recording, Utterance
from corpus.show import table
from tests.servers.browser import chromium

SECONDS = 29.0  # and half a second before and after


def written(folder: Path) -> str:
    """The page: noise, so that its sound is as large as sound gets."""
    recording = Recording(id="0" * 64, source="made", duration=31.0)
    samples = np.random.default_rng(0).normal(0, 0.1, 30 * 16_000).astype(np.float32)
    (folder / "clip.flac").write_bytes(flac_bytes(samples))
    sound, level = compact(folder / "clip.flac"), level_of(samples)
    mine = [
        Utterance(recording=recording.id, start=0.5, end=0.5 + SECONDS, text=f"verso {k}\n" * 4)
        for k in range(MOST_CLIPS)
    ]
    recordings = {recording.id: recording}
    tasks = make_tasks(clips(mine, recordings), recordings)
    return render([Clip(task=task, sound=sound, level=level) for task in tasks], name="bench")


def main() -> None:
    """Print size and times."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "page.html"
        path.write_text(written(folder), "utf-8")
        times = []
        for k in range(5):
            with chromium(folder / f"profile-{k}") as browser:
                browser.open(path.as_uri())
                browser.until("document.body.dataset.ready")
                times.append(float(browser.value("document.body.dataset.ready")) / 1000)
        row = (MOST_CLIPS, path.stat().st_size / 1e6, statistics.median(times), max(times))
        table(("clips", "MB", "s to begin", "at most"), [row])


if __name__ == "__main__":
    main()
