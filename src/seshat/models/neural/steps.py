"""What the Trainer is told about its steps: the order of the examples, the loss, how fast embeddings learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from seshat.models.neural.preflight import MASKED

POOL = 50
"""Batches among which examples of like length are put together."""


class Order:
    """The order of the examples: a function of seed and epoch alone, whatever the process has done before.

    Args:
        size: examples.
        lengths: of the examples, to put those of like length in a batch; ``None`` not to.
        batch: examples in a step.
        seed: of the phase.
    """

    def __init__(self, size: int, lengths: Sequence[int] | None, batch: int, seed: int) -> None:
        self.size, self.lengths, self.batch, self.seed, self.epoch = size, lengths, batch, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """What the data loader calls before every pass."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[int]:
        import torch

        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order: list[int] = torch.randperm(self.size, generator=generator).tolist()
        if self.lengths is None:
            return iter(order)
        pool = POOL * self.batch
        lengths = [-length for length in self.lengths]
        order = [i for at in range(0, self.size, pool) for i in sorted(order[at : at + pool], key=lengths.__getitem__)]
        full = self.size // self.batch
        batches = torch.randperm(full, generator=generator).tolist()
        longest = min(range(full), key=lambda b: lengths[order[b * self.batch]], default=0)
        batches.sort(key=lambda b: b != longest)  # what does not fit into memory shows at the first step
        rest = order[full * self.batch :]
        return iter([*(i for b in batches for i in order[b * self.batch : (b + 1) * self.batch]), *rest])


def token_mean(smoothing: float) -> Callable[[Any, Any, Any], Any]:
    """The loss of models whose labels stand where their logits do: the mean over all trained tokens of a step.

    T5, M2M-100 and XLM-R take the mean of each micro-batch, and the Trainer adds these up as if they were parts of one
    mean: with four micro-batches in a step, loss and gradients come out four times too large.

    Args:
        smoothing: label smoothing, 0 to 1.
    """

    def loss(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        import torch

        logits = outputs["logits"].float().flatten(0, -2)
        total = torch.nn.functional.cross_entropy(
            logits, labels.flatten(), ignore_index=MASKED, reduction="sum", label_smoothing=smoothing
        )
        return total / ((labels != MASKED).sum() if num_items_in_batch is None else num_items_in_batch)

    return loss


def slow_embeddings(optimizer: Any, share: float, model: Any) -> None:
    """Give the embeddings a learning rate of their own, a share of that of their group.

    Args:
        optimizer: of torch, before its schedule is made.
        share: of the learning rate, above 0 and at most 1.
        model: whose embeddings, and output layer where it is another one.
    """
    ends = [model.get_input_embeddings(), model.get_output_embeddings()]
    own = {id(one) for layer in ends if layer is not None for one in layer.parameters() if one.requires_grad}
    for group in list(optimizer.param_groups):
        slow = [one for one in group["params"] if id(one) in own]
        if slow:
            group["params"] = [one for one in group["params"] if id(one) not in own]
            optimizer.add_param_group({**group, "params": slow, "lr": share * group["lr"]})
