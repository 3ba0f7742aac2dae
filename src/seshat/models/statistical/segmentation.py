"""Words in pieces: morphemes found by Morfessor, or byte pairs.

A language that builds words of many morphemes has few words that come back and many pieces that do. Every word of the
training texts is cut; at translation a word is cut only into pieces that the training texts have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import log
from pathlib import Path

from seshat.core.errors import require
from seshat.core.jsonl import write_text
from seshat.models.statistical.tokens import GLUE, is_verbatim, is_word

MAX_PIECES = 8
MOST_WORDS = 60_000
"""Word types that the pieces are learned from, the most frequent ones."""
_LONGEST = 30


def join_pieces(tokens: Iterable[str]) -> list[str]:
    """Pieces put together again; a piece without a beginning stands as a word."""
    words: list[str] = []
    for token in tokens:
        if token.startswith(GLUE) and len(token) > len(GLUE):
            piece = token[len(GLUE) :]
            if words and is_word(words[-1]) and not is_verbatim(words[-1]):
                words[-1] += piece
            else:
                words.append(piece)
        else:
            words.append(token)
    return words


@dataclass
class Segmenter:
    """Cuts words into the likeliest pieces; an empty one leaves words whole."""

    counts: dict[str, int] = field(default_factory=dict)
    """How many words of the training texts have a piece."""
    _cuts: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        total = sum(self.counts.values())
        self._costs = {piece: log(total / count) for piece, count in self.counts.items()}

    @classmethod
    def train(cls, words: Iterable[str], method: str, seed: int) -> Segmenter:
        """Learn pieces from word tokens (in small letters).

        Args:
            words: all words of the training texts.
            method: ``morfessor`` or ``bpe``.
            seed: for Morfessor, which takes the words in random order.

        Raises:
            MissingPackage: the package of the method is not installed.
        """
        frequency = Counter(word for word in words if cls.takes(word))
        chosen = sorted(frequency, key=lambda word: (-frequency[word], word))[:MOST_WORDS]
        cuts = _morfessor(chosen, seed) if method == "morfessor" else _byte_pairs(chosen)
        return cls(dict(sorted(Counter(piece for pieces in cuts for piece in pieces).items())))

    @staticmethod
    def takes(word: str) -> bool:
        """Whether a word may be cut at all."""
        return (
            is_word(word)
            and not is_verbatim(word)
            and not word.startswith(GLUE)
            and len(word) <= _LONGEST
            and word == word.lower()
        )

    def cut(self, word: str) -> tuple[str, ...]:
        """The pieces of a word, those after the first marked; the word itself when it cannot be cut."""
        if not self.counts or not self.takes(word):
            return (word,)
        found = self._cuts.get(word)
        if found is None:
            found = self._cuts[word] = self._search(word)
        return found

    def cut_all(self, words: Sequence[str]) -> list[str]:
        """The pieces of many words, in order."""
        return [piece for word in words for piece in self.cut(word)]

    def _search(self, word: str) -> tuple[str, ...]:
        """Viterbi search for the pieces of the highest product of relative frequencies."""
        best: list[tuple[float, int]] = [(0.0, 0)]
        for end in range(1, len(word) + 1):
            ways = [
                (best[start][0] + self._costs[word[start:end]], start)
                for start in range(end)
                if word[start:end] in self._costs and best[start][0] < float("inf")
            ]
            best.append(min(ways, default=(float("inf"), 0)))
        if best[-1][0] == float("inf"):
            return (word,)
        pieces, end = [], len(word)
        while end > 0:
            start = best[end][1]
            pieces.append(word[start:end])
            end = start
        pieces.reverse()
        return (pieces[0], *(GLUE + piece for piece in pieces[1:])) if len(pieces) <= MAX_PIECES else (word,)

    def write(self, path: Path) -> None:
        """Write the pieces and their counts, one a line."""
        write_text(path, "".join(f"{piece}\t{count}\n" for piece, count in self.counts.items()))

    @classmethod
    def read(cls, path: Path) -> Segmenter:
        """The inverse of :meth:`write`; a missing file cuts nothing."""
        if not path.exists():
            return cls()
        rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
        return cls({piece: int(count) for piece, count in rows})


def _morfessor(words: Sequence[str], seed: int) -> list[list[str]]:
    """Morfessor Baseline (Creutz & Lagus 2007; Virpioja et al. 2013) on word types."""
    import random

    morfessor = require("morfessor", extra="tokenizer", purpose="train.statistical.segmentation: morfessor")
    morfessor.utils.show_progress_bar = False
    state = random.getstate()
    random.seed(seed)  # Morfessor shuffles with the generator of the standard library
    try:
        model = morfessor.BaselineModel()
        model.load_data([(1, word) for word in sorted(words)])
        model.train_batch()
        return [list(model.viterbi_segment(word)[0]) for word in words]
    finally:
        random.setstate(state)


def _byte_pairs(words: Sequence[str], pieces: int = 3_000) -> list[list[str]]:
    tokenizers = require("tokenizers", extra="tokenizer", purpose="train.statistical.segmentation: bpe")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=pieces, show_progress=False)
    tokenizer.train_from_iterator(sorted(words), trainer)
    return [list(tokenizer.encode(word).tokens) for word in words]
