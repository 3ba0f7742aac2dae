"""Continued pretraining of causal models on running text."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from seshat.config.train import TrainSection
from seshat.core.errors import DataError
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Meta, PlainText, Segment

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from tests import tiny_models  # noqa: E402
from tests.tiny_project import ACT, WHAT, WHO, tiny_project  # noqa: E402

from seshat.config import families  # noqa: E402
from seshat.evaluation import perplexity  # noqa: E402
from seshat.export.merge import merge  # noqa: E402
from seshat.models import plan, train  # noqa: E402
from seshat.models.neural import base as bases  # noqa: E402
from seshat.models.neural import texts  # noqa: E402
from seshat.models.neural.causal import Causal  # noqa: E402
from seshat.models.neural.device import Backend, choose  # noqa: E402
from seshat.models.neural.phases import Phase  # noqa: E402
from seshat.models.neural.saved import Saved  # noqa: E402
from seshat.models.neural.steps import slow_embeddings  # noqa: E402
from seshat.project.folder import Project  # noqa: E402

TEXT = {"name": "text", "text": True}
CPU = choose("cpu", "float32")


def stories(count: int, seed: int) -> list[Segment]:
    """Documents of four lines in the language alone."""
    rng = random.Random(seed)
    made = []
    for number in range(4 * count):
        text = f"{rng.choice(list(WHO))} {rng.choice(list(WHAT))}na {rng.choice(list(ACT))}."
        meta = Meta(access="public", source="stories", doc_id=f"{seed}-{number // 4}", order=number % 4)
        made.append(Segment(id=f"{seed}-{number}", texts={"qsm": text}, meta=meta))
    return made


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("bases")
    return {
        "qwen3": tiny_models.qwen3(root / "qwen3", vocabulary=400),
        "gemma3": tiny_models.gemma3(root / "gemma3", pieces="own"),
    }


def project_on(root: Path, base: Path, **train: Any) -> Project:
    """A project with texts beside its pairs."""
    made = tiny_project(root, base, train=train)
    write_jsonl(made.training / "monolingual.jsonl", stories(60, 5))
    return made


def bits(model: Any, tokenizer: Any) -> list[float]:
    """Of some documents that nothing was trained on."""
    held_out = [one.texts["qsm"] for one in texts.documents(stories(8, 77), "qsm")]
    return [one.bits for one in perplexity.causal(model, tokenizer, held_out)]


def test_documents_are_whole_and_a_phase_can_tell_their_parts_apart() -> None:
    lines = stories(2, 1)
    lines[5] = lines[5].model_copy(update={"texts": {"es": "la casa"}})
    lines[7] = lines[7].model_copy(update={"meta": lines[7].meta.model_copy(update={"tags": ("clean:short",)})})
    found = list(texts.documents(lines, "qsm"))
    assert [one.texts["qsm"].count("\n") for one in found] == [3, 1, 0]
    assert found[1].texts["qsm"] == f"{lines[4].texts['qsm']}\n{lines[6].texts['qsm']}"
    assert [one.meta.tags for one in found] == [(), (), ("clean:short",)]


@pytest.mark.parametrize(("kind", "beginning"), [("qwen3", None), ("gemma3", "<bos>")])
def test_rows_are_full_and_documents_end(
    folders: dict[str, Path], tmp_path: Path, kind: str, beginning: str | None
) -> None:
    made = Causal(project_on(tmp_path, folders[kind], phases=[TEXT]))
    [(phase, rows)] = made.job().phases
    assert phase.text
    assert {len(ids) for ids in rows["input_ids"][:-1]} == {96}
    assert rows["input_ids"] == rows["labels"]
    stream = [token for ids in rows["input_ids"] for token in ids]
    tokenizer = made.tokenizer
    documents = tokenizer.decode(stream).split(tokenizer.eos_token)
    assert documents.pop() == ""
    expected = texts.documents([*stories(60, 5), *_pairs(made)], "qsm")
    assert [one.removeprefix(beginning or "") for one in documents] == [one.texts["qsm"] for one in expected]
    assert all(one.startswith(beginning or "") for one in documents)


def _pairs(made: Causal) -> list[Segment]:
    return [segment for _, segment in made.segments("train.jsonl")]


@pytest.mark.parametrize(
    "settings",
    [
        {"lora": {"enabled": False}},
        {"lora": {"enabled": False}, "finetune": {"embeddings": 0.1}},
        {},
        {"finetune": {"embeddings": 0.1}},
        {"finetune": {"embeddings": 0.1}, "model": {"quantization": "nf4"}},
    ],
    ids=["whole", "whole, slow embeddings", "adapter", "adapter and embeddings", "4 bits and embeddings"],
)
@pytest.mark.parametrize("kind", ["qwen3", "gemma3"])
def test_text_is_learned_and_the_merged_model_is_the_trained_one(
    folders: dict[str, Path], tmp_path: Path, settings: dict[str, Any], kind: str
) -> None:
    tuning = {"epochs": 3, **settings.get("finetune", {})}
    made = tiny_project(
        tmp_path,
        folders[kind],
        model=settings.get("model", {}),
        train={**{k: v for k, v in settings.items() if k == "lora"}, "finetune": tuning, "phases": [TEXT]},
    )
    write_jsonl(made.training / "monolingual.jsonl", stories(60, 5))
    train.run(made)
    saved = Saved.read(made.model())
    tokenizer = saved.tokenizer()
    before = sum(bits(saved.model(tokenizer, adapter=False, backend=CPU), tokenizer))
    model = saved.model(tokenizer, backend=CPU)
    after = bits(model, tokenizer)
    assert sum(after) < 0.95 * before
    inside, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    if not saved.has_adapter:
        assert inside is head, "tied embeddings stay tied"
        return
    trains = "embeddings" in tuning
    assert any("embed_tokens" in name for name in _tensors(made)) == trains
    merge(families.CAUSAL, saved.base(), saved.own, tmp_path / "merged")
    whole = bases.open_model(families.CAUSAL, tmp_path / "merged", Backend("cpu"), frozen=True)
    assert whole.get_input_embeddings().weight is whole.get_output_embeddings().weight
    assert bits(whole, bases.open_tokenizer(tmp_path / "merged")) == pytest.approx(after, rel=1e-4)


def _tensors(made: Project) -> list[str]:
    from safetensors.torch import load_file

    return list(load_file(made.model() / "adapter" / "adapter_model.safetensors"))


def test_text_first_then_answers(folders: dict[str, Path], tmp_path: Path) -> None:
    made = project_on(tmp_path, folders["qwen3"], phases=[TEXT, {"name": "answers"}], finetune={"metric": "chrf2"})
    job = Causal(made).job()
    (first, documents), (second, dialogues) = job.phases
    assert (first.text, second.text) == (True, False)
    assert set(documents["length"][:-1]) == {96}
    assert len(dialogues) == 96
    assert len(job.validation) == 16
    assert sum(job.texts["length"]) < sum(job.validation["length"])
    summary = train.run(made)
    assert "validation_chrf2" in summary
    phases = json.loads((made.model() / "run.json").read_text(encoding="utf-8"))["phases"]
    assert [(one["name"], one["metric"]) for one in phases] == [("text", "loss"), ("answers", "chrf2")]


def test_a_language_alone_learns_from_its_texts(folders: dict[str, Path], tmp_path: Path) -> None:
    made = project_on(tmp_path, folders["qwen3"])
    config = made.config.model_copy(update={"project": made.config.project.model_copy(update={"pivot": None})})
    alone = Project(tmp_path, config)
    for name in ("train", "validation"):
        rows = [PlainText.of(one, "qsm") for one in stories(20, 6 + len(name))]
        write_jsonl(alone.training / f"{name}.jsonl", rows)
    shutil.rmtree(alone.training / "messages")
    summary = train.run(alone)
    assert summary["examples"] == 80
    assert "validation_loss" in summary


def test_the_plan_counts_full_rows_of_text(folders: dict[str, Path], tmp_path: Path) -> None:
    made = project_on(tmp_path, folders["qwen3"], phases=[TEXT, {"name": "answers"}], finetune={"embeddings": 0.1})
    text, answers = plan.run(made)["phases"]
    job = Causal(made).job()
    tokens = sum(job.phases[0][1]["length"])
    assert text["tokens"] == 2 * tokens
    assert text["steps"] == 2 * -(-len(job.phases[0][1]) // 8)
    assert answers["examples"] == len(job.phases[1][1])


def test_phase_of_text_without_texts_says_so(folders: dict[str, Path], tmp_path: Path) -> None:
    made = tiny_project(tmp_path, folders["qwen3"], train={"phases": [TEXT, {"name": "answers"}]})
    write_jsonl(made.training / "train.jsonl", [])
    with pytest.raises(DataError, match="There are no texts at all"):
        Causal(made).job()


def test_embeddings_learn_at_a_share_of_the_rate(folders: dict[str, Path]) -> None:
    model = bases.open_model(families.CAUSAL, folders["qwen3"], Backend("cpu"))
    rest = [one for one in model.parameters() if one is not model.get_input_embeddings().weight]
    optimizer = torch.optim.AdamW(
        [{"params": [*rest[:3], model.get_input_embeddings().weight], "weight_decay": 0.1}, {"params": rest[3:]}],
        lr=1.0,
    )
    slow_embeddings(optimizer, 0.1, model)
    assert [(len(group["params"]), group["lr"], group["weight_decay"]) for group in optimizer.param_groups] == [
        (3, 1.0, 0.1),
        (len(rest) - 3, 1.0, 0.01),
        (1, 0.1, 0.1),
    ]
    assert optimizer.param_groups[2]["params"][0] is model.get_input_embeddings().weight


def test_running_text_is_a_phase_of_causal_models_alone() -> None:
    [mistake] = TrainSection.model_validate({"family": "seq2seq", "phases": [TEXT]}).mistakes()
    assert mistake.path == ("phases", 0, "text")
    assert "running text is a phase of the causal family" in mistake.message
    assert Phase("all", 1.0, 1e-3).text is False
