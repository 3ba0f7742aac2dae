"""What is recorded about a run: complete, fast the second time, and without secrets."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from seshat.config import Config
from seshat.core.errors import DataError
from seshat.project import provenance
from seshat.project.folder import Project
from seshat.project.provenance import data_hashes, git_revision, masked, masked_command, record_run, snapshot


@pytest.fixture
def project(tmp_path: Path) -> Project:
    raw = tmp_path / "data" / "raw"
    for name, text in {"a.csv": "one", "sub/b.txt": "two", "sub/.gitkeep": ""}.items():
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        (raw / name).write_text(text)
        os.utime(raw / name, (1_000_000_000, 1_000_000_000))
    return Project(tmp_path, Config())


def test_hashes_are_those_of_the_files_and_are_not_computed_twice(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = provenance._sha256

    def noted(path: Path) -> str:
        read.append(path.name)
        return real(path)

    monkeypatch.setattr(provenance, "_sha256", noted)
    expected = {"a.csv": hashlib.sha256(b"one").hexdigest(), "sub/b.txt": hashlib.sha256(b"two").hexdigest()}
    assert data_hashes(project) == expected
    assert data_hashes(project) == expected
    assert read == ["a.csv", "b.txt"]
    (project.raw / "a.csv").write_text("new")
    assert data_hashes(project)["a.csv"] == hashlib.sha256(b"new").hexdigest()
    (project.raw / "a.csv").unlink()
    assert list(data_hashes(project)) == ["sub/b.txt"]


def test_a_file_just_written_is_read_again(project: Project) -> None:
    path = project.raw / "a.csv"
    path.write_text("aaa")
    stamp = path.stat().st_mtime_ns
    data_hashes(project)
    path.write_text("bbb")
    os.utime(path, ns=(stamp, stamp))
    assert data_hashes(project)["a.csv"] == hashlib.sha256(b"bbb").hexdigest()


@pytest.mark.parametrize("broken", ["", "[]", "{", '{"a.csv": 3}'])
def test_a_broken_cache_is_ignored(project: Project, broken: str) -> None:
    project.state.mkdir()
    (project.state / "hashes.json").write_text(broken)
    assert data_hashes(project)["a.csv"] == hashlib.sha256(b"one").hexdigest()


def test_links_are_followed_once(project: Project) -> None:
    (project.raw / "sub" / "up").symlink_to(project.raw, target_is_directory=True)
    (project.raw / "gone").symlink_to(project.raw / "nowhere")
    assert list(data_hashes(project)) == ["a.csv", "sub/b.txt"]


def test_an_unreadable_file_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(provenance, "_sha256", refuse)
    with pytest.raises(DataError, match=r"a\.csv: cannot be read: Permission denied"):
        data_hashes(project)


def test_no_raw_folder_is_no_data(tmp_path: Path) -> None:
    assert data_hashes(Project(tmp_path, Config())) == {}


def test_snapshot_is_equal_for_equal_projects_and_recorded_whole(project: Project) -> None:
    first = snapshot(project, ["seshat", "run", "track.token=abc"])
    assert first == snapshot(project, ["seshat", "run", "track.token=abc"])
    assert first["config"] == project.config.model_dump(mode="json", by_alias=True)
    assert first["seed"] == 13
    assert {"seshat", "pydantic", "sacrebleu"} <= set(first["packages"])
    assert str(project.root) not in json.dumps(first)
    one, two = record_run(project, first), record_run(project, first)
    assert one != two
    assert one.parent == project.reports / "runs"
    written = json.loads(one.read_text(encoding="utf-8"))
    assert {key: value for key, value in written.items() if key != "recorded"} == first
    assert written["command"] == ["seshat", "run", "track.token=***"]
    (project.raw / "a.csv").write_text("changed")
    assert snapshot(project)["data_sha256"] != first["data_sha256"]


def test_environment_is_not_recorded(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SECRET", "c0ffee-in-the-environment")
    assert "c0ffee-in-the-environment" not in json.dumps(snapshot(project, ["x"]))


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["a.api_key=xyz", "a.batch_tokens=5"], ["a.api_key=***", "a.batch_tokens=5"]),
        (["--token", "xyz", "--model", "m"], ["--token", "***", "--model", "m"]),
        (["--token=xyz"], ["--token=***"]),
        (["--token", "--json"], ["--token", "--json"]),
        (["x.y=hf_abcdefghijklmnopqrstuvwx"], ["x.y=***"]),
        (["https://me:pw@host.org/x?a=1&api_key=zz"], ["https://***@host.org/x?a=1&api_key=***"]),
        (["train.name=tokenizer", "key-lime"], ["train.name=tokenizer", "key-lime"]),
    ],
)
def test_what_looks_like_a_secret_is_masked(command: list[str], shown: list[str]) -> None:
    assert masked_command(command) == shown


def test_secrets_in_the_configuration_are_masked() -> None:
    value = {"serve": {"password": "p", "port": 3}, "files": [{"url": "https://x.org/f?token=abc"}], "token": None}
    assert masked(value) == {
        "serve": {"password": "***", "port": 3},
        "files": [{"url": "https://x.org/f?token=***"}],
        "token": None,
    }


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_git_revision_is_read_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    (home / "project").mkdir(parents=True)
    _git(home, "init", "-b", "main")
    assert git_revision(home / "project") is None  # no commit yet
    _git(home, "commit", "--allow-empty", "-m", "first")
    first = _git(home, "rev-parse", "HEAD")
    assert git_revision(home / "project") == first
    _git(home, "pack-refs", "--all")
    _git(home, "worktree", "add", "-b", "other/branch", str(tmp_path / "beside"))
    _git(tmp_path / "beside", "commit", "--allow-empty", "-m", "second")
    second = _git(tmp_path / "beside", "rev-parse", "HEAD")
    _git(home, "checkout", "--detach", second)
    monkeypatch.setenv("PATH", "")
    assert git_revision(tmp_path / "beside") == second
    assert git_revision(home) == second
    (home / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    assert git_revision(home) == first  # among the packed ones
    (home / ".git" / "HEAD").write_text("ref: ../../elsewhere\n")
    assert git_revision(home) is None


def test_programs_that_a_repository_names_are_not_run(project: Project, tmp_path: Path) -> None:
    ran = tmp_path / "RAN"
    _git(project.root, "init")
    _git(project.root, "config", "core.fsmonitor", f"touch {ran}; false")
    _git(project.root, "config", "filter.x.clean", f"touch {ran}; cat")
    (project.root / ".gitattributes").write_text("* filter=x\n")
    snapshot(project)
    assert not ran.exists()
