"""A full model from a base and an adapter: the adapter goes into the base as it was published.

Never into the base as it was quantised for the training: ``dequantised + adapter`` is another model than
``16 bits + adapter``, and PEFT's merge into 4-bit layers leaves 4-bit layers.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from seshat.config.families import Family
from seshat.core.errors import DataError
from seshat.models.neural import lora
from seshat.models.neural.base import open_model, open_tokenizer, quiet
from seshat.models.neural.device import Backend
from seshat.models.neural.vocabulary import fit_embeddings
from seshat.project.manifest import Base

_ADAPTER = ("adapter_config.json", "adapter_model.safetensors")
_KINDS = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}


def merge(family: Family, base: Path, adapter: Path, target: Path) -> None:
    """Write base and adapter as one model in the Hugging Face layout, in the arithmetic of the base's file.

    The sum is computed in float32 and rounded once.

    Args:
        family: of the model.
        base: folder of the base, in full precision.
        adapter: folder of the adapter and of the tokenizer it was trained with.
        target: folder to write; made when it is not there.

    Raises:
        DataError: the base is quantised, or the adapter does not fit it.
    """
    package = lora.peft("Merging an adapter")
    if "quantization_config" in json.loads((base / "config.json").read_text(encoding="utf-8")):
        raise DataError(
            f"{base}: this base is quantised itself; an adapter is merged into the full weights.",
            "Name the base in its original precision as model.base, or export the adapter alone.",
        )
    model = open_model(family, base, Backend("cpu", dtype=_precision(base)), frozen=True)
    tokenizer = open_tokenizer(adapter)
    fit_embeddings(model, tokenizer)
    with quiet():
        try:
            merged = package.PeftModel.from_pretrained(model, adapter).merge_and_unload(safe_merge=True)
        except (RuntimeError, ValueError) as error:
            raise DataError(
                f"{adapter}: the adapter does not fit {base}: {str(error).splitlines()[0]}",
                "Train it again: seshat train",
            ) from error
        merged.save_pretrained(target)
        tokenizer.save_pretrained(target)


def copy_model(weights: Path, target: Path) -> None:
    """Copy a full model in the Hugging Face layout, without what a training left beside it."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(weights.iterdir()):
        if path.is_file() and path.suffix != ".bin":
            shutil.copyfile(path, target / path.name)


def copy_adapter(folder: Path, base: Base, target: Path) -> None:
    """Copy an adapter and its tokenizer; it names its base by id, not by a folder of this machine."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix != ".bin" and path.name != "README.md":
            shutil.copyfile(path, target / path.name)
    for name in _ADAPTER:
        if not (target / name).exists():
            raise DataError(f"{folder}: {name} is missing.", "Train again: seshat train")
    path = target / _ADAPTER[0]
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings |= {"base_model_name_or_path": base.id, "revision": base.revision}
    path.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _precision(base: Path) -> str:
    """In what most values of a model are stored."""
    from safetensors import safe_open

    counts: dict[str, int] = {}
    for file in sorted(base.glob("*.safetensors")):
        with safe_open(file, framework="pt") as opened:
            for key in opened.keys():  # noqa: SIM118
                piece = opened.get_slice(key)
                size = 1
                for length in piece.get_shape():
                    size *= length
                counts[piece.get_dtype()] = counts.get(piece.get_dtype(), 0) + size
    most = max(counts, key=lambda kind: counts[kind], default="F32")
    if most not in _KINDS:
        raise DataError(f"{base}: its values are stored as {most}; an adapter is merged into full weights.")
    return _KINDS[most]
