"""A GGUF file read back into the Hugging Face layout: the proof of its weights where llama.cpp is not installed."""

from __future__ import annotations

import shutil
from pathlib import Path

from seshat.core.errors import require
from seshat.export.gguf import read_config
from seshat.export.gguf_tensors import norm_change, reordered, tensors_of


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
    config = read_config(weights)
    tensors = {}
    for tensor in tensors_of(gguf, weights, config, "f32"):
        found = stored[tensor.name]
        shift, scale = norm_change(tensor.key, config)
        value = gguf.quants.dequantize(found.data, found.tensor_type).reshape(tensor.shape) / scale - shift
        value = reordered(value.astype("float32"), tensor.key, config, back=True)
        tensors[tensor.key] = torch.from_numpy(value.copy())
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
