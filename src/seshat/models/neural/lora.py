"""Adapters of low rank: LoRA, DoRA and rsLoRA, on plain and on quantised bases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seshat.config.families import Family
from seshat.config.finetune import LoraSection
from seshat.core.errors import UsageError, require
from seshat.core.paths import remove
from seshat.models.neural.base import quiet


def peft(purpose: str) -> Any:
    """PEFT, imported in silence: bitsandbytes says on import which kernels it could not download.

    Raises:
        MissingPackage: it is not installed.
    """
    with quiet():
        return require("peft", extra="train", purpose=purpose)


def attach(
    model: Any,
    section: LoraSection,
    family: Family,
    seed: int,
    more: dict[str, Any] | None = None,
) -> Any:
    """Put a fresh adapter on a model; only the adapter is trained from then on.

    The seed is set first: the weights of an adapter are random. They are kept in float32 whatever the base is in:
    bfloat16 keeps eight bits of a weight, and the small steps at the end of a training would be lost.

    Args:
        model: the base.
        section: rank, scale, layers.
        family: of the model.
        seed: of the project.
        more: further settings of PEFT's ``LoraConfig``, such as the rows of new pieces.

    Raises:
        UsageError: no layer has one of the names in ``train.lora.targets``.
    """
    from transformers import set_seed

    package = peft("Training an adapter")
    set_seed(seed)
    targets = section.targets if isinstance(section.targets, str) else list(section.targets)
    _check(model, targets)
    config = package.LoraConfig(
        r=section.rank,
        lora_alpha=section.alpha,
        lora_dropout=section.dropout,
        target_modules=targets,
        use_dora=section.dora,
        use_rslora=section.rslora,
        task_type=family.network and family.network.adapters,
        **(more or {}),
    )
    with quiet():
        return in_float32(package.get_peft_model(model, config))


def again(model: Any, adapter: Path) -> Any:
    """Put an earlier adapter on its base, to be trained further."""
    package = peft("Training an adapter")
    with quiet():
        return in_float32(package.PeftModel.from_pretrained(model, str(adapter), is_trainable=True))


def save(model: Any, folder: Path, base: str) -> None:
    """Write an adapter, the same bytes every time.

    Args:
        model: with the adapter.
        folder: where to.
        base: what its base is called, instead of where it lies on this machine.
    """
    for config in model.peft_config.values():
        config.base_model_name_or_path = base
        if isinstance(config.target_modules, set):
            config.target_modules = sorted(config.target_modules)
    model.save_pretrained(folder, save_embedding_layers=False)  # rows of new pieces are in the adapter
    remove(folder / "README.md")  # PEFT's card says nothing; `seshat export` writes one


def in_float32(model: Any) -> Any:
    """Bring what is trained to float32."""
    import torch

    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(torch.float32)
    return model


def _check(model: Any, targets: str | list[str]) -> None:
    if isinstance(targets, str):
        if targets != "all-linear":
            raise UsageError(
                f"train.lora.targets is '{targets}'.", "Write all-linear, or a list of names such as [q_proj, v_proj]."
            )
        return
    names = {name.rsplit(".", 1)[-1] for name, module in model.named_modules() if hasattr(module, "in_features")}
    missing = [name for name in targets if name.rsplit(".", 1)[-1] not in names]
    if missing:
        raise UsageError(
            f"train.lora.targets: this model has no layer called {' or '.join(missing)}.",
            f"Its linear layers: {', '.join(sorted(names))}; or all-linear for all of them.",
        )
