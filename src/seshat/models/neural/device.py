"""What to compute on, in what arithmetic, decided once, with the reason for every choice.

What a device cannot do falls back to what it can (4 bits on Apple's MPS, bfloat16 on a T4, Flash Attention that is not
installed), and the reasons say so: they stand in the log and in ``run.json``.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import structlog

from seshat.config.presets import OVERFLOWING
from seshat.core.errors import MissingPackage, UsageError, require

log = structlog.get_logger(__name__)
_PURPOSE = "Training a neural model"


@dataclass(frozen=True)
class Machine:
    """What this machine has and can do."""

    devices: tuple[str, ...] = ("cpu",)
    """Those there are, the best first; ``cuda`` is also what AMD's ROCm calls itself."""
    name: str = ""
    """Of the best device."""
    bfloat16: tuple[str, ...] = ()
    """Devices that compute in bfloat16 without emulating it."""
    rocm: str | None = None
    """Version of ROCm that torch was built for."""
    packages: tuple[str, ...] = ()
    """Which of the packages that matter here are installed: ``bitsandbytes``, ``flash_attn``."""

    @classmethod
    def here(cls) -> Machine:
        """Ask torch.

        Raises:
            MissingPackage: torch is not installed.
        """
        torch = require("torch", extra="train", purpose=_PURPOSE)
        cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
        able = {
            # A T4 would emulate bfloat16, slower than float32.
            "cuda": cuda and torch.cuda.is_bf16_supported(including_emulation=False),
            "mps": mps and torch.backends.mps.is_macos_or_newer(14, 0),
            "cpu": torch.cpu._is_avx512_bf16_supported(),
        }
        there = {"cuda": cuda, "mps": mps, "cpu": True}
        return cls(
            devices=tuple(name for name, found in there.items() if found),
            name=torch.cuda.get_device_name() if cuda else platform.processor() or platform.machine(),
            bfloat16=tuple(name for name, yes in able.items() if yes),
            rocm=torch.version.hip,
            packages=tuple(name for name in ("bitsandbytes", "flash_attn") if find_spec(name)),
        )


@dataclass(frozen=True)
class Backend:
    """What a training or a translation computes on."""

    device: str
    """``cpu``, ``cuda`` or ``mps``."""
    dtype: str = "float32"
    """Arithmetic: ``float32``, ``bfloat16`` or ``float16``."""
    quantization: str = "none"
    """How the frozen weights are kept: ``none``, ``nf4`` or ``int8``."""
    attention: str = "sdpa"
    """Implementation of attention, as Transformers names it."""
    reasons: tuple[str, ...] = ()
    """Why, in plain words."""

    @property
    def torch_dtype(self) -> Any:
        """The arithmetic as torch names it."""
        import torch

        return getattr(torch, self.dtype)

    @property
    def place(self) -> str:
        """The device of this process, as torch names it: with several GPUs, each process has its own."""
        return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if self.device == "cuda" else self.device

    def logged(self) -> Backend:
        """This one, after its reasons went to the log: for choices that are then used."""
        log.info("device", choice="; ".join(self.reasons))
        return self

    def describe(self) -> dict[str, Any]:
        """For ``run.json``."""
        chosen = {"device": self.device, "dtype": self.dtype, "quantization": self.quantization}
        return {**chosen, "attention": self.attention, "reasons": list(self.reasons)}


def choose(
    device: str = "auto",
    precision: str = "auto",
    quantization: str = "none",
    attention: str = "sdpa",
    *,
    architecture: str | None = None,
    machine: Machine | None = None,
    setting: str = "train.finetune.device",
) -> Backend:
    """What to compute on, for this machine or another.

    Args:
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        precision: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        quantization: ``none``, ``nf4`` or ``int8``.
        attention: ``sdpa``, ``eager`` or ``flash_attention_2``.
        architecture: ``model_type`` of the base, when it is trained: some do not bear float16.
        machine: what there is; default: this machine.
        setting: what the device is called in the configuration, for the error.

    Raises:
        UsageError: the device that was asked for is not there.
        MissingPackage: bitsandbytes is needed and could be installed here.
    """
    machine = machine or Machine.here()
    chosen, why_device = _device(device, machine, setting)
    dtype, why_dtype = _dtype(chosen, precision, machine, architecture)
    bits, why_bits = _quantization(chosen, quantization, dtype, machine)
    attention, why_attention = _attention(chosen, attention, dtype, machine)
    return Backend(chosen, dtype, bits, attention, (why_device, why_dtype, *why_bits, *why_attention))


def _device(device: str, machine: Machine, setting: str) -> tuple[str, str]:
    if device != "auto" and device not in machine.devices:
        found = ", ".join(machine.devices)
        raise UsageError(f"{setting} is '{device}', and this machine has: {found}.", "Use `auto`.")
    chosen = machine.devices[0] if device == "auto" else device
    rocm = f", ROCm {machine.rocm}" if chosen == "cuda" and machine.rocm else ""
    name = f" ({machine.name}{rocm})" if machine.name and chosen == machine.devices[0] else ""
    return chosen, f"{chosen}{name}: {'the best there is' if device == 'auto' else 'as configured'}"


def _dtype(device: str, precision: str, machine: Machine, architecture: str | None) -> tuple[str, str]:
    able, overflows = device in machine.bfloat16, architecture in OVERFLOWING
    best = "bfloat16" if able else "float16" if device == "cuda" and not overflows else "float32"
    if precision == "auto":
        why = "the device has it" if able else f"this {device} has no bfloat16 of its own"
        return best, f"{best}: {why}{f', and {architecture} overflows in float16' if overflows and not able else ''}"
    if precision == "bfloat16" and not able:
        return best, f"{best} instead of bfloat16, which this {device} would only emulate"
    if precision == "float16" and device != "cuda":
        return best, f"{best} instead of float16, which trains on CUDA only"
    return precision, f"{precision}: as configured"


def _quantization(device: str, wanted: str, dtype: str, machine: Machine) -> tuple[str, tuple[str, ...]]:
    if wanted == "none":
        return "none", ()
    if device == "mps":
        return "none", (f"weights in {dtype} instead of {wanted}: bitsandbytes does not work on Apple's MPS",)
    if "bitsandbytes" not in machine.packages:
        raise MissingPackage("bitsandbytes", "train", f"model.quantization: {wanted}")
    return wanted, (f"frozen weights in {wanted}: as configured",)


def _attention(device: str, wanted: str, dtype: str, machine: Machine) -> tuple[str, tuple[str, ...]]:
    if wanted != "flash_attention_2":
        return wanted, ()
    if device != "cuda":
        return "sdpa", (f"attention sdpa instead of {wanted}, which needs CUDA",)
    if "flash_attn" not in machine.packages:
        return "sdpa", (f"attention sdpa instead of {wanted}: the package flash-attn is not installed",)
    if dtype == "float32":
        return "sdpa", (f"attention sdpa instead of {wanted}, which computes in 16 bits only",)
    return wanted, ("attention flash_attention_2: as configured",)
