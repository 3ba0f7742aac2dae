"""The sweep: what may be searched, what is remembered, what is reported."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.small_project import small_project

from seshat.config.load import load_config
from seshat.config.sweep import RangeSection
from seshat.core.errors import ConfigError, DataError, UsageError
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Access, Meta, Segment
from seshat.project.folder import Project
from seshat.report.sweep import render, rows, short_names
from seshat.sweep import study
from seshat.sweep.run import _write_profile, results, run
from seshat.sweep.space import check, decode, encode, grid, open_source
from seshat.sweep.study import Search
from seshat.sweep.trial import own_stages, trial_name

GRID = "sweep:\n  parameters:\n    train.statistical.lm_order: [2, 3]\n    train.statistical.stems: [true, false]\n"


def bare_project(root: Path, sweep: str) -> Path:
    """A configuration and training files, for searches whose trainings are stand-ins."""
    config = f"project: {{name: Small, language: qsm, pivot: es, seed: 5}}\n{sweep}"
    root.mkdir(parents=True, exist_ok=True)
    (root / "seshat.yaml").write_text(config, encoding="utf-8")
    public = Meta(access=Access.PUBLIC)
    segments = [Segment(id=f"v{n}", texts={"qsm": f"mina {n}", "es": f"ve {n}"}, meta=public) for n in range(20)]
    write_jsonl(root / "data" / "training" / "validation.jsonl", segments)
    return root


def problems(root: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        check(*open_source(root, (), ()))
    return [str(problem) for problem in caught.value.problems]


# --- what may be searched -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("train.statistical.lm_ordr: [2]", "unknown key 'lm_ordr' in train.statistical; did you mean 'lm_order'"),
        ("train.statistical.lm_order: [2, 9]", "expected a whole number from 1 to 5, found the number 9"),
        ("train.statistical.lm_order: []", "has no values"),
        ("train.seq2seq.heads: [4, 7]", "cannot be shared out among 7 heads"),
        ("train.name: [a, b]", "cannot be searched: its results could not be compared"),
        ("split.validation: [0.1, 0.2]", "the validation set would be another one in every trial"),
        ("evaluate.bootstrap: [100, 200]", "it changes nothing that a model learns"),
        ("train.finetune.learning_rate: {low: 1e-5, high: 1e-3}", "a grid needs a list of values"),
        ("nonsense.key: [1]", "unknown section 'nonsense'"),
    ],
)
def test_settings_that_cannot_be_searched(tmp_path: Path, parameters: str, expected: str) -> None:
    found = problems(bare_project(tmp_path, f"sweep:\n  parameters:\n    {parameters}\n"))
    assert len(found) == 1
    assert found[0].startswith("seshat.yaml:4: sweep.parameters: ")
    assert expected in found[0]


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ("{low: 2, high: 1}", "must be below high"),
        ("{low: 0, high: 1, log: true}", "begins above 0"),
        ("{low: 0.5, high: 2, whole: true}", "must be whole"),
        ("{low: -1, high: 1}", "expected a number above 0"),
    ],
)
def test_ranges_that_cannot_be_searched(tmp_path: Path, ends: str, expected: str) -> None:
    sweep = f"sweep:\n  sampler: random\n  parameters: {{train.finetune.learning_rate: {ends}}}\n"
    (found,) = problems(bare_project(tmp_path, sweep))
    assert expected in found


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    sweep = "sweep:\n  parameters:\n    train.statistical.lm_order: [0, 9]\n    train.nothing: [1]\n"
    assert len(problems(bare_project(tmp_path, sweep))) == 3


def test_the_profile_sweep_is_found(tmp_path: Path) -> None:
    root = bare_project(tmp_path, "")
    with pytest.raises(ConfigError, match=r"sweep\.parameters: nothing says.*\n.*Write for example"):
        open_source(root, (), ())
    (root / "profiles").mkdir()
    (root / "profiles" / "sweep.yaml").write_text(GRID)
    (root / "profiles" / "other.yaml").write_text("train: {statistical: {iterations: 2}}\n")
    source, loaded = open_source(root, ("other",), ("train.statistical.n_best=7",))
    assert source.profiles == ("sweep", "other")
    config = source.config({"train.statistical.lm_order": 2})
    found = config.train.statistical
    assert (found.iterations, found.n_best, found.lm_order) == (2, 7, 2)
    assert len(grid(loaded.config.sweep.parameters)) == 4


def test_the_sample_can_be_swept(root: Path) -> None:
    check(*open_source(root / "projects" / "sample", (), ()))


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.lists(st.text(max_size=3)))


@given(st.lists(VALUES, min_size=1, max_size=4), st.floats(0.1, 9.0))
@settings(deadline=None, max_examples=50)
def test_values_survive_the_database(listed: list[Any], drawn: float) -> None:
    parameters = {"a.b": tuple(listed), "c.d": RangeSection(low=0.0, high=10.0)}
    for value in listed:
        values = {"a.b": value, "c.d": drawn}
        assert decode(json.loads(json.dumps(encode(values, parameters))), parameters) == values


def test_a_trial_runs_only_the_stages_that_its_settings_change(tmp_path: Path) -> None:
    def stages(family: str, *names: str) -> list[str]:
        project = Project(tmp_path, load_config(bare_project(tmp_path, f"train: {{family: {family}}}"), (), ()))
        return [stage.name for stage in own_stages(project, names)]

    assert stages("statistical", "train.statistical.lm_order") == ["train"]
    assert stages("statistical", "format.exclude_methods") == ["format", "train"]
    assert stages("seq2seq", "format.exclude_methods") == ["format", "tokenizer", "train"]
    assert stages("seq2seq", "tokenizer.vocabulary", "train.seq2seq.dim") == ["tokenizer", "train"]


# --- the search, with trainings that are stand-ins ------------------------------------------------------------------

Training = Callable[[dict[str, Any]], float]


class Killed(BaseException):
    """As when the process is killed: nobody is told."""


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Puts a formula in the place of training; gives the settings of the trials that ran."""
    return stand_in(monkeypatch, lambda values: 10.0 * values.get("train.statistical.lm_order", 1))


