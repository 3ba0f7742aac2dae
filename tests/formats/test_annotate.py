from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from tests.formats.test_eaf import SPOKEN, document, tier, timed
from tests.formats.test_flextext import TEXT
from tests.formats.test_sfm import LEXICON, TEXTS
from tests.reading import read_files
from typer.testing import CliRunner

from seshat.cli.app import app
from seshat.core.errors import DataError
from seshat.core.records import Segment
from seshat.formats.annotate import Suggestions, annotate
from seshat.formats.context import Context
from seshat.formats.splice import Annotated

ORDER = ["HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "LOCALE", "LANGUAGE", "CONSTRAINT", "CONTROLLED_VOCABULARY"]
"""The order in which the schema of ELAN wants its elements."""
FILES = {"a.eaf": SPOKEN, "a.flextext": TEXT, "a.txt": TEXTS}


def made(raw: Path, name: str, content: str | bytes, *answers: Suggestions, encoding: str | None = None) -> Annotated:
    """A file annotated with the same suggestions for each segment, or with some for the first ones."""
    context: Context = read_files(raw, {name: content}, path=name, encoding=encoding).context
    context.reports.clear()

    def suggest(segments: Sequence[Segment]) -> list[Suggestions]:
        return [answers[at] if at < len(answers) else {} for at in range(len(segments))]

    return annotate(raw / name, context, suggest)


def additions(before: bytes, after: bytes) -> list[bytes]:
    """The lines of a copy that are new; the others are those of the file, in their order."""
    rest, found = before.splitlines(keepends=True), []
    for line in after.splitlines(keepends=True):
        if rest and line == rest[0]:
            rest.pop(0)
        else:
            found.append(line)
    assert not rest
    return found


def eaf_faults(content: bytes) -> set[str]:
    """What the schema of ELAN (EAFv3.0.xsd) forbids: order of elements, keys that stand twice, wrong references."""
    root = Xml.fromstring(content)
    names = [one.tag for one in root if one.tag in ORDER]
    found = set() if names == sorted(names, key=ORDER.index) else {"order"}
    keys = {
        "slots": [one.get("TIME_SLOT_ID") for one in root.iter("TIME_SLOT")],
        "tiers": [one.get("TIER_ID") for one in root.iter("TIER")],
        "types": [one.get("LINGUISTIC_TYPE_ID") for one in root.iter("LINGUISTIC_TYPE")],
        "annotations": [one.get("ANNOTATION_ID") for one in root.iter() if one.get("ANNOTATION_ID")],
        "constraints": [one.get("STEREOTYPE") for one in root.iter("CONSTRAINT")],
    }
    found |= {f"{kind} twice" for kind, given in keys.items() if len(set(given)) < len(given)}
    references = {
        "slots": ("TIME_SLOT_REF1", "TIME_SLOT_REF2"), "tiers": ("PARENT_REF",), "types": ("LINGUISTIC_TYPE_REF",),
        "annotations": ("ANNOTATION_REF", "PREVIOUS_ANNOTATION"), "constraints": ("CONSTRAINTS",),
    }  # fmt: skip
    for kind, attributes in references.items():
        given = {one.get(name) for one in root.iter() for name in attributes} - {None}
        found |= {f"{kind}: reference to {one}" for one in given - set(keys[kind])}
    types = {one.get("LINGUISTIC_TYPE_ID"): one.get("TIME_ALIGNABLE", "true") for one in root.iter("LINGUISTIC_TYPE")}
    for tier_ in root.iter("TIER"):
        if tier_.find(".//ALIGNABLE_ANNOTATION") is not None and types.get(tier_.get("LINGUISTIC_TYPE_REF")) == "false":
            found.add(f"{tier_.get('TIER_ID')}: times where its type has none")
    return found


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_nothing_to_say_changes_nothing(tmp_path: Path, name: str, newline: str) -> None:
    content = FILES[name].replace("\n", newline).encode()
    assert made(tmp_path, name, content).content == content


@pytest.mark.parametrize("name", FILES)
def test_suggestions_are_no_data_until_somebody_accepts_them(tmp_path: Path, name: str) -> None:
    before = read_files(tmp_path, {name: FILES[name]}, path=name).segments
    suggested = [{"en": f"thing {at} & <more>"} for at in range(len(before))]
    done = made(tmp_path, name, FILES[name], *suggested)
    assert done.written == {"en": len(before)}
    found = read_files(tmp_path, {name: done.content}, path=name)
    assert [(one.id, one.texts, one.gloss) for one in found.segments] == [(o.id, o.texts, o.gloss) for o in before]
    assert "suggestions that nobody has accepted" in found.warnings
    accepted = read_files(tmp_path, {name: done.content.replace(b"?? thing", b"thing")}, path=name).segments
    assert [one.texts["en"] for one in accepted] == [one["en"] for one in suggested]
    assert {one.meta.extra["accepted"] for one in accepted} == {"en"}
    again = made(tmp_path, name, done.content, *suggested)
    assert again.content == done.content
    assert again.left_out == {"it has a suggestion already": len(before)}


def test_a_tier_of_its_own_in_elan(tmp_path: Path) -> None:
    # A document without any constraint; its slots, annotations and tiers keep their ids.
    text = document(
        (0, 1000), tier("tx@Ana", "utterance", timed("seshat1", "ts1", "ts2", "kuno"), more=' PARTICIPANT="Ana"')
    )
    text = re.sub(r"<LINGUISTIC_TYPE [^>]*CONSTRAINTS[^>]*>\n", "", text)
    done = made(tmp_path, "a.eaf", text, {"en": "river", "gloss": "river"})
    new = additions(text.encode(), done.content)
    assert all(any(word in line for word in (b"seshat", b"ANNOTATION", b"TIER", b"CONSTRAINT")) for line in new)
    root = Xml.fromstring(done.content)
    assert [child.tag for child in root] == sorted((child.tag for child in root), key=ORDER.index)
    ids = [value for one in root.iter() for name, value in one.items() if name in {"ANNOTATION_ID", "TIME_SLOT_ID"}]
    assert len(ids) == len(set(ids))
    tiers = {one.get("TIER_ID"): one for one in root.iter("TIER")}
    types = {one.get("LINGUISTIC_TYPE_ID"): one for one in root.iter("LINGUISTIC_TYPE")}
    stereotypes = {one.get("STEREOTYPE") for one in root.iter("CONSTRAINT")}
    for name in ("en@seshat:tx@Ana", "gloss@seshat:tx@Ana"):
        assert tiers[name].get("PARENT_REF") == "tx@Ana"
        assert tiers[name].get("PARTICIPANT") == "Ana"
        kind = types[tiers[name].get("LINGUISTIC_TYPE_REF")]
        assert (kind.get("CONSTRAINTS"), kind.get("TIME_ALIGNABLE")) == ("Symbolic_Association", "false")
        assert kind.get("CONSTRAINTS") in stereotypes
        assert {one.get("ANNOTATION_REF") for one in tiers[name].iter("REF_ANNOTATION")} <= set(ids)


def test_items_of_their_own_in_flex(tmp_path: Path) -> None:
    text = TEXT.replace("</paragraphs>", '</paragraphs><languages><language lang="qlm" font="X"/></languages>')
    done = made(tmp_path, "a.flextext", text, {"en": "rivers", "gloss": "river-PL=FOC here", "segmentation": "one"})
    assert (done.written, done.left_out) == ({"en": 1, "gloss": 1}, {"its words are not those of the phrase": 1})
    root = Xml.fromstring(done.content.decode("utf-8-sig"))
    phrase = next(root.iter("phrase"))
    assert [child.tag for child in phrase][-1] == "item"
    words = [
        [(one.get("type"), one.text) for one in word if one.get("lang") == "qlm-x-seshat"] for word in root.iter("word")
    ]
    assert words == [[("gls", "?? river-PL=FOC")], [("gls", "?? here")], []]
    assert {one.get("analysisStatus") for one in root.iter("item") if "seshat" in one.get("lang", "")} == {
        "guessByStatisticalAnalysis"
    }
    assert [one.get("lang") for one in root.iter("language")] == ["qlm", "en-x-seshat", "qlm-x-seshat"]
    accepted = read_files(tmp_path, {"a.flextext": done.content.replace(b"?? ", b"")}, path="a.flextext").segments[0]
    assert [word.glosses for word in accepted.gloss or ()] == [("river", "PL", "=FOC"), ("here",)]


def test_markers_of_their_own_in_toolbox(tmp_path: Path) -> None:
    content = TEXTS.replace("\n", "\r\n").encode("latin-1")
    first = {"en": "Rivers run.", "gloss": "river-PL here run"}
    done = made(tmp_path, "a.txt", content, first, {"en": "ɨ"}, {"en": "ñ"}, encoding="latin-1")
    assert (done.written, done.left_out) == ({"en": 2, "gloss": 1}, {"letters that iso8859-1 does not have": 1})
    assert additions(content, done.content) == [
        b"\\en_seshat ?? Rivers run.\r\n",
        b"\\gloss_seshat ?? river-PL here run\r\n",
        b"\\en_seshat ?? \xf1\r\n",
    ]
    found = read_files(
        tmp_path, {"a.txt": done.content.replace(b"?? ", b"")}, path="a.txt", encoding="latin-1"
    ).segments
    assert (found[0].texts["en"], found[2].texts["en"]) == ("Rivers run.", "ñ")
    assert [word.glosses for word in found[0].gloss or ()] == [("river", "PL"), ("here",), ("run",)]


def test_what_cannot_be_annotated(tmp_path: Path) -> None:
    for name, content, words in (
        ("a.csv", "qlm,es\nkuno,río\n", "suggestions are written into ELAN, FLEx and Toolbox files"),
        ("d.txt", LEXICON, "there are no sentences in it"),
        ("a.eaf", SPOKEN[:-60], "Mend the file first"),
    ):
        with pytest.raises(DataError) as error:
            made(tmp_path, name, content)
        assert words in str(error.value)


def test_on_the_command_line(tmp_path: Path) -> None:
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    (raw / "a.eaf").write_text(SPOKEN, encoding="utf-8")
    source = "{name: src, path: a.eaf, access: public}"
    settings = "project: {language: qlm, pivot: es, languages: {en: {name: English}}}\n"
    settings += f"ingest: {{sources: [{source}]}}\n"
    (tmp_path / "seshat.yaml").write_text(settings, encoding="utf-8")
    given = tmp_path / "given.jsonl"
    given.write_text(
        "\n".join(json.dumps(one) for one in ({"id": "src:a:a1", "en": "Rivers."}, {"id": "x", "en": "y"}))
    )

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["annotate", *arguments, "--project", str(tmp_path)])
        return f"{done.exit_code} {done.output}"

    file = str(raw / "a.eaf")
    assert run(file, "--from", str(given)).startswith("0")
    assert b"?? Rivers." in (tmp_path / "reports" / "annotated" / "a.eaf").read_bytes()
    assert "no trained model" in run(file)
    assert run(file, "-o", file, "--from", str(given)).startswith("2")
    assert run(str(raw / "none.eaf")).startswith("2")
    given.write_text("[]\n")
    assert "given.jsonl:1: no suggestion" in run(file, "--from", str(given)).replace("\n", "")
