"""The bundle for Kaggle: what is in it, its notebook run without a network, and how it is brought there."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.bitext import make_project
from tests.kaggle_server import KEY, USER, Kaggle, kaggle_server

import seshat
from seshat.cli.notebook import find_test
from seshat.config import Config
from seshat.config.load import load_config
from seshat.core.errors import CheckFailed, DataError, UsageError
from seshat.core.jsonl import write_json
from seshat.inference.load import load_translator
from seshat.models.train import run as train
from seshat.project.folder import Project
from seshat.prompt.request import requests
from seshat.submit import dryrun, kaggle, upload, wheels
from seshat.submit.notebook import notebook

TEST = """\
id,text_id,line_start,line_end,transliteration
0,t,3,4,Tamaka kiru bali rapai.
1,t,1,2,Welo zorgo.
2,u,1',1',!
"""
WHEELS = ["sil-thot", "rapidfuzz", "structlog", "sacrebleu", "portalocker"]
SUBMIT = {
    "empty": "<gap>",
    "kaggle": {"competition": "tablets", "owner": USER, "name": "old-tablets", "wheels": WHEELS},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A trained statistical model, and a test file."""
    made = make_project(tmp_path_factory.mktemp("kaggle"), train=60, settings={"tune": False})
    values = made.config.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    made = Project(made.root, Config.model_validate({**values, "submit": SUBMIT}))
    (made.raw / "test").mkdir(parents=True)
    (made.raw / "test/test.csv").write_text(TEST)
    train(made)
    return made


@pytest.fixture(scope="module")
def bundle(project: Project) -> Path:
    """Its bundle, with the wheels of this environment."""
    return Path(kaggle.run(project)["bundle"])


def ask(python: Path, code: str) -> subprocess.CompletedProcess[str]:
    """What a Python says."""
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)


def test_the_bundle_is_a_project_that_translates(project: Project, bundle: Path) -> None:
    dataset = bundle / "dataset"
    assert load_config(dataset) == project.config
    name = project.config.train.name
    way = project.config.project.directions[0]
    texts = ["Tamaka kiru bali rapai."]
    assert load_translator(dataset / "models" / name, way).translate(requests(texts)) == load_translator(
        project.model(name), way
    ).translate(requests(texts))
    assert (dataset / "data/training/train.jsonl").is_file()
    assert not (dataset / "data/raw").exists()
    described, kernel = kaggle.read_metadata(bundle)
    assert described["id"] == "scribe/old-tablets"
    assert kernel["dataset_sources"] == ["scribe/old-tablets"]
    assert (kernel["enable_internet"], kernel["is_private"], kernel["competition_sources"]) == (
        False,
        True,
        ["tablets"],
    )
    assert kernel["title"].replace(" ", "-") == kernel["id"].partition("/")[2]


def test_the_notebook_holds_calls_and_no_copies(bundle: Path) -> None:
    import nbformat

    text = (bundle / "notebooks/submission.ipynb").read_text()
    made = nbformat.reads(text, as_version=4)
    nbformat.validate(made)
    code = [cell.source for cell in made.cells if cell.cell_type == "code"]
    assert [source.splitlines()[-1].partition("(")[0] for source in code[1:]] == [
        "job = Job", "job.preprocess", "job.translate", "job.consensus", "job.postprocess", "job.write",
    ]  # fmt: skip
    assert sum("def " in source for source in code) == 0
    for source in code:
        compile(source, "cell", "exec")
    values = {"title": "t", "dataset": "a/b", "model": "m", "packages": ["seshat"], "marker": "x", "budget": "8.1h"}
    assert notebook(**values) == notebook(**values)  # type: ignore[arg-type]


def test_the_wheels_hold_what_is_installed(bundle: Path, tmp_path: Path) -> None:
    own = next((bundle / "dataset/wheels").glob("seshat_toolkit-*.whl"))
    with zipfile.ZipFile(own) as archive:
        names = archive.namelist()
        here = Path(seshat.__file__).parent / "submit/submission.py"
        assert archive.read("seshat/submit/submission.py") == here.read_bytes()
        assert any(name.endswith("entry_points.txt") for name in names)
    packed = wheels.pack("structlog", tmp_path)
    again = wheels.pack("structlog", tmp_path / ".." / tmp_path.name)
    assert packed.read_bytes() == again.read_bytes()
    with zipfile.ZipFile(packed) as archive:
        assert not any("__pycache__" in name or "INSTALLER" in name for name in archive.namelist())
    with pytest.raises(DataError, match=r"no wheels of rapidfuzz, sil-thot\."):
        wheels.copy_wheels(["structlog", "rapidfuzz", "sil-thot"], tmp_path, tmp_path / "to")


