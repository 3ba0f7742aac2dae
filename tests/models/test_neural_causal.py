from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from seshat.config import Direction
from seshat.core.errors import CheckFailed, DataError, UsageError
from seshat.core.progress import Advance, reporting

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from tests.tiny_models import pretrain, qwen3  # noqa: E402
from tests.tiny_project import segments, texts, tiny_project  # noqa: E402

from seshat.inference.engines.pretrained import CausalTranslator  # noqa: E402
from seshat.models import train  # noqa: E402
from seshat.models.neural import base, dialogues, lora  # noqa: E402
from seshat.models.neural.causal import Causal  # noqa: E402
from seshat.models.neural.device import choose  # noqa: E402
from seshat.models.neural.saved import Saved  # noqa: E402
from seshat.pipeline.stages import stage  # noqa: E402
from seshat.project.folder import Project  # noqa: E402
from seshat.project.manifest import Manifest  # noqa: E402
from seshat.prompt.request import requests  # noqa: E402

FEW = {"max_steps": 2, "validate_every": 1, "epochs": 1, "warmup": 0}
WAY = Direction("qsm", "es")


@pytest.fixture(scope="module")
def base_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    folder = qwen3(tmp_path_factory.mktemp("qwen3"), texts(), vocabulary=400)
    pretrain(folder, texts(), steps=60, batch=16)
    return folder


@pytest.fixture(scope="module")
def trained(base_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, Any], list[Any]]:
    tuning = {"epochs": 6, "metric": "chrf2", "validate_every": 0.25, "average": 2, "keep_best": 2}
    project = tiny_project(
        tmp_path_factory.mktemp("project"), base_model, train={"finetune": tuning, "lora": {"dropout": 0.0}}
    )
    with capture_logs() as logs:
        summary = train.run(project)
    return project, summary, logs


def _read(project: Project, name: str) -> Any:
    text = (project.model() / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()] if name.endswith("l") else json.loads(text)


def _translations(project: Project, **options: Any) -> list[tuple[str, float]]:
    asked = ["mina palina basi", "tolo kumuna gelu", "ruka tekana dopa"]
    engine = CausalTranslator(project.model(), WAY, **options)
    return [(one.text, one.score) for one in engine.translate(requests(asked))]


def _adapter(project: Project) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(next(project.model().rglob("*model*.safetensors"))))


def _equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


# What a training leaves behind


def test_adapter_learns(trained: tuple[Project, dict[str, Any], list[Any]]) -> None:
    project, summary, _ = trained
    rows = [row for row in _read(project, "log.jsonl") if "loss" in row]
    assert rows[-1]["loss"] < 0.8 * rows[0]["loss"]
    validations = [row for row in _read(project, "log.jsonl") if "eval_chrf2" in row]
    assert [row["step"] for row in validations] == [18, 36, 54, 72]
    assert summary["validation_chrf2"] == pytest.approx(max(row["eval_chrf2"] for row in validations), abs=20)
    assert summary["trainable"] < summary["parameters"]


def test_model_says_what_it_stands_on_and_how_it_is_asked(trained: tuple[Project, dict[str, Any], list[Any]]) -> None:
    project, summary, _ = trained
    described = _read(project, "model.json")
    assert described["base"]["fingerprint"] == base.fingerprint(Path(described["base"]["id"]))
    assert (described["adapter"], described["quantization"]) == (True, "none")
    assert described["directions"] == ["qsm-es", "es-qsm"]
    saved = Saved.read(project.model())
    assert saved.prompt.hash == described["prompt"]
    run = _read(project, "run.json")
    assert run["device"] == "cpu"
    assert run["data"]["examples"] == 96
    assert 0 < run["data"]["trained_tokens"] < run["data"]["tokens"]
    assert run["phases"][0]["mean_of_best"]["steps"]
    assert summary["steps"] == 72
    assert not list(project.state.glob("work/*")), "unfinished work goes when the model is complete"
    assert [path.name for path in project.models.iterdir()] == ["causal"]


def test_one_example_is_shown_with_its_mask(trained: tuple[Project, dict[str, Any], list[Any]]) -> None:
    shown = {row["event"]: row["text"] for row in trained[2] if row["event"].startswith("example")}
    assert "Translate from qsm into es:" in shown["example: given"]
    assert shown["example: trained"].endswith("<|im_end|>")
    assert "Translate" not in shown["example: trained"]


