"""Plans: what is counted without weights is what is there with them."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests import tiny_models
from tests.small_project import small_project
from typer.testing import CliRunner

from seshat.config import presets
from seshat.config.families import CAUSAL, MASKED, SEQ2SEQ, Family
from seshat.config.finetune import LoraSection
from seshat.config.load import load_config
from seshat.core.errors import DataError, UsageError
from seshat.project.folder import Project, open_project

pytest.importorskip("transformers")
import torch

from seshat.cli.app import app
from seshat.data import format as formatting
from seshat.models import plan
from seshat.models.neural import base as bases
from seshat.models.neural import optimizers, rehearsal, shapes
from seshat.models.neural.device import Backend, Machine
from seshat.models.neural.kernels import kernels
from seshat.models.neural.memory import Planner, Settings, Target, here
from seshat.models.neural.rehearsal import Ledger, Load, Peak, fake, rehearse

PUBLISHED = {
    "google/byt5-small": 299_637_760,
    "google/byt5-base": 581_653_248,
    "google/mt5-small": 300_176_768,
    "facebook/nllb-200-distilled-600M": 615_073_792,
    "FacebookAI/xlm-roberta-base": 278_295_186,
    "Qwen/Qwen3-0.6B": 596_049_920,
    "Qwen/Qwen3-4B-Instruct-2507": 4_022_468_096,
    "google/gemma-3-1b-it": 999_885_952,
}
"""Parameters, as the pages of the models give them."""


@pytest.fixture(scope="module", autouse=True)
def _quietly() -> Iterator[None]:
    with bases.quiet():
        yield


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Small bases of the real architectures."""
    root = tmp_path_factory.mktemp("bases")
    return {
        "qwen3": tiny_models.qwen3(root / "qwen3", layers=6),
        "gemma3": tiny_models.gemma3(root / "gemma3"),
        "byt5": tiny_models.byt5(root / "byt5"),
        "nllb": tiny_models.nllb(root / "nllb"),
        "xlmr": tiny_models.xlmr(root / "xlmr"),
    }


class TestShapes:
    @pytest.mark.parametrize("base", PUBLISHED)
    def test_parameters_are_those_that_are_published(self, base: str) -> None:
        family = MASKED if "roberta" in base else SEQ2SEQ if ("t5" in base or "nllb" in base) else CAUSAL
        assert shapes.parameters(shapes.facts(base, None, Path()), family) == PUBLISHED[base]

    def test_only_the_configuration_is_read(self, folders: dict[str, Path], tmp_path: Path) -> None:
        (tmp_path / "config.json").write_bytes((folders["qwen3"] / "config.json").read_bytes())
        known = shapes.facts(str(tmp_path), None, Path())
        real = bases.open_model(CAUSAL, folders["qwen3"], Backend("cpu"))
        assert shapes.parameters(known, CAUSAL) == sum(one.numel() for one in real.parameters())

    def test_adapters_are_those_of_the_training(self, folders: dict[str, Path]) -> None:
        from seshat.models.neural import lora

        known, section = shapes.facts(str(folders["qwen3"]), None, Path()), LoraSection(rank=8)
        real = lora.attach(bases.open_model(CAUSAL, folders["qwen3"], Backend("cpu"), frozen=True), section, CAUSAL, 1)
        made = shapes.empty(known, CAUSAL, Backend("cpu"), adapter=section)
        trained = {n: (tuple(p.shape), p.dtype) for n, p in real.named_parameters() if p.requires_grad}
        assert trained == {n: (tuple(p.shape), p.dtype) for n, p in made.named_parameters() if p.requires_grad}
        assert all(isinstance(one, torch._subclasses.FakeTensor) for one in made.parameters())

    def test_packed_layers_weigh_what_bitsandbytes_packs(self) -> None:
        bnb = pytest.importorskip("bitsandbytes")
        for rows, columns in ((192, 320), (64, 64)):
            weight = bnb.nn.Params4bit(
                torch.randn(rows, columns), quant_type="nf4", compress_statistics=True, requires_grad=False
            ).to("cpu")
            state = weight.quant_state
            parts = [weight.data, state.absmax, state.state2.absmax, state.state2.code, state.code, state.offset]
            assert shapes.packed_bytes((rows, columns), "nf4") == sum(t.numel() * t.element_size() for t in parts)

    def test_what_is_not_known(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="none of the presets' bases") as caught:
            shapes.facts("nobody/nothing", None, tmp_path)
        assert "google/byt5-base" in str(caught.value)
        (tmp_path / "config.json").write_text('{"model_type": "martian"}')
        with pytest.raises(DataError, match="not a model that Transformers knows"):
            shapes.parameters(shapes.facts(str(tmp_path), None, tmp_path), CAUSAL)
        with pytest.raises(DataError, match="cannot be trained as 'masked'"):
            shapes.parameters(shapes.facts("google/byt5-small", None, tmp_path), MASKED)


