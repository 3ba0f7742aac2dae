"""Section ``export``: a trained model in the form that another program takes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seshat.config.base import Section

GgufType = Literal[
    "f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1",
    "q2_k", "q3_k_s", "q3_k_m", "q3_k_l", "q4_k_s", "q4_k_m", "q5_k_s", "q5_k_m", "q6_k",
]  # fmt: skip
"""Types of the weights in a GGUF file, as llama.cpp calls them, in small letters."""


class ExportSection(Section):
    """A trained model in the form that another program takes."""

    formats: tuple[Literal["merged", "adapter", "gguf", "ctranslate2", "ollama"], ...] = ()
    """Which; default: what the family is used with."""
    quantization: tuple[GgufType, ...] = ("q8_0",)
    """GGUF types. `f16`, `q8_0` and the like need nothing else; those with a `k` need llama-cpp-python."""
    margin: float = Field(default=1.0, ge=0)
    """Points by which chrF2 on validation may differ before and after; an export that differs by more, and not by
    chance (95 % interval), is refused."""
    segments: int = Field(default=100, ge=1)
    """Validation segments translated before and after to prove it."""
