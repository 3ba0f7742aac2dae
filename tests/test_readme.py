"""What the documents tell people to type exists, and the README's way to a project of one's own works."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from seshat.cli.app import app
from seshat.config import presets
from seshat.config.load import load_config

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("projects/*/README.md"))]


def typed(path: Path) -> Iterator[str]:
    """The lines of the fenced blocks that people are to type."""
    text = path.read_text(encoding="utf-8")
    for block in re.findall(r"^```(?:sh|bash|console)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            command = line.strip().removeprefix("$ ").removeprefix(".venv/bin/")
            if command.startswith(("seshat ", "make ")):
                yield command


COMMANDS = sorted({command for path in DOCUMENTS for command in typed(path)})


GUIDE = ROOT / "docs/guide.md"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project that the guide begins with."""
    folder = tmp_path_factory.mktemp("guide") / "mylanguage"
    first = next(line for line in typed(GUIDE) if line.startswith("seshat init"))
    words = [str(folder) if word == "mylanguage" else word for word in shlex.split(first, comments=True)[1:]]
    assert CliRunner().invoke(app, words).exit_code == 0
    return folder


def test_every_block_of_settings_in_the_guide_is_valid(empty: Path) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) > 3
    for number, block in enumerate(blocks):
        profile = f"block{number}"
        (empty / "profiles").mkdir(exist_ok=True)
        (empty / "profiles" / f"{profile}.yaml").write_text(block, encoding="utf-8")
        # Below the block that names a preset, the guide speaks of that model.
        load_config(empty, profiles=[profile], overrides=[] if "preset:" in block else ["model.preset=byt5-base"])


@pytest.mark.parametrize("line", [line for line in typed(GUIDE) if re.search(r" [a-z]+\.[a-z_.]+=", line)])
def test_every_setting_typed_in_the_guide_is_valid(line: str, empty: Path) -> None:
    words = shlex.split(line, comments=True)[1:]
    load_config(empty, overrides=[word for word in words if re.match(r"[a-z]+\.[a-z_.]+=", word)])


def test_every_preset_in_the_guide_exists() -> None:
    said = re.findall(r"`((?:byt5|mt5|nllb|qwen3|gemma3|xlmr)-[a-z0-9.-]+)`", GUIDE.read_text(encoding="utf-8"))
    assert said
    assert set(said) <= set(presets.names())


def test_there_are_commands_to_check() -> None:
    assert len(COMMANDS) > 10


@pytest.mark.parametrize("line", [command for command in COMMANDS if command.startswith("seshat ")])
def test_every_command_is_understood(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        name = words.pop(0)
        if name.startswith("--"):
            return  # an option of seshat itself, such as --version
        assert name in command.commands, f"there is no `{name}`"
        command = command.commands[name]
    command.make_context(str(command.name), words)


@pytest.mark.parametrize("line", [command for command in COMMANDS if command.startswith("make ")])
def test_every_make_target_exists(line: str) -> None:
    target = shlex.split(line, comments=True)[1]
    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / link).exists(), link


def test_a_project_of_ones_own(tmp_path: Path) -> None:
    def seshat(*words: str | Path) -> str:
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == 0, result.output
        return result.output

    folder = tmp_path / "mylanguage"
    seshat("init", folder, "--language", "quz", "--pivot", "es", "--name", "My language")
    rows = "".join(f"pachi {i},palabra {i}\n" for i in range(40))
    (folder / "data/raw/translations/pairs.csv").write_text(f"quz,es\n{rows}", encoding="utf-8")
    config = folder / "seshat.yaml"
    source = "ingest:\n  sources:\n    - {name: pairs, path: translations/*.csv, document: line, access: public}\n"
    text = re.sub(r"^ingest:.*?(?=^\S)", source, config.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    config.write_text(text, encoding="utf-8")
    seshat("config", "show", "--project", folder)
    assert "40" in seshat("ingest", "--project", folder)
    assert "will run" in seshat("status", "--project", folder)
