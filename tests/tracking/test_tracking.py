"""Trackers: what they are told, and above all what they are not."""

from __future__ import annotations

import json
import os
import shutil
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from tests.evaluations import an_evaluation

from seshat import tracking
from seshat.config import Config
from seshat.core.errors import MissingPackage, UsageError
from seshat.core.jsonl import write_json, write_jsonl
from seshat.core.records import Access, Entry, Example, Meta, Segment, Sense
from seshat.project.folder import Project
from seshat.report.results import Evaluation
from seshat.tracking.content import samples
from seshat.tracking.trackers import Mlflow

SECRET = "the hidden spring lies below the black rock"
"""Stands in records that are not public."""


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables: making them takes longer than all the rest."""
    root = tmp_path_factory.mktemp("store")
    Mlflow(root, None, "none", "none")
    return root / "models" / "mlflow.db"


@pytest.fixture
def home(tmp_path: Path, empty_store: Path) -> Path:
    """A project folder with such a database."""
    (tmp_path / "models").mkdir()
    shutil.copyfile(empty_store, tmp_path / "models" / "mlflow.db")
    return tmp_path


def make_project(root: Path, **sections: Any) -> Project:
    config = {
        "project": {"name": "A small language", "language": "qsm", "pivot": "es", "max_access": "community"},
        "ingest": {"sources": [{"name": "tales", "path": "translations/grandmother-rosa.csv"}]},
        "clean": {"profiles": {"qsm": {"rules": [], "tests": [{"in": SECRET, "out": SECRET}]}}},
        "tracking": {"report_to": ["mlflow"]},
        **sections,
    }
    project = Project(root, Config.model_validate(config))
    (project.raw / "translations").mkdir(parents=True, exist_ok=True)
    (project.raw / "translations" / "grandmother-rosa.csv").write_text("x\n")
    closed, public = Meta(access=Access.COMMUNITY), Meta(access=Access.PUBLIC)
    write_jsonl(
        project.training / "train.jsonl",
        [
            Segment(id="a", texts={"qsm": "mina basi", "es": "ve"}, meta=public),
            Segment(id="b", texts={"qsm": "tolo", "es": SECRET}, meta=closed),
        ],
    )
    write_jsonl(
        project.training / "test.jsonl",
        [
            Segment(id="t1", texts={"qsm": "mina", "es": "la niña"}, meta=public),
            Segment(id="t2", texts={"qsm": SECRET, "es": "secreto"}, meta=closed),
            Segment(id="t3", texts={"qsm": "tolo", "es": "el perro"}, meta=public),
            Segment(id="t4", texts={"qsm": "ruka", "es": "la madre"}, meta=public),
        ],
    )
    shown = Example(texts={"es": "por el sendero viejo se baja"})
    entry = Entry(id="e", lang="qsm", headword="sepo", senses=(Sense(examples=(shown,)),), meta=closed)
    write_jsonl(project.training / "lexicon.jsonl", [entry])
    write_json(project.model() / "model.json", {"family": "statistical", "name": "statistical"})
    return project


def evaluation(*translations: tuple[str, str]) -> Evaluation:
    """As much of ``evaluation.json`` as trackers read."""
    score = {"chrf2": {"score": 31.5, "low": 30.0, "high": 33.0}, "chrf++": {"score": 29.0, "low": 1.0, "high": 2.0}}
    shown = [
        {
            "id": name,
            "origin": None,
            "source": SECRET if name == "t2" else name,
            "reference": f"reference of {name}",
            "nearest": {"source": SECRET, "target": SECRET, "similarity": 1.0},
            "systems": [
                {"name": one, "text": said, "chrf2": 0.0} for one, said in (("copy", SECRET), ("statistical", text))
            ],
        }
        for name, text in translations
    ]
    listed = [{"word": SECRET, "count": 1, "near": None}]
    invented = {"words": 1, "invented": 1, "per_100": 100.0, "listed": listed}
    return an_evaluation([{"name": "statistical", "scores": score, "invented": invented}], samples=shown)


def client(project: Project) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=f"sqlite:///{project.root}/models/mlflow.db")


def runs(project: Project) -> list[Any]:
    from seshat.tracking.trackers import _quietly

    with _quietly():
        found = client(project)
        experiment = found.get_experiment_by_name("A small language")
        listed: list[Any] = found.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"])
    return listed


def told(project: Project) -> bytes:
    """Everything that MLflow has of the project."""
    kept = [path for path in project.models.rglob("*") if path.is_file() and "mlflow" in path.as_posix()]
    assert kept
    return b"".join(path.read_bytes() for path in kept)


def artefacts(project: Project) -> dict[str, Any]:
    found = (project.models / "mlflow-artefacts").rglob("*.json")
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in found}


def log_of_trainer(callback: Any, step: int, **logs: Any) -> None:
    state = types.SimpleNamespace(is_world_process_zero=True, global_step=step)
    callback.on_log(None, state, None, logs=logs)


def test_nobody_is_told_unless_configured(tmp_path: Path) -> None:
    project = make_project(tmp_path, tracking={})
    assert tracking.callbacks(project, {}) == []
    tracking.finish(project, {"chrf": 1.0})
    tracking.evaluated(project, evaluation(("t1", "la niña")))
    assert not (tmp_path / "models" / "mlflow.db").exists()
    assert not (project.state / "tracking").exists()


def test_a_training_in_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
    monkeypatch.chdir(tmp_path)
    project = make_project(tmp_path)
    with tracking.tracked(project):
        (callback,) = tracking.callbacks(project, {"device": "cpu", "phase": "gold", "fallbacks": ["long story"]})
        log_of_trainer(callback, 10, loss=2.5, learning_rate=1e-4, words="no number", nothing=float("nan"))
        log_of_trainer(callback, 20, loss=2.0, **{"eval_chrf++": 17.0})
        tracking.finish(project, {"qsm-es": {"validation_chrf": 30.0, "seconds": 3, "good": True, "data": "abc"}})
    (run,) = runs(project)
    assert run.info.status == "FINISHED"
    assert run.data.params["train.family"] == "statistical"
    assert run.data.params["train.statistical.alignment"] == "hmm"
    assert run.data.params["run.device"] == "cpu"
    assert "train.seq2seq.dim" not in run.data.params
    expected = {"gold/loss": 2.0, "gold/learning_rate": 1e-4, "gold/eval_chrfpp": 17.0}
    assert run.data.metrics == {**expected, "result/qsm-es/validation_chrf": 30.0, "result/qsm-es/seconds": 3.0}
    history = client(project).get_metric_history(run.info.run_id, "gold/loss")
    assert [(point.step, point.value) for point in history] == [(10, 2.5), (20, 2.0)]
    found = artefacts(project)
    assert set(found) == {"configuration.json", "data.json", "model.json"}
    assert found["configuration.json"]["config"]["project"]["language"] == "qsm"
    assert set(found["data.json"]) == {"train.jsonl", "test.jsonl", "lexicon.jsonl"}
    import mlflow.telemetry.client as telemetry

    assert telemetry.get_telemetry_client() is None
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"data", "models", ".seshat"}, "MLflow writes nowhere else"


def test_what_is_not_public_is_not_told(home: Path) -> None:
    project = make_project(home)
    with pytest.raises(ValueError, match="hidden spring"), tracking.tracked(project):
        raise ValueError(f"cannot use '{SECRET}'")
    assert runs(project)[0].info.status == "FAILED"
    tracking.start(project)
    tracking.finish(project, {"chrf": 1.0})
    tracking.evaluated(
        project,
        evaluation(
            ("t1", "la niña"),
            ("t2", "secreto"),  # the segment is closed
            ("t3", f"Pues {SECRET.upper()} dijo"),  # gives back a closed training text
            ("t4", "Por el  sendero viejo se baja"),  # gives back an example of a closed entry
        ),
    )
    sample = {"direction": "qsm-es", "source": "t1", "reference": "reference of t1", "translation": "la niña"}
    assert artefacts(project)["samples.json"] == [sample]
    everything = told(project).decode("utf-8", "replace").casefold()
    for word in ("hidden spring", "sendero viejo", "grandmother", str(home / "data").casefold()):
        assert word not in everything, word
    (run,) = runs(project)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["test/qsm-es/chrf2"] == 31.5
    assert run.data.metrics["test/qsm-es/chrfpp"] == 29.0


def test_not_more_samples_than_asked_for(tmp_path: Path) -> None:
    project = make_project(tmp_path, tracking={"report_to": ["mlflow"], "samples": 1})
    shown = samples(project, evaluation(("t1", "la niña"), ("t3", "el perro")))
    assert [one["source"] for one in shown] == ["t1"]


def test_an_interrupted_training_goes_on_in_the_same_run(home: Path) -> None:
    project = make_project(home)
    tracking.start(project).metrics({"loss": 3.0}, 1)  # and is killed
    tracking.start(project, {"device": "cuda"}).metrics({"loss": 2.0}, 2)
    tracking.finish(project, {"chrf": 20.0})
    (run,) = runs(project)
    assert run.data.metrics == {"loss": 2.0, "result/chrf": 20.0}
    tracking.start(project)  # trained again after it was finished: another run
    other = make_project(home, train={"statistical": {"iterations": 3}})
    tracking.start(other)
    found = runs(project)
    assert len(found) == 3
    assert {one.data.params["train.statistical.iterations"] for one in found} == {"5", "3"}


def test_only_the_first_process_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    project = make_project(tmp_path)
    assert tracking.callbacks(project, {}) == []
    assert not (tmp_path / "models" / "mlflow.db").exists()


def test_a_store_that_cannot_be_used(tmp_path: Path) -> None:
    project = make_project(tmp_path, tracking={"report_to": ["mlflow"], "uri": "file:///tmp/mlruns"})
    with pytest.raises(UsageError, match=r"tracking\.uri.*\n.*sqlite:///"):
        tracking.start(project)


def test_a_store_of_the_users_own(tmp_path: Path) -> None:
    section = {"report_to": ["mlflow"], "uri": "sqlite:///elsewhere/runs.db"}
    tracking.start(make_project(tmp_path, tracking=section))
    assert (tmp_path / "elsewhere" / "runs.db").exists()


class FakeArtefact:
    def __init__(self, name: str, type: str) -> None:  # noqa: A002
        self.name, self.files = name, dict[str, Any]()

    def new_file(self, name: str, mode: str, encoding: str) -> Any:
        import io

        self.files[name] = stream = io.StringIO()
        stream.close = lambda: None  # type: ignore[method-assign]
        return stream


class FakeWandb(types.ModuleType):
    """As much of W&B as is called, with the names and parameters of its documentation."""

    def __init__(self) -> None:
        super().__init__("wandb")
        self.run: Any = None
        self.opened: list[dict[str, Any]] = []
        self.logged: list[dict[str, Any]] = []
        self.artefacts: list[FakeArtefact] = []
        self.settings: dict[str, Any] = {}
        self.parameters: dict[str, Any] = {}
        self.ended: list[int] = []
        self.Artifact = FakeArtefact

    def Settings(self, **values: Any) -> dict[str, Any]:  # noqa: N802
        self.settings = values
        return values

    def init(self, *, id: str | None, **values: Any) -> Any:  # noqa: A002
        self.opened.append({"id": id, **values})
        config = types.SimpleNamespace(update=lambda new, allow_val_change: self.parameters.update(new))

        def finish(exit_code: int) -> None:
            self.run = None
            self.ended.append(exit_code)

        self.run = types.SimpleNamespace(
            id=id or f"run{len(self.opened)}",
            config=config,
            define_metric=lambda name, step_metric: None,
            log=self.logged.append,
            log_artifact=self.artefacts.append,
            finish=finish,
        )
        return self.run


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> FakeWandb:
    made = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", made)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "")
    return made


def test_wandb_stays_on_this_machine(tmp_path: Path, wandb: FakeWandb, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(tmp_path, tracking={"report_to": ["wandb"]})
    with tracking.tracked(project):
        (callback,) = tracking.callbacks(project, {"device": "cpu"})
        log_of_trainer(callback, 5, loss=1.5)
        tracking.finish(project, {"chrf": 20.0})
    tracking.evaluated(project, evaluation(("t1", "la niña"), ("t2", "secreto")))
    assert [(one["mode"], one["id"], one["resume"]) for one in wandb.opened] == [
        ("offline", None, "allow"),
        ("offline", "run1", "allow"),
    ]
    assert Path(wandb.opened[0]["dir"]) == tmp_path / "models"
    assert wandb.opened[0]["project"] == "A small language"
    assert wandb.settings["disable_git"] and wandb.settings["x_disable_meta"] and wandb.settings["console"] == "off"
    assert wandb.parameters["train.family"] == "statistical"
    assert wandb.logged[0] == {"loss": 1.5, "step": 5}
    assert wandb.logged[1] == {"result/chrf": 20.0, "step": 0}
    assert wandb.ended == [0, 0]
    texts = {name: stream.getvalue() for one in wandb.artefacts for name, stream in one.files.items()}
    assert set(texts) == {"configuration.json", "data.json", "model.json", "samples.json"}
    assert "la niña" in texts["samples.json"]
    assert not any(SECRET in text for text in texts.values())
    monkeypatch.setenv("WANDB_MODE", "online")  # the user's own wish
    tracking.start(project)
    assert wandb.opened[-1]["mode"] == "online"


def test_wandb_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    project = make_project(tmp_path, tracking={"report_to": ["wandb"]})
    with pytest.raises(MissingPackage, match=r"tracking\.report_to: wandb.*\n.*\[wandb\]"):
        tracking.start(project)


def test_a_tracker_that_fails_does_not_stop_a_training(home: Path, wandb: FakeWandb) -> None:
    project = make_project(home, tracking={"report_to": ["wandb", "mlflow"]})
    run = tracking.start(project)

    def broken(values: Any) -> None:
        raise ConnectionError("gone")

    wandb.run.log = broken
    run.metrics({"loss": 1.0}, 1)
    run.metrics({"loss": 0.5}, 2)
    assert set(run.trackers) == {"mlflow"}
    assert runs(project)[0].data.metrics == {"loss": 0.5}


def test_results_survive_a_tracker_that_is_out_of_reach(home: Path) -> None:
    project = make_project(home)
    tracking.start(project)
    (home / "models" / "mlflow.db").unlink()
    (home / "models" / "mlflow.db").mkdir()
    tracking.finish(project, {"chrf": 20.0})
