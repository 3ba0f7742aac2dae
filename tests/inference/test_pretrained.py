from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests import tiny_models

from seshat.config import Config, Direction
from seshat.config.translate import DecodingSection
from seshat.core.errors import DataError, PromptMismatch, UsageError
from seshat.core.jsonl import write_json
from seshat.inference.load import load_translator
from seshat.inference.translator import Candidate
from seshat.project.folder import Project
from seshat.prompt.prompt import Prompt

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from seshat.inference.engines.pretrained import CausalTranslator, Seq2SeqBaseTranslator  # noqa: E402
from seshat.models.neural import generation, vocabulary  # noqa: E402
from seshat.models.neural.base import fingerprint, open_tokenizer, quiet  # noqa: E402
from seshat.models.neural.encoding import Encoding, name_codes, start_codes  # noqa: E402
from seshat.prompt.request import Request, requests  # noqa: E402

WAY, BACK = Direction("qlm", "es"), Direction("es", "qlm")
CODES = {"qlm": "qlm_Latn", "es": "spa_Latn"}
TEXTS = ["Hohota tumimunuro.", "", "dawanri", "El perro de la casa, la niña y el pan del viejo.", "  ", "kaʼ welesho"]


@dataclass
class Bases:
    """Untrained models."""

    folder: Path

    def __getitem__(self, kind: str) -> Path:
        path = self.folder / kind
        return path if path.exists() else Path(getattr(tiny_models, kind)(path))


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Bases:
    torch.set_num_threads(1)
    return Bases(tmp_path_factory.mktemp("bases"))


def prompt_of(**sections: Any) -> Prompt:
    prompt = {"max_new_tokens": 12, **sections.pop("prompt", {})}
    config = {"project": {"language": "qlm", "pivot": "es"}, "prompt": prompt, **sections}
    return Prompt.of(Project(Path(), Config.model_validate(config)))


def saved(folder: Path, family: str, base: Path, prompt: Prompt, *, adapter: bool = False) -> Path:
    """A model folder as a training writes it, around untrained weights."""
    folder.mkdir(parents=True)
    with quiet():
        tokenizer = open_tokenizer(base)
        kind = {"seq2seq": "Seq2SeqLM", "causal": "CausalLM", "masked": "MaskedLM"}[family]
        model = getattr(transformers, f"AutoModelFor{kind}").from_pretrained(base)
        if Encoding.is_coded(model.config.model_type):
            start_codes(model, tokenizer, name_codes(tokenizer, prompt.language_codes.values()))
        if adapter:
            import peft

            torch.manual_seed(1)
            model = peft.get_peft_model(model, peft.LoraConfig(r=4, target_modules="all-linear"))
            for name, parameter in model.named_parameters():
                if "lora_B" in name:
                    torch.nn.init.normal_(parameter, std=0.2)
        model.save_pretrained(folder / ("adapter" if adapter else "weights"))
        tokenizer.save_pretrained(folder / ("adapter" if adapter else "weights"))
    prompt.save(folder)
    described = {
        "family": family,
        "name": folder.name,
        "directions": ["qlm-es", "es-qlm"],
        "normalisation": prompt.normalisation,
        "settings": {},
        "seed": 1,
        "prompt": prompt.hash,
        "adapter": adapter,
        "quantization": "none",
        "base": {"id": str(base), "revision": None, "fingerprint": fingerprint(base)},
    }
    write_json(folder / "model.json", described)
    return folder


def texts_of(translator: Any, texts: list[str]) -> list[str]:
    return [hypothesis.text for hypothesis in translator.translate(requests(texts))]


