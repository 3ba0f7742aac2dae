from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from seshat.config import Config
from seshat.core.errors import DataError
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Access, Entry, Meta, Origin, Reject, Segment, Sense
from seshat.data import ingest
from seshat.data.check import CHECKS
from seshat.data.check import run as check
from seshat.project.folder import Project

WORDS = """
jema nete joni ainbo bake xobo koshi ronki yapa atapa nami bari nokon jawen moatian ikaxbi keskara
pueblo cielo hombre mujer niño casa fuerte dicen pescado gallina carne sol nuestro antes pero como cuando
"""
XX, ES = (line.split() for line in WORDS.strip().splitlines())


def pair(number: int, rng: random.Random, **meta: Any) -> Segment:
    return Segment(
        id=f"s{number}",
        texts={
            "xx": " ".join(rng.choices(XX, k=6)) + f" {number}",
            "es": " ".join(rng.choices(ES, k=7)) + f" {number}",
        },
        meta=Meta(
            source="book",
            access=Access.PUBLIC,
            doc_id=f"d{number}",
            origin=Origin(file="book.csv", line=number + 2),
            **meta,
        ),
    )


def pairs(count: int, seed: int = 1, **meta: Any) -> list[Segment]:
    rng = random.Random(seed)
    return [pair(number, rng, **meta) for number in range(count)]


def project(tmp_path: Path, config: dict[str, Any] = {}, **files: list[Any]) -> Project:  # noqa: B006
    settings = {**config, "project": {"pivot": "es", **config.get("project", {})}}
    made = Project(tmp_path, Config.model_validate(settings))
    for name in ("segments", "entries", "documents"):
        write_jsonl(made.cleaned / f"{name}.jsonl", files.get(name, []))
    if "rejects" in files:
        write_jsonl(made.ingested / "rejects.jsonl", files["rejects"])
    return made


def found(report: dict[str, Any], name: str, level: str | None = None) -> list[dict[str, Any]]:
    return [f for f in report["findings"] if f["check"] == name and level in (None, f["level"])]


def changed(segment: Segment, **texts: str) -> Segment:
    return segment.model_copy(update={"texts": {**segment.texts, **texts}})


def test_clean_data_have_nothing_wrong(tmp_path: Path) -> None:
    report = check.run(project(tmp_path, segments=pairs(1200)))
    assert report["findings"] == []
    assert not report["failed"]
    assert report["stats"]["counts"]["sources"] == {"book": {"pairs": 1200}}
    assert report["stats"]["counts"]["words_per_text"]["es"]["median"] == 8
    json.dumps(report)


def test_counts(tmp_path: Path) -> None:
    sources = {
        "project": {"pivot": "es"},
        "ingest": {"sources": [{"name": "book", "path": "b.csv"}, {"name": "lost", "path": "l.csv"}]},
    }
    report = check.run(project(tmp_path, sources, segments=pairs(30)))
    messages = [f["message"] for f in found(report, "counts")]
    assert messages == ["The source 'lost' gave no record.", "There are only 30 sentence pairs of xx and es."]
    alone = [Segment(id="m", texts={"es": "una frase"}, meta=Meta(access=Access.PUBLIC))]
    report = check.run(project(tmp_path, segments=alone))
    assert report["failed"]
    assert found(report, "counts", "error")


def test_rejects_alike_are_one_finding(tmp_path: Path) -> None:
    rejects = [Reject(file="a.csv", line=n, reason=f"the id 's{n}' is already that of line {n}") for n in range(7)]
    report = check.run(project(tmp_path, segments=pairs(10), rejects=rejects))
    (finding,) = found(report, "rejects")
    assert finding["count"] == 7
    assert len(finding["where"]) == 5
    assert finding["where"][0] == "a.csv:0 (the id 's0' is already that of line 0)"


def test_profile_tests(tmp_path: Path) -> None:
    rule = {"name": "k", "type": "map", "map": {"qu": "k"}}
    tests = [{"in": "quiso", "out": "kiso"}, {"in": "Quiso", "out": "quiso"}]
    config = {"clean": {"profiles": {"xx": {"rules": [rule], "tests": tests}, "es": {"rules": [rule]}}}}
    report = check.run(project(tmp_path, config, segments=pairs(10)))
    (error,) = found(report, "profiles", "error")
    assert "Quiso" in error["message"]
    assert "'es' has rules and no tests" in found(report, "profiles", "info")[0]["message"]
    assert report["failed"]


