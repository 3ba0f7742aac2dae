"""Sentences as ids, in batches of so many tokens.

Everything is a function of a seed and a number (epoch or step), never of what happened before, so that a run which was
killed goes on with the same batches.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seshat.core.errors import require
from seshat.prompt.prompt import BREAK

MAX_PIECES = 256
"""Longer sentences are cut, in training counted by the caller; sentences before them are left out as a whole."""
CUTS = 8
"""Best cuts of a word to draw from."""
END, UNKNOWN, PAD = "</s>", "<unk>", "<pad>"
Pair = tuple[str, str]


class Vocabulary:
    """Pieces of a SentencePiece model, with the padding as the last id (CTranslate2 drops the last row).

    Ids: 0 ``</s>``, 1 ``<unk>``, then the pieces, then ``<pad>``. :data:`~seshat.prompt.prompt.BREAK` in a text is 0;
    SentencePiece would cut those letters like others.
    """

    end = 0

    def __init__(self, model: Path) -> None:
        module = require("sentencepiece", extra="train", purpose="The encoder-decoder")
        self._processor = module.SentencePieceProcessor(model_file=str(model))
        self.pad: int = self._processor.vocab_size()
        self._cuts: dict[str, list[list[int]]] = {BREAK: [[self.end]]}

    def __len__(self) -> int:
        return self.pad + 1

    @property
    def pieces(self) -> list[str]:
        """Every piece by its id."""
        return [self._processor.id_to_piece(i) for i in range(self.pad)] + [PAD]

    def encode(self, text: str) -> list[int]:
        """Ids of a text with the end mark."""
        return [*_within(_joined(map(self._processor.encode, text.split(BREAK)), self.end), self.end), self.end]

    def fits(self, text: str) -> bool:
        """Whether a text has no more pieces than are read."""
        return len(self._processor.encode(text)) < MAX_PIECES

    def cut(self, text: str) -> list[str]:
        """Pieces of a text with the end mark, as CTranslate2 takes them."""
        parts = (self._processor.encode(part, out_type=str) for part in text.split(BREAK))
        return [*_within(_joined(parts, END), END), END]

    def sample(self, texts: Sequence[str], strength: float, seed: int) -> list[list[int]]:
        """Ids of texts in which a share ``strength`` of the words is cut in another way (subword regularisation).

        Drawn among the best cuts of a word as in Kudo 2018, with our own random numbers: SentencePiece's sampling
        gives other cuts in every process, whatever its seed.
        """
        rng = random.Random(seed)
        return [self._drawn(text, strength, rng) if strength > 0 else self.encode(text) for text in texts]

    def _drawn(self, text: str, strength: float, rng: random.Random) -> list[int]:
        ids: list[int] = []
        for word in text.replace(BREAK, f" {BREAK} ").split():
            cuts = self._cuts.get(word)
            if cuts is None:
                cuts = self._cuts[word] = self._best_cuts(word)
            ids += rng.choice(cuts) if rng.random() < strength else cuts[0]
        return [*_within(ids, self.end), self.end]

    def _best_cuts(self, word: str) -> list[list[int]]:
        try:
            return list(self._processor.nbest_encode(word, nbest_size=CUTS)) or [self._processor.encode(word)]
        except RuntimeError:  # byte-pair encoding knows one cut only
            return [self._processor.encode(word)]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids; marks are left out."""
        return str(self._processor.decode([i for i in ids if 1 < i < self.pad]))

    def join(self, pieces: Sequence[str]) -> str:
        """The text of pieces."""
        return str(self._processor.decode([p for p in pieces if p not in (END, UNKNOWN, PAD)]))


def _joined(rows: Iterable[list[Any]], mark: Any) -> list[Any]:
    """Rows as one, with a mark between them."""
    return [piece for row in rows for piece in (mark, *row)][1:]


def _within(row: list[Any], mark: Any) -> list[Any]:
    """A row that leaves room for the end mark: the oldest sentences before are left out first, then the text is cut."""
    while len(row) >= MAX_PIECES and mark in row:
        row = row[row.index(mark) + 1 :]
    return row[: MAX_PIECES - 1]


def batches(lengths: Sequence[tuple[int, int]], tokens: int, seed: int) -> list[list[int]]:
    """Indices in batches whose padded size is at most ``tokens`` on the longer side, in random order.

    Sentences of like length come together, so little is padding; the order inside equal lengths is random.
    """
    rng = random.Random(seed)
    order = sorted(range(len(lengths)), key=lambda i: (max(lengths[i]), rng.random()))
    made: list[list[int]] = []
    batch: list[int] = []
    for i in order:
        if batch and max(lengths[i]) * (len(batch) + 1) > tokens:
            made.append(batch)
            batch = []
        batch.append(i)
    if batch:
        made.append(batch)
    rng.shuffle(made)
    return made


@dataclass(frozen=True)
class Schedule:
    """Which pairs each step sees: first denoising for ``warmup`` steps, then translation, epoch after epoch."""

    pairs: Sequence[Pair]
    texts: Sequence[str]
    """Texts in the target language for the denoising steps."""
    vocabulary: Vocabulary
    tokens: int
    warmup: int
    seed: int

    def steps(self, start: int) -> Iterator[tuple[int, list[Pair]]]:
        """Step numbers from ``start`` (0: the first) with the pairs of each; endless."""
        copies: list[Pair] = [(text, text) for text in self.texts]
        step = 0
        for phase, (pairs, limit) in enumerate(((copies, self.warmup), (self.pairs, None))):
            if not pairs:
                continue
            lengths = [(len(self.vocabulary.encode(a)), len(self.vocabulary.encode(b))) for a, b in pairs]
            epoch, until = 0, None if limit is None else step + limit
            while until is None or step < until:
                for batch in batches(lengths, self.tokens, self.seed * 7919 + epoch * 31 + phase):
                    if until is not None and step >= until:
                        break
                    if step >= start:
                        chosen = [pairs[i] for i in batch]
                        yield step, self._noised(chosen, step) if limit is not None else chosen
                    step += 1
                epoch += 1

    def _noised(self, pairs: list[Pair], step: int) -> list[Pair]:
        """Sources with a tenth of the words left out and neighbours swapped (Lample et al. 2018)."""
        rng = random.Random(self.seed * 104_729 + step)
        out: list[Pair] = []
        for text, target in pairs:
            kept = [word for word in text.split() if rng.random() > 0.1] or text.split()
            places = sorted(range(len(kept)), key=lambda i: i + rng.random() * 2)
            out.append((" ".join(kept[i] for i in places), target))
        return out


def padded(rows: Sequence[Sequence[int]], pad: int) -> Any:
    """Rows of ids as a tensor (rows x longest), filled up with ``pad``."""
    import torch

    width = max(map(len, rows))
    return torch.tensor([[*row, *[pad] * (width - len(row))] for row in rows], dtype=torch.long)
