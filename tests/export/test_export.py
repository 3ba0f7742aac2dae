"""Exports of every family: saved, opened again, scored as before; and what is refused."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests import finetuned, tiny_models
from tests.evaluations import an_evaluation

from seshat.config import families
from seshat.core.errors import CheckFailed, DataError, MissingPackage, UsageError
from seshat.core.jsonl import read_jsonl, write_jsonl
from seshat.core.records import Segment
from seshat.export import engines, proof
from seshat.export.export import run
from seshat.inference.engines.pretrained import Seq2SeqBaseTranslator
from seshat.inference.load import load_translator
from seshat.project.folder import Project
from seshat.prompt.prompt import Prompt
from seshat.prompt.request import of_segments, requests

torch = pytest.importorskip("torch")
pytest.importorskip("peft")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
INSTALLED = importlib.util.find_spec("llama_cpp") is not None
llama = pytest.mark.skipif(not INSTALLED, reason="llama-cpp-python is not installed")
SHORT = {"system": "{language}.", "templates": {"translate": "{source} {target}: {text}"}}
TO_ES, TO_QSM = finetuned.WAYS


def with_settings(made: Project, **export: Any) -> Project:
    section = made.config.export.model_validate({**made.config.export.model_dump(), **export})
    return Project(made.root, made.config.model_copy(update={"export": section}))


def figures(made: Project, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((made.model(name) / "proof.json").read_text())
    return found


@pytest.fixture(scope="module")
def causal(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return finetuned.causal(tmp_path_factory.mktemp("causal"), steps=30, prompt=SHORT, shape={"layers": 1})


@pytest.fixture(scope="module")
def exported(causal: Project) -> tuple[Project, dict[str, Any]]:
    forms = ["merged", "adapter", *(["ollama"] if INSTALLED else [])]
    made = with_settings(causal, formats=forms, quantization=["f16", "q8_0"])
    return made, run(made)


def translations(made: Project, name: str) -> list[str]:
    segments = finetuned.segments(16, 2)
    return [
        hypothesis.text
        for way in finetuned.WAYS
        for hypothesis in load_translator(made.model(name), way).translate(
            requests([one.texts[way.source] for one in segments])
        )
    ]


class TestCausal:
    def test_every_form_scores_as_the_model_does(self, exported: tuple[Project, dict[str, Any]]) -> None:
        made, found = exported
        names = ["causal-merged", "causal-adapter", *(["causal-gguf-f16", "causal-gguf-q8_0"] if INSTALLED else [])]
        assert [one["export"] for one in found["exports"]] == names
        assert found["refused"] == []
        assert [row["export"] for row in found["table"]] == [name for name in names for _ in finetuned.WAYS]
        for name in names:
            proved = figures(made, name)
            # two directions, all of the validation set
            assert proved["tokens"]["texts"] == 32 and proved["tokens"]["tokens"] > 32 * 10
            for row in proved["scores"]:
                assert row["before"]["chrf2"] > 3, "the test's model learned nothing"
                assert abs(row["difference"]["chrf2"]) <= 1
                assert row["segments"] == 16 and "version:" in row["signatures"]["chrf2"]
            assert (made.reports / "export" / f"{name}.json").read_text() == (
                made.model(name) / "proof.json"
            ).read_text()

    def test_the_adapter_counts(self, exported: tuple[Project, dict[str, Any]]) -> None:
        """Or else a merge that forgets it would go unnoticed."""
        made, _ = exported
        untrained = load_translator(made.model(), TO_QSM, adapter=False)
        texts = [one.texts["es"] for one in finetuned.segments(16, 2)]
        base = [hypothesis.text for hypothesis in untrained.translate(requests(texts))]
        assert base != translations(made, "causal")[16:]

    def test_reloaded_through_the_usual_seam_they_translate_alike(
        self, exported: tuple[Project, dict[str, Any]]
    ) -> None:
        made, found = exported
        wanted = translations(made, "causal")
        for one in found["exports"]:
            got = translations(made, one["export"])
            same = sum(a == b for a, b in zip(wanted, got, strict=True))
            assert same >= 0.7 * len(wanted), one["export"]

    def test_the_merged_weights_are_base_plus_adapter(self, exported: tuple[Project, dict[str, Any]]) -> None:
        from safetensors.torch import load_file

        made, _ = exported
        merged = load_file(made.model("causal-merged") / "weights" / "model.safetensors")
        base = load_file(made.root / "base" / "model.safetensors")
        adapter = load_file(made.model() / "adapter" / "adapter_model.safetensors")
        name = "model.layers.0.self_attn.q_proj"
        low, high = (adapter[f"base_model.model.{name}.lora_{side}.weight"] for side in "AB")
        wanted = base[f"{name}.weight"] + (16 / 8) * high @ low
        torch.testing.assert_close(merged[f"{name}.weight"], wanted, rtol=1e-5, atol=1e-6)
        assert not torch.equal(merged[f"{name}.weight"], base[f"{name}.weight"])

    def test_the_folders_are_models_that_say_what_they_are(self, exported: tuple[Project, dict[str, Any]]) -> None:
        made, _ = exported
        described = json.loads((made.model("causal-merged") / "model.json").read_text())
        assert (described["form"], described["exported_from"], described["adapter"]) == ("merged", "causal", False)
        adapter = json.loads((made.model("causal-adapter") / "adapter" / "adapter_config.json").read_text())
        assert adapter["base_model_name_or_path"] == "base"
        assert str(made.root) not in (made.model("causal-adapter") / "adapter" / "adapter_config.json").read_text()
        Prompt.check(made.model("causal-adapter"), Prompt.of(made))
        assert not list(made.models.glob(".*")) and not list((made.state / "work").iterdir())

    def test_the_card(self, exported: tuple[Project, dict[str, Any]]) -> None:
        from ruamel.yaml import YAML

        made, found = exported
        text = (made.model("causal-merged") / "weights" / "README.md").read_text()
        assert text == (made.model("causal-merged") / "README.md").read_text()
        header = YAML(typ="safe").load(text.split("---")[1])
        assert header["language"] == ["qsm", "es"] and header["base_model"] == "base"
        assert "access-community" in header["tags"]
        assert "up to `community`" in text and Prompt.of(made).hash in text
        assert "| letters | 12 | 2 | CC0-1.0 |" in text
        assert "Token ids: equal" in text and "| qsm-es | chrf2 |" in text
        assert not any(segment.texts["qsm"] in text for segment in finetuned.segments(120, 1))
        assert any("up to community" in warning for warning in found["warnings"])

    def test_scores_of_the_evaluation_stand_in_the_card_with_their_signature(self, causal: Project) -> None:
        score = {"score": 31.25, "low": 28.0, "high": 34.5}
        headline = {"score": 40.5, "low": 38.0, "high": 43.0}
        system = {"name": "causal", "scores": dict.fromkeys(proof.METRICS, score) | {"geomean": headline}}
        signatures = dict.fromkeys(proof.METRICS, "nrefs:1|case:mixed|version:2.5") | {"geomean": "sqrt(bleu * chrf++)"}
        path = causal.reports / "evaluation.json"
        path.parent.mkdir(exist_ok=True)
        an_evaluation([system], "geomean", 99, signatures=signatures).write(path)
        made = with_settings(causal, formats=["adapter"], segments=2)
        assert run(made)["exports"]
        trained = (causal.model() / "model.json").stat().st_mtime
        os.utime(path, (trained - 9, trained - 9))
        text = (causal.model("causal-adapter") / "README.md").read_text()
        assert "Scores on the test set (99 segments)" in text
        assert "| **causal** | 40.5 (38.0-43.0) | 31.2 (28.0-34.5) |" in text
        assert "| 1.00 |" in text and "nrefs:1|case:mixed|version:2.5" in text
        assert any("older than the model" in warning for warning in run(made)["warnings"])
        assert "Scores on the test set" not in (causal.model("causal-adapter") / "README.md").read_text()
        path.unlink()

    @llama
    def test_the_modelfile(self, exported: tuple[Project, dict[str, Any]]) -> None:
        made, _ = exported
        text = (made.model("causal-gguf-q8_0") / "Modelfile").read_text()
        assert "FROM ./causal-gguf-q8_0.gguf\n" in text
        assert 'SYSTEM """Lumeko."""' in text
        assert 'PARAMETER stop "<|im_end|>"' in text
        assert "PARAMETER num_predict 24\n" in text and "PARAMETER repeat_penalty 1\n" in text
        assert figures(made, "causal-gguf-q8_0")["template"] == {"questions": 32}
        # The GGUF file says that nothing is put before the prompt; then the template must not lose anything.
        assert "{{ .Prompt }}<|im_end|>" in text and '{{ .Response }}<|im_end|>"""' in text