def test_saved_model_scores_what_the_trained_one_scored(trained: tuple[Project, dict[str, Any], list[Any]]) -> None:
    project, summary, _ = trained
    saved, backend = Saved.read(project.model()), choose("cpu", "float32")
    tokenizer = saved.tokenizer()
    score = Causal(project).job().score
    assert score is not None
    again = score(saved.model(tokenizer, backend=backend), 8)
    assert again["chrf2"] == pytest.approx(summary["validation_chrf2"], abs=1e-3)
    untrained = score(saved.model(tokenizer, adapter=False, backend=backend), 8)
    assert untrained["chrf2"] < again["chrf2"] - 3
    assert _translations(project) == _translations(project)
    assert _translations(project) != _translations(project, adapter=False)


def test_best_checkpoints_stay_when_asked_for(trained: tuple[Project, dict[str, Any], list[Any]]) -> None:
    project, _, _ = trained
    rows = [row for row in _read(project, "log.jsonl") if "eval_chrf2" in row]
    best = sorted(rows, key=lambda row: (-row["eval_chrf2"], row["step"]))[:2]
    there = sorted((project.model() / "checkpoints").iterdir())
    assert {path.name for path in there} == {f"checkpoint-{row['step']}" for row in best}
    score, backend = Causal(project).job().score, choose("cpu", "float32")
    saved = Saved.read(project.model())
    tokenizer = saved.tokenizer()
    assert score is not None
    for row in best:
        shutil.copytree(project.model(), view := project.root / f"view-{row['step']}")
        shutil.rmtree(view / "adapter")
        shutil.move(view / "checkpoints" / f"checkpoint-{row['step']}", view / "adapter")
        Manifest.read(view).model_copy(update={"files": None}).write(view)
        model = Saved.read(view).model(tokenizer, backend=backend)
        assert score(model, 8)["chrf2"] == pytest.approx(row["eval_chrf2"])


def test_same_training_writes_the_same_bytes(base_model: Path, tmp_path: Path) -> None:
    projects = [tiny_project(tmp_path / name, base_model, train={"finetune": FEW}) for name in ("a", "b")]
    for project in projects:
        torch.manual_seed(len(str(project.root)) + id(project) % 97)
        train.run(project)
    one, other = (
        {path.relative_to(p.models): path.read_bytes() for path in p.models.rglob("*") if path.is_file()}
        for p in projects
    )
    assert one == other
    assert str(tmp_path).encode() not in b"".join(one.values())


