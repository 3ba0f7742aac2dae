"""The plan of a training: what it would be, before anything is downloaded or computed.

Read from the configuration, the base's ``config.json`` and the training data where they are there. Nothing here needs
weights.
"""

from __future__ import annotations

import math
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from seshat.config import Config
from seshat.config.agreement import cautions
from seshat.core.errors import UsageError, install_command
from seshat.project.folder import Project

if TYPE_CHECKING:
    from seshat.models.neural.lengths import Lengths
    from seshat.models.neural.memory import Planner, Settings, Target
    from seshat.models.neural.shapes import Facts

_SETTINGS = ("epochs", "learning_rate", "optimizer", "batch", "accumulate", "max_length", "packing", "precision")


def run(project: Project, *, elsewhere: bool = True) -> dict[str, Any]:
    """Plan the configured training.

    Args:
        project: the project.
        elsewhere: also say whether it fits on machines that people ask about.

    Returns:
        ``model``, ``settings``, ``parameters``, ``data`` (``None`` before ``seshat format``), ``phases``, ``steps``,
        ``tokens``, ``memory`` (a row per machine: bytes by part, ``fits``, and ``change``, what to write so that it
        does), ``example`` (text and whether it is trained) and ``warnings``.

    Raises:
        UsageError: the family is one that needs no plan.
        DataError: nothing is known of the base.
    """
    config = project.config
    if config.model.base is None:
        raise UsageError(
            f"There is nothing to plan for the family '{config.train.family}' without a base: it trains on any laptop.",
            "`seshat train` trains it. Plans are for model.base and for presets: seshat plan model.preset=byt5-base",
        )
    if find_spec("torch") is None:
        return _without_torch(project)
    from seshat.models.neural.base import quiet

    with quiet():
        return _plan(project, elsewhere)


def _without_torch(project: Project) -> dict[str, Any]:
    """What can be said without torch: the settings, the data by their bytes, and the steps; neither size nor memory."""
    from seshat.models.neural import shapes
    from seshat.models.neural.lengths import measure

    config = project.config
    assert config.model.base is not None
    known = replace(shapes.facts(config.model.base, config.model.revision, project.root), folder=None)
    found = measure(project, known)
    made = _told(config, known, found, [])
    hint = f"Size and memory are counted with torch, which is not installed. {install_command('train')}"
    return {**made, "parameters": None, "memory": [], "warnings": [*made["warnings"], hint]}


def _plan(project: Project, elsewhere: bool) -> dict[str, Any]:
    config = project.config
    assert config.model.base is not None
    from seshat.models.neural import shapes
    from seshat.models.neural.lengths import measure
    from seshat.models.neural.memory import Planner, Settings

    known = shapes.facts(config.model.base, config.model.revision, project.root)
    found = measure(project, known)
    planner = Planner(config, known)
    settings = Settings.of(config, found.source if found else None, found.answers if found else None)
    memory = [_fit(planner, settings, target) for target in _targets(config, known, elsewhere)]
    parameters = _parameters(planner, settings)
    return {**_told(config, known, found, memory), "parameters": parameters, "memory": memory}


def _told(config: Config, known: Facts, found: Lengths | None, memory: list[dict[str, Any]]) -> dict[str, Any]:
    """The plan without what torch computes."""
    phases = _phases(config, found) if found and found.examples else []
    return {
        "model": _model(config, known),
        "settings": {name: getattr(config.train.finetune, name) for name in _SETTINGS}
        | {"activation_checkpointing": config.train.finetune.activation_checkpointing},
        "data": _data(found) if found else None,
        "phases": phases,
        "steps": sum(phase["steps"] for phase in phases) if found else None,
        "tokens": sum(phase["tokens"] for phase in phases) if found else None,
        "example": {"where": found.where, "spans": [list(span) for span in found.example]} if found else None,
        "warnings": _warnings(config, known, found, memory),
    }


def _model(config: Config, known: Facts) -> dict[str, Any]:
    return {
        "name": config.train.name,
        "family": config.train.family,
        "preset": config.model.preset,
        "base": config.model.base,
        "known_from": known.where,
        "trains": "adapters" if config.train.adapters else "all weights",
        "quantization": config.model.quantization,
    }


