from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from seshat.config import Config, Direction
from seshat.config.translate import DecodingSection
from seshat.data import tokenizer
from seshat.errors import DataError
from seshat.inference.engines.seq2seq import Seq2SeqTranslator
from seshat.inference.translator import Candidate
from seshat.jsonl import write_jsonl
from seshat.project import Project
from seshat.records import Segment

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from seshat.models.seq2seq import network, train  # noqa: E402
from seshat.models.seq2seq.data import Schedule, Vocabulary, batches  # noqa: E402

WORDS = {"kana": "casa", "tiro": "perro", "suwe": "agua", "nomi": "grande", "pela": "rojo", "chiku": "mira"}
DIRECTION = Direction("xx", "es")
SETTINGS = {
    "dim": 64, "layers": 1, "heads": 2, "ffn": 128, "dropout": 0.1, "batch_tokens": 300, "learning_rate": 0.005,
    "warmup": 40, "steps": 500, "validate_every": 250, "copy_warmup": 10, "average": 2, "beam": 2,
    "precision": "float32", "subword_sampling": 0.05,
}  # fmt: skip


def make_project(root: Path, **settings: Any) -> Project:
    """A project whose language turns six words into six others, one for one."""
    rng = random.Random(5)
    config = Config.model_validate(
        {
            "project": {"language": "xx", "pivot": "es"},
            "tokenizer": {"vocabulary": 100},
            "train": {"family": "seq2seq", "name": "small", "seq2seq": {**SETTINGS, **settings}},
        }
    )
    project = Project(root, config)
    for name, count in (("train", 400), ("validation", 30)):
        rows = [[rng.choice(list(WORDS)) for _ in range(rng.randint(2, 4))] for _ in range(count)]
        write_jsonl(
            project.training / f"{name}.jsonl",
            [
                Segment(id=f"{name}{i}", texts={"xx": " ".join(row), "es": " ".join(WORDS[w] for w in row)})
                for i, row in enumerate(rows)
            ],
        )
    tokenizer.run(project)
    return project


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, Any]]:
    torch.set_num_threads(1)
    project = make_project(tmp_path_factory.mktemp("seq2seq"))
    return project, train.train(project, DIRECTION, project.model() / "xx-es")