class TestOptimizers:
    @pytest.mark.parametrize("name", ["adamw_torch", "adafactor", "adamw_8bit", "sgd", "lion_8bit"])
    def test_states_are_those_of_the_real_ones(self, name: str, tmp_path: Path) -> None:
        from transformers import Trainer, TrainingArguments

        if "8bit" in name:
            pytest.importorskip("bitsandbytes")
        model = torch.nn.ParameterList([torch.nn.Parameter(torch.randn(s)) for s in ((96, 130), (30,), (4096,))])
        kind, options = Trainer.get_optimizer_cls_and_kwargs(
            TrainingArguments(str(tmp_path), optim=name, learning_rate=1e-3, use_cpu=True)
        )
        optimizer = kind(list(model), **options)
        for parameter in model:
            parameter.grad = torch.randn_like(parameter)
        optimizer.step()
        tensors = {
            id(value): value.numel() * value.element_size()
            for state in optimizer.state.values()
            for key, value in state.items()
            if isinstance(value, torch.Tensor) and value.dim() > 0 and not key.startswith("qmap")
        }
        assert optimizers.states(name, [tuple(p.shape) for p in model]) == sum(tensors.values())

    def test_paged_ones_keep_the_same(self) -> None:
        assert optimizers.states("paged_adamw_8bit", [(512, 512)]) == optimizers.states("adamw_8bit", [(512, 512)])

    def test_one_that_does_not_exist(self) -> None:
        with pytest.raises(UsageError, match="did you mean 'adafactor'"):
            optimizers.states("adafactr", [(2, 2)])


class Textbook(torch.nn.Module):
    """The layer of Korthikanti et al. 2022, figure 2: GPT with dropout, everything in 16 bits."""

    three: torch.nn.Linear
    out: torch.nn.Linear
    up: torch.nn.Linear
    down: torch.nn.Linear

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        norm = functools.partial(torch.nn.LayerNorm, width, dtype=torch.bfloat16)
        self.before, self.between = norm(), norm()
        wide = {"three": (1, 3), "out": (1, 1), "up": (1, 4), "down": (4, 1)}
        for name, (take, give) in wide.items():
            self.add_module(name, torch.nn.Linear(take * width, give * width, dtype=torch.bfloat16))

    def forward(self, x: Any) -> Any:
        drop = torch.nn.functional.dropout
        rows, length, width = x.shape
        parts = self.three(self.before(x)).view(rows, length, 3, self.heads, -1).unbind(2)
        query, key, value = (part.transpose(1, 2) for part in parts)
        weights = torch.softmax(query @ key.transpose(-1, -2), -1)
        found = (drop(weights, 0.1) @ value).transpose(1, 2).reshape(rows, length, width)
        x = x + drop(self.out(found), 0.1)
        return x + drop(self.down(torch.nn.functional.gelu(self.up(self.between(x)))), 0.1)


