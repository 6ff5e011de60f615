from __future__ import annotations

from pathlib import Path

import pytest

from align.fit_data import Lines, timed
from align.timed import READERS, lrc_songs, textgrid_songs
from corpus.errors import TrainError
from tests.align.timed_made import voiced, write_audio, write_lrc

GRID = """File type = "ooTextFile"
Object class = "TextGrid"

0
13
<exists>
{n_tiers}
{tiers}"""
WORDS = (("todo", 1, 2), ("el", 2, 4), ("ay", 6, 7))


def tier(name: str, entries: tuple[tuple[str, float, float], ...], kind: str = "Interval") -> str:
    """A tier in Praat's short form, with the empty intervals that it wants between others."""
    full: list[tuple[str, float, float]] = []
    for text, start, end in entries:
        if start > (full[-1][2] if full else 0):
            full.append(("", full[-1][2] if full else 0, start))
        full.append((text, start, end))
    full.append(("", full[-1][2], 13))
    rows = [f'"{kind}Tier"', f'"{name}"', "0", "13", str(len(full))]
    for text, start, end in full:
        rows += [str(start), str(end), f'"{text}"']
    return "\n".join(rows) + "\n"


def write_grid(folder: Path, *tiers: str) -> None:
    write_audio(folder / "song.flac", voiced(13))
    text = GRID.format(n_tiers=len(tiers), tiers="".join(tiers))
    (folder / "song.TextGrid").write_text(text, "utf-8")


def flat(lines: Lines) -> list[list[tuple[str, float, float]]]:
    return [[(w.text, round(w.start, 3), round(w.end, 3)) for w in line] for line in lines]


# ---- LRC


def test_lines_of_an_lrc_end_where_the_next_begins(tmp_path: Path) -> None:
    write_lrc(tmp_path, "song", "[ti:x]\n[00:01.00]todo el\n[00:03.50]ay, pena\n[00:05]\n")
    (song,) = lrc_songs(tmp_path, "es")
    assert flat(song.lines) == [[("todo el", 1.0, 3.5)], [("ay, pena", 3.5, 5.0)]]
    assert (song.name, song.tolerance, song.language) == ("song", 0.5, "es")
    # The first may have ended before the second began; the second is ended by silence.
    assert song.unsure == ((0.0, 1.0), (1.0, 3.5), (5.0, 1e6))
    assert not song.has_ends


def test_words_of_an_enhanced_lrc_have_their_times(tmp_path: Path) -> None:
    text = "[00:01.00]<00:01.00>todo <00:02.00>el <00:04.00>\n[00:06.00]<00:06.10>ay <00:07.00>\n"
    write_lrc(tmp_path, "song", text)
    (song,) = lrc_songs(tmp_path, "es")
    assert flat(song.lines) == [[("todo", 1, 2), ("el", 2, 4)], [("ay", 6.1, 7)]]
    assert (song.tolerance, song.has_ends) == (0.15, True)
    assert song.unsure == ((0.0, 1.0), (4.0, 6.1), (7.0, 1e6))  # cries are not written down


def test_a_last_line_without_an_end_gets_some_seconds(tmp_path: Path) -> None:
    write_lrc(tmp_path, "song", "[00:01.00]<00:01.00>todo <00:02.00>el\n")
    (song,) = lrc_songs(tmp_path, "es")
    assert flat(song.lines) == [[("todo", 1, 2), ("el", 2, 12)]]
    assert song.unsure == ((0.0, 1.0), (2.0, 1e6))


def test_a_refrain_with_two_times_is_sung_twice(tmp_path: Path) -> None:
    text = "[00:09.00][00:01.00]<00:09.00>ay <00:09.50>pena <00:10.00>\n[00:05.00]todo\n[00:06]\n"
    write_lrc(tmp_path, "song", text)
    (song,) = lrc_songs(tmp_path, "es")
    assert flat(song.lines) == [
        [("ay", 1, 1.5), ("pena", 1.5, 2)],
        [("todo", 5, 6)],
        [("ay", 9, 9.5), ("pena", 9.5, 10)],
    ]


def test_an_offset_brings_words_sooner_but_not_before_the_start(tmp_path: Path) -> None:
    write_lrc(tmp_path, "song", "[offset:+500]\n[00:00.20]todo\n[00:03.00]el\n[00:04.00]\n")
    (song,) = lrc_songs(tmp_path, "es")
    assert flat(song.lines) == [[("todo", 0, 2.5)], [("el", 2.5, 3.5)]]


def test_an_lrc_gives_audio_with_words(tmp_path: Path) -> None:
    write_lrc(tmp_path, "song")
    (audio,) = timed(lrc_songs(tmp_path, "es"), lambda: (0.5, 0.0))
    assert flat(audio.lines) == [[("todo el", 2, 8)], [("ay", 12, 14)]]
    assert len(audio.samples) / 16000 == pytest.approx(26, abs=0.2)


def test_an_lrc_without_times_raises(tmp_path: Path) -> None:
    write_lrc(tmp_path, "song", "todo el\n[00:05]\n[00:06] —\n")
    with pytest.raises(TrainError, match="has no line with a time"):
        lrc_songs(tmp_path, "es")


# ---- TextGrid


def test_words_of_a_textgrid_are_parted_by_pauses(tmp_path: Path) -> None:
    write_grid(tmp_path, tier("notes", (("x", 0, 9),)), tier("Words", WORDS))
    (song,) = textgrid_songs(tmp_path, "es")
    assert flat(song.lines) == [[("todo", 1, 2), ("el", 2, 4)], [("ay", 6, 7)]]
    assert (song.tolerance, song.has_ends) == (0.1, True)


def test_lines_of_a_textgrid_part_its_words(tmp_path: Path) -> None:
    lines = tier("lines", (("todo", 1, 2), ("el ay", 2, 7)))
    write_grid(tmp_path, tier("words", WORDS), lines)
    (song,) = textgrid_songs(tmp_path, "es")
    assert flat(song.lines) == [[("todo", 1, 2)], [("el", 2, 4), ("ay", 6, 7)]]


def test_without_a_tier_of_words_the_first_is_taken(tmp_path: Path) -> None:
    write_grid(tmp_path, tier("letra", (("—", 0.5, 1), *WORDS)))
    (song,) = textgrid_songs(tmp_path, "es")
    assert [w.text for line in song.lines for w in line] == ["todo", "el", "ay"]


@pytest.mark.parametrize("text", ["", "nothing of the kind", GRID.format(n_tiers=1, tiers="x")])
def test_a_damaged_textgrid_raises(tmp_path: Path, text: str) -> None:
    write_grid(tmp_path, tier("words", WORDS))
    (tmp_path / "song.TextGrid").write_text(text, "utf-8")
    with pytest.raises(TrainError, match=r"song\.TextGrid"):
        textgrid_songs(tmp_path, "es")


# ---- all


@pytest.mark.parametrize("kind", sorted(READERS))
def test_a_folder_without_songs_raises(tmp_path: Path, kind: str) -> None:
    with pytest.raises(TrainError, match="holds no"):
        READERS[kind](tmp_path, "es", ())


def test_times_without_audio_raise_unless_left_out(tmp_path: Path) -> None:
    write_lrc(tmp_path, "one")
    write_lrc(tmp_path, "two")
    (tmp_path / "two.flac").unlink()
    with pytest.raises(TrainError, match="has no audio beside it"):
        lrc_songs(tmp_path, "es")
    assert [song.name for song in lrc_songs(tmp_path, "es", ["two"])] == ["one"]
