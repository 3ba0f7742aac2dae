"""What kernels of other devices keep for the backward pass, for rehearsals that run on none of them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock


@contextmanager
def kernels(device: str) -> Iterator[None]:
    """Attention and dropout as a device does them, while the block runs; on the CPU torch does them itself.

    The functions are replaced, because a mode of torch (``TorchFunctionMode``) is not entered again where activations
    are computed a second time.
    """
    from torch.nn import functional

    if device == "cpu":
        yield
        return
    attention = functools.partial(_attention, device)
    with ExitStack() as stack:
        stack.enter_context(mock.patch.multiple(functional, scaled_dot_product_attention=attention, dropout=_dropout))
        if device == "cuda":
            # TRL's head folds each tile of logits in place there (Triton), and multiplies without copies in float32.
            names = ("_forward_tile", "_backward_tile", "_addmm_fp32")
            in_place: dict[str, Any] = dict.fromkeys(names, lambda *_arguments, **_options: None)
            patches: Any = mock.patch.multiple("trl.kernels.chunked_logprob", **in_place)
            stack.enter_context(patches)
        yield


def _dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:  # noqa: A002, ARG001
    """As GPUs do it: a mask of one byte an element is kept (the CPU keeps one in the type of the input)."""
    import torch

    return torch.native_dropout(input, p, True)[0] if training and p else input


def _attention(
    device: str,
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """As CUDA does it: memory linear in the length (flash or memory-efficient kernels); MPS keeps all weights."""
    import torch

    if device == "mps":
        return torch.ops.aten._scaled_dot_product_attention_math(
            query, key, value, attn_mask, dropout_p, is_causal, None, scale=scale, enable_gqa=enable_gqa
        )[0]
    if enable_gqa and (attn_mask is not None or query.dtype == torch.float32):
        key, value = (one.repeat_interleave(query.shape[1] // one.shape[1], 1) for one in (key, value))
    if attn_mask is None and query.dtype != torch.float32:
        # The flash kernels of all devices keep the inputs, the output and a number a row; dropout keeps only a seed.
        return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(query, key, value, 0.0, is_causal)[0]
    if attn_mask is not None:
        if attn_mask.dtype == torch.bool:
            attn_mask = torch.zeros(attn_mask.shape, dtype=query.dtype)
        attn_mask = attn_mask.expand(*query.shape[:-1], key.shape[-2])
    return torch.ops.aten._scaled_dot_product_efficient_attention(
        query, key, value, attn_mask, True, dropout_p, is_causal, scale=scale
    )[0]
