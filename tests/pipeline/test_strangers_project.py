"""A project that came from a stranger: what it holds is data, and a run ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from seshat.cli.app import app
from seshat.project.folder import open_project
from seshat.review.corrections import open_corrections

CONFIG = """\
project: {name: Tiny, language: qlm, pivot: es, max_access: public}
ingest:
  sources:
    - {name: pairs, path: 'PATH', columns: {qlm: a, es: b}, access: public, licence: CC0}
"""
PIPE = "a pipe or device"
ROWS = "a\tb\nka\tcasa\n"


def project(root: Path, path: str = "pairs.tsv", more: str = "") -> Path:
    raw = root / "data/raw"
    raw.mkdir(parents=True)
    (root / "seshat.yaml").write_text(CONFIG.replace("PATH", path) + more)
    (raw / "pairs.tsv").write_text(ROWS)
    return root


def seshat(*arguments: str) -> tuple[int, str]:
    began = time.monotonic()
    shown = CliRunner().invoke(app, [*arguments, "--quiet"])
    assert time.monotonic() - began < 30
    return shown.exit_code, shown.stderr


def pipe(root: Path) -> None:
    os.mkfifo(root / "data/corrections.sqlite")


def pipe_among_files(root: Path) -> None:
    os.mkfifo(root / "data/raw/more.tsv")


def pipe_as_configuration(root: Path) -> None:
    (root / "profiles").mkdir()
    os.mkfifo(root / "profiles/local.yaml")


def loop(root: Path) -> None:
    (root / "data/raw/around").symlink_to("around")
    (root / "data/raw/up").symlink_to("..")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of POSIX")
@pytest.mark.parametrize(
    ("attack", "expected"),
    [(pipe, PIPE), (pipe_among_files, PIPE), (loop, "a link that leads in a circle"), (pipe_as_configuration, PIPE)],
)
def test_pipes_and_links_in_circles_do_not_hold_a_run(
    tmp_path: Path, attack: Callable[[Path], None], expected: str
) -> None:
    root = project(tmp_path / "p", "**/*.tsv")
    attack(root)
    profile = ["--profile", "local"] if attack is pipe_as_configuration else []
    code, said = seshat("run", "--project", str(root), "--until", "ingest", *profile)
    assert code in (1, 2), said
    assert expected in said


def test_a_graph_below_the_project_is_data(tmp_path: Path) -> None:
    root = project(tmp_path / "p")
    (root / "data/raw/o").mkdir()
    (root / "data/raw/o/dvc.yaml").write_text("stages: {ingest: {cmd: touch RAN, deps: [a]}}")
    assert seshat("run", "--project", str(root), "--until", "ingest") == (0, "")
    assert not list(root.rglob("RAN"))
    assert (root / "data/interim/ingest/segments.jsonl").read_text().count("\n") == 1


def test_a_rule_that_takes_for_ever_is_named(tmp_path: Path) -> None:
    rule = "{name: r, type: regex, pattern: '^(a|aa)+$', replacement: x}"
    root = project(tmp_path / "p", more=f"clean: {{profiles: {{qlm: {{rules: [{rule}]}}}}}}\n")
    (root / "data/raw/pairs.tsv").write_text(f"{ROWS}{'a' * 60}!\tcasa\n")
    code, said = seshat("run", "--project", str(root), "--until", "clean")
    assert (code, "rule 'r'" in said, "takes too long" in said) == (1, True, True)


@pytest.mark.skipif(os.name == "nt", reason="permissions are of POSIX")
def test_what_a_run_writes_belongs_to_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.umask(0o022)
    try:
        root = project(tmp_path / "p")
        own = {root, *root.rglob("*")}
        # In a process of its own, as people run it: DVC asks for the umask once, when it is imported.
        command = [sys.executable, "-m", "seshat", "run", "--project", str(root), "--until", "clean", "--quiet"]
        subprocess.run(command, check=True, capture_output=True)
        open_corrections(open_project(root)).close()
        made = [path for path in root.rglob("*") if path not in own]
        open_to_others = {path.relative_to(root).as_posix() for path in made if path.stat().st_mode & 0o077}
        # What DVC keeps is read-only for everybody, in a folder that only the owner enters.
        assert not {path for path in open_to_others if not path.startswith(".dvc/cache/files/")}
        assert (root / ".dvc").stat().st_mode & 0o777 == 0o700
        monkeypatch.setenv("SESHAT_UMASK", "007")
        (root / "data/interim/clean/report.json").unlink()
        assert seshat("clean", "--project", str(root))[0] == 0
        assert (root / "data/interim/clean/report.json").stat().st_mode & 0o777 == 0o660
    finally:
        os.umask(before)


@pytest.mark.parametrize("kind", ["list", "merge", "large"])
def test_a_configuration_that_grows_is_refused(tmp_path: Path, kind: str) -> None:
    root = project(tmp_path / "p")
    if kind == "list":
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    elif kind == "merge":
        lines = ["a0: &a0 {" + ", ".join(f"k{n}: x" for n in range(50)) + "}"]
        lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 20)}]}}" for n in range(1, 10)]
    else:
        lines = ["# " + "x" * 2_100_000]
    (root / "seshat.yaml").write_text("\n".join(lines) + "\n" + CONFIG)
    code, said = seshat("check", "--project", str(root))
    assert (code, "more than 50,000 values" in said or "is larger than 2 MB" in said) == (2, True), said
