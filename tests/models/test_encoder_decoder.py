from __future__ import annotations

import json
import random
import shutil
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests import tiny_models

from seshat.config import Config, Direction
from seshat.core.errors import CheckFailed, DataError, UsageError
from seshat.core.jsonl import read_jsonl, write_jsonl
from seshat.core.records import Meta, Method, Segment
from seshat.core.spaced import evenly
from seshat.inference.load import load_translator
from seshat.project.folder import Project

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from seshat.models import train as stage  # noqa: E402
from seshat.models.neural import encoder_decoder, training  # noqa: E402
from seshat.models.neural.base import quiet  # noqa: E402
from seshat.models.neural.phases import read_seen  # noqa: E402
from seshat.prompt.request import of_segments, requests  # noqa: E402

WORDS = {"kana": "casa", "tiro": "perro", "suwe": "agua", "nomi": "grande"}
WAY, BACK = Direction("xx", "es"), Direction("es", "xx")
TUNING = {
    "epochs": 2, "learning_rate": 5e-3, "batch": 8, "precision": "float32", "device": "cpu", "validate_every": 0.5,
    "validation_segments": 8, "scheduler": "linear", "max_length": 64, "metric": "chrf2", "patience": None,
}  # fmt: skip
PREFIX = {"prefix": "{source} to {target}: ", "max_new_tokens": 24}
CODES = {"language_codes": {"xx": "qxx_Latn", "es": "spa_Latn"}}
Changed = dict[str, Any]


def make_project(root: Path, kind: str = "byt5", **changes: Any) -> Project:
    """A language that turns four words into four others, and a tiny base in the project's folder."""
    rng = random.Random(5)
    if not (root / "base").exists():
        with quiet():
            getattr(tiny_models, kind)(root / "base")
    coded = kind == "nllb"
    config = {
        "project": {"language": "xx", "pivot": "es", "max_access": "restricted"},
        "model": {"base": "base", **(CODES if coded else {}), **changes.pop("model", {})},
        "prompt": {**({"max_new_tokens": 24} if coded else PREFIX), **changes.pop("prompt", {})},
        "train": {
            "family": "seq2seq",
            "name": "small",
            **changes.pop("train", {}),
            "finetune": {**TUNING, **changes.pop("finetune", {})},
        },
        **changes,
    }
    project = Project(root, Config.model_validate(config))
    if not project.training.exists():
        for name, count in (("train", 48), ("validation", 12)):
            rows = [[rng.choice(list(WORDS)) for _ in range(rng.randint(1, 3))] for _ in range(count)]
            segments = [_segment(f"{name}{i}", row, i) for i, row in enumerate(rows)]
            write_jsonl(project.training / f"{name}.jsonl", segments)
    return project


def _segment(name: str, row: list[str], number: int) -> Segment:
    method = Method.GOLD if number % 3 == 0 else Method.ALIGNED
    texts = {"xx": " ".join(row), "es": " ".join(WORDS[word] for word in row)}
    return Segment(id=name, texts=texts, meta=Meta(method=method, source="a", doc_id=name[:-1], order=number))


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return {k: v for path in sorted(folder.glob("*.safetensors")) for k, v in load_file(path).items()}


def equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module", params=["byt5", "mt5", "nllb", "marian"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Changed]:
    project = make_project(tmp_path_factory.mktemp(request.param), request.param)
    return project, stage.run(project)


def rescored(project: Project) -> dict[str, float]:
    """Scores of the saved model on what the training was validated on."""
    segments = list(read_jsonl(project.training / "validation.jsonl", Segment))
    made = []
    for way in (WAY, BACK):
        chosen = evenly(segments, 4)
        translator = load_translator(project.model(), way)
        found = translator.translate(of_segments(chosen, way.source, translator.context, segments))
        made += [(str(way), h.text, one.texts[way.target]) for h, one in zip(found, chosen, strict=True)]
    ways, texts, wanted = zip(*made, strict=True)
    return training.by_direction(ways, texts, wanted)


def test_it_trains_saves_and_scores_the_same(trained: tuple[Project, Changed]) -> None:
    project, summary = trained
    folder = project.model()
    described = json.loads((folder / "model.json").read_text())
    assert described["directions"] == ["xx-es", "es-xx"]
    assert described["base"]["id"] == "base"
    assert not described["adapter"]
    assert summary["examples"] == 96, "every pair in both directions"
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    losses = [row["eval_loss"] for row in log if "eval_loss" in row]
    assert len(losses) == 2
    assert losses[-1] < losses[0] < 6
    again = rescored(project)
    assert again["chrf2"] == pytest.approx(described["results"]["validation_chrf2"], abs=1e-3)
    best = max(row["eval_chrf2"] for row in log if "eval_chrf2" in row)
    assert again["chrf2"] == pytest.approx(best, abs=1e-3)
    run = json.loads((folder / "run.json").read_text())
    assert run["data"]["examples"] == 96
    assert run["trainable"] == run["parameters"]
    assert len(read_seen(folder)) == 48