@pytest.mark.parametrize(
    ("family", "kind", "sections"),
    [
        ("seq2seq", "byt5", {"prompt": {"prefix": "{source} to {target}: "}}),
        ("seq2seq", "mt5", {"prompt": {"prefix": "{target}: "}}),
        ("seq2seq", "nllb", {"model": {"language_codes": CODES}}),
        ("causal", "qwen3", {}),
        ("causal", "gemma3", {}),
    ],
)
def test_a_batch_is_translated_like_its_texts_one_by_one(
    bases: Bases, tmp_path: Path, family: str, kind: str, sections: dict[str, Any]
) -> None:
    folder = saved(tmp_path / kind, family, bases[kind], prompt_of(**sections))
    translator = load_translator(folder, WAY)
    together = translator.translate(requests(TEXTS))
    alone = [translator.translate(requests([text]))[0] for text in TEXTS]
    assert [one.text for one in together] == [one.text for one in alone]
    assert [one.score for one in together] == pytest.approx([one.score for one in alone], abs=1e-3)
    assert together[1].text == together[4].text == ""
    assert together[0].score < 0
    assert translator.name == kind
    # Several candidates, different ones, the best first.
    found = translator.translate(requests(TEXTS[:3], n_best=3))
    assert len(found[0].alternatives) > 1
    scores = [candidate.score for candidate in found[0].alternatives]
    assert scores == pytest.approx(sorted(scores, reverse=True), abs=1e-4)
    assert found[0].alternatives[0].text == found[0].text
    assert found[1].text == ""


@pytest.mark.parametrize("kind", ["byt5", "qwen3"])
def test_scores_are_those_of_beam_search(bases: Bases, kind: str) -> None:
    with quiet():
        loader = transformers.AutoModelForSeq2SeqLM if kind == "byt5" else transformers.AutoModelForCausalLM
        model, tokenizer = loader.from_pretrained(bases[kind]), open_tokenizer(bases[kind])
    search = generation.Search(model, tokenizer, prompt_of(prompt={"beams": 3}).decoding)
    rows = [tokenizer("dawanri tirenkero")["input_ids"], tokenizer("El perro")["input_ids"]]
    inputs = generation.padded(rows, tokenizer.pad_token_id, left=kind == "qwen3")
    settings = search._settings(2, None)
    settings.output_scores = settings.return_dict_in_generate = True
    with quiet():
        made = model.generate(**inputs, generation_config=settings)
    ours = [answer.score for group in search.answers(rows, 2) for answer in group]
    assert ours == pytest.approx(made.sequences_scores.tolist(), abs=1e-4)


def test_small_batches_give_the_same(bases: Bases) -> None:
    with quiet():
        model = transformers.AutoModelForSeq2SeqLM.from_pretrained(bases["byt5"])
    tokenizer, decoding = open_tokenizer(bases["byt5"]), prompt_of().decoding
    rows = [tokenizer(text)["input_ids"] for text in TEXTS if text.strip()]
    whole = generation.Search(model, tokenizer, decoding).answers(rows)
    pieces = generation.Search(model, tokenizer, decoding, tokens=1).answers(rows)
    assert [group[0].text for group in whole] == [group[0].text for group in pieces]


def test_out_of_memory_halves_the_batch(bases: Bases, monkeypatch: pytest.MonkeyPatch) -> None:
    with quiet():
        model = transformers.AutoModelForSeq2SeqLM.from_pretrained(bases["byt5"])
    tokenizer, decoding = open_tokenizer(bases["byt5"]), prompt_of().decoding
    rows = [tokenizer(text)["input_ids"] for text in TEXTS if text.strip()]
    expected = generation.Search(model, tokenizer, decoding).answers(rows)
    generate, sizes = model.generate, []

    def small(input_ids: Any, **options: Any) -> Any:
        sizes.append(len(input_ids))
        if len(input_ids) > 2:
            raise torch.OutOfMemoryError("too much")
        return generate(input_ids=input_ids, **options)

    monkeypatch.setattr(model, "generate", small)
    made = generation.Search(model, tokenizer, decoding).answers(rows)
    assert [group[0].text for group in made] == [group[0].text for group in expected]
    assert sizes == [4, 2, 2]


def test_sampling_follows_the_prompt_and_the_seed(bases: Bases, tmp_path: Path) -> None:
    hot = prompt_of(prompt={"temperature": 1.5, "top_p": 0.9})
    folder = saved(tmp_path / "hot", "causal", bases["qwen3"], hot)
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    first = texts_of(load_translator(folder, WAY), TEXTS)
    assert torch.equal(torch.random.get_rng_state(), state), "a training that goes on would draw other numbers"
    assert texts_of(load_translator(folder, WAY), TEXTS) == first
    cold = saved(tmp_path / "cold", "causal", bases["qwen3"], prompt_of())
    assert texts_of(load_translator(cold, WAY), TEXTS) != first


