"""Attention as plain products of matrices, for models that write in bfloat16 on a CPU.

PyTorch's fused kernel does not multiply in bfloat16 there: over the 1500 places that Whisper
hears, a query of one token takes it seven times as long as the products do (torch 2.8 to 2.13).
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

__all__ = ["by_products", "use_products"]

_NAME = "products"
_FEW = 16
"""Queries up to which the scores of all heads are small enough to be held at once."""


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


def use_products(model: Any) -> None:
    """Let a Whisper attend so from now on, in inference alone."""
    AttentionInterface.register(_NAME, by_products)
    AttentionMaskInterface.register(_NAME, eager_mask)
    model.set_attn_implementation(_NAME)