@pytest.mark.slow
def test_the_notebook_runs_without_a_network_and_says_what_the_command_line_says(
    project: Project, bundle: Path
) -> None:
    found = dryrun.run(project, None, bundle)
    assert found["same"] is True
    assert found["rows"] == 3
    assert found["seconds_per_row"] > 0
    written = (project.state / "dry-run/submission.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in written] == ["id", "0", "1", "2"]
    executed = json.loads((project.state / "dry-run/submission.ipynb").read_text())
    assert all(cell["outputs"] for cell in executed["cells"][2:])
    # Seshat came out of the wheel, and what the bundle does not bring and Kaggle does not have is not there.
    python = project.state / "dry-run/venv/bin/python"
    where = ask(python, "import seshat, thot; print(seshat.__file__, thot.__file__)")
    assert where.stdout.count(str(project.state / "dry-run/venv")) == 2
    assert "No module named 'dvc'" in ask(python, "import dvc").stderr


def test_the_guard_where_the_system_cannot_cut_the_network_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    dryrun.environment(tmp_path, ["structlog-1-py3-none-any.whl"])
    cut, words = dryrun.isolation(tmp_path)
    assert cut == []
    assert "refused inside Python" in words
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}))"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
        tried = ask(tmp_path / "venv/bin/python", code)
    assert "Network is unreachable (dry run)" in tried.stderr
    assert "No module named 'structlog'" in ask(tmp_path / "venv/bin/python", "import regex, structlog").stderr


def test_an_adapter_alone_is_no_bundle(tmp_path: Path) -> None:
    project = Project(tmp_path, Config.model_validate({"project": {"language": "xx", "pivot": "en"}}))
    write_json(project.model("lora") / "model.json", {"family": "causal", "base": {"id": "x"}, "adapter": True})
    with pytest.raises(UsageError, match="lora is an adapter"):
        kaggle.run(project, "lora")


def test_the_test_file_is_found_among_the_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SESHAT_TEST", raising=False)
    for place in ("competitions/tablets/test.csv", "datasets/scribe/other/test.csv"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_text(TEST)
    assert find_test("test/test.csv", "tablets", tmp_path) == tmp_path / "competitions/tablets/test.csv"
    with pytest.raises(DataError, match=r"2 files 'test\.csv'(?s:.*)set SESHAT_TEST"):
        find_test("test/test.csv", None, tmp_path)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kaggle]:
    """A stand-in for Kaggle."""
    monkeypatch.delenv("KAGGLE_API_TOKEN", raising=False)
    monkeypatch.setenv("KAGGLE_USERNAME", USER)
    monkeypatch.setenv("KAGGLE_KEY", KEY)
    monkeypatch.setattr(upload, "WAIT", 0.0)
    monkeypatch.setattr(upload, "MOST_WAITS", 2)
    with kaggle_server() as found:
        monkeypatch.setenv("KAGGLE_API_URL", found.api)
        yield found


def test_a_dataset_and_a_notebook_are_made(bundle: Path, server: Kaggle) -> None:
    with pytest.raises(DataError, match="has not taken it in yet"):
        upload.upload_bundle(bundle)
    create = dict(server.posted)["datasets/create/new"]
    assert (create["ownerSlug"], create["slug"], create["isPrivate"]) == ("scribe", "old-tablets", True)
    assert tree(create, server) == {
        path.relative_to(bundle / "dataset").as_posix(): path.read_bytes()
        for path in (bundle / "dataset").rglob("*")
        if path.is_file()
    }
    server.posted.clear()
    server.existing.add("scribe/old-tablets")
    assert upload.upload_bundle(bundle)["dataset"] == "https://www.kaggle.com/datasets/scribe/old-tablets"
    made = [path for path, _ in server.posted if path != "blobs/upload"]
    assert made == ["datasets/create/version/scribe/old-tablets", "kernels/push"]
    pushed = dict(server.posted)["kernels/push"]
    assert pushed["text"] == (bundle / "notebooks/submission.ipynb").read_text()
    assert (pushed["enableInternet"], pushed["isPrivate"], pushed["competitionDataSources"]) == (
        False,
        True,
        ["tablets"],
    )


def tree(content: dict[str, object], server: Kaggle, above: str = "") -> dict[str, bytes]:
    """The files that the tokens of a dataset stand for, by path."""
    files: list[dict[str, str]] = content["files"]  # type: ignore[assignment]
    folders: list[dict[str, object]] = content["directories"]  # type: ignore[assignment]
    found = {above + server.names[one["token"]]: server.uploaded[one["token"]] for one in files}
    for folder in folders:
        found |= tree(folder, server, f"{above}{folder['name']}/")
    return found


def test_a_failing_cell_is_told(
    project: Project, bundle: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    made = json.loads((bundle / "notebooks/submission.ipynb").read_text())
    made["cells"] = [{**made["cells"][1], "source": "raise OSError('no such tablet')"}]
    write_json(broken / "notebooks/submission.ipynb", made)
    (broken / "dataset/wheels").mkdir(parents=True)
    with pytest.raises(CheckFailed, match="the notebook failed: OSError: no such tablet"):
        dryrun.run(project, None, broken)
