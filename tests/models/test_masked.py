from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests import tiny_models

from seshat.config import Config, Direction
from seshat.config.finetune import MaskedSection
from seshat.core.errors import DataError, UsageError
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Segment
from seshat.inference.load import load_translator
from seshat.project.folder import Project

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from seshat.models import train as stage  # noqa: E402
from seshat.models.neural import base as bases  # noqa: E402
from seshat.models.neural import masked  # noqa: E402
from seshat.models.neural.saved import Saved  # noqa: E402

SENTENCES = [f"{who} {what} {act}." for who in ("mina", "tolo", "ruka") for what in ("pali", "kumu") for act in "ab"]
TUNING = {
    "epochs": 4, "learning_rate": 3e-3, "batch": 8, "precision": "float32", "device": "cpu", "validate_every": 0.5,
    "max_length": 32, "metric": "loss", "patience": None,
}  # fmt: skip


def make_project(root: Path, **changes: Any) -> Project:
    if not (root / "base").exists():
        tiny_models.xlmr(root / "base", texts=[*tiny_models.TEXTS, *SENTENCES])
    config = {
        "project": {"language": "xx", "pivot": "es", "max_access": "restricted"},
        "model": {"base": "base", **changes.pop("model", {})},
        "train": {
            "family": "masked",
            "name": "filler",
            "finetune": {**TUNING, **changes.pop("finetune", {})},
            "masked": changes.pop("masked", {}),
            **changes.pop("train", {}),
        },
    }
    project = Project(root, Config.model_validate(config))
    if not project.training.exists():
        pairs = [Segment(id=f"p{i}", texts={"xx": s, "es": f"el {s}"}) for i, s in enumerate(SENTENCES * 2)]
        alone = [Segment(id=f"m{i}", texts={"xx": s.upper()}) for i, s in enumerate(SENTENCES)]
        alone.append(Segment(id="long", texts={"xx": "mina pali a. " * 20}))
        for name, segments in (("train", pairs), ("validation", pairs[::5]), ("monolingual", alone)):
            write_jsonl(project.training / f"{name}.jsonl", segments)
    return project


def weights(project: Project) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(project.model() / "weights" / "model.safetensors")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, Any]]:
    torch.set_num_threads(1)
    project = make_project(tmp_path_factory.mktemp("masked"), masked={"whole_word": True})
    return project, stage.run(project)


def test_it_learns_saves_and_scores_the_same(trained: tuple[Project, dict[str, Any]]) -> None:
    project, summary = trained
    folder = project.model()
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    losses = [row["eval_loss"] for row in log if "eval_loss" in row]
    assert losses[-1] < 0.8 * math.log(600), "it knows more than the size of the vocabulary"
    assert losses[-1] < losses[0]
    described = json.loads((folder / "model.json").read_text())
    assert described["results"]["validation_loss"] == pytest.approx(min(losses), abs=1e-4)
    # The saved model, opened again, has the loss that it was chosen for.
    saved = Saved.read(folder)
    tokenizer = saved.tokenizer()
    model = saved.model(tokenizer)
    again = masked.Masked(project)
    batches = [again.validation.data[i : i + 8] for i in range(0, len(again.validation.data), 8)]
    hide = masked.Hider(tokenizer, project.config.train.masked, project.config.project.seed)
    found, counts = [], []
    with torch.inference_mode():
        for batch in batches:
            rows = [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)]
            found.append(float(model(**hide(rows)).loss) * len(rows))
            counts.append(len(rows))
    assert sum(found) / sum(counts) == pytest.approx(described["results"]["validation_loss"], abs=1e-3)
    assert summary["examples"] > 2 * 24 + 12


def test_long_texts_are_learned_in_parts_and_nothing_is_cut(trained: tuple[Project, dict[str, Any]]) -> None:
    project, _ = trained
    run = json.loads((project.model() / "run.json").read_text())
    assert run["data"]["split"] == 1
    made = masked.Masked(project)
    content = json.loads((project.model() / "weights" / "tokenizer.json").read_text())
    assert content["truncation"] is None
    tokenizer = made.tokenizer
    text = "mina pali a. " * 20
    parts = [ids for ids in made.train.data["input_ids"] if len(ids) > 20]
    inside = [i for ids in parts for i in ids if i not in tokenizer.all_special_ids]
    expected = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert len(inside) >= len(expected) - 20
    assert all(len(ids) <= 32 for ids in made.train.data["input_ids"])
    assert all(ids[0] == tokenizer.bos_token_id for ids in parts)


