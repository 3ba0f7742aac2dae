"""Every family through the stage and through compare, with small models of the real architectures."""

from __future__ import annotations

import json
import random
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from seshat.cli.evaluate import overrides
from seshat.config import Config, Direction
from seshat.core.errors import DataError, PromptMismatch, UsageError
from seshat.core.jsonl import write_json, write_jsonl
from seshat.core.records import Access, Entry, GlossedWord, Meta, Segment, Sense
from seshat.evaluation import compare, evaluate, perplexity, systems, tasks
from seshat.evaluation.assess import Assessment
from seshat.evaluation.languagemodel import opened
from seshat.inference.engines.pretrained import CausalTranslator
from seshat.inference.load import load_translator
from seshat.models.neural.base import quiet
from seshat.project.folder import Project
from seshat.prompt.prompt import Message, Prompt
from seshat.prompt.request import Request

torch = pytest.importorskip("torch")
peft = pytest.importorskip("peft")

NOUNS = {"nua": "perro", "topo": "niña", "suku": "río", "wey": "viejo", "pana": "gato"}
VERBS = {"kala": "duerme", "miri": "corre", "tume": "canta"}
SETS = {"train": (30, 1), "validation": (6, 2), "test": (12, 3)}
PUBLIC = Meta(access=Access.PUBLIC, source="made", doc_id="d")


def corpus(size: int, seed: int, name: str) -> list[Segment]:
    rng, found = random.Random(seed), []
    for number in range(size):
        (noun, meaning), (verb, act) = rng.choice(list(NOUNS.items())), rng.choice(list(VERBS.items()))
        texts = {"xx": f"{noun}so {verb}.", "es": f"El {meaning} {act}."}
        gloss = (
            GlossedWord(form=f"{noun}so", morphemes=(noun, "so"), glosses=(meaning, "ERG")),
            GlossedWord(form=verb, morphemes=(verb,), glosses=(act,)),
        )
        meta = PUBLIC.model_copy(update={"order": number})
        found.append(Segment(id=f"{name}{number}", texts=texts, gloss=gloss, meta=meta))
    return found


def messages(project: Project, name: str, segments: list[Segment]) -> None:
    """As the stage ``format`` writes them, for the tasks that are asked here."""
    prompt, lines = Prompt.of(project), []
    for place, one in enumerate(segments):
        glosses = " ".join("-".join(word.glosses) for word in one.gloss or ())
        before = [segments[place - 1].texts["xx"]] if place and prompt.context else []
        said = prompt.messages(
            "translate", source="xx", target="es", text=one.texts["xx"], answer=one.texts["es"], context=before
        )
        for task, way, chat in (
            ("gloss", None, prompt.messages("gloss", text=one.texts["xx"], answer=glosses)),
            ("translate", "xx-es", said),
        ):
            if task == "gloss" and not glosses:
                continue
            meta = {"access": "public", "record": one.id}
            lines.append({"id": f"{one.id}/{task}", "task": task, "direction": way, "messages": chat, "meta": meta})
    if name == "train":
        chat = prompt.messages("word-to-meaning", text="nua", answer="perro")
        meta = {"access": "public", "record": "1"}
        lines.append({"id": "1", "task": "word-to-meaning", "direction": "xx-es", "messages": chat, "meta": meta})
    path = project.training / "messages" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def make(root: Path, family: str, name: str, **sections: Any) -> Project:
    values: dict[str, Any] = {
        "project": {"name": "Test", "language": "xx", "pivot": "es"},
        "model": {"base": "bases/qwen" if family == "causal" else "bases/xlmr"},
        "prompt": {"max_new_tokens": 8},
        "train": {"family": family, "name": name, "finetune": {"metric": "loss"}},
        "evaluate": {
            "baselines": ("copy", "nearest"),
            "reference": "copy",
            "samples": 2,
            "bootstrap": 100,
            "perplexity_texts": 6,
            "task_examples": 6,
            "fill": 3,
        },
    }
    for key, section in sections.items():
        values[key] = values.get(key, {}) | section
    project = Project(root, Config.model_validate(values))
    sets = {name: corpus(*made, name[0]) for name, made in SETS.items()}
    sets["test"] = [one.model_copy(update={"gloss": None}) if n > 5 else one for n, one in enumerate(sets["test"])]
    for file, segments in sets.items():
        write_jsonl(project.training / f"{file}.jsonl", segments)
        messages(project, file, segments)
    write_jsonl(project.training / "monolingual.jsonl", [])
    sense = [Sense(glosses={"es": (word,)}) for word in NOUNS.values()]
    entries = [
        Entry(id=str(n), lang="xx", headword=word, senses=(sense[n],), meta=PUBLIC) for n, word in enumerate(NOUNS)
    ]
    write_jsonl(project.training / "lexicon.jsonl", entries)
    (root / "seshat.yaml").write_text("")
    return project