def test_empty_sides(tmp_path: Path) -> None:
    records = pairs(20)
    records[4] = records[4].model_copy(update={"texts": {"xx": records[4].texts["xx"]}})
    report = check.run(project(tmp_path, segments=records))
    (finding,) = found(report, "empty sides")
    assert finding["where"] == ["book.csv:6"]


def test_swapped_rows_are_found_and_only_these(tmp_path: Path) -> None:
    records = pairs(300)
    for number in (7, 150):
        texts = records[number].texts
        records[number] = changed(records[number], xx=texts["es"], es=texts["xx"])
    records[9] = changed(records[9], xx="gallina carne sol nuestro antes pescado")
    report = check.run(project(tmp_path, segments=records))
    (swapped,) = found(report, "columns", "warning")
    assert swapped["where"] == ["book.csv:9", "book.csv:152"]
    (foreign,) = found(report, "columns", "info")
    assert foreign["where"] == ["book.csv:11"]
    assert "have a xx side that looks like es" in foreign["message"]


def test_a_swapped_source_is_an_error(tmp_path: Path) -> None:
    swapped = [
        s.model_copy(
            update={
                "id": f"w{s.id}",
                "texts": {"xx": s.texts["es"], "es": s.texts["xx"]},
                "meta": s.meta.model_copy(update={"source": "web"}),
            }
        )
        for s in pairs(100, seed=5)
    ]
    report = check.run(project(tmp_path, segments=pairs(300) + swapped))
    (finding,) = found(report, "columns", "error")
    assert "100 of 100 records of 'web' look swapped" in finding["message"]


def test_swapped_columns_of_a_lexicon(tmp_path: Path) -> None:
    rng = random.Random(3)
    entries = [
        Entry(
            id=f"e{i}",
            lang="xx",
            headword=" ".join(rng.sample(ES, 3)),
            senses=(Sense(glosses={"es": (" ".join(rng.sample(XX, 3)),)}),),
            meta=Meta(source="dictionary", access=Access.PUBLIC),
        )
        for i in range(30)
    ]
    report = check.run(project(tmp_path, segments=pairs(300), entries=entries))
    (finding,) = found(report, "columns", "error")
    assert "'dictionary' look swapped" in finding["message"]


def test_copied_and_lengths(tmp_path: Path) -> None:
    records = pairs(200)
    records[3] = changed(records[3], es=records[3].texts["xx"].upper() + "!")
    records[5] = changed(records[5], es=records[5].texts["es"] * 20)
    records[6] = changed(records[6], xx="jema")
    report = check.run(project(tmp_path, segments=records))
    assert found(report, "copied")[0]["where"] == ["book.csv:5"]
    (finding,) = found(report, "lengths")
    assert finding["count"] == 1
    assert finding["where"][0].startswith("book.csv:7 (")


def test_characters(tmp_path: Path) -> None:
    records = pairs(400)
    records[0] = changed(records[0], xx="nete jemа bake joni")  # a Cyrillic letter
    records[1] = changed(records[1], xx="nin\u0303o bake joni nete")
    records[2] = changed(records[2], xx="niño bake\u200b joni nete")
    records[3] = changed(records[3], xx="niño bake joni nete")
    for number in range(10, 20):
        records[number] = changed(records[number], xx=f"ka'a bake joni nete {number}")
    records[20] = changed(records[20], xx="ka’a bake joni nete 20")
    report = check.run(project(tmp_path, segments=records))
    (mixed,) = found(report, "mixed scripts")
    assert mixed["where"] == ["book.csv:2 (jemа, meant jema?)"]
    forms = [f for f in found(report, "unicode") if f["level"] == "warning"]
    assert forms[0]["where"][0] == "book.csv:3"
    assert any("ZERO WIDTH SPACE" in f["message"] for f in found(report, "unicode"))
    (alike,) = found(report, "look-alikes")
    assert alike["where"] == ["book.csv:22"]
    assert "U+0027 APOSTROPHE in 10, U+2019 RIGHT SINGLE QUOTATION MARK in 1 words" in alike["message"]
    rare = next(f for f in found(report, "characters") if " in xx: " in f["message"])
    assert any(place == "book.csv:2 (а)" for place in rare["where"])
    assert report["stats"]["characters"]["xx"]["а"] == 1


