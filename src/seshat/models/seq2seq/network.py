"""The network: a Marian encoder-decoder of any size."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from seshat.config.train import Seq2SeqSection
from seshat.core.errors import require
from seshat.core.jsonl import write_json
from seshat.models.seq2seq.data import END, MAX_PIECES, PAD, UNKNOWN, Vocabulary


def build(settings: Seq2SeqSection, vocabulary: Vocabulary, seed: int) -> Any:
    """A fresh network; the seed is set before the weights are drawn."""
    transformers = require("transformers", extra="train", purpose="Training an encoder-decoder")
    import torch

    torch.manual_seed(seed)
    return transformers.MarianMTModel(
        transformers.MarianConfig(
            vocab_size=len(vocabulary),
            d_model=settings.dim,
            encoder_layers=settings.layers,
            decoder_layers=settings.layers,
            encoder_attention_heads=settings.heads,
            decoder_attention_heads=settings.heads,
            encoder_ffn_dim=settings.ffn,
            decoder_ffn_dim=settings.ffn,
            dropout=settings.dropout,
            attention_dropout=settings.dropout / 2,
            activation_function="relu",
            max_position_embeddings=2 * MAX_PIECES,
            scale_embedding=True,
            pad_token_id=vocabulary.pad,
            eos_token_id=vocabulary.end,
            bos_token_id=None,
            decoder_start_token_id=vocabulary.pad,
            forced_eos_token_id=vocabulary.end,
            share_encoder_decoder_embeddings=True,
            tie_word_embeddings=True,
        )
    )


def save(model: Any, vocabulary: Vocabulary, spm: Path, folder: Path) -> None:
    """Write weights (safetensors), vocabulary and configuration in the Hugging Face layout."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder, safe_serialization=True)
    write_json(folder / "vocab.json", {piece: i for i, piece in enumerate(vocabulary.pieces)})
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes(spm.read_bytes())
    marks = {"eos_token": END, "unk_token": UNKNOWN, "pad_token": PAD, "tokenizer_class": "MarianTokenizer"}
    write_json(folder / "tokenizer_config.json", {**marks, "separate_vocabs": False, "model_max_length": MAX_PIECES})


def load(folder: Path) -> Any:
    """Read a network that :func:`save` wrote."""
    transformers = require("transformers", extra="train", purpose="Translating with this model")
    return transformers.MarianMTModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)


def convert(folder: Path, vocabulary: Vocabulary) -> None:
    """Write the int8 form for CTranslate2 beside the model; does nothing where that is not installed."""
    try:
        from ctranslate2.converters import TransformersConverter
    except ModuleNotFoundError:
        return

    class Converter(TransformersConverter):  # type: ignore[misc]
        """Takes the vocabulary from us: Marian's own tokenizer would want further packages to be read."""

        def load_tokenizer(self, *_arguments: Any, **_options: Any) -> Any:
            ids = {piece: i for i, piece in enumerate(vocabulary.pieces)}
            return SimpleNamespace(get_vocab=lambda: ids, eos_token=END, unk_token=UNKNOWN)

    Converter(str(folder)).convert(str(folder / "ctranslate2"), quantization="int8", force=True)
