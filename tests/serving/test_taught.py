"""Corrections that the model was trained on already, and those that came since."""

from __future__ import annotations

import pytest
from tests.small_project import small_project

from seshat.core.records import Access
from seshat.inference.corrections import REMEMBERED
from seshat.inference.engines.thot import ThotTranslator
from seshat.pipeline.stages import stage
from seshat.project.folder import Project, open_project
from seshat.review.corrections import Correction, open_corrections
from seshat.serving.learning import learning_service

FIRST = ("Ani mina lorona zeru dopa.", "Hoy la niña busca la canoa azul.")
BETTER = (FIRST[0], "Hoy la niña busca su canoa azul.")
OTHER = ("Ruka palina zeru gelu.", "La madre quiere la casa azul.")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A trained project with a correction among its training data, three times."""
    overrides = ["project.language=qsm", "split.upsample={corrections: 3}"]
    made = open_project(small_project(tmp_path_factory.mktemp("learning")), overrides=overrides)
    store(made, (FIRST[0], "Mala."), FIRST)
    for name in ("ingest", "clean", "align", "split", "format", "train"):
        stage(name).run(made)
    return made


def store(project: Project, *pairs: tuple[str, str]) -> None:
    kept = open_corrections(project)
    for text, translation in pairs:
        kept.add(Correction(source="qsm", target="es", text=text, translation=translation, access=Access.PUBLIC))
    kept.close()


def start(project: Project, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What the engines are taught when a server starts; it answers with every correction all the same."""
    taught: list[tuple[str, str]] = []
    monkeypatch.setattr(ThotTranslator, "learn", lambda _self, source, target: taught.append((source, target)))
    service = learning_service(project)
    try:
        service.warm()
        kept = {one.text: one.translation for one in reversed(service.corrections())}
        answers = service.translate(list(kept))
        assert [one.text for one in answers] == list(kept.values())
        assert all(REMEMBERED in one.changes for one in answers)
        for answer in answers:
            shown = [(one.source, one.target) for one in answer.examples]
            assert len(set(shown)) == len(shown) > 1, "each example once"
    finally:
        service.close()
    return taught


def test_an_engine_is_taught_only_what_it_was_not_trained_on(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert start(project, monkeypatch) == [], "neither what it was trained on nor what a newer one has replaced"
    store(project, OTHER)
    assert start(project, monkeypatch) == [OTHER]
    store(project, BETTER)
    assert sorted(start(project, monkeypatch)) == sorted([OTHER, BETTER])
    store(project, FIRST)  # what it was trained on is right again
    assert start(project, monkeypatch) == [OTHER]
    with (project.training / "train.jsonl").open("a") as file:
        file.write("\n")  # nobody knows any more what the model was trained on
    assert sorted(start(project, monkeypatch)) == sorted([OTHER, FIRST])
