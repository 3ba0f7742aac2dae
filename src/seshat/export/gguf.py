"""GGUF for llama.cpp and Ollama: one file with weights, tokenizer and chat template.

Written from a model in the Hugging Face layout with the packages ``gguf`` and ``safetensors`` alone, one tensor at a
time. Types whose arithmetic ``gguf`` has (``f16``, ``q8_0`` …) need no compiler; the K-quants are made by llama.cpp
itself. The mapping of parameters, the ``+ 1`` on Gemma's norms and the order of Llama's queries and keys follow
llama.cpp's ``convert_hf_to_gguf.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seshat.core.errors import DataError, UsageError, require
from seshat.core.paths import remove
from seshat.core.progress import track
from seshat.export.gguf_tensors import tensors_of
from seshat.export.gguf_tokenizer import Vocabulary, read_vocabulary
from seshat.inference.engines.llama import package
from seshat.prompt.templates import portable

DIRECT = ("f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1")
"""Types written here."""
ARCHITECTURES = {
    "LlamaForCausalLM": "llama",
    "Qwen3ForCausalLM": "qwen3",
    "Gemma3ForCausalLM": "gemma3",
    "Gemma3ForConditionalGeneration": "gemma3",
}
"""Class of the model -> architecture of llama.cpp."""
_PURPOSE = "Writing a GGUF file"


def write_gguf(weights: Path, path: Path, kind: str, *, name: str, template: str | None = None) -> Vocabulary:
    """Write a GGUF file.

    Args:
        weights: a full model with its tokenizer in the Hugging Face layout.
        path: the file.
        kind: one of :data:`DIRECT`, or a K-quant such as ``q4_k_m``.
        name: ``general.name``.
        template: Jinja text instead of the tokenizer's chat template.

    Returns:
        What the file says of the tokenizer.

    Raises:
        UsageError: the architecture is none that is written here.
        DataError: something in the model has no place in such a file.
        MissingPackage: ``gguf``, or for K-quants ``llama-cpp-python``, is not installed.
    """
    if kind in DIRECT:
        return _write(weights, path, kind, name, template)
    llama = package(f"Quantising to {kind}")
    plain = path.with_name(f"{path.stem}.f16.tmp")
    try:
        vocabulary = _write(weights, plain, "f16", name, template)
        _quantise(llama, plain, path, kind)
    finally:
        remove(plain)
    return vocabulary


def _write(weights: Path, path: Path, kind: str, name: str, template: str | None) -> Vocabulary:
    gguf = require("gguf", extra="gguf", purpose=_PURPOSE)
    require("safetensors", extra="train", purpose=_PURPOSE)
    config = read_config(weights)
    vocabulary = read_vocabulary(weights, config["vocab_size"])
    writer = gguf.GGUFWriter(path, config["arch"])
    writer.add_name(name)
    writer.add_file_type(_file_type(gguf, kind))
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    _add_parameters(gguf, writer, config)
    _add_tokenizer(writer, weights, vocabulary, template)
    tensors = list(tensors_of(gguf, weights, config, kind))
    for tensor in tensors:
        writer.add_tensor_info(tensor.name, tensor.bytes_shape, tensor.dtype, tensor.nbytes, tensor.type)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for tensor in track(tensors, f"writing {path.name}"):
            writer.write_tensor_data(tensor.data())
    finally:
        writer.close()
    return vocabulary


def read_config(weights: Path) -> dict[str, Any]:
    """The configuration of the text model, with ``arch``.

    Raises:
        UsageError: its architecture is none that is written here.
    """
    whole = json.loads((weights / "config.json").read_text(encoding="utf-8"))
    architecture = (whole.get("architectures") or ["unknown"])[0]
    if architecture not in ARCHITECTURES:
        raise UsageError(
            f"{weights}: GGUF is written for Llama, Qwen3 and Gemma 3, this is a {architecture}.",
            "Export it as `merged`, and convert that with llama.cpp's convert_hf_to_gguf.py.",
        )
    return {**whole, **whole.get("text_config", {}), "arch": ARCHITECTURES[architecture]}


def _file_type(gguf: Any, kind: str) -> int:
    return int(gguf.LlamaFileType["ALL_F32" if kind == "f32" else f"MOSTLY_{kind.upper()}"])


def _add_parameters(gguf: Any, writer: Any, config: Mapping[str, Any]) -> None:
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    rope = config["rope_parameters"]
    _add_rope(gguf, writer, rope.get("full_attention", rope))
    if config["arch"] == "llama":
        writer.add_rope_dimension_count(config["head_dim"])
    if config["arch"] == "gemma3":
        kinds = [kind == "sliding_attention" for kind in config["layer_types"]]
        if kinds != [bool((number + 1) % 6) for number in range(len(kinds))]:
            raise DataError("Every sixth layer of a Gemma 3 sees everything, in llama.cpp; here it is otherwise.")
        writer.add_sliding_window(config["sliding_window"])
        writer.add_rope_freq_base_swa(rope["sliding_attention"]["rope_theta"])
        if config.get("final_logit_softcapping"):
            writer.add_final_logit_softcapping(config["final_logit_softcapping"])


def _add_rope(gguf: Any, writer: Any, rope: Mapping[str, Any]) -> None:
    writer.add_rope_freq_base(rope["rope_theta"])
    kind = rope.get("rope_type", "default")
    if kind == "default":
        return
    if kind not in ("linear", "yarn"):
        raise DataError(f"Positions are scaled by '{kind}', which is not written to GGUF.")
    writer.add_rope_scaling_type(gguf.RopeScalingType(kind))
    writer.add_rope_scaling_factor(rope["factor"])
    if kind == "yarn":
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])


def _add_tokenizer(writer: Any, weights: Path, vocabulary: Vocabulary, template: str | None) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(weights)
    writer.add_tokenizer_model(vocabulary.model)
    writer.add_tokenizer_pre(vocabulary.pre)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.kinds)
    if vocabulary.merges:
        writer.add_token_merges(vocabulary.merges)
    if vocabulary.scores:
        writer.add_token_scores(vocabulary.scores)
        writer.add_add_space_prefix(False)
    end = tokenizer.eos_token_id
    # Without a BOS, llama.cpp would take token 11 for it, as in GPT-2.
    writer.add_bos_token_id(end if tokenizer.bos_token_id is None else tokenizer.bos_token_id)
    writer.add_eos_token_id(end)
    if tokenizer.pad_token_id is not None:
        writer.add_pad_token_id(tokenizer.pad_token_id)
    if tokenizer.unk_token_id is not None:
        writer.add_unk_token_id(tokenizer.unk_token_id)
    writer.add_add_bos_token(begins_with_bos(tokenizer, template))
    writer.add_add_eos_token(False)
    if template or tokenizer.chat_template:
        writer.add_chat_template(portable(template or tokenizer.chat_template))


def begins_with_bos(tokenizer: Any, template: str | None) -> bool:
    """Whether what the model reads begins with a BOS: by its chat template, or without one by its tokenizer.

    Programs that put a BOS before every prompt by themselves go by what a GGUF file says here.
    """
    if tokenizer.bos_token is None:
        return False
    if template or tokenizer.chat_template:
        chat = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
        text = tokenizer.apply_chat_template(chat, chat_template=template, tokenize=False)
        # Where every turn begins with it, as in SmolLM2, it is no BOS, and one more in front would be too many.
        return bool(text.startswith(tokenizer.bos_token)) and text.count(tokenizer.bos_token) == 1
    return bool(tokenizer("a")["input_ids"][:1] == [tokenizer.bos_token_id])


def _quantise(llama: Any, source: Path, target: Path, kind: str) -> None:
    """Quantise a GGUF file by llama.cpp.

    Raises:
        UsageError: it knows no such type.
        DataError: it fails.
    """
    import ctypes

    number = getattr(llama, f"LLAMA_FTYPE_MOSTLY_{kind.upper()}", None)
    if number is None:
        raise UsageError(f"'{kind}' is no type that llama.cpp quantises to.", "Usual ones: q8_0, q4_k_m, q5_k_m, q6_k.")
    settings = llama.llama_model_quantize_default_params()
    settings.ftype = number
    code = llama.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(settings))
    if code != 0:
        raise DataError(f"llama.cpp could not quantise to {kind} (code {code}).", "Try another type, such as q8_0.")
