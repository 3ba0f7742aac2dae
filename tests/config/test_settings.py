"""A stage that reads a setting it does not name in the table of stages would not notice when it changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from tests.small_project import small_project

from seshat.config import Config
from seshat.config.load import load_config
from seshat.pipeline.stages import STAGES
from seshat.project.folder import Project

ONLY_IN_MESSAGES = {"download.files", "download.kaggle", "tracking.report_to", "prompt.context"}
"""Settings that change what is said, and where else; never what is written: of the last, the statistical family says
that it is left out."""


def watched(section: BaseModel, name: str, note: Callable[[str], None]) -> Any:
    """A copy of a section that notes every field that is read."""
    kind = type(section)
    fields = set(kind.model_fields)

    class Watched(kind):  # type: ignore[valid-type, misc]
        def __getattribute__(self, key: str) -> Any:
            value = super().__getattribute__(key)
            if key not in fields:
                return value
            place = f"{name}.{key}".lstrip(".")
            if isinstance(value, BaseModel):
                return watched(value, place, note)
            note(place)
            return value

    return Watched.model_construct(**{key: object.__getattribute__(section, key) for key in fields})


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project; the stages run in it one after the other."""
    return small_project(tmp_path_factory.mktemp("settings"))


@pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning")
def test_every_stage_names_every_setting_it_reads(root: Path) -> None:
    """In one test: a stage reads what the one before it wrote."""
    config = load_config(root)
    unnamed: dict[str, set[str]] = {}
    for stage in STAGES:
        read: set[str] = set()
        project = Project(root, watched(config, "", read.add))
        assert isinstance(project.config, Config)
        stage.run(project)
        named = stage.settings(config)
        assert read, "the watching does not work"
        unnamed[stage.name] = {
            key for key in read - ONLY_IN_MESSAGES if not any(key == one or key.startswith(f"{one}.") for one in named)
        }
    assert unnamed == {stage.name: set() for stage in STAGES}
