"""The statistical family on a small constructed language: what a trained direction must do."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.bitext import make_project, pairs

from seshat.config import Direction
from seshat.core.errors import DataError
from seshat.inference.load import load_translator
from seshat.models import train as stage
from seshat.models.statistical import train as module
from seshat.models.train import run
from seshat.project.folder import Project
from seshat.prompt.request import requests

TO_ENGLISH, FROM_ENGLISH = Direction("xx", "en"), Direction("en", "xx")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, Any]]:
    project = make_project(tmp_path_factory.mktemp("statistical"))
    return project, run(project)


def files(project: Project) -> dict[str, str]:
    folder = project.model()
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_sentences_before_are_said_to_be_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = make_project(tmp_path)
    nothing = SimpleNamespace(train=lambda *_: {})
    monkeypatch.setattr(stage, "_statistical_trainer", lambda: nothing)
    for context in (0, 2):
        made.model().mkdir(parents=True, exist_ok=True)
        update = {"prompt": made.config.prompt.model_copy(update={"context": context})}
        run(Project(made.root, made.config.model_copy(update=update)))
        assert capsys.readouterr().err.count("prompt.context is left out") == (context > 0)


def test_both_directions_are_trained_and_reported(trained: tuple[Project, dict[str, Any]]) -> None:
    project, summary = trained
    assert list(summary["directions"]) == ["xx-en", "en-xx"]
    facts = summary["directions"]["xx-en"]
    assert facts["pairs"] == 161
    assert facts["lexicon_pairs"] == 1
    assert facts["phrase_pairs"] > 100
    assert facts["validation_chrf"] > 90
    described = json.loads((project.model() / "model.json").read_text(encoding="utf-8"))
    assert described["family"] == "statistical"
    assert described["seed"] == 7
    assert set(described["data"]) == {"train.jsonl", "validation.jsonl", "lexicon.jsonl", "monolingual.jsonl"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Tamaka kiru bali rapai.", "The house sees the big dog."),
        ("Weloka sopo doko genai, Limami.", "The bird wants the old river, in Lima."),
    ],
)
def test_unseen_combinations(trained: tuple[Project, dict[str, Any]], source: str, expected: str) -> None:
    project, _ = trained
    assert load_translator(project.model(), TO_ENGLISH).translate(requests([source]))[0].text == expected


def test_back_into_the_language_joins_its_pieces(trained: tuple[Project, dict[str, Any]]) -> None:
    project, _ = trained
    text = load_translator(project.model(), FROM_ENGLISH).translate(requests(["The house sees the big dog."]))[0].text
    assert text == "Tamaka kiru bali rapai."


def test_placeholders_numbers_and_names_survive(trained: tuple[Project, dict[str, Any]]) -> None:
    project, _ = trained
    translator = load_translator(project.model(), TO_ENGLISH)
    text = translator.translate(requests(["Nukaka <gap> welo Washington tikai 31337."]))[0].text
    for kept in ("<gap>", "Washington", "31337"):
        assert kept in text


def test_unknown_word_with_a_known_stem(trained: tuple[Project, dict[str, Any]]) -> None:
    project, _ = trained
    text = load_translator(project.model(), TO_ENGLISH).translate(requests(["Kiruka nukachu lomai."]))[0].text
    assert "child" in text
    assert "nukachu" not in text.lower()


def test_copying_can_be_favoured(tmp_path: Path) -> None:
    texts = []
    for copying in (0, 9):
        project = make_project(tmp_path / str(copying), settings={"tune": False, "copying": copying})
        run(project)
        texts.append(
            load_translator(project.model(), TO_ENGLISH).translate(requests(["Kiruka nukachu lomai."]))[0].text
        )
    assert ["nukachu" in text for text in texts] == [False, True]


def test_a_word_that_only_the_lexicon_has(trained: tuple[Project, dict[str, Any]]) -> None:
    project, _ = trained
    assert "moon" in load_translator(project.model(), TO_ENGLISH).translate(requests(["Kiruka pulu tikai."]))[0].text


def test_two_trainings_give_the_same_files(tmp_path: Path) -> None:
    first, second = (
        make_project(tmp_path / name, train=60, settings={"tune_segments": 10, "n_best": 5}) for name in ("a", "b")
    )
    run(first)
    run(second)
    assert files(first) == files(second)


@pytest.mark.parametrize("step", ["write_table", "write_model", "_weights", "_copy"])
def test_interrupted_training_ends_with_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    project = make_project(tmp_path / "interrupted", train=60, settings={"tune": False})
    straight = make_project(tmp_path / "straight", train=60, settings={"tune": False})
    run(straight)

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, step, stop)
        with pytest.raises(KeyboardInterrupt):
            run(project)
    assert not (project.model() / "xx-en").exists()
    run(project)
    assert files(project) == files(straight)


def test_a_second_run_does_not_align_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(tmp_path, train=60, settings={"tune": False})
    run(project)
    before = files(project)
    monkeypatch.setattr(module, "align", lambda *_: pytest.fail("aligned again"))
    run(project)
    assert files(project) == before


def test_phrases_change_places_only_if_the_search_may_jump(tmp_path: Path) -> None:
    texts = []
    for reordering in (0, 5):
        settings: dict[str, object] = {"tune": False, "max_phrase": 2, "lm_order": 4, "reordering": reordering}
        project = make_project(tmp_path / str(reordering), settings=settings)
        run(project)
        texts.append(
            load_translator(project.model(), TO_ENGLISH).translate(requests(["Tamaka kiru bali rapai."]))[0].text
        )
    assert texts == ["The house big dog sees.", "The house sees the big dog."]


def test_nothing_to_train_on_is_an_error(tmp_path: Path) -> None:
    project = make_project(tmp_path, train=60, settings={"lexicon": False})
    (project.training / "train.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(DataError, match="no pairs for xx-en"):
        run(project)


def test_the_generator_is_seeded() -> None:
    assert pairs(5, seed=1) == pairs(5, seed=1) != pairs(5, seed=2)
