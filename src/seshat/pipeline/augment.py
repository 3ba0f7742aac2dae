"""Stage ``augment`` with what it may not know itself: the models that translate and answer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from seshat.config import Direction
from seshat.config.augment import EndpointSection
from seshat.data import augment
from seshat.data.augmentation.tools import TextTranslator, Tools
from seshat.project import Project


def run(project: Project) -> dict[str, Any]:
    """Run the stage; see :func:`seshat.data.augment.run`."""
    return augment.run(project, tools_of(project))


def tools_of(project: Project) -> Tools:
    """How the models that section ``augment`` names are opened."""

    def translator(section: EndpointSection, direction: Direction) -> TextTranslator:
        from seshat.inference.load import load_translator

        opened = load_translator(project.root / (section.model or ""), direction)

        def translate(texts: Sequence[str]) -> list[str]:
            return [hypothesis.text for hypothesis in opened.translate(texts)]

        return translate

    return Tools(translator=translator, identity=lambda section, way: identity(project, section, way))


def identity(project: Project, section: EndpointSection, direction: Direction | None) -> str:
    """Which model in which state: its server and name, or a digest of its description and of what is in its folder."""
    way = str(direction or "")
    if section.server is not None:
        return f"{section.server} {section.model} {way}"
    folder = project.root / (section.model or "")
    seen = hashlib.sha256()
    for path in sorted(folder.rglob("*.json")):
        seen.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        seen.update(f"{path.relative_to(folder).as_posix()} {path.stat().st_size}".encode())
    return f"{section.model} {seen.hexdigest()[:16]} {way}"
