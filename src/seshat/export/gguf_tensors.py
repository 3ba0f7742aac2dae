"""Tensors on their way from safetensors to GGUF: their names, their types, what Gemma's norms and Llama's rows need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import sqrt
from pathlib import Path
from typing import Any

from seshat.core.errors import DataError

_BLOCK = 32
"""Values that a direct type scales together: a row must be a multiple of it."""


class Tensor:
    """One tensor on its way from a safetensors file to the GGUF file."""

    def __init__(self, gguf: Any, file: Path, key: str, name: str, kind: str, config: Mapping[str, Any]) -> None:
        from safetensors import safe_open

        self._gguf, self._file, self._config = gguf, file, config
        self.key, self.name = key, name
        with safe_open(file, framework="pt") as opened:
            shape = opened.get_slice(key).get_shape()
        self.shape = shape
        self.type = _type(gguf, name, shape, kind)
        block, size = gguf.GGML_QUANT_SIZES[self.type]
        plain = {"F32": "float32", "F16": "float16"}.get(self.type.name)
        import numpy as np

        self.dtype = np.dtype(plain or "uint8")
        self.bytes_shape = shape if plain else [*shape[:-1], shape[-1] // block * size]
        self.nbytes = int(np.prod(self.bytes_shape)) * self.dtype.itemsize

    def data(self) -> Any:
        """The values in the type of the file.

        Raises:
            DataError: a value is too large for the type.
        """
        import numpy as np
        from safetensors import safe_open

        with safe_open(self._file, framework="pt") as opened:
            values = opened.get_tensor(self.key).float().numpy()
        shift, scale = norm_change(self.key, self._config)
        values = (values + shift) * scale if (shift, scale) != (0.0, 1.0) else values
        values = reordered(values, self.key, self._config)
        with np.errstate(over="ignore"):
            made = self._gguf.quants.quantize(values, self.type)
        if made.dtype == np.float16 and not np.isfinite(made).all():
            raise DataError(
                f"{self.key}: values beyond what f16 can hold.", "Take another type: export.quantization: [bf16]"
            )
        return made


def _type(gguf: Any, name: str, shape: list[int], kind: str) -> Any:
    """Vectors stay exact, as llama.cpp wants them; embeddings keep at least 8 bits; rows that do not fit, 16."""
    types = gguf.GGMLQuantizationType
    if len(shape) == 1:
        return types.F32
    if kind.startswith("q"):
        if shape[-1] % _BLOCK:
            return types.F16
        if name.startswith(("token_embd", "output")):
            return types.Q8_0
    return types[kind.upper()]


def norm_change(key: str, config: Mapping[str, Any]) -> tuple[float, float]:
    """What is added to the values of a tensor, and what they are multiplied by then: Gemma 3's norms are 1 + weight."""
    if config["arch"] != "gemma3" or not key.endswith("norm.weight"):
        return 0.0, 1.0
    return 1.0, _query_scale(config) if key.endswith("q_norm.weight") else 1.0


def reordered(values: Any, key: str, config: Mapping[str, Any], *, back: bool = False) -> Any:
    """The rows of Llama's queries and keys in the order that llama.cpp wants them in, or ``back`` in their own.

    Positions turn pairs of numbers: Transformers pairs one half of a head with the other, llama.cpp neighbours
    (``LlamaModel.permute`` in ``convert_hf_to_gguf.py``).
    """
    kind = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}.get(key.split(".")[-2])
    if config["arch"] != "llama" or kind is None:
        return values
    heads = config[kind]
    half = len(values) // heads // 2
    pairs = (heads, half, 2) if back else (heads, 2, half)
    return values.reshape(*pairs, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)


def _query_scale(config: Mapping[str, Any]) -> float:
    """What queries must be multiplied by, because llama.cpp takes another scale for attention than the configuration.

    It divides by the root of the width of a head (of 62 layers: of the model's width over its heads); the
    configuration by that of ``query_pre_attn_scalar``. See ``llama_model_gemma3::load_arch_hparams``.
    """
    heads, layers = config["num_attention_heads"], config["num_hidden_layers"]
    theirs = config["hidden_size"] // heads if layers == 62 else config["head_dim"]
    return sqrt(theirs / config["query_pre_attn_scalar"])


def tensors_of(gguf: Any, weights: Path, config: Mapping[str, Any], kind: str) -> Iterator[Tensor]:
    """The tensors of the text model, in the order of their files.

    Raises:
        DataError: a tensor that llama.cpp's architecture does not have.
    """
    from safetensors import safe_open

    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[config["arch"].upper()], config["num_hidden_layers"])
    for file in sorted(weights.glob("*.safetensors")):
        with safe_open(file, framework="pt") as opened:
            keys = sorted(opened.keys())
        for key in keys:
            plain = key.replace("language_model.model.", "model.").replace("model.language_model.", "model.")
            if "vision_tower" in key or "multi_modal_projector" in key:
                continue
            if plain.endswith("lm_head.weight") and config.get("tie_word_embeddings", config["arch"] == "gemma3"):
                continue
            name = names.get_name(plain, try_suffixes=(".weight", ".bias"))
            if name is None:
                raise DataError(f"{file}: llama.cpp's {config['arch']} has no place for {key}.")
            yield Tensor(gguf, file, key, name, kind, config)