class TestRehearsal:
    def test_keeps_what_the_theory_says(self) -> None:
        """34 s b h + 5 a s² b bytes a layer: equation 1 of Korthikanti et al. 2022."""
        s, b, h, a = 96, 4, 128, 4
        kept = []
        for count in (2, 4):
            with fake(), kernels("cuda"):
                layers = torch.nn.Sequential(*(Textbook(h, a) for _ in range(count)))
                ledger = Ledger(7, 1, layers.parameters())
                with ledger:
                    x = layers(torch.zeros(b, s, h, dtype=torch.bfloat16))
                    kept.append(ledger._now)
                    del x
        assert (kept[1] - kept[0]) / 2 == pytest.approx(34 * s * b * h + 5 * a * s * s * b, rel=0.02)

    @pytest.mark.parametrize(
        ("name", "family", "adapter", "quantization", "autocast"),
        [
            ("qwen3", CAUSAL, None, "none", None),
            ("qwen3", CAUSAL, LoraSection(rank=4), "none", "bfloat16"),
            ("qwen3", CAUSAL, LoraSection(rank=4), "nf4", "bfloat16"),
            ("gemma3", CAUSAL, None, "none", "bfloat16"),
            ("byt5", SEQ2SEQ, None, "none", None),
            ("nllb", SEQ2SEQ, None, "none", "bfloat16"),
            ("xlmr", MASKED, None, "none", None),
        ],
    )
    def test_real_tensors_take_what_was_rehearsed(
        self,
        folders: dict[str, Path],
        monkeypatch: pytest.MonkeyPatch,
        name: str,
        family: Family,
        adapter: LoraSection | None,
        quantization: str,
        autocast: str | None,
    ) -> None:
        """The same ledger over a real model: nothing is computed otherwise because tensors have no content."""
        backend = Backend("cpu", autocast or "float32", quantization)
        load = Load(3, 48, 40 if family is SEQ2SEQ else None)
        made = shapes.empty(shapes.facts(str(folders[name]), None, Path()), family, backend, adapter=adapter)
        rehearsed = rehearse(made, family, load, autocast=autocast)
        real = _real(folders[name], family, backend, adapter)
        monkeypatch.setattr(rehearsal, "fake", nullcontext)
        measured = max(rehearsal._step(real, family, load, "cpu", autocast, False, 0.0), key=lambda one: one.total)
        assert rehearsed.total == pytest.approx(measured.total, rel=0.05)

    @pytest.mark.parametrize(("checkpointing", "keep"), [(False, False), (True, True)])
    def test_few_layers_stand_for_all(self, checkpointing: bool, keep: bool) -> None:
        values = {**presets.bases()["google/byt5-small"], "d_model": 128, "d_ff": 256}
        known = shapes.Facts(values, "here")
        model = shapes.empty(known, SEQ2SEQ, Backend("cuda"), checkpointing=checkpointing)
        load = Load(2, 64, 32)
        short = rehearse(model, SEQ2SEQ, load, device="cuda", keep_gradients=keep)
        whole = max(rehearsal._step(model, SEQ2SEQ, load, "cuda", None, keep, 0.0), key=lambda one: one.total)
        assert short.total == pytest.approx(whole.total, rel=0.005)
        assert short.gradients == pytest.approx(whole.gradients, rel=0.02)

    def test_devices_keep_different_things(self, folders: dict[str, Path]) -> None:
        """CUDA's attention is linear in the length; MPS keeps all weights of it."""
        model = shapes.empty(shapes.facts(str(folders["nllb"]), None, Path()), SEQ2SEQ, Backend("cpu"))
        peaks = {device: rehearse(model, SEQ2SEQ, Load(2, 256, 256), device=device).total for device in ("cuda", "mps")}
        more = 256 * 256 * 2 * 4 * 4 * 6  # length², rows, heads, bytes, attentions
        assert peaks["mps"] - peaks["cuda"] > 0.8 * more

    def test_logits_are_told_apart(self, folders: dict[str, Path]) -> None:
        model = shapes.empty(shapes.facts(str(folders["xlmr"]), None, Path()), MASKED, Backend("cpu"))
        peak = rehearse(model, MASKED, Load(4, 64))
        assert peak.logits >= 2 * 4 * 64 * model.config.vocab_size * 4
        assert peak.activations > 0
        assert Peak(10, 3, 2).activations == 5


def _real(folder: Path, family: Family, backend: Backend, adapter: LoraSection | None) -> Any:
    from seshat.models.neural import lora

    model = bases.open_model(family, folder, backend, frozen=adapter is not None)
    model.config.use_cache = False
    if family is CAUSAL:
        from trl.trainer.utils import add_fused_lm_head

        add_fused_lm_head(model, outputs=("log_probs", "entropy", "is_top1"))
    for module in model.modules():
        if hasattr(module, "layerdrop"):
            module.layerdrop = 0.0
    return lora.attach(model, adapter, family, 1) if adapter is not None else model


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project whose data are split."""
    from seshat.pipeline.stages import stage

    root = small_project(tmp_path_factory.mktemp("project"))
    opened = open_project(root)
    for name in ("ingest", "clean", "align", "split"):
        stage(name).run(opened)
    return root


def opened(root: Path, *overrides: str) -> Project:
    made = Project(root, load_config(root, overrides=overrides))
    formatting.run(made)
    return made


SMALL = Target("small", 40_000_000, Machine(("cuda", "cpu"), "small", ("cuda",), packages=("bitsandbytes",)))


@pytest.fixture
def _memory_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that do not look at activations: to rehearse them takes longer than all the rest."""
    monkeypatch.setattr("seshat.models.neural.memory.rehearse", lambda *_, **__: Peak(0, 0, 0))