def stand_in(monkeypatch: pytest.MonkeyPatch, training: Training) -> list[dict[str, Any]]:
    ran: list[dict[str, Any]] = []

    def run_trial(_source: Any, home: Path, values: dict[str, Any], segments: int) -> dict[str, Any]:
        ran.append(values)
        (home / trial_name(values) / "models" / "sweep").mkdir(parents=True, exist_ok=True)
        score = training(values) + (0.5 if values.get("train.statistical.stems") else 0.0)
        scores = {"geometric_mean": score, "chrf2": 1.0, "chrf++": 2.0, "bleu": 3.0}
        return {"scores": scores, "directions": {"qsm-es": scores}, "segments": segments, "seconds": 1.0}

    monkeypatch.setattr(study, "run_trial", run_trial)
    return ran


def search(root: Path, *overrides: str) -> Search:
    source, loaded = open_source(root, (), overrides)
    return Search(Project(root, loaded.config), source)


def found(root: Path, *overrides: str) -> dict[str, Any]:
    one = search(root, *overrides)
    return results(Project(root, load_config(root)), one)


def test_a_grid_is_searched_once(tmp_path: Path, trained: list[dict[str, Any]]) -> None:
    root = bare_project(tmp_path, GRID)
    search(root).run()
    assert len(trained) == 4
    assert trained == grid(load_config(root).sweep.parameters)
    search(root).run()
    assert len(trained) == 4, "everything is known already"
    told = found(root)
    assert [trial["score"] for trial in told["trials"]] == [20.5, 20.0, 30.5, 30.0]
    assert told["best"]["trial"] == 2
    assert told["best"]["settings"] == {"train.statistical.lm_order": 3, "train.statistical.stems": True}
    kept = [path.parent.name for path in (root / ".seshat" / "sweep").glob("*/*/models")]
    assert told["model"] is not None and kept == [Path(told["model"]).parts[-3]], "only the best model is kept"
    assert (root / "reports" / "sweep.db").exists()
    assert told["storage"] == "reports/sweep.db"