def test_the_code_of_the_language_is_forced(bases: Bases, tmp_path: Path) -> None:
    folder = saved(tmp_path / "nllb", "seq2seq", bases["nllb"], prompt_of(model={"language_codes": CODES}))
    one, other = (Seq2SeqBaseTranslator(folder, way) for way in (WAY, BACK))
    ids = open_tokenizer(folder / "weights").get_vocab()
    assert one.encoding.forced(WAY) == ids["spa_Latn"]
    assert other.encoding.forced(BACK) == ids["qlm_Latn"] == len(open_tokenizer(bases["nllb"]))
    assert one.encoding.sources(["pan"], WAY)[0][0] == ids["qlm_Latn"]
    assert one.encoding.sources(["pan"], BACK)[0][0] == ids["spa_Latn"]
    assert one.encoding.targets(["pan"], WAY)[0][0] == ids["spa_Latn"]
    assert "Latn" not in "".join(texts_of(one, TEXTS))


def test_a_missing_code_is_an_error_that_teaches(bases: Bases) -> None:
    tokenizer = open_tokenizer(bases["nllb"])
    with pytest.raises(UsageError, match=r"no code for .*\(qlm\)(.|\n)*language_codes: \{qlm: …\}"):
        Encoding(tokenizer, prompt_of(model={"language_codes": {"es": "spa_Latn"}}), "m2m_100")
    with pytest.raises(UsageError, match="knows no code 'qlm_Latn'"):
        Encoding(tokenizer, prompt_of(model={"language_codes": CODES}), "m2m_100")


def test_a_code_in_another_spelling_is_no_new_language(bases: Bases) -> None:
    tokenizer = open_tokenizer(bases["nllb"])
    with pytest.raises(UsageError, match="writes it 'spa_Latn'"):
        name_codes(tokenizer, ["spa_latn"])
    assert name_codes(tokenizer, ["spa_Latn", "qlm_Latn"]) == ["qlm_Latn"]
    assert name_codes(tokenizer, ["spa_Latn", "qlm_Latn"]) == []


def test_ids_are_those_of_the_tokenizer(bases: Bases) -> None:
    tokenizer = open_tokenizer(bases["nllb"])
    name_codes(tokenizer, CODES.values())
    ours = Encoding(tokenizer, prompt_of(model={"language_codes": CODES}), "m2m_100")
    texts = [text for text in TEXTS if text.strip()]
    tokenizer.src_lang, tokenizer.tgt_lang = "spa_Latn", "qlm_Latn"
    assert ours.sources(texts, BACK) == tokenizer(texts)["input_ids"]
    assert ours.targets(texts, BACK) == tokenizer(text_target=texts)["input_ids"]


@pytest.mark.parametrize("kind", ["byt5", "mt5", "nllb", "marian"])
def test_a_break_is_one_token_that_no_text_has(bases: Bases, kind: str) -> None:
    tokenizer = open_tokenizer(bases[kind])
    prompt = prompt_of(model={"language_codes": CODES}) if kind == "nllb" else prompt_of()
    name_codes(tokenizer, CODES.values())
    encoding = Encoding(tokenizer, prompt, "m2m_100" if kind == "nllb" else "t5")
    one, other = "Hohota tumimunuro.", "dawanri"
    text = encoding.sources([one], WAY)[0]
    whole = encoding.sources([one], WAY, [[other, one]])[0]
    assert [text.count(tokenizer.eos_token_id), whole.count(tokenizer.eos_token_id)] == [1, 3]
    first = 1 if encoding.coded else 0
    assert whole[-len(text) + first :] == text[first:], "the text is written as it is alone"
    assert whole == [*encoding.sources([other], WAY)[0], *text[first:], *text[first:]]