class TestRefused:
    @pytest.fixture
    def made(self, causal: Project) -> Project:
        return with_settings(causal, formats=["merged"], segments=4)

    def test_scores_that_part_by_more_than_the_margin(self, made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        shutil.rmtree(made.model("causal-merged"), ignore_errors=True)
        opened = engines.open_export

        def worse(*arguments: Any) -> Any:
            engine: Any = opened(*arguments)
            engine.results = lambda texts: ["ruido"] * len(texts)
            return engine

        monkeypatch.setattr("seshat.export.exporter.open_export", worse)
        found = run(made)
        assert found["exports"] == []
        assert "not published" in found["refused"][0] and "export.margin = 1" in found["refused"][0]
        assert not made.model("causal-merged").exists()
        report = json.loads((made.reports / "export" / "causal-merged.json").read_text())
        assert report["scores"][0]["difference"]["chrf2"] < -1
        assert not (made.state / "work" / "export-causal").exists()

    def test_other_tokens(self, made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        from seshat.export import merge

        copied = merge.copy_model

        def broken(weights: Path, target: Path) -> None:
            copied(weights, target)
            path = target / "tokenizer.json"
            described = json.loads(path.read_text())
            described["model"]["merges"] = described["model"]["merges"][:5]
            path.write_text(json.dumps(described))

        run(made)
        before = (made.model("causal-merged") / "proof.json").read_text()
        monkeypatch.setattr(merge, "copy_model", broken)
        found = run(made)
        assert "becomes other tokens than in the model, from token" in found["refused"][0]
        # The export of before stays as it was.
        assert (made.model("causal-merged") / "proof.json").read_text() == before

    def test_a_base_that_is_another_model(self, made: Project) -> None:
        base, kept = made.root / "base", made.root / "kept"
        base.rename(kept)
        tiny_models.qwen3(base, layers=1)
        with pytest.raises(DataError, match="not the base model that the adapter was trained on"):
            run(made)
        shutil.rmtree(base)
        kept.rename(base)

    def test_a_quantised_base(self, made: Project, tmp_path: Path) -> None:
        from seshat.export.merge import merge

        base = shutil.copytree(made.root / "base", tmp_path / "base")
        config = json.loads((base / "config.json").read_text())
        (base / "config.json").write_text(json.dumps({**config, "quantization_config": {"load_in_4bit": True}}))
        with pytest.raises(DataError, match="quantised itself"):
            merge(families.CAUSAL, base, made.model() / "adapter", tmp_path / "out")

    def test_an_adapter_that_does_not_fit(self, made: Project, tmp_path: Path) -> None:
        from seshat.export.merge import merge

        base = tiny_models.qwen3(tmp_path / "base", layers=1, dim=32)
        with pytest.raises(DataError, match="does not fit"):
            merge(families.CAUSAL, base, made.model() / "adapter", tmp_path / "out")

    def test_forms_that_make_no_sense(self, made: Project) -> None:
        with pytest.raises(
            UsageError, match=r"not exported as 'ctranslate2'.\nIt can be: gguf, ollama, merged, adapter"
        ):
            run(with_settings(made, formats=["ctranslate2"]))
        run(made)
        with pytest.raises(UsageError, match="is an export of causal"):
            run(made, "causal-merged")
        with pytest.raises(DataError, match="no trained model here"):
            run(made, "nothing")
        (made.model("scratch")).mkdir()
        (made.model("scratch") / "model.json").write_text(json.dumps({"family": "statistical", "directions": []}))
        with pytest.raises(UsageError, match="no neural network"):
            run(made, "scratch")
        shutil.rmtree(made.model("scratch"))

    def test_the_adapter_of_a_model_with_new_pieces(self, made: Project) -> None:
        path = made.model() / "model.json"
        before = path.read_text()
        path.write_text(json.dumps({**json.loads(before), "vocabulary": {"new_pieces": 3}}))
        with pytest.raises(UsageError, match=r"new pieces in its vocabulary.*no rows for the new pieces"):
            run(with_settings(made, formats=["adapter"]))
        path.write_text(before)

    def test_a_place_that_is_taken(self, made: Project, tmp_path: Path) -> None:
        (tmp_path / "causal-merged").mkdir()
        (tmp_path / "causal-merged" / "thesis.txt").write_text("years of work")
        with pytest.raises(DataError, match=r"what Seshat did not write there.*thesis.txt"):
            run(made, output=tmp_path)
        assert (tmp_path / "causal-merged" / "thesis.txt").read_text() == "years of work"

    def test_no_validation(self, made: Project) -> None:
        path = made.training / "validation.jsonl"
        before = path.read_text()
        path.write_text("")
        with pytest.raises(DataError, match="could not be proved"):
            run(made)
        path.write_text(before)

    def test_a_k_quant_without_llama_cpp_before_any_work(self, made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        import sys

        monkeypatch.setitem(sys.modules, "llama_cpp", None)
        with pytest.raises(MissingPackage, match="Quantising to q4_k_m"):
            run(with_settings(made, formats=["gguf"], quantization=["q4_k_m"]))


def test_without_llama_cpp_the_weights_are_proved_by_reading_them_back(
    causal: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("forms", "engines"):
        monkeypatch.setattr(f"seshat.export.{module}.find_spec", lambda _name: None)
    made = with_settings(causal, formats=["gguf"], quantization=["q8_0"], segments=8)
    found = run(made)
    assert found["refused"] == []
    assert any("token ids were not compared" in warning for warning in found["warnings"])
    proved = figures(made, "causal-gguf-q8_0")
    assert proved["engine"] == "read back" and proved["tokens"] is None
    assert "not compared" in (made.model("causal-gguf-q8_0") / "README.md").read_text()


def test_gemma_is_read_back_too(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    from seshat.export.engines import read_back
    from seshat.export.gguf import write_gguf

    weights = tiny_models.gemma3(tmp_path / "weights")
    write_gguf(weights, tmp_path / "a.gguf", "f32", name="tiny")
    read_back(tmp_path / "a.gguf", weights, tmp_path / "back")
    one, other = (AutoModelForCausalLM.from_pretrained(folder) for folder in (weights, tmp_path / "back"))
    rows = torch.arange(20).reshape(2, 10)
    with torch.inference_mode():
        torch.testing.assert_close(one(rows).logits, other(rows).logits, atol=1e-5, rtol=1e-4)


def test_a_template_that_ollama_cannot_say(causal: Project, tmp_path: Path) -> None:
    from seshat.export.ollama import Turns, differences
    from seshat.models.neural.base import open_tokenizer

    tokenizer = open_tokenizer(causal.model() / "adapter")
    prompt = Prompt.of(causal)
    chats = [prompt.messages("translate", text=text) for text in ("mina", "MINA  ")]
    assert differences(Turns.of(prompt, tokenizer), prompt, tokenizer, chats) == 0
    body = tiny_models.CHAT_TEMPLATE
    trimmed = prompt.model_copy(update={"chat_template": body.replace("message.content", "message.content|trim")})
    assert differences(Turns.of(trimmed, tokenizer), trimmed, tokenizer, chats) == 1
    twice = body.replace("{% else %}{{ message.content }}", "{% else %}{{ message.content }}{{ message.content }}")
    with pytest.raises(DataError, match="once and as it is"):
        Turns.of(prompt.model_copy(update={"chat_template": twice}), tokenizer)


def test_an_export_cut_off_at_its_last_step_is_found_again(tmp_path: Path) -> None:
    from seshat.core.paths import swap

    old, new = tmp_path / ".a.former.tmp", tmp_path / "new"
    for folder, text in ((old, "old"), (new, "new")):
        folder.mkdir()
        (folder / "proof.json").write_text(text)
    swap(new, tmp_path / "a")
    assert (tmp_path / "a" / "proof.json").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@llama
def test_gemma_and_its_turns(tmp_path: Path) -> None:
    made = finetuned.causal(
        tmp_path,
        lambda folder, texts, **shape: tiny_models.gemma3(folder, texts, pieces="own", **shape),
        steps=10,
        prompt={**SHORT, "max_new_tokens": 8},
        shape={"layers": 1},
        export={"formats": ["ollama"], "quantization": ["f16"], "segments": 4},
    )
    found = run(made)
    assert found["refused"] == []
    text = (made.model("causal-gguf-f16") / "Modelfile").read_text()
    # Ollama writes <bos> by itself, because the file says so; the answer ends where the turn ends.
    assert "<bos>" not in text and 'PARAMETER stop "<end_of_turn>"' in text
    assert "{{ if .System }}<start_of_turn>user\n{{ .System }}\n\n{{ else }}<start_of_turn>user\n{{ end }}" in text


@llama
@pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
def test_an_adapter_of_four_bits_goes_into_the_full_base(tmp_path: Path) -> None:
    """A true Q4_K_M, which wants widths that are multiples of 256, of an adapter made on NF4."""
    made = finetuned.causal(
        tmp_path,
        steps=6,
        quantization="nf4",
        prompt={**SHORT, "max_new_tokens": 12},
        shape={"dim": 256, "ffn": 512, "layers": 1},
        export={"formats": ["gguf", "merged"], "quantization": ["q4_k_m"], "segments": 4, "margin": 100},
    )
    found = run(made)
    assert [one["export"] for one in found["exports"]] == ["causal-gguf-q4_k_m", "causal-merged"]
    config = json.loads((made.model("causal-merged") / "weights" / "config.json").read_text())
    assert "quantization_config" not in config
    assert figures(made, "causal-gguf-q4_k_m")["tokens"]["texts"] == 32


PREFIX = {"prefix": "{source} {target}: ", "max_new_tokens": 24}
TEXTS = [text for segment in finetuned.segments(120, 1) for text in segment.texts.values()]
CODES = {"qsm": "qsm_Latn", "es": "spa_Latn"}
SEQ2SEQ: dict[str, tuple[Any, dict[str, Any]]] = {
    "byt5": (tiny_models.byt5, {"prompt": {**PREFIX, "context": 1}}),
    "mt5": (lambda folder: tiny_models.mt5(folder, [*TEXTS, "Lumeko Spanish:"]), {"prompt": PREFIX}),
    "marian": (lambda folder: tiny_models.marian(folder, [*TEXTS, "Lumeko Spanish:"]), {"prompt": PREFIX}),
    "nllb": (
        lambda folder: tiny_models.nllb(folder, TEXTS, tuple(CODES.values())),
        {"model": {"language_codes": CODES}, "prompt": {"beams": 2, "context": 2}},
    ),
}


@pytest.mark.parametrize("name", SEQ2SEQ)
def test_encoder_decoders_in_int8(tmp_path: Path, name: str) -> None:
    pytest.importorskip("ctranslate2", reason="ctranslate2 is not installed")
    make, sections = SEQ2SEQ[name]
    settings = {"formats": ["ctranslate2", "merged"], "segments": 8, "margin": 8}
    made = finetuned.seq2seq(tmp_path, make, steps=8, export=settings, **sections)
    segments = [
        one.model_copy(update={"meta": one.meta.model_copy(update={"doc_id": "d", "order": place})})
        for place, one in enumerate(read_jsonl(made.training / "validation.jsonl", Segment))
    ]
    write_jsonl(made.training / "validation.jsonl", segments)
    found = run(made)
    assert found["refused"] == []
    proved = figures(made, "seq2seq-ctranslate2")
    assert proved["engine"] == "ctranslate2" and proved["tokens"]["texts"] == 32
    alone, told = (_tokens(made, segments if context else []) for context in (False, True))
    assert proved["tokens"]["tokens"] == told
    assert (told > 1.5 * alone) == ("context" in sections["prompt"])
    assert all(row["agreement"] > 50 for row in proved["scores"])
    exact = figures(made, "seq2seq-merged")
    assert all(row["same"] == 1 for row in exact["scores"])
    fast = load_translator(made.model("seq2seq-ctranslate2"), TO_ES)
    first, empty = fast.translate(requests(["Mina palina basi.", ""], n_best=2))
    ranked = [one.score for one in first.alternatives]  # one, where both candidates read alike
    assert first.alternatives[0].text == first.text and ranked == sorted(ranked, reverse=True)
    assert len(ranked) in (1, 2) and empty.text == ""


def _tokens(made: Project, before: list[Segment]) -> int:
    """What the model reads of the validation set, in both directions."""
    count = 0
    for way in finetuned.WAYS:
        translator = Seq2SeqBaseTranslator(made.model(), way)
        segments = list(read_jsonl(made.training / "validation.jsonl", Segment))
        count += sum(map(len, translator.rows(of_segments(segments, way.source, translator.context, before))))
    return count


def test_few_segments_tell_little() -> None:
    """One translation of fifty that comes out better is chance; all of them worse is not."""
    references = [f"el perro número {number} duerme en la casa" for number in range(50)]
    before = ["un gato corre", *references[1:]]
    row = proof.prove_scores(TO_ES, references, before, references, "13a")
    assert row["difference"]["chrf2"] > 1 and row["interval"][0] <= 0 < 1 < row["interval"][1]
    proof.verdict("x", [row], 1.0, "report.json")
    (doubt,) = proof.doubts("x", [row], 1.0)
    assert "on 50 segments" in doubt and "export.segments" in doubt
    assert proof.doubts("x", [row], 10.0) == []
    for one, other in ((before, ["ruido"] * 50), (["ruido"] * 50, before)):  # better is another model too
        bad = proof.prove_scores(TO_ES, references, one, other, "13a")
        with pytest.raises(CheckFailed, match="95 % interval"):
            proof.verdict("x", [bad], 1.0, "report.json")
        assert proof.doubts("x", [bad], 1.0) == []


def test_a_masked_model_is_judged_by_bits_per_byte(tmp_path: Path) -> None:
    made = finetuned.project(tmp_path, "masked", "base", export={"segments": 4})
    base = tiny_models.xlmr(tmp_path / "base", TEXTS)
    shutil.copytree(base, made.model() / "weights")
    finetuned.describe(made, "masked", base)
    found = run(made)
    assert [one["export"] for one in found["exports"]] == ["masked-merged"]
    row = figures(made, "masked-merged")["scores"][0]
    assert row["before"] == row["after"] and row["before"][proof.BITS] > 0.5
    parted = {**row, "difference": {proof.BITS: 0.02 * row["before"][proof.BITS]}}
    with pytest.raises(Exception, match="bits per byte"):
        proof.verdict("masked-merged", [parted], 1.0, "report.json")


class TestCommandLine:
    def call(self, made: Project, *arguments: str) -> Any:
        from typer.testing import CliRunner

        from seshat.cli.app import app

        return CliRunner().invoke(app, ["export", "--project", str(made.root), "--quiet", *arguments])

    @pytest.fixture
    def made(self, causal: Project) -> Project:
        values = causal.config.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        (causal.root / "seshat.yaml").write_text(json.dumps(values))
        return causal

    def test_table_and_output(self, made: Project, tmp_path: Path) -> None:
        done = self.call(made, "merged", "export.segments=4", "--output", str(tmp_path / "out"))
        assert done.exit_code == 0, done.output
        assert "causal-merged" in done.output and "up to community" in done.output
        assert (tmp_path / "out" / "causal-merged" / "proof.json").exists()

    def test_a_refusal_ends_with_one(self, made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(proof, "_parted", lambda _row, _margin: True)
        done = self.call(made, "adapter", "export.segments=2")
        assert done.exit_code == 1
        assert "not published" in done.output

    def test_mistakes(self, made: Project) -> None:
        wrong = self.call(made, "gguff")
        assert wrong.exit_code == 2 and "did you mean 'gguf'" in wrong.output
        assert self.call(made, "merged", "--model", "nobody").exit_code == 1
