"""A model that was not trained on the language: it answers from what stands before it, so that the choice shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.answering import Served, serving
from tests.small_project import small_project

import seshat
from seshat.inference.opening import open_chain
from seshat.project.folder import Project, open_project
from seshat.prompt.request import Request
from seshat.scores.metrics import chrf, chrf2_counts


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_project(tmp_path_factory.mktemp("asked") / "lang")
    seshat.open(folder).run(until="train")
    (folder / "notes.txt").write_text("The object has the suffix -na.\n")
    return folder


def answer(messages: list[dict[str, str]], _number: int) -> str:
    """Repairs a draft where there is one; else says what the words of the text mean by the dictionary shown."""
    asked = messages[-1]["content"]
    if draft := re.search(r"A draft, which may be wrong:\n(.*)", asked):
        return draft[1]
    meanings = dict(re.findall(r"^- (.+?): (.+)$", asked, re.MULTILINE))
    text = asked.split("Translate from", 1)[1].split("\n")[1]
    said = (meanings.get(word.lower()) or meanings.get(word.lower().removesuffix("na"), word) for word in text.split())
    return " ".join(said)


@pytest.fixture
def served() -> Iterator[Served]:
    with serving(answer) as one:
        yield one


def project(root: Path, served: Served, *more: str) -> Project:
    server = ("translate.engine=in-context", f"translate.server.url={served.url}", "translate.server.model=m")
    return open_project(root, overrides=[*server, *more])


def test_what_stands_in_a_question(root: Path, served: Served) -> None:
    asked = project(root, served, "translate.in_context.notes=notes.txt", "translate.in_context.tokens=200")
    way = asked.config.directions[0]
    chain = open_chain(asked, None, way)
    said = chain.translate([Request("Mina palina basi.")])[0].text
    usage: Any = chain.engine
    chain.close()
    system, question = (message["content"] for message in served.asked[0])
    assert system.endswith("The object has the suffix -na.")
    assert "- mina: la niña" in question
    assert question.index("Similar sentences:") < question.index("Words:") < question.index("Mina palina basi.")
    assert "niña" in said
    assert usage.usage[0] > 100, "the cost is counted"


def test_a_draft_and_a_repair_use_the_project_s_own_model(root: Path, served: Served) -> None:
    asked = project(root, served, "translate.in_context.draft=statistical", "translate.in_context.repair=true")
    segments = list(asked.pairs("test"))[:8]
    way = asked.config.directions[0]
    scores = {}
    for name, more in {
        "plain": (),
        "drafted": ("draft=statistical",),
        "repaired": ("draft=statistical", "repair=true"),
    }.items():
        chain = open_chain(project(root, served, *(f"translate.in_context.{one}" for one in more)), None, way)
        answers = chain.translate([Request(one.texts[way.source]) for one in segments])
        chain.close()
        pairs = zip(answers, segments, strict=True)
        scores[name] = sum(float(chrf(chrf2_counts(one.text, other.texts[way.target]))) for one, other in pairs)
    assert scores["drafted"] > scores["plain"]
    assert scores["repaired"] == scores["drafted"]
    assert sum("A draft" in messages[-1]["content"] for messages in served.asked) == 3 * len(segments)


def test_no_closed_record_is_shown(root: Path, served: Served) -> None:
    asked = project(root, served)
    chain = open_chain(asked, None, asked.config.directions[0])
    assert {pair[0] for pair in chain.retrieve.shots("mina", "qsm", "es")} <= {  # type: ignore[union-attr]
        one.texts["qsm"] for one in asked.segments("train")
    }
    chain.close()
