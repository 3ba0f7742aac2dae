"""From cleaned text to a corpus: measured, fitted, freed of duplicates, drawn; and what the split makes of it."""

from __future__ import annotations

import random
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from seshat.config import Config
from seshat.config.measure import MixSection
from seshat.core.errors import DataError, UsageError
from seshat.core.jsonl import read_jsonl, write_jsonl
from seshat.core.records import Meta, Segment
from seshat.corpus import dedup, measure, mix
from seshat.corpus.dedup import DUPLICATE, EVALUATION, NEAR, Evaluation, LineCounts
from seshat.corpus.documents import Cluster, Measured, Verdict, Verdicts, documents
from seshat.corpus.mix import NOT_DRAWN, Candidate, draw, quotas
from seshat.project.folder import Project

SYLLABLES = "ku no mi ra ta lo pe si ve ta na ri ko".split()  # noqa: SIM905
NOTICE = "kunomi rataku losimi pevena nosiku rikota."


def lines(seed: int, count: int = 12) -> list[str]:
    """Sentences of a made-up language."""
    draw_ = random.Random(seed)
    return [" ".join("".join(draw_.choices(SYLLABLES, k=3)) for _ in range(8)) + "." for _ in range(count)]


def segments(source: str, name: str, texts: list[str], **meta: Any) -> list[Segment]:
    return [
        Segment(
            id=f"{source}:{name}:{place}",
            texts={"qlm": text},
            meta=Meta(source=source, doc_id=name, order=place, access="public", **meta),
        )
        for place, text in enumerate(texts)
    ]


