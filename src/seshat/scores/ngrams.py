"""The floor of the language models: runs of bytes counted in the training texts (:mod:`seshat.text.ngrams`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from seshat.evaluation.perplexity import Surprise
from seshat.text.ngrams import MOST, ByteNgrams

NAME = "byte n-grams"


class ByteModel(ByteNgrams):
    """A language model of runs of bytes that is measured like the others.

    Args:
        texts: training texts; what exceeds :data:`MOST` bytes is not read.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        super().__init__(texts, MOST)

    def surprises(self, texts: Sequence[str]) -> list[Surprise]:
        """What each text costs; every byte is a token."""
        sizes = [len(text.encode()) for text in texts]
        return [Surprise(self.bits(text), size, size, 0) for text, size in zip(texts, sizes, strict=True)]
