"""Section ``model``: which model to start from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seshat.config.base import Language, Name, Section


class ModelSection(Section):
    """Which model to start from."""

    preset: Name | None = None
    """A named set of values below everything that is written here; `seshat presets` lists them."""
    base: str | None = None
    """A Hugging Face id or a local folder to fine-tune; nothing for a model from scratch."""
    revision: str | None = None
    """Branch, tag or commit of the id."""
    quantization: Literal["none", "nf4", "int8"] = "none"
    """Keep the frozen base in 4 or 8 bits while adapters are trained (QLoRA)."""
    attention: Literal["sdpa", "eager", "flash_attention_2"] = "sdpa"
    """Implementation of attention."""
    language_codes: dict[Language, str] = Field(default_factory=dict)
    """What the base calls the languages, for bases such as NLLB: `{es: spa_Latn}`. Never guessed; a code that the
    tokenizer lacks is added as a new one."""
    extend_vocabulary: int = Field(default=0, ge=0)
    """New pieces to learn from the training texts and add to the tokenizer of the base."""
    download: bool = False
    """Whether a base that is an id may be fetched over the network."""