@pytest.mark.parametrize("kind", ["byt5", "nllb"])
def test_the_oldest_sentences_before_are_left_out_where_all_is_too_long(bases: Bases, kind: str) -> None:
    tokenizer = open_tokenizer(bases[kind])
    prompt = prompt_of(model={"language_codes": CODES}) if kind == "nllb" else prompt_of(prompt={"prefix": "go: "})
    name_codes(tokenizer, CODES.values())
    kind = "m2m_100" if kind == "nllb" else "t5"
    free = Encoding(tokenizer, prompt, kind)
    before, text = ["Hohota tumimunuro.", "dawanri", "kaʼ welesho"], "kitishe"
    wanted = {count: free.sources([text], WAY, [before[3 - count :]])[0] for count in range(4)}
    assert wanted[0] == free.sources([text], WAY)[0]
    for count, row in wanted.items():
        exact = Encoding(tokenizer, prompt, kind, longest=len(row))
        assert exact.sources([text, "kuchi"], WAY, [before, []]) == [row, *free.sources(["kuchi"], WAY)]
        if count:
            short = Encoding(tokenizer, prompt, kind, longest=len(row) - 1)
            assert short.sources([text], WAY, [before]) == [wanted[count - 1]]
    assert Encoding(tokenizer, prompt, kind, longest=1).sources([text], WAY, [before]) == [wanted[0]]


def test_a_model_reads_the_sentences_before(bases: Bases, tmp_path: Path) -> None:
    prompt = prompt_of(prompt={"context": 1})
    folder = saved(tmp_path / "byt5", "seq2seq", bases["byt5"], prompt)
    described = json.loads((folder / "model.json").read_text())
    write_json(folder / "model.json", described | {"settings": {"finetune": {"max_length": 16}}})
    trained, base = Seq2SeqBaseTranslator(folder, WAY), Seq2SeqBaseTranslator(folder, WAY, adapter=False)
    alone = trained.rows(requests(["dawanri"]))
    asked = [Request("dawanri", before=("kaʼ", "kuchi")), Request("welesho", before=("Hohota tumimunuro.",))]
    assert trained.rows([*asked, Request("kitishe")]) == trained.encoding.sources(
        ["kuchi</s> dawanri", "welesho", "kitishe"], WAY
    ), "the second would be longer than in the training"
    plain = Seq2SeqBaseTranslator(saved(tmp_path / "plain", "seq2seq", bases["byt5"], prompt_of()), WAY)
    assert (trained.context, base.context, plain.context) == (1, 0, 0), "a base would translate them too"
    assert base.rows(asked[:1]) == plain.rows(asked[:1]) == alone


def test_a_code_stands_before_the_text_where_the_base_has_no_tokens_for_it(bases: Bases) -> None:
    prompt = prompt_of(model={"language_codes": {"qlm": ">>qlm<<", "es": ">>spa<<"}})
    tokenizer = open_tokenizer(bases["byt5"])
    row = Encoding(tokenizer, prompt, "t5").sources(["kaʼ"], WAY)[0]
    assert tokenizer.decode(row, skip_special_tokens=True) == ">>spa<< kaʼ"


@pytest.mark.parametrize(("family", "kind"), [("causal", "qwen3"), ("seq2seq", "nllb")])
def test_an_adapter_works_on_its_own_base_alone(bases: Bases, tmp_path: Path, family: str, kind: str) -> None:
    prompt = prompt_of(model={"language_codes": CODES}) if family == "seq2seq" else prompt_of()
    folder = saved(tmp_path / "models" / "adapted", family, bases[kind], prompt, adapter=True)
    with_adapter = texts_of(load_translator(folder, WAY), TEXTS)
    without = texts_of(load_translator(folder, WAY, adapter=False), TEXTS)
    assert with_adapter != without
    base_alone = saved(tmp_path / "whole", family, bases[kind], prompt)
    assert without == texts_of(load_translator(base_alone, WAY), TEXTS)
    # Another base of the same shape.
    other = Path(getattr(tiny_models, kind)(tmp_path / "other", texts=[*tiny_models.TEXTS, "other words entirely"]))
    described = json.loads((folder / "model.json").read_text())
    described["base"]["id"] = str(other)
    write_json(folder / "model.json", described)
    with pytest.raises(DataError, match="not the base model that the adapter was trained on"):
        load_translator(folder, WAY)
    described["base"]["id"] = "nobody/nothing"
    write_json(folder / "model.json", described)
    with pytest.raises(DataError, match="seshat download --model"):
        load_translator(folder, WAY)


