"""Free conversation with an instruction model: the same words as the engine's own search, piece by piece."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests import tiny_models

from seshat.config import Direction
from seshat.core.errors import DataError
from seshat.core.jsonl import write_json
from seshat.evaluation.baselines import CopyTranslator
from seshat.inference.chain import Chain
from seshat.inference.dialogue import Dialogue, _Grown
from seshat.inference.load import load_translator

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.inference.test_pretrained import prompt_of, saved  # noqa: E402

TURNS = [{"role": "user", "content": "El perro de la casa?"}]


PROMPT = prompt_of(prompt={"system": "Be kind.", "max_new_tokens": 12})


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    base = tiny_models.qwen3(tmp_path_factory.mktemp("base") / "weights")
    said = (
        "<|im_start|>user\nEl perro de la casa?<|im_end|>\n<|im_start|>assistant\nBusca a la niña en la casa.<|im_end|>"
    )
    tiny_models.pretrain(base, [said] * 8, steps=30)
    return base


@pytest.fixture(scope="module")
def opened(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_translator(
        saved(tmp_path_factory.mktemp("models") / "m", "causal", base, PROMPT), Direction("qlm", "es")
    )


@pytest.fixture(scope="module")
def talker(opened: Any) -> Dialogue:
    found: Dialogue = opened.dialogue()
    return found


def test_the_pieces_are_what_the_search_finds(opened: Any, talker: Dialogue) -> None:
    pieces = list(talker.reply(TURNS))
    engine = opened.engine
    asked = [{"role": "system", "content": "Be kind."}, *TURNS]  # as it was trained
    rendered = engine._prompt.render(engine._tokenizer, asked, answer=False)
    ids = engine._tokenizer(rendered, add_special_tokens=False)["input_ids"]
    assert "".join(piece.text for piece in pieces) == engine._search.answers([ids])[0][0].text
    assert len(pieces) > 1
    last = pieces[-1]
    assert (last.finish, last.prompt_tokens) == ("stop", len(ids))
    assert 3 < last.completion_tokens <= 12


def test_llama_cpp_says_the_same(base: Path, talker: Dialogue, tmp_path: Path) -> None:
    pytest.importorskip("gguf", reason="gguf is not installed")
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    from seshat.export.gguf import write_gguf
    from seshat.inference.engines.llama import LlamaCppTranslator

    vocabulary = write_gguf(base, tmp_path / "model.gguf", "f32", name="tiny")
    PROMPT.save(tmp_path)
    write_json(
        tmp_path / "model.json", {"family": "causal", "prompt": PROMPT.hash, "gguf": {"unicode": vocabulary.form}}
    )
    engine = LlamaCppTranslator(tmp_path, Direction("qlm", "es"))
    found = engine.dialogue()
    assert found is not None
    pieces, expected = list(found.reply(TURNS)), list(talker.reply(TURNS))
    assert "".join(piece.text for piece in pieces) == "".join(piece.text for piece in expected)
    assert pieces[-1].prompt_tokens == expected[-1].prompt_tokens
    assert pieces[-1].completion_tokens == expected[-1].completion_tokens
    engine.close()


def test_limits(talker: Dialogue) -> None:
    cut = list(talker.reply(TURNS, max_tokens=3))[-1]
    assert (cut.finish, cut.completion_tokens) == ("length", 3)
    assert list(talker.reply(TURNS, max_tokens=500))[-1].completion_tokens <= 12
    one, other = (list(talker.reply(TURNS, temperature=0.9)) for _ in range(2))
    assert one == other  # drawn with the seed of the model
    with pytest.raises(DataError, match="tokens"):
        list(talker.reply([{"role": "user", "content": "perro " * 3_000}]))


def test_who_only_translates() -> None:
    assert Chain(CopyTranslator(Direction("qlm", "es"))).dialogue() is None


def test_a_text_grows_by_whole_characters() -> None:
    grown = _Grown(thinking=False)
    steps = [" ", " a", " a\ufffd", " a\u00f1 ", " a\u00f1 b"]
    assert [grown.grown(step) for step in steps] == ["", "a", "", "\u00f1", " b"]
    assert grown.rest() == ""
    silent = _Grown(thinking=True)
    assert silent.grown("<think>no</think> yes") == ""
    assert silent.rest() == "yes"
