"""GGUF files against the model they were written from: the same token ids, logits that part by rounding alone."""

from __future__ import annotations

import importlib.util
import json
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import tiny_models

from seshat.config import Direction
from seshat.config.translate import DecodingSection
from seshat.core.errors import DataError, MissingPackage, UsageError
from seshat.export.gguf import write_gguf
from seshat.export.gguf_tokenizer import read_vocabulary
from seshat.prompt.prompt import Prompt
from seshat.prompt.request import requests

pytest.importorskip("gguf", reason="gguf is not installed")
torch = pytest.importorskip("torch")
INSTALLED = importlib.util.find_spec("llama_cpp") is not None
llama = pytest.mark.skipif(not INSTALLED, reason="llama-cpp-python is not installed")
PROMPT = Prompt(
    languages={"qsm": "Lumeko", "es": "Spanish"}, language="qsm", pivot="es", system="You are an expert in Lumeko."
)
TEXT = "dawanri ¿Dónde está  la ñãmɨ kaʼ 12 canoas?\n\n— «Sí», it's 3,5 kmʼ. 雨"
DIRECTION = Direction("qsm", "es")
MAKE: dict[str, Any] = {
    "qwen3": tiny_models.qwen3,
    "wide": lambda folder: tiny_models.qwen3(folder, dim=256, ffn=512),
    "llama": tiny_models.llama,
    "gemma3": lambda folder: tiny_models.gemma3(folder, layers=7),
    "gemma3-own": lambda folder: tiny_models.gemma3(folder, pieces="own"),
    "gemma3-sentencepiece": lambda folder: tiny_models.gemma3(folder, pieces="sentencepiece"),
}


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made: dict[str, Path] = {}

    def base(name: str) -> Path:
        if name not in made:
            made[name] = MAKE[name](tmp_path_factory.mktemp(name) / "weights")
        return made[name]

    return base


def exported(weights: Path, folder: Path, kind: str) -> Path:
    folder.mkdir(exist_ok=True)
    vocabulary = write_gguf(weights, folder / "model.gguf", kind, name="tiny")
    PROMPT.save(folder)
    described = {"family": "causal", "name": "tiny", "prompt": PROMPT.hash, "gguf": {"unicode": vocabulary.form}}
    (folder / "model.json").write_text(json.dumps(described))
    return folder


def translator(folder: Path) -> Any:
    from seshat.inference.engines.llama import LlamaCppTranslator

    return LlamaCppTranslator(folder, DIRECTION)


