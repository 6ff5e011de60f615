"""The bank of verses: what it finds, and that it is always whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.match.bank import Bank
from corpus.spelling import fold_stream
from corpus.synth.coplas import COPLAS

TEXTS = {f"v{k:02d}": " ".join(copla.lines) for k, copla in enumerate(COPLAS)}


def bank(texts: dict[str, str], folder: Path | None = None) -> Bank:
    made = Bank(folder)
    made.update(texts)
    return made


def spoilt(text: str, share: float, seed: int = 0) -> str:
    chance = random.Random(seed)
    return "".join(chance.choice("aeiosnrt ") if chance.random() < share else c for c in text)


@pytest.mark.parametrize("share", [0.0, 0.15, 0.3])
def test_a_verse_is_found_by_what_was_misheard_of_it(share: float) -> None:
    made = bank(TEXTS)
    ranks = [made.by_text(spoilt(text, share)).index(id_) for id_, text in TEXTS.items()]
    assert sum(rank == 0 for rank in ranks) >= 0.9 * len(ranks)


def test_a_verse_is_found_in_a_long_draft() -> None:
    made = bank(TEXTS)
    sung = ["v03", "v11", "v20"]
    draft = "ay ay ay lerele ".join(spoilt(TEXTS[id_], 0.2) + " otra cosa " * 20 for id_ in sung)
    assert set(sung) <= set(made.by_text(draft)[:8])


def test_letters_without_words_in_several_readings() -> None:
    made = bank(TEXTS)
    letters = fold_stream(TEXTS["v07"])
    stretch = [spoilt(letters, 0.4, seed) for seed in range(20)]
    assert made.by_readings([stretch, ["" for _ in stretch]])[0] == "v07"


def test_an_update_holds_what_it_is_given_and_no_more(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    made = bank({"a": "por la calle abajo", "b": "una fuente de plata"}, folder)
    assert made.by_text("por la calle abajo") == ["a"]
    made.update({"b": "una fuente de plata", "c": "dos caminos tengo"})
    assert made.by_text("por la calle abajo") == []
    assert made.by_text("dos caminos") == ["c"]
    again = bank({"b": "una fuente de plata", "c": "dos caminos tengo"}, folder)
    assert len(again) == 2
    assert again.by_text("fuente de plata") == ["b"]


def test_where_nothing_changed_nothing_is_written(tmp_path: Path) -> None:
    def state() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in (tmp_path / "bank").iterdir()}

    bank(TEXTS, tmp_path / "bank")
    before = state()
    bank(TEXTS, tmp_path / "bank")
    assert state() == before


@pytest.mark.parametrize("how", ["no note", "torn note", "torn index", "another format", "less"])
def test_a_bank_that_is_not_whole_is_built_anew(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "bank"
    bank(TEXTS, folder)
    note = folder / "bank.json"
    if how == "no note":
        note.unlink()
    elif how == "torn note":
        note.write_text(note.read_text("utf-8")[:-9], "utf-8")
    elif how == "another format":
        note.write_text(note.read_text("utf-8").replace('"format": 1', '"format": 0'), "utf-8")
    elif how == "less":
        note.write_text(note.read_text("utf-8").replace('"v00", ', ""), "utf-8")
    else:
        (folder / "meta.json").write_text("{", "utf-8")
    made = bank(TEXTS, folder)
    assert len(made) == len(TEXTS)
    assert all(made.by_text(text)[0] == id_ for id_, text in TEXTS.items())


_FILL = """
import sys
from pathlib import Path
from corpus.match.bank import Bank
made = Bank(Path(sys.argv[1]))
print("go", flush=True)
n = int(sys.argv[2])
made.update({f"v{k}": f"copla {k} de las muchas {k * 7919 % 104729}" for k in range(n)})
"""


def filling(folder: Path, n: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _FILL, str(folder), str(n)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_killed_while_it_is_filled_the_next_one_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    for pause in (0.05, 0.3):
        with filling(folder, 20_000) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(pause)
            os.kill(process.pid, signal.SIGKILL)
    made = bank(TEXTS, folder)
    assert len(made) == len(TEXTS)
    assert made.by_text(TEXTS["v05"])[0] == "v05"


def test_two_that_fill_it_at_once_wait_for_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    processes = [filling(folder, 3000) for _ in range(2)]
    for process in processes:
        with process:
            assert process.wait(60) == 0
    made = Bank(folder)
    made.update({f"v{k}": f"copla {k} de las muchas {k * 7919 % 104729}" for k in range(3000)})
    assert len(made) == 3000


def test_nothing_to_find() -> None:
    assert Bank().by_text("por la calle abajo") == []
    made = bank({"a": "", "b": "¡…!", "c": "日本語"})
    assert made.by_text("") == []
    assert made.by_text("¡…!") == []
    assert made.by_readings([]) == []
    assert made.by_readings([(), ("", "")]) == []
    assert made.by_text("日本語") == ["c"]


def test_one_verse_a_thousand_times_and_words_alone() -> None:
    made = bank({str(k): "por la calle abajo" for k in range(1000)} | {"ay": "ay", "si": "Sí"})
    assert len(made.by_text("por la calle abajo", limit=50)) == 50
    assert made.by_text("¡ay!") == ["ay"]
    assert made.by_text("si") == ["si"]


@pytest.mark.parametrize(
    "text", ['"AND" OR (NOT', "+ay -mi *:*", "grams:ay~2 id:v03", "\\", "[a TO z]", "\x00'; --"]
)
def test_a_text_is_never_a_question(text: str) -> None:
    assert set(bank(TEXTS).by_text(text)) <= set(TEXTS)


def test_a_looped_word_and_a_long_text() -> None:
    made = bank(TEXTS)
    assert len(made.by_text("lerele " * 500)) <= len(TEXTS)
    assert made.by_text("lerele " * 1500 + TEXTS["v09"] + " lerele" * 1500).index("v09") < 5


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.text("abcde", min_size=1, max_size=3), st.text(max_size=40), max_size=6))
def test_every_verse_is_found_by_its_own_text(texts: dict[str, str]) -> None:
    made = bank(texts)
    for id_, text in texts.items():
        if fold_stream(text):
            assert id_ in made.by_text(text)