def test_other_data_are_another_search(tmp_path: Path, trained: list[dict[str, Any]]) -> None:
    root = bare_project(tmp_path, GRID)
    search(root).run()
    write_jsonl(root / "data" / "training" / "train.jsonl", [Segment(id="x", texts={"qsm": "a", "es": "b"})])
    search(root).run()
    assert len(trained) == 8
    (root / "seshat.yaml").write_text((root / "seshat.yaml").read_text() + "train: {statistical: {n_best: 9}}\n")
    search(root).run()
    assert len(trained) == 12


def test_a_search_that_was_killed_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = bare_project(tmp_path, GRID)

    def training(values: dict[str, Any]) -> float:
        if len(ran) == 2 and values == second:
            raise Killed
        return 1.0

    second = {"train.statistical.lm_order": 2, "train.statistical.stems": False}
    ran = stand_in(monkeypatch, training)
    with pytest.raises(Killed):
        search(root).run()
    assert [trial["state"] for trial in found(root)["trials"]] == ["done", "running"]
    search(root).run()
    assert len(ran) == 5
    assert ran.count(second) == 2, "the trial that was cut off is begun anew"
    told = found(root)
    assert [trial["state"] for trial in told["trials"]] == ["done"] * 4
    assert sorted(json.dumps(trial["settings"]) for trial in told["trials"]) == sorted(map(json.dumps, _all(root)))


def _all(root: Path) -> list[dict[str, Any]]:
    return grid(load_config(root).sweep.parameters)


def test_ctrl_c_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = bare_project(tmp_path, GRID)
    stopped = [True]

    def training(values: dict[str, Any]) -> float:
        if len(ran) == 3 and stopped.pop():
            raise KeyboardInterrupt
        return 1.0

    ran = stand_in(monkeypatch, training)
    with pytest.raises(KeyboardInterrupt):
        search(root).run()
    stopped.append(False)
    search(root).run()
    assert [trial["state"] for trial in found(root)["trials"]] == ["done"] * 4


def test_failed_trials_are_recorded_and_can_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = bare_project(tmp_path, GRID)
    broken = [True]

    def training(values: dict[str, Any]) -> float:
        if broken and values["train.statistical.lm_order"] == 2:
            if values["train.statistical.stems"]:
                raise DataError("models/tokenizer: there is no tokenizer.", "Make one.")
            raise KeyError("a sentence that nobody may see")
        return 1.0

    stand_in(monkeypatch, training)
    search(root).run()
    told = found(root)
    assert [trial["state"] for trial in told["trials"]] == ["failed", "failed", "done", "done"]
    assert told["trials"][0]["reason"] == "models/tokenizer: there is no tokenizer."
    assert told["trials"][1]["reason"].startswith("KeyError in test_sweep.py, line ")
    (details,) = [p.read_text() for p in root.rglob("error.txt") if "nobody may see" in p.read_text()]
    assert "Traceback" in details
    assert b"nobody may see" not in (root / "reports" / "sweep.db").read_bytes()
    assert "failed: models/tokenizer" in rows(told["trials"], "geometric_mean")[-2]["state"]
    assert "there is no tokenizer" in render(told)
    broken.clear()
    search(root).run()
    assert [trial["state"] for trial in found(root)["trials"]].count("failed") == 2
    search(root).run(retry_failed=True)
    assert [trial["state"] for trial in found(root)["trials"]] == ["done"] * 4


