"""A Hugging Face tokenizer in the words of GGUF, also one that was trained or extended here.

llama.cpp knows tokenizers by name, not by content: its own converter recognises the published ones and stops at every
other. Here the name is chosen by what the tokenizer does: the expression by which a byte-level BPE cuts text, or the
merges of a BPE over text with ``▁`` for spaces (SentencePiece, Gemma). Whether the choice gives the same token ids is
proved on the validation set before an export is published.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seshat.core.errors import DataError

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
_DIGITS = r"\p{N}"
"""Every digit by itself, before anything else is cut (SmolLM2)."""
_PRE = {_GPT2: "gpt-2", _QWEN2: "qwen2", _DIGITS: "smollm"}
"""Expression of the pre-tokenizer -> ``tokenizer.ggml.pre``: ``llm_tokenizer_bpe`` in llama.cpp's llama-vocab.cpp."""
_SPACE = "▁"
_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED, _UNUSED, _BYTE = 1, 2, 3, 4, 5, 6  # gguf.TokenType


@dataclass(frozen=True)
class Vocabulary:
    """What GGUF says of a tokenizer."""

    model: str
    """``gpt2`` (byte-level BPE), ``llama`` (SentencePiece) or ``gemma4`` (BPE over text with ``▁``)."""
    tokens: tuple[str, ...]
    kinds: tuple[int, ...]
    pre: str | None = None
    merges: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    form: str | None = None
    """Unicode form that the tokenizer brings text to before it cuts it. llama.cpp does not: whoever asks must."""


