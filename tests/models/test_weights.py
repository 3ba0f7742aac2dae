"""Published weights: they are read rightly, learn from running text, and are the same in every form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")
pytest.importorskip("gguf")

from tests.tiny_project import tiny_project  # noqa: E402

from seshat.config import families  # noqa: E402
from seshat.core.jsonl import write_jsonl  # noqa: E402
from seshat.core.records import Meta, Segment  # noqa: E402
from seshat.evaluation.perplexity import causal  # noqa: E402
from seshat.export.engines import read_back  # noqa: E402
from seshat.export.gguf import write_gguf  # noqa: E402
from seshat.export.merge import merge  # noqa: E402
from seshat.models import train  # noqa: E402
from seshat.models.neural import base as bases  # noqa: E402
from seshat.models.neural.device import choose  # noqa: E402
from seshat.models.neural.saved import Saved  # noqa: E402

pytestmark = pytest.mark.weights
ENGLISH = "The river is wide, and in winter the people cross it on the ice. In spring they wait for the boats to come."
TAMIL = (
    "ஆறு அகலமானது. குளிர்காலத்தில் மக்கள் அதைக் கடக்கிறார்கள்.",
    "வசந்த காலத்தில் படகுகள் வருவதற்காக மக்கள் காத்திருக்கிறார்கள்.",
    "மழை பெய்தால் ஆறு நிறைந்து ஓடும்; சிறுவர்கள் கரையில் விளையாடுவார்கள்.",
    "பாட்டி சொன்ன கதையில் ஒரு பெரிய மீன் ஆற்றில் வாழ்ந்தது.",
)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def bits(folder: Path, text: str) -> float:
    model = bases.open_model(families.CAUSAL, folder, choose("cpu", "float32"), frozen=True)
    return sum(one.bits for one in causal(model, bases.open_tokenizer(folder), [text])) / len(text.encode())


def test_weights_are_read_rightly(smollm2: Path) -> None:
    """Wrong by one permutation of rows, or one token, and a model of English no longer expects it."""
    assert bits(smollm2, ENGLISH) < 1.5
    model = bases.open_model(families.CAUSAL, smollm2, choose("cpu", "float32"), frozen=True)
    assert model.get_input_embeddings().weight is model.get_output_embeddings().weight
    assert sum(parameter.numel() for parameter in model.parameters()) == 134_515_008
    tokenizer = bases.open_tokenizer(smollm2)
    assert len(tokenizer("1926")["input_ids"]) == 4
    asked = tokenizer("The capital of France is", return_tensors="pt")
    with torch.inference_mode():
        assert tokenizer.decode(model(**asked).logits[0, -1].argmax()) == " Paris"


def test_text_is_learned_and_the_same_after_merge_and_gguf(smollm2: Path, tmp_path: Path) -> None:
    learning: dict[str, Any] = {
        "epochs": 4, "batch": 1, "max_length": 128, "learning_rate": 1e-3, "embeddings": 0.1, "validate_every": 1_000,
    }  # fmt: skip
    made = tiny_project(tmp_path, smollm2, train={"finetune": learning, "phases": [{"name": "text", "text": True}]})
    rows = [Segment(id=str(n), texts={"qsm": text}, meta=Meta(access="public")) for n, text in enumerate(TAMIL[:3])]
    write_jsonl(made.training / "train.jsonl", rows)
    write_jsonl(made.training / "validation.jsonl", [])
    train.run(made)
    saved = Saved.read(made.model())
    tokenizer = saved.tokenizer()
    model = saved.model(tokenizer, backend=choose("cpu", "float32"))
    [trained] = causal(model, tokenizer, [TAMIL[3]])
    after = trained.bits / trained.bytes
    assert after < bits(smollm2, TAMIL[3]) - 0.02
    merge(families.CAUSAL, smollm2, saved.own, tmp_path / "merged")
    assert bits(tmp_path / "merged", TAMIL[3]) == pytest.approx(after, abs=1e-3)
    write_gguf(tmp_path / "merged", tmp_path / "model.gguf", "q8_0", name="tamil")
    read_back(tmp_path / "model.gguf", tmp_path / "merged", tmp_path / "read")
    assert bits(tmp_path / "read", TAMIL[3]) == pytest.approx(after, abs=0.01)
