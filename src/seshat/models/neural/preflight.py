"""What is looked at before the first step, because it goes wrong in silence otherwise.

A wrong label mask, answers without an end, and examples that are cut show in no loss curve: they show in what the model
writes afterwards. Each refusal names an example and says what to change.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import structlog

from seshat.core.errors import CheckFailed

MASKED = -100
"""Label of a token that is given, not trained (the convention of PyTorch and Transformers)."""
_SHOWN = 3
_LONGEST_SHOWN = 1_000
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Row:
    """A tokenised training example."""

    ids: Sequence[int]
    labels: Sequence[int]
    """As long as ``ids`` for decoders; those of the answer alone for encoder-decoders."""
    where: str
    """``file:line (id)``."""

    @property
    def length(self) -> int:
        """Tokens of the longer side."""
        return max(len(self.ids), len(self.labels))


@dataclass
class Preflight:
    """Looks at every row, holds back those that are too long, and judges at the end.

    Args:
        max_length: longest example, in tokens.
        limit: largest part of the examples that may be too long, 0 to 1.
        stops: ids that end an answer when the model writes one.
        prompted: whether an example begins with a part that is given (decoders).
    """

    max_length: int
    limit: float
    stops: Collection[int]
    prompted: bool = True
    rows: int = 0
    tokens: int = 0
    trained: int = 0
    longest: int = 0
    too_long: list[str] = field(default_factory=list)
    untrained: list[str] = field(default_factory=list)
    unmasked: list[str] = field(default_factory=list)
    endless: list[str] = field(default_factory=list)

    def passes(self, row: Row) -> bool:
        """Note what there is about a row.

        Returns:
            Whether it can be trained on; what is too long cannot, because its end would be cut off.
        """
        self.rows += 1
        self.longest = max(self.longest, row.length)
        if row.length > self.max_length:
            self.too_long.append(row.where)
            return False
        trained = sum(label != MASKED for label in row.labels)
        if trained == 0 or (self.prompted and _content(row.labels, self.stops) == 0):
            self.untrained.append(row.where)
        elif self.prompted and trained == len(row.labels):
            self.unmasked.append(row.where)
        elif next(label for label in reversed(row.labels) if label != MASKED) not in self.stops:
            self.endless.append(row.where)
        self.tokens += len(row.ids) + (0 if self.prompted else len(row.labels))
        self.trained += trained
        return True

    def judge(self) -> dict[str, Any]:
        """Refuse what would train badly.

        Returns:
            Counts for ``run.json``.

        Raises:
            CheckFailed: says what is wrong, in which examples, and what to change.
        """
        if self.untrained:
            raise CheckFailed(
                f"In {_counted(self.untrained, self.rows)} no token of the answer is trained: "
                f"{_named(self.untrained)}.",
                "The answer is empty, or the chat template does not write it. Mend these examples, or the template "
                "(prompt.chat_template).",
            )
        if self.unmasked:
            raise CheckFailed(
                f"In {_counted(self.unmasked, self.rows)} every token is trained, the question too: "
                f"{_named(self.unmasked)}.",
                "The model would learn to ask instead of to answer. The chat template must write the question before "
                "the answer (prompt.chat_template).",
            )
        if self.endless:
            raise CheckFailed(
                f"In {_counted(self.endless, self.rows)} the answer does not end with a token that ends generation: "
                f"{_named(self.endless)}.",
                "The model would never learn to stop. The chat template must close the answer with the end-of-turn "
                "token that the base's generation_config.json names as eos_token_id: take the template of the "
                "instruction-tuned version of the base, or write one (prompt.chat_template).",
            )
        share = len(self.too_long) / max(1, self.rows)
        if share > self.limit:
            raise CheckFailed(
                f"{_counted(self.too_long, self.rows)} are longer than train.finetune.max_length ({self.max_length} "
                f"tokens; the longest has {self.longest}): {_named(self.too_long)}. That is {share:.1%}, more than "
                f"train.finetune.truncation_limit ({self.limit:.1%}).",
                "Raise train.finetune.max_length, ask with less context (prompt.context, prompt.shots), split long "
                "segments, or raise the limit: what is too long is left out.",
            )
        if self.too_long:
            log.warning("left out: too long", examples=len(self.too_long), first=_named(self.too_long))
        return {
            "examples": self.rows - len(self.too_long),
            "left_out": len(self.too_long),
            "truncation": round(share, 4),
            "tokens": self.tokens,
            "trained_tokens": self.trained,
            "longest": self.longest,
        }


def spans(tokenizer: Any, row: Row) -> list[tuple[str, bool]]:
    """A decoder's example as text, cut where the mask changes: (text, whether it is trained)."""
    marked = zip(row.ids, (label != MASKED for label in row.labels), strict=True)
    return [
        (str(tokenizer.decode([token for token, _ in part], skip_special_tokens=False)), trained)
        for trained, part in groupby(marked, key=lambda one: one[1])
    ]


def show(tokenizer: Any, row: Row) -> None:
    """Log one example with its mask, as every run does before it starts."""
    for text, trained in spans(tokenizer, row):
        log.info("example: trained" if trained else "example: given", where=row.where, text=text[:_LONGEST_SHOWN])


def _content(labels: Sequence[int], stops: Collection[int]) -> int:
    return sum(label != MASKED and label not in stops for label in labels)


def _counted(found: Sequence[str], rows: int) -> str:
    return f"{len(found)} of {rows} examples"


def _named(found: Sequence[str]) -> str:
    return ", ".join(found[:_SHOWN]) + (" …" if len(found) > _SHOWN else "")
