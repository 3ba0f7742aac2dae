"""The engine of the statistical family, and opening models by family."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.bitext import make_project

from seshat.config import Direction
from seshat.core.errors import DataError, SeshatError, UsageError
from seshat.inference.engines.thot import LONG
from seshat.inference.load import load_translator
from seshat.models.statistical import thot
from seshat.models.train import run
from seshat.project.folder import Project
from seshat.prompt.request import requests

WAY = Direction("xx", "en")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = make_project(tmp_path_factory.mktemp("thot"), train=60, settings={"tune": False})
    run(made)
    return made


def test_order_and_empty_texts(project: Project) -> None:
    found = load_translator(project.model(), WAY).translate(requests(["Tamaka kiru bali rapai.", "", "  ", "Welo."]))
    assert len(found) == 4
    assert found[1].text == found[2].text == ""
    assert "dog" in found[0].text
    assert "ird" in found[3].text


def test_n_best_falls_and_begins_with_the_best(project: Project) -> None:
    found = load_translator(project.model(), WAY).translate(
        requests(["Nukachu welo Washington 5 doko kirumi."], n_best=8)
    )[0]
    scores = [one.score for one in found.alternatives]
    assert 2 <= len(scores) <= 8
    assert scores == sorted(scores, reverse=True)
    assert (found.text, found.score) == (found.alternatives[0].text, found.alternatives[0].score)
    assert len({one.text for one in found.alternatives}) == len(scores)


def test_a_short_sentence_has_as_many_candidates_as_are_asked_for(project: Project) -> None:
    translator = load_translator(project.model(), WAY)
    asked = ["Tamaka kiru bali rapai.", "Weloka doko genai.", "Nukaka mibo fesu tikai."]
    for best, one in zip(
        translator.translate(requests(asked)), translator.translate(requests(asked, n_best=3)), strict=True
    ):
        assert (len(one.alternatives), len(one.others)) == (3, 2)
        assert best.text == one.text not in {other.text for other in one.others}


def test_batches_do_not_change_translations(project: Project) -> None:
    texts = ["Tamaka kiru bali rapai.", "Weloka sopo doko genai.", "Nukaka mibo fesu tikai."]
    translator = load_translator(project.model(), WAY)
    assert [one.text for one in translator.translate(requests(texts))] == [
        translator.translate(requests([one]))[0].text for one in texts
    ]


def test_long_texts_go_sentence_by_sentence(project: Project) -> None:
    text = " ".join(["Tamaka kiru bali rapai."] * 20)
    assert load_translator(project.model(), WAY).translate(requests([text]))[0].text.count("dog") == 20


def test_model_normalises_its_input(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    (folder / "xx-en").symlink_to(project.model() / "xx-en")
    described = json.loads((project.model() / "model.json").read_text(encoding="utf-8"))
    rule = {"name": "c to k", "type": "map", "map": {"c": "k"}}
    described["normalisation"]["profiles"] = {"xx": {"rules": [rule]}}
    del described["files"]  # it holds one direction of the two
    (folder / "model.json").write_text(json.dumps(described), encoding="utf-8")
    plain, normalising = load_translator(project.model(), WAY), load_translator(folder, WAY)
    assert normalising.translate(requests(["Tamaca ciru bali rapai."])) == plain.translate(
        requests(["Tamaka kiru bali rapai."])
    )


def test_no_model_and_no_such_direction(project: Project, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no trained model"):
        load_translator(tmp_path, WAY)
    with pytest.raises(UsageError, match="does not translate xx-fr"):
        load_translator(project.model(), Direction("xx", "fr"))


def test_missing_thot_names_the_platform_and_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    monkeypatch.setattr("importlib.import_module", absent)
    with pytest.raises(SeshatError, match=r"aarch64") as caught:
        thot.thot_module("alignment")
    assert "word-by-word" in str(caught.value)


def test_a_text_without_any_stop_is_parted_for_the_decoder(project: Project) -> None:
    chain = load_translator(project.model(), WAY)
    text = "Tamaka kiru bali rapai " * 250
    layout = chain.parts.of(text, chain.fits) if chain.parts else None
    assert layout is not None and 10 <= len(layout.parts) <= 16
    assert all(len(part.split()) <= LONG for part in layout.parts)
    assert chain.translate(requests([text]))[0].text.count("dog") == 250
