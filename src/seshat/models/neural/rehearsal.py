"""A training step without data, weights or a device: what memory it would take.

The step is carried out by torch on fake tensors, which have a shape and a type and no content, and every tensor that
it makes is entered in a ledger until it is freed. That is the counting of Korthikanti et al. 2022 (*Reducing Activation
Recomputation in Large Transformer Models*, section 4.1: what each operation keeps for the backward pass), done by the
autograd engine instead of by hand, so it holds for any architecture, adapters, checkpointing and loss. Nothing in it
is fitted to measurements.

What kernels keep depends on the device: attention and dropout are rehearsed as the device in question does them.

The layers of a stack are alike, so a few of them are rehearsed and the rest is added in proportion.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

from seshat.config.families import Family
from seshat.models.neural import answers
from seshat.models.neural.kernels import kernels

BLOCK = 512
"""CUDA's allocator rounds every tensor up to this many bytes."""


@dataclass(frozen=True)
class Load:
    """One micro-batch."""

    batch: int
    length: int
    """Tokens a row, padding included."""
    target: int | None = None
    """Tokens a row on the decoder's side, for encoder-decoders; for decoders those from the first answer on."""


@dataclass(frozen=True)
class Peak:
    """Live bytes at the worst moment of forward and backward, weights not counted."""

    total: int
    gradients: int
    logits: int
    """Tensors over the whole vocabulary, and what the loss makes of them."""

    @property
    def activations(self) -> int:
        """What is neither gradient nor logits."""
        return self.total - self.gradients - self.logits

    def and_more(self, other: Peak, times: float) -> Peak:
        """This one and ``times`` the difference to another."""
        ours, theirs = astuple(self), astuple(other)
        return Peak(*(round(one + times * (two - one)) for one, two in zip(ours, theirs, strict=True)))


NOTHING = Peak(0, 0, 0)
_FEW = 2
"""Layers of a stack that are rehearsed, and again as many to see what they add."""