def reference(weights: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(weights, dtype=torch.float32).eval()
    return AutoTokenizer.from_pretrained(weights), model


def question(tokenizer: Any, text: str = TEXT) -> list[int]:
    messages = PROMPT.messages("translate", source="qsm", target="es", text=text)
    ids: list[int] = tokenizer(PROMPT.render(tokenizer, messages, answer=False), add_special_tokens=False)["input_ids"]
    return ids


def logits(opened: Any, ids: list[int]) -> Any:
    opened._llama.reset()
    opened._llama.eval(ids)
    pointer = opened._package.llama_get_logits_ith(opened._llama._ctx.ctx, -1)
    return np.ctypeslib.as_array(pointer, (opened._llama.n_vocab(),)).copy()


@llama
@pytest.mark.parametrize(
    ("name", "kind", "within"),
    [
        ("qwen3", "f32", 0.005),
        ("qwen3", "f16", 0.01),
        ("qwen3", "bf16", 0.05),
        ("qwen3", "q8_0", 0.1),
        ("qwen3", "q5_1", 1.0),
        ("llama", "f16", 0.01),
        ("llama", "q8_0", 0.1),
        ("gemma3", "f16", 0.01),
        ("gemma3", "q8_0", 0.15),
        ("gemma3-own", "f16", 0.01),
        ("gemma3-sentencepiece", "f16", 0.01),
        ("wide", "q4_k_m", 2.0),
    ],
)
def test_it_reads_the_same_tokens_and_says_nearly_the_same(
    bases: Any, tmp_path: Path, name: str, kind: str, within: float
) -> None:
    tokenizer, model = reference(bases(name))
    opened = translator(exported(bases(name), tmp_path / "out", kind))
    ids = question(tokenizer)
    assert opened.rows(requests([TEXT])) == [ids]
    with torch.inference_mode():
        wanted = model(torch.tensor([ids])).logits[0, -1].numpy()
    difference = np.abs(logits(opened, ids) - wanted).max()
    assert difference < within
    assert kind == "f32" or difference > 0


@llama
@pytest.mark.parametrize("name", ["qwen3", "gemma3-sentencepiece"])
def test_new_pieces_of_the_vocabulary_go_along(bases: Any, tmp_path: Path, name: str) -> None:
    from seshat.models.neural.vocabulary import extend_model, extended, learn

    tokenizer, model = reference(bases(name))
    extension = learn(tokenizer, ["ñãmɨ welesho tirenkero", "ñãmɨ welesho", "welesho tirenkero bemota"] * 3, 12)
    assert len(extension.pieces) >= 3
    longer = extended(tokenizer, extension)
    extend_model(model, longer, extension)
    model.save_pretrained(tmp_path / "weights")
    longer.save_pretrained(tmp_path / "weights")
    opened = translator(exported(tmp_path / "weights", tmp_path / "out", "f16"))
    text = "ñãmɨ welesho tirenkero — bemota?"
    ids = question(longer, text)
    assert opened.question(text) == ids
    assert max(ids) >= len(tokenizer) > max(question(tokenizer, text))


@llama
def test_a_k_quant_is_a_true_one_where_the_widths_allow(bases: Any, tmp_path: Path) -> None:
    from gguf import GGUFReader

    folder = exported(bases("wide"), tmp_path / "out", "q4_k_m")
    types = {tensor.name: tensor.tensor_type.name for tensor in GGUFReader(folder / "model.gguf").tensors}
    assert types["blk.0.attn_q.weight"] == "Q4_K"
    assert types["blk.0.attn_norm.weight"] == "F32"
    assert [path.name for path in folder.glob("*.tmp")] == []


@llama
def test_translations_are_those_of_transformers(bases: Any, tmp_path: Path) -> None:
    tiny_models.pretrain(bases("wide"), [f"{text} <|im_start|>" for text in tiny_models.TEXTS], steps=30)
    tokenizer, model = reference(bases("wide"))
    folder = exported(bases("wide"), tmp_path / "out", "f32")
    opened = translator(folder)
    ids = question(tokenizer)
    with torch.inference_mode():
        made = model.generate(torch.tensor([ids]), max_new_tokens=256, do_sample=False)[0, len(ids) :]
    first, empty = opened.translate(requests([TEXT, " "]))
    assert first.text == tokenizer.decode(made, skip_special_tokens=True).strip()
    assert first.text and first.score < 0 and empty.text == ""
    again = opened.translate(requests([TEXT]))[0]
    assert again.text == first.text and again.score == pytest.approx(first.score)
    several = opened.translate(requests([TEXT], n_best=4))[0]
    assert several.text == first.text and several.alternatives[0].text == first.text
    assert len({candidate.text for candidate in several.alternatives}) == len(several.alternatives)
    drawn = [opened.sample(requests([TEXT, ""]), 3, temperature=1.2, seed=seed) for seed in (4, 4, 5)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert [len(group) for group in drawn[0]] == [3, 3] and drawn[0][1][0].text == ""
    opened.close()
    with pytest.raises(UsageError, match="no beam search"):
        type(opened)(folder, DIRECTION, DecodingSection(beams=4))


@llama
def test_hints_and_similar_pairs_are_looked_up_as_in_the_training(bases: Any, tmp_path: Path) -> None:
    from seshat.core.records import Entry, Segment, Sense
    from seshat.inference.chain import Chain
    from seshat.inference.engines.pretrained import CausalTranslator
    from seshat.models.neural.base import fingerprint
    from seshat.prompt.retrieval import FOLDER, Retriever, save

    prompt = PROMPT.model_copy(update={"hints": 2, "shots": 1})
    folder = exported(bases("qwen3"), tmp_path / "out", "f16")
    prompt.save(folder)
    base = {"id": "x", "fingerprint": fingerprint(bases("qwen3"))}
    described = {"family": "causal", "seed": 1, "prompt": prompt.hash, "base": base}
    (folder / "model.json").write_text(json.dumps(described))
    entry = Entry(id="1", lang="qsm", headword="kuchi", senses=(Sense(glosses={"es": ("perro",)}),))
    pair = Segment(id="2", texts={"qsm": "kuchi bemota", "es": "el perro come"})
    save(folder / FOLDER, [pair], [entry])
    (folder / "weights").symlink_to(bases("qwen3"))
    opened = translator(folder)
    lookups = Retriever.load(folder / FOLDER, prompt)
    asked = Chain(opened, retrieve=lookups).prepared(requests(["kuchi tirenkero"]))
    assert opened.rows(asked) == CausalTranslator(folder, DIRECTION).rows(asked)
    said = b"".join(map(opened._piece, opened.rows(asked)[0])).decode()
    assert "- kuchi: perro" in said and "el perro come" in said


@llama
def test_text_comes_in_the_form_that_the_tokenizer_wants(bases: Any, tmp_path: Path) -> None:
    weights = bases("qwen3")
    path = weights / "tokenizer.json"
    before = path.read_text()
    path.write_text(json.dumps({**json.loads(before), "normalizer": {"type": "NFC"}}))
    try:
        tokenizer, _ = reference(weights)
        opened = translator(exported(weights, tmp_path / "out", "f16"))
    finally:
        path.write_text(before)
    text = unicodedata.normalize("NFD", TEXT)
    assert opened.question(text) == question(tokenizer, text) == question(tokenizer, TEXT)


@llama
def test_long_questions_make_room_and_too_long_ones_are_refused(bases: Any, tmp_path: Path) -> None:
    prompt = PROMPT.model_copy(update={"decoding": PROMPT.decoding.model_copy(update={"max_new_tokens": 4})})
    folder = exported(bases("qwen3"), tmp_path / "out", "f16")
    prompt.save(folder)
    (folder / "model.json").write_text(json.dumps({"prompt": prompt.hash}))
    opened = translator(folder)
    opened._open(64)
    assert opened.translate(requests(["el perro " * 40]))[0].score < 0
    with pytest.raises(DataError, match="Cut the text into sentences"):
        opened.translate(requests(["el perro " * 1000]))


def test_a_quantised_file_without_llama_cpp_names_the_extra(
    bases: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "llama_cpp", None)
    with pytest.raises(MissingPackage, match=r"Quantising to q4_k_m.*\n.*\[llama\]"):
        write_gguf(bases("qwen3"), tmp_path / "a.gguf", "q4_k_m", name="tiny")
    write_gguf(bases("qwen3"), tmp_path / "b.gguf", "q8_0", name="tiny")
    assert (tmp_path / "b.gguf").stat().st_size > 10_000


def test_what_it_cannot_write_is_refused(bases: Any, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    byt5 = tiny_models.byt5(tmp_path / "byt5")
    with pytest.raises(UsageError, match="T5ForConditionalGeneration"):
        write_gguf(byt5, tmp_path / "a.gguf", "f16", name="tiny")
    weights = tiny_models.qwen3(tmp_path / "large", layers=1)
    tensors = load_file(weights / "model.safetensors")
    tensors["model.layers.0.mlp.up_proj.weight"][0, 0] = 1e6
    save_file(tensors, weights / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DataError, match="beyond what f16 can hold"):
        write_gguf(weights, tmp_path / "b.gguf", "f16", name="tiny")
    if INSTALLED:
        with pytest.raises(UsageError, match="no type that"):
            write_gguf(bases("qwen3"), tmp_path / "c.gguf", "q9_9", name="tiny")


def test_a_tokenizer_that_llama_cpp_would_read_otherwise_is_refused(bases: Any, tmp_path: Path) -> None:
    path = bases("qwen3") / "tokenizer.json"
    described = json.loads(path.read_text())

    def changed(**values: Any) -> Path:
        (tmp_path / "tokenizer.json").write_text(json.dumps({**described, **values}))
        return tmp_path

    assert read_vocabulary(changed(), 700).tokens[699] == "[PAD699]"
    with pytest.raises(DataError, match="embeddings for 10 only"):
        read_vocabulary(changed(), 10)
    word = {**described["added_tokens"][0], "id": 650, "content": "kuchi", "special": False, "single_word": True}
    with pytest.raises(DataError, match="whole words only"):
        read_vocabulary(changed(added_tokens=[*described["added_tokens"], word]), 700)
    with pytest.raises(DataError, match="Lowercase"):
        read_vocabulary(changed(normalizer={"type": "Lowercase"}), 700)
    split = {"type": "Split", "pattern": {"Regex": r"\w+"}, "behavior": "Isolated", "invert": False}
    level = {**described["pre_tokenizer"], "use_regex": False}
    with pytest.raises(DataError, match="not known to have"):
        read_vocabulary(changed(pre_tokenizer={"type": "Sequence", "pretokenizers": [split, level]}), 700)
    with pytest.raises(DataError, match="type Unigram"):
        read_vocabulary(changed(model={"type": "Unigram", "vocab": []}), 700)