def test_duplicates_and_ids(tmp_path: Path) -> None:
    records = pairs(50)
    records.append(records[3].model_copy(update={"id": "again"}))
    records.append(changed(records[7], es="otra cosa", xx="keska"))
    report = check.run(project(tmp_path, segments=records))
    (error,) = found(report, "duplicates", "error")
    assert "1 segments have an id" in error["message"]
    (info,) = found(report, "duplicates", "info")
    assert info["where"] == ["book.csv:5 (as book.csv:5)"]


def _with_sets(made: Project, train: list[Segment], test: list[Segment], mono: list[Segment] | None = None) -> Project:
    sets = {"train": train, "test": test, "validation": [], "monolingual": mono or []}
    for name, records in sets.items():
        write_jsonl(made.processed / f"{name}.jsonl", records)
    return made


@pytest.mark.parametrize("allowed", [False, True])
def test_leaks(tmp_path: Path, allowed: bool) -> None:
    records = pairs(150)
    test = records[100:]
    exact = changed(test[3], xx="una fuente que no es la misma").model_copy(update={"id": "leak"})
    near = changed(test[8], xx=test[8].texts["xx"] + "x", es="algo completamente diferente de lo otro")
    mono = [Segment(id="m", texts={"es": test[5].texts["es"].title()}, meta=Meta(access=Access.PUBLIC))]
    made = project(tmp_path, {"split": {"allow_leaks": allowed}}, segments=records)
    _with_sets(made, [*records[:100], exact, near.model_copy(update={"id": "near"})], test, mono)
    report = check.run(made)
    level = "warning" if allowed else "error"
    first, second = found(report, "leaks", level)
    assert "2 of 50 test segments (4 %) stand exactly in train or monolingual" in first["message"]
    assert first["where"] == ["book.csv:105", "book.csv:107"]
    assert "1 of 50 test segments (2 %) stand nearly in train" in second["message"]
    assert report["failed"] is not allowed
    assert report["stats"]["leaks"]["test in train or monolingual"] == {"exact": 0.04, "near": 0.06}
    assert report["stats"]["leaks"]["test in validation"] == {"exact": 0.0, "near": 0.0}


def test_split_leaves_no_leak(tmp_path: Path) -> None:
    from seshat.data import split

    made = project(tmp_path, segments=pairs(500))
    split.run(made)
    report = check.run(made)
    (rate,) = found(report, "leaks")
    assert rate["message"].startswith("Leak rate, test in train or monolingual: 0.00% exactly, 0.00% nearly;")
    assert report["stats"]["leaks"]["test in train or monolingual"] == {"exact": 0.0, "near": 0.0}
    assert report["stats"]["counts"]["sets"]["test"] == 50


def test_unseen_words(tmp_path: Path) -> None:
    open_to_all = Meta(access=Access.PUBLIC)
    train = [Segment(id="a", texts={"xx": "jema nete bake", "es": "pueblo cielo niño"}, meta=open_to_all)]
    train.append(Segment(id="c", texts={"xx": "yapa nami", "es": "sol"}))  # restricted: it teaches nothing here
    test = [Segment(id="b", texts={"xx": "Jema atapa yapa nami", "es": "Pueblo cielo carne sol"}, meta=open_to_all)]
    made = _with_sets(project(tmp_path, segments=pairs(20)), train, test)
    write_jsonl(made.processed / "lexicon.jsonl", [Entry(id="e", lang="xx", headword="atapa", meta=open_to_all)])
    report = check.run(made)
    assert report["stats"]["unseen words"]["xx"] == {
        "test_words": 4,
        "unseen": 3,
        "share": 0.75,
        "unseen_and_not_in_lexicon": 2,
    }
    assert [f["level"] for f in found(report, "unseen words")] == ["warning", "info"]


def test_tags_and_access(tmp_path: Path) -> None:
    records = pairs(40)
    records[2] = records[2].model_copy(update={"meta": records[2].meta.tagged("clean:too-long", "mine:odd")})
    records += [
        s.model_copy(update={"id": f"z{s.id}", "meta": s.meta.model_copy(update={"access": Access.SEALED})})
        for s in pairs(2, seed=9)
    ]
    made = project(tmp_path, segments=records)
    (made.processed).mkdir(parents=True)
    (made.processed / "report.json").write_text('{"excluded": {"split:leak": 3}, "warnings": ["Mind the gap."]}')
    report = check.run(made)
    messages = [f["message"] for f in found(report, "tags")]
    assert messages[0] == "Mind the gap."
    assert "tagged clean:too-long, left out of training" in messages[1]
    assert "tagged mine:odd, kept" in messages[2]
    assert report["stats"]["tags"]["left_out_by_split"] == {"split:leak": 3}
    assert "2 records of 'book' are sealed" in found(report, "access")[0]["message"]
    closed = [s.model_copy(update={"meta": Meta()}) for s in pairs(3)]
    assert found(check.run(project(tmp_path, segments=closed)), "access", "error")