def test_nothing_is_printed(base_model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    project = tiny_project(tmp_path, base_model, train={"finetune": {**FEW, "packing": True}})
    capfd.readouterr()
    with capture_logs():
        train.run(project)
    assert capfd.readouterr() == ("", "")


def test_packages_are_imported_in_silence() -> None:
    program = "from seshat.models.neural import lora; lora.peft('A test')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


# Kinds of training


@pytest.mark.parametrize(
    ("settings", "model"),
    [
        ({"lora": {"dora": True}}, {}),
        ({"lora": {"rslora": True, "targets": ["q_proj", "v_proj"], "rank": 8}}, {}),
        ({"lora": {"enabled": False}}, {}),
        ({"finetune": {"packing": True, "max_length": 128}}, {}),
        ({"finetune": {"activation_checkpointing": True}}, {}),
        ({"finetune": {"precision": "bfloat16"}}, {}),
        ({}, {"quantization": "nf4"}),
        ({"finetune": {"precision": "bfloat16"}}, {"quantization": "nf4"}),
        ({}, {"quantization": "int8"}),
        ({"lora": {"enabled": False}}, {"extend_vocabulary": 12}),
    ],
    ids=lambda one: json.dumps(one)[1:-1],
)
def test_every_kind_trains_saves_and_opens_again(
    base_model: Path, tmp_path: Path, settings: dict[str, Any], model: dict[str, Any]
) -> None:
    tuning = {**FEW, "metric": "chrf2", **settings.get("finetune", {})}
    project = tiny_project(tmp_path, base_model, train={**settings, "finetune": tuning}, model=model)
    train.run(project)
    run = _read(project, "run.json")
    assert run["quantization"] == model.get("quantization", "none")
    assert run["phases"][0]["steps"] == 2
    enabled = settings.get("lora", {}).get("enabled", True)
    assert (run["trainable"] < run["parameters"]) == enabled
    weights = _adapter(project)
    assert all(torch.isfinite(value).all() for value in weights.values() if value.is_floating_point())
    if enabled:
        assert {value.dtype for value in weights.values()} == {torch.float32}
        assert any(value.abs().sum() > 0 for name, value in weights.items() if "lora_B" in name)
    assert len(_translations(project)) == 3


def test_qlora_keeps_the_base_in_four_bits(base_model: Path, tmp_path: Path) -> None:
    project = tiny_project(tmp_path, base_model, train={"finetune": FEW}, model={"quantization": "nf4"})
    model = Causal(project).open()
    layer = model.get_base_model().model.layers[0].mlp.up_proj.base_layer
    assert type(layer).__name__ == "Linear4bit"
    assert layer.weight.quant_type == "nf4"
    assert layer.weight.quant_state.nested, "double quantisation"
    assert {p.dtype for p in model.parameters() if p.requires_grad} == {torch.float32}


def test_validation_does_not_stop_gradients_through_four_bits(base_model: Path, tmp_path: Path) -> None:
    """Bitsandbytes would rearrange the weights of an evaluated model on some CPUs, and lose gradients from then on."""
    project = tiny_project(tmp_path, base_model, train={"lora": {"dropout": 0.0}}, model={"quantization": "nf4"})
    model, row = (training := Causal(project)).open(), training.train.data[0]
    ids, labels = (torch.tensor([row[name]]) for name in ("input_ids", "labels"))

    def gradients() -> dict[str, Any]:
        model.train()
        model.zero_grad()
        model(input_ids=ids, labels=labels).loss.backward()
        return {name: p.grad.clone() for name, p in model.named_parameters() if p.requires_grad}

    before = gradients()
    with torch.inference_mode():
        model.eval()(input_ids=ids)
    assert _equal(before, gradients())
    assert sum(float(value.abs().sum()) for value in before.values()) > 0


def test_whole_model_reproduces_what_it_was_taught(base_model: Path, tmp_path: Path) -> None:
    tuning = {"epochs": 80, "validate_every": 0.5, "learning_rate": 2e-3}
    project = tiny_project(tmp_path, base_model, size=6, train={"finetune": tuning, "lora": {"enabled": False}})
    shutil.copy(project.training / "messages/train.jsonl", project.training / "messages/validation.jsonl")
    train.run(project)
    engine, taught = CausalTranslator(project.model(), WAY), segments("train", 6, 1)
    assert [one.text for one in engine.translate(requests([s.texts["qsm"] for s in taught]))] == [
        s.texts["es"] for s in taught
    ]


def test_seed_is_set_before_the_adapter_is_made(base_model: Path, tmp_path: Path) -> None:
    training = Causal(tiny_project(tmp_path, base_model))
    weights = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        weights.append({n: p.detach().clone() for n, p in training.open().named_parameters() if p.requires_grad})
    assert _equal(*weights)


def test_unknown_layers_are_named(base_model: Path, tmp_path: Path) -> None:
    project = tiny_project(tmp_path, base_model, train={"lora": {"targets": ["query", "v_proj"]}})
    with pytest.raises(UsageError, match="no layer called query") as caught:
        Causal(project).open()
    assert "q_proj" in str(caught.value)


def test_packed_examples_do_not_see_each_other(base_model: Path, tmp_path: Path) -> None:
    training = Causal(tiny_project(tmp_path, base_model, train={"lora": {"enabled": False}}))
    data = training.train.data.select(range(12))
    with base.quiet():
        rows = dialogues.packed(data, 96)
    assert len(rows) < 6
    assert sum(map(len, rows["seq_lengths"])) == 12
    model = training.open().eval()
    batch = dialogues.packed_batch(training.tokenizer.pad_token_id)(list(rows))

    def loss(ids: Any, labels: Any, **more: Any) -> float:
        with torch.inference_mode():
            logits = model(input_ids=ids, use_cache=False, **more).logits[:, :-1]
        return float(torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), reduction="sum"))

    together = loss(batch["input_ids"], batch["labels"], position_ids=batch["position_ids"])
    alone = sum(loss(torch.tensor([row["input_ids"]]), torch.tensor([row["labels"]])) for row in data)
    assert together == pytest.approx(alone, rel=1e-5)
    assert int((batch["labels"] != -100).sum()) == sum(label != -100 for row in data for label in row["labels"])


