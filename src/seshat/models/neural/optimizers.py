"""What optimizers keep: bytes of their states, and what a step takes for a moment."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from seshat.core.errors import UsageError

Shape = tuple[int, ...]
_BLOCK = 256
"""Numbers that share a constant in 8-bit states, and the smallest parameter that has such states is 4,096 long
(Dettmers et al. 2022, https://arxiv.org/abs/2110.02861; bitsandbytes)."""
_SMALL = 4_096
_STATES = {"adamw": 2, "ademamix": 3, "lion": 1, "adagrad": 1, "rmsprop": 1, "sgd": 0, "stable_adamw": 2}
"""Numbers kept for each that is trained, by the first word of the name."""
_WORDS = re.compile(r"^(paged_)?(?P<kind>stable_adamw|[a-z]+?)(_torch|_bnb|_anyprecision|_apex)?(_.*)?$")


def states(name: str, shapes: Iterable[Shape]) -> int:
    """Bytes that an optimizer keeps between steps, for parameters in float32.

    Args:
        name: as Transformers calls it, such as ``adamw_torch``, ``adafactor`` or ``paged_adamw_8bit``.
        shapes: of everything that is trained.

    Raises:
        UsageError: Transformers has no such optimizer, or it is one that no plan can be made for.
    """
    kind = _kind(name)
    if kind == "adafactor":
        # Sums over rows and columns instead of a whole matrix (Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235)
        return sum(
            4 * (math.prod(s[:-1]) + math.prod((*s[:-2], s[-1])) if len(s) > 1 else math.prod(s)) for s in shapes
        )
    return _STATES[kind] * sum(_one(math.prod(shape), name) for shape in shapes)


def _one(size: int, name: str) -> int:
    """Bytes of one state of one parameter."""
    bits = 8 if "8bit" in name else 4 if "4bit" in name else 32
    if bits == 32 or size < _SMALL:
        return 4 * size
    return size * bits // 8 + 4 * -(-size // _BLOCK)


def scratch(name: str, shapes: Sequence[Shape], device: str) -> int:
    """Bytes that a step takes for a moment, beside states and gradients.

    On CUDA, torch's own optimizers work on all parameters together (``foreach``) and need a copy of them; otherwise one
    parameter after the other: AdamW two copies of the largest, Adafactor the update, its square and what is taken away.
    """
    kind = _kind(name)
    sizes = [4 * math.prod(shape) for shape in shapes]
    if kind == "adafactor":
        return 3 * max(sizes, default=0)
    if "8bit" in name or "4bit" in name or "paged" in name or "fused" in name:
        return 0
    return sum(sizes) if device == "cuda" else 2 * max(sizes, default=0)


def _kind(name: str) -> str:
    from transformers.training_args import OptimizerNames

    from seshat.config.explain import did_you_mean

    known = [one.value for one in OptimizerNames]
    if name not in known:
        raise UsageError(f"train.finetune.optimizer: Transformers has no '{name}'{did_you_mean(name, known) or '.'}")
    match = _WORDS.match(name)
    kind = match["kind"] if match else name
    if kind not in _STATES and kind != "adafactor":
        raise UsageError(
            f"train.finetune.optimizer: how much memory '{name}' takes is not known here.",
            "It can be trained with. To plan, name another one, such as adamw_torch.",
        )
    return kind
