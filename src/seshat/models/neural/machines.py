"""Machines to plan for: this one, and those that people ask about."""

from __future__ import annotations

from dataclasses import dataclass

from seshat.models.neural.device import Machine
from seshat.project.machine import GIB, available


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
