"""Unsloth and MLX-LM: what is refused, what they are asked for, and that what they train is what the others read.

Neither is installed in the usual environment. Stand-ins with the names and parameters of their documentation take their
place, except in the last tests, which run where MLX-LM is installed.
"""

from __future__ import annotations

import math
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import tiny_models
from tests.tiny_project import texts, tiny_project

from seshat.config import Config, families
from seshat.core.errors import DataError, MissingPackage, SeshatError, UsageError
from seshat.models.neural import accelerators, mlx, mlx_adapter
from seshat.models.neural.device import Backend, Machine
from seshat.models.neural.loop import Job
from seshat.models.neural.phases import Phase
from seshat.models.neural.preflight import MASKED
from seshat.prompt.request import requests

CPU = Backend("cpu")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Qwen3."""
    return tiny_models.qwen3(tmp_path_factory.mktemp("base") / "qwen3", texts())


def config(**train: Any) -> Config:
    train = {"family": "causal", **train}
    model = train.pop("model", {})
    return Config.model_validate({"model": {"base": "some/base", **model}, "train": train})


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "device", "expected"),
    [
        ({"finetune": {"accelerator": "unsloth"}}, "cpu", "needs a graphics card.*runs on 'cpu'"),
        ({"finetune": {"accelerator": "mlx"}}, "cuda", "needs an Apple computer.*runs on 'cuda'"),
        ({"finetune": {"accelerator": "unsloth"}, "lora": {"enabled": False}}, "cuda", "adapters only"),
        ({"finetune": {"accelerator": "unsloth"}, "lora": {"dora": True}}, "cuda", "DoRA"),
        ({"finetune": {"accelerator": "mlx", "packing": True}}, "mps", "packing"),
        ({"finetune": {"accelerator": "mlx", "optimizer": "paged_adamw_8bit"}}, "mps", "paged_adamw_8bit"),
        ({"finetune": {"accelerator": "unsloth", "continue_from": "old"}}, "cuda", "continue_from"),
        ({"finetune": {"accelerator": "mlx"}, "model": {"extend_vocabulary": 100}}, "mps", "extend_vocabulary"),
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


@pytest.mark.parametrize(("name", "package", "device"), [("unsloth", "unsloth", "cuda"), ("mlx", "mlx_lm", "mps")])
def test_an_accelerator_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, name: str, package: str, device: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackage, match=rf"(?s)accelerator: {name}.*\[{name}\]"):
        accelerators.check(config(finetune={"accelerator": name}), Backend(device))


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
    monkeypatch.setattr(accelerators, "_DEVICES", {"unsloth": "cpu"})
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


# --- MLX-LM: parts --------------------------------------------------------------------------------------------------


class FakeMlx(types.ModuleType):
    """The functions of ``mlx.core`` that are called, on NumPy."""

    float32, bfloat16 = np.float32, np.float32

    def __init__(self) -> None:
        super().__init__("mlx.core")
        for name in ("cos", "where", "maximum", "ones_like", "clip", "array"):
            setattr(self, name, getattr(np, name))
        self.rsqrt = lambda value: 1 / np.sqrt(value)
        self.random = types.SimpleNamespace(seed=lambda seed: None)

    def save_safetensors(self, path: str, arrays: dict[str, Any]) -> None:
        from safetensors.numpy import save_file

        save_file({name: np.ascontiguousarray(value) for name, value in arrays.items()}, path)


def install(monkeypatch: pytest.MonkeyPatch, **modules: types.ModuleType) -> None:
    for name, module in modules.items():
        full = name.replace("__", ".")
        monkeypatch.setitem(sys.modules, full, module)
        parent, _, last = full.rpartition(".")
        if parent:
            setattr(sys.modules[parent], last, module)


@pytest.fixture
def fake_mlx(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, mlx=types.ModuleType("mlx"), mlx__core=FakeMlx())


@pytest.mark.parametrize("kind", ["cosine", "linear", "constant_with_warmup", "inverse_sqrt"])
@pytest.mark.parametrize("warmup", [0, 5])
def test_the_learning_rate_falls_as_with_transformers(kind: str, warmup: int, fake_mlx: None) -> None:
    import torch
    from transformers import get_scheduler

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    theirs = get_scheduler(kind, optimizer, num_warmup_steps=warmup, num_training_steps=20)
    expected = []
    for _ in range(20):
        expected.append(theirs.get_last_lr()[0])
        optimizer.step()
        theirs.step()
    ours = mlx_adapter.schedule(kind, 0.5, warmup, 20)
    assert [float(ours(np.uint64(step))) for step in range(20)] == pytest.approx(expected, abs=1e-6)


def rows(*examples: tuple[list[int], int]) -> list[dict[str, Any]]:
    return [
        {"input_ids": ids, "labels": [*[MASKED] * start, *ids[start:]], "length": len(ids)} for ids, start in examples
    ]


def test_examples_keep_their_masks(fake_mlx: None) -> None:
    examples = mlx.Examples(rows(([5, 6, 7, 8], 2), ([9, 10], 1), (list(range(40)), 39)))
    (batch, spans), (rest, last) = examples.batches([1, 0, 2], 2, 36)
    assert batch.shape == (2, 33) and batch[0, :3].tolist() == [9, 10, 0]
    assert spans.tolist() == [[1, 2], [2, 4]]
    assert rest.shape == (1, 65) and last.tolist() == [[39, 36]], "cut: nothing of the answer is left"
    with pytest.raises(DataError, match="end of an example only"):
        mlx.Examples([{"input_ids": [1, 2, 3], "labels": [1, MASKED, 3]}])


def test_an_adapter_comes_back_to_peft(tmp_path: Path, base: Path) -> None:
    import torch
    from safetensors.torch import save_file

    model = adapted(base)
    generator = torch.Generator().manual_seed(3)
    stored, expected = {}, {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            value = torch.randn(parameter.shape, generator=generator)
            expected[name] = value
            stem, kind = name.removeprefix("base_model.model.").removesuffix(".default.weight").rsplit(".lora_", 1)
            stored[f"{stem}.lora_{kind.lower()}"] = value.T.contiguous()
    save_file(stored, tmp_path / "adapter.safetensors")
    mlx_adapter.restore(model, tmp_path / "adapter.safetensors")
    found = dict(model.named_parameters())
    assert expected and all(torch.equal(found[name], value) for name, value in expected.items())
    stored.popitem()
    save_file(stored, tmp_path / "adapter.safetensors")
    with pytest.raises(SeshatError, match="other layers"):
        mlx_adapter.restore(model, tmp_path / "adapter.safetensors")


def adapted(base: Path, targets: Any = "all-linear", rslora: bool = False) -> Any:
    from seshat.models.neural import base as bases
    from seshat.models.neural import lora

    opened = bases.open_model(families.CAUSAL, base, CPU, frozen=True)
    settings = {"rank": 4, "alpha": 8, "dropout": 0.0, "targets": targets, "rslora": rslora}
    return lora.attach(opened, config(lora=settings).train.lora, families.CAUSAL, 1)


def test_the_watcher_keeps_the_best_and_stops(fake_mlx: None) -> None:
    saved: list[int] = []
    seen: list[tuple[int, dict[str, Any]]] = []
    advanced: list[float] = []

    class Listener:
        def on_log(self, _args: Any, state: Any, _control: Any, logs: dict[str, Any]) -> None:
            seen.append((state.global_step, logs))

    settings = config(finetune={"accumulate": 2, "patience": 2}).train.finetune
    watcher: mlx.Watcher = mlx.Watcher(settings, lambda: saved.append(watcher.at), advanced.append, [Listener()])
    watcher.on_val_loss_report({"iteration": 0, "val_loss": 0.1})  # before the first step
    for iteration, loss in ((10, 3.0), (20, 2.0), (30, 2.5)):
        watcher.on_train_loss_report({"iteration": iteration, "train_loss": loss, "learning_rate": 1e-4})
        watcher.on_val_loss_report({"iteration": iteration, "val_loss": loss})
    watcher.on_train_loss_report({"iteration": 40, "train_loss": 1.0, "learning_rate": 1e-4})
    with pytest.raises(mlx._Enough):
        watcher.on_val_loss_report({"iteration": 40, "val_loss": 2.5})
    assert saved == [5, 10]
    assert advanced == [5, 5, 5, 5]
    assert [step for step, logs in seen if "eval_loss" in logs] == [5, 10, 15, 20]
    with pytest.raises(SeshatError, match="diverged"):
        watcher.on_train_loss_report({"iteration": 50, "train_loss": math.nan, "learning_rate": 1e-4})


# --- MLX-LM: a whole training ---------------------------------------------------------------------------------------


def job(tmp_path: Path, base: Path, phases: list[tuple[Phase, Any]], validation: Any, **finetune: Any) -> Job:
    given = {"batch": 4, "max_length": 64, "learning_rate": 5e-3, "validate_every": 2, **finetune}
    return Job(
        open=lambda: adapted(base),
        tokenizer=None,
        phases=phases,
        validation=validation,
        settings=config(finetune=given).train.finetune,
        backend=CPU,
        work=tmp_path / "work",
        seed=7,
    )


LORA = config(lora={"rank": 4, "alpha": 8, "dropout": 0.0}).train.lora


class FakeModel:
    """Blocks of linear layers, each with an adapter once it was asked for."""

    def __init__(self, kind: type[Any], layers: int = 2) -> None:
        self.layers = [types.SimpleNamespace(named_modules=self._modules(kind)) for _ in range(layers)]
        self.adapter: dict[str, Any] = {}
        self.loaded: list[str] = []

    @staticmethod
    def _modules(kind: type[Any]) -> Callable[[], list[tuple[str, Any]]]:
        return lambda: [("self_attn", object()), ("self_attn.q_proj", kind()), ("mlp.up_proj", kind())]

    def set_dtype(self, dtype: Any) -> None:
        self.dtype = dtype

    def freeze(self) -> None:
        self.frozen = True

    def trainable_parameters(self) -> dict[str, Any]:
        return self.adapter

    def load_weights(self, path: str, strict: bool) -> None:
        assert not strict
        self.loaded.append(Path(path).parent.name)


@pytest.fixture
def fake_mlx_lm(monkeypatch: pytest.MonkeyPatch, fake_mlx: None) -> list[dict[str, Any]]:
    """MLX-LM whose training writes constants into the adapter; gives what its trainer was called with."""

    class Linear:
        pass

    calls: list[dict[str, Any]] = []
    nn = types.ModuleType("mlx.nn")
    nn.Linear, nn.QuantizedLinear = Linear, type("QuantizedLinear", (), {})  # type: ignore[attr-defined]
    nn.quantize = lambda model, group_size, bits: setattr(model, "bits", bits)  # type: ignore[attr-defined]
    optimizers, utils = types.ModuleType("mlx.optimizers"), types.ModuleType("mlx.utils")
    optimizers.AdamW = lambda **given: given  # type: ignore[attr-defined]
    utils.tree_flatten = lambda tree: list(tree.items())  # type: ignore[attr-defined]
    package, tuner = types.ModuleType("mlx_lm"), types.ModuleType("mlx_lm.tuner")
    tuner_utils, trainer = types.ModuleType("mlx_lm.tuner.utils"), types.ModuleType("mlx_lm.tuner.trainer")

    def load(folder: str) -> tuple[FakeModel, None]:
        assert (Path(folder) / "config.json").exists()
        return FakeModel(Linear), None

    def linear_to_lora_layers(model: FakeModel, num_layers: int, settings: dict[str, Any]) -> None:
        assert model.frozen and num_layers == 2
        assert settings == {"rank": 4, "scale": 2.0, "dropout": 0.0, "keys": ["mlp.up_proj", "self_attn.q_proj"]}
        shapes = {"self_attn.q_proj": (64, 64), "mlp.up_proj": (64, 128)}
        for layer in range(num_layers):
            for name, (size, width) in shapes.items():
                stem = f"model.layers.{layer}.{name}"
                model.adapter[f"{stem}.lora_a"] = np.zeros((size, 4), np.float32)
                model.adapter[f"{stem}.lora_b"] = np.zeros((4, width), np.float32)

    def train(
        model: Any, optimizer: Any, args: Any, iterate_batches: Any, training_callback: Any, **given: Any
    ) -> None:
        calls.append({"model": model, "args": args, "optimizer": optimizer, "batches": [], **given})
        batches = iterate_batches(given["train_dataset"], args["batch_size"], args["max_seq_length"], loop=True)
        for iteration, (batch, spans) in zip(range(1, args["iters"] + 1), batches, strict=False):
            if iteration in (1, args["iters"]) or iteration % args["steps_per_eval"] == 0:
                validation = iterate_batches(given["val_dataset"], args["batch_size"], args["max_seq_length"])
                calls[-1]["validated"] = sum(len(batch) for batch, _ in validation)
                loss = 1.0 if iteration == 4 else 2.0
                training_callback.on_val_loss_report({"iteration": iteration - 1, "val_loss": loss})
            calls[-1]["batches"].append((batch, spans))
            for array in model.adapter.values():
                array += 1.0
            if iteration % args["steps_per_report"] == 0:
                told = {"iteration": iteration, "train_loss": 3.0, "learning_rate": 0.1}
                training_callback.on_train_loss_report(told)

    package.load, trainer.train, trainer.TrainingArgs = load, train, dict  # type: ignore[attr-defined]
    tuner_utils.linear_to_lora_layers = linear_to_lora_layers  # type: ignore[attr-defined]
    install(monkeypatch, mlx__nn=nn, mlx__optimizers=optimizers, mlx__utils=utils, mlx_lm=package)
    install(monkeypatch, mlx_lm__tuner=tuner, mlx_lm__tuner__utils=tuner_utils, mlx_lm__tuner__trainer=trainer)
    return calls


def test_a_training_with_mlx(tmp_path: Path, base: Path, fake_mlx_lm: list[dict[str, Any]]) -> None:
    first = rows(*(([n, n + 1, n + 2, n + 3], 2) for n in range(10)))
    second, validation = rows(([1, 2, 3], 1), ([4, 5, 6], 1)), rows(*(([7, 8, 9], 1) for _ in range(5)))
    phases = [(Phase("noisy", 2.0, 5e-3), first), (Phase("gold", 3.0, 1e-3), second)]
    wanted = job(tmp_path, base, phases, validation)
    wanted.open = lambda: adapted(base, targets=("q_proj", "up_proj"))
    fitted = mlx.fit(wanted, base, LORA, "nf4")
    noisy, gold = fake_mlx_lm
    assert noisy["args"]["iters"] == 6 and gold["args"]["iters"] == 3
    assert [len(batch) for batch, _ in noisy["batches"]] == [4, 4, 2, 4, 4, 2], "no example is left out"
    seen = sorted(int(row[0]) for batch, _ in noisy["batches"][:3] for row in batch)
    assert seen == list(range(10))
    assert noisy["validated"] == 5
    assert noisy["model"].bits == 4 and noisy["optimizer"]["weight_decay"] == 0.0
    assert gold["model"].loaded == ["mlx-1-noisy"], "the second phase begins at the best of the first"
    values = {float(value.detach().mean()) for value in fitted.model.parameters() if value.requires_grad}
    assert values == {6.0 + 1.0}, "six steps of the first phase, and the best of the second after one"
    told = fitted.run
    assert [phase["best_step"] for phase in told["phases"]] == [3, 1]
    assert told["accelerator"] == "mlx" and told["trainable"] == 2 * 4 * (64 + 64 + 64 + 128)
    assert any("4 bits of MLX instead of nf4" in reason for reason in told["reasons"])
    assert {row.get("phase") for row in fitted.log} == {None, "noisy", "gold"}
    again = mlx.fit(wanted, base, LORA, "nf4")
    assert len(fake_mlx_lm) == 2, "phases that are over are not trained again"
    assert again.log == fitted.log


# --- MLX-LM itself --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("targets", "rslora"), [("all-linear", False), (("q_proj", "down_proj"), True)])
def test_mlx_and_peft_compute_the_same(tmp_path: Path, base: Path, targets: Any, rslora: bool) -> None:
    """A real training with MLX-LM: the loss falls, and the adapter that comes back gives the same probabilities."""
    pytest.importorskip("mlx_lm")
    import mlx.core as mx
    import torch

    lora = config(lora={"rank": 4, "alpha": 8, "dropout": 0.0, "targets": targets, "rslora": rslora}).train.lora
    examples = rows(*(([n % 50 + 5, 7, n % 50 + 5, 9, 11, 2], 3) for n in range(30)))
    wanted = job(tmp_path, base, [(Phase("all", 8.0, 2e-2), examples)], examples[:6], validate_every=10, patience=None)
    wanted.open = lambda: adapted(base, targets=targets, rslora=rslora)
    fitted = mlx.fit(wanted, base, lora)
    losses = [row["eval_loss"] for row in fitted.log if "eval_loss" in row]
    assert losses[-1] < losses[0]  # a little: the base is random
    model = mlx_adapter.open_model(base, lora, "float32", "none", 7)
    fresh = np.array(model(mx.array([[5, 7, 5, 9, 11]])).astype(mx.float32))
    model.load_weights(str(wanted.work / "mlx-1-all" / mlx.DONE), strict=False)
    theirs = np.array(model(mx.array([[5, 7, 5, 9, 11]])).astype(mx.float32))
    with torch.inference_mode():
        ours = fitted.model.eval()(input_ids=torch.tensor([[5, 7, 5, 9, 11]])).logits.numpy()
    assert np.abs(theirs - fresh).max() > 0.05
    assert np.abs(theirs - ours).max() < 1e-3


def test_mlx_in_four_bits(tmp_path: Path, base: Path) -> None:
    pytest.importorskip("mlx_lm")
    model = mlx_adapter.open_model(base, LORA, "bfloat16", "nf4", 7)
    kinds = {type(part).__name__ for block in model.layers for _, part in block.named_modules()}
    assert "QuantizedLinear" in kinds
    examples = rows(*(([n + 5, 7, 9, 11], 2) for n in range(8)))
    wanted = job(tmp_path, base, [(Phase("all", 1.0, 1e-2), examples)], None)
    wanted.open = lambda: adapted(base)
    assert mlx.fit(wanted, base, LORA, "nf4").run["phases"][0]["steps"] == 2