def describe(project: Project, name: str, family: str, base: str | None, directions: list[str]) -> None:
    from seshat.models.neural.base import fingerprint

    prompt, folder = Prompt.of(project), project.model(name)
    described: dict[str, Any] = {
        "version": 1,
        "family": family,
        "name": name,
        "directions": directions,
        "normalisation": prompt.normalisation,
        "seed": 1,
        "prompt": prompt.hash,
        "quantization": "none",
    }
    if base:
        described["base"] = {"id": base, "revision": None, "fingerprint": fingerprint(project.root / base)}
        prompt.save(folder)
    write_json(folder / "model.json", described)


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A causal and a masked base, an adapter for the first and a fine-tuned form of the second."""
    from tests.tiny_models import pretrain, qwen3, xlmr
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

    root = tmp_path_factory.mktemp("bases")
    texts = [text for segment in corpus(30, 1, "a") for text in segment.texts.values()]
    pretrain(qwen3(root / "bases" / "qwen", texts), texts, steps=20)
    xlmr(root / "bases" / "xlmr", texts)
    model = AutoModelForCausalLM.from_pretrained(root / "bases" / "qwen")
    torch.manual_seed(1)
    config = peft.LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False)
    with quiet():
        peft.get_peft_model(model, config).save_pretrained(root / "adapter")
    AutoTokenizer.from_pretrained(root / "bases" / "qwen").save_pretrained(root / "adapter")
    tokenizer = AutoTokenizer.from_pretrained(root / "bases" / "xlmr")
    masked = AutoModelForMaskedLM.from_pretrained(root / "bases" / "xlmr")
    _learn(masked, tokenizer, [segment.texts["xx"] for segment in corpus(30, 1, "a")])
    masked.save_pretrained(root / "weights")
    tokenizer.save_pretrained(root / "weights")
    return root


def _learn(model: Any, tokenizer: Any, texts: list[str]) -> None:
    """Each word in turn from the rest of its sentence."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    rows = tokenizer(texts, padding=True, return_tensors="pt")
    for step in range(60):
        generator = torch.Generator().manual_seed(step)
        hidden = torch.rand(rows["input_ids"].shape, generator=generator) < 0.5
        hidden &= (rows["input_ids"] > 3) & (rows["attention_mask"] == 1)
        ids = rows["input_ids"].masked_fill(hidden, tokenizer.mask_token_id)
        labels = rows["input_ids"].masked_fill(~hidden, -100)
        model(input_ids=ids, attention_mask=rows["attention_mask"], labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def causal(bases: Path, root: Path, **sections: Any) -> Project:
    shutil.copytree(bases / "bases", root / "bases")
    project = make(root, "causal", "tiny", **sections)
    shutil.copytree(bases / "adapter", project.model() / "adapter")
    describe(project, "tiny", "causal", "bases/qwen", ["xx-es", "es-xx"])
    return project


def masked(bases: Path, root: Path) -> Project:
    if not (root / "bases").exists():
        shutil.copytree(bases / "bases", root / "bases")
    project = make(root, "masked", "filler")
    shutil.copytree(bases / "weights", project.model() / "weights")
    describe(project, "filler", "masked", "bases/xlmr", [])
    return project


def figures(evaluation: dict[str, Any], measure: str, of: str) -> dict[str, float]:
    table = next(one for one in evaluation["likelihood"] if (one["measure"], one["of"]) == (measure, of))
    return {row["name"]: row["bits_per_byte"] for row in table["systems"]}


def read(project: Project, name: str = "evaluation") -> tuple[dict[str, Any], str]:
    files = (project.reports / f"{name}.{kind}" for kind in ("json", "html"))
    return json.loads(next(files).read_text()), next(files).read_text()


def test_a_causal_model_beside_its_base(bases: Path, tmp_path: Path) -> None:
    project = causal(bases, tmp_path, evaluate={"reference": "base (zero-shot)"})
    summary = evaluate.run(project)
    evaluation, page = read(project)
    rows = evaluation["directions"][0]["systems"]
    assert [row["name"] for row in rows if not row["difference"]] == ["base (zero-shot)"]
    kinds = {row["name"]: row["kind"] for row in rows}
    assert list(kinds)[:2] == ["tiny", "base (zero-shot)"]
    assert (kinds["tiny"], kinds["base (zero-shot)"]) == ("model", "floor")
    found = figures(evaluation, "likelihood", "xx")
    assert set(found) == {"tiny", "base (zero-shot)", "byte n-grams"}

    # The base is the base: its figure is that of the folder it came from, and not the adapter's.
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = tmp_path / "bases" / "qwen"
    texts = [one.texts["xx"] for one in corpus(12, 3, "t")][::2]
    plain = perplexity.causal(
        AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder), texts
    )
    assert found["base (zero-shot)"] == pytest.approx(perplexity.summary(plain)["bits_per_byte"], rel=0.02)
    assert abs(found["tiny"] - found["base (zero-shot)"]) > 0.1
    assert found["byte n-grams"] < found["base (zero-shot)"], "thirty sentences of eight words are soon counted"
    assert set(figures(evaluation, "translation", "xx-es")) == {"tiny", "base (zero-shot)"}

    asked = {(table["task"], table["origin"]): table for table in evaluation["tasks"]}
    assert set(asked) == {
        ("word-to-meaning", tasks.ASKED),
        ("word-to-meaning", tasks.NOT_ASKED),
        ("meaning-to-word", tasks.NOT_ASKED),
        ("gloss", "test set"),
    }
    gloss = {row["name"]: row["scores"] for row in asked["gloss", "test set"]["systems"]}
    assert gloss["look-up"]["morphemes"]["score"] == 100.0
    assert gloss["tiny"]["morphemes"]["score"] < 100.0
    for heading in ("How well are the texts expected?", "What else can it be asked?", "is the model before"):
        assert heading in page
    assert "Which word is hidden?" not in page
    assert {"table", "perplexity", "tasks", "samples"} <= set(summary)
    answered = (project.reports / "translations" / "tasks.tiny.jsonl").read_text().splitlines()
    assert len(answered) == sum(table["questions"] for table in evaluation["tasks"])
    assert (project.reports / "translations" / "xx-es.base-zero-shot.jsonl").exists()
    again = {path.name: path.read_bytes() for path in project.reports.glob("evaluation.*")}
    evaluate.run(project)
    assert again == {path.name: path.read_bytes() for path in project.reports.glob("evaluation.*")}


