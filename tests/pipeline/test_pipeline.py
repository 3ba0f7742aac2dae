"""The engine on stages that do next to nothing: what runs, what does not, and what is said about it."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tests.stand_ins import SETTINGS, raw_files, stand_in

from seshat.config import Config
from seshat.config.load import load_config
from seshat.core.errors import DataError, ProjectBusy, UsageError
from seshat.data.ingest import source_paths
from seshat.pipeline import graph, lock, stages
from seshat.pipeline.engine import Outcome, engine, sweep
from seshat.pipeline.stages import stages_of
from seshat.project.folder import Project
from seshat.project.stage import Stage

SWITCHED_ON = stages_of(Config())
NAMES = [stage.name for stage in SWITCHED_ON]
FED = [name for name in NAMES if name != "augment"]
"""Stages that read data in the project of these tests: `augment` has nothing to do there."""


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the stages that ran."""
    return stand_in(monkeypatch)


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A project folder in which nothing has run."""
    raw_files(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder in which everything has run, to be copied."""
    root = tmp_path_factory.mktemp("finished")
    raw_files(root)
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch)
        update(root)
    return root


@pytest.fixture
def root(finished: Path, tmp_path: Path) -> Path:
    """A copy of a project folder in which everything has run."""
    return Path(shutil.copytree(finished, tmp_path / "project"))


def project(root: Path, **sections: Any) -> Project:
    return Project(root, Config.model_validate(SETTINGS | sections))


def update(root: Path, **sections: Any) -> list[Outcome]:
    with engine(project(root, **sections)) as running:
        return list(running.update())


def states(outcomes: list[Outcome]) -> dict[str, str]:
    return {outcome.stage: outcome.state for outcome in outcomes}


def test_runs_everything_once(fresh: Path, ran: list[str]) -> None:
    first = update(fresh)
    assert ran == NAMES
    second = update(fresh)
    assert ran == NAMES
    assert set(states(second).values()) == {"current"}
    assert [one.summary for one in second] == [one.summary for one in first]


def test_a_run_can_stop_before_the_training(fresh: Path, ran: list[str]) -> None:
    with engine(project(fresh)) as running:
        with pytest.raises(UsageError, match="no stage 'forrmat'"):
            list(running.update("forrmat"))
        first = list(running.update("format"))
    assert [one.stage for one in first] == ran == NAMES[: NAMES.index("format") + 1]
    update(fresh)
    assert ran == NAMES


def test_time_stamps_do_not_matter(root: Path, ran: list[str]) -> None:
    for path in root.rglob("*"):
        if path.is_file() and ".dvc" not in path.parts and ".seshat" not in path.parts:
            path.touch()
    update(root)
    assert ran == []


def test_a_raw_file_nobody_reads_runs_nothing(root: Path, ran: list[str]) -> None:
    (root / "data/raw/scans/page.txt").write_text("another page\n")
    update(root)
    assert ran == []


@pytest.mark.parametrize("name", ["translations/a.csv", "monolingual/new.txt"])
def test_a_changed_raw_file_runs_what_depends_on_it(root: Path, ran: list[str], name: str) -> None:
    (root / "data/raw" / name).write_text("changed\n")
    outcomes = update(root)
    assert ran == FED
    assert "changed" in " ".join(outcomes[0].reasons)