@pytest.mark.parametrize("kind", ["byt5", "nllb"])
def test_with_the_sentences_before_it_trains_and_scores_the_same(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make_project(tmp_path, kind, prompt={"context": 1})
    train, validation = ([*read_jsonl(project.training / f"{name}.jsonl", Segment)] for name in ("train", "validation"))
    tablet = Segment(id="whole", texts={"xx": "suwe suwe suwe", "es": "agua agua agua"}, meta=Meta(genre="tablet"))
    tablet = tablet.model_copy(update={"meta": train[0].meta.model_copy(update={"genre": "tablet"})})
    write_jsonl(project.training / "train.jsonl", [tablet, *reversed(train)])
    training = encoder_decoder.EncoderDecoder(project)
    said = capsys.readouterr().err
    read = [training.tokenizer.decode(row) for row in training.train.data["input_ids"]]
    both = {one.texts["xx"]: other.texts["xx"] for one, other in pairwise(train) if _together(one, other)}
    assert len(both) > 2
    for before, text in both.items():
        assert any(f"{before}</s>{text}</s>" in row.replace("</s> ", "</s>") for row in read)
    assert not any("suwe suwe suwe</s> " in row for row in read)
    texts = [other.texts["xx"] for one, other in pairwise(train) if _together(one, other)]
    assert sum(row.count("</s>") == 2 for row in read) == 2 * len(texts)
    assert "example: given" in said
    del training
    stage.run(project)
    described = json.loads((project.model() / "model.json").read_text())
    assert rescored(project)["chrf2"] == pytest.approx(described["results"]["validation_chrf2"], abs=1e-3)
    way = load_translator(project.model(), WAY)
    texts = [one.texts["xx"] for one in validation]
    alone = [one.score for one in way.translate(requests(texts))]
    assert [one.score for one in way.translate(of_segments(validation, "xx", way.context))] != alone


def _together(one: Segment, other: Segment) -> bool:
    return one.meta.doc_id == other.meta.doc_id


def test_a_killed_training_ends_with_the_same_weights(
    trained: tuple[Project, Changed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = trained
    kind = json.loads((project.root / "base" / "config.json").read_text())["model_type"]
    kind = {"t5": "byt5", "m2m_100": "nllb"}.get(kind, kind)
    shutil.copytree(project.root / "base", tmp_path / "base")  # a unigram tokenizer is not trained twice the same
    again = make_project(tmp_path, kind)
    with monkeypatch.context() as patched:
        _count_batches(patched, 20)  # there are 12 in an epoch, and 3 in a validation
        with pytest.raises(KeyboardInterrupt):
            stage.run(again)
    assert not again.model().exists()
    assert list((again.state / "work").rglob("checkpoint-12"))
    count = _count_batches(monkeypatch)
    stage.run(again)
    assert count[0] < 20, "it has gone on, not begun anew"
    assert equal(weights(again.model() / "weights"), weights(project.model() / "weights"))


def _count_batches(monkeypatch: pytest.MonkeyPatch, most: int | None = None) -> list[int]:
    """Counts the batches of a training, which is interrupted after ``most``."""
    original, count = encoder_decoder._Pairs.__call__, [0]

    def collate(self: Any, examples: Any) -> Any:
        count[0] += 1
        if count[0] == most:
            raise KeyboardInterrupt
        return original(self, examples)

    monkeypatch.setattr(encoder_decoder._Pairs, "__call__", collate)
    return count


def test_new_codes_are_added_and_trained(tmp_path: Path) -> None:
    project = make_project(tmp_path, "nllb", finetune={"epochs": 1, "max_steps": 4})
    stage.run(project)
    folder = project.model()
    described = json.loads((folder / "model.json").read_text())
    assert described["vocabulary"]["new_codes"] == ["qxx_Latn"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "weights")
    before = weights(project.root / "base")["model.shared.weight"]
    after = weights(folder / "weights")["model.shared.weight"]
    new = tokenizer.convert_tokens_to_ids("qxx_Latn")
    assert after.shape[0] == before.shape[0] + 1 == new + 1
    codes = tokenizer.convert_tokens_to_ids(["spa_Latn", "eng_Latn"])
    assert not torch.equal(after[new], before[codes].mean(dim=0)), "it has been trained"
    assert load_translator(folder, BACK).translate(requests(["casa"]))[0].text is not None


def test_a_missing_code_stops_before_training(tmp_path: Path) -> None:
    project = make_project(tmp_path, "nllb", model={"language_codes": {"es": "spa_Latn"}}, prompt=PREFIX)
    with pytest.raises(UsageError, match="no code for xx"):
        stage.run(project)
    assert not project.model().exists()


def test_phases_follow_one_another(tmp_path: Path) -> None:
    phases = [
        {"name": "noisy", "where": {"methods": ["aligned"]}, "epochs": 1},
        {"name": "gold", "where": {"methods": ["gold"]}, "epochs": 2, "learning_rate": 1e-3},
    ]
    project = make_project(tmp_path, train={"phases": phases}, finetune={"optimizer": "adafactor", "average": 2})
    stage.run(project)
    run = json.loads((project.model() / "run.json").read_text())
    assert [(one["name"], one["examples"]) for one in run["phases"]] == [("noisy", 64), ("gold", 32)]
    log = [json.loads(line) for line in (project.model() / "log.jsonl").read_text().splitlines()]
    assert [row["phase"] for row in log if "eval_chrf2" in row] == ["noisy", "noisy", "gold", "gold"]
    project = make_project(tmp_path, train={"phases": [{"name": "none", "where": {"methods": ["synthetic"]}}]})
    with pytest.raises(DataError, match=r"'none'.*synthetic"):
        stage.run(project)


def test_label_smoothing_changes_the_loss_and_the_weights(tmp_path: Path) -> None:
    found = {}
    for smoothing in (0.0, 0.2):
        project = make_project(
            tmp_path,
            train={"name": f"s{int(10 * smoothing)}"},
            finetune={"label_smoothing": smoothing, "max_steps": 3, "metric": "loss"},
        )
        stage.run(project)
        found[smoothing] = weights(project.model() / "weights")
    assert not equal(found[0.0], found[0.2])


def test_going_on_learns_what_is_new_and_some_of_the_old(trained: tuple[Project, Changed], tmp_path: Path) -> None:
    old, _ = trained
    kind = old.root.name.rstrip("0")
    if kind not in ("nllb", "byt5"):
        pytest.skip("once with codes and once without is enough")
    project = make_project(
        old.root, kind, train={"name": "next"}, finetune={"continue_from": "small", "replay": 0.25, "max_steps": 2}
    )
    path = project.training / "train.jsonl"
    before = path.read_text()
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.writelines(_segment(f"new{i}", ["nomi"] * 3, i).model_dump_json() + "\n" for i in range(10))
        stage.run(project)
    finally:
        path.write_text(before)
    run = json.loads((project.model() / "run.json").read_text())
    assert run["replayed"] == 24, "a quarter of 48 pairs, both ways"
    assert run["phases"][0]["examples"] == 24 + 20
    assert len(read_seen(project.model())) == 58
    described = json.loads((project.model() / "model.json").read_text())
    assert described["base"]["id"] == "models/small/weights"
    assert "vocabulary" not in described, "the codes were there already"


def test_an_adapter_is_allowed_and_warned_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(training, "log", SimpleNamespace(warning=lambda text, **_: said.append(text)))
    project = make_project(
        tmp_path, "nllb", train={"lora": {"enabled": True, "rank": 4}}, finetune={"max_steps": 4, "metric": "chrf2"}
    )
    stage.run(project)
    assert any("adapters do badly on encoder-decoders" in text for text in said)
    folder = project.model()
    assert (folder / "adapter" / "adapter_model.safetensors").exists()
    assert not (folder / "weights").exists()
    assert sum(tensor.numel() for tensor in weights(folder / "adapter").values()) < 60_000, "no whole embeddings"
    described = json.loads((folder / "model.json").read_text())
    assert rescored(project)["chrf2"] == pytest.approx(described["results"]["validation_chrf2"], abs=0.5)
    assert load_translator(folder, WAY, adapter=False).translate(requests(["kana"]))[0].score < 0


def test_the_vocabulary_can_be_extended(tmp_path: Path) -> None:
    project = make_project(tmp_path, "mt5", model={"extend_vocabulary": 6}, finetune={"max_steps": 4})
    stage.run(project)
    described = json.loads((project.model() / "model.json").read_text())
    assert 0 < described["vocabulary"]["new_pieces"] <= 6
    base, own = (
        transformers.AutoTokenizer.from_pretrained(path)
        for path in (project.root / "base", project.model() / "weights")
    )
    assert len(own) == len(base) + described["vocabulary"]["new_pieces"]
    assert len(own("kana tiro suwe")["input_ids"]) < len(base("kana tiro suwe")["input_ids"])
    assert rescored(project)["chrf2"] == pytest.approx(described["results"]["validation_chrf2"], abs=1e-3)


def test_one_direction_needs_no_prefix(tmp_path: Path) -> None:
    project = make_project(
        tmp_path, prompt={"prefix": ""}, train={"directions": "to-pivot"}, finetune={"max_steps": 2, "metric": "loss"}
    )
    assert stage.run(project)["examples"] == 48
    with pytest.raises(UsageError, match="does not translate es-xx"):
        load_translator(project.model(), BACK)


def test_too_long_pairs_are_refused(tmp_path: Path) -> None:
    project = make_project(tmp_path, finetune={"max_length": 24})
    with pytest.raises(CheckFailed, match=r"longer than train\.finetune\.max_length.*train\.jsonl:"):
        stage.run(project)