@pytest.mark.parametrize("engine", ["transformers", "ctranslate2"])
def test_sampling_and_settings_of_the_search(trained: tuple[Project, dict[str, Any]], engine: Any) -> None:
    if engine == "ctranslate2":
        pytest.importorskip("ctranslate2")
    folder, texts = trained[0].model() / "xx-es", ["tiro nomi kana", "", "kana pela"]
    translator = Seq2SeqTranslator(folder, DIRECTION, beam=2, engine=engine)
    drawn = [translator.sample(texts, 6, temperature=1.8, seed=seed) for seed in (5, 5, 6)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert [len(group) for group in drawn[0]] == [6, 6, 6]
    assert drawn[0][1] == [Candidate("", 0.0)] * 6
    assert len({one.text for one in drawn[0][0]}) > 1
    assert drawn[0][0] == sorted(drawn[0][0], key=lambda one: -one.score)
    cold = translator.sample(texts, 2, temperature=0.01, seed=1)
    narrow = Seq2SeqTranslator(folder, DIRECTION, 2, engine=engine, decoding=DecodingSection(beams=1))
    greedy = narrow.translate(texts)
    assert [group[0].text for group in cold] == [one.text for one in greedy]
    assert greedy[0].score == pytest.approx(cold[0][0].score, abs=0.02)
    assert greedy[0].score < 0
    wide = Seq2SeqTranslator(folder, DIRECTION, 2, engine=engine, decoding=DecodingSection(beams=6))
    found = wide.translate(texts, n_best=5)[0]
    assert len(found.alternatives) == len({one.text for one in found.alternatives}) > 1
    assert found.score == max(one.score for one in found.alternatives) >= greedy[0].score - 0.02
    by_chance = DecodingSection(temperature=1.8, max_new_tokens=3)
    short = Seq2SeqTranslator(folder, DIRECTION, 2, engine=engine, decoding=by_chance)
    assert len(short.translate(["tiro nomi kana suwe"])[0].text) < len("perro grande casa agua")


def test_it_learns_and_translates(trained: tuple[Project, dict[str, Any]]) -> None:
    project, result = trained
    assert result["validation_chrf2"] > 60
    translator = Seq2SeqTranslator(project.model() / "xx-es", DIRECTION, beam=2)
    made = translator.translate(["tiro nomi", "", "kana pela"], n_best=2)
    assert made[0].text == "perro grande"
    assert made[1].text == ""
    assert len(made[0].alternatives) == 2
    assert made[0].alternatives[0].score >= made[0].alternatives[1].score


def test_both_engines_agree(trained: tuple[Project, dict[str, Any]]) -> None:
    pytest.importorskip("ctranslate2")
    folder = trained[0].model() / "xx-es"
    texts = ["tiro nomi chiku", "suwe pela", "kana kana tiro nomi"]
    made = [
        [h.text for h in Seq2SeqTranslator(folder, DIRECTION, beam=2, engine=engine).translate(texts)]
        for engine in ("ctranslate2", "transformers")
    ]
    assert made[0] == made[1]


def test_saved_and_reloaded_it_scores_the_same(trained: tuple[Project, dict[str, Any]]) -> None:
    project, result = trained
    folder = project.model() / "xx-es"
    spm = project.models / "tokenizer" / "spm.model"
    pairs = train._pairs(project, "validation", DIRECTION)
    trainer = train.Trainer(project, DIRECTION, Vocabulary(spm), pairs, pairs, "unused")
    trainer.model = network.load(folder)
    assert round(trainer.score(), 2) == result["validation_chrf2"]


def test_killed_and_resumed_it_ends_with_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    project = make_project(tmp_path, steps=40, validate_every=15, dim=32)
    folder = project.model() / "xx-es"
    whole = train.train(project, DIRECTION, folder)
    weights = (folder / "model.safetensors").read_bytes()
    shutil.rmtree(folder)
    real_step = train.Trainer._step

    def dies(self: train.Trainer, step: int, pairs: Any) -> float:
        if step == 25:
            raise KeyboardInterrupt
        return real_step(self, step, pairs)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train.Trainer, "_step", dies)
        train.train(project, DIRECTION, folder)
    assert not folder.exists()
    result = train.train(project, DIRECTION, folder)
    assert (folder / "model.safetensors").read_bytes() == weights
    assert result["steps"] == whole["steps"]
    assert not any((project.state / "work").iterdir())


def test_batches_hold_every_pair_once_and_respect_the_size() -> None:
    lengths = [(n % 17 + 1, n % 11 + 1) for n in range(200)]
    made = batches(lengths, 64, seed=1)
    assert sorted(i for batch in made for i in batch) == list(range(200))
    assert all(len(batch) * max(max(lengths[i]) for i in batch) <= 64 for batch in made)
    assert made == batches(lengths, 64, seed=1) != batches(lengths, 64, seed=2)


def test_the_schedule_starts_anywhere_alike(trained: tuple[Project, dict[str, Any]]) -> None:
    project, _ = trained
    vocabulary = Vocabulary(project.models / "tokenizer" / "spm.model")
    pairs = train._pairs(project, "train", DIRECTION)
    schedule = Schedule(pairs, [b for _, b in pairs], vocabulary, 400, 10, seed=3)
    whole = schedule.steps(0)
    first = [next(whole) for _ in range(30)]
    later = schedule.steps(25)
    assert [next(later) for _ in range(5)] == first[25:]
    assert all(set(b.split()) >= set(a.split()) for _, step in first[:10] for a, b in step)  # denoising comes first


def test_without_a_tokenizer_it_says_what_to_do(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    shutil.rmtree(project.models)
    with pytest.raises(DataError, match="seshat tokenizer"):
        train.train(project, DIRECTION, project.model() / "xx-es")
