"""The guide's way from a clone to a served model, typed as it stands in docs/walk.md, on a small project."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest
from tests.small_project import small_project

ROOT = Path(__file__).parents[1]
LINES = [
    line
    for block in re.findall(r"^```bash\n(.*?)^```", (ROOT / "docs/walk.md").read_text(encoding="utf-8"), re.M | re.S)
    for line in block.splitlines()
]
INSTALLED = ("-o", ".venv/.core", "-o", ".venv/.dev")
"""What the tests run in was installed before."""


def words(line: str, project: Path) -> list[str]:
    """A line as typed, on another project, in a shell where nothing was activated."""
    typed = [str(project) if word == "projects/sample" else word for word in shlex.split(line)]
    return [typed[0], *INSTALLED, f"PROJECT={project}", *typed[1:]] if typed[0] == "make" else typed


@pytest.mark.slow
def test_a_newcomer_ends_with_a_served_model(tmp_path: Path) -> None:
    project = small_project(tmp_path / "lang")
    environment = {**os.environ, "PATH": "/usr/bin:/bin"}
    said = {}
    assert LINES[0] == "make install"
    assert LINES[-1] == "make serve"
    for line in LINES[1:-1]:
        done = subprocess.run(
            words(line, project), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        said[line] = done.stdout
    assert "chrf" in said["make eval"].lower()
    assert (project / "reports/evaluation.html").is_file()
    serve = [*words(LINES[-1], project), "ARGS=--port 0"]
    server = subprocess.Popen(
        serve, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert server.stdout is not None
        address = next(line.split()[-1] for line in server.stdout if "http://" in line)
        body = json.dumps({"texts": ["Mina palina basi."]}).encode()
        asked = urllib.request.Request(f"{address}/translate", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=60) as answer:
            assert json.load(answer)["translations"][0]["text"] == "La niña ve la casa."
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.communicate(timeout=60)
