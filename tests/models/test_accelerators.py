"""Unsloth: what is refused, what it is asked for, and that what it trains is what the others read.

It is not installed in the usual environment: a stand-in with the names and parameters of its documentation takes its
place.
"""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from tests import tiny_models
from tests.tiny_project import texts, tiny_project

from seshat.config import Config
from seshat.core.errors import MissingPackage, UsageError
from seshat.models.neural import accelerators
from seshat.models.neural.device import Backend, Machine
from seshat.prompt.request import requests

CPU = Backend("cpu")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Qwen3."""
    return tiny_models.qwen3(tmp_path_factory.mktemp("base") / "qwen3", texts())


def config(**train: Any) -> Config:
    train = {"family": "causal", **train}
    model = train.pop("model", {})
    return Config.model_validate({"project": {"pivot": "es"}, "model": {"base": "some/base", **model}, "train": train})


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "device", "expected"),
    [
        ({"finetune": {"accelerator": "unsloth"}}, "cpu", "needs a graphics card.*runs on 'cpu'"),
        ({"finetune": {"accelerator": "unsloth"}, "lora": {"enabled": False}}, "cuda", "adapters only"),
        ({"finetune": {"accelerator": "unsloth"}, "lora": {"dora": True}}, "cuda", "DoRA"),
        ({"finetune": {"accelerator": "unsloth", "packing": True}}, "cuda", "packing"),
        ({"finetune": {"accelerator": "unsloth", "continue_from": "old"}}, "cuda", "continue_from"),
        ({"finetune": {"accelerator": "unsloth"}, "model": {"extend_vocabulary": 100}}, "cuda", "extend_vocabulary"),
        ({"finetune": {"accelerator": "unsloth", "distributed": "fsdp.json"}}, "cuda", "distributed"),
    ],
)
def test_what_an_accelerator_does_not_do_is_refused(settings: dict[str, Any], device: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected) as caught:
        accelerators.check(config(**settings), Backend(device))
    assert "train.finetune.accelerator=none" in str(caught.value)


def test_all_reasons_at_once_and_one_process_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    wanted = config(finetune={"accelerator": "unsloth", "packing": True})
    with pytest.raises(UsageError, match=r"packing.*one process"):
        accelerators.check(wanted, Backend("cuda"))


def test_an_accelerator_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "unsloth", None)
    with pytest.raises(MissingPackage, match=r"(?s)accelerator: unsloth.*unsloth"):
        accelerators.check(config(finetune={"accelerator": "unsloth"}), Backend("cuda"))


def test_nothing_is_imported_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "unsloth", None)
    accelerators.prepare(config())
    accelerators.check(config(), CPU)


def test_unsloth_that_refuses_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "unsloth.py").write_text('raise NotImplementedError("Unsloth cannot find any torch accelerator")\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "unsloth", raising=False)
    with pytest.raises(UsageError, match="does not work here: Unsloth cannot find any torch accelerator"):
        accelerators.prepare(config(finetune={"accelerator": "unsloth"}))


# --- Unsloth --------------------------------------------------------------------------------------------------------


class FastLanguageModel:
    """Opens with Transformers and PEFT what Unsloth would, and remembers what it was asked for."""

    asked: dict[str, Any] = {}  # noqa: RUF012

    @classmethod
    def from_pretrained(
        cls,
        model_name: str,
        max_seq_length: int,
        dtype: Any,
        load_in_4bit: bool,
        load_in_8bit: bool,
        use_gradient_checkpointing: str | bool,
        use_exact_model_name: bool,
        local_files_only: bool,
        trust_remote_code: bool,
        random_state: int,
    ) -> tuple[Any, Any]:
        from transformers import AutoModelForCausalLM

        cls.asked = {**locals()}
        return AutoModelForCausalLM.from_pretrained(model_name, dtype=dtype), None

    @classmethod
    def get_peft_model(
        cls,
        model: Any,
        r: int,
        target_modules: list[str],
        lora_alpha: int,
        lora_dropout: float,
        bias: str,
        use_gradient_checkpointing: str | bool,
        random_state: int,
        use_rslora: bool,
    ) -> Any:
        from peft import LoraConfig, get_peft_model

        cls.asked |= {**locals()}
        return get_peft_model(
            model,
            LoraConfig(r=r, target_modules=target_modules, lora_alpha=lora_alpha, bias="none", task_type="CAUSAL_LM"),
        )


def test_a_training_with_unsloth(tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from seshat.config import Direction
    from seshat.inference.load import load_translator
    from seshat.models import train

    stand_in = types.ModuleType("unsloth")
    stand_in.FastLanguageModel = FastLanguageModel  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "unsloth", stand_in)
    monkeypatch.setattr(accelerators, "_DEVICE", "cpu")
    monkeypatch.setattr(Machine, "here", classmethod(lambda cls: cls()))
    monkeypatch.delenv("UNSLOTH_DISABLE_STATISTICS", raising=False)
    settings = {"accelerator": "unsloth", "device": "auto", "max_steps": 3, "activation_checkpointing": False}
    project = tiny_project(tmp_path, base, train={"finetune": settings, "lora": {"rank": 4, "alpha": 8}})
    result = train.run(project)
    assert result["steps"] == 3
    asked = FastLanguageModel.asked
    assert Path(asked["model_name"]) == base
    assert asked["local_files_only"] and asked["use_exact_model_name"] and not asked["trust_remote_code"]
    assert (asked["r"], asked["lora_alpha"], asked["max_seq_length"]) == (4, 8, 96)
    assert asked["target_modules"] == list(accelerators._PROJECTIONS)
    assert asked["random_state"] == project.config.project.seed
    assert asked["use_gradient_checkpointing"] is False
    assert os.environ["UNSLOTH_DISABLE_STATISTICS"] == "1"
    translator = load_translator(project.model(), Direction("qsm", "es"))
    assert len(translator.translate(requests(["mina palina basi"]))) == 1
