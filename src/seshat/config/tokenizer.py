"""Section ``tokenizer``: what texts are cut into."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from seshat.config.base import Section


class TokenizerSection(Section):
    """Report on a tokenizer; train one for models from scratch."""

    removed: ClassVar[dict[str, str]] = {"algorithm": "pieces are learned by the unigram model"}

    path: str | None = None
    """A Hugging Face tokenizer on disk to report on, beside the one that is trained."""
    train: bool | None = None
    """Train a SentencePiece model on the training texts of both languages; default: when the family needs one."""
    vocabulary: int = Field(default=4_000, ge=100)
    """Pieces of the trained tokenizer."""
