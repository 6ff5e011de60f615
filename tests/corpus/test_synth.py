"""The synthetic cante: its truth is exact, and the same seed sings the same."""

from __future__ import annotations

import builtins
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from corpus.errors import CanteError, UsageError
from corpus.media import SAMPLE_RATE, hash_file
from corpus.synth import espeak
from corpus.synth.coplas import COPLAS
from corpus.synth.make import make_cante, make_cantes, sing_lines, write_cante
from corpus.synth.singers import SINGERS
from corpus.synth.truth import Cante, SungVerse, SungWord

LINES = ("Fui piedra y perdí mi centro", "y me arrojaron al mar")


@pytest.fixture(scope="module")
def cante() -> Cante:
    return make_cante(seed=3, verses=1)


@pytest.fixture(scope="module")
def alone() -> tuple[SungVerse, NDArray[np.float32]]:
    return sing_lines(LINES, SINGERS[0], seed=1)


def level(audio: NDArray[np.float32], start: float, end: float) -> float:
    part = audio[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
    return float(np.sqrt(np.mean(part.astype(np.float64) ** 2)))


def test_the_same_seed_gives_the_same_samples_and_another_one_others(cante: Cante) -> None:
    again, other = make_cante(seed=3, verses=1), make_cante(seed=4, verses=1)
    assert np.array_equal(cante.audio, again.audio)
    assert cante == again
    assert not np.array_equal(cante.audio[: len(other.audio)], other.audio[: len(cante.audio)])


def test_words_are_in_order_and_inside_the_audio(cante: Cante) -> None:
    words = cante.words
    assert all(word.start < word.end for word in words)
    assert all(a.end <= b.start + 1e-9 for a, b in itertools.pairwise(words))
    assert words[0].start > 0
    assert words[-1].end < cante.duration


def test_what_is_written_is_sung_and_a_repeat_says_so(cante: Cante) -> None:
    for verse in cante.verses:
        first = [line.text for line in verse.sung if not line.repeat]
        assert tuple(first) == verse.lines
        assert any(line.repeat for line in verse.sung)
        for line in verse.sung:
            assert [word.text for word in line.words] == line.text.split()
    assert cante.letra.split("\n\n")[0].split("\n")[: len(cante.verses[0].lines)] == list(
        cante.verses[0].lines
    )


def test_the_voice_sounds_where_the_truth_says(
    alone: tuple[SungVerse, NDArray[np.float32]],
) -> None:
    verse, audio = alone
    first: SungWord = verse.sung[0].words[0]
    assert level(audio, 0.0, first.start - 0.03) < 0.001
    assert level(audio, first.start, first.start + 0.15) > 0.01
    for line in verse.sung:
        for word in line.words:
            assert level(audio, word.start, word.end) > 0.005, word.text
    between = (verse.sung[0].end + 0.05, verse.sung[1].start - 0.05)
    assert level(audio, *between) < 0.003


def test_a_stretched_line_is_longer_in_truth_and_sound() -> None:
    _, short = sing_lines(LINES[:1], stretch=1.2)
    verse, long = sing_lines(LINES[:1], stretch=2.4)
    assert len(long) > 1.4 * len(short)
    assert verse.end < len(long) / SAMPLE_RATE


def test_singers_differ_in_pitch() -> None:
    import pyworld

    pitches = []
    for singer in SINGERS[:2]:
        _, audio = sing_lines(LINES[:1], singer)
        f0, _ = pyworld.dio(audio.astype(np.float64), SAMPLE_RATE)
        pitches.append(float(np.median(f0[f0 > 0])))
    assert pitches[1] > 1.2 * pitches[0]


def test_the_guitar_plays_alone_in_a_falseta(cante: Cante) -> None:
    assert cante.falsetas
    assert cante.quejios
    falseta = cante.falsetas[0]
    assert level(cante.audio, falseta.start + 0.5, falseta.end) > 0.005
    assert all(not (w.start < falseta.end and falseta.start < w.end) for w in cante.words)


def test_many_have_many_titles_and_singers() -> None:
    made = list(make_cantes(3, seed=2, verses=1, band=False))
    assert len({one.title for one in made}) == 3
    assert len({one.singer for one in made}) == 3
    with pytest.raises(UsageError, match="ask for 1 to"):
        list(make_cantes(len(COPLAS) + 1))


def test_files_hold_tags_letra_and_truth(cante: Cante, tmp_path: Path) -> None:
    from corpus.collect.tags import read_tags

    audio, letra, truth = write_cante(cante, tmp_path)
    tags = read_tags(audio)
    assert (tags["title"], tags["artist"]) == (cante.title, cante.singer)
    assert letra.read_text("utf-8") == cante.letra
    told = json.loads(truth.read_text("utf-8"))
    assert told["verses"][0]["sung"][0]["words"][0]["start"] == cante.words[0].start
    assert len(hash_file(audio)) == 64


def test_without_its_packages_it_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".", maxsplit=1)[0] in {"espeakng_loader", "pyworld"}:
            raise ModuleNotFoundError(name=name)
        return real(name, *args, **kwargs)

    for name in ("espeakng_loader", "pyworld"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(CanteError, match="uv sync --group demo"):
        sing_lines(LINES[:1])
    assert "group demo" in espeak.NEEDS