def test_two_machines_share_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = bare_project(tmp_path / "a", GRID), bare_project(tmp_path / "b", GRID)
    shared = f"sweep.storage=sqlite:///{tmp_path}/shared.db"  # no file of a project may name one outside of it

    def training(values: dict[str, Any]) -> float:
        if len(ran) == 2:
            search(second, shared).run()  # another machine, while this trial runs
        return 1.0

    ran = stand_in(monkeypatch, training)
    search(first, shared).run()
    assert sorted(map(json.dumps, ran)) == sorted(map(json.dumps, _all(first))), "each trial on one machine"
    assert [t["settings"] for t in found(first, shared)["trials"]] == [
        t["settings"] for t in found(second, shared)["trials"]
    ]
    assert {path.parent.parent.name for path in tmp_path.glob("*/.seshat/sweep")} == {"a", "b"}


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_drawn_values(tmp_path: Path, trained: list[dict[str, Any]], sampler: str) -> None:
    sweep = (
        f"sweep:\n  sampler: {sampler}\n  trials: 13\n  parameters:\n"
        "    train.finetune.learning_rate: {low: 1.0e-5, high: 1.0e-3, log: true}\n"
        "    train.statistical.lm_order: {low: 1, high: 5, whole: true}\n"
        "    train.lora.targets: [all-linear, [q_proj, v_proj]]\n"
    )
    root = bare_project(tmp_path / "one", sweep)
    check(*open_source(root, (), ()))
    search(root).run()
    first = list(trained)
    assert len(first) == 13
    assert all(1e-5 <= values["train.finetune.learning_rate"] <= 1e-3 for values in first)
    assert {type(values["train.statistical.lm_order"]) for values in first} == {int}
    assert {json.dumps(values["train.lora.targets"]) for values in first} == {'"all-linear"', '["q_proj", "v_proj"]'}
    assert len({values["train.finetune.learning_rate"] for values in first}) == 13
    trained.clear()
    search(bare_project(tmp_path / "two", sweep)).run()
    assert trained == first, "the seed of the project decides"
    assert "train.finetune.learning_rate" in render(found(root))


def test_a_database_out_of_reach(tmp_path: Path) -> None:
    root = bare_project(tmp_path, GRID + "  storage: postgresql://me:sesame@127.0.0.1:9/none\n")
    with pytest.raises(UsageError, match=r"sweep\.storage") as caught:
        search(root)
    assert "sesame" not in str(caught.value)


# --- reports --------------------------------------------------------------------------------------------------------


def test_of_losses_the_lowest_is_the_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = "sweep: {metric: loss, parameters: {train.finetune.learning_rate: [1, 2, 3]}}\n"
    masked = "train: {family: masked, finetune: {metric: loss}}\nmodel: {base: some/base}\n"
    root = bare_project(tmp_path, sweep + masked)
    check(*open_source(root, (), ()))

    def run_trial(_source: Any, home: Path, values: dict[str, Any], segments: int) -> dict[str, Any]:
        (home / trial_name(values) / "models" / "sweep").mkdir(parents=True)
        return {"scores": {"loss": abs(values["train.finetune.learning_rate"] - 2.5)}, "directions": {}, "seconds": 1.0}

    monkeypatch.setattr(study, "run_trial", run_trial)
    search(root).run()
    told = found(root)
    assert [trial["score"] for trial in told["trials"]] == [1.5, 0.5, 0.5]
    assert told["best"]["trial"] == 1
    assert [row["trial"] for row in rows(told["trials"], "loss")] == [1, 2, 0]
    assert list(rows(told["trials"], "loss")[0]) == ["trial", "learning_rate", "loss", "seconds", "state"]
    assert "judged by its loss" in render(told)
    assert Path(told["model"]).parts[-3] == trial_name({"train.finetune.learning_rate": 2})


def test_a_metric_that_the_family_does_not_know(tmp_path: Path) -> None:
    (told,) = problems(bare_project(tmp_path, GRID + "  metric: loss\n"))
    assert "the masked family has the loss" in told


def test_short_names() -> None:
    assert short_names(["train.lora.rank", "train.finetune.batch"]) == {
        "train.lora.rank": "rank",
        "train.finetune.batch": "batch",
    }
    both = short_names(["train.lora.dropout", "train.seq2seq.dropout"])
    assert both == {"train.lora.dropout": "lora.dropout", "train.seq2seq.dropout": "seq2seq.dropout"}


def test_best_settings_as_a_profile(tmp_path: Path, trained: list[dict[str, Any]]) -> None:
    root = bare_project(tmp_path, GRID)
    with pytest.raises(UsageError, match="no best settings"):
        _write_profile(root / "profiles" / "best.yaml", found(root))
    search(root).run()
    told = found(root)
    for _ in range(2):
        _write_profile(root / "profiles" / "best.yaml", told)
    assert load_config(root, ["best"]).train.statistical.lm_order == 3
    text = (root / "profiles" / "best.yaml").read_text()
    assert text.startswith(
        "# Written by `seshat sweep --write-best`: trial 2, the best of 4: √(BLEU·chrF++) 30.50 on 20 "
    )
    (root / "profiles" / "best.yaml").write_text("train: {}\n")
    with pytest.raises(UsageError, match="not written by the sweep"):
        _write_profile(root / "profiles" / "best.yaml", told)


