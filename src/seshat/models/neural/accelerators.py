"""An optional faster trainer for the causal family: Unsloth, on NVIDIA and AMD cards.

It gives the model with its adapter, and our loop trains it: the data, the masks, the phases and what is written are
those of any other training. It is not installed with Seshat. For Apple's processors see
:mod:`seshat.data.handover.mlx`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from seshat.core.errors import UsageError, require
from seshat.models.neural.device import Backend

if TYPE_CHECKING:
    from seshat.config import Config
    from seshat.config.train import TrainSection

_SETTING = "train.finetune.accelerator"
_DEVICE = "cuda"
_PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The linear layers that Unsloth has kernels for: all those of Llama, Qwen and Gemma."""
log = structlog.get_logger(__name__)


def check(config: Config, backend: Backend) -> None:
    """Refuse what Unsloth would not do, or do otherwise than it was asked for, before anything is loaded.

    Args:
        config: the configuration of the project.
        backend: what was decided to compute on.

    Raises:
        UsageError: it cannot be used for this training, with the setting to change.
        MissingPackage: it is not installed.
    """
    name = config.train.finetune.accelerator
    if name == "none":
        return
    without = f"Change that, or train without it: {_SETTING}=none"
    if not config.train.kind.instructed:
        raise UsageError(f"{_SETTING}: {name} trains the causal family, not '{config.train.family}'.", without)
    if backend.device != _DEVICE:
        raise UsageError(
            f"{_SETTING}: {name} needs a graphics card (CUDA or ROCm), and this training runs on '{backend.device}'.",
            without,
        )
    if problems := _unsupported(config):
        raise UsageError(f"{_SETTING}: {name} does not do this training: {'; '.join(problems)}.", without)
    require("unsloth", extra=name, purpose=f"{_SETTING}: {name}")


def _unsupported(config: Config) -> list[str]:
    """Settings that the accelerator would leave out in silence, or that are not there."""
    train, model = config.train, config.model
    found = {
        "it trains adapters only (train.lora.enabled)": not config.train.adapters,
        "it does not know DoRA (train.lora.dora)": train.lora.dora,
        "it would mix up the examples of a row (train.finetune.packing)": train.finetune.packing,
        "it cannot train new pieces (model.extend_vocabulary)": model.extend_vocabulary > 0,
        "it cannot go on from a model (train.finetune.continue_from)": train.finetune.continue_from is not None,
        "it runs in one process": int(os.environ.get("WORLD_SIZE", "1")) > 1,
        "it cannot be distributed (train.finetune.distributed)": train.finetune.distributed is not None,
    }
    return [problem for problem, there in found.items() if there]


def prepare(config: Config) -> None:
    """Import Unsloth before anything else does Transformers, which it rewrites as it is imported.

    Raises:
        MissingPackage: it is not installed.
        UsageError: it does not work on this machine.
    """
    if config.train.finetune.accelerator != "unsloth":
        return
    # It would fetch a file to be counted, and put examples into one row without saying so.
    os.environ["UNSLOTH_DISABLE_STATISTICS"] = "1"
    os.environ["UNSLOTH_DISABLE_AUTO_PADDING_FREE"] = "1"
    if "transformers" in sys.modules and "unsloth" not in sys.modules:
        log.warning("Transformers was imported before Unsloth: some of its speed is lost")
    try:
        require("unsloth", extra="unsloth", purpose=f"{_SETTING}: unsloth")
    except (ImportError, NotImplementedError, RuntimeError) as error:  # it refuses machines as it is imported
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise UsageError(
            f"{_SETTING}: Unsloth does not work here: {first}", f"Train without it: {_SETTING}=none"
        ) from error


def unsloth_model(folder: Path, backend: Backend, train: TrainSection, seed: int) -> Any:
    """A base opened by Unsloth, with a fresh adapter.

    Args:
        folder: the base.
        backend: arithmetic and quantisation.
        train: section ``train``: its adapter, its longest example.
        seed: of the adapter's weights.

    Returns:
        A PEFT model like that of :func:`seshat.models.neural.lora.attach`, with faster layers.
    """
    unsloth = require("unsloth", extra="unsloth", purpose=f"{_SETTING}: unsloth")
    tuning, lora = train.finetune, train.lora
    checkpointing = "unsloth" if tuning.activation_checkpointing else False
    model, _ = unsloth.FastLanguageModel.from_pretrained(
        model_name=str(folder),
        max_seq_length=tuning.max_length,
        dtype=backend.torch_dtype,
        load_in_4bit=backend.quantization == "nf4",
        load_in_8bit=backend.quantization == "int8",
        use_gradient_checkpointing=checkpointing,
        use_exact_model_name=True,  # not a quantised copy of its own from the network
        local_files_only=True,
        trust_remote_code=False,
        random_state=seed,
    )
    return unsloth.FastLanguageModel.get_peft_model(
        model,
        r=lora.rank,
        target_modules=list(_PROJECTIONS) if isinstance(lora.targets, str) else list(lora.targets),
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        bias="none",
        use_gradient_checkpointing=checkpointing,
        random_state=seed,
        use_rslora=lora.rslora,
    )
