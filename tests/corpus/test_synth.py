from __future__ import annotations

import ctypes
import itertools
import json
import sys
import tempfile
from pathlib import Path

import mutagen
import numpy as np
import pytest
from numpy.typing import NDArray

from corpus import media, text
from corpus.errors import CanteError, MediaError, UsageError
from corpus.synth import espeak
from corpus.synth.band import accompany
from corpus.synth.coplas import COPLAS, PALOS, coplas_of
from corpus.synth.make import make_cante, make_cantes, sing_lines, write_cante
from corpus.synth.singers import SINGERS
from corpus.synth.truth import Cante, Span, SungVerse
from corpus.synth.voice import speak

RATE = media.SAMPLE_RATE
LINES = ("Fui piedra y perdí mi centro", "y me arrojaron al mar")


@pytest.fixture(scope="module")
def cante() -> Cante:
    return make_cante(seed=7, verses=2)


@pytest.fixture(scope="module")
def alone() -> tuple[SungVerse, NDArray[np.float32]]:
    return sing_lines(LINES, seed=1)


def loudness(audio: NDArray[np.float32], start: float, end: float) -> float:
    part = audio[round(start * RATE) : round(end * RATE)].astype(float)
    return float(np.sqrt(np.mean(part**2)))


def first_sound(audio: NDArray[np.float32], after: float) -> float:
    """When the level first reaches a thirtieth of the voice's; seconds."""
    begin = round(after * RATE)
    blocks = audio[begin : begin + RATE].astype(float).reshape(-1, 80)
    levels = np.sqrt((blocks**2).mean(axis=1))
    return after + float(np.argmax(levels > 0.003)) * 80 / RATE


def median_pitch(audio: NDArray[np.float32]) -> float:
    import pyworld

    pitch, times = pyworld.dio(audio.astype(float), RATE, f0_floor=80, f0_ceil=600)
    pitch = pyworld.stonemask(audio.astype(float), pitch, times, RATE)
    return float(np.median(pitch[pitch > 0]))


# ---- the coplas


def test_there_are_24_different_coplas_four_of_each_palo() -> None:
    assert len({copla.lines for copla in COPLAS}) == len(COPLAS) == 24
    assert [len(coplas_of(palo)) for palo in PALOS] == [4] * 6
    assert coplas_of("rumba") == ()


def test_there_are_at_least_six_different_singers() -> None:
    assert len({singer.voice for singer in SINGERS}) == len(SINGERS) >= 6
    assert {singer.sex for singer in SINGERS} == {"f", "m"}


@pytest.mark.parametrize("voice", ["es+m3", "es-419+f2"])
def test_every_word_of_every_copla_has_its_own_times(voice: str) -> None:
    for line in (line for copla in COPLAS for line in copla.lines):
        words = speak(line, voice).words
        assert [word.text for word in words] == line.split()
        assert all(word.start < word.end for word in words)
        assert all(a.end <= b.start for a, b in itertools.pairwise(words))


# ---- one voice alone


@pytest.mark.parametrize("voice", [singer.voice for singer in SINGERS])
def test_the_same_line_sounds_the_same_whatever_was_said_before(voice: str) -> None:
    first = speak(LINES[0], voice).samples
    speak("otra cosa", "es-419+f1")
    assert np.array_equal(first, speak(LINES[0], voice).samples)


def test_words_with_punctuation_keep_it() -> None:
    words = speak("¡Ay, mare, qué pena!", "es+m3").words
    assert [word.text for word in words] == ["¡Ay,", "mare,", "qué", "pena!"]


def test_lines_begin_to_sound_where_the_truth_says(
    alone: tuple[SungVerse, NDArray[np.float32]],
) -> None:
    verse, audio = alone
    before = [0.0, *(line.end + 0.1 for line in verse.sung)]
    for line, after in zip(verse.sung, before, strict=False):
        assert first_sound(audio, after) == pytest.approx(line.start, abs=0.03)


