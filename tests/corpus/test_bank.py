"""The bank of verses: what it finds, and that it is always whole."""

from __future__ import annotations

import json
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

from corpus.errors import StoreError
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


def noted(folder: Path, **changed: object) -> None:
    note = json.loads((folder / "bank.json").read_text("utf-8"))
    (folder / "bank.json").write_text(json.dumps(note | changed), "utf-8")


def whole(folder: Path) -> bool:
    made = bank(TEXTS, folder)
    found = all(made.by_text(text)[0] == id_ for id_, text in TEXTS.items())
    return found and len(made) == made._index.searcher().num_docs == len(TEXTS)


@pytest.mark.parametrize("change", [{"format": 0}, {"ids": sorted(TEXTS)[1:]}, {"ids": None}])
def test_what_another_version_wrote_is_built_anew(tmp_path: Path, change: object) -> None:
    assert isinstance(change, dict)
    bank(TEXTS, tmp_path / "bank")
    noted(tmp_path / "bank", **change)
    assert whole(tmp_path / "bank")


@pytest.mark.parametrize("how", ["gone", "empty", "half", "garbage", "garbage in front"])
def test_whatever_file_is_broken_the_bank_is_built_anew(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "bank"
    bank(TEXTS, folder)
    patterns = ["bank.json", "meta.json", ".managed.json", "*.idx", "*.term", "*.store", "*.pos"]
    for pattern in [*patterns, "*.fast", "*.fieldnorm"]:
        (path,) = folder.glob(pattern)
        data = path.read_bytes()
        torn = {"empty": b"", "half": data[: len(data) // 2], "garbage": b"\x99" * len(data)}
        path.unlink()
        if how != "gone":
            path.write_bytes(torn.get(how, b"\x99" * 40 + data[40:]))
        assert whole(folder), pattern


def test_what_a_person_keeps_in_the_folder_stays(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    (folder / "letras").mkdir(parents=True)
    (folder / "letras" / "mine.txt").write_text("por la calle abajo", "utf-8")
    (folder / "notes.json").write_text("{}", "utf-8")
    assert whole(folder)
    noted(folder, format=0)
    assert whole(folder)
    assert (folder / "letras" / "mine.txt").exists()
    assert (folder / "notes.json").exists()


@pytest.mark.parametrize("place", ["file", "file/bank"])
def test_where_there_can_be_no_folder_that_is_told(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("mine", "utf-8")
    with pytest.raises(StoreError, match="no bank of verses can be kept there"):
        bank(TEXTS, tmp_path / place)
    assert (tmp_path / "file").read_text("utf-8") == "mine"


def test_killed_before_the_note_what_was_changed_is_not_lost(tmp_path: Path) -> None:
    """As many came as went: their number does not tell."""
    folder = tmp_path / "bank"
    bank(TEXTS, folder)
    before = (folder / "bank.json").read_bytes()
    others = {id_: text for id_, text in TEXTS.items() if id_ != "v00"} | {"w": "una cosa distinta"}
    bank(others, folder)
    (folder / "bank.json").write_bytes(before)
    assert whole(folder)


def test_who_searches_while_another_fills_finds_what_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    reader = bank(TEXTS, folder)
    bank({"w": "por la calle abajo"}, folder)
    noted(folder, format=0)
    bank({"x": "una fuente de plata"}, folder)
    assert all(reader.by_text(text)[0] == id_ for id_, text in TEXTS.items())
    assert whole(folder)


def letters(k: int) -> str:
    return "".join(random.Random(k).choices("abdefilmnoprstu", k=40))


_FILL = """
import random, sys
from pathlib import Path
from corpus.match.bank import Bank
texts = {
    f"v{k}": "".join(random.Random(k).choices("abdefilmnoprstu", k=40))
    for k in range(int(sys.argv[2]))
}
made = Bank(Path(sys.argv[1]))
print("go", flush=True)
made.update(texts)
"""


def filling(folder: Path, n: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _FILL, str(folder), str(n)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("pause", [0.02, 0.15, 0.4])
def test_killed_while_it_is_filled_the_next_one_is_whole(tmp_path: Path, pause: float) -> None:
    folder = tmp_path / "bank"
    bank(TEXTS, folder)
    with filling(folder, 20_000) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(pause)
        os.kill(process.pid, signal.SIGKILL)
    assert whole(folder)


def test_two_that_fill_it_at_once_wait_for_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    processes = [filling(folder, n) for n in (3000, 2000, 3000)]
    for process in processes:
        with process:
            assert process.wait(60) == 0
    made = bank({f"v{k}": letters(k) for k in range(3000)}, folder)
    assert made._index.searcher().num_docs == 3000
    assert all(made.by_text(letters(k))[0] == f"v{k}" for k in range(0, 3000, 300))


def test_nothing_to_find() -> None:
    assert Bank().by_text("por la calle abajo") == []
    made = bank({"a": "", "b": "¡…!", "c": "日本語"})
    assert made.by_text("") == []
    assert made.by_text("¡…!") == []
    assert made.by_readings([]) == []
    assert made.by_readings([(), ("", "")]) == []
    assert made.by_text("日本語") == ["c"]


def test_no_verse_is_asked_for() -> None:
    assert bank(TEXTS).by_text(TEXTS["v00"], limit=0) == []


def test_equal_texts_come_in_the_order_of_their_ids() -> None:
    made = bank({"b": "por la calle abajo"})
    made.update(dict.fromkeys("cba", "por la calle abajo"))
    assert made.by_text("por la calle") == ["a", "b", "c"]


def test_respelt_as_it_is_sung() -> None:
    respelt = {"ado ": "ao ", "para ": "pa ", "z": "s", "v": "b", "ll": "y", "qu": "k", "h": ""}
    made = bank(TEXTS)
    for id_, text in TEXTS.items():
        for written, heard in respelt.items():
            text = text.replace(written, heard)  # noqa: PLW2901  # one after the other
        assert made.by_text(text)[0] == id_


@pytest.mark.parametrize("text", ["👏🔥 olé 👏", "любовь", "حبيبي يا ليل", "愛してる", "ΠΑΝΤΑ"])
def test_other_alphabets(text: str) -> None:
    made = bank(TEXTS | {"other": text, "clapping": "👏🔥"})
    assert made.by_text(text)[0] == "other"
    assert made.by_text("👏🔥") == []


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
    looped = "lerele " * 500
    assert len(made.by_text(looped)) <= len(TEXTS)
    began = time.monotonic()
    found = made.by_text("lerele " * 1600 + TEXTS["v09"] + " lerele" * 1600)
    assert time.monotonic() - began < 1
    assert found.index("v09") < 5


_TEXTS = st.dictionaries(st.text("abcde", min_size=1, max_size=3), st.text(max_size=40), max_size=6)


@settings(max_examples=30, deadline=None)
@given(_TEXTS)
def test_every_verse_is_found_by_its_own_text(texts: dict[str, str]) -> None:
    made = bank(texts)
    for id_, text in texts.items():
        if fold_stream(text):
            assert id_ in made.by_text(text)


@settings(max_examples=20, deadline=None)
@given(st.sets(st.sampled_from(sorted(TEXTS)), min_size=1))
def test_a_verse_is_the_first_that_its_own_text_finds(ids: set[str]) -> None:
    made = bank({id_: TEXTS[id_] for id_ in ids})
    assert all(made.by_text(TEXTS[id_])[0] == id_ for id_ in ids)


@settings(max_examples=20, deadline=None)
@given(_TEXTS, st.lists(_TEXTS, max_size=3))
def test_what_was_held_before_does_not_matter(
    texts: dict[str, str], before: list[dict[str, str]]
) -> None:
    """An id has one text for ever, so those before are given under ids of their own."""
    made = Bank()
    for k, others in enumerate(before):
        made.update({f"{k}{id_}": text for id_, text in others.items()})
        made.update(dict([*texts.items()][k:]) | {f"{k}": "por la calle abajo"})
    made.update(texts)
    assert len(made) == len(texts)
    for text in texts.values():
        assert set(made.by_text(text)) == set(bank(texts).by_text(text))
