"""From a folder of text in Tamil script to a report, with a masked and with a causal model."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from benchmarks.kill import digests, finish, start
from tests.alone import prepared, texts

import seshat
from seshat.config.load import load_config
from seshat.core.errors import UsageError
from seshat.data.check.run import run as check

torch = pytest.importorskip("torch")
pytest.importorskip("trafilatura")

KILLED_AT = {
    "causal": ("data/interim/measure/documents.jsonl", ".seshat/work/**/checkpoint-*"),
    "masked": ("data/interim/mix/verdicts.jsonl", "models/*/run.json"),
}
"""What is there when a run is killed: after it was measured, drawn, in the middle of learning, before the report."""


@pytest.fixture(scope="module", params=["causal", "masked"])
def run(request: pytest.FixtureRequest, root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any]:
    """The shipped project, brought up to date with one of its profiles on a tiny base."""
    torch.set_num_threads(1)
    folder = Path(shutil.copytree(root / "projects" / "tamil", tmp_path_factory.mktemp("tamil") / "tamil"))
    opened = seshat.open(folder, [request.param], prepared(request.param, folder))
    opened.run()
    return request.param, opened


def test_text_alone_becomes_a_model_and_a_report(run: tuple[str, Any]) -> None:
    family, opened = run
    counts = json.loads((opened.root / "data" / "processed" / "report.json").read_text(encoding="utf-8"))["counts"]
    assert counts["train"] > 4 * counts["test"] > 0
    assert counts["validation"] > 0
    log = [json.loads(line) for line in (opened.project.model() / "log.jsonl").read_text().splitlines()]
    losses = [row["eval_loss"] for row in log if "eval_loss" in row]
    assert losses[-1] < losses[0], "it was judged on validation while it learned"
    found = json.loads((opened.root / "reports" / "evaluation.json").read_text(encoding="utf-8"))
    (table, *_) = found["likelihood"]
    assert table["of"] == "ta"
    bits = {row["name"]: row["bits_per_byte"] for row in table["systems"]}
    assert bits[opened.config.train.name] < bits["base (zero-shot)"]
    assert ("token unigrams" if family == "masked" else "byte n-grams") in bits
    page = (opened.root / "reports" / "evaluation.html").read_text(encoding="utf-8")
    assert "How well do the models know the language?" in page
    assert "translat" not in page.split("</header>")[1].split("<footer")[0].lower()
    if family == "masked":
        shown = [one["id"] for one in found["fill"]["samples"]]
        assert shown[: len(opened.config.evaluate.blanks)] == [f"evaluate.blanks[{n}]" for n in range(4)]
    else:
        own = [one for one in found["continued"] if one["id"].startswith("evaluate.blanks")]
        assert [one["before"] for one in own] == [one.split(" ___")[0] for one in opened.config.evaluate.blanks]
        shown = found["continued"][-1]
        assert [one["name"] for one in shown["systems"]] == [opened.config.train.name, "base (zero-shot)"]
        said, base = (one["text"] for one in shown["systems"])
        assert said != base
        assert any(f"{shown['before']} {shown['after']}" == line for lines in texts(11) for line in lines)
        assert "How does it go on?" in page


def test_a_translation_is_refused_with_what_there_is(run: tuple[str, Any]) -> None:
    with pytest.raises(UsageError, match="nothing that 'ta' is translated") as refused:
        run[1].project.config.project.pair  # noqa: B018
    assert "seshat export gguf" in str(refused.value.hint)


def test_nothing_of_the_test_set_is_learned(run: tuple[str, Any]) -> None:
    report = check(run[1].project)
    assert not report["failed"]
    assert report["stats"]["leaks"] == {
        place: {"exact": 0.0, "near": 0.0} for place in ("test in train", "validation in train", "test in validation")
    }
    assert {one.state for one in run[1].status()} <= {"current", "off"}


def test_the_configuration_says_what_may_be_used(root: Path) -> None:
    for profiles in ((), ("masked",), ("causal",)):
        config = load_config(root / "projects" / "tamil", profiles)
        assert config.project.pivot is None
        open_ones = {source.name for source in config.ingest.sources if source.access != "registered"}
        assert open_ones == {"wikipedia"}, "the other folders hold what their user puts there"
        assert all(source.licence for source in config.ingest.sources)


def _killed_when(process: subprocess.Popen[bytes], folder: Path, pattern: str) -> None:
    """Kill a run by force as soon as there is such a file."""
    while not any(folder.glob(pattern)):
        assert process.poll() is None, f"it ended before there was {pattern}"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("family", ["causal", "masked"])
def test_one_command_killed_at_points_ends_with_the_same_bytes(family: str, root: Path, tmp_path: Path) -> None:
    made, whole, cut = (tmp_path / name for name in ("made", "whole", "cut"))
    shutil.copytree(root / "projects" / "tamil", made)
    lists = made / "data" / "raw" / "modern.txt"
    command = [
        *("--profile", family, *prepared(family, made), "train.finetune.validate_every=0.4"),
        *("mix.strategy=modern", "mix.max_records=120", "measure.lists.modern=modern.txt"),
    ]
    said = (made / "data" / "raw" / "books" / "b1.txt").read_text(encoding="utf-8").split()
    lists.write_text("\n".join(sorted({word.strip(".") for word in said})), encoding="utf-8")
    for folder in (whole, cut):
        shutil.copytree(made, folder)
    finish(start(whole, *command))
    for pattern in KILLED_AT[family]:
        _killed_when(start(cut, *command), cut, pattern)
    finish(start(cut, *command))
    expected, found = digests(whole), digests(cut)
    drawn = json.loads((whole / "data" / "interim" / "mix" / "report.json").read_text(encoding="utf-8"))
    assert 100 < drawn["segments"] <= 120
    assert drawn["tags"]["mix:not-drawn"] > 0
    assert (whole / "reports" / "evaluation.html").exists()
    assert {name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)} == set()