def test_a_word_begins_with_its_burst_after_the_closure(
    alone: tuple[SungVerse, NDArray[np.float32]],
) -> None:
    verse, audio = alone
    piedra = verse.sung[0].words[1]
    assert loudness(audio, piedra.start - 0.03, piedra.start - 0.01) < 0.01
    assert first_sound(audio, piedra.start - 0.03) == pytest.approx(piedra.start, abs=0.02)


def test_a_line_is_stretched_by_as_much_as_asked() -> None:
    spoken = speak(LINES[0], SINGERS[0].voice).words
    verse, _ = sing_lines(LINES[:1], stretch=2.0)
    sung = verse.end - verse.start
    assert sung == pytest.approx(2.0 * (spoken[-1].end - spoken[0].start), rel=0.01)


def test_the_voice_sings_within_an_octave_over_the_singers_mi() -> None:
    low, high = SINGERS[6], SINGERS[5]
    heard = [median_pitch(sing_lines(LINES[:1], singer)[1]) for singer in (low, high)]
    assert low.tonic < heard[0] < 2 * low.tonic
    assert high.tonic < heard[1] < 2 * high.tonic
    assert heard[1] > 1.5 * heard[0]


# ---- a whole cante


def test_the_same_seed_gives_the_same_samples_and_another_seed_others(cante: Cante) -> None:
    again = make_cante(seed=7, verses=2)
    assert again == cante
    assert np.array_equal(again.audio, cante.audio)
    assert make_cante(seed=8, verses=1, band=False).words != cante.words


def test_the_words_are_in_order_and_within_the_audio(cante: Cante) -> None:
    assert all(0 < word.start < word.end < cante.duration for word in cante.words)
    assert all(a.end <= b.start for a, b in itertools.pairwise(cante.words))


def test_every_written_line_is_sung_and_a_second_time_is_marked(cante: Cante) -> None:
    for verse in cante.verses:
        firsts = [line.text for line in verse.sung if not line.repeat]
        assert tuple(firsts) == verse.lines
        assert any(line.repeat for line in verse.sung)
        for line in verse.sung:
            assert [word.text for word in line.words] == line.text.split()
            assert (line.start, line.end) == (line.words[0].start, line.words[-1].end)


def test_there_is_voice_where_words_are_and_silence_between_without_a_band() -> None:
    sung = make_cante(seed=3, verses=1, band=False, repeats=False)
    lines = sung.verses[0].sung
    assert all(loudness(sung.audio, word.start, word.end) > 0.01 for word in sung.words)
    assert all(
        loudness(sung.audio, a.end + 0.15, b.start - 0.05) < 1e-4
        for a, b in itertools.pairwise(lines)
    )
    assert sung.falsetas == ()
    assert not any(line.repeat for line in lines)


def test_quejios_and_falsetas_lie_outside_the_verses(cante: Cante) -> None:
    spans = [*cante.quejios, *cante.falsetas]
    assert len(cante.quejios) == 1
    assert len(cante.falsetas) == 3
    for span in spans:
        assert loudness(cante.audio, span.start, span.end) > 0.01
        assert all(span.end <= v.start or v.end <= span.start for v in cante.verses)
    assert make_cante(seed=7, verses=1, band=False, quejio=False).quejios == ()


def test_the_audio_is_float32_and_does_not_clip(cante: Cante) -> None:
    assert cante.audio.dtype == np.float32
    assert 0.1 < np.abs(cante.audio).max() < 0.9


def test_the_guitar_is_softer_under_the_voice_and_plays_in_tune() -> None:
    falseta = Span(start=0.0, end=6.0)
    track = accompany(
        12 * RATE,
        tonic=110.0,
        palo="soleá",
        falsetas=[falseta],
        rng=np.random.default_rng(0),
    ).astype(np.float32)
    assert loudness(track, 6.5, 12) < 0.7 * loudness(track, 0, 6)
    spectrum = np.abs(np.fft.rfft(track))
    mi = 10 * np.argmax(spectrum[12 * 210 : 12 * 230]) / 120 + 210
    assert mi == pytest.approx(220, rel=0.01)


