from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers.integrations.sdpa_attention import sdpa_attention_forward

import train.device
from corpus.errors import ModelError
from corpus.models import cache_folder
from tests.train.made import tone
from train.attention import by_products, use_fused, use_products
from train.backends import BACKENDS, open_backend
from train.device import in_bfloat16
from train.fast_writer import FastWriter, converted
from train.whisper import open_whisper
from train.writer import Writer

SOUNDS = [tone(1.0), tone(2.5, 330.0), np.zeros(16_000, np.float32)]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANTE_MODELS", str(tmp_path / "models"))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("beam", [1, 5])
def test_many_at_once_is_one_by_one(tiny_whisper: Path, backend: str, beam: int) -> None:
    made = open_backend(backend, tiny_whisper, language="es", device="cpu", beam=beam)  # type: ignore[arg-type]  # a parameter of tests is text
    together = made.write(SOUNDS)
    assert len(together) == len(SOUNDS)
    assert together == [made.write([sound])[0] for sound in SOUNDS]


def test_real_whisper_writes_the_same_by_both(whisper_base_hf: Path) -> None:
    """Of what is no speech, greedily: silence may be answered with nothing."""
    slow = Writer.open(whisper_base_hf, device="cpu").write(SOUNDS)
    fast = FastWriter(whisper_base_hf, device="cpu").write(SOUNDS)
    assert fast == slow


def test_a_conversion_is_made_once_and_kept_by_its_content(tiny_whisper: Path) -> None:
    folder = converted(tiny_whisper)
    assert folder.is_relative_to(cache_folder())
    made = (folder / "config.json").stat().st_mtime_ns
    assert converted(tiny_whisper) == folder
    assert (folder / "config.json").stat().st_mtime_ns == made


def test_a_language_that_it_does_not_know(tiny_whisper: Path) -> None:
    with pytest.raises(ModelError, match="no token"):
        FastWriter(tiny_whisper, language="caló", device="cpu")


@pytest.mark.parametrize("queries", [1, 4, 40])
@pytest.mark.parametrize("masked", [False, True])
def test_products_are_the_fused_attention(queries: int, masked: bool) -> None:
    import torch

    torch.manual_seed(0)
    query = torch.randn(3, 2, queries, 8)
    key, value = torch.randn(3, 2, 50, 8), torch.randn(3, 2, 50, 8)
    mask = torch.randn(3, 1, queries, 50) if masked else None
    wanted = torch.nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, scale=0.5
    )
    found, weights = by_products(None, query, key, value, mask, scaling=0.5)
    assert weights is None
    assert torch.allclose(found, wanted.transpose(1, 2), atol=1e-5)


@pytest.mark.parametrize("beam", [1, 3])
@pytest.mark.parametrize(("use", "name"), [(use_products, "products"), (use_fused, "fused")])
def test_a_model_that_attends_so_writes_the_same(
    tiny_whisper: Path, beam: int, use: Callable[[Any, int], None], name: str
) -> None:
    whisper = open_whisper(tiny_whisper)
    wanted = Writer(whisper, beam=beam).write(SOUNDS)
    use(whisper.model, beam)
    attention = whisper.model.model.decoder.layers[0].encoder_attn
    assert attention.config._attn_implementation == name
    assert Writer(whisper, beam=beam).write(SOUNDS) == wanted


def test_beams_hear_by_one_copy(tiny_whisper: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    seen: set[tuple[int, int, int]] = set()

    def attend(
        module: Any, query: torch.Tensor, key: torch.Tensor, *given: Any, **more: Any
    ) -> Any:
        if module.is_decoder and not module.is_causal:
            seen.add((len(query), query.shape[2], len(key)))
        return sdpa_attention_forward(module, query, key, *given, **more)

    monkeypatch.setattr("train.attention.sdpa_attention_forward", attend)
    Writer.open(tiny_whisper, device="cpu", beam=3).write(SOUNDS)
    n = len(SOUNDS)
    (first, *_), later = sorted(seen, reverse=True), (n, 3, n)
    assert first[::2] == (3 * n, 3 * n)  # the prompt, before any beam has moved
    assert later in seen
    assert len(seen) == 2


def test_half_the_bits_are_taken_where_they_are_asked_for(
    tiny_whisper: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    assert not in_bfloat16("float32", "cpu")
    assert not in_bfloat16("auto", "mps")
    told = tmp_path / "cpuinfo"
    monkeypatch.setattr(train.device, "_TOLD", told)
    assert not in_bfloat16("auto", "cpu")  # no such file: not Linux
    for flags, expected in (
        ("fpu amx_bf16 sse", True),
        ("fpu avx512_bf16 sse", True),
        ("fpu avx512f avx512bw sse", False),  # it would only imitate
    ):
        told.write_text(f"flags\t: {flags}\n", "ascii")
        assert in_bfloat16("auto", "cpu") is expected
    seen: list[bool] = []
    real = torch.nn.functional.conv1d

    def conv1d(*given: torch.Tensor, **named: object) -> torch.Tensor:
        made: torch.Tensor = real(*given, **named)  # type: ignore[call-overload]  # as it came
        seen.append(made.dtype == torch.bfloat16)
        return made

    for precision in ("float32", "bfloat16"):
        writer = Writer.open(tiny_whisper, device="cpu", precision=precision)
        with monkeypatch.context() as patch:
            patch.setattr(torch.nn.functional, "conv1d", conv1d)
            assert len(writer.write(SOUNDS)) == len(SOUNDS)
    assert seen[0] is False
    assert seen[-1] is True
