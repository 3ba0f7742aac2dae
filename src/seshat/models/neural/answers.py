"""The loss of decoders on their answers, without TRL's head where that one is slow.

TRL's fused head computes logits in tiles, and again in the backward pass, beside entropies and accuracies. With Triton
it does so for the tokens that are trained; elsewhere for every token of every row, which takes a small model on a CPU
about a fifth longer than plain Transformers (benchmarks/training.py). There, logits of the answers alone, at once, are
faster and no larger; only where a vocabulary is so large that they would be, TRL's tiles stay.
"""

from __future__ import annotations

import inspect
from typing import Any

from seshat.models.neural.preflight import MASKED

LARGEST = 2**26
"""Logits computed at once: 256 MiB in float32, and as much again for what the loss makes of them."""


def is_direct(model: Any, device: str, rows: int, positions: int) -> bool:
    """Whether the logits of the answers are computed at once.

    Args:
        model: the decoder, with or without adapters.
        device: type of the device.
        rows: of the batch.
        positions: tokens of a row from the first answer on.
    """
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    known = "logits_to_keep" in inspect.signature(type(inner).forward).parameters
    return known and device != "cuda" and rows * positions * inner.config.get_text_config().vocab_size <= LARGEST


def summed(model: Any, head: Any, inputs: dict[str, Any], labels: Any, positions: int) -> Any:
    """Negative log-likelihood of the answers, summed over their tokens.

    Args:
        model: the decoder, perhaps wrapped.
        head: its layer that makes logits (``get_output_embeddings``).
        inputs: what it reads, without labels.
        labels: (rows, tokens), of the tokens themselves as collators give them.
        positions: at how many of the last tokens logits are computed: from the one before the first answer on.
    """
    from torch.nn.functional import cross_entropy, pad

    # The last positions of all rows are no block of memory, and for such a one torch copies the head's weights for each
    # row (in bfloat16, on CPUs): more than the logits take.
    with head.register_forward_pre_hook(lambda _head, given: (given[0].contiguous(),)):
        logits = model(**inputs, use_cache=False, logits_to_keep=positions).logits.float()
    following = pad(labels[:, 1:], (0, 1), value=MASKED)[:, -positions:]
    return cross_entropy(logits.flatten(0, 1), following.flatten(), ignore_index=MASKED, reduction="sum")


def loss(trainer: Any, model: Any, inputs: dict[str, Any]) -> tuple[Any, Any] | None:
    """The loss of a micro-batch, summed, and how many tokens it is of; ``None`` to leave it to TRL.

    Args:
        trainer: the Trainer, whose accelerator may have wrapped the model.
        model: the decoder, perhaps wrapped.
        inputs: of the micro-batch, with ``labels``.
    """
    labels = inputs["labels"]
    trained = labels[:, 1:] != MASKED
    starts = trained.any(0).nonzero()
    positions = labels.shape[1] - int(starts[0]) if len(starts) else 0
    plain = trainer.accelerator.unwrap_model(model)
    if not positions or not is_direct(plain, labels.device.type, len(labels), positions):
        return None
    rest = {name: value for name, value in inputs.items() if name != "labels"}
    return summed(model, plain.get_output_embeddings(), rest, labels, positions), trained.sum()
