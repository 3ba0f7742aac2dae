"""Models without weights: of the right shape and types, on tensors without content, from ``config.json`` alone."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seshat.config import presets
from seshat.config.families import Family
from seshat.config.finetune import LoraSection
from seshat.core.errors import DataError, require
from seshat.models.neural import lora
from seshat.models.neural.base import auto_class, quiet
from seshat.models.neural.device import Backend
from seshat.models.neural.vocabulary import adapter_settings

NF4_BLOCK, NF4_OUTER = 64, 256
"""Weights that share a constant in 4 bits, and constants that share one of theirs (QLoRA, section 3)."""
_PURPOSE = "Planning a training"


@dataclass(frozen=True)
class Facts:
    """What ``config.json`` of a base says, and where that was found."""

    values: dict[str, Any]
    where: str
    folder: Path | None = None
    """The local folder, which may have a tokenizer too."""


def facts(base: str, revision: str | None, root: Path) -> Facts:
    """Look for ``config.json``: in the folder, among the models on this machine, among what Seshat knows.

    Args:
        base: a folder, absolute or from ``root``, or a Hugging Face id.
        revision: of the id.
        root: the project folder.

    Raises:
        DataError: it is nowhere.
    """
    local = root / base
    path = local / "config.json" if local.is_dir() else _cached(base, revision)
    if path is not None and path.is_file():
        return Facts(json.loads(path.read_text(encoding="utf-8")), str(path), path.parent)
    if base in presets.bases():
        return Facts(dict(presets.bases()[base]), "what Seshat knows of it")
    raise DataError(
        f"model.base is '{base}': there is no such folder with a config.json, no model of that id on this machine, and "
        "it is none of the presets' bases.",
        "A plan needs the config.json alone, a few kilobytes: put it into a folder and name that as model.base; or "
        f"fetch the whole model once with model.download=true. Known without it: {', '.join(presets.bases())}.",
    )


def _cached(base: str, revision: str | None) -> Path | None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(base, "config.json", revision=revision)
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) else None


def empty(
    known: Facts,
    family: Family,
    backend: Backend,
    *,
    adapter: LoraSection | None = None,
    checkpointing: bool = False,
    pieces: int = 0,
    embeddings: bool = False,
) -> Any:
    """The model as a training begins with it, without content.

    Args:
        known: the base.
        family: decides the class.
        backend: types, quantisation, attention.
        adapter: train adapters of this kind instead of all weights.
        checkpointing: activations are computed again instead of kept.
        pieces: new pieces of the vocabulary.
        embeddings: train them beside the adapters.

    Raises:
        DataError: Transformers does not know this architecture, or not for the family.
    """
    import torch

    frozen = adapter is not None
    model = _built(known, family, backend.attention, backend.torch_dtype if frozen else torch.float32, pieces)
    model.config.use_cache = False
    with torch.device("meta"), quiet():
        if adapter is not None:
            if backend.quantization != "none" and not adapter.dora:
                _quantise(model, backend)
            more = adapter_settings(model, None, (), whole=True) if embeddings else None
            model = lora.attach(model, adapter, family, 0, more)
        plain = model.get_base_model() if adapter is not None else model
        if family.instructed:
            from trl.trainer.utils import add_fused_lm_head

            add_fused_lm_head(plain, outputs=("log_probs", "entropy", "is_top1"))  # as TRL's SFTTrainer does
        if checkpointing:
            # The state of the random numbers has content, which nothing has here.
            plain.gradient_checkpointing_enable({"use_reentrant": False, "preserve_rng_state": False})
            if frozen:
                plain.enable_input_require_grads()
    return _on_fake_tensors(model)


def _on_fake_tensors(model: Any) -> Any:
    """A model on ``meta``, where nothing is computed, as one on fake tensors, which know where they would be."""
    import torch

    from seshat.models.neural.rehearsal import fake

    made: dict[int, Any] = {}
    with fake():
        for module in model.modules():
            for tensors in (module._parameters, module._buffers):
                for name, tensor in tensors.items():
                    if tensor is None:
                        continue
                    if id(tensor) not in made:
                        one = torch.empty_like(tensor, device="cpu")
                        kept = isinstance(tensor, torch.nn.Parameter)
                        made[id(tensor)] = torch.nn.Parameter(one, tensor.requires_grad) if kept else one
                    tensors[name] = made[id(tensor)]
    return model


def parameters(known: Facts, family: Family) -> int:
    """How many numbers a base is made of, shared ones once."""
    import torch

    model = _built(known, family, "sdpa", torch.float32, 0)
    return sum(parameter.numel() for parameter in model.parameters())


def _built(known: Facts, family: Family, attention: str, dtype: Any, pieces: int) -> Any:
    import torch

    transformers = require("transformers", extra="train", purpose=_PURPOSE)
    values = copy.deepcopy(known.values)
    kind = values.pop("model_type", None)
    try:
        config = transformers.AutoConfig.for_model(kind, **values)
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{known.where}: not a model that Transformers knows: {str(error).splitlines()[0]}",
            "Update Transformers, or choose another base.",
        ) from error
    config.get_text_config().vocab_size += pieces
    for name in ("encoder_layerdrop", "decoder_layerdrop", "layerdrop"):
        if hasattr(config, name):
            setattr(config, name, 0.0)  # the worst moment is one in which no layer is left out
    builder = auto_class(family)
    with torch.device("meta"), quiet():
        for implementation in dict.fromkeys((attention if attention != "flash_attention_2" else "sdpa", "eager")):
            try:
                model = builder.from_config(config, dtype=dtype, attn_implementation=implementation)
                return _untied(model, values)
            except ValueError as error:
                if "attention" not in str(error) or implementation == "eager":
                    raise DataError(
                        f"{known.where}: a model of the type '{kind}' cannot be trained as '{family.name}'.",
                        "Change train.family, or choose another base.",
                    ) from error
    raise AssertionError("unreachable")


def _untied(model: Any, values: dict[str, Any]) -> Any:
    """Give the output a matrix of its own where the base has one.

    Transformers 5 ties the embeddings of all T5 models and unties them when it finds both in a file of weights, as in
    ByT5 and mT5.
    """
    import torch

    head, inside = model.get_output_embeddings(), model.get_input_embeddings()
    if values.get("tie_word_embeddings") is False and head is not None and head.weight is inside.weight:
        head.weight = torch.nn.Parameter(torch.empty_like(inside.weight))
    return model


def _quantise(model: Any, backend: Backend) -> None:
    """Put packed layers where bitsandbytes would."""
    import torch
    from transformers.quantizers.base import HfQuantizer
    from transformers.quantizers.quantizers_utils import should_convert_module

    kept = HfQuantizer.get_modules_to_not_convert(model, None, model._keep_in_fp32_modules)
    packed = _packed_class()
    for name, module in list(model.named_modules()):
        if type(module) is torch.nn.Linear and should_convert_module(name, kept):
            parent, _, own = name.rpartition(".")
            setattr(model.get_submodule(parent), own, packed(module, backend))


def packed_bytes(shape: tuple[int, int], quantization: str) -> int:
    """Bytes of a layer in ``nf4`` or ``int8``, constants included.

    NF4 with double quantisation (https://arxiv.org/abs/2305.14314, section 3): half a byte a weight; one byte a block
    of 64; a float for 256 of these; and three small tables a layer.
    """
    size = shape[0] * shape[1]
    if quantization == "int8":
        return size + 4 * shape[0]
    blocks = -(-size // NF4_BLOCK)
    return -(-size // 2) + blocks + 4 * -(-blocks // NF4_OUTER) + 4 * (1 + 16 + 256)


def _packed_class() -> Any:
    import torch
    from torch import nn

    class Unpacked(torch.autograd.Function):
        """What bitsandbytes does with a packed layer: unpack the weights, multiply, forget them; twice."""

        @staticmethod
        def forward(ctx: Any, x: Any, shape: tuple[int, int], bits: str) -> Any:
            ctx.shape = shape
            if bits == "int8":
                torch.empty(*x.shape[:-1], shape[0], dtype=torch.int32)
            return x @ torch.empty(shape, dtype=x.dtype).t()

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            (gradient,) = gradients
            return gradient @ torch.empty(ctx.shape, dtype=gradient.dtype), None, None

    class Packed(nn.Linear):
        """A linear layer in 4 or 8 bits."""

        def __init__(self, plain: Any, backend: Backend) -> None:
            nn.Module.__init__(self)
            self.in_features, self.out_features, self.bias = plain.in_features, plain.out_features, plain.bias
            shape = (plain.out_features, plain.in_features)
            content = torch.empty(packed_bytes(shape, backend.quantization), dtype=torch.uint8)
            self.weight = nn.Parameter(content, requires_grad=False)
            self.stands_for = shape[0] * shape[1]
            self._bits, self._dtype = backend.quantization, backend.torch_dtype

        def forward(self, input: Any) -> Any:  # noqa: A002
            shape = (self.out_features, self.in_features)
            made: Any = Unpacked.apply(input.to(self._dtype), shape, self._bits)  # type: ignore[no-untyped-call]
            made = made if self.bias is None else made + self.bias
            return made.to(input.dtype).clone()  # PEFT clones what a packed layer gives

    return Packed