def read_vocabulary(folder: Path, size: int) -> Vocabulary:
    """The vocabulary of the tokenizer in a folder.

    Args:
        folder: with ``tokenizer.json``.
        size: rows of the embeddings; ids without a token become unused ones.

    Raises:
        DataError: there is no such tokenizer, or llama.cpp has nothing that cuts text as it does.
    """
    path = folder / "tokenizer.json"
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {error}.", "GGUF needs a fast tokenizer (tokenizer.json).") from error
    model = described["model"]
    if model.get("type") != "BPE":
        raise DataError(f"{path}: a tokenizer of type {model.get('type')}; GGUF is written from BPE alone.")
    added = {token["id"]: token for token in described.get("added_tokens", ())}
    names = {number: name for name, number in model["vocab"].items()} | {n: t["content"] for n, t in added.items()}
    if max(names) >= size:
        raise DataError(
            f"{path}: {max(names) + 1} tokens, but the model has embeddings for {size} only.",
            "The tokenizer and the weights do not belong together: train again.",
        )
    _refuse_marks(path, added)
    form = _form(path, described.get("normalizer"))
    merges = tuple(merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"])
    expression = _expression(described.get("pre_tokenizer"))
    if expression is not None:
        return _byte_level(path, expression, names, added, merges, size, form)
    return _sentence_piece(path, described, names, added, merges, size, form)


def _refuse_marks(path: Path, added: dict[int, dict[str, Any]]) -> None:
    for token in added.values():
        if token.get("single_word"):
            raise DataError(
                f"{path}: the added token '{token['content']}' stands for whole words only, which llama.cpp does not "
                "know: the exported model would read other tokens.",
                "Export another form (merged, adapter), or train without model.extend_vocabulary.",
            )


def _form(path: Path, normalizer: dict[str, Any] | None) -> str | None:
    """The Unicode form among the steps of a normaliser; those that GGUF does itself are passed over.

    Raises:
        DataError: a step that llama.cpp does not know.
    """
    form = None
    steps = normalizer.get("normalizers", [normalizer]) if normalizer else []
    for step in steps:
        if step["type"] in ("NFC", "NFD", "NFKC", "NFKD"):
            form = str(step["type"])
        elif not (step["type"] == "Replace" and step["pattern"] == {"String": " "} and step["content"] == _SPACE):
            raise DataError(f"{path}: a normaliser of type {step['type']}, which llama.cpp does not know.")
    return form


def _expression(pre: dict[str, Any] | None) -> str | None:
    """By what a byte-level pre-tokenizer cuts text; ``None`` for one that is not byte-level."""
    steps = pre.get("pretokenizers", [pre]) if pre else []
    level = next((step for step in steps if step["type"] == "ByteLevel"), None)
    if level is None:
        return None
    if level.get("use_regex", True):
        before = [step for step in steps if step is not level]
        if level.get("add_prefix_space") or len(before) > 1:
            return ""
        digits = before and before[0]["type"] == "Digits" and before[0]["individual_digits"]
        return _DIGITS if digits else "" if before else _GPT2
    patterns = [step["pattern"].get("Regex", "") for step in steps if step["type"] == "Split"]
    return str(patterns[0]) if len(patterns) == 1 else ""


def _byte_level(
    path: Path,
    expression: str,
    names: dict[int, str],
    added: dict[int, dict[str, Any]],
    merges: tuple[str, ...],
    size: int,
    form: str | None,
) -> Vocabulary:
    if expression not in _PRE:
        raise DataError(
            f"{path}: text is cut by an expression that llama.cpp is not known to have: {expression!r}.",
            "Export another form (merged, adapter).",
        )
    kinds = {number: _CONTROL if token["special"] else _USER_DEFINED for number, token in added.items()}
    tokens, types = _rows(names, kinds, size)
    return Vocabulary("gpt2", tokens, types, _PRE[expression], merges, form=form)


def _sentence_piece(
    path: Path,
    described: dict[str, Any],
    names: dict[int, str],
    added: dict[int, dict[str, Any]],
    merges: tuple[str, ...],
    size: int,
    form: str | None,
) -> Vocabulary:
    """SentencePiece's own tokens and scores where the merges follow from them, else BPE by these merges."""
    model = described["model"]
    if not model.get("byte_fallback"):
        raise DataError(
            f"{path}: neither byte-level nor with bytes for unknown characters; llama.cpp knows no such BPE.",
            "Export another form (merged, adapter).",
        )
    rank = _first(merges)
    kinds = {number: _BYTE for number, name in names.items() if _is_byte(name)}
    shown = dict(names)
    for number, token in added.items():
        kinds[number] = _CONTROL if token["special"] else _USER_DEFINED
        if _SPACE in token["content"] and not token["special"]:
            shown[number], kinds[number] = _with_spaces(number, token, rank)
    if model.get("unk_token") in model["vocab"]:
        kinds[model["vocab"][model["unk_token"]]] = _UNKNOWN
    tokens, types = _rows(shown, kinds, size)
    if not _follows(model["vocab"], merges, rank):
        return Vocabulary("gemma4", tokens, types, "gemma4", merges, form=form)
    usual = ((token, kind == _NORMAL) for token, kind in zip(tokens, types, strict=True))
    scores = (-float(rank.get(token, len(merges))) if normal else 0.0 for token, normal in usual)
    return Vocabulary("llama", tokens, types, "default", scores=tuple(scores), form=form)


def _with_spaces(number: int, token: dict[str, Any], rank: dict[str, int]) -> tuple[str, int]:
    """Text and type of an added token with ``▁``, such as the runs of spaces that Gemma has.

    One that is looked for in normalised text finds spaces; llama.cpp looks in the text as people write it. One that is
    looked for before finds only ``▁`` itself, which nobody writes; then merges alone lead to it, or nothing.
    """
    if token["normalized"]:
        return token["content"].replace(_SPACE, " "), _USER_DEFINED
    return (token["content"], _NORMAL) if token["content"] in rank else (f"[PAD{number}]", _UNUSED)


def _first(merges: tuple[str, ...]) -> dict[str, int]:
    """Number of the first merge that makes each token."""
    rank: dict[str, int] = {}
    for number, merge in enumerate(merges):
        rank.setdefault(merge.replace(" ", ""), number)
    return rank


def _follows(vocabulary: dict[str, int], merges: tuple[str, ...], rank: dict[str, int]) -> bool:
    """Whether joining any two neighbours that are a token together, the earliest token first, gives these merges.

    That is what SentencePiece does; a BPE trained here knows one pair for each token.
    """
    known = set(merges)
    last = {merge.replace(" ", ""): number for number, merge in enumerate(merges)}
    starts = sorted(rank.values())
    follower = dict(zip(starts, [*starts[1:], len(merges)], strict=True))
    if any(last[token] >= follower[first] for token, first in rank.items()):
        return False  # the merges of one token do not stand together
    return all(
        f"{token[:cut]} {token[cut:]}" in known
        for token in rank
        for cut in range(1, len(token))
        if token[:cut] in vocabulary and token[cut:] in vocabulary
    )


def _rows(names: dict[int, str], kinds: dict[int, int], size: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
    tokens = tuple(names.get(number, f"[PAD{number}]") for number in range(size))
    types = tuple(kinds.get(number, _NORMAL if number in names else _UNUSED) for number in range(size))
    return tokens, types


def _is_byte(name: str) -> bool:
    return len(name) == 6 and name.startswith("<0x") and name.endswith(">")