def test_a_killed_training_ends_with_the_same_weights(
    trained: tuple[Project, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = trained
    shutil.copytree(project.root / "base", tmp_path / "base")
    again = make_project(tmp_path, masked={"whole_word": True})
    original, count = masked.Hider.__call__, [0]

    def hide(self: masked.Hider, examples: Any) -> Any:
        count[0] += 1
        if count[0] > 30:
            raise KeyboardInterrupt
        return original(self, examples)

    monkeypatch.setattr(masked.Hider, "__call__", hide)
    with pytest.raises(KeyboardInterrupt):
        stage.run(again)
    assert list((again.state / "work").rglob("checkpoint-*"))
    monkeypatch.setattr(masked.Hider, "__call__", original)
    stage.run(again)
    one, other = weights(project), weights(again)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def _examples(tokenizer: Any, texts: list[str]) -> list[dict[str, Any]]:
    made = []
    for text in texts:
        row = tokenizer(text)
        made.append(
            {"input_ids": row["input_ids"], "words": [-1 if word is None else word for word in row.word_ids(0)]}
        )
    return made


@pytest.mark.parametrize("whole", [False, True])
def test_hiding(trained: tuple[Project, dict[str, Any]], whole: bool) -> None:
    tokenizer = bases.open_tokenizer(trained[0].root / "base")
    section = MaskedSection(probability=0.15, whole_word=whole)
    texts = ["quizás welesho zuketu bifanora mina tolo pali kumu ruka zanahoria " * 3, "mina"] * 40
    examples = _examples(tokenizer, texts)
    hide = masked.Hider(tokenizer, section, seed=1)
    batch = hide(examples)
    again = hide(examples)
    assert all(torch.equal(batch[name], again[name]) for name in batch), "a function of seed and batch"
    assert not torch.equal(batch["labels"], masked.Hider(tokenizer, section, seed=2)(examples)["labels"])
    hidden = batch["labels"] != -100
    assert not hidden[:, 0].any(), "special tokens are never hidden"
    assert (hidden.sum(dim=1) >= 1).all(), "every row teaches something"
    share = hidden[::2].sum() / batch["attention_mask"][::2].sum()
    assert 0.11 < float(share) < 0.19
    masks = (batch["input_ids"] == tokenizer.mask_token_id)[hidden].float().mean()
    assert 0.7 < float(masks) < 0.9
    words = examples[0]["words"]
    broken = 0
    for row in hidden[::2].tolist():
        for word in {w for w in words if w >= 0}:
            fates = {row[i] for i, w in enumerate(words) if w == word}
            broken += len(fates) > 1
    assert (broken == 0) == whole


@pytest.mark.parametrize(
    ("section", "expected"), [({"pairs": False}, 12), ({"pairs": False, "languages": ["es"]}, 0), ({}, 60)]
)
def test_what_is_learned_from_is_configured(
    trained: tuple[Project, dict[str, Any]], section: dict[str, Any], expected: int
) -> None:
    project = make_project(trained[0].root, masked=section)
    if not expected:
        with pytest.raises(DataError, match="nothing to train on"):
            masked.Masked(project)
        return
    data = masked.Masked(project).train.data
    short = [length for length in data["length"] if length < 20]
    assert len(short) in (expected, expected + 1), "the last part of the long text may be short"


def test_it_translates_nothing_and_says_so(trained: tuple[Project, dict[str, Any]]) -> None:
    with pytest.raises(UsageError, match=r"fills gaps(.|\n)*seshat evaluate"):
        load_translator(trained[0].model(), Direction("xx", "es"))


def test_a_base_without_a_mask_is_refused(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    content = json.loads((tmp_path / "base" / "tokenizer_config.json").read_text())
    content.pop("mask_token")
    (tmp_path / "base" / "tokenizer_config.json").write_text(json.dumps(content))
    with pytest.raises(UsageError, match="no mask token"):
        stage.run(project)


def test_new_pieces_and_adapters(tmp_path: Path) -> None:
    project = make_project(
        tmp_path,
        model={"extend_vocabulary": 5},
        finetune={"max_steps": 4},
        train={"lora": {"enabled": True, "rank": 4}},
    )
    summary = stage.run(project)
    described = json.loads((project.model() / "model.json").read_text())
    assert described["adapter"]
    assert described["vocabulary"]["new_pieces"] == 5
    assert summary["trainable"] < summary["parameters"]
    saved = Saved.read(project.model())
    tokenizer = saved.tokenizer()
    model = saved.model(tokenizer)
    row = tokenizer("mina pali", return_tensors="pt")
    with torch.inference_mode():
        assert torch.isfinite(model(**row).logits[..., : len(tokenizer)]).all()
