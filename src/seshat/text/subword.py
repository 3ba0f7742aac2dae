"""Subword tokenizers: reading any on disk, and training SentencePiece.

A tokenizer is seen here through one small class, :class:`Subword`: it cuts a text into tokens and says for each which
characters it covers and whether the tokenizer knew them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from seshat.core.errors import DataError, MissingPackage, UsageError, require

WORD_MARK = "\u2581"
"""What SentencePiece writes for the space before a word."""


@dataclass(frozen=True)
class Token:
    """One token: the characters ``start`` to ``end`` of the text, and whether the tokenizer knew them."""

    start: int
    end: int
    unknown: bool = False


@dataclass(frozen=True)
class Subword:
    """A tokenizer: its name for reports, the size of its vocabulary, and the function that cuts a text."""

    name: str
    vocabulary: int
    cut: Callable[[str], list[Token]]


def train_sentencepiece(
    lines: Iterable[str],
    *,
    vocabulary: int,
    symbols: Iterable[str] = (),
    seed: int = 0,
) -> bytes:
    """Train a SentencePiece model; the same lines and seed give the same bytes.

    Args:
        lines: sentences of all languages that share the vocabulary.
        vocabulary: pieces wanted; a small corpus may give fewer.
        symbols: strings that stay one piece, such as placeholders.
        seed: for the sampling inside the trainer.

    Returns:
        The model file. Ids: 0 ``</s>``, 1 ``<unk>``; padding is left to the model that uses it.

    Raises:
        UsageError: the corpus is too small for any vocabulary.
    """
    sentencepiece = require("sentencepiece", extra="tokenizer", purpose="Training a tokenizer")
    sentencepiece.set_random_generator_seed(seed)
    out = io.BytesIO()
    corpus = [line for line in lines if line.strip()]
    if not corpus:
        raise UsageError("No text to train a tokenizer on.", "Run `seshat check` to see where the data went.")
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(corpus),
            model_writer=out,
            model_type="unigram",
            vocab_size=vocabulary,
            hard_vocab_limit=False,
            character_coverage=1.0,
            # Text is normalised before it comes here; NFKC would undo the project's own choice.
            normalization_rule_name="identity",
            user_defined_symbols=sorted(set(symbols)),
            eos_id=0,
            unk_id=1,
            bos_id=-1,
            pad_id=-1,
            num_threads=1,
            max_sentence_length=100_000,
            minloglevel=2,
        )
    except RuntimeError as error:
        message = str(error).splitlines()[-1]
        raise UsageError(
            f"SentencePiece cannot make {vocabulary} pieces from {len(corpus)} lines: {message}",
            "Set tokenizer.vocabulary to a smaller number.",
        ) from error
    return out.getvalue()


def load(path: Path) -> Subword:
    """Read a tokenizer from disk.

    Args:
        path: a SentencePiece ``.model`` file, a ``tokenizer.json``, or a folder that holds a Hugging Face tokenizer.

    Raises:
        DataError: there is no tokenizer.
        MissingPackage: reading this kind needs an extra.
    """
    if path.suffix == ".model" and path.is_file():
        return _sentencepiece(path)
    json_file = path / "tokenizer.json" if path.is_dir() else path
    if json_file.name == "tokenizer.json" and json_file.is_file():
        return _fast(json_file)
    if (path / "tokenizer_config.json").is_file():
        return _transformers(path)
    if (path / "spm.model").is_file():
        return _sentencepiece(path / "spm.model")
    raise DataError(
        f"{path}: no tokenizer here.",
        "Give a folder with tokenizer.json or tokenizer_config.json, or a SentencePiece .model file.",
    )


def _sentencepiece(path: Path) -> Subword:
    sentencepiece = require("sentencepiece", extra="tokenizer", purpose="Reading a SentencePiece model")
    try:
        processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
    except (OSError, RuntimeError) as error:
        raise DataError(f"{path}: not a SentencePiece model.", "Train it again, or name another file.") from error
    unknown = processor.unk_id()

    def cut(text: str) -> list[Token]:
        tokens, end = [], 0
        for piece, number in zip(processor.encode(text, out_type=str), processor.encode(text), strict=True):
            start = end
            for letter in piece:  # the mark stands for white space, or for nothing at the start of the text
                end += 1 if letter != WORD_MARK or text[end : end + 1].isspace() else 0
            tokens.append(Token(start, end, number == unknown))
        return tokens

    return Subword(str(path), processor.vocab_size(), cut)


def _fast(path: Path) -> Subword:
    tokenizers = require("tokenizers", extra="tokenizer", purpose="Reading a Hugging Face tokenizer")
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the binding raises a plain Exception
        raise DataError(f"{path}: not a tokenizer: {error}") from error
    unknown = {
        tokenizer.token_to_id(name) for name in ("<unk>", "[UNK]", getattr(tokenizer.model, "unk_token", None)) if name
    } - {None}

    def cut(text: str) -> list[Token]:
        encoding = tokenizer.encode(text, add_special_tokens=False)
        return [Token(start, end, i in unknown) for (start, end), i in zip(encoding.offsets, encoding.ids, strict=True)]

    return Subword(str(path), tokenizer.get_vocab_size(), cut)


def _transformers(path: Path) -> Subword:
    """Tokenizers without a fast form, such as ByT5's bytes: they tell no spans, so each token gets its share."""
    transformers = require("transformers", extra="train", purpose="Reading this tokenizer")
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    except ImportError as error:
        raise MissingPackage(error.name or "a package", "train", f"The tokenizer in {path}") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: this tokenizer cannot be read: {str(error).splitlines()[0]}") from error

    def cut(text: str) -> list[Token]:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        share = len(text) / len(ids) if ids else 0.0
        return [
            Token(int(i * share), int((i + 1) * share), token == tokenizer.unk_token_id) for i, token in enumerate(ids)
        ]

    return Subword(str(path), len(tokenizer), cut)
