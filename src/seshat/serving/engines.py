"""The models of a project, opened when they are first asked for, and only in the thread of the worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from seshat.config import Direction
from seshat.core.errors import DataError, UsageError
from seshat.core.gate import Gate
from seshat.core.jsonl import sha256
from seshat.core.records import Access
from seshat.inference.batch import in_order, translate_all
from seshat.inference.dialogue import Dialogue
from seshat.inference.translator import Hypothesis, Translator
from seshat.project.folder import Project
from seshat.project.manifest import Manifest
from seshat.prompt.request import Request
from seshat.serving.answers import Model

if TYPE_CHECKING:
    from seshat.inference.chain import Chain
    from seshat.inference.confidence import Calibration, Confidence

Opens = Callable[[str, Direction], Translator]
log = structlog.get_logger(__name__)


class Engines:
    """Translators by model and direction.

    Args:
        project: the project; ``serve.models`` says which of its models are offered.
        trained_on: the least open level of the training data.
        viewer: a model that was trained on less open records is not offered: it may repeat them.
        opens: opens a translator.
    """

    def __init__(self, project: Project, trained_on: Access, viewer: Access, opens: Opens) -> None:
        self._project = project
        self._opens = opens
        self._calibrations: dict[tuple[str, str], Calibration | None] = {}
        self._opened: dict[tuple[str, str], Translator] = {}
        self.manifests: dict[str, Manifest] = {}
        self.closed = ""
        """Why there is no model, where that is not because none was trained."""
        config = project.config
        names = config.serve.models or (config.translate.model or config.train.name,)
        ways = [str(direction) for direction in config.project.directions]
        found = {name: _manifest(project, name) for name in names}
        self.manifests = {name: one for name, one in found.items() if one and set(one.directions) & set(ways)}
        if self.manifests and not Gate(viewer).admits(trained_on):
            self.closed = (
                f"The models were trained on records up to '{trained_on}' and may repeat them; what is shown here is "
                f"'{viewer}'."
            )
            self.manifests = {}
            log.warning("no model is offered", why=self.closed)
        for name, one in self.manifests.items():
            _warn_of_other_data(project, name, one)
        self._ways = ways
        self._directions = {str(direction): direction for direction in config.project.directions}

    @property
    def models(self) -> list[Model]:
        """What is offered, the default first."""
        return [
            Model(
                name,
                manifest.family,
                tuple(way for way in self._ways if way in manifest.directions),
                manifest.kind.instructed,
            )
            for name, manifest in self.manifests.items()
        ]

    def model(self, name: str | None, *, chat: bool = False) -> Model:
        """A model by name; by default the first, or the first that chats.

        Raises:
            UsageError: there is none.
        """
        offered = self.models
        if not offered:
            raise UsageError(self.closed or "There is no trained model here.", "Train one with: seshat train")
        fitting = [one for one in offered if one.chat or not chat]
        if not fitting:
            raise UsageError("No model here answers questions: they only translate.", "Train one of the family causal.")
        if name is None:
            return fitting[0]
        for one in fitting:
            if one.name == name:
                return one
        raise UsageError(f"There is no such model here, only {', '.join(one.name for one in fitting)}.")

    def direction(self, model: Model, wanted: Direction | str | None) -> Direction:
        """A direction of a model; by default its first.

        Raises:
            UsageError: it does not translate so.
        """
        name = model.directions[0] if wanted is None else str(wanted)
        if name not in model.directions:
            raise UsageError(f"{model.name} does not translate in that direction, only {', '.join(model.directions)}.")
        return self._directions[name]

    def open(self, name: str, direction: Direction) -> Translator:
        """The translator; in the thread of the worker only."""
        key = name, str(direction)
        if key not in self._opened:
            self._opened[key] = self._opens(name, direction)
            log.info("opened", model=name, direction=str(direction))
        return self._opened[key]

    def translate(self, name: str, direction: Direction, requests: Sequence[Request]) -> list[Hypothesis]:
        """Translate a batch; in the thread of the worker only. An engine that lost its processes is opened anew."""
        try:
            return self._translate(self.open(name, direction), requests)
        except BrokenExecutor:
            log.warning("the processes of a translator died: it is opened anew", model=name)
            self._opened.pop((name, str(direction))).close()
            return self._translate(self.open(name, direction), requests)

    def _translate(self, translator: Translator, requests: Sequence[Request]) -> list[Hypothesis]:
        batch = self._project.config.translate.batch
        return in_order(translate_all(translator, requests, batch=batch), len(requests))

    def dialogue(self, model: Model) -> Dialogue:
        """The model to talk to; in the thread of the worker only.

        Raises:
            UsageError: this engine only translates.
        """
        found = self.open(model.name, self.direction(model, None)).dialogue()
        if found is None:
            raise UsageError(f"The engine that {model.name} runs in here only translates.")
        return found

    def confidence(self, model: Model, way: Direction, found: Hypothesis, text: str) -> Confidence | None:
        """How sure a translation is; None where the model was not measured, or there is no text."""
        from seshat.inference.confidence import Calibration

        key = model.name, str(way)
        if key not in self._calibrations:
            try:
                self._calibrations[key] = Calibration.load(self._project.model(model.name), way)
            except DataError as error:
                log.warning("no confidence is shown", why=error.message)
                self._calibrations[key] = None
        calibration = self._calibrations[key]
        return calibration.grade(found, text) if calibration is not None and text.strip() else None

    def told(self, name: str) -> str:
        """What a model says of itself, in Markdown, where there is no card."""
        manifest = self.manifests[name]
        return (
            f"# {name}\n\nA model for {manifest.languages_told or 'translation'}.\n\n- Family: {manifest.family}\n"
            f"- Directions: {', '.join(manifest.directions)}\n"
        )

    def close(self) -> None:
        """Let all engines go."""
        for translator in self._opened.values():
            translator.close()
        self._opened.clear()


def configured(project: Project) -> Callable[[str, Direction], Chain]:
    """Opens translators as the configuration wants them."""

    def opens(name: str, direction: Direction) -> Chain:
        from seshat.inference.opening import open_chain

        train = project.config.train.name
        chain = open_chain(project, None if name == (project.config.translate.model or train) else name, direction)
        chain.for_server()
        return chain

    return opens


def _warn_of_other_data(project: Project, name: str, manifest: Manifest) -> None:
    """Say so when nobody knows any more what a model was trained on."""
    for file, known in manifest.data.items():
        if is_file(project.training / file, known):
            continue
        log.warning(
            "the training files have changed since the model was trained: it may repeat records that are not in them "
            "any more, of whatever access level; train it again with: seshat run",
            model=name,
            file=file,
        )
        return


def is_file(path: Path, digest: str | None) -> bool:
    """Whether a file is there and still is the one of that SHA-256, as a manifest knows the training files."""
    return digest is not None and path.is_file() and sha256(path) == digest


def _manifest(project: Project, name: str) -> Manifest | None:
    try:
        found = Manifest.read(project.model(name))
    except DataError as error:
        log.warning("there is no trained model of this name", model=name, why=error.message)
        return None
    return found if found.kind.translates else None
