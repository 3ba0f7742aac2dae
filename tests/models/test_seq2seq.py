from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from seshat.config import Config, Direction
from seshat.config.translate import DecodingSection
from seshat.core.errors import DataError
from seshat.core.jsonl import read_jsonl, write_jsonl
from seshat.core.records import Meta, Segment
from seshat.data import tokenizer
from seshat.inference.engines.seq2seq import Seq2SeqTranslator
from seshat.inference.load import load_translator
from seshat.inference.translator import Candidate
from seshat.models import train as stage
from seshat.project.folder import Project
from seshat.prompt.prompt import BREAK, after

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from seshat.models.seq2seq import network, train  # noqa: E402
from seshat.models.seq2seq.data import MAX_PIECES, Schedule, Vocabulary, batches  # noqa: E402
from seshat.prompt.request import Request, requests  # noqa: E402

WORDS = {"kana": "casa", "tiro": "perro", "suwe": "agua", "nomi": "grande", "pela": "rojo", "chiku": "mira"}
DIRECTION = Direction("xx", "es")
HELD = {"xx": "suwe suwe chiku chiku pela", "es": "agua agua mira mira rojo"}
SETTINGS = {
    "dim": 64, "layers": 1, "heads": 2, "ffn": 128, "dropout": 0.1, "batch_tokens": 300, "learning_rate": 0.005,
    "warmup": 40, "steps": 500, "validate_every": 250, "copy_warmup": 10, "average": 2, "beam": 2,
    "precision": "float32", "subword_sampling": 0.05,
}  # fmt: skip


def make_project(root: Path, *, context: int = 0, **settings: Any) -> Project:
    """A project whose language turns six words into six others, one for one; ten sentences make a document."""
    rng = random.Random(5)
    config = Config.model_validate(
        {
            "project": {"language": "xx", "pivot": "es", "max_access": "restricted"},
            "tokenizer": {"vocabulary": 100},
            "prompt": {"context": context},
            "train": {"family": "seq2seq", "name": "small", "seq2seq": {**SETTINGS, **settings}},
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
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, Any]]:
    torch.set_num_threads(1)
    project = make_project(tmp_path_factory.mktemp("seq2seq"), dropout=0.0, steps=350, validate_every=175)
    return project, train.train(project, DIRECTION, project.model() / "xx-es")