def test_a_base_in_the_project_is_found_by_its_relative_path(bases: Bases, tmp_path: Path) -> None:
    (tmp_path / "seshat.yaml").write_text("project: {}\n")
    tiny_models.qwen3(tmp_path / "bases" / "q")
    folder = saved(tmp_path / "models" / "adapted", "causal", tmp_path / "bases" / "q", prompt_of(), adapter=True)
    described = json.loads((folder / "model.json").read_text())
    described["base"]["id"] = "bases/q"
    write_json(folder / "model.json", described)
    assert len(load_translator(folder, WAY).translate(requests(TEXTS))) == len(TEXTS)


def test_another_prompt_is_refused_unless_told_to(bases: Bases, tmp_path: Path) -> None:
    folder = saved(tmp_path / "q", "causal", bases["qwen3"], prompt_of())
    now = prompt_of(prompt={"system": "Speak like a pirate.", "beams": 2})
    load_translator(folder, WAY, prompt=prompt_of())
    with pytest.raises(PromptMismatch, match="Speak like a pirate"):
        load_translator(folder, WAY, prompt=now)
    told = load_translator(folder, WAY, prompt=now, allow_other_prompt=True)
    assert texts_of(told, TEXTS) != texts_of(load_translator(folder, WAY), TEXTS)
    changed = json.loads((folder / "prompt.json").read_text()) | {"system": "Something else."}
    write_json(folder / "prompt.json", changed)
    with pytest.raises(PromptMismatch, match="changed after the training"):
        load_translator(folder, WAY)


def test_the_question_is_that_of_the_training(bases: Bases, tmp_path: Path) -> None:
    from seshat.core.records import Entry, Segment, Sense
    from seshat.prompt.retrieval import FOLDER, save

    prompt = prompt_of(prompt={"hints": 2, "shots": 1})
    folder = saved(tmp_path / "q", "causal", bases["qwen3"], prompt)
    entry = Entry(id="1", lang="qlm", headword="dawanri", senses=(Sense(glosses={"es": ("perro",)}),))
    pair = Segment(id="2", texts={"qlm": "dawanri welesho", "es": "el perro corre"})
    save(folder / FOLDER, [pair], [entry])
    chain = load_translator(folder, WAY)
    assert isinstance(chain.engine, CausalTranslator)
    tokenizer = open_tokenizer(folder / "weights")
    asked = tokenizer.decode(chain.engine.rows(chain.prepared(requests(["dawanri kaʼ"])))[0])
    assert "- dawanri: perro" in asked
    assert "el perro corre" in asked
    assert asked.endswith("<|im_start|>assistant\n")
    assert asked.count("<|im_start|>system") == 1


def test_a_masked_model_translates_nothing(bases: Bases, tmp_path: Path) -> None:
    folder = saved(tmp_path / "xlmr", "masked", bases["xlmr"], prompt_of())
    with pytest.raises(UsageError, match="masked language model"):
        load_translator(folder, WAY)


@pytest.mark.parametrize("whole", [True, False])
def test_an_exported_form_is_taken_and_keeps_its_prompt(bases: Bases, tmp_path: Path, whole: bool) -> None:
    pytest.importorskip("ctranslate2")
    from seshat.export.ctranslate2 import write_ctranslate2
    from seshat.inference.engines.ctranslate import CTranslate2Translator

    prompt = prompt_of(model={"language_codes": CODES})
    folder = saved(tmp_path / "nllb", "seq2seq", bases["nllb"], prompt)
    described = json.loads((folder / "model.json").read_text())
    described["ctranslate2"] = write_ctranslate2(folder / "weights", folder / "ctranslate2")
    write_json(folder / "model.json", described)
    if not whole:
        shutil.rmtree(folder / "weights")
    translator = load_translator(folder, WAY)
    assert isinstance(translator.engine, CTranslate2Translator)
    assert [bool(text) for text in texts_of(translator, TEXTS)] == [bool(text.strip()) for text in TEXTS]
    other = prompt_of(model={"language_codes": CODES}, prompt={"beams": 3})
    if whole:
        other_way = load_translator(folder, WAY, prompt=other, allow_other_prompt=True)
        assert isinstance(other_way.engine, Seq2SeqBaseTranslator)
    else:
        with pytest.raises(UsageError, match="was exported"):
            load_translator(folder, WAY, prompt=other, allow_other_prompt=True)