def test_works_on_raw_files(tmp_path: Path) -> None:
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    rows = [f"{s.texts['xx']}\t{s.texts['es']}" for s in pairs(40)]
    (raw / "book.tsv").write_text("\n".join(["xx\tes", *rows]) + "\n", encoding="utf-8")
    sources = {
        "project": {"pivot": "es"},
        "ingest": {"sources": [{"name": "book", "path": "book.tsv", "access": "public"}]},
    }
    report = check.run(Project(tmp_path, Config.model_validate(sources)))
    assert report["stage"] == "raw"
    assert report["stats"]["counts"]["sources"] == {"book": {"pairs": 40}}
    assert not (tmp_path / "data" / "interim").exists()


@pytest.mark.parametrize("ingested", [False, True])
def test_a_file_that_cannot_be_read_is_an_error_with_the_words_of_ingest(tmp_path: Path, ingested: bool) -> None:
    raw = tmp_path / "data/raw"
    raw.mkdir(parents=True)
    rows = "xx,es\n" + "jema nete joni,el niño está en la montaña con su mamá\n" * 4
    (raw / "old.csv").write_bytes(rows.encode("cp1252"))
    (raw / "bad 2.csv").write_bytes("xx,es\njema,niño\n".encode() + b"jema \xff\xfe,ni\xf1o\n" * 3)
    (raw / "cut.tmx").write_text("<tmx><body><tu>")
    names = ("old.csv", "bad 2.csv", "cut.tmx", "gone.csv")
    sources = [{"name": f"s{n}", "path": name, "access": "public"} for n, name in enumerate(names)]
    made = Project(tmp_path, Config.model_validate({"project": {"pivot": "es"}, "ingest": {"sources": sources}}))
    if ingested:
        with pytest.raises(DataError) as caught:
            ingest.run(made)
        told = caught.value.message
    report = check.run(made)
    errors = found(report, "rejects", "error")
    assert report["failed"]
    assert [error["message"].split(":")[0] for error in errors] == ["bad 2.csv", "cut.tmx", "source 's3'"]
    assert "encoding: cp1252" in errors[0]["advice"]
    if ingested:
        assert all(error["message"] in told and error["advice"] in told for error in errors)
    notes = [finding["message"] for finding in found(report, "rejects", "warning")]
    assert any("old.csv: not UTF-8; read as cp1252" in note and "está en la montaña" in note for note in notes)
    assert not any(".." in message.replace("…", "") for message in [*notes, *(error["message"] for error in errors)])
    assert not [one for one in found(report, "counts") if "gave no record" in one["message"]]


def test_how_a_file_was_read_is_still_told_after_ingest(tmp_path: Path) -> None:
    raw = tmp_path / "data/raw"
    raw.mkdir(parents=True)
    (raw / "old.csv").write_bytes(("xx,es\n" + "jema nete,el niño está en la montaña\n" * 4).encode("cp1252"))
    sources = [{"name": "old", "path": "old.csv", "access": "public"}]
    made = Project(tmp_path, Config.model_validate({"project": {"pivot": "es"}, "ingest": {"sources": sources}}))
    ingest.run(made)
    report = check.run(made)
    assert report["stage"] == "ingest"
    assert any("read as cp1252" in note["message"] for note in found(report, "rejects", "warning"))


def test_nothing_to_check(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ingest\.sources"):
        check.run(Project(tmp_path, Config()))


def test_text_for_people(tmp_path: Path) -> None:
    lines = list(check.text(check.run(project(tmp_path, segments=pairs(50)))))
    assert lines[0].startswith("WARNING counts: There are only 50 sentence pairs")
    assert lines[-1] == "0 errors, 1 warnings, 0 remarks."


def test_every_check_is_documented(root: Path) -> None:
    text = (root / "docs" / "check.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, flags=re.M) == [kind.name for kind in CHECKS]