def test_without_the_adapter_nothing_need_be_trained(bases: Path, tmp_path: Path) -> None:
    trained = causal(bases, tmp_path / "a", evaluate={"zero_shot": "alone", "task_examples": 0})
    untrained = causal(bases, tmp_path / "b", evaluate={"zero_shot": "alone", "task_examples": 0})
    shutil.rmtree(untrained.models)
    for project in (trained, untrained):
        evaluate.run(project)
    one, other = (read(project)[0] for project in (trained, untrained))
    assert [row["kind"] for row in one["systems"]] == ["base"]
    assert one["directions"][0]["systems"][0]["kind"] == "model", "it is what is judged"
    assert one["systems"] == other["systems"]
    for of in ("xx", "es"):  # in another arithmetic: what stands beside an adapter is opened as the adapter is
        assert figures(one, "likelihood", of) == pytest.approx(figures(other, "likelihood", of), rel=0.02)
    assert one["tasks"] == []
    settings = ["evaluate.zero_shot=alone", 'evaluate.checkpoints=["checkpoint-4"]']
    assert overrides(True, ["checkpoint-4"], False) == settings
    assert overrides(False, None, False) == []
    assert overrides(False, None, True) == ["evaluate.allow_other_prompt=true"]


def test_the_stage_names_every_setting_it_reads(bases: Path, tmp_path: Path) -> None:
    from tests.config.test_settings import ONLY_IN_MESSAGES, watched

    from seshat.pipeline.stages import stage

    for zero_shot in ("beside", "alone"):
        project = causal(bases, tmp_path / zero_shot, evaluate={"zero_shot": zero_shot, "perplexity_texts": 1})
        if zero_shot == "alone":
            shutil.rmtree(project.models)
        read_: set[str] = set()
        evaluate.run(Project(project.root, watched(project.config, "", read_.add)))
        named = stage("evaluate").settings(project.config)
        assert {
            key for key in read_ - ONLY_IN_MESSAGES if not any(f"{key}.".startswith(f"{one}.") for one in named)
        } == set()


