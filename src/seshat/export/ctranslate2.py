"""CTranslate2 in int8 for encoder-decoders: NLLB, M2M-100, mBART, Marian, T5, mT5, ByT5."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from seshat.core.errors import UsageError, require
from seshat.models.neural.base import open_tokenizer, quiet

_VOCABULARIES = ("shared_vocabulary.json", "source_vocabulary.json")


def write_ctranslate2(weights: Path, target: Path) -> dict[str, Any]:
    """Convert a model, weights in int8, and put its tokenizer beside it.

    Args:
        weights: a full encoder-decoder with its tokenizer in the Hugging Face layout.
        target: folder to write.

    Returns:
        What a reader of the folder must know: ``model_type``, as Transformers names the architecture.

    Raises:
        UsageError: CTranslate2 knows no such architecture.
        MissingPackage: ``ctranslate2`` is not installed.
    """
    package = require("ctranslate2", extra="ctranslate2", purpose="Exporting to CTranslate2")
    kind = json.loads((weights / "config.json").read_text(encoding="utf-8"))["model_type"]
    with quiet():
        try:
            package.converters.TransformersConverter(str(weights)).convert(str(target), quantization="int8")
        except ValueError as error:
            if "registered" not in str(error):
                raise
            raise UsageError(
                f"CTranslate2 knows no models of the type '{kind}'.",
                "Export it as `merged`: any program of Transformers reads it.",
            ) from error
        open_tokenizer(weights).save_pretrained(target)
    return {"model_type": kind, "weights": "int8"}


def vocabulary(folder: Path) -> dict[str, int]:
    """Token -> id, as the converted model has them on its source side."""
    path = next(folder / name for name in _VOCABULARIES if (folder / name).exists())
    return {token: number for number, token in enumerate(json.loads(path.read_text(encoding="utf-8")))}
