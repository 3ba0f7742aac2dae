"""The extractor against a server of this process: schema, cache, limits, repair, a kill, and a model that invents."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests import ocr_pages
from tests.answering import serving
from tests.augment.test_pages import PAGES

from seshat.augment import stage as augment
from seshat.augment.extractor import Unusable, parse, stands_on
from seshat.augment.pages import likeness
from seshat.core.jsonl import read_jsonl, write_jsonl, write_text
from seshat.core.records import Meta, Reject, Segment
from seshat.project.folder import Project, open_project

MADE = ocr_pages.corpus(per_publication=4)


def write(root: Path, url: str, **extractor: Any) -> Project:
    """A project whose pages are read by the server."""
    asked = {"model": "m", "server": url, "pages": 40, "price_in": 1.0, "price_out": 4.0, **extractor}
    pages = {**PAGES, "rules": False, "translators": {}}
    config = {"project": {"language": "qot", "pivot": "en"}, "augment": {"pages": pages, "extractor": asked}}
    write_text(root / "seshat.yaml", json.dumps(config))
    write_text(root / "data/raw/pages.csv", MADE.pages_csv())
    write_text(root / "data/raw/texts.csv", MADE.list_csv())
    meta = Meta(source="known", access="public")
    pairs = enumerate(ocr_pages.known_pairs(60))
    known = [Segment(id=f"k{n}", texts={"qot": own, "en": means}, meta=meta) for n, (own, means) in pairs]
    project = open_project(root)
    write_jsonl(project.cleaned / "segments.jsonl", known)
    return project


def wholes(project: Project) -> list[Segment]:
    found = read_jsonl(project.augmented / "segments.jsonl", Segment)
    return [one for one in found if ":sentence" not in one.id]


def perfect(messages: list[dict[str, str]], _number: int) -> str:
    return f"Here it is:\n```json\n{ocr_pages.answer(messages[1]['content'], MADE)}\n```"


def test_finds_pairs_counts_their_cost_and_asks_nothing_twice(tmp_path: Path) -> None:
    with serving(perfect) as server:
        project = write(tmp_path, server.url)
        report = augment.run(project)["extractor"]
        assert report["asked"] == len(server.asked) == 4
        again = augment.run(project)["extractor"]
        assert len(server.asked) == 4
    assert server.bodies[0]["response_format"]["json_schema"]["schema"]["required"] == ["editions"]
    assert again == {**report, "asked": 0}
    assert report["cost"] == pytest.approx((report["tokens sent"] + 4 * report["tokens received"]) / 1e6)
    assert {one.meta.doc_id for one in wholes(project)} == {
        name for (_, name), tag in MADE.truth.items() if tag == "en"
    }
    assert {one.meta.source for one in wholes(project)} == {"extractor"}


def test_stops_before_a_limit_and_goes_on_when_it_is_raised(tmp_path: Path) -> None:
    with serving(perfect) as server:
        project = write(tmp_path, server.url, max_cost=0.016, max_tokens=2000)
        report = augment.run(project)
        assert 0 < len(server.asked) < 4
        assert report["extractor"]["cost"] <= 0.016
        assert report["extractor"]["not asked"] == 4 - len(server.asked)
        assert "stopped at augment.extractor.max_cost (0.016)" in report["warnings"][0]
        project = write(tmp_path, server.url, max_cost=1.0, max_tokens=2000)
        assert "not asked" not in augment.run(project)["extractor"]
        assert len(server.asked) == 4


def test_a_bad_answer_is_asked_for_once_more_then_rejected(tmp_path: Path) -> None:
    def careless(messages: list[dict[str, str]], number: int) -> str:
        if ocr_pages.TITLES["fr"] in messages[1]["content"]:
            return '{"editions": [{"name": "x"}]}'  # never right
        return perfect(messages, number) if len(messages) > 2 else '{"editions": ['

    with serving(careless) as server:
        project = write(tmp_path, server.url)
        report = augment.run(project)["extractor"]
    assert (report["asked"], report["asked again"], report["rejected"]) == (8, 3, 1)
    (reject,) = read_jsonl(project.augmented / "rejects.jsonl", Reject)
    assert reject.reason == "editions.0.text: Field required."
    assert "cannot be used: it holds no JSON object" in server.asked[1][-1]["content"]


def test_what_is_not_on_the_page_is_refused(tmp_path: Path) -> None:
    def invents(messages: list[dict[str, str]], number: int) -> str:
        told = json.loads(ocr_pages.answer(messages[1]["content"], MADE))
        for one in told["editions"]:
            one["translation"] = (
                "The king of the four quarters built this palace for his beloved daughter in the spring."
            )
        return json.dumps(told)

    with serving(invents) as server:
        project = write(tmp_path, server.url)
        report = augment.run(project)["extractor"]
    assert report["not on the page"] == report["texts told"] > 0
    assert wholes(project) == []


def test_translations_come_from_a_server_too(tmp_path: Path) -> None:
    """Asked as the prompt object says; what is translated is kept."""

    def answer(messages: list[dict[str, str]], _number: int) -> str:
        text = messages[-1]["content"].split("\n", 1)[1]
        return ocr_pages.translate_back(text, "de")

    with serving(answer) as server:
        project = write(tmp_path, server.url)
        pages = {**PAGES, "translators": {"de": {"model": "m", "server": server.url}}}
        settings = {"project": {"language": "qot", "pivot": "en"}, "augment": {"pages": pages}}
        write_text(tmp_path / "seshat.yaml", json.dumps(settings))
        project = open_project(tmp_path)
        report = augment.run(project)
        asked = len(server.asked)
        assert asked > 0
        assert "German" in server.asked[0][-1]["content"] and "English" in server.asked[0][-1]["content"]
        augment.run(project)
        assert len(server.asked) == asked
    assert report["pages"]["languages"]["de"] == 2
    from_german = [one for one in wholes(project) if one.meta.extra["translated_from"] == "de"]
    for one in from_german:
        assert likeness(one.texts["en"], " ".join(MADE.text(one.meta.doc_id or "").means["en"])) > 0.75


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_goes_on_after_a_kill(tmp_path: Path) -> None:
    running: list[subprocess.Popen[bytes]] = []

    def deadly(messages: list[dict[str, str]], number: int) -> str:
        if number == 3 and running:
            os.kill(running[0].pid, signal.SIGKILL)
        return perfect(messages, number)

    with serving(deadly) as server:
        project = write(tmp_path, server.url)
        run = (
            "import sys; from pathlib import Path; from seshat.augment import stage as augment; "
            "from seshat.project.folder import open_project; augment.run(open_project(Path(sys.argv[1])))"
        )
        running.append(subprocess.Popen([sys.executable, "-c", run, str(tmp_path)], stderr=subprocess.DEVNULL))
        assert running[0].wait(timeout=60) == -signal.SIGKILL
        assert not (project.augmented / "segments.jsonl").exists()
        report = augment.run(project)["extractor"]
    assert report["asked"] == 2
    assert len(server.asked) == 5  # one was asked when the kill came
    assert len(wholes(project)) == sum(tag == "en" for tag in MADE.truth.values())


def test_answers_in_many_forms() -> None:
    one = {"name": "a", "text": "b", "translation": "c", "more": 1}
    assert len(parse(f"<think>x</think> ```json\n{json.dumps({'editions': [one]})}\n```").editions) == 1
    for bad in ("", "no", '{"editions": 3}', '{"editions": [{"name": 1, "text": "", "translation": ""}]}', "{]}"):
        with pytest.raises(Unusable):
            parse(bad)


def test_stands_on() -> None:
    page = "Write the tab-\nlet and seal it wi1h your own seal3.\n\n5 More."
    assert stands_on("Write the tablet and seal it with your own seal.", page)
    assert not stands_on("The king built this palace for his daughter.", page)
    assert not stands_on("", page)
