"""What a training takes of the memory, by part, on this machine and on others, and what would make it fit.

Weights, adapters and gradients are counted on the model itself, activations by :mod:`.rehearsal`, optimizer states by
:mod:`.optimizers`; the worst moment is the largest of three: the backward pass, the optimizer's step, and writing
translations for validation.

Machines to plan for: this one, and those that people ask about.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from seshat.config import Config
from seshat.config.families import Family
from seshat.models.neural import optimizers, shapes
from seshat.models.neural.device import Backend, Machine, choose
from seshat.models.neural.generation import TOKENS
from seshat.models.neural.rehearsal import Load, Peak, rehearse
from seshat.project.machine import GIB, available

FREE = {"cpu": 0.2, "cuda": 0.05, "mps": 0.05}
"""Share of the memory that must stay free: allocators leave gaps between tensors. That of the C library, which CPUs
use, leaves the largest (benchmarks/plan.py)."""
_RUNTIME = {"cpu": 600_000_000, "cuda": 600_000_000, "mps": 500_000_000}
"""What is there before any model: on the CPU Python with torch and Transformers loaded (measured: 513 MB and PEFT); on
GPUs the context, the kernels and the work space of the matrix products (a rule of thumb, 0.3 to 0.8 GB)."""
_SHORTEST = 128


@dataclass(frozen=True)
class Settings:
    """What can be changed so that a training fits."""

    batch: int
    accumulate: int
    length: int
    """Tokens of the longest row; for encoder-decoders of the longest source."""
    target: int | None
    """Of encoder-decoders the longest target; of decoders, the tokens from the first answer in any row on."""
    checkpointing: bool
    quantization: str
    optimizer: str

    @classmethod
    def of(cls, config: Config, length: int | None = None, target: int | None = None) -> Settings:
        """As configured, with the longest row that there is."""
        tuning = config.train.finetune
        longest = min(length or tuning.max_length, tuning.max_length)
        other = min(target or tuning.max_length, tuning.max_length) if config.train.kind.encodes else None
        if config.train.kind.instructed:
            other = longest if tuning.packing else min(target or longest, longest)
        return cls(
            batch=tuning.batch,
            accumulate=tuning.accumulate,
            length=longest,
            target=other,
            checkpointing=tuning.activation_checkpointing,
            quantization=config.model.quantization,
            optimizer=tuning.optimizer,
        )

    def overrides(self, other: Settings) -> list[str]:
        """What to write on the command line to come from the other settings to these."""
        names = {
            "batch": "train.finetune.batch",
            "accumulate": "train.finetune.accumulate",
            "checkpointing": "train.finetune.activation_checkpointing",
            "quantization": "model.quantization",
            "optimizer": "train.finetune.optimizer",
        }
        found = [f"{full}={_written(getattr(self, key))}" for key, full in names.items() if _differs(self, other, key)]
        if _differs(self, other, "length") or _differs(self, other, "target"):
            found.append(f"train.finetune.max_length={max(self.length, self.target or 0)}")
        return found


def _differs(one: Settings, other: Settings, key: str) -> bool:
    return bool(getattr(one, key) != getattr(other, key))


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Need:
    """Bytes at the worst moment, by part."""

    weights: int
    adapters: int
    gradients: int
    optimizer: int
    activations: int
    logits: int
    cache: int
    """Keys and values of what has been written, while validation is translated."""
    runtime: int
    device: str
    moment: str = "backward"
    """``backward``, ``step`` or ``validation``."""

    @property
    def parts(self) -> dict[str, int]:
        """The parts by name."""
        return {key: value for key, value in vars(self).items() if key not in ("device", "moment")}

    @property
    def total(self) -> int:
        """Of all parts."""
        return sum(self.parts.values())


@dataclass
class Planner:
    """Works out what a configured training takes; what was worked out once is kept.

    Args:
        config: of the project.
        known: the base.
    """

    config: Config
    known: shapes.Facts
    _models: dict[Any, Any] = field(default_factory=dict)
    _peaks: dict[Any, Peak] = field(default_factory=dict)

    @property
    def family(self) -> Family:
        """Of the training."""
        return self.config.train.kind

    @property
    def adapters(self) -> bool:
        """Whether adapters are trained."""
        return self.config.train.adapters

    def backend(self, target: Target, settings: Settings) -> Backend:
        """What the training would compute on there; the device that is configured, where the machine has it."""
        tuning = self.config.train.finetune
        device = tuning.device if target.here else "auto"
        attention = self.config.model.attention
        wanted = device, tuning.precision, settings.quantization, attention
        return choose(*wanted, architecture=self.known.values.get("model_type"), machine=target.machine)

    def need(self, settings: Settings, backend: Backend) -> Need:
        """Bytes by part, at the worst moment."""
        model = self.model(backend, settings.checkpointing)
        weights = _bytes(model, trained=not self.adapters)
        adapters = _bytes(model, trained=True) if self.adapters else 0
        trained = [tuple(one.shape) for one in model.parameters() if one.requires_grad]
        gradients = 4 * sum(math.prod(shape) for shape in trained)
        states = optimizers.states(settings.optimizer, trained)
        peak = self.peak(settings, backend)
        resident = Need(
            weights=weights + (0 if self.adapters else _bytes(model, trained=False, parameters=False)),
            adapters=adapters,
            gradients=0,
            optimizer=states,
            activations=0,
            logits=0,
            cache=0,
            runtime=_RUNTIME[backend.device],
            device=backend.device,
        )
        moments = (
            replace(resident, gradients=peak.gradients, activations=peak.activations, logits=peak.logits),
            replace(
                resident,
                gradients=gradients,
                activations=optimizers.scratch(settings.optimizer, trained, backend.device),
                moment="step",
            ),
            replace(resident, cache=self._cache(backend), moment="validation"),
        )
        return max(moments, key=lambda need: need.total)

    def model(self, backend: Backend, checkpointing: bool) -> Any:
        """The model without content."""
        key = (backend.dtype, backend.quantization, backend.attention, checkpointing)
        if key not in self._models:
            self._models[key] = shapes.empty(
                self.known,
                self.family,
                backend,
                adapter=self.config.train.lora if self.adapters else None,
                checkpointing=checkpointing,
                pieces=self.config.model.extend_vocabulary,
                embeddings=self.config.train.finetune.embeddings is not None,
            )
        return self._models[key]

    def peak(self, settings: Settings, backend: Backend) -> Peak:
        """The worst moment of forward and backward."""
        keep = settings.accumulate > 1
        key = (settings.batch, settings.length, settings.target, settings.checkpointing, keep, backend.describe())
        if (name := str(key)) not in self._peaks:
            self._peaks[name] = rehearse(
                self.model(backend, settings.checkpointing),
                self.family,
                Load(settings.batch, settings.length, settings.target),
                device=backend.device,
                autocast=None if backend.dtype == "float32" else backend.dtype,
                keep_gradients=keep,
                label_smoothing=self.config.train.finetune.label_smoothing if self.family.encodes else 0.0,
            )
        return self._peaks[name]

    def _cache(self, backend: Backend) -> int:
        if not self.family.translates or self.config.train.finetune.metric == "loss":
            return 0
        config = self.model(backend, self.config.train.finetune.activation_checkpointing).config.get_text_config()
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        layers = getattr(config, "num_decoder_layers", None) or getattr(config, "decoder_layers", None)
        layers = layers or config.num_hidden_layers
        width = getattr(config, "head_dim", None) or getattr(config, "d_kv", None)
        width = width or config.hidden_size // config.num_attention_heads
        size = 4 if backend.dtype == "float32" or not self.adapters else 2
        return int(TOKENS * 2 * layers * heads * width * size)

    def fits(self, need: Need, target: Target) -> bool:
        """Whether a machine has so much."""
        return need.total <= target.memory * (1 - FREE[need.device])

    def change(self, settings: Settings, target: Target) -> Settings | None:
        """The nearest settings that fit, or nothing.

        Smaller batches with more of them in a step come first, which change nothing but the speed; then computing
        activations again; 4 bits for a frozen base, or an optimizer that keeps less; shorter rows last.
        """
        for candidate in self._candidates(settings, target):
            if self._is_enough(candidate, target):
                return self._larger(candidate, settings, target)
        return None

    def _is_enough(self, settings: Settings, target: Target) -> bool:
        return self.fits(self.need(settings, self.backend(target, settings)), target)

    def _larger(self, one: Settings, wanted: Settings, target: Target) -> Settings:
        """The largest micro-batch that fits when one row does; what a row takes more is seen on the second."""
        together = wanted.batch * wanted.accumulate
        sizes = [size for size in range(wanted.batch, 1, -1) if together % size == 0]
        if not sizes:
            return one
        backend = self.backend(target, one)
        first, second = (
            self.need(replace(one, batch=size, accumulate=max(2, together // size)), backend).total for size in (1, 2)
        )
        room = target.memory * (1 - FREE[backend.device]) - first
        for size in sizes:
            larger = replace(one, batch=size, accumulate=together // size)
            if (size - 1) * (second - first) <= room and self._is_enough(larger, target):
                return larger
        return one

    def _candidates(self, settings: Settings, target: Target) -> Iterator[Settings]:
        """One row at a time, and ever more that is given up."""
        now = replace(settings, batch=1, accumulate=settings.batch * settings.accumulate)
        yield now
        if not now.checkpointing:
            yield (now := replace(now, checkpointing=True))
        if self.adapters and now.quantization == "none" and "mps" not in target.machine.devices:
            yield (now := replace(now, quantization="nf4"))
        lighter = "paged_adamw_8bit" if self.adapters else "adafactor"
        possible = not self.adapters or "bitsandbytes" in target.machine.packages
        if possible and optimizers.states(lighter, [(512, 512)]) < optimizers.states(now.optimizer, [(512, 512)]):
            yield (now := replace(now, optimizer=lighter))
        while max(now.length, now.target or 0) >= 2 * _SHORTEST:
            half = max(now.length, now.target or 0) // 2
            target_length = None if now.target is None else min(now.target, half)
            now = replace(now, length=min(now.length, half), target=target_length)
            yield now


def _bytes(model: Any, *, trained: bool, parameters: bool = True) -> int:
    """Bytes of what is trained or not, shared tensors once; buffers belong to what is not."""
    tensors = [one for one in model.parameters() if one.requires_grad == trained] if parameters else []
    if not trained:
        tensors += list(model.buffers())
    return sum({id(one): one.untyped_storage().nbytes() for one in tensors}.values())


@dataclass(frozen=True)
class Target:
    """A machine to train on."""

    name: str
    memory: int
    """Bytes that a training may take there."""
    machine: Machine
    note: str = ""
    here: bool = False
    """This machine: the configured device is meant."""


_BITS = ("bitsandbytes",)
TARGETS: tuple[Target, ...] = (
    Target(
        "Mac with 18 GB",
        12 * GIB,
        Machine(("mps", "cpu"), "Apple M3", ("mps",)),
        "macOS gives the GPU two thirds of a small memory",
    ),
    Target("T4, 16 GB", 15_640_000_000, Machine(("cuda", "cpu"), "Tesla T4", (), packages=_BITS)),
    Target("24 GB (3090, 4090, A10)", 25_300_000_000, Machine(("cuda", "cpu"), "24 GB", ("cuda",), packages=_BITS)),
    Target("80 GB (A100, H100)", 85_000_000_000, Machine(("cuda", "cpu"), "80 GB", ("cuda",), packages=_BITS)),
    Target(
        "128 GB unified (AI Max 395+)",
        96 * GIB,
        Machine(("cuda", "cpu"), "Radeon 8060S", ("cuda",), rocm="yes", packages=_BITS),
        "of which 96 can be given to the GPU",
    ),
)
"""Machines that people ask about; memory as the driver reports it."""


def here(device: str = "auto") -> Target:
    """This machine: the memory of the device that would be trained on, and free memory on a CPU."""
    machine = Machine.here()
    chosen = machine.devices[0] if device == "auto" or device not in machine.devices else device
    if chosen == "cuda":
        import torch

        return Target("this machine", torch.cuda.get_device_properties(0).total_memory, machine, here=True)
    free, total = available()
    if chosen == "mps":
        return Target("this machine", total * 2 // 3, machine, "two thirds of the memory", here=True)
    return Target("this machine", free, machine, "memory that is free now", here=True)
