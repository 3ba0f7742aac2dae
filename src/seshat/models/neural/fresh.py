"""An encoder-decoder that starts from nothing: a Marian network of any size, with the pieces of stage ``tokenizer``.

Its weights, drawn by the seed, are written as a base in the Hugging Face layout; from there on it is trained, saved,
exported and served as other bases are.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from seshat.core.errors import DataError, require
from seshat.core.jsonl import write_json
from seshat.core.paths import fresh
from seshat.core.processes import is_main_process, wait_for_all
from seshat.project.folder import Project

END, UNKNOWN, PAD = "</s>", "<unk>", "<pad>"
_LONGEST = 512
"""Tokens that the network has places for."""


def base(project: Project) -> Path:
    """The folder with the untrained network of the configuration, written where it is not there yet.

    Raises:
        DataError: no tokenizer was trained.
        MissingPackage: ``sentencepiece`` or ``transformers`` is not installed.
    """
    spm = project.models / "tokenizer" / "spm.model"
    if not spm.exists():
        raise DataError(f"{spm}: a model from scratch needs a tokenizer.", "Run `seshat tokenizer` first.")
    config = project.config
    shape = f"{config.train.seq2seq.model_dump_json()} {config.project.seed} {config.language_codes}"
    key = hashlib.sha256(shape.encode() + spm.read_bytes()).hexdigest()[:16]
    folder = project.state / "fresh" / key
    if is_main_process() and not (folder / "config.json").exists():
        partial = folder.with_suffix(".partial")
        fresh(partial)
        _write(project, spm, partial)
        partial.rename(folder)
    wait_for_all()
    return folder


def _write(project: Project, spm: Path, folder: Path) -> None:
    """Weights (safetensors), vocabulary and configuration."""
    package = require("sentencepiece", extra="train", purpose="The encoder-decoder")
    processor = package.SentencePieceProcessor(model_file=str(spm))
    pieces = [processor.id_to_piece(number) for number in range(processor.vocab_size())]
    # Padding comes last: CTranslate2 drops the last row.
    tokens = [*pieces, *project.config.language_codes.values(), PAD]
    _network(project, len(tokens), tokens.index(END)).save_pretrained(folder)
    write_json(folder / "vocab.json", {token: number for number, token in enumerate(tokens)})
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes(spm.read_bytes())
    marks = {"eos_token": END, "unk_token": UNKNOWN, "pad_token": PAD, "tokenizer_class": "MarianTokenizer"}
    write_json(folder / "tokenizer_config.json", {**marks, "separate_vocabs": False, "model_max_length": _LONGEST})


def _network(project: Project, size: int, end: int) -> Any:
    transformers = require("transformers", extra="train", purpose="Training an encoder-decoder")
    shape, pad = project.config.train.seq2seq, size - 1
    transformers.set_seed(project.config.project.seed)
    model = transformers.MarianMTModel(
        transformers.MarianConfig(
            vocab_size=size,
            d_model=shape.dim,
            encoder_layers=shape.layers,
            decoder_layers=shape.layers,
            encoder_attention_heads=shape.heads,
            decoder_attention_heads=shape.heads,
            encoder_ffn_dim=shape.ffn,
            decoder_ffn_dim=shape.ffn,
            dropout=shape.dropout,
            attention_dropout=shape.dropout / 2,
            activation_function="relu",
            max_position_embeddings=_LONGEST,
            scale_embedding=True,
            pad_token_id=pad,
            eos_token_id=end,
            bos_token_id=None,
            decoder_start_token_id=pad,
            forced_eos_token_id=end,
            share_encoder_decoder_embeddings=True,
            tie_word_embeddings=True,
        )
    )
    model.final_logits_bias[0, pad] = NEVER
    return model


NEVER = -100.0
"""Logit of the padding, which is never an answer; finite, because label smoothing counts every piece."""


def keep_padding(model: Any) -> None:
    """Leave the row of the padding at zero, where CTranslate2 takes it to be; the tied output would move it."""
    pad = model.config.pad_token_id

    def held(gradient: Any) -> Any:
        gradient = gradient.clone()
        gradient[pad] = 0
        return gradient

    model.get_input_embeddings().weight.register_hook(held)