def edited(texts: list[str], seed: int) -> list[str]:
    """A tenth of the words replaced."""
    found = " | ".join(texts).split()
    chance = random.Random(seed)
    places = [place for place, word in enumerate(found) if word != "|"]
    for place in chance.sample(places, len(places) // 10):
        found[place] = "".join(chance.choices(SYLLABLES, k=3))
    return " ".join(found).split(" | ")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Forty good documents, and one of each kind of bad ones."""
    settings = {
        "project": {"language": "qlm", "languages": {"qlm": {"name": "Lumeko", "script": "Latin"}}},
        "measure": {"trusted": ["good"]},
        "mix": {"strategy": "all"},
    }
    found = Project(tmp_path, Config.model_validate(settings))
    made = [one for number in range(40) for one in segments("good", f"g{number}", lines(number))]
    made += segments("more", "copy", lines(3))
    made += segments("more", "near", edited(lines(4), 1))
    made += segments("more", "chant", ["kuno kuno kuno kuno kuno kuno kuno kuno"] * 12)
    made += segments("more", "scrambled", ["zqx xwq vvkw qzzt wxqz jjqk zqxw qqkz" for _ in range(12)])
    made += segments("more", "letters", ["русский текст стоит здесь совсем не так"] * 12)
    made += segments("more", "mail", [*lines(77), "write to kuno@mira.example"])
    made += segments("more", "held", [*lines(78), lines(99)[0]])
    for number in range(3):
        made += segments("site", f"s{number}", [*lines(200 + number), NOTICE])
    made += segments("exam", "test", lines(99), split="test")
    write_jsonl(found.cleaned / "segments.jsonl", made)
    write_jsonl(found.aligned / "segments.jsonl", [])
    return found


def verdicts(project: Project) -> dict[str, Verdict]:
    measure.run(project)
    dedup.run(project)
    mix.run(project)
    return {one.id.split("\t")[1]: one for one in read_jsonl(project.mixed / "verdicts.jsonl", Verdict)}


def test_bad_documents_are_tagged_with_reasons_and_good_ones_are_kept(project: Project) -> None:
    measure.fit_and_save(project)
    found = verdicts(project)
    assert found["copy"].tags == (DUPLICATE,)
    assert "g3, one of 2" in found["copy"].reasons[0]
    assert found["near"].tags == (NEAR,)
    assert found["held"].tags == (EVALUATION,)
    assert "pii:emails" in found["mail"].tags
    for name, tag in (("chant", "repeated_lines"), ("scrambled", "bits"), ("letters", "script_share")):
        assert f"measure:{tag}" in found[name].tags
        assert any(reason.startswith(tag) for reason in found[name].reasons)
    good = [one for name, one in found.items() if name[0] == "g"]
    assert sum(not one.tags for one in good) >= 38
    assert found["test"].tags == ()
    assert [len(found[f"s{number}"].lines) for number in range(3)] == [0, 1, 1]


def test_what_is_tagged_stays_out_of_the_sets(project: Project) -> None:
    measure.fit_and_save(project)
    verdicts(project)
    loaded = Verdicts.load(project)
    applied = {
        one.meta.doc_id: one.meta.tags
        for one in map(loaded.applied, (s for d in documents(project) for s in d.segments))
    }
    assert applied["copy"] == (DUPLICATE,)
    assert applied["g5"] == ()
    assert applied["s2"] == ("dedup:line",)  # its last line
    split = project.config.split
    assert split.excludes(DUPLICATE)
    assert split.excludes(NOT_DRAWN)
    assert not split.excludes("pii:emails")


def test_numbers_hold_no_text_and_a_run_repeats_itself(project: Project) -> None:
    verdicts(project)
    first = (project.mixed / "verdicts.jsonl").read_bytes(), (project.measured / "documents.jsonl").read_bytes()
    assert b"kuno" not in first[1]
    verdicts(project)
    again = (project.mixed / "verdicts.jsonl").read_bytes(), (project.measured / "documents.jsonl").read_bytes()
    assert first == again
    one = next(read_jsonl(project.measured / "documents.jsonl", Measured))
    assert one.numbers["lines"] == 12
    write_jsonl(project.deduplicated / "clusters.jsonl", [Cluster(id="other\tx", cluster="other\tx")] * 51)
    with pytest.raises(DataError, match="different documents"):
        mix.run(project)


def test_trusted_text_and_lists_have_to_be_there(project: Project) -> None:
    none = Project(project.root, project.config.model_copy(update={"measure": type(project.config.measure)()}))
    with pytest.raises(DataError, match="no trusted text"):
        measure.fit_and_save(none)
    modern = Project(project.root, project.config.model_copy(update={"mix": MixSection(strategy="modern")}))
    with pytest.raises(UsageError, match="list of modern words"):
        mix.run(modern)


def test_marks_can_be_left_out_of_the_comparison() -> None:
    for marks, same in ((True, False), (False, True)):
        found = dedup.Deduplicator(0.9, marks=marks)
        text = "àbà ẹ̀kọ́ ìwé ọmọ ilé ọ̀nà"
        found.add([text])
        found.add([text.replace("à", "á").replace("ì", "í")])
        first = found.close()
        assert bool(first[0] == first[1]) is same


def test_evaluation_sets_are_found_in_the_middle_of_a_document() -> None:
    found = Evaluation()
    found.add("one two three four five six seven eight nine ten")
    found.add("short but telling sentence")
    assert found.holds(["zero", "And: three, four five SIX seven", "eight nine ten eleven."])
    assert found.holds(["Short but telling sentence!"])
    assert not found.holds(["one two three four five six seven", "short but telling"])


def test_lines_of_many_documents_stay_in_the_first() -> None:
    counts = LineCounts(2)
    docs = [[NOTICE, "kuno"], ["mira", NOTICE, NOTICE], ["kuno", "mira"]]
    for one in docs:
        counts.add(one)
    counts.close()
    assert [counts.again(one) for one in docs] == [[], [1, 2], []]


def test_shares_of_sources_are_met_without_replacement() -> None:
    assert quotas({"a": 100, "b": 30, "c": 10}, {"a": 1, "b": 1, "c": 1}, 90) == {"a": 50, "b": 30, "c": 10}
    assert quotas({"a": 100, "b": 30}, {"a": 1, "b": 1}, None) == {"a": 30, "b": 30}
    assert quotas({"a": 100, "b": 30}, {"a": 3, "b": 0}, 50) == {"a": 50, "b": 0}
    assert quotas({"a": 5}, {"a": 1}, 50) == {"a": 5}


def test_draws_do_not_depend_on_the_order_and_follow_the_strategy() -> None:
    docs = [
        Candidate(f"{source}{n}", source, 1 + n % 3) for source, size in (("a", 90), ("b", 30)) for n in range(size)
    ]
    section = MixSection(strategy="balanced", max_records=60)
    taken = draw(docs, section, 1)
    assert taken == draw(reversed(docs), section, 1)
    assert taken != draw(docs, section, 2)
    sizes = {source: sum(one.size for one in docs if one.id in taken and one.source == source) for source in "ab"}
    assert sizes == {"a": 30, "b": 30}
    assert draw(docs, MixSection(strategy="all"), 1) == {one.id for one in docs}
    tilted = [Candidate(f"d{n}", "a", 1, 1.0 if n < 100 else 0.01) for n in range(200)]
    chosen = draw(tilted, MixSection(strategy="modern", max_records=100), 1)
    assert sum(int(one[1:]) < 100 for one in chosen) >= 95


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")
def test_ray_measures_the_same_bytes(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "_TASK", 7)
    measure.fit_and_save(project)
    measure.run(project)
    here = (project.measured / "documents.jsonl").read_bytes()
    (project.measured / "documents.jsonl").unlink()
    settings = project.config.model_dump(mode="json", exclude_unset=True)
    settings |= {"measure": {"trusted": ["good"], "engine": "ray"}, "translate": {"ray": {"workers": 2}}}
    measure.run(Project(project.root, Config.model_validate(settings)))
    assert (project.measured / "documents.jsonl").read_bytes() == here
