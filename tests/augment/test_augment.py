"""The stage `augment`: what it makes, what it tags, what it keeps, and that nothing of it is tested on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from seshat.augment import material, models
from seshat.augment import stage as augment
from seshat.augment.gate import DAMAGED, LENGTH, OTHER_LANGUAGE, PERPLEXITY, damage
from seshat.augment.made import LOW
from seshat.config import Config, Direction
from seshat.config.augment import EndpointSection
from seshat.core.jsonl import read_jsonl, write_jsonl
from seshat.core.records import Entry, Meta, Method, Segment, Sense
from seshat.data import split
from seshat.inference.translator import Hypothesis
from seshat.project.folder import Project
from seshat.prompt.request import Request
from seshat.review.segments import fingerprint

WORDS = {"mina": "girl", "tolo": "dog", "ruka": "mother", "sepo": "fisher", "wani": "elder", "kumu": "river"}
DEEDS = {"basi": "sees", "dopa": "seeks", "gelu": "wants", "hiro": "sings to", "jumi": "carries"}


def meta(**known: Any) -> Meta:
    return Meta(**{"source": "tales", "access": "public", **known})


def write(root: Path, **sections: Any) -> Project:
    """A project after `align`: 150 pairs, lone texts of both languages, four entries."""
    settings = {"language": "qsm", "pivot": "en", "max_access": "public"}
    split_section = {"validation": 0.1, "test": 0.2, **sections.pop("split", {})}
    config = Config.model_validate({"project": settings, "split": split_section, **sections})
    project = Project(root, config)
    pairs = []
    for number, (who, what, deed) in enumerate((a, b, c) for a in WORDS for b in WORDS if a != b for c in DEEDS):
        texts = {
            "qsm": f"{who} {what}na {deed} ha ke tuma.",
            "en": f"The {WORDS[who]} {DEEDS[deed]} the {WORDS[what]} by the great water.",
        }
        pairs.append(Segment(id=f"p{number}", texts=texts, meta=meta(doc_id=f"d{number // 10}", order=number)))
    alone = [
        Segment(id="m1", texts={"en": "The dog is at home."}, meta=meta(source="news")),
        Segment(id="m2", texts={"en": "The secret of the elder."}, meta=meta(source="news", access="sealed")),
        Segment(id="m3", texts={"qsm": "tolo minana basi lo."}, meta=meta(source="letters", doc_id="x1")),
        Segment(id="m4", texts={"qsm": pairs[3].texts["qsm"]}, meta=meta(source="letters")),
    ]
    write_jsonl(project.cleaned / "segments.jsonl", [*pairs, *alone])
    entries = [
        Entry(
            id=f"e{n}",
            lang="qsm",
            headword=word,
            forms=(f"{word}na",),
            type="person" if n == 0 else "word",
            senses=(Sense(glosses={"en": (gloss, "other")}),),
            meta=meta(source="lexicon"),
        )
        for n, (word, gloss) in enumerate(list(WORDS.items())[:4])
    ]
    write_jsonl(project.cleaned / "entries.jsonl", entries)
    write_jsonl(project.aligned / "segments.jsonl", [])
    return project


def made(project: Project) -> list[Segment]:
    return list(read_jsonl(project.augmented / "segments.jsonl", Segment))


class Models:
    """Translators that write backwards; they count what they are asked, and can die on the way."""

    def __init__(self, *, dies_after: int | None = None) -> None:
        self.asked: list[str] = []
        self.dies_after = dies_after

    def open(self, _project: Project, section: EndpointSection, direction: Direction) -> Any:
        def translate(requests: Sequence[Request]) -> list[Hypothesis]:
            texts = [one.text for one in requests]
            if self.dies_after is not None and len(self.asked) >= self.dies_after:
                raise KeyboardInterrupt
            self.asked += texts
            return [Hypothesis(text if section.model == "lazy" else text[::-1], 0.0) for text in texts]

        return SimpleNamespace(translate=translate)

    def run(self, project: Project) -> dict[str, Any]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(models, "open_translator", self.open)
            return augment.run(project)


def test_nothing_asked_nothing_made(tmp_path: Path) -> None:
    project = write(tmp_path)
    assert augment.run(project)["pairs"] == 0
    assert made(project) == []


def test_drills_are_tagged_pairs_of_the_lexicon(tmp_path: Path) -> None:
    template = {"texts": {"qsm": "kele {headword} {ki}", "en": "here is the {gloss} {ki}"}, "types": ["person"]}
    project = write(tmp_path, augment={"drills": {"templates": [template], "forms": False}})
    report = augment.run(project)
    found = made(project)
    assert [one.texts for one in found[:3]] == [
        {"qsm": "mina", "en": "girl"},
        {"qsm": "kele mina {ki}", "en": "here is the girl {ki}"},
        {"qsm": "tolo", "en": "dog"},
    ]
    assert {one.meta.method for one in found} == {Method.SYNTHETIC}
    assert report["sources"] == {"drills": {"augment:template": 1, "augment:word": 4, "pairs": 5}}


def test_drills_are_drawn_by_the_seed(tmp_path: Path) -> None:
    project = write(tmp_path, augment={"drills": {"most": 3}})
    augment.run(project)
    first = made(project)
    assert len(first) == 3
    augment.run(project)
    assert made(project) == first


def test_made_pairs_go_on_after_a_kill(tmp_path: Path) -> None:
    section = {"model": "m", "server": "http://here/v1", "batch": 1}
    project = write(tmp_path, augment={"back_translation": section, "pseudo_labels": section})
    dying = Models(dies_after=1)
    with pytest.raises(KeyboardInterrupt):
        dying.run(project)
    assert not (project.augmented / "segments.jsonl").exists()
    models = Models()
    report = models.run(project)
    assert sorted(dying.asked + models.asked) == ["The dog is at home.", "tolo minana basi lo."]
    back, label = made(project)
    assert back.texts == {"en": "The dog is at home.", "qsm": ".emoh ta si god ehT"}
    assert (back.meta.source, back.meta.method) == ("back-translation", Method.SYNTHETIC)
    assert (label.meta.source, label.meta.method) == ("pseudo-labels", Method.MACHINE)
    assert label.meta.extra == {"made_from": "letters", "made_by": "m"}
    assert report["back-translation"] == {"texts": 1, "pairs": 1, "low score": 0}
    again = Models()
    again.run(project)
    assert again.asked == []


def test_the_way_back_is_the_score(tmp_path: Path) -> None:
    back = {"model": "lazy", "server": "http://here/v1"}
    section = {"model": "m", "server": "http://here/v1", "back": back, "prefix": "<bt> "}
    project = write(tmp_path, augment={"back_translation": section})
    Models().run(project)
    (pair,) = made(project)
    assert pair.meta.score is not None and pair.meta.score < 0.3
    assert LOW in pair.meta.tags
    assert pair.texts["qsm"].startswith("<bt> ")


def test_what_a_lazy_model_copies_is_no_pair(tmp_path: Path) -> None:
    section = {"model": "lazy", "server": "http://here/v1"}
    project = write(tmp_path, augment={"pseudo_labels": section})
    assert Models().run(project)["pseudo-labels"] == {"texts": 1, "not translated": 1}
    assert made(project) == []


def test_the_gate(tmp_path: Path) -> None:
    gate = material.Material(write(tmp_path)).gate()
    good = {"qsm": "ruka kumuna dopa ha ke tuma.", "en": "The mother seeks the river by the great water."}
    assert gate.tags(good) == ()
    assert LENGTH in gate.tags({**good, "qsm": "ruka " * 60})
    assert PERPLEXITY in gate.tags({**good, "en": "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich"})
    german = "Der Fischer hat den Fluss nicht gesehen und ist mit dem Hund nach Hause gegangen."
    assert OTHER_LANGUAGE in gate.tags({**good, "en": german})
    assert DAMAGED in gate.tags({**good, "en": "The mother seeks the riÃ¼er bÃ¶y the \ufffd\ufffd"})


def test_damage() -> None:
    assert damage("Übersetzung: ı, ğ, š, ṣ — “so”, (½) … <gap> [x x]") == 0
    assert damage("Ãœbersetzung der TafÃ©l") > 0.05
    assert damage("w|th fai~led r^ecogn¬ition") > 0.05


def test_nothing_made_is_tested_on(tmp_path: Path) -> None:
    """Not by the draw, and not because its document is in a test group."""
    (tmp_path / "data/raw").mkdir(parents=True)
    (tmp_path / "data/raw/groups.csv").write_text("doc,pub\nx1,B\nd0,B\nd1,A\n")
    groups = {"path": "groups.csv", "document": "doc", "group": "pub"}
    section = {"model": "m", "server": "http://here/v1"}
    project = write(
        tmp_path,
        augment={"drills": {}, "pseudo_labels": section, "back_translation": section},
        split={"groups": groups, "test_groups": ["B"]},
    )
    Models().run(project)
    split.run(project)
    sets = {name: list(read_jsonl(project.processed / f"{name}.jsonl", Segment)) for name in ("train", "test")}
    made_in = {name: {one.meta.source for one in found} - {"tales"} for name, found in sets.items()}
    assert made_in == {"train": {"drills", "back-translation"}, "test": set()}
    assert {one.meta.doc_id for one in sets["test"]} >= {"d0"}
    excluded = list(read_jsonl(project.processed / "excluded.jsonl", Segment))
    assert [one.id for one in excluded if one.meta.source == "pseudo-labels"] == ["pseudo-labels:m3"]


def test_decisions_of_people_are_applied(tmp_path: Path) -> None:
    project = write(tmp_path)
    pairs = list(read_jsonl(project.cleaned / "segments.jsonl", Segment))
    header = "id,fingerprint,decision,corrected_target_text,comment\n"
    prints = [fingerprint(pair.texts) for pair in pairs]
    path = tmp_path / "reports/audit_review.csv"
    path.parent.mkdir()
    path.write_text(
        header
        + f"p0,{prints[0]},reject,,\np1,{prints[1]},,A better sentence.,\np2,{prints[2]},,,look\np3,stale,reject,,\n"
    )
    assert augment.run(project)["decisions"] == 3
    split.run(project)
    found = {
        one.id: one
        for name in ("train", "validation", "test", "excluded")
        for one in read_jsonl(project.processed / f"{name}.jsonl", Segment)
    }
    assert "audit:rejected" in found["p0"].meta.tags
    assert found["p1"].texts["en"] == "A better sentence."
    assert found["p1"].meta.method is Method.GOLD
    assert found["p2"] == pairs[2]
    assert found["p3"] == pairs[3]


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"pseudo_labels": {"model": "models/statistical"}}, "under another name"),
        ({"pseudo_labels": {"model": "models/x", "sources": ["newz"]}}, "there is no source 'newz'"),
        ({"extractor": {"model": "m", "server": "http://x/v1"}}, "reads augment.pages"),
        (
            {"drills": {"name": "made"}, "pseudo_labels": {"model": "models/x", "name": "made"}},
            "two parts have one name",
        ),
        ({"drills": {"templates": [{"texts": {"xx": "{gloss}"}}]}}, "'xx' is no language"),
    ],
)
def test_contradictions_are_refused(sections: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Config.model_validate({"project": {"language": "qsm", "pivot": "en"}, "augment": sections})
