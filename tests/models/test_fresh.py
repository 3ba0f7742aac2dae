from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from seshat.config import Config, Direction
from seshat.core.errors import ConfigError, DataError
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Meta, Segment
from seshat.data import tokenizer
from seshat.inference.load import load_translator
from seshat.models import train as stage
from seshat.project.folder import Project
from seshat.project.manifest import Manifest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from seshat.config.load import load_config  # noqa: E402
from seshat.export.export import run as export  # noqa: E402
from seshat.models.neural import fresh  # noqa: E402
from seshat.prompt.request import Request, requests  # noqa: E402

WORDS = {"kana": "casa", "tiro": "perro", "suwe": "agua", "nomi": "grande", "pela": "rojo", "chiku": "mira"}
WAY = Direction("xx", "es")
SHAPE = {"dim": 64, "layers": 1, "heads": 2, "ffn": 128, "dropout": 0.0}
TUNING = {
    "max_steps": 700, "warmup": 40, "learning_rate": 0.002, "batch": 40, "validate_every": 350, "average": 2,
    "max_length": 40, "device": "cpu", "precision": "float32",
}  # fmt: skip


def make_project(root: Path, **sections: Any) -> Project:
    """A project whose language turns six words into six others, one for one; ten sentences make a document."""
    rng = random.Random(5)
    config = Config.model_validate(
        {
            "project": {"language": "xx", "pivot": "es", "max_access": "restricted"},
            "tokenizer": {"vocabulary": 100},
            "export": {"segments": 10},
            "train": {"family": "seq2seq", "name": "small", "seq2seq": SHAPE, "finetune": TUNING},
            **sections,
        }
    )
    project = Project(root, config)
    for name, count in (("train", 400), ("validation", 30)):
        rows = [[rng.choice(list(WORDS)) for _ in range(rng.randint(2, 4))] for _ in range(count)]
        write_jsonl(
            project.training / f"{name}.jsonl",
            [
                Segment(
                    id=f"{name}{i}",
                    texts={"xx": " ".join(row), "es": " ".join(WORDS[w] for w in row)},
                    meta=Meta(doc_id=f"{name}{i // 10}", order=i % 10),
                )
                for i, row in enumerate(rows)
            ],
        )
    tokenizer.run(project)
    return project


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Project:
    torch.set_num_threads(1)
    project = make_project(tmp_path_factory.mktemp("fresh"))
    stage.run(project)
    return project


def test_it_learns_both_directions(trained: Project) -> None:
    texts = ["tiro nomi", "", "kana pela chiku"]
    there = [one.text for one in load_translator(trained.model(), WAY).translate(requests(texts))]
    assert there == ["perro grande", "", "casa rojo mira"]
    back = [one.text for one in load_translator(trained.model(), WAY.reverse).translate(requests(there))]
    assert back == texts


def test_it_is_a_neural_model_without_a_base(trained: Project) -> None:
    manifest = Manifest.open(trained.model())
    assert manifest.base is None
    assert manifest.results["validation_chrf2"] > 90
    assert manifest.settings["seq2seq"] == SHAPE
    assert manifest.settings["finetune"]["scheduler"] == "inverse_sqrt"


def test_the_padding_stays_nothing(trained: Project) -> None:
    import json

    from safetensors.torch import load_file

    folder = trained.model() / "weights"
    pad = json.loads((folder / "config.json").read_text())["pad_token_id"]
    weights = load_file(folder / "model.safetensors")
    assert not weights["model.shared.weight"][pad].any()
    assert weights["model.shared.weight"][pad - 1].any()
    assert weights["final_logits_bias"][0, pad] == fresh.NEVER


def test_exported_to_ctranslate2_it_says_the_same(trained: Project) -> None:
    pytest.importorskip("ctranslate2")
    texts = ["tiro nomi chiku", "suwe pela", "kana kana tiro nomi"]
    export(trained)
    fast = load_translator(trained.model("small-ctranslate2"), WAY, engine="ctranslate2").translate(requests(texts))
    slow = load_translator(trained.model(), WAY, engine="transformers").translate(requests(texts))
    assert [one.text for one in fast] == [one.text for one in slow]
    assert [one.score for one in fast] == pytest.approx([one.score for one in slow], abs=0.05)


def test_weights_follow_from_shape_seed_and_pieces(trained: Project, tmp_path: Path) -> None:
    folder = fresh.base(trained)
    assert fresh.base(trained) == folder
    again = make_project(tmp_path)
    assert fresh.base(again).name == folder.name
    name = "model.safetensors"
    assert (fresh.base(again) / name).read_bytes() == (folder / name).read_bytes()
    other = Project(
        tmp_path, again.config.model_copy(update={"project": again.config.project.model_copy(update={"seed": 14})})
    )
    assert (fresh.base(other) / name).read_bytes() != (folder / name).read_bytes()


def test_without_a_tokenizer_it_says_what_to_do(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    shutil.rmtree(project.models)
    with pytest.raises(DataError, match="seshat tokenizer"):
        stage.run(project)


def test_with_the_sentences_before(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    tuning = {**TUNING, "max_steps": 4, "validate_every": 2}
    project = make_project(
        tmp_path,
        prompt={"context": 2},
        train={"family": "seq2seq", "name": "small", "seq2seq": SHAPE, "finetune": tuning},
    )
    stage.run(project)
    translator = load_translator(project.model(), WAY)
    alone = translator.translate(requests(["tiro nomi"]))
    assert translator.translate([Request("tiro nomi", before=("kana pela", "suwe"))]) != alone


def test_what_an_old_file_says_is_answered(tmp_path: Path) -> None:
    (tmp_path / "seshat.yaml").write_text("train: {family: seq2seq, seq2seq: {steps: 8000}}")
    with pytest.raises(ConfigError, match=r"train\.finetune\.max_steps"):
        load_config(tmp_path)
