"""A service that uses corrections at once: as the translation of their text, and in engines that can learn.

An engine that learns is not taught again what it was trained on: it would count twice from then on.
"""

from __future__ import annotations

from contextlib import closing
from functools import partial

from seshat.config import Direction
from seshat.core.records import Access, Segment
from seshat.data.corrections import SOURCE
from seshat.inference.chain import Chain
from seshat.inference.corrections import Corrections, correction_key
from seshat.inference.translator import Translator
from seshat.project.folder import Project
from seshat.project.manifest import Manifest
from seshat.review.corrections import Correction, judged, open_corrections
from seshat.review.queues.corrections import judgements
from seshat.serving.engines import configured, is_file
from seshat.serving.service import Service


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

    def remembering(name: str, direction: Direction) -> Chain:
        with closing(open_corrections(project)) as store:
            held = judged(store.all(seen), judgements(project))
            made = [one for one in held if (one.source, one.target) == direction]
        chain, trained = opens(name, direction), _trained_on(project, name)
        newest = {correction_key(one.text): one for one in made}
        learned = {(correction_key(one.text), one.translation) for one in made if one.id in trained}
        chain.corrections = Corrections()
        for key, one in newest.items():
            if (key, one.translation) in learned:
                chain.corrections.add(one.text, one.translation)
            else:
                chain.learn(one.text, one.translation)
        return chain

    service = Service(project, viewer, opens=remembering)
    service.listeners.append(partial(_learn, service))
    return service


def _trained_on(project: Project, name: str) -> set[str]:
    """The ids of the corrections that a model was trained on; none where its training data are not known any more."""
    path = project.training / "train.jsonl"
    if not is_file(path, Manifest.read(project.model(name)).data.get(path.name)):
        return set()
    begins = f"{SOURCE}:"
    with path.open(encoding="utf-8") as lines:
        # Only lines that may be corrections are read as records: there can be millions of others.
        found = (Segment.model_validate_json(line) for line in lines if f'"{begins}' in line)
        return {one.id.removeprefix(begins) for one in found if one.meta.source == SOURCE}


def _learn(service: Service, correction: Correction) -> None:
    """Teach a correction to every model that translates in its direction; done when this returns."""
    if not service.gate.admits(correction.access):
        return
    way = f"{correction.source}-{correction.target}"

    def teach(translator: Translator) -> None:
        translator.learn(correction.text, correction.translation)

    for model in service.models:
        if way in model.directions:
            service.waited(service.with_translator(way, teach, model.name))
