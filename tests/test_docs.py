"""The documentation site: built strictly, so that no link is dead, and complete."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    pages = {path.name for path in (tmp_path / "site").rglob("*.html")}
    assert {f"{path.stem}.html" for path in ROOT.glob("docs/**/*.md")} <= pages
    html = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?://[^"]+)"', html)
    assert loaded == [], "a page fetches something from elsewhere"


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    decisions = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    for path in ROOT.glob("docs/*.md"):
        assert path.name in navigation, path
    for path in ROOT.glob("docs/decisions/*.md"):
        assert f"decisions/{path.name}" in decisions, path


@pytest.mark.parametrize("name", ["train", "inference"])
def test_the_dockerfiles_pass_the_linter(name: str) -> None:
    linter = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if linter is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run([linter, str(ROOT / f"docker/Dockerfile.{name}")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_services_run_without_rights() -> None:
    from ruamel.yaml import YAML

    services = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    assert {"serve", "demo", "mlflow", "database"} == set(services)
    for name, service in services.items():
        assert "no-new-privileges:true" in service["security_opt"], name
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), f"{name} listens to everybody"