# Going on


class Killed(BaseException):
    pass


class KillAt:
    """A reporter of progress that kills the training at a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    @contextmanager
    def task(self, description: str, total: float | None) -> Iterator[Advance]:
        done = 0.0

        def advance(amount: float) -> None:
            nonlocal done
            done += amount
            if description.startswith("training") and done >= self.step:
                raise Killed

        yield advance


@pytest.mark.parametrize(
    ("settings", "model"),
    [({}, {}), ({"finetune": {"packing": True, "max_length": 128, "batch": 3}}, {"quantization": "nf4"})],
    ids=["lora", "packed qlora"],
)
def test_killed_training_ends_with_the_same_weights(
    base_model: Path, tmp_path: Path, settings: dict[str, Any], model: dict[str, Any]
) -> None:
    phases = [
        {"name": "noisy", "where": {"methods": ["machine"]}, "epochs": 2},
        {"name": "gold", "where": {"methods": ["gold"]}, "learning_rate": 1e-3},
    ]
    tuning = {"epochs": 1, "batch": 8, "validate_every": 2, "average": 2, **settings.get("finetune", {})}
    made = [
        tiny_project(tmp_path / name, base_model, train={"finetune": tuning, "phases": phases}, model=model)
        for name in ("straight", "killed")
    ]
    straight, killed = made
    train.run(straight)
    phases_run = _read(straight, "run.json")["phases"]
    assert [phase["name"] for phase in phases_run] == ["noisy", "gold"]
    assert "packing" in tuning or [phase["examples"] for phase in phases_run] == [48, 48]
    for step in (5, 3, 2):
        with reporting(KillAt(step)), pytest.raises(Killed):
            train.run(killed)
    assert not killed.model().exists()
    train.run(killed)
    assert _equal(_adapter(straight), _adapter(killed))
    for name in ("run.json", "log.jsonl", "model.json", "seen.txt"):
        assert (straight.model() / name).read_text() == (killed.model() / name).read_text(), name


def test_training_goes_on_from_an_earlier_model(
    trained: tuple[Project, dict[str, Any], list[Any]], base_model: Path
) -> None:
    earlier, _, _ = trained
    tuning = {"continue_from": "causal", "replay": 0.25, "epochs": 1}
    project = tiny_project(earlier.root, base_model, size=60, train={"name": "next", "finetune": tuning})
    train.run(project)
    run = _read(project, "run.json")
    assert run["replayed"] == 24, "a quarter of the 96 dialogues that the earlier model has seen"
    assert run["phases"][0]["examples"] == 24 + 24
    first = next(row["loss"] for row in _read(project, "log.jsonl") if "loss" in row)
    fresh = next(row["loss"] for row in _read(earlier, "log.jsonl") if "loss" in row)
    assert first < 0.9 * fresh
    assert len((project.model() / "seen.txt").read_text().split()) == 120
    with pytest.raises(UsageError, match="would overwrite it"):
        train.run(tiny_project(earlier.root, base_model, train={"finetune": tuning}))
    with pytest.raises(UsageError, match=r"is an adapter, and train\.lora\.enabled is off"):
        train.run(
            tiny_project(
                earlier.root, base_model, train={"name": "whole", "lora": {"enabled": False}, "finetune": tuning}
            )
        )


def test_base_and_adapter_that_do_not_belong_together_are_refused(
    trained: tuple[Project, dict[str, Any], list[Any]], tmp_path: Path
) -> None:
    earlier, _, _ = trained
    other = qwen3(tmp_path / "other", texts(), vocabulary=400)
    tuning = {"continue_from": "causal"}
    project = tiny_project(earlier.root, other, train={"name": "next2", "finetune": tuning})
    with pytest.raises(DataError, match="not the base model that the adapter was trained on") as caught:
        train.run(project)
    assert "nonsense" in str(caught.value)
    path = tmp_path / "model"
    shutil.copytree(earlier.model(), path)
    described = json.loads((path / "model.json").read_text())
    described["base"]["id"] = str(other)
    (path / "model.json").write_text(json.dumps(described))
    saved = Saved.read(path)
    with pytest.raises(DataError, match="not the base model"):
        saved.model(saved.tokenizer())


# Refusals


def _template(project: Project, text: str) -> dict[str, Any]:
    (project.root / "chat.jinja").write_text(text)
    return {"prompt": {"system": "", "chat_template": "chat.jinja"}}


NO_END = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
NO_QUESTION = "{% for m in messages %}{% if m.role == 'assistant' %}{{ m.content }}<|im_end|>{% endif %}{% endfor %}"


@pytest.mark.parametrize(
    ("template", "message"),
    [(NO_END, "does not end with a token that ends generation"), (NO_QUESTION, "every token is trained")],
)
def test_templates_that_teach_wrongly_are_refused(
    base_model: Path, tmp_path: Path, template: str, message: str
) -> None:
    (tmp_path / "chat.jinja").write_text(template)
    project = tiny_project(tmp_path, base_model, prompt={"chat_template": "chat.jinja"})
    with pytest.raises(CheckFailed, match=message) as caught:
        train.run(project)
    assert "96 of 96 examples" in str(caught.value)
    assert "train.jsonl:1 (train-0/qsm-es)" in str(caught.value)
    assert "prompt.chat_template" in str(caught.value)
    assert not project.model().exists()


def test_empty_answers_are_refused(base_model: Path, tmp_path: Path) -> None:
    project = tiny_project(tmp_path, base_model)
    path = project.training / "messages/train.jsonl"
    lines = path.read_text().splitlines()
    row = json.loads(lines[6])
    row["messages"][-1]["content"] = ""
    lines[6] = json.dumps(row)
    path.write_text("\n".join(lines))
    with pytest.raises(
        CheckFailed, match=r"1 of 96 examples no token of the answer is trained: train.jsonl:7 \(train-3"
    ):
        train.run(project)


def test_truncation_over_the_limit_is_refused(base_model: Path, tmp_path: Path) -> None:
    project = tiny_project(tmp_path, base_model, train={"finetune": {"max_length": 20}})
    with pytest.raises(CheckFailed, match=r"longer than train\.finetune\.max_length"):
        train.run(project)


def test_broken_lines_are_named(base_model: Path, tmp_path: Path) -> None:
    project = tiny_project(tmp_path, base_model)
    path = project.training / "messages/validation.jsonl"
    path.write_text('{"messages": [{"role": "user", "content": "x"}]}\n')
    with pytest.raises(DataError, match=r"validation\.jsonl:1: the dialogue does not end with an answer"):
        train.run(project)
    path.unlink()
    with pytest.raises(DataError, match="no instruction data") as caught:
        train.run(project)
    assert "seshat format" in str(caught.value)


def test_stage_depends_on_messages_base_and_settings(base_model: Path, tmp_path: Path) -> None:
    inside = tmp_path / "bases" / "tiny"
    shutil.copytree(base_model, inside)
    project = tiny_project(tmp_path, Path("bases/tiny"))
    reads, keys = stage("train").reads(project), stage("train").settings(project.config)
    assert {project.training / "messages", inside} <= set(reads)
    assert {"model", "prompt", "train.finetune", "train.lora", "train.phases"} <= set(keys)
    assert "train.statistical" not in keys
    train.run(tiny_project(tmp_path, Path("bases/tiny"), train={"finetune": FEW}))
    assert _read(project, "model.json")["base"]["id"] == "bases/tiny"
    config = json.loads((project.model() / "adapter/adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "bases/tiny"
    assert str(tmp_path) not in "".join(p.read_text() for p in project.model().rglob("*.json*"))


def test_adapter_layers_are_written_in_one_order(base_model: Path, tmp_path: Path) -> None:
    training = Causal(tiny_project(tmp_path, base_model))
    lora.save(training.open(), tmp_path / "adapter", "some/base")
    config = json.loads((tmp_path / "adapter/adapter_config.json").read_text())
    assert config["target_modules"] == sorted(config["target_modules"])
    assert not (tmp_path / "adapter/README.md").exists()