class Ledger(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of all tensors that operations make, while it is entered."""

    def __init__(self, vocabulary: int, trained: int, known: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.early = self.late = NOTHING
        """The worst moments before and after half of the parameters have their gradients: the memory falls as
        activations are freed or rises as gradients come, so the worst is at one end, and grows with the layers."""
        self._vocabulary, self._trained = vocabulary, trained
        self._live: dict[int, Any] = {}
        self._now = self._logits = self._gradients = self._reached = 0
        for tensor in known:  # there from the start: not counted, nor its views
            self._live[tensor.untyped_storage()._cdata] = tensor

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        from torch import Tensor, ops
        from torch.utils._pytree import tree_leaves

        if func is ops.prim.device.default:  # two in three calls: torch asks each fake tensor all the time
            return args[0].fake_device
        result = func(*args, **(kwargs or {}))
        if func.is_view:  # takes no memory of its own
            return result
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._enter(leaf)
        return result

    def gradient(self, parameter: Any) -> None:
        """A gradient has reached its parameter and stays: called by autograd."""
        self._gradients += _size(parameter.grad.untyped_storage())
        self._reached += 1
        self._look()

    def _enter(self, tensor: Any) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, _size(storage)
        if key in self._live or not size:
            return
        logits = tensor.dim() > 1 and tensor.shape[-1] == self._vocabulary

        def leave(_reference: Any) -> None:
            self._live.pop(key, None)
            self._now -= size
            self._logits -= size * logits

        self._live[key] = weakref.ref(storage, leave)
        self._now += size
        self._logits += size * logits
        self._look()

    def _look(self) -> None:
        moment = Peak(self._now, self._gradients, self._logits)
        if 2 * self._reached < self._trained and self._now > self.early.total:
            self.early = moment
        elif 2 * self._reached >= self._trained and self._now > self.late.total:
            self.late = moment


def _size(storage: Any) -> int:
    return -(-int(storage.nbytes()) // BLOCK) * BLOCK


@contextmanager
def fake() -> Iterator[Any]:
    """Tensors made inside have no content."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        yield mode


def rehearse(
    model: Any,
    family: Family,
    load: Load,
    *,
    device: str = "cpu",
    autocast: str | None = None,
    keep_gradients: bool = False,
    label_smoothing: float = 0.0,
) -> Peak:
    """Forward and backward of one micro-batch.

    Args:
        model: a model on fake tensors, as it stands when training begins: adapters attached, types decided.
        family: of the model.
        load: the micro-batch.
        device: whose kernels: ``cpu``, ``cuda`` or ``mps``.
        autocast: the type that operations compute in where it is not that of the weights, such as ``bfloat16``.
        keep_gradients: gradients of an earlier micro-batch are there already (accumulation).
        label_smoothing: as configured.

    Returns:
        The worst moment.
    """
    step = functools.partial(
        _step,
        family=family,
        load=load,
        device=device,
        autocast=autocast,
        keep_gradients=keep_gradients,
        label_smoothing=label_smoothing,
    )
    stacks = {name: len(layers) for name, layers in model.named_modules() if _is_stack(layers)}
    with _cut(model, dict.fromkeys(stacks, _FEW)) as few:
        early, late = found = step(few)
    for name, layers in stacks.items():
        with _cut(model, {**dict.fromkeys(stacks, _FEW), name: 2 * _FEW}) as more:
            times = (layers - _FEW) / _FEW
            early, late = (
                one.and_more(
                    Peak(*(x + y - z for x, y, z in zip(*map(astuple, (one, two, three)), strict=True))), times
                )
                for one, two, three in zip((early, late), step(more), found, strict=True)
            )
    return max(early, late, key=lambda peak: peak.total)


def _is_stack(module: Any) -> bool:
    from torch.nn import ModuleList

    alike = isinstance(module, ModuleList) and len({type(layer) for layer in module}) == 1
    return alike and len(module) > 2 * _FEW and any(True for _ in module.parameters())


@contextmanager
def _cut(model: Any, depths: dict[str, int]) -> Iterator[Any]:
    """The model with fewer layers, while the block runs."""
    from torch.nn import ModuleList

    whole = {name: model.get_submodule(name) for name in depths}
    for name, depth in depths.items():
        model.set_submodule(name, ModuleList(list(whole[name])[:depth]))
    try:
        yield model
    finally:
        for name, layers in whole.items():
            model.set_submodule(name, layers)


def _step(
    model: Any,
    family: Family,
    load: Load,
    device: str,
    autocast: str | None,
    keep_gradients: bool,
    label_smoothing: float,
) -> tuple[Peak, Peak]:
    """The worst moments before and after half of the gradients."""
    import torch

    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    vocabulary = model.config.get_text_config().vocab_size
    ledger = Ledger(vocabulary, len(trained), (*model.parameters(), *model.buffers()))
    with ExitStack() as stack:
        stack.enter_context(fake())
        stack.enter_context(kernels(device))
        stack.enter_context(ledger)
        if keep_gradients:
            for parameter in trained:
                parameter.grad = torch.zeros_like(parameter)
                ledger.gradient(parameter)
        else:
            hooks = [parameter.register_post_accumulate_grad_hook(ledger.gradient) for parameter in trained]
            stack.callback(lambda: [hook.remove() for hook in hooks])
        model.train()
        precision = torch.autocast("cpu", dtype=getattr(torch, autocast)) if autocast else None
        _loss(model, family, load, device, precision, label_smoothing).backward()
    for parameter in trained:
        parameter.grad = None
    return ledger.early, ledger.late


def _loss(model: Any, family: Family, load: Load, device: str, precision: Any, label_smoothing: float) -> Any:
    """The loss as the trainers compute it: of decoders by :mod:`.answers` or TRL's head, else the model's own."""
    import torch

    rows = torch.zeros(load.batch, load.length, dtype=torch.long)
    labels = torch.zeros(load.batch, (family.encodes and load.target) or load.length, dtype=torch.long)
    mask = torch.ones_like(rows)
    mask[0, -1] = 0  # without any padding, attention would do without a mask
    batch: dict[str, Any] = {"input_ids": rows, "attention_mask": mask, "use_cache": False}
    if family.encodes:
        batch["decoder_input_ids"] = torch.zeros_like(labels)
    if not label_smoothing:
        batch["labels"] = labels
    if family.instructed:
        batch["fused_lm_head"] = True
    if family.fills:
        del batch["use_cache"]
    with precision or torch.autocast("cpu", enabled=False):
        if family.instructed and answers.is_direct(model, device, load.batch, load.target or load.length):
            inputs = {"input_ids": rows, "attention_mask": mask}
            return answers.summed(model, model.get_output_embeddings(), inputs, labels, load.target or load.length)
        result = model(**batch)
    if family.instructed:
        return -result.log_probs.sum()
    if precision is not None:
        result.logits = result.logits.float()  # accelerate gives back what autocast computed in float32
    if label_smoothing:
        from transformers.trainer_pt_utils import LabelSmoother

        return LabelSmoother(label_smoothing)({"logits": result.logits}, labels)
    return result.loss
