"""Bits per byte: analytic values, padding, windows, prompts, and the two pseudo-likelihoods."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seshat.core.records import Segment
from seshat.evaluation import likelihood, perplexity
from seshat.evaluation.perplexity import causal, masked
from seshat.scores.significance import rate

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

TEXTS = ["abcd", "aabbccddaabb", "", "abcdabcdabcdabcdabcdabcdabcdabcd", "dd"]
WORDS = [
    "El perro de la niña busca el pan.",
    "dawanri",
    "kuchi kitishe welesho ñãmɨ kaʼ bemota tirenkero dawanri",
    "¿Dónde está la canoa?",
]


def opened(kind: Any, folder: Path) -> tuple[Any, Any]:
    """With larger weights than random ones have: a model with opinions, so that a wrong place or mask shows."""
    model = kind.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(6)
    return model, transformers.AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    from tests.tiny_models import qwen3

    return opened(transformers.AutoModelForCausalLM, qwen3(tmp_path_factory.mktemp("qwen")))


@pytest.fixture(scope="module")
def roberta(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    from tests.tiny_models import xlmr

    return opened(transformers.AutoModelForMaskedLM, xlmr(tmp_path_factory.mktemp("xlmr")))


def uniform(letters: int, size: int) -> tuple[Any, Any]:
    """A causal model that thinks every token equally likely, whose tokens are runs of so many letters out of four.

    ``size`` tokens in all: with letters ** 4 of them per token, the model spreads its belief evenly over texts.
    """
    from itertools import product

    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    runs = ["".join(run) for run in product("abcd", repeat=letters)]
    vocabulary = {run: n for n, run in enumerate(runs)} | {f"<{n}>": n for n in range(len(runs), size)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token=None))
    made.pre_tokenizer = pre_tokenizers.Split(Regex(f"[abcd]{{{letters}}}"), "isolated")
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=made, eos_token=f"<{size - 1}>")
    config = transformers.Qwen3Config(
        vocab_size=size,
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        num_key_value_heads=1,
        head_dim=8,
        max_position_embeddings=64,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=size - 1,
        pad_token_id=None,
        rope_parameters={"rope_type": "default", "rope_theta": 1e4},
    )
    model = transformers.Qwen3ForCausalLM(config)
    torch.nn.init.zeros_(model.get_input_embeddings().weight)
    return model, tokenizer


def test_two_tokenizers_of_an_equal_model_agree_in_bits_per_byte() -> None:
    # One letter per token out of 16, and two letters per token out of 256: four bits per letter, either way.
    one = causal(*uniform(1, 16), TEXTS)
    two = causal(*uniform(2, 256), TEXTS)
    for found, tokens, perplexed in ((one, 50, 16.0), (two, 25, 256.0)):
        assert [piece.bits for piece in found] == pytest.approx([4.0 * len(text) for text in TEXTS], abs=1e-3)
        assert sum(piece.tokens for piece in found) == tokens
        figures = perplexity.summary(found)
        assert figures["bits_per_byte"] == pytest.approx(4.0, abs=1e-4)
        assert figures["perplexity"] == pytest.approx(perplexed, rel=1e-4)
    # Belief wasted on tokens that no text holds costs bits: 32 instead of 16 tokens are one bit a letter more.
    assert perplexity.summary(causal(*uniform(1, 32), TEXTS))["bits_per_byte"] == pytest.approx(5.0, abs=1e-4)


def test_bytes_are_counted_not_letters(qwen: tuple[Any, Any]) -> None:
    (found,) = causal(*qwen, ["ñãmɨ"])
    assert found.bytes == 7
    assert found.unknown == 0


def by_hand(model: Any, tokenizer: Any, prompt: list[int], text: str) -> float:
    ids = [*prompt, *tokenizer(text, add_special_tokens=False)["input_ids"]]
    with torch.inference_mode():
        logits = model(torch.tensor([ids]), use_cache=False).logits[0].log_softmax(-1)
    return -sum(float(logits[n - 1, ids[n]]) for n in range(len(prompt), len(ids))) / math.log(2)


def test_padding_changes_nothing(qwen: tuple[Any, Any]) -> None:
    model, tokenizer = qwen
    together = causal(model, tokenizer, WORDS)
    alone = [causal(model, tokenizer, [text])[0] for text in WORDS]
    assert [one.bits for one in together] == pytest.approx([one.bits for one in alone], rel=1e-5)
    expected = [by_hand(model, tokenizer, [tokenizer.eos_token_id], text) for text in WORDS]
    assert [one.bits for one in together] == pytest.approx(expected, rel=1e-5)


def test_the_prompt_is_read_but_not_judged(qwen: tuple[Any, Any]) -> None:
    model, tokenizer = qwen
    prompt = "Translate from Lumeko into Spanish: dawanri"
    ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    (found,) = causal(model, tokenizer, [WORDS[0]], [prompt])
    assert found.bits == pytest.approx(by_hand(model, tokenizer, ids, WORDS[0]), rel=1e-5)
    assert found.tokens == len(tokenizer(WORDS[0], add_special_tokens=False)["input_ids"])
    (other,) = causal(model, tokenizer, [WORDS[0]], ["Another prompt"])
    assert abs(other.bits - found.bits) > 0.1


def test_a_long_text_is_judged_in_windows_each_token_once(
    qwen: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, tokenizer = qwen
    text = " ".join(WORDS * 4)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    (whole,) = causal(model, tokenizer, [text])
    assert len(ids) > 60
    monkeypatch.setattr(perplexity, "WINDOW", 32)
    for prompts in (None, ["a prompt longer than a window " * 12]):
        (cut,) = causal(model, tokenizer, [text], prompts)
        assert cut.tokens == len(ids)
        assert cut.bits == pytest.approx(whole.bits, rel=0.3)
        assert cut.bits != whole.bits


def hidden_by_hand(model: Any, tokenizer: Any, text: str, whole_words: bool) -> float:
    encoded = tokenizer(text)
    ids, words = encoded["input_ids"], encoded.word_ids()
    bits = 0.0
    for place in range(1, len(ids) - 1):
        row = list(ids)
        for other in range(place, len(ids) - 1):
            if other == place or (whole_words and words[other] == words[place]):
                row[other] = tokenizer.mask_token_id
        with torch.inference_mode():
            logits = model(torch.tensor([row])).logits[0, place].log_softmax(-1)
        bits -= float(logits[ids[place]]) / math.log(2)
    return bits


@pytest.mark.parametrize("whole_words", [False, True])
def test_pseudo_likelihood(roberta: tuple[Any, Any], whole_words: bool) -> None:
    found = masked(*roberta, [*WORDS, ""], whole_words=whole_words)
    expected = [hidden_by_hand(*roberta, text, whole_words) for text in WORDS]
    assert [one.bits for one in found] == pytest.approx([*expected, 0.0], rel=1e-5)
    tokenizer = roberta[1]
    assert found[0].tokens == len(tokenizer(WORDS[0])["input_ids"]) - 2, "marks around the text do not count"


def test_hiding_whole_words_is_another_measure(roberta: tuple[Any, Any]) -> None:
    one, other = (sum(s.bits for s in masked(*roberta, WORDS, whole_words=w)) for w in (False, True))
    assert abs(one - other) > 0.05


def test_long_texts_of_a_masked_model(roberta: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(WORDS * 2)
    (whole,) = masked(*roberta, [text], whole_words=False)
    monkeypatch.setattr(perplexity, "WINDOW", 24)
    (cut,) = masked(*roberta, [text], whole_words=False)
    assert cut.tokens == whole.tokens
    assert cut.bits == pytest.approx(whole.bits, rel=0.3)


def test_rates_are_over_all_bytes(qwen: tuple[Any, Any]) -> None:
    found = causal(*qwen, WORDS)
    rows = perplexity.table(found)
    expected = sum(one.bits for one in found) / sum(len(text.encode()) for text in WORDS)
    assert float(rate(rows.sum(axis=0))[0]) == pytest.approx(expected)
    assert perplexity.summary(found)["bits_per_byte"] == pytest.approx(expected, abs=1e-4)
    assert float(rate(np.zeros(2))[0]) == 0.0


def test_of_very_many_tokens_some_stand_for_all(roberta: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    texts = WORDS * 6
    every = masked(*roberta, texts, whole_words=False)
    monkeypatch.setattr(perplexity, "_HIDDEN", sum(one.tokens for one in every) // 3)
    some = masked(*roberta, texts, whole_words=False)
    assert sum(one.tokens for one in some) == sum(one.tokens for one in every) // 3
    assert rate(perplexity.table(some).sum(axis=0))[0] == pytest.approx(
        rate(perplexity.table(every).sum(axis=0))[0], 0.1
    )


def test_token_unigrams_count_what_was_learned(roberta: tuple[Any, Any]) -> None:
    _, tokenizer = roberta
    tested = Segment(id="t", texts={"xx": "dawanri"})
    found = likelihood.unigrams(tokenizer, {"xx": ["dawanri dawanri", "kuchi"]}, [tested])
    learned = [token for text in ("dawanri dawanri", "kuchi") for token in tokenizer.encode(text)[1:-1]]
    ids = tokenizer.encode("dawanri")[1:-1]
    bits = sum(-math.log2((learned.count(token) + 1) / (len(learned) + len(tokenizer))) for token in ids)
    (cost,) = found["pseudo/xx"]
    assert cost.bits == pytest.approx(bits)
    assert (cost.bytes, cost.tokens) == (7, len(ids))
    assert found["pseudo-token/xx"] == [cost]
