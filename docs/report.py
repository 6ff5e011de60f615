"""Draw docs/report-1280.png and docs/report-390.png: the report of a made corpus.

    python docs/report.py

Voices, names and figures are made up, and look it.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import numpy as np

from corpus.commands.report import page_of
from corpus.media import flac_bytes
from corpus.records import (
    Annotation,
    Decision,
    Description,
    Features,
    Kind,
    Mark,
    Match,
    MatchedVerse,
    Recording,
    Tier,
    Utterance,
    Verdict,
    Verse,
    VerseSource,
)
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.servers.browser import chromium

HERE = Path(__file__).parent
PALOS = ("soleares", "bulerías", "seguiriyas", "fandangos", "tientos y tangos", "tonás", "mineros")
NAMES = ("La Alondra", "El Jilguero", "Niña del Pozo", "Manuel Sendero", "La Retama", "El Almendro")
TEXTS = ("Por la vereda del río\nse me fue la primavera", "Ay la luna de enero\nqué tarde llega")
MARKS = ("background", "impulse noise", "oversaturation", "white noise")
RATE = 16_000


def voice(seed: int, seconds: float = 40.0) -> np.ndarray:
    """A gliding tone with a level of its own."""
    chance = np.random.default_rng(seed)
    n_samples = round(seconds * RATE)
    at, knots = np.arange(n_samples), round(seconds * 3)
    hertz = np.interp(at, np.linspace(0, n_samples, knots), chance.uniform(180, 420, knots))
    level = np.interp(at, np.linspace(0, n_samples, knots), chance.uniform(0.02, 0.3, knots))
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    return (level * (np.sin(phase) + 0.4 * np.sin(2 * phase))).astype(np.float32)


def fill(workspace: Workspace, n_recordings: int = 60) -> None:
    """Recordings, their utterances, what people said and what was measured."""
    chance = np.random.default_rng(2)
    sound = [flac_bytes(voice(seed)) for seed in range(4)]
    verses = [
        Verse(lines=lines, sources=(VerseSource(source="made", position=k, lines=lines),))
        for k, lines in enumerate(tuple(text.split("\n")) for text in TEXTS)
    ]
    found = tuple(MatchedVerse(verse=one.id, score=1.0, reason="made") for one in verses)
    with workspace.store.transaction() as transaction:
        transaction.save(verses)
    for k in range(n_recordings):
        one = Recording(
            id=hashlib.sha256(f"made {k}".encode()).hexdigest(),
            source=f"made {k}",
            title=f"Cante {k + 1}",
            artist=NAMES[min(int(chance.exponential(1.6)), 5)],
            palo=PALOS[min(int(chance.exponential(1.8)), 6)],
            sex=("male", "male", "female")[int(chance.integers(3))],
            region=("Jerez", "Triana", "Cádiz", "")[int(chance.integers(4))],
            year=int(chance.choice([1928, 1935, 1951, 1958, 1962, 1967, 1969, 1974, 1988])),
            duration=float(chance.uniform(35, 60)),
        )
        path = workspace.media.flac(one.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sound[k % 4])
        marks = tuple(
            Mark(name=name, points=int(chance.choice(3, p=[0.6, 0.3, 0.1])), measure="m", value=0.0)
            for name in MARKS
        )
        records: list[object] = [one, Features(recording=one.id, measures=(), marks=marks)]
        if k % 3 == 0:
            answers = tuple((name, str(chance.choice(3, p=[0.5, 0.3, 0.2]))) for name in MARKS)
            told = Description(
                recording=one.id, annotator="ana", made="2026", answers=answers, origin="made"
            )
            records.append(told)
        cut = []
        for i in range(int(chance.integers(2, 7)) if k % 5 else 0):
            score = float(np.clip(chance.beta(6, 1.3), 0, 1))
            cut.append(
                Utterance(
                    recording=one.id,
                    start=1.0 + 6 * i,
                    end=6.5 + 6 * i,
                    text=TEXTS[i % 2] if i % 4 else "Ay",
                    kind=Kind.LETRA if i % 4 else Kind.QUEJIO,
                    score=score,
                    tier=Tier.SILVER if score > 0.8 else Tier.BRONZE,
                )
            )
        if cut:
            match = Match(recording=one.id, verses=found, decision=Decision.ACCEPTED)
            records.append(match)
        records.append(AlignedRecording(recording=one.id, utterances=tuple(cut)))
        for said in cut[:2]:
            right = chance.random() < said.score
            records.append(
                Annotation(
                    utterance=said.id,
                    annotator=("ana", "luz")[k % 2],
                    made=f"2026-01-{1 + k % 28:02}T10:00:00+00:00",
                    verdict=Verdict.RIGHT if right else Verdict.CORRECTED,
                    text=said.text if right else f"{said.text} ay",
                    start=said.start,
                    end=said.end,
                    kind=said.kind,
                    seconds=float(chance.uniform(8, 40)),
                )
            )
        with workspace.store.transaction() as transaction:
            transaction.save(records)  # type: ignore[arg-type]  # records of several kinds


def main() -> None:
    """Make the corpus, its report, and the pictures."""
    with tempfile.TemporaryDirectory(prefix="cante-report-") as folder:
        root = Path(folder) / "made-corpus"
        root.mkdir()
        workspace = Workspace.create(root)
        fill(workspace)
        page = root / "report.html"
        page.write_text(page_of(workspace, sound=True), "utf-8")
        for width in (1280, 390):
            with chromium(Path(folder) / f"profile-{width}") as browser:
                browser.open(page.as_uri(), width=width)
                # All of it, in a window as high as the page.
                height = browser.value("document.documentElement.scrollHeight")
                browser.open(page.as_uri(), width=width, height=height)
                browser.picture(HERE / f"report-{width}.png")
        workspace.store.close()


if __name__ == "__main__":
    main()
