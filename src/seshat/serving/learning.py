"""A service that uses corrections at once: as the translation of their text, and in engines that can learn."""

from __future__ import annotations

from contextlib import closing
from functools import partial

from seshat.config import Direction
from seshat.inference.memory import RememberingTranslator
from seshat.inference.translator import Translator
from seshat.project import Project
from seshat.records import Access
from seshat.serving.engines import configured
from seshat.serving.service import Service
from seshat.serving.store import Correction, open_corrections


def learning_service(project: Project, viewer: Access | None = None) -> Service:
    """A service whose translators remember the corrections that the viewer may see.

    Args:
        project: the project.
        viewer: as of :class:`Service`.

    Raises:
        SeshatError: the databases cannot be opened.
    """
    seen = project.config.serve.access if viewer is None else viewer
    opens = configured(project)

    def remembering(name: str, direction: Direction) -> Translator:
        with closing(open_corrections(project)) as store:
            made = [one for one in store.all(seen) if (one.source, one.target) == direction]
        pairs = ((one.text, one.translation) for one in made)
        return RememberingTranslator(opens(name, direction), pairs)

    service = Service(project, viewer, opens=remembering)
    service.listeners.append(partial(_learn, service))
    return service


def _learn(service: Service, correction: Correction) -> None:
    """Teach a correction to every model that translates in its direction; done when this returns."""
    if not service.viewer.allows(correction.access):
        return
    way = f"{correction.source}-{correction.target}"

    def teach(translator: Translator) -> None:
        if isinstance(translator, RememberingTranslator):
            translator.learn(correction.text, correction.translation)

    for model in service.models:
        if way in model.directions:
            service.waited(service.with_translator(way, teach, model.name))