class TestPlan:
    def test_encoder_decoder(self, project: Path, folders: dict[str, Path]) -> None:
        made = plan.run(
            opened(project, "model.preset=byt5-base", f"model.base={folders['byt5']}", "train.finetune.epochs=1.5"),
            elsewhere=False,
        )
        pairs = (project / "data" / "training" / "train.jsonl").read_text(encoding="utf-8").count("\n")
        assert made["data"]["examples"] == 2 * pairs
        assert made["data"]["counted"]
        assert made["steps"] == -(-3 * -(-2 * pairs // 32) // 2)
        assert made["parameters"]["share"] == 1.0
        given, trained = made["example"]["spans"]
        assert given[0].startswith("translate ") and not given[1] and trained[1]
        (row,) = made["memory"]
        assert row["fits"] and row["total"] == sum(row[part] for part in ("weights", "adapters", "gradients")) + sum(
            row[part] for part in ("optimizer", "activations", "logits", "cache", "runtime")
        )
        assert json.loads(json.dumps(made)) == made

    def test_decoder_shows_its_mask(self, project: Path, folders: dict[str, Path]) -> None:
        made = plan.run(
            opened(project, "model.preset=qwen3-4b-qlora", f"model.base={folders['qwen3']}"), elsewhere=False
        )
        assert made["model"]["trains"] == "adapters"
        assert 0 < made["parameters"]["share"] < 1
        (given, no), (trained, yes) = made["example"]["spans"]
        assert not no and yes
        assert given.endswith("<|im_start|>assistant\n") and trained.endswith("<|im_end|>")
        assert made["data"]["trained_tokens"] < made["data"]["tokens"]
        assert made["memory"][0]["quantization"] == "nf4"

    def test_masked(self, project: Path, folders: dict[str, Path]) -> None:
        made = plan.run(
            opened(
                project, "model.preset=xlmr-base-mlm", f"model.base={folders['xlmr']}", "train.finetune.max_length=8"
            ),
            elsewhere=False,
        )
        assert made["data"]["longest"] == 8
        assert made["data"]["trained_tokens"] >= 0.15 * made["data"]["tokens"]
        assert made["example"]["spans"][0][1] is False

    @pytest.mark.usefixtures("_memory_aside")
    def test_without_a_tokenizer_lengths_are_guessed_and_said_to_be(self, project: Path) -> None:
        made = plan.run(opened(project, "model.preset=qwen3-0.6b-qlora"), elsewhere=False)
        assert not made["data"]["counted"]
        assert any("guessed" in warning for warning in made["warnings"])
        assert made["parameters"]["total"] > PUBLISHED["Qwen/Qwen3-0.6B"]

    @pytest.mark.usefixtures("_memory_aside")
    def test_phases_and_steps(self, project: Path) -> None:
        made = plan.run(
            opened(
                project,
                "model.preset=byt5-small",
                "train.phases=[{name: rough, where: {methods: [aligned]}, epochs: 1}, {name: good, epochs: 2}]",
                "train.finetune.max_steps=9",
            ),
            elsewhere=False,
        )
        rough, good = made["phases"]
        assert rough["examples"] < good["examples"]
        assert good["steps"] == 9
        assert made["steps"] == rough["steps"] + 9

    @pytest.mark.usefixtures("_memory_aside")
    def test_what_is_too_long_is_told(self, project: Path) -> None:
        made = plan.run(opened(project, "model.preset=byt5-small", "train.finetune.max_length=40"), elsewhere=False)
        assert made["data"]["left_out"] > 0
        assert any("longer than max_length" in warning for warning in made["warnings"])

    @pytest.mark.usefixtures("_memory_aside")
    def test_the_sentences_before_are_counted_and_shown(self, project: Path) -> None:
        def planned(context: int, length: int) -> Any:
            settings = f"prompt.context={context}", f"train.finetune.max_length={length}"
            return plan.run(opened(project, "model.preset=byt5-small", *settings), elsewhere=False)

        alone, before = planned(0, 512), planned(2, 512)
        assert before["data"]["examples"] == alone["data"]["examples"]
        assert before["data"]["tokens"] > 1.5 * alone["data"]["tokens"]
        assert not any("sentences before" in warning for warning in before["warnings"])
        longest = alone["data"]["longest"]
        short = planned(2, longest)
        assert short["data"]["left_out"] == 0, "no text is too long because of those before it"
        assert short["data"]["longest"] == longest
        assert any("do without some of the sentences before" in warning for warning in short["warnings"])

    @pytest.mark.usefixtures("_memory_aside")
    def test_before_there_are_data(self, tmp_path: Path) -> None:
        (tmp_path / "seshat.yaml").write_text(
            "project: {language: qu, pivot: es}\nmodel: {preset: byt5-small}\ntrain: {finetune: {max_length: 64}}\n"
        )
        made = plan.run(open_project(tmp_path), elsewhere=False)
        assert made["data"] is None and made["steps"] is None
        assert "no training data yet" in made["warnings"][0]

    def test_nothing_to_plan(self, tmp_path: Path) -> None:
        (tmp_path / "seshat.yaml").write_text("project: {language: qu, pivot: es}\n")
        with pytest.raises(UsageError, match="nothing to plan for the family 'statistical'"):
            plan.run(open_project(tmp_path))

    def test_what_to_change_makes_it_fit(self, project: Path, folders: dict[str, Path]) -> None:
        overrides = [
            *("model.preset=byt5-base", f"model.base={folders['byt5']}", "train.finetune.batch=16"),
            *("train.finetune.optimizer=adamw_torch", "train.finetune.max_length=512", "train.finetune.accumulate=1"),
        ]
        config = load_config(project, overrides=overrides)
        planner = Planner(config, shapes.facts(str(folders["byt5"]), None, project))
        settings = Settings.of(config)
        target = replace(SMALL, memory=660_000_000)
        assert not planner.fits(planner.need(settings, planner.backend(target, settings)), target)
        changed = planner.change(settings, target)
        assert changed is not None
        again = load_config(project, overrides=[*overrides, *changed.overrides(settings)])
        assert Settings.of(again) == changed
        assert planner.fits(planner.need(changed, planner.backend(target, changed)), target)
        assert changed.batch * changed.accumulate == 16, "a step stays a step"
        assert planner.change(settings, replace(SMALL, memory=600_000_000)) is None

    @pytest.mark.usefixtures("_memory_aside")
    def test_a_machine_without_4_bits_keeps_16(self, project: Path, folders: dict[str, Path]) -> None:
        config = load_config(project, overrides=["model.preset=qwen3-4b-qlora", f"model.base={folders['qwen3']}"])
        planner = Planner(config, shapes.facts(str(folders["qwen3"]), None, project))
        mac = Target("mac", 10**9, Machine(("mps", "cpu"), "M3", ("mps",)))
        settings = Settings.of(config)
        needs = {t.name: planner.need(settings, planner.backend(t, settings)) for t in (mac, SMALL)}
        assert needs["mac"].weights > 1.5 * needs["small"].weights
        assert needs["mac"].adapters == needs["small"].adapters

    def test_the_steps_of_large_optimizers_can_be_the_worst_moment(
        self, project: Path, folders: dict[str, Path]
    ) -> None:
        overrides = ["model.preset=byt5-base", f"model.base={folders['byt5']}", "train.finetune.optimizer=adamw_torch"]
        config = load_config(project, overrides=overrides)
        planner = Planner(config, shapes.facts(str(folders["byt5"]), None, project))
        settings = replace(Settings.of(config), batch=1, length=4, target=4, accumulate=1)
        need = planner.need(settings, Backend("cuda"))
        assert need.moment == "step"
        assert need.gradients == need.weights

    def test_this_machine_has_memory(self) -> None:
        assert here().memory > 10**8


def test_the_command(project: Path, folders: dict[str, Path]) -> None:
    opened(project)
    arguments = ["plan", "--here", "-p", str(project), "model.preset=byt5-base", f"model.base={folders['byt5']}"]
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0, shown.output
    assert "memory at the worst moment" in shown.output
    assert "green is trained" in shown.output
    as_json = CliRunner().invoke(app, [*arguments, "--json"])
    assert json.loads(as_json.stdout)["memory"][0]["machine"] == "this machine"


def test_without_torch_a_plan_says_what_it_can(tmp_path: Path) -> None:
    """In a process of its own, in which torch cannot be imported."""
    root = small_project(tmp_path / "lang")
    blocked = (
        "import sys, importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'torch' else find(name, *more)\n"
        "sys.modules['torch'] = None\n"
        "from seshat.cli import main\n"
        "sys.exit(main())\n"
    )
    command = [sys.executable, "-c", blocked]
    for words in (["run", "--until", "format", "-q"], ["plan", "model.preset=byt5-base", "--json"]):
        done = subprocess.run([*command, *words, "-p", str(root)], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["memory"] == []
    assert made["data"]["examples"] > 0
    assert made["steps"] > 0
    assert any("torch" in warning for warning in made["warnings"])