@pytest.mark.parametrize("engine", ["transformers", "ctranslate2"])
def test_sampling_and_settings_of_the_search(trained: tuple[Project, dict[str, Any]], engine: Any) -> None:
    if engine == "ctranslate2":
        pytest.importorskip("ctranslate2")
    folder, texts = trained[0].model() / "xx-es", ["tiro nomi kana", "", "kana pela"]
    translator = Seq2SeqTranslator(folder, DIRECTION, beam=2, engine=engine)
    drawn = [translator.sample(requests(texts), 6, temperature=1.8, seed=seed) for seed in (5, 5, 6)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert [len(group) for group in drawn[0]] == [6, 6, 6]
    assert drawn[0][1] == [Candidate("", 0.0)] * 6
    assert len({one.text for one in drawn[0][0]}) > 1
    assert drawn[0][0] == sorted(drawn[0][0], key=lambda one: -one.score)
    cold = translator.sample(requests(texts), 2, temperature=0.01, seed=1)
    narrow = Seq2SeqTranslator(folder, DIRECTION, 2, engine=engine, decoding=DecodingSection(beams=1))
    greedy = narrow.translate(requests(texts))
    assert [group[0].text for group in cold] == [one.text for one in greedy]
    assert greedy[0].score == pytest.approx(cold[0][0].score, abs=0.02)
    assert greedy[0].score < 0
    wide = Seq2SeqTranslator(folder, DIRECTION, 2, engine=engine, decoding=DecodingSection(beams=6))
    found = wide.translate(requests(texts, n_best=5))[0]
    assert len(found.alternatives) == len({one.text for one in found.alternatives}) > 1
    assert found.score == max(one.score for one in found.alternatives) >= greedy[0].score - 0.02
    by_chance = DecodingSection(temperature=1.8, max_new_tokens=3)
    short = Seq2SeqTranslator(folder, DIRECTION, 2, engine=engine, decoding=by_chance)
    assert len(short.translate(requests(["tiro nomi kana suwe"]))[0].text) < len("perro grande casa agua")


def test_it_learns_and_translates(trained: tuple[Project, dict[str, Any]]) -> None:
    project, result = trained
    assert result["validation_chrf2"] > 60
    translator = Seq2SeqTranslator(project.model() / "xx-es", DIRECTION, beam=2)
    made = translator.translate(requests(["tiro nomi", "", "kana pela"], n_best=2))
    assert made[0].text == "perro grande"
    assert made[1].text == ""
    assert len(made[0].alternatives) == 2
    assert made[0].alternatives[0].score >= made[0].alternatives[1].score


def test_both_engines_agree(trained: tuple[Project, dict[str, Any]]) -> None:
    pytest.importorskip("ctranslate2")
    folder = trained[0].model() / "xx-es"
    texts = ["tiro nomi chiku", "suwe pela", "kana kana tiro nomi"]
    made = [
        [h.text for h in Seq2SeqTranslator(folder, DIRECTION, beam=2, engine=engine).translate(requests(texts))]
        for engine in ("ctranslate2", "transformers")
    ]
    assert made[0] == made[1]


def test_saved_and_reloaded_it_scores_the_same(trained: tuple[Project, dict[str, Any]]) -> None:
    project, result = trained
    folder = project.model() / "xx-es"
    spm = project.models / "tokenizer" / "spm.model"
    pairs = train._pairs(project, "validation", DIRECTION)
    trainer = train.Trainer(project, DIRECTION, Vocabulary(spm), pairs, pairs)
    trainer.model = network.load(folder)
    assert round(trainer.score(), 2) == result["validation_chrf2"]


def test_killed_and_resumed_it_ends_with_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    project = make_project(tmp_path, steps=40, validate_every=15, dim=32)
    folder = project.model() / "xx-es"
    whole = train.train(project, DIRECTION, folder)
    weights = (folder / "model.safetensors").read_bytes()
    shutil.rmtree(folder)
    train.forget(project, DIRECTION)
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
    train.forget(project, DIRECTION)
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


@pytest.fixture(scope="module")
def preceded(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A model that was trained with two sentences before each."""
    torch.set_num_threads(1)
    project = make_project(tmp_path_factory.mktemp("preceded"), context=2, steps=200, validate_every=100, beam=1)
    file = project.training / "train.jsonl"
    first = next(read_jsonl(file, Segment))
    whole = Segment(id="whole", texts={"xx": "kana " * 9, "es": "casa " * 9}, meta=first.meta.tagged())
    whole = whole.model_copy(update={"meta": first.meta.model_copy(update={"genre": "tablet"})})
    segments = [
        one.model_copy(update={"texts": HELD}) if one.id == "train25" else one for one in read_jsonl(file, Segment)
    ]
    write_jsonl(file, [whole, *(one for one in reversed(segments) if one.id != "train25")])
    write_jsonl(project.training / "test.jsonl", [one for one in segments if one.id == "train25"])
    stage.run(project)
    return project


def test_it_is_trained_with_the_sentences_before(preceded: Project) -> None:
    segments = {one.id: one.texts["xx"] for one in read_jsonl(preceded.training / "train.jsonl", Segment)}
    pairs = train._pairs(preceded, "train", DIRECTION)
    sources = {source for source, _ in pairs}
    assert f"{segments['train10']}{BREAK} {segments['train11']}" in sources
    assert f"{segments['train11']}{BREAK} {segments['train12']}{BREAK} {segments['train13']}" in sources
    assert segments["whole"] in sources, "nothing stands before a whole text"
    assert not any(segments["whole"].strip() in source for source in sources - {segments["whole"]})
    assert not any(HELD["xx"] in source for source in sources), "it is in the test set"
    assert f"{segments['train23']}{BREAK} {segments['train24']}{BREAK} {segments['train26']}" in sources
    assert {target.count(BREAK) for _, target in pairs} == {0}


@pytest.mark.parametrize("engine", ["transformers", "ctranslate2"])
def test_with_the_sentences_before_it_translates_as_in_training(preceded: Project, engine: Any) -> None:
    if engine == "ctranslate2":
        pytest.importorskip("ctranslate2")
    pairs = train._pairs(preceded, "validation", DIRECTION)
    translator = load_translator(preceded.model(), DIRECTION, engine=engine)
    texts = [one.texts["xx"] for one in read_jsonl(preceded.training / "validation.jsonl", Segment)]
    alone = translator.translate(requests(texts))
    before = [tuple(source.split(f"{BREAK} ")[:-1]) for source, _ in pairs]
    found = translator.translate([Request(*one) for one in zip(texts, texts, before, strict=True)])
    assert found != alone
    bare = Seq2SeqTranslator(preceded.model() / "xx-es", DIRECTION, 1, engine=engine)
    assert found == bare.translate(requests(map(after, before, texts)))


def test_trained_with_the_sentences_before_and_reloaded_it_scores_the_same(preceded: Project) -> None:
    described = json.loads((preceded.model() / "model.json").read_text())
    assert described["context"] == 2
    pairs = train._pairs(preceded, "validation", DIRECTION)
    spm = preceded.models / "tokenizer" / "spm.model"
    trainer = train.Trainer(preceded, DIRECTION, Vocabulary(spm), pairs, pairs)
    trainer.model = network.load(preceded.model() / "xx-es")
    assert round(trainer.score(), 2) == described["results"]["xx-es"]["validation_chrf2"]


def test_a_model_that_was_trained_with_none_reads_none(trained: tuple[Project, dict[str, Any]]) -> None:
    assert stage._described(trained[0], {"xx-es": {}}).context == 0
    translator = Seq2SeqTranslator(trained[0].model() / "xx-es", DIRECTION, beam=2)
    alone = translator.translate(requests(["tiro nomi"]))
    assert translator.translate([Request("tiro nomi", before=("kana",))]) == alone


def test_sentences_before_that_are_too_many_are_left_out_from_the_oldest(
    trained: tuple[Project, dict[str, Any]],
) -> None:
    vocabulary = Vocabulary(trained[0].models / "tokenizer" / "spm.model")
    long, short = "suwe " * 200, "tiro nomi"
    assert vocabulary.encode(after([short], short)) == [*vocabulary.encode(short)] * 2
    assert vocabulary.sample([after([short], short)], 0.5, 1)[0].count(vocabulary.end) == 2
    one, text = vocabulary.encode(long), vocabulary.encode(short)
    assert 128 < len(one) < MAX_PIECES - len(text), "one of them fits, two do not"
    for before, kept in (([short, long], True), ([long, short, long], True), ([long, long, short], False)):
        row = vocabulary.encode(after(before, short))
        assert row == ([*text, *one, *text] if kept else [*text, *text]) or row == [*one, *text, *text]
    too_long = "suwe " * 400
    assert vocabulary.encode(after([short, long], too_long)) == vocabulary.encode(too_long)
    assert len(vocabulary.encode(too_long)) == MAX_PIECES
    pieces = vocabulary.cut(after([long, long], short))
    assert [vocabulary.pieces.index(piece) for piece in pieces] == [*one, *text]
    drawn = vocabulary.sample([after([long, long], short)], 1.0, 7)[0]
    assert len(drawn) <= MAX_PIECES
    assert drawn.count(vocabulary.end) <= 2
