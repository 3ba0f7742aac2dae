"""Family ``masked``: pretraining that guesses hidden tokens (BERT, XLM-R), on monolingual texts and the sides of pairs.

Nothing is cut off: a text that is longer than the model can see is learned in parts. Which tokens are hidden depends on
the seed and the examples of a batch alone, so a killed training goes on with the same gaps, and the gaps of validation
are the same at every validation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import structlog

from seshat.config import Config, families
from seshat.config.finetune import MaskedSection
from seshat.core.errors import UsageError
from seshat.core.progress import track
from seshat.core.records import Segment
from seshat.models.neural.preflight import MASKED
from seshat.models.neural.training import Corpus, Training, note

_CHUNK = 1_000
_HIDDEN, _OTHER = 0.8, 0.5
"""Of the chosen tokens 80 % become the mask, half of the others another token, the rest stay (Devlin et al. 2019)."""
log = structlog.get_logger(__name__)


def learned(config: Config) -> tuple[str, ...]:
    """The files below ``data/training`` whose texts are learned."""
    files = ("monolingual.jsonl", "train.jsonl")
    return files if config.train.masked.pairs or config.project.pivot is None else files[:1]


class _Piece(NamedTuple):
    """A text, or a part of a long one."""

    ids: list[int]
    words: list[int]
    """Number of the word that each token belongs to; -1 for special tokens, which are never hidden."""


class Masked(Training):
    """Training of a masked language model.

    Raises:
        UsageError: the tokenizer of the base has no mask.
    """

    family = families.MASKED
    files = ("monolingual.jsonl", "train.jsonl")

    def name_codes(self) -> list[str]:
        """No codes here; the tokenizer must have a mask, and know its words."""
        if self.tokenizer.mask_token_id is None:
            raise UsageError(
                f"model.base: the tokenizer of {self.start.folder.name} has no mask token.",
                "Take a base that was pretrained with hidden tokens, such as FacebookAI/xlm-roberta-base.",
            )
        if not self.tokenizer.is_fast:
            raise UsageError(
                f"model.base: the tokenizer of {self.start.folder.name} does not say which tokens make a word.",
                "Take a base with a tokenizer.json.",
            )
        return []

    def corpus(self, name: str) -> Corpus:
        """Texts of ``train`` with the monolingual ones, or of ``validation``; long ones in parts."""
        from datasets import Dataset

        rows: dict[str, list[Any]] = {"input_ids": [], "words": [], "length": []}
        corpus = Corpus(None)
        split = 0
        files = learned(self.project.config) if name == "train" else (f"{name}.jsonl",)
        for segment, pieces in self._pieces(files):
            split += len(pieces) > 1
            for piece in pieces:
                rows["input_ids"].append(piece.ids)
                rows["words"].append(piece.words)
                rows["length"].append(len(piece.ids))
                note(corpus, segment)
        corpus.data = Dataset.from_dict(rows)
        if name == "train":
            tokens = sum(rows["length"])
            self.examined = {"examples": len(corpus.traits), "tokens": tokens, "split": split, "truncation": 0.0}
            log.info("texts", **self.examined)
        return corpus

    def collator(self) -> Any:
        """Hides tokens."""
        return Hider(self.tokenizer, self.section.masked, self.seed)

    def arguments(self) -> dict[str, Any]:
        """The collator needs to know the words, which are no input of the model."""
        return {"remove_unused_columns": False}

    def _pieces(self, files: Sequence[str]) -> Iterator[tuple[Segment, list[_Piece]]]:
        """Every text in a wanted language, tokenised; the segment it belongs to comes with it."""
        project = self.project.config.project
        wanted = self.section.masked.languages or project.tags
        found = (
            (segment, text)
            for _, segment in track(self.segments(*files), f"tokenising {' and '.join(files)}")
            for tag, text in sorted(segment.texts.items())
            if tag in wanted and text.strip()
        )
        while chunk := list(islice(found, _CHUNK)):
            batch = self.tokenizer(
                [text for _, text in chunk],
                truncation=True,
                max_length=self._longest(),
                return_overflowing_tokens=True,
                return_attention_mask=False,
            )
            parts: list[list[_Piece]] = [[] for _ in chunk]
            for i, (ids, number) in enumerate(
                zip(batch["input_ids"], batch["overflow_to_sample_mapping"], strict=True)
            ):
                parts[number].append(_Piece(ids, [-1 if word is None else word for word in batch.word_ids(i)]))
            yield from ((segment, pieces) for (segment, _), pieces in zip(chunk, parts, strict=True))
        self.tokenizer.backend_tokenizer.no_truncation()  # would be saved with it otherwise

    def _longest(self) -> int:
        return min(self.section.finetune.max_length, int(self.tokenizer.model_max_length))


class Hider:
    """Makes batches with hidden tokens.

    Args:
        tokenizer: has the mask.
        section: how many tokens, and whether whole words.
        seed: of the project.
    """

    def __init__(self, tokenizer: Any, section: MaskedSection, seed: int) -> None:
        self._pad, self._mask = tokenizer.pad_token_id, tokenizer.mask_token_id
        special = set(tokenizer.all_special_ids)
        self._others = [i for i in sorted(tokenizer.get_vocab().values()) if i not in special]
        self._section = section
        self._seed = seed

    def __call__(self, examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """``input_ids``, ``attention_mask`` and ``labels`` (rows x longest) of some examples."""
        import torch
        from torch.nn.utils.rnn import pad_sequence

        ids = [torch.tensor(one["input_ids"]) for one in examples]
        rows = pad_sequence(ids, batch_first=True, padding_value=self._pad)
        words = pad_sequence([torch.tensor(one["words"]) for one in examples], batch_first=True, padding_value=-1)
        digest = hashlib.sha256(f"{self._seed}".encode() + rows.numpy().tobytes()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
        chosen = self._chosen(words, generator)
        labels = rows.masked_fill(~chosen, MASKED)
        draw = torch.rand(rows.shape, generator=generator)
        another = torch.tensor(self._others)[torch.randint(len(self._others), rows.shape, generator=generator)]
        rows = torch.where(chosen & (draw < _HIDDEN), self._mask, rows)
        rows = torch.where(chosen & (draw >= 1 - (1 - _HIDDEN) * _OTHER), another, rows)
        mask = pad_sequence([torch.ones_like(one) for one in ids], batch_first=True)
        return {"input_ids": rows, "attention_mask": mask, "labels": labels}

    def _chosen(self, words: Any, generator: Any) -> Any:
        """Which tokens are hidden: each with the probability configured, or all of a word; at least one a row."""
        import torch

        units = words
        if not self._section.whole_word:
            units = torch.where(words >= 0, torch.arange(words.shape[1]), -1)
        draw = torch.rand(len(words), int(units.max()) + 1, generator=generator)
        fate = draw.gather(1, units.clamp(min=0))
        fate = fate.masked_fill(units < 0, 2.0)
        lowest = fate.min(dim=1, keepdim=True).values
        return (fate < self._section.probability) | ((fate == lowest) & (units >= 0))