def test_checkpoints(bases: Path, tmp_path: Path) -> None:
    project = causal(bases, tmp_path, evaluate={"checkpoints": ["checkpoint-7"], "zero_shot": "none"})
    place = project.state / "work" / "tiny" / "1-all" / "checkpoint-7"
    with pytest.raises(DataError, match=r"no checkpoint 'checkpoint-7'"):
        evaluate.run(project)
    shutil.copytree(project.model() / "adapter", place)
    found, _ = systems.chosen(project, ["tiny"])
    assert [one.name for one in found] == ["tiny", "tiny (checkpoint-7)"]
    texts = ["nuaso kala.", "topo"]
    costs = []
    for one in found:
        with opened(one) as model:
            costs.append(perplexity.causal(model.model, model.tokenizer, texts))
    assert costs[0] == costs[1], "the same weights in another place"
    shutil.copytree(place, place.parent.parent / "2-gold" / "checkpoint-7")
    with pytest.raises(DataError, match=r"There are 2 checkpoints"):
        systems.chosen(project, ["tiny"])
    assert systems.checkpoint(project, "tiny", str(place)).directions == ("xx-es", "es-xx")


def test_a_masked_model(bases: Path, tmp_path: Path) -> None:
    project = masked(bases, tmp_path)
    rows_ = [{"step": step, "phase": "all", "loss": 5 / step, "eval_loss": 6 / step} for step in (1, 2, 3)]
    (project.model() / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows_))
    evaluate.run(project)
    evaluation, page = read(project)
    assert set(evaluation["history"]) == {"filler"}, "a base was not trained here"
    assert page.count("<svg") == 1
    assert evaluation["directions"] == []
    for measure in ("pseudo", "pseudo-token"):
        found = figures(evaluation, measure, "xx")
        assert found["filler"] < found["base (zero-shot)"] - 0.5
    rows = {row["name"]: row["scores"]["among"]["score"] for row in evaluation["fill"]["systems"]}
    assert set(rows) == {"filler", "base (zero-shot)", "most frequent words"}
    assert rows["filler"] > rows["base (zero-shot)"]
    assert (evaluation["fill"]["blanks"], len(evaluation["fill"]["samples"])) == (6, 3)
    assert "Which word is hidden?" in page
    for absent in ("How well do the translators work", "chrF2</dt>", "What else can it be asked", "Recipes"):
        assert absent not in page


def test_a_base_that_is_not_here_is_a_note(bases: Path, tmp_path: Path) -> None:
    project = masked(bases, tmp_path)
    shutil.rmtree(tmp_path / "bases")
    assert any("base of filler was not measured" in line for line in evaluate.run(project)["warnings"])
    with pytest.raises(DataError, match="bases/xlmr"):
        systems.base(project, "filler")


