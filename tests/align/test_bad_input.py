"""What is no letra or no cante: told in one line, or owned up to, never made up."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from corpus.media import SAMPLE_RATE
from corpus.synth.espeak import synthesise
from tests.conftest import Cli, Ran

LINES = ("A la mar fuí por naranjas", "cosa que la mar no tiene, señor")
LETRA = "\n".join(LINES)
STANZA = "Yo me voy contigo a Sevilla\ndonde duerme tu hermosura\nque no hay noche como aquella"
UNSURE = 0.3
"""No line that was never said may be given as likelier than this."""

pytestmark = pytest.mark.usefixtures("whisper_base_hf")

Audio = NDArray[np.float32]


def said() -> Audio:
    """The lines said by a machine, with rests, 16 kHz."""
    rest = np.zeros(SAMPLE_RATE, np.float32)
    parts: list[Audio] = [rest]
    for line in LINES:
        wave, rate, _ = synthesise(line, "es", 110)
        at = np.arange(len(wave) * SAMPLE_RATE // rate) * rate / SAMPLE_RATE
        parts += [np.interp(at, np.arange(len(wave)), wave / 32768).astype(np.float32), rest]
    return np.concatenate(parts)


@pytest.fixture(scope="module")
def voice() -> Audio:
    return said()


def wav(folder: Path, audio: Audio) -> Path:
    """A WAV of floats, which may hold what is no number."""
    path = folder / "audio.wav"
    soundfile.write(path, audio, SAMPLE_RATE, subtype="FLOAT")
    return path


def letra(folder: Path, text: str | bytes, name: str = "letra.txt") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def told(ran: Ran) -> str:
    """The one line that a command failed with."""
    assert ran.code in {1, 2}
    assert ran.out == ""
    assert ran.err.startswith("corpus: ")
    assert "unexpected" not in ran.err
    assert ran.err.count("\n") == 1
    return ran.err


def times(ran: Ran) -> list[tuple[float, float]]:
    """Start and end of every word."""
    assert ran.code == 0, ran.err
    return [(word["start"], word["end"]) for line in ran.json["lines"] for word in line["words"]]


def likeliest(lines: list[dict[str, Any]]) -> float:
    """The highest probability of any line."""
    return max(float(line["probability"]) for line in lines)


# ---- letras


@pytest.mark.parametrize(
    "text",
    ["Ой, цветёт калина\nв поле у ручья", "يا ليل يا عين", "--- ... !!!", "", " \n\n \n"],
    ids=["Cyrillic", "Arabic", "signs", "empty", "blank"],
)
def test_a_text_without_letters_is_refused(
    cli: Cli, tmp_path: Path, voice: Audio, text: str
) -> None:
    ran = cli("align-file", wav(tmp_path, voice), letra(tmp_path, text))
    assert "the text has no letters to listen for" in told(ran)


def test_a_file_that_is_no_text_is_refused(cli: Cli, tmp_path: Path, voice: Audio) -> None:
    ran = cli("align-file", wav(tmp_path, voice), letra(tmp_path, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"))
    assert "letra.txt is no text" in told(ran)


def test_500_verses_are_too_long_for_two_minutes(cli: Cli, tmp_path: Path, voice: Audio) -> None:
    audio = np.tile(voice, 30)[: 120 * SAMPLE_RATE]
    ran = cli("align-file", wav(tmp_path, audio), letra(tmp_path, "\n\n".join([STANZA] * 500)))
    message = told(ran)
    assert "the audio is too short for this text: it lasts 120.0 s" in message
    assert "give only the text that is sung in it" in message


def test_a_line_in_another_alphabet_is_owned_up_to(cli: Cli, tmp_path: Path, voice: Audio) -> None:
    audio = wav(tmp_path, voice)
    plain = cli("align-file", audio, letra(tmp_path, LETRA))
    mixed = cli("align-file", audio, letra(tmp_path, LETRA + "\nОй, цветёт калина"))
    assert times(mixed)[: len(times(plain))] == times(plain)
    strange = mixed.json["lines"][-1]
    assert strange["text"] == "Ой, цветёт калина"
    assert strange["sung"] == ""
    assert strange["probability"] <= UNSURE
    assert [word["score"] for word in strange["words"]] == [0, 0, 0]


def test_one_word_is_placed_where_it_is_said(cli: Cli, tmp_path: Path, voice: Audio) -> None:
    audio = wav(tmp_path, voice)
    whole = times(cli("align-file", audio, letra(tmp_path, LETRA)))
    ((start, end),) = times(cli("align-file", audio, letra(tmp_path, "naranjas")))
    word = LETRA.split().index("naranjas")
    assert start == pytest.approx(whole[word][0], abs=0.3)
    assert end == pytest.approx(whole[word][1], abs=0.5)


def test_a_letra_says_the_same_in_any_encoding(cli: Cli, tmp_path: Path, voice: Audio) -> None:
    audio = wav(tmp_path, voice)
    written = {
        "utf-8": LETRA.encode("utf-8"),
        "latin-1": LETRA.encode("latin-1"),
        "decomposed": unicodedata.normalize("NFD", LETRA).encode("utf-8"),
        "with a mark": LETRA.encode("utf-8-sig"),
        "windows": LETRA.replace("\n", "\r\n").encode("cp1252"),
    }
    ran = {how: cli("align-file", audio, letra(tmp_path, text)) for how, text in written.items()}
    for how, one in ran.items():
        assert times(one) == times(ran["utf-8"]), how
        texts = [unicodedata.normalize("NFC", line["text"]) for line in one.json["lines"]]
        assert texts == list(LINES), how


# ---- audio


@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_silence_is_refused(cli: Cli, tmp_path: Path, level: float) -> None:
    audio = np.full(10 * SAMPLE_RATE, level, np.float32)
    ran = cli("align-file", wav(tmp_path, audio), letra(tmp_path, LETRA))
    assert "nothing is heard in this audio" in told(ran)


def without_voice(kind: str) -> Audio:
    n_samples = 10 * SAMPLE_RATE
    if kind == "noise":
        return np.random.default_rng(1).normal(0, 0.1, n_samples).astype(np.float32)
    if kind == "tone":
        at = np.arange(n_samples, dtype=np.float32) / SAMPLE_RATE
        return np.float32(0.2) * np.sin(np.float32(2 * np.pi * 220) * at)
    return np.full(n_samples, 0.5 if kind == "offset" else np.nan, np.float32)


@pytest.mark.parametrize("kind", ["noise", "tone", "offset", "no numbers"])
def test_nothing_is_likely_where_nobody_sings(
    cli: Cli, tmp_path: Path, voice: Audio, kind: str
) -> None:
    text = letra(tmp_path, LETRA)
    ran = cli("align-file", wav(tmp_path, without_voice(kind)), text)
    if ran.code:
        assert "nothing is heard in this audio" in told(ran)
        return
    assert likeliest(ran.json["lines"]) < UNSURE
    right = cli("align-file", wav(tmp_path, voice), text).json["lines"]
    assert likeliest(ran.json["lines"]) < min(line["probability"] for line in right)


@pytest.mark.parametrize("hole", [np.nan, np.inf])
def test_a_hundred_samples_that_are_no_numbers_move_no_word(
    cli: Cli, tmp_path: Path, voice: Audio, hole: float
) -> None:
    text, broken = letra(tmp_path, LETRA), voice.copy()
    whole = times(cli("align-file", wav(tmp_path, voice), text))
    broken[SAMPLE_RATE // 2 : SAMPLE_RATE // 2 + 100] = hole
    found = times(cli("align-file", wav(tmp_path, broken), text))
    assert np.abs(np.array(found) - np.array(whole)).max() < 0.3
