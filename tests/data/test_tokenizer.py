from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from seshat.config import Config
from seshat.core.errors import DataError
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Segment
from seshat.data import tokenizer
from seshat.project.folder import Project
from seshat.text import subword

pytest.importorskip("sentencepiece")


def sentences(count: int, seed: int = 1) -> list[str]:
    rng = random.Random(seed)
    stems = ["kana", "peɨ", "ñomi", "tarʼo", "wã", "suti"]
    return [" ".join(rng.choice(stems) + rng.choice(["", "ta", "riso"]) for _ in range(6)) for _ in range(count)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spm") / "spm.model"
    path.write_bytes(subword.train_sentencepiece(sentences(400), vocabulary=120, symbols=["<gap>"], seed=3))
    return path


def test_training_twice_gives_the_same_bytes(trained: Path) -> None:
    again = subword.train_sentencepiece(sentences(400), vocabulary=120, symbols=["<gap>"], seed=3)
    assert trained.read_bytes() == again


def test_tokens_cover_the_text(trained: Path) -> None:
    text = "kanata ñomi"
    tokens = subword.load(trained).cut(text)
    assert "".join(text[t.start : t.end] for t in tokens) == text
    assert not any(token.unknown for token in tokens)


def test_a_placeholder_is_one_token(trained: Path) -> None:
    text = "kana <gap> suti"
    assert any(text[t.start : t.end].strip() == "<gap>" for t in subword.load(trained).cut(text))


def test_unknown_characters_are_counted_and_named(trained: Path) -> None:
    figures = tokenizer.measure(subword.load(trained), ["kana ж kana ж"] * 5)
    assert figures["unknown"] > 0
    assert figures["characters"][0]["character"] == "ж"
    said = tokenizer.advice("Kanari", "Spanish", figures, 1.0, 100)
    assert "ж" in said[0]


def test_figures_by_hand() -> None:
    letters = subword.Subword(
        "letters", 30, lambda text: [subword.Token(i, i + 1) for i, c in enumerate(text) if c != " "]
    )
    figures = tokenizer.measure(letters, ["abc de", "é"])
    assert figures["tokens"] == 6
    assert figures["fertility"] == 2.0  # 6 tokens, 3 words
    assert figures["tokens_per_character"] == round(6 / 7, 4)
    assert figures["bytes_per_token"] == round(8 / 6, 4)
    assert figures["fragments"] == 1.0
    assert figures["continued_words"] == round(2 / 3, 4)
    assert figures["nfd_cost"] == round(7 / 6, 4)  # e and its accent
    assert tokenizer.parity(letters, [("abcd", "ab")]) == 2.0


def test_a_hugging_face_tokenizer_on_disk(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    made.train_from_iterator(sentences(100), trainer)
    made.save(str(tmp_path / "tokenizer.json"))
    figures = tokenizer.measure(subword.load(tmp_path), ["kanata ཀཀ"] * 3)
    assert figures["unknown"] == 0
    dearest = figures["characters"][0]
    assert dearest["character"] == "ཀ"
    assert dearest["tokens"] == 3  # three bytes, none of them merged


def test_no_tokenizer_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no tokenizer here"):
        subword.load(tmp_path)
    (tmp_path / "bad.model").write_bytes(b"not a model")
    with pytest.raises(DataError, match="not a SentencePiece model"):
        subword.load(tmp_path / "bad.model")


def test_the_stage_trains_and_reports(tmp_path: Path) -> None:
    config = Config.model_validate(
        {
            "project": {"language": "xx", "pivot": "es", "max_access": "restricted"},
            "tokenizer": {"train": True, "vocabulary": 120},
        }
    )
    project = Project(tmp_path, config)
    pairs = zip(sentences(200), sentences(200, seed=2), strict=True)
    write_jsonl(
        project.training / "train.jsonl",
        [Segment(id=str(i), texts={"xx": a, "es": b}) for i, (a, b) in enumerate(pairs)],
    )
    summary = tokenizer.run(project)
    report = json.loads((project.reports / "tokenizer.json").read_text(encoding="utf-8"))
    assert report["tokenizers"][0]["tokenizer"] == "models/tokenizer/spm.model"
    assert 0.8 < summary["tokenizers"][0]["parity"] < 1.25
    assert set(report["tokenizers"][0]["languages"]) == {"xx", "es"}


def test_words_need_no_tokenizer(tmp_path: Path) -> None:
    assert "works on words" in tokenizer.run(Project(tmp_path, Config()))["note"]
