"""How a Whisper attends while it writes: faster than transformers does, and the same.

What several beams of an utterance hear is the same; transformers keeps it once for each of them and
copies all of it for every token, 184 MB of Whisper base for five beams.  Here it is kept and read
once.

In bfloat16 on a CPU, attention is plain products of matrices.  PyTorch's fused kernel does not
multiply in bfloat16 there: over the 1500 places that Whisper hears, a query of one token takes it
seven times as long as the products do (torch 2.8 to 2.13).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import eager_mask, sdpa_mask

__all__ = ["by_products", "use_fused", "use_products"]

Attention = Callable[..., tuple[torch.Tensor, None]]

_FEW = 16
"""Queries up to which the scores of all heads are small enough to be held at once."""


def use_products(model: Any, beam: int) -> None:
    """Let a Whisper attend by products from now on, in inference alone, with so many beams."""
    _attend_by(model, "products", by_products, eager_mask, beam)


def use_fused(model: Any, beam: int) -> None:
    """Let a Whisper attend by PyTorch's kernel from now on, with so many beams."""
    _attend_by(model, "fused", sdpa_attention_forward, sdpa_mask, beam)


def _attend_by(model: Any, name: str, attend: Attention, mask: Any, beam: int) -> None:
    AttentionInterface.register(name, _for_beams(attend))
    AttentionMaskInterface.register(name, mask)
    model.set_attn_implementation(name)
    model._reorder_cache = partial(_reorder, beam=beam)  # noqa: SLF001  # transformers asks for it


def by_products(
    _module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float = 1.0,
    **_others: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of (batch, heads, places, width) without dropout; (batch, queries, heads, width).

    What it is given and gives back is what transformers asks of an attention.
    """
    if query.shape[2] <= _FEW:
        heard = _attend(query, key, value, attention_mask, scaling)
        return heard.transpose(1, 2).contiguous(), None
    heard = torch.empty_like(query)
    for i in range(query.shape[0]):
        mask = None if attention_mask is None else attention_mask[i % len(attention_mask), 0]
        # A head at a time: its scores stay in the processor's cache.
        for j in range(query.shape[1]):
            heard[i, j] = _attend(query[i, j], key[i, j], value[i, j], mask, scaling)
    return heard.transpose(1, 2).contiguous(), None


def _attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float,
) -> torch.Tensor:
    scores = (query * scaling) @ key.transpose(-1, -2)
    if mask is not None:
        scores = scores + mask[..., : key.shape[-2]]
    return torch.softmax(scores, dim=-1) @ value


def _for_beams(attend: Attention) -> Attention:
    """The same attention, also over keys and values that several beams have in common."""

    @wraps(attend)
    def over(
        module: Any, query: torch.Tensor, key: torch.Tensor, *given: Any, **more: Any
    ) -> tuple[torch.Tensor, None]:
        n_heard, (n_asked, heads, places, width) = len(key), query.shape
        if n_heard == n_asked:
            return attend(module, query, key, *given, **more)
        # The beams of an utterance ask side by side, as if they were places of one text.
        asked = query.view(n_heard, -1, heads, places, width).transpose(1, 2).flatten(2, 3)
        told, _ = attend(module, asked, key, *given, **more)
        return told.reshape(n_asked, places, heads, width), None

    return over


def _reorder(past: Any, beams: torch.Tensor, *, beam: int) -> Any:
    """The cache of transformers after beams took the places of others.

    They do so within their utterance, so what was heard need not move.
    """
    past.self_attention_cache.reorder_cache(beams)
    for heard in past.cross_attention_cache.layers:
        if len(heard.keys) == len(beams):
            heard.keys = heard.keys[::beam].contiguous()
            heard.values = heard.values[::beam].contiguous()
    return past