def test_a_stage_that_gives_the_same_result_stops_there(
    root: Path, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def same(_project: Project) -> dict[str, Any]:
        ran.append("ingest")
        return {}

    monkeypatch.setattr(sys.modules["seshat.data.ingest"], "run", same)
    (root / "data/raw/translations/a.csv").write_text("a comment more\n")
    update(root)
    assert ran == ["ingest"]


def test_settings_run_only_the_stages_they_belong_to(root: Path, ran: list[str]) -> None:
    outcomes = update(root, evaluate={"samples": 3})
    assert ran == ["evaluate"]
    assert outcomes[-1].reasons == ("evaluate.samples: 20 -> 3",)
    ran.clear()
    update(root, evaluate={"samples": 3}, train={"seq2seq": {"dim": 32}}, translate={"batch": 3})
    assert ran == []


def test_the_prompt_belongs_to_the_training_of_neural_families(tmp_path: Path) -> None:
    def named(family: str) -> bool:
        return "prompt" in stages.stage("train").settings(project(tmp_path, train={"family": family}).config)

    assert named("seq2seq")
    assert not named("statistical")


def test_another_model_leaves_the_first_one_alone(root: Path, ran: list[str]) -> None:
    first = (root / "models/statistical/model.bin").read_bytes()
    ran.clear()
    update(root, train={"name": "other"}, evaluate={"compare": ["statistical"]})
    assert ran == ["train", "evaluate"]
    assert (root / "models/statistical/model.bin").read_bytes() == first
    assert (root / "models/other/model.bin").exists()


def test_going_back_takes_the_results_out_of_the_cache(root: Path, ran: list[str]) -> None:
    before = update(root)
    kept = (root / "data/interim/clean/segments.jsonl").read_bytes()
    update(root, clean={"filters": {"min_characters": 5}})
    assert (root / "data/interim/clean/segments.jsonl").read_bytes() != kept
    ran.clear()
    outcomes = update(root)
    assert ran == ["align"]  # because of the file that it shares with people
    assert states(outcomes)["clean"] == states(outcomes)["train"] == "cache"
    assert (root / "data/interim/clean/segments.jsonl").read_bytes() == kept
    assert [one.summary for one in outcomes] == [one.summary for one in before]


def test_bringing_results_back_removes_nothing_of_others(root: Path, ran: list[str]) -> None:
    update(root)
    diary = project(root).model() / "notes" / "diary.txt"
    diary.parent.mkdir()
    diary.write_text("mine")
    ran.clear()
    outcomes = update(root)
    assert states(outcomes)["train"] == "ran"  # a real training refuses to replace the folder
    assert diary.read_text() == "mine"


def test_a_new_version_of_the_code_runs_the_stage(root: Path, ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    newer = tuple(
        Stage(**(vars(stage) | {"version": 99})) if stage.name == "evaluate" else stage for stage in SWITCHED_ON
    )
    monkeypatch.setattr(graph, "stages_of", lambda _config: newer)
    outcomes = update(root)
    assert ran == ["evaluate"]
    assert "version" in outcomes[-1].reasons[0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_text("somebody else wrote this\n"),
    ],
)
def test_damaged_results_are_made_again(root: Path, ran: list[str], damage: Any) -> None:
    path = root / "data/processed/train.jsonl"
    good = path.read_bytes()
    damage(path)
    update(root)
    assert path.read_bytes() == good


def test_a_failing_stage_keeps_what_was_done(fresh: Path, ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    good = sys.modules["seshat.data.split"].run

    def fail(_project: Project) -> dict[str, Any]:
        raise DataError("too little")

    monkeypatch.setattr(sys.modules["seshat.data.split"], "run", fail)
    with pytest.raises(DataError, match="too little"):
        update(fresh)
    assert ran == NAMES[: NAMES.index("split")]
    monkeypatch.setattr(sys.modules["seshat.data.split"], "run", good)
    update(fresh)
    assert ran == NAMES


def test_one_stage_by_itself_needs_not_run_again(fresh: Path, ran: list[str]) -> None:
    with engine(project(fresh)) as running:
        running.run("ingest")
    assert ran == ["ingest"]
    update(fresh)
    assert ran == NAMES
    with engine(project(fresh)) as running:
        running.run("clean")
    assert ran == [*NAMES, "clean"]
    update(fresh)
    assert ran == [*NAMES, "clean"]


def test_a_stage_before_its_input_says_who_writes_it(fresh: Path, ran: list[str]) -> None:
    with engine(project(fresh)) as running, pytest.raises(DataError, match="clean writes it"):
        running.run("align")
    assert ran == []


def test_input_that_changes_during_a_stage_runs_it_again(
    fresh: Path, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest = sys.modules["seshat.data.ingest"]
    normal = ingest.run

    def meddle(project: Project) -> dict[str, Any]:
        summary: dict[str, Any] = normal(project)
        (fresh / "data/raw/translations/a.csv").write_text("while it ran\n")
        return summary

    monkeypatch.setattr(ingest, "run", meddle)
    update(fresh)
    monkeypatch.setattr(ingest, "run", normal)
    ran.clear()
    update(fresh)
    assert ran[0] == "ingest"


def test_a_full_disk_while_dvc_records(fresh: Path, ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from dvc.stage import Stage as DvcStage

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(DvcStage, "commit", full)
        with pytest.raises(DataError, match="the disk is full"):
            update(fresh)
    ran.clear()
    update(fresh)
    assert ran == NAMES


def test_status_before_anything_has_run(fresh: Path, ran: list[str]) -> None:
    with engine(project(fresh)) as running:
        found = running.status()
    assert ran == []
    assert {one.state for one in found} == {"will-run"}
    assert found[0].reasons == ("it has not run yet",)


def test_status_tells_and_runs_nothing(root: Path, ran: list[str]) -> None:
    with engine(project(root, align={"min_confidence": 0.9})) as running:
        found = {one.stage: one for one in running.status()}
    assert ran == []
    assert found["clean"].state == "current"
    assert found["align"].reasons == ("align.min_confidence: 0.5 -> 0.9",)
    assert found["split"].state == "may-run"
    assert found["split"].after == ("align",)
    json.dumps([one.as_dict() for one in found.values()])


class TestStrangersProject:
    """A project that somebody else made is safe to run."""

    @pytest.fixture
    def home(self, fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
        (fresh / "seshat.yaml").touch()
        return tmp_path_factory.mktemp("home")

    def test_a_link_instead_of_a_models_folder(self, fresh: Path, ran: list[str], home: Path) -> None:
        thesis = home / "thesis" / "chapter.txt"
        thesis.parent.mkdir(parents=True)
        thesis.write_text("precious")
        model = project(fresh).model()
        model.parent.mkdir()
        model.symlink_to(home, target_is_directory=True)
        with pytest.raises(DataError, match=rf"models/{model.name}: this link leads out of the project"):
            update(fresh)
        assert thesis.read_text() == "precious"

    @pytest.mark.parametrize("name", [".dvc/cache", ".seshat", "data/interim/clean", "dvc.lock", "reports"])
    def test_links_elsewhere(self, fresh: Path, ran: list[str], home: Path, name: str) -> None:
        (home / "photo.jpg").write_text("precious")
        (fresh / name).parent.mkdir(parents=True, exist_ok=True)
        (fresh / name).symlink_to(home, target_is_directory=True)
        with pytest.raises(DataError, match="this link leads out of the project"):
            update(fresh)
        assert [path.name for path in home.iterdir()] == ["photo.jpg"]

    def test_git_is_never_called(
        self, fresh: Path, ran: list[str], home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        called = home / "called"
        program = home / "bin" / "git"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\ntouch {called}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
        (fresh / ".git").mkdir()
        (fresh / ".dvc").mkdir()
        (fresh / ".dvc" / "config").write_text("[core]\n    no_scm = false\n    autostage = true\n")
        update(fresh)
        assert not called.exists()


class TestReview:
    """The file of doubtful pairs, which the align stage and people both write."""

    HEADER = "bead_id,document,source_lines,target_lines,decision,comment,status,fingerprint\n"

    def review(self, root: Path, *rows: str) -> None:
        (root / "reports/alignment_review.csv").write_text(self.HEADER + "".join(f"{row}\n" for row in rows))

    def test_only_decisions_count(self, root: Path, ran: list[str]) -> None:
        self.review(root, "a:1-1,a,1,1,,,,f", "a:2-2,a,2,2,,look at this,,f")
        update(root)
        assert ran == []
        self.review(root, "a:1-1,a,1,1,accept,,,f", "a:2-2,a,2,2,,look at this,,f")
        outcomes = update(root)
        assert ran == ["align"]
        assert outcomes[2].reasons == ("what people have written in its review file changed",)
        self.review(root, "a:1-1,a,1,1,accept,,applied,f")
        update(root)
        assert ran == ["align"]

    def test_a_file_that_cannot_be_read_is_for_the_stage_to_refuse(self, root: Path, ran: list[str]) -> None:
        (root / "reports/alignment_review.csv").write_text("no,header\n")
        update(root)
        assert ran == ["align"]

    def test_never_out_of_the_cache(self, root: Path, ran: list[str]) -> None:
        update(root, align={"min_confidence": 0.9})
        update(root)
        assert ran.count("align") == 2

    def test_written_again_when_it_is_deleted(
        self, fresh: Path, ran: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        align = sys.modules["seshat.data.align.stage"]
        normal = align.run

        def run(project: Project) -> dict[str, Any]:
            self.review(project.root)
            summary: dict[str, Any] = normal(project)
            return summary

        (fresh / "reports").mkdir()
        monkeypatch.setattr(align, "run", run)
        update(fresh)
        (fresh / "reports/alignment_review.csv").unlink()
        ran.clear()
        outcomes = update(fresh)
        assert ran == ["align"]
        assert outcomes[2].reasons == ("reports/alignment_review.csv is missing",)


class TestAfterAKill:
    """What a killed run may leave behind must not stop the next one."""

    def test_half_a_lock_file_of_dvc(self, root: Path, ran: list[str]) -> None:
        content = (root / "dvc.lock").read_bytes()
        for size in (0, len(content) // 2):
            (root / "dvc.lock").write_bytes(content[:size])
            outcomes = update(root)
            assert set(states(outcomes).values()) <= {"current", "cache", "ran"}
        ran.clear()
        update(root)
        assert ran == []

    def test_half_a_reader_writer_lock(self, root: Path, ran: list[str]) -> None:
        (root / ".dvc/tmp/rwlock").write_text('{"write": {"/a')
        update(root)
        assert ran == []

    def test_half_an_init(self, fresh: Path, ran: list[str]) -> None:
        (fresh / ".dvc/tmp").mkdir(parents=True)
        (fresh / ".dvc.abc.tmp").mkdir()
        update(fresh)
        assert ran == NAMES
        assert not (fresh / ".dvc.abc.tmp").exists()

    def test_half_a_resolved_configuration(self, root: Path, ran: list[str]) -> None:
        for name in (graph.RESOLVED, graph.PARAMS, graph.GRAPH):
            (root / name).write_text('{"project"')
        update(root)
        assert ran == []

    def test_lost_notes_cost_only_words(self, root: Path, ran: list[str]) -> None:
        for path in (root / ".seshat/ran").iterdir():
            path.write_text("{")
        outcomes = update(root)
        assert ran == []
        assert outcomes[0].summary == {}
        assert update(root, evaluate={"samples": 3})[-1].reasons == ("evaluate changed",)

    def test_temporary_files_go(self, root: Path, ran: list[str]) -> None:
        left = [root / "data/processed/.train.jsonl.x8s.tmp", root / "models/statistical/es/.table.tmp"]
        for path in left:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("half")
        kept = root / "data/raw/.mine.tmp"
        kept.write_text("mine")
        assert sorted(sweep(project(root))) == sorted(left)
        assert not any(path.exists() for path in left)
        assert kept.exists()


class TestGraph:
    def test_reads_like_a_graph(self, root: Path, ran: list[str]) -> None:
        content = YAML(typ="safe").load((root / graph.GRAPH).read_text())
        assert list(content["stages"]) == NAMES
        assert content["stages"]["ingest"]["deps"] == ["data/raw/translations/a.csv", "data/raw/monolingual"]
        assert content["stages"]["train"]["outs"] == ["models/statistical"]
        assert "data/training/test.jsonl" not in content["stages"]["train"]["deps"]

    def test_every_setting_is_in_the_parameters(self, tmp_path: Path) -> None:
        found = graph.params(project(tmp_path))
        for stage in SWITCHED_ON:
            for key in graph.settings(stage, project(tmp_path)):
                reduce(getitem, key.split("."), found)

    def test_every_setting_moves_the_parameters(self, tmp_path: Path) -> None:
        plain = graph.params(project(tmp_path))
        rules = {"profiles": {"qlm": {"rules": [{"name": "a", "type": "digits"}]}}}
        changes: list[dict[str, Any]] = [{"clean": rules}, {"split": {"test": 0.2}}, {"ingest": {"sources": []}}]
        for changed in changes:
            assert graph.params(project(tmp_path, **changed)) != plain

    def test_the_graph_of_the_sample_is_the_present_one(self) -> None:
        """It is kept in git for readers; `seshat status -p projects/sample` writes it."""
        sample = Path(__file__).parents[2] / "projects/sample"
        kept = YAML(typ="safe").load((sample / graph.GRAPH).read_text())
        present = graph.graph(Project(sample, load_config(sample)))
        # What ingest reads is known only when the raw files have been generated.
        assert kept["stages"].pop("ingest")["outs"] == present["stages"].pop("ingest")["outs"]
        assert kept == present

    def test_resolved_configuration_comes_back(self, root: Path) -> None:
        before = project(root, clean={"profiles": {"qlm": {"tests": [{"in": "a", "out": "b"}]}}})
        graph.write(before)
        assert graph.read_resolved(root) == before.config

    def test_resolved_configuration_missing(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="cannot be read"):
            graph.read_resolved(tmp_path)

    def test_nothing_is_rewritten_without_need(self, root: Path, ran: list[str]) -> None:
        files = [root / graph.GRAPH, root / graph.RESOLVED, root / graph.PARAMS, root / "dvc.lock"]
        before = [path.stat().st_mtime_ns for path in files]
        update(root)
        assert [path.stat().st_mtime_ns for path in files] == before

    def test_dvc_itself_agrees(self, root: Path, ran: list[str]) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "dvc", "status"], cwd=root, capture_output=True, text=True, check=True
        )
        assert "up to date" in done.stdout


def test_source_paths(tmp_path: Path) -> None:
    for name in ("a/x.csv", "a/deep/y.csv", "t.qlm", "t.es", "doc/one.qlm.txt"):
        path = tmp_path / "data/raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    sources = [
        {"name": "1", "path": ["a/x.csv", "missing.csv"]},
        {"name": "2", "path": "a/**/*.csv"},
        {"name": "3", "path": "t.{lang}"},
        {"name": "4", "path": "doc/*.{lang}.txt"},
    ]
    found = source_paths(project(tmp_path, ingest={"sources": sources}))
    assert [path.relative_to(tmp_path / "data/raw").as_posix() for path in found] == ["a", "t.qlm", "t.es", "doc"]


HOLDER = """
import sys, time
from pathlib import Path
from seshat.pipeline.lock import hold
with hold(Path(sys.argv[1])) as lock:
    lock.note(stage="train")
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the project."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / ".seshat")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_two_runs_at_once(fresh: Path, ran: list[str], other: subprocess.Popen[str]) -> None:
    with pytest.raises(ProjectBusy, match=rf"process {other.pid} is already working in this project \(train\)"):
        update(fresh)
    other.kill()
    other.wait()
    update(fresh)
    assert ran == NAMES


def test_the_lock_says_who_holds_it(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    assert lock.holder(tmp_path / ".seshat") == {"pid": other.pid, "stage": "train"}
    assert lock.holder(tmp_path / "nowhere") == {}