def _parameters(planner: Planner, settings: Settings) -> dict[str, Any]:
    """Of the model that is trained: what there is, however it is packed, and what the optimizer moves."""
    from seshat.models.neural.memory import here

    target = here(planner.config.train.finetune.device)
    model = planner.model(planner.backend(target, settings), settings.checkpointing)
    packed = {id(one.weight): one.stands_for for one in model.modules() if hasattr(one, "stands_for")}
    total = sum(packed.get(id(one), one.numel()) for one in model.parameters())
    trained = sum(one.numel() for one in model.parameters() if one.requires_grad)
    return {"total": total, "trainable": trained, "share": round(trained / total, 4)}


def _data(found: Lengths) -> dict[str, Any]:
    return {
        "examples": found.examples,
        "tokens": sum(found.tokens),
        "trained_tokens": found.trained,
        "left_out": found.left_out,
        "truncation": round(found.truncation, 4),
        "longest": found.longest,
        "counted": found.exact,
    }


def _phases(config: Config, found: Lengths) -> list[dict[str, Any]]:
    """Examples, steps and tokens of each phase, as the training counts them."""
    from seshat.models.neural.phases import choose, phases

    tuning = config.train.finetune
    together = tuning.batch * tuning.accumulate
    rows = []
    for phase in phases(config):
        chosen = choose(range(found.examples), phase, found.traits.__getitem__)
        tokens = sum(found.tokens[i] for i in chosen)
        packed = math.ceil(tokens / tuning.max_length) if tuning.packing or phase.text else len(chosen)
        passes = math.ceil(phase.epochs * math.ceil(packed / together))
        steps = min(passes, tuning.max_steps or passes)
        rows.append(
            {
                "phase": phase.name,
                "examples": len(chosen),
                "epochs": phase.epochs,
                "learning_rate": phase.learning_rate,
                "steps": steps,
                "tokens": round(tokens * phase.epochs * steps / max(1, passes)),
            }
        )
    return rows


def _targets(config: Config, known: Facts, elsewhere: bool) -> list[Target]:
    from seshat.models.neural.memory import TARGETS, here

    experts = "num_experts" in known.values  # are multiplied together, which torch does in bfloat16 alone
    others = [target for target in TARGETS if not experts or target.machine.bfloat16] if elsewhere else []
    return [here(config.train.finetune.device), *others]


def _fit(planner: Planner, settings: Settings, target: Target) -> dict[str, Any]:
    backend = planner.backend(target, settings)
    need = planner.need(settings, backend)
    fits = planner.fits(need, target)
    changed = None if fits else planner.change(settings, target)
    return {
        "machine": target.name,
        "device": backend.device,
        "dtype": backend.dtype,
        "quantization": backend.quantization,
        **need.parts,
        "total": need.total,
        "moment": need.moment,
        "available": target.memory,
        "fits": fits,
        "change": [] if changed is None else changed.overrides(settings),
        "reasons": [*backend.reasons, *([target.note] if target.note else [])],
    }


def _warnings(config: Config, known: Facts, found: Lengths | None, memory: list[dict[str, Any]]) -> list[str]:
    warnings = [caution.message for caution in cautions(config)]
    if found is None:
        warnings.append(
            "There are no training data yet, so every row is taken to be as long as max_length, and the steps are not "
            "known. `seshat format` (or `seshat run`) makes them."
        )
        return warnings
    if not found.exact:
        warnings.append(
            "The tokenizer of the base is not on this machine: tokens are guessed, one for 2.5 bytes. They are counted "
            "when the base is there."
        )
    warnings += found.problems
    limit = config.train.finetune.truncation_limit
    if found.truncation > limit:
        warnings.append(
            f"{found.truncation:.1%} of the examples are longer than max_length; the training would stop at more than "
            f"{limit:.1%}. The longest has {found.longest} tokens: raise train.finetune.max_length, or split the texts."
        )
    if found.shortened:
        warnings.append(
            f"{found.shortened} of the examples do without some of the sentences before them, with which they would be "
            "longer than max_length: raise train.finetune.max_length, or lower prompt.context."
        )
    if config.train.finetune.continue_from is not None:
        warnings.append("What the earlier model has seen is left out when it goes on: there will be fewer steps.")
    if memory and memory[0]["dtype"] == "float16" and known.values.get("model_type") in ("t5", "mt5"):
        warnings.append("T5 models overflow in float16: on this machine set train.finetune.precision=float32.")
    return warnings