def test_another_prompt_is_refused_unless_told_to(bases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = causal(bases, tmp_path, evaluate={"zero_shot": "beside", "perplexity_texts": 2, "task_examples": 2})
    values = project.config.model_dump(mode="json", by_alias=True)
    values["prompt"]["system"] = "Another one."
    with pytest.raises(PromptMismatch, match=r"(?s)Another one\..*--allow-other-prompt"):
        evaluate.run(Project(tmp_path, Config.model_validate(values)))
    values["evaluate"]["allow_other_prompt"] = True
    said: set[str] = set()
    render = Prompt.render

    def heard(prompt: Prompt, *arguments: Any, **options: Any) -> str:
        said.add(prompt.system)
        return render(prompt, *arguments, **options)

    monkeypatch.setattr(Prompt, "render", heard)
    found = evaluate.run(Project(tmp_path, Config.model_validate(values)))
    assert said == {"Another one."}, "model and base, translation and tasks"
    assert found["tasks"]
    assert found["table"]


def test_another_wording_is_said_and_not_measured(bases: Path, tmp_path: Path) -> None:
    project = causal(bases, tmp_path, evaluate={"zero_shot": "none", "perplexity_texts": 0})
    values = project.config.model_dump(mode="json", by_alias=True)
    values["prompt"]["system"] = "Another one."
    values["train"]["name"] = "later"  # the configuration is about another model
    found = compare.run(Project(tmp_path, Config.model_validate(values)), ["tiny"], ["copy"])
    assert "tasks" not in found
    assert any("trained with another prompt" in line and "Another one." in line for line in found["warnings"])


def test_a_model_is_opened_once(bases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from seshat.models.neural import base

    project = causal(bases, tmp_path, evaluate={"perplexity_texts": 2, "task_examples": 2})
    opened: list[Path] = []
    really = base.open_model

    def noted(family: Any, folder: Path, *arguments: Any, **options: Any) -> Any:
        opened.append(folder)
        return really(family, folder, *arguments, **options)

    monkeypatch.setattr(base, "open_model", noted)
    evaluate.run(project)
    assert len(opened) == 2, "the adapter's base, and the base alone"


def test_the_probability_of_a_translation_is_that_after_the_question_that_the_engine_asks(
    bases: Path, tmp_path: Path
) -> None:
    project = causal(bases, tmp_path, prompt={"context": 1, "hints": 1, "shots": 1})
    way = project.config.project.directions[0]
    request = Request("kana tiro", before=("suwe nomi", "pela"))
    chain = load_translator(project.model("tiny"), way)
    (prepared,) = chain.prepared([request])
    assert prepared.before == ("pela",)
    assert isinstance(chain.engine, CausalTranslator)
    with opened(systems.read(project, "tiny")) as model:
        asked = model.question(request, way)
        assert model.tokenizer(asked, add_special_tokens=False)["input_ids"] == chain.engine.rows([prepared])[0]
    assert "The sentences before:\npela\n" in asked


def test_the_sentences_before_are_asked_with(bases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluating = {"zero_shot": "none", "perplexity_texts": 0, "task_examples": 0, "confidence_texts": 10}
    project = causal(bases, tmp_path, prompt={"context": 1}, evaluate=evaluating)
    asked: dict[str, list[str]] = {}
    question = Prompt.question

    def heard(self: Prompt, request: Request, direction: Direction) -> list[Message]:
        messages = question(self, request, direction)
        if direction.source == "xx":
            asked.setdefault(request.text, []).append(messages[-1]["content"])
        return messages

    monkeypatch.setattr(Prompt, "question", heard)
    assessment = Assessment(project, [systems.read(project, "tiny")], project.config.evaluate)
    evaluation = assessment.evaluation()
    assert len(assessment.translations["xx-es"]["tiny"]) == evaluation.test.segments == 12
    texts = {name: [one.texts["xx"] for one in corpus(*made, name)] for name, made in SETS.items() if name != "train"}
    assert any("The sentences before" not in one for one in asked[texts["test"][0]])
    for name in ("test", "validation"):  # also where a text stands for the second time
        for before, text in pairwise(texts[name]):
            assert any(f"The sentences before:\n{before}\n\n" in one for one in asked[text])


def test_families_in_one_comparison(bases: Path, tmp_path: Path) -> None:
    from seshat.models.wordbyword import train

    project = causal(bases, tmp_path, evaluate={"zero_shot": "none", "task_examples": 2, "headline": "chrf++"})
    masked(bases, tmp_path)
    for way in project.config.project.directions:
        train(project, way, project.model("words") / str(way))
    describe(project, "words", "statistical", None, ["xx-es", "es-xx"])
    summary = compare.run(project, ["words", "tiny", "filler"], ["copy"])
    comparison, page = read(project, "comparison")
    for result in comparison["directions"]:
        names = [row["name"] for row in result["systems"]]
        assert names == ["words", "tiny", "copy"]
        pairs = result["pairs"]
        assert {one: set(others) for one, others in pairs.items()} == {one: set(names) - {one} for one in names}
        scores = {row["name"]: row["scores"]["chrf++"]["score"] for row in result["systems"]}
        assert pairs["words"]["tiny"]["score"] == pytest.approx(scores["words"] - scores["tiny"], abs=1e-3)
        assert pairs["tiny"]["words"]["score"] == -pairs["words"]["tiny"]["score"]
        assert pairs["tiny"]["words"]["p"] == pairs["words"]["tiny"]["p"] < 0.05
    assert page.count("<svg") == 1
    assert page.count('class="scores"') == 3, "translation, perplexity, tasks"
    assert {"causal model", "statistical model"} <= {
        part for part in ("causal model", "statistical model") if part in page
    }
    assert len(summary["pairs"]) == 6
    assert summary["pairs"][0]["chrf++"] == f"{comparison['directions'][0]['pairs']['words']['tiny']['score']:+.1f}"
    assert {"chrf++ low", "chrf++ high"} <= set(summary["table"][0])
    for words in ("chrF++ of each system, with", "Difference in chrF++", "chrF++ against copy"):
        assert words in page
    assert comparison["settings"]["reference"] == "copy"
    assert not (project.reports / "evaluation.json").exists()
    assert not (project.state / "evaluate").exists()
    with pytest.raises(UsageError, match="no baseline 'oracle'"):
        compare.run(project, ["words"], ["oracle"])
    with pytest.raises(UsageError, match="'nearest' is not compared"):
        compare.run(project, ["words"], ["copy"], "nearest")
    with pytest.raises(DataError, match=r"nothere.*no trained model"):
        compare.run(project, ["nothere"])
