"""The whole way once on a small synthetic cante: what `corpus demo` runs and what it measures.

Every step is the real command in a process of its own, so what is shown here is
what a person gets who types the same.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median
from typing import Any

from corpus.errors import CanteError
from corpus.text import fold

__all__ = ["Ran", "Result", "demo", "onset_errors", "run", "verse_hits"]

Tell = Callable[[str], None]

_TRAIN_MINUTES = 1.3
_RECORDINGS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A command that ran: its wall-clock seconds, peak memory in MB, and what it printed."""

    seconds: float
    peak_mb: float
    stdout: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of the closing table."""

    measure: str
    value: str


def run(
    arguments: Sequence[str], folder: Path, *, capture: bool = False, flawed: bool = False
) -> Ran:
    """Run `corpus ARGUMENTS` in a folder; its messages go where ours go.

    Raises CanteError when the command fails; with `flawed`, some items may (exit 1).
    """
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "corpus", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE if capture else None,
    )
    printed = process.stdout.read().decode() if process.stdout else ""
    # wait4 tells the memory of this one process; Popen.wait would not.
    _, code, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(code)
    if process.stdout:
        process.stdout.close()
    if process.returncode not in ((0, 1) if flawed else (0,)):
        verb = f"corpus {shlex.join(arguments)}"
        raise CanteError(f"`{verb}` in {folder} ended with {process.returncode}: see above")
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return Ran(
        seconds=time.monotonic() - began, peak_mb=usage.ru_maxrss * unit / 1e6, stdout=printed
    )


# ---- comparing with the truth


def verse_hits(matches: Sequence[Any], verses: Sequence[Any], truth: Any) -> tuple[int, int, int]:
    """Right, false and missing verses, of `matches --json` and `verses --json` against the truth.

    `truth` maps a recording's id to the verses sung in it, each a sequence of lines.
    """
    texts = {verse["id"]: fold(" ".join(verse["lines"])) for verse in verses}
    found = {
        match["recording"]: {texts[one["verse"]] for one in match["verses"]}
        for match in matches
        if match["decision"] == "accepted"
    }
    right = false = missing = 0
    for recording, sung in truth.items():
        wanted = {fold(" ".join(lines)) for lines in sung}
        mine = found.get(recording, set())
        right += len(wanted & mine)
        false += len(mine - wanted)
        missing += len(wanted - mine)
    return right, false, missing


def onset_errors(lines: Iterable[Any], sung: Sequence[Any]) -> list[float]:
    """Seconds by which the onset of each word of some utterances misses the truth.

    `lines` are utterances as `utterances --json` gives them, of one recording;
    `sung` its lines as they were sung, with repeats.  A line that is sung twice
    stands once in the letra: it may be placed on either.
    """
    by_text: dict[str, list[Any]] = {}
    for line in sung:
        by_text.setdefault(line["text"], []).append(line)
    errors: list[float] = []
    for utterance in lines:
        words = iter(utterance["words"])
        for text in utterance["text"].split("\n"):
            onsets = [next(words)["start"] for _ in text.split()]
            if text in by_text:
                errors += _least(onsets, by_text[text])
    return errors


def _least(onsets: Sequence[float], sung: Sequence[Any]) -> list[float]:
    tries = [
        [abs(onset - word["start"]) for onset, word in zip(onsets, line["words"], strict=True)]
        for line in sung
    ]
    return min(tries, key=sum)


# ---- the way


class _Demo:
    """The folder of a demo, the commands that were run in it and what they gave."""

    def __init__(self, folder: Path, tell: Tell) -> None:
        self.folder = folder.resolve()
        self.home = self.folder / "corpus"
        self.tell = tell

    def command(self, *arguments: str, capture: bool = False) -> Ran:
        """Show a command and run it inside the corpus."""
        self.tell(f"\n$ corpus {shlex.join(arguments)}")
        return run(arguments, self.home, capture=capture)

    def ask(self, *arguments: str) -> Any:
        """What a listing prints as JSON; not shown."""
        return json.loads(run((*arguments, "--json"), self.home, capture=True).stdout)

    def sing(self) -> None:
        """Make the recordings, letras and truths that are not there yet."""
        from corpus.synth.make import make_cantes, write_cante

        self.tell(f"making {_RECORDINGS} short synthetic cantes in {self.folder}")
        if len(list(self.folder.glob("truth/*.json"))) >= _RECORDINGS:
            return
        for name in ("recordings", "letras", "truth"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for number, cante in enumerate(make_cantes(_RECORDINGS, seed=1)):
            # Every second recording bears its palo for a title, as old records do:
            # there the words alone tell which coplas are sung.
            shown = replace(cante, title=cante.palo) if number % 2 else cante
            audio, letra, truth = write_cante(shown, self.folder / "recordings")
            letra.replace(self.folder / "letras" / f"{cante.title}.txt")
            truth.replace(self.folder / "truth" / f"{audio.stem}.json")

    def truths(self) -> dict[str, Any]:
        """The truth of each recording, by the recording's id."""
        found = {}
        for recording in self.ask("recordings"):
            name = Path(recording["source"]).stem
            text = (self.folder / "truth" / f"{name}.json").read_text("utf-8")
            found[recording["id"]] = json.loads(text)
        return found

    def walk(self) -> dict[str, Ran]:
        """Run every stage; what each took."""
        if not (self.home / "corpus.toml").exists():
            self.tell(f"$ corpus init {self.home}")
            run(("init", str(self.home)), self.folder)
        ran = {
            "collect": self.command("collect", "../recordings"),
            "lyrics": self.command("lyrics", "../letras"),
            "match": self.command("match"),
            "align": self.command("align"),
        }
        if not (self.folder / "dataset").exists():
            shares = ("--train", "0.7", "--validation", "0", "--test", "0.3")
            ran["publish"] = self.command("publish", "../dataset", "--min-tier", "bronze", *shares)
        minutes = str(_TRAIN_MINUTES)
        ran["train"] = self.command(
            *("train", "../dataset", "--output", "../model", "--minutes", minutes, "--no-judge")
        )
        ran["status"] = self.command("status")
        return ran

    def judge(self) -> Any:
        """WER and CER of Whisper base and of the model made here, on the split test."""
        models = ("evaluate", "base", "../model", "--on", "../dataset", "--json")
        return json.loads(self.command(*models, capture=True).stdout)["models"]

    def table(self, judged: Sequence[Any]) -> list[Result]:
        """The closing table."""
        truths = self.truths()
        sung = {id_: [verse["lines"] for verse in t["verses"]] for id_, t in truths.items()}
        right, false, missing = verse_hits(self.ask("matches"), self.ask("verses"), sung)
        errors = self._onsets(truths)
        before, after = judged
        return [
            Result(measure="verses found, of those sung", value=f"{right} of {right + missing}"),
            Result(measure="verses found that are not sung", value=str(false)),
            Result(measure="words placed", value=str(len(errors))),
            Result(measure="word onset error, median", value=f"{median(errors):.3f} s"),
            Result(measure="word onset error, mean", value=f"{mean(errors):.3f} s"),
            Result(
                measure="word onsets within 0.3 s",
                value=f"{mean(error <= 0.3 for error in errors):.1%}",
            ),
            Result(measure="WER of Whisper base", value=f"{before['wer']:.3f}"),
            Result(measure="WER after the short fine-tune", value=f"{after['wer']:.3f}"),
            Result(measure="CER of Whisper base", value=f"{before['cer']:.3f}"),
            Result(measure="CER after the short fine-tune", value=f"{after['cer']:.3f}"),
        ]

    def _onsets(self, truths: dict[str, Any]) -> list[float]:
        errors: list[float] = []
        by_recording: dict[str, list[Any]] = {}
        for line in self.ask("utterances")["lines"]:
            by_recording.setdefault(line["recording"], []).append(line)
        for id_, lines in by_recording.items():
            sung = [line for verse in truths[id_]["verses"] for line in verse["sung"]]
            errors += onset_errors(lines, sung)
        if not errors:
            raise CanteError("no word was placed: see the messages above")
        return errors


def demo(folder: Path, tell: Tell) -> list[Result]:
    """Run the demo in a folder and give its closing table; run again, it carries on.

    Raises CanteError when a command fails or the dependency group "demo" is missing.
    """
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    made = _Demo(folder, tell)
    made.sing()
    made.walk()
    rows = made.table(made.judge())
    seconds = time.monotonic() - began
    return [*rows, Result(measure="time for all of it", value=f"{seconds / 60:.1f} minutes")]
