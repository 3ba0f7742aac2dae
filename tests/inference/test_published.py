"""A published translator: a folder of Transformers without anything of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from seshat.augment.models import open_translator
from seshat.config import Config, Direction
from seshat.config.augment import EndpointSection
from seshat.core.errors import DataError
from seshat.project.folder import Project
from seshat.prompt.request import requests

WAY = Direction("de", "en")


def test_translates_each_text_as_if_it_were_alone(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    from tests import tiny_models

    from seshat.inference.engines.published import PublishedTranslator

    tiny_models.marian(tmp_path / "models/opus")
    translator = PublishedTranslator(tmp_path / "models/opus", WAY)
    texts = ["la casa", "", "el perro ve la luna y el viejo canta"]
    found = translator.translate(requests(texts, 2))
    assert found[1].text == ""
    assert found[0].text == translator.translate(requests([texts[0]]))[0].text
    assert found[2].text == translator.translate(requests([texts[2]]))[0].text
    assert found[0].text != texts[0]
    project = Project(tmp_path, Config())
    opened = open_translator(project, EndpointSection(model="models/opus"), WAY)
    assert [one.text for one in opened.translate(requests(texts))] == [one.text for one in found]


def test_says_what_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    (tmp_path / "models/x").mkdir(parents=True)
    with pytest.raises(DataError, match=r"no model.json of Seshat, no config.json"):
        open_translator(Project(tmp_path, Config()), EndpointSection(model="models/x"), WAY)