def test_a_text_beyond_what_the_model_sees_is_parted(bases: Bases, tmp_path: Path) -> None:
    folder = saved(tmp_path / "nllb", "seq2seq", bases["nllb"], prompt_of(model={"language_codes": CODES}))
    (found,) = load_translator(folder, WAY).translate(requests(["pan " * 600]))
    assert found.text.strip()
    with pytest.raises(DataError, match="model can see 512"):
        Seq2SeqBaseTranslator(folder, WAY).translate(requests(["pan " * 600]))


def test_an_incomplete_folder_is_named(bases: Bases, tmp_path: Path) -> None:
    folder = saved(tmp_path / "q", "causal", bases["qwen3"], prompt_of())
    (folder / "weights").rename(folder / "elsewhere")
    with pytest.raises(DataError, match="not complete"):
        load_translator(folder, WAY)


def test_an_extended_vocabulary_comes_back(bases: Bases, tmp_path: Path) -> None:
    prompt = prompt_of(prompt={"prefix": "{target}: "})
    folder = saved(tmp_path / "mt5", "seq2seq", bases["mt5"], prompt)
    with quiet():
        tokenizer = open_tokenizer(bases["mt5"])
        extension = vocabulary.learn(tokenizer, ["Hohota tumimunũro dawanri welesho"] * 3, 30)
        grown = vocabulary.extended(tokenizer, extension)
        model = transformers.AutoModelForSeq2SeqLM.from_pretrained(bases["mt5"])
        vocabulary.extend_model(model, grown, extension)
        for part in (model, grown):
            part.save_pretrained(folder / "weights")
    translator = Seq2SeqBaseTranslator(folder, WAY)
    expected = generation.Search(model, grown, prompt.decoding).answers(translator.encoding.sources(["dawanri"], WAY))
    assert texts_of(translator, ["dawanri"]) == [expected[0][0].text]
    assert len(translator.encoding.sources(["tumimunũro"], WAY)[0]) < len(
        Encoding(tokenizer, prompt, "mt5").sources(["tumimunũro"], WAY)[0]
    )


@pytest.mark.parametrize(("family", "kind"), [("seq2seq", "byt5"), ("causal", "qwen3")])
def test_sampling_and_another_search_need_no_other_prompt(bases: Bases, tmp_path: Path, family: str, kind: str) -> None:
    prompt = prompt_of(prompt={"prefix": "{target}: "})
    folder = saved(tmp_path / kind, family, bases[kind], prompt)
    translator = load_translator(folder, WAY, prompt=prompt)
    assert translator.samples
    drawn = [translator.sample(requests(TEXTS), 3, temperature=1.2, top_p=0.95, seed=seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert all(len(group) == 3 for group in drawn[0])
    assert drawn[0][1] == [Candidate("", 0.0)] * 3
    wide = load_translator(folder, WAY, prompt=prompt, decoding=DecodingSection(beams=4))
    found, greedy = wide.translate(requests(TEXTS[:1]))[0], translator.translate(requests(TEXTS[:1]))[0]
    assert found.score >= greedy.score
    with pytest.raises(PromptMismatch):
        load_translator(folder, WAY, prompt=prompt_of(prompt={"prefix": "{source}: "}))
    with pytest.raises(UsageError, match="has no form for"):
        load_translator(folder, WAY, engine="ctranslate2" if family == "seq2seq" else "llama")
    with pytest.raises(UsageError, match="does not open"):
        load_translator(folder, WAY, engine="llama" if family == "seq2seq" else "ctranslate2")