def test_cantes_take_turns_of_singers_palos_and_titles() -> None:
    made = list(make_cantes(7, seed=2, verses=1, band=False))
    assert len({cante.singer for cante in made}) == 7
    assert [cante.palo for cante in made] == [*PALOS, PALOS[0]]
    assert len({cante.title for cante in made}) == 7
    assert [cante.name for cante in made][::6] == ["cante-01", "cante-07"]


@pytest.mark.parametrize("n", [-1, 0, 25])
def test_more_cantes_than_coplas_are_refused(n: int) -> None:
    with pytest.raises(UsageError, match="ask for 1 to 24"):
        next(make_cantes(n))


# ---- files


def test_written_files_carry_tags_letra_and_truth(cante: Cante, tmp_path: Path) -> None:
    audio, letra, truth = write_cante(cante, tmp_path / "new")
    tags = mutagen.File(audio, easy=True)
    assert tags["title"] == [cante.title]
    assert tags["artist"] == [cante.singer]
    assert tags["date"] == [str(cante.year)]
    assert tags["album"]
    assert letra.stem == cante.title
    written = text.stanzas(letra.read_text(encoding="utf-8"))
    assert written == tuple(verse.lines for verse in cante.verses)
    told = json.loads(truth.read_text(encoding="utf-8"))
    assert "audio" not in told
    assert told["verses"][0]["sung"][0]["words"][0]["text"] == cante.words[0].text
    assert told["quejios"][0]["start"] == cante.quejios[0].start


def test_the_mp3_is_not_shifted_against_the_truth(cante: Cante, tmp_path: Path) -> None:
    audio, _, _ = write_cante(cante, tmp_path)
    with media.decoded_copy(audio) as decoded:
        assert decoded.n_samples / RATE == pytest.approx(cante.duration, abs=0.05)
        heard = decoded.read(0, 20 * RATE).astype(float)
    meant = cante.audio[: 20 * RATE].astype(float)
    spectra = np.fft.rfft(heard, 40 * RATE) * np.conj(np.fft.rfft(meant, 40 * RATE))
    assert np.argmax(np.fft.irfft(spectra)) <= 0.01 * RATE


def test_without_ffmpeg_nothing_is_written(
    cante: Cante, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pydub import AudioSegment

    monkeypatch.setattr(AudioSegment, "converter", "no-such-program")
    with pytest.raises(MediaError, match="install FFmpeg"):
        write_cante(cante, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_ffmpeg_that_fails_is_told_and_nothing_is_written(
    cante: Cante, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pydub import AudioSegment

    target, scratch = tmp_path / "target", tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))  # pydub leaves its own files there
    monkeypatch.setattr(AudioSegment, "converter", "false")
    with pytest.raises(MediaError, match="cannot write"):
        write_cante(cante, target)
    assert list(target.iterdir()) == []


# ---- what can fail


@pytest.mark.parametrize("package", ["espeakng_loader", "pyworld"])
def test_a_missing_package_is_named_with_the_way_to_get_it(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(CanteError, match="uv sync --group demo"):
        sing_lines(("nunca cantada hasta hoy",))


def test_a_library_that_does_not_load_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise OSError("wrong ELF class")

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    with pytest.raises(CanteError, match="uv sync --group demo"):
        espeak.synthesise("ay", "es", 130)


def test_a_library_without_its_data_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import espeakng_loader

    monkeypatch.setattr(espeakng_loader, "get_data_path", lambda: str(tmp_path))
    with pytest.raises(CanteError, match="finds no data"):
        espeak.synthesise("ay", "es", 130)


def test_an_unknown_voice_is_told() -> None:
    with pytest.raises(CanteError, match="no voice 'xx'"):
        speak("ay", "xx")


@pytest.mark.parametrize("line", ["", "ay - ay"])
def test_a_line_without_words_or_with_a_bare_sign_is_told(line: str) -> None:
    with pytest.raises(CanteError, match=r"give a line|does not say it"):
        sing_lines((line,))
