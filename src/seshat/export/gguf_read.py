"""A GGUF file read back into the Hugging Face layout: the proof of its weights where llama.cpp is not installed."""

from __future__ import annotations

import shutil
from pathlib import Path

from seshat.errors import require
from seshat.export.gguf import restored


def read_back(file: Path, weights: Path, target: Path) -> None:
    """Write the model that a GGUF file holds, its values as they come out of the file's types.

    Args:
        file: written by :func:`seshat.export.gguf.write_gguf`.
        weights: what it was written from, for configuration, tokenizer and names.
        target: folder to write.
    """
    gguf = require("gguf", extra="gguf", purpose="Reading a GGUF file")
    import torch
    from safetensors.torch import save_file

    target.mkdir(parents=True, exist_ok=True)
    for path in weights.iterdir():
        if path.is_file() and path.suffix != ".safetensors" and not path.name.endswith(".index.json"):
            shutil.copyfile(path, target / path.name)
    stored = {tensor.name: tensor for tensor in gguf.GGUFReader(file).tensors}
    values = restored(gguf, weights, lambda name: gguf.quants.dequantize(stored[name].data, stored[name].tensor_type))
    tensors = {key: torch.from_numpy(value.copy()) for key, value in values}
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
