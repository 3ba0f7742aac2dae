"""New pieces for the tokenizer of a base model, learned from the training texts. Off unless `model.extend_vocabulary`.

First come the characters that the tokenizer cannot write; then the pairs of neighbouring pieces that occur most often
are merged, again and again, as byte-pair encoding does, going on from the cuts that the tokenizer makes today. The new
rules come after all old ones, so nothing is cut differently except where two pieces become one. The model of the
tokenizer itself is extended: "added tokens" would match inside words and, with SentencePiece tokenizers, break the
spaces around them. A new piece starts as the mean of what it is made of.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import pairwise
from pathlib import Path
from typing import Any

from seshat.core.errors import UsageError

Pair = tuple[str, str]
_NEAR = 1e-4
"""By how much a new piece of a unigram tokenizer is likelier than the two it replaces (natural logarithm)."""
_TAKES = ("BPE", "Unigram")
BREAKS = {
    "adapter": "the base model has no rows for the new pieces, so the adapter alone is of no use elsewhere",
}
"""Export -> why a model with new pieces is refused there."""


@dataclass(frozen=True)
class Extension:
    """What a tokenizer gained."""

    pieces: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """New piece -> the ids of the base that it is made of; empty for a character that the base could not write."""
    merges: tuple[Pair, ...] = ()
    """The pairs that became pieces, in order."""

    @property
    def characters(self) -> list[str]:
        """Those that the base could not write."""
        return [piece for piece, ids in self.pieces.items() if not ids]


def learn(tokenizer: Any, texts: Iterable[str], count: int) -> Extension:
    """Find new pieces: missing characters first, then frequent pairs of pieces.

    Args:
        tokenizer: a tokenizer of Transformers.
        texts: what the model shall write well, one sentence each; usually of the low-resource language alone.
        count: at most so many; fewer when no pair occurs twice any more.

    Raises:
        UsageError: this kind of tokenizer cannot be extended.
    """
    from tokenizers import Tokenizer

    backend, content = _backend(tokenizer)
    words = _words(backend, texts)
    known = tokenizer.get_vocab()
    characters = _missing(words, known)[:count]
    made: dict[str, tuple[int, ...]] = dict.fromkeys(characters, ())
    with_characters = Tokenizer.from_str(json.dumps(_grown(content, Extension(made))))
    mergeable = {*known, *characters} - {tokenizer.unk_token}
    cuts: list[tuple[list[str], int]] = []
    for word, times in sorted(words.items()):
        pieces = [token.value for token in with_characters.model.tokenize(word)]
        if all(piece in mergeable for piece in pieces):
            cuts.append((pieces, times))
    merges: list[Pair] = []
    for pair in _merged(cuts, known, count - len(characters)):
        made["".join(pair)] = tuple(i for one in pair for i in (made[one] if one in made else (known[one],)))
        merges.append(pair)
    return Extension(made, tuple(merges))


def extended(tokenizer: Any, extension: Extension) -> Any:
    """A tokenizer with the new pieces; the given one stays as it is. New ids follow all old ones."""
    from transformers import AutoTokenizer

    _, content = _backend(tokenizer)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        path = Path(folder) / "tokenizer.json"
        path.write_text(json.dumps(_grown(content, extension), ensure_ascii=False), encoding="utf-8")
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def extend_model(model: Any, tokenizer: Any, extension: Extension) -> None:
    """Give a model rows for the new pieces of ``tokenizer``: each the mean of the rows it is made of.

    A character that the base could not write starts as the mean of all rows.
    """
    import torch

    before = model.get_input_embeddings().weight.shape[0]
    fit_embeddings(model, tokenizer)
    with torch.no_grad():
        for tensor in _rows(model):
            mean = tensor[:before].mean(dim=0)
            for piece, ids in extension.pieces.items():
                tensor[tokenizer.convert_tokens_to_ids(piece)] = tensor[list(ids)].mean(dim=0) if ids else mean


def fit_embeddings(model: Any, tokenizer: Any) -> int:
    """Give a model a row for every id of a tokenizer; bases often have some to spare, which stay.

    Returns:
        How many rows were added.
    """
    before = int(model.get_input_embeddings().weight.shape[0])
    wanted = max(before, _size(tokenizer.get_vocab()))
    if wanted > before:
        model.resize_token_embeddings(wanted, mean_resizing=False)
    return wanted - before


def adapter_settings(model: Any, tokenizer: Any, pieces: Iterable[str], *, whole: bool = False) -> dict[str, Any]:
    """What a ``LoraConfig`` of PEFT needs so that the rows of new pieces are trained, and saved with the adapter.

    Only these rows unless ``whole`` asks for all: those of a 4-billion model are 400 million parameters to train.
    """
    ids = sorted(tokenizer.convert_tokens_to_ids(piece) for piece in pieces)
    inside, head = model.get_input_embeddings(), model.get_output_embeddings()
    wanted = [inside] if head is None or head.weight is inside.weight else [inside, head]
    names = [name for name, module in model.named_modules() if any(module is one for one in wanted)]
    if whole:
        ends = [name.rsplit(".", 1)[-1] for name in names]
        return {"modules_to_save": ends, "ensure_weight_tying": len(wanted) == 1 and head is not None}
    return {"trainable_token_indices": {name.rsplit(".", 1)[-1]: ids for name in names}} if ids else {}


def describe(extension: Extension) -> dict[str, Any]:
    """What ``model.json`` says of it, so that exports which it would break can be refused."""
    return {"new_pieces": len(extension.pieces), "missing_characters": extension.characters}


def _backend(tokenizer: Any) -> tuple[Any, dict[str, Any]]:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    content: dict[str, Any] = json.loads(backend.to_str()) if backend is not None else {}
    kind = content["model"]["type"] if content else type(tokenizer).__name__
    if kind not in _TAKES:
        reason = "it works on bytes and can write everything" if "ByT5" in kind else f"it is a {kind}"
        raise UsageError(
            f"model.extend_vocabulary: the tokenizer of this base cannot be extended: {reason}.",
            f"Set model.extend_vocabulary to 0. What can be extended: {' and '.join(_TAKES)}.",
        )
    return backend, content


def _size(vocabulary: Mapping[str, int]) -> int:
    return max(vocabulary.values()) + 1


def _words(backend: Any, texts: Iterable[str]) -> Counter[str]:
    """How often each word occurs, as the tokenizer sees words."""
    words: Counter[str] = Counter()
    for text in texts:
        normal = backend.normalizer.normalize_str(text) if backend.normalizer else text
        cut = backend.pre_tokenizer.pre_tokenize_str(normal) if backend.pre_tokenizer else [(normal, None)]
        words.update(word for word, _ in cut)
    return words


def _missing(words: Mapping[str, int], known: Collection[str]) -> list[str]:
    """Characters that no piece stands for, the most frequent first."""
    counts: Counter[str] = Counter()
    for word, times in words.items():
        for character in word:
            if character not in known:
                counts[character] += times
    return sorted(counts, key=lambda character: (-counts[character], character))


def _merged(cuts: Sequence[tuple[list[str], int]], known: Collection[str], count: int) -> Iterator[Pair]:
    """The most frequent pair of neighbours, merged everywhere, ``count`` times (byte-pair encoding).

    Pairs that occur once, and pairs whose union is a piece already, are left alone.
    """
    counts: Counter[Pair] = Counter()
    where: defaultdict[Pair, set[int]] = defaultdict(set)
    for number, (pieces, times) in enumerate(cuts):
        for pair in pairwise(pieces):
            counts[pair] += times
            where[pair].add(number)
    heap = [(-times, pair) for pair, times in counts.items()]
    heapify(heap)
    found = 0
    while heap and found < count:
        times, best = heappop(heap)
        if -times != counts[best] or times > -2 or "".join(best) in known:
            continue  # it has become rarer since, and stands further down the heap
        touched: set[Pair] = set()
        for number in sorted(where[best]):
            pieces, weight = cuts[number]
            merged = _merge(pieces, best)
            for sign, side in ((-1, pieces), (1, merged)):
                for pair in pairwise(side):
                    counts[pair] += sign * weight
                    touched.add(pair)
                    where[pair].add(number)
            pieces[:] = merged
        for pair in touched - {best}:
            heappush(heap, (-counts[pair], pair))
        counts[best] = 0
        found += 1
        yield best


def _merge(pieces: Sequence[str], pair: Pair) -> list[str]:
    out: list[str] = []
    for piece in pieces:
        # A piece that is a merger itself takes no further part: "aaa" becomes "aa a".
        if out and (out[-1], piece) == pair:
            out[-1] = "".join(pair)
        else:
            out.append(piece)
    return out


def _grown(content: Mapping[str, Any], extension: Extension) -> dict[str, Any]:
    """The content of ``tokenizer.json`` with the new pieces in its model.

    Special tokens that stand beside the model (language codes, the mask) are put into it under their ids, or the
    loader would hand these ids out again.
    """
    grown: dict[str, Any] = json.loads(json.dumps(content))
    model, beside = grown["model"], {row["content"]: row["id"] for row in grown["added_tokens"]}
    if model["type"] == "BPE":
        model["vocab"] |= beside
        size = _size(model["vocab"])
        model["vocab"] |= {piece: size + i for i, piece in enumerate(extension.pieces)}
        model["merges"] += [list(pair) for pair in extension.merges]
        return grown
    rows, lowest = model["vocab"], min(score for _, score in model["vocab"])
    rows += [[piece, lowest] for piece, i in sorted(beside.items(), key=lambda item: item[1]) if i >= len(rows)]
    if any(rows[i][0] != piece for piece, i in beside.items()):
        raise UsageError(
            "model.extend_vocabulary: the ids of this tokenizer have gaps, so it cannot be extended.",
            "Set model.extend_vocabulary to 0.",
        )
    scores = dict(rows)
    parts = {"".join(pair): pair for pair in extension.merges}
    for piece in extension.pieces:
        scores[piece] = sum(scores[one] for one in parts[piece]) + _NEAR if piece in parts else lowest
        rows.append([piece, scores[piece]])
    return grown


def _rows(model: Any) -> list[Any]:
    """The tensors with a row for every piece: embeddings, and those of the output where they are not the same."""
    inside, head = model.get_input_embeddings().weight, model.get_output_embeddings()
    if head is None:
        return [inside]
    found = [inside] if head.weight is inside else [inside, head.weight]
    bias = getattr(head, "bias", None)
    return [*found, bias] if bias is not None else found
