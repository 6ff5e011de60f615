from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from align.draft import Drafter, blocks, made_up, repeats
from corpus.errors import ModelError
from corpus.media import ArraySamples
from tests.align.toys import noise


def test_blocks_cover_the_audio_and_end_where_it_is_quietest() -> None:
    samples = noise(100).read(0, 1_600_000).copy()
    samples[16000 * 35 : 16000 * 36] = 0
    found = list(blocks(ArraySamples(samples), seconds=40))
    assert found[0][0] == 0
    assert found[-1][1] == 1_600_000
    assert all(a[1] == b[0] for a, b in pairwise(found))
    assert all(0 < end - begin <= 40 * 16000 for begin, end in found)
    assert 35 <= found[0][1] / 16000 <= 36


def test_short_audio_is_one_block_and_none_is_none() -> None:
    assert list(blocks(noise(3))) == [(0, 48000)]
    assert list(blocks(ArraySamples(np.zeros(0, np.float32)))) == []


@pytest.mark.parametrize(
    ("text", "over_and_over"),
    [
        ("ay ay ay ay ay ay ay", True),
        ("ole que si ole que si ole que si", True),
        ("ay ay ay ay", False),
        ("que toma que toma y a la mar", False),
        ("", False),
    ],
)
def test_one_phrase_over_and_over_is_noticed(text: str, over_and_over: bool) -> None:
    assert repeats(text) is over_and_over


@pytest.mark.parametrize(
    "text",
    [
        "Subtítulos realizados por la comunidad de Amara.org",
        "Subtítulos por la comunidad de Amara.org",
        "¡Gracias por ver el video!",
        "Gracias por ver.",
        "Muchas gracias por su atención.",
        "Suscríbete al canal y activa la campanita",
        "¡No olvides suscribirte!",
        "Más información www.alimmenta.com",
        "[Música]",
        "Música de fondo",
        "(Aplausos)",
        "Traducido por María",
        "Nos vemos en el próximo video.",
    ],
)
def test_what_whisper_makes_up_of_music_is_known(text: str) -> None:
    assert made_up(text)


@pytest.mark.parametrize(
    "text",
    [
        "Gracias le doy a Dios",
        "gracias por quererme tanto",
        "la música de tus ojos",
        "en silencio te quería",
        "el canal de la Viña",
        "hasta la próxima vida",
        "yo no sé por qué te ríes",
        "",
    ],
)
def test_what_is_sung_is_none_of_it(text: str) -> None:
    assert not made_up(text)


class Scripted:
    """A Whisper that says the same of every block."""

    def __init__(self, *said: tuple[str, float, float]) -> None:
        self.said = [SimpleNamespace(text=t, start=s, end=e) for t, s, e in said]
        self.heard: list[int] = []

    def transcribe(
        self, audio: NDArray[np.float32], **options: object
    ) -> tuple[list[object], object]:
        assert options["vad_filter"] is options["condition_on_previous_text"] is False
        self.heard.append(len(audio))
        return list(self.said), None


def drafter(model: Scripted) -> Drafter:
    made = Drafter.__new__(Drafter)
    made.language, made._model = "es", model
    return made


def test_times_are_those_of_the_recording_and_inside_it() -> None:
    told: list[float] = []
    said = Scripted(
        (" ay mi niña", 1.0, 2.0), ("", 2, 3), (" la la la la la la", 3, 4), ("fin", 5, 999)
    )
    found = drafter(said).transcribe(noise(400), told.append)
    assert [s.text for s in found] == ["ay mi niña", "fin"] * 2
    assert sum(said.heard) == 400 * 16000
    second = said.heard[0] / 16000
    assert found[2].start == pytest.approx(second + 1)
    assert found[1].end == pytest.approx(second)
    assert found[3].end == 400
    assert told[-1] == 1.0


def test_noise_gives_segments_inside_it_or_none(whisper_base_ct2: Path) -> None:
    found = Drafter(whisper_base_ct2, device="cpu").transcribe(noise(3, level=0.01))
    assert all(0 <= s.start <= s.end <= 3 and s.text.strip() for s in found)
    assert len(found) <= 2


def test_a_language_that_whisper_does_not_know_is_told(whisper_base_ct2: Path) -> None:
    with pytest.raises(ModelError, match=r"knows no language 'ga': do without drafts .* cy, da"):
        Drafter(whisper_base_ct2, "ga", "cpu")


def test_a_folder_without_a_model_raises(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no model\.bin"):
        Drafter(tmp_path, device="cpu")
    (tmp_path / "model.bin").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot be read"):
        Drafter(tmp_path, device="cpu")


def test_a_device_that_is_not_there_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: 0)
    with pytest.raises(ModelError, match="no CUDA device"):
        Drafter(tmp_path, device="cuda")
