from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests import tiny_models

from seshat.core.errors import UsageError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from seshat.config import families  # noqa: E402
from seshat.config.finetune import LoraSection  # noqa: E402
from seshat.models.neural import lora, vocabulary  # noqa: E402
from seshat.models.neural.base import open_model, quiet  # noqa: E402
from seshat.models.neural.device import Backend  # noqa: E402

TEXTS = [
    "Hohota tumimunũro dawanri.",
    "Nichashanso rosakiʼ punorita tumimunũro.",
    "Dawanri tirenkero bemota kuchi, kuchi kitishe.",
    "Punorita hohota: Welesho ñãmɨ kaʼ!",
] * 3
PIVOT = "El perro de la niña busca el pan en la casa del pescador."
KINDS = ("qwen3", "gemma3", "nllb", "mt5", "xlmr")


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bases")
    return {kind: getattr(tiny_models, kind)(folder / kind) for kind in KINDS}


def tokenizer_of(folder: Path) -> Any:
    return transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)


def ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text)["input_ids"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_tokenizer_gains_pieces_and_round_trips(bases: dict[str, Path], kind: str, tmp_path: Path) -> None:
    base = tokenizer_of(bases[kind])
    extension = vocabulary.learn(base, TEXTS, 60)
    assert 40 <= len(extension.pieces) <= 60
    made = vocabulary.extended(base, extension)
    # Old ids stay, new ones follow.
    assert {piece: i for piece, i in made.get_vocab().items() if i < len(base)} == base.get_vocab()
    assert sorted(made.convert_tokens_to_ids(list(extension.pieces))) == list(range(len(base), len(made)))
    before, after = (sum(len(ids(tokenizer, text)) for text in TEXTS) for tokenizer in (base, made))
    assert after < 0.8 * before
    assert ids(made, PIVOT) == ids(base, PIVOT)
    for text in TEXTS:
        assert made.decode(ids(made, text), skip_special_tokens=True) == text
    made.save_pretrained(tmp_path)
    again = tokenizer_of(tmp_path)
    assert [ids(again, text) for text in TEXTS] == [ids(made, text) for text in TEXTS]


def test_missing_characters_come_first(bases: dict[str, Path]) -> None:
    base = tokenizer_of(bases["nllb"])
    assert base.unk_token_id in ids(base, "tumimunũro")
    extension = vocabulary.learn(base, TEXTS, 5)
    assert "ũ" in extension.characters
    assert base.unk_token_id not in ids(vocabulary.extended(base, extension), "tumimunũro")
    assert vocabulary.describe(extension)["new_pieces"] == 5


@pytest.mark.parametrize(("kind", "loader"), [("qwen3", "CausalLM"), ("mt5", "Seq2SeqLM"), ("xlmr", "MaskedLM")])
def test_a_new_row_is_the_mean_of_its_pieces(bases: dict[str, Path], kind: str, loader: str, tmp_path: Path) -> None:
    base = tokenizer_of(bases[kind])
    load = getattr(transformers, f"AutoModelFor{loader}").from_pretrained
    model = load(bases[kind])
    extension = vocabulary.learn(base, TEXTS, 40)
    made = vocabulary.extended(base, extension)
    heads = [model.get_input_embeddings().weight.clone(), model.get_output_embeddings().weight.clone()]
    vocabulary.extend_model(model, made, extension)
    for old, new in zip(heads, [model.get_input_embeddings(), model.get_output_embeddings()], strict=True):
        for piece, parts in extension.pieces.items():
            # Rows beyond the old tokenizer may be spare ones of the model, so parts are ids that text is made of.
            expected = old[list(parts)].mean(dim=0) if parts else old.mean(dim=0)
            assert torch.allclose(new.weight[made.convert_tokens_to_ids(piece)], expected, atol=1e-6)
        assert torch.equal(new.weight[: len(base)], old[: len(base)])
    model.save_pretrained(tmp_path)
    assert load(tmp_path).get_input_embeddings().weight.shape[0] >= len(made)


@pytest.mark.parametrize(("kind", "bits"), [("qwen3", "none"), ("qwen3", "nf4"), ("mt5", "none")])
def test_an_adapter_trains_and_keeps_the_new_rows_alone(
    bases: dict[str, Path], kind: str, bits: str, tmp_path: Path
) -> None:
    peft = pytest.importorskip("peft")
    torch.manual_seed(1)  # of the spare rows: merging rounds by up to 0.0005 in logits of 40 to 120, as they fall
    family = families.SEQ2SEQ if kind == "mt5" else families.CAUSAL
    backend = Backend("cpu", quantization=bits)
    base = tokenizer_of(bases[kind])
    extension = vocabulary.learn(base, TEXTS, 30)
    made = vocabulary.extended(base, extension)
    rows = made(TEXTS[:4], padding=True, return_tensors="pt")

    def logits(model: Any) -> Any:
        with torch.inference_mode():
            # Spare rows of a model are drawn anew at every opening, and no text reaches them.
            return model.eval()(**rows, labels=rows["input_ids"]).logits[..., : len(made)]

    with quiet():
        model = open_model(family, bases[kind], backend, frozen=True)
        vocabulary.extend_model(model, made, extension)
        settings = vocabulary.adapter_settings(model, made, extension.pieces)
        wrapped = lora.attach(model, LoraSection(rank=4), family, 1, settings)
        before = logits(wrapped)
        trained = [parameter for parameter in wrapped.parameters() if parameter.requires_grad]
        optimizer = torch.optim.SGD(trained, lr=0.5)
        for _ in range(2):
            wrapped(**rows, labels=rows["input_ids"]).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        lora.save(wrapped, tmp_path, "base")
        fresh = open_model(family, bases[kind], backend, frozen=True)
        vocabulary.fit_embeddings(fresh, made)
        reloaded = peft.PeftModel.from_pretrained(fresh, tmp_path)
        after = logits(wrapped)
        assert not torch.allclose(before, after, atol=1e-2)
        assert torch.allclose(after, logits(reloaded), atol=1e-4)
        if bits == "none":
            assert torch.allclose(after, logits(reloaded.merge_and_unload()), atol=1e-3)
    size = sum(path.stat().st_size for path in tmp_path.glob("*.safetensors"))
    assert size < 4 * sum(parameter.numel() for parameter in trained) + 20_000, "no whole embeddings"


def test_bytes_need_no_extension(tmp_path: Path) -> None:
    base = tokenizer_of(tiny_models.byt5(tmp_path))
    with pytest.raises(UsageError, match="works on bytes"):
        vocabulary.learn(base, TEXTS, 10)


def test_frequent_pairs_are_merged_first(bases: dict[str, Path]) -> None:
    base = tokenizer_of(bases["qwen3"])
    extension = vocabulary.learn(base, ["zozo zozo zozo zozo xa"], 4)
    assert extension.merges[0] == ("z", "o")
    assert all(len(pair) == 2 for pair in extension.merges)
    assert len(extension.pieces) < 5
    assert "xa" not in extension.pieces
