"""The public face: what programs and notebooks use, and nothing heavy before it is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.small_project import small_project

import seshat


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> seshat.Opened:
    root = small_project(tmp_path_factory.mktemp("face"))
    opened = seshat.open(root, overrides=["train.statistical.tune=false"])
    stages = {outcome.stage: outcome.state for outcome in opened.run(until="train")}
    assert stages["train"] == "ran"
    return opened


def test_everything_in_the_face_is_there_and_documented() -> None:
    for name in seshat.__all__:
        assert getattr(seshat, name).__doc__
    assert set(dir(seshat)) == set(seshat.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = seshat.nothing


def test_importing_it_imports_nothing_else() -> None:
    needed = "import __future__, importlib, sys, warnings"
    code = f"{needed}; known = set(sys.modules)\nimport seshat; print(set(sys.modules) - known)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{'seshat'}"


def test_a_project_is_run_read_and_loaded(project: seshat.Opened) -> None:
    assert {outcome.state for outcome in project.run(until="train")} == {"current"}
    assert {one.state for one in project.status()} >= {"current"}
    train = project.read("train")
    assert len(list(train)) == len(list(train)) > 100
    with project.load("qsm-es") as translator:
        assert (str(translator.direction), translator.name) == ("qsm-es", "statistical")
        first, second = translator.translate(["Mina kumuna basi.", "Ruka pali"], n_best=20)
        assert str(first) == first.text
        assert first.text.startswith("La niña ve")
        assert 0 < len(first.alternatives) < 20
        assert len({first.text, *first.alternatives}) == len(first.alternatives) + 1
        assert second.source == "Ruka pali"
        assert translator.translate("Mina kumuna basi.")[0].text == first.text
    with seshat.load(project.root, model="statistical") as again:
        assert again.translate("Mina kumuna basi.")[0].text == first.text


def test_a_model_by_itself(project: seshat.Opened) -> None:
    folder = project.root / "models" / "statistical"
    with seshat.load(folder, "es-qsm") as translator:
        assert translator.translate("La niña ve el río.")[0].text
    with pytest.raises(seshat.UsageError, match=r"it translates qsm-es, es-qsm, not one alone"):
        seshat.load(folder)
    with pytest.raises(seshat.UsageError, match="not es-en"):
        seshat.load(project, "es-en")


def test_records_as_data_frames(project: seshat.Opened) -> None:
    frame = seshat.read(project, "train").to_pandas()
    assert {"id", "text.qsm", "text.es", "meta.source"} <= set(frame.columns)
    polars = pytest.importorskip("polars")
    other = seshat.read(project.root, "lexicon").to_polars()
    assert isinstance(other, polars.DataFrame)
    assert "perro" in str(other["senses"].to_list())
    assert len(frame) == len(list(project.read("train")))


def test_what_is_not_there(project: seshat.Opened, tmp_path: Path) -> None:
    with pytest.raises(seshat.UsageError, match="There are no records 'sentences'"):
        seshat.read(project, "sentences")  # type: ignore[arg-type]
    fresh = seshat.open(small_project(tmp_path / "fresh"))
    with pytest.raises(seshat.DataError, match=r"train\.jsonl: it is not there yet; format writes it"):
        fresh.read("train")
    with pytest.raises(seshat.ConfigError, match=r"there is no seshat\.yaml here"):
        seshat.open(tmp_path)


def test_scores_with_intervals_and_recipes() -> None:
    references = ["la niña ve el río", "el perro busca la casa", "la madre canta hoy"] * 10
    found = seshat.evaluate(["la niña ve la luna", "el perro busca la casa", "la madre canta"] * 10, references)
    chrf = found["chrf2"]
    assert chrf.low < chrf.value < chrf.high
    assert "nc:6" in chrf.signature
    assert found.segments == 30
    assert "chrF2" in str(found)
    with pytest.raises(seshat.UsageError, match="1 translations for 30 references"):
        seshat.evaluate(["x"], references)