def test_the_page_stands_alone(tmp_path: Path, trained: list[dict[str, Any]]) -> None:
    root = bare_project(tmp_path, GRID)
    search(root).run()
    told = found(root)
    told["project"] = "<script>alert(1)</script>"
    text = render(told)
    assert "<script" not in text and "http" not in text.replace("http-equiv", "")
    assert text.count("<svg") == 3
    assert "only 20 segments" in text


# --- with real trainings --------------------------------------------------------------------------------------------


def test_a_real_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Grid over the statistical family, from raw files: scores differ, the models of the project are left alone."""
    root = small_project(tmp_path / "small")
    (root / "profiles").mkdir()
    (root / "profiles" / "sweep.yaml").write_text(
        "sweep:\n  parameters: {train.statistical.max_phrase: [1, 4]}\n  segments: 12\n"
    )
    told = run(root, (), ("train.directions=to-pivot",), write_best=True)
    assert told["directions"] == ["qsm-es"]
    assert [trial["state"] for trial in told["trials"]] == ["done", "done"]
    assert all(0 < trial["score"] <= 100 for trial in told["trials"])
    assert told["trials"][0]["score"] != told["trials"][1]["score"]
    assert told["segments"] == 12
    assert not (root / "models" / "statistical").exists()
    assert (root / told["model"] / "model.json").exists()
    assert not list((root / ".seshat" / "sweep").glob("*/state/work"))
    assert (
        load_config(root, ["best"]).train.statistical.max_phrase
        == told["best"]["settings"]["train.statistical.max_phrase"]
    )
    assert json.loads((root / "reports" / "sweep.json").read_text())["best"] == told["best"]
    (root / "data" / "training" / "test.jsonl").unlink()
    shutil.rmtree(root / "reports")  # the database with it: the trials are known by their folders all the same
    monkeypatch.setattr("seshat.sweep.trial.score", None)
    again = run(root, (), ("train.directions=to-pivot",))
    assert [trial["scores"] for trial in again["trials"]] == [trial["scores"] for trial in told["trials"]]


@pytest.mark.slow
def test_a_sweep_of_a_pretrained_family(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Settings of the training and of the prompt: each trial has the instruction data that its prompt makes."""
    from tests.tiny_models import qwen3

    root, base = small_project(tmp_path / "small"), qwen3(tmp_path / "base")
    settings = f"""\
model: {{base: {base}}}
train: {{family: causal, directions: to-pivot, lora: {{rank: 4}},
        finetune: {{max_steps: 1, batch: 4, max_length: 200, truncation_limit: 1.0, device: cpu, metric: loss}}}}
sweep: {{segments: 10, parameters: {{prompt.system: ["", Translate.], train.finetune.learning_rate: [0.01]}}}}
"""
    (root / "profiles").mkdir()
    (root / "profiles" / "sweep.yaml").write_text(settings, encoding="utf-8")
    told = run(root, (), ("prompt.max_new_tokens=8", "format.instruct.limit=20", "tracking.report_to=[mlflow]"))
    assert [trial["state"] for trial in told["trials"]] == ["done", "done"]
    best = told["best"]["settings"]["prompt.system"]
    assert json.loads((root / told["model"] / "prompt.json").read_text())["system"] == best
    assert capsys.readouterr().err.count("Translate.<|im_end|>") == 1
    assert _tracked(root) == [trial["scores"]["chrf2"] for trial in told["trials"]], "a run in MLflow for each trial"


def _tracked(root: Path) -> list[float]:
    import warnings

    from mlflow import MlflowClient

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = MlflowClient(f"sqlite:///{root}/models/mlflow.db")
        ids = [one.experiment_id for one in client.search_experiments()]
        runs = client.search_runs(ids, order_by=["attributes.start_time ASC"])
    return [run.data.metrics["validation/chrf2"] for run in runs]
