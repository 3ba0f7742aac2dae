"""The models of a project, opened when they are first asked for, and only in the thread of the worker."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from seshat.config import Direction
from seshat.core.errors import DataError, UsageError
from seshat.core.gate import Gate
from seshat.core.records import Access
from seshat.inference.batch import in_order, translate_all
from seshat.inference.dialogue import Dialogue, dialogue
from seshat.inference.translator import Hypothesis, Translator, close
from seshat.project.folder import Project
from seshat.serving.answers import Model

if TYPE_CHECKING:
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
        self.described: dict[str, dict[str, Any]] = {}
        self.closed = ""
        """Why there is no model, where that is not because none was trained."""
        config = project.config
        names = config.serve.models or (config.translate.model or config.train.name,)
        ways = [str(direction) for direction in config.project.directions]
        found = {name: _described(project, name) for name in names}
        self.described = {name: one for name, one in found.items() if one and set(one["directions"]) & set(ways)}
        if self.described and not Gate(viewer).admits(trained_on):
            self.closed = (
                f"The models were trained on records up to '{trained_on}' and may repeat them; what is shown here is "
                f"'{viewer}'."
            )
            self.described = {}
            log.warning("no model is offered", why=self.closed)
        for name, one in self.described.items():
            _warn_of_other_data(project, name, one)
        self._ways = ways
        self._directions = {str(direction): direction for direction in config.project.directions}

    @property
    def models(self) -> list[Model]:
        """What is offered, the default first."""
        return [
            Model(
                name,
                described["family"],
                tuple(way for way in self._ways if way in described["directions"]),
                described["family"] == "causal",
            )
            for name, described in self.described.items()
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

    def translate(self, name: str, direction: Direction, texts: Sequence[str], n_best: int) -> list[Hypothesis]:
        """Translate a batch; in the thread of the worker only. An engine that lost its processes is opened anew."""
        try:
            return self._translate(self.open(name, direction), texts, n_best)
        except BrokenExecutor:
            log.warning("the processes of a translator died: it is opened anew", model=name)
            close(self._opened.pop((name, str(direction))))
            return self._translate(self.open(name, direction), texts, n_best)

    def _translate(self, translator: Translator, texts: Sequence[str], n_best: int) -> list[Hypothesis]:
        batch = self._project.config.translate.batch
        return in_order(translate_all(translator, texts, n_best=n_best, batch=batch), len(texts))

    def dialogue(self, model: Model) -> Dialogue:
        """The model to talk to; in the thread of the worker only.

        Raises:
            UsageError: this engine only translates.
        """
        found = dialogue(self.open(model.name, self.direction(model, None)))
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
        described = self.described[name]
        languages = " and ".join(f"{shown} ({tag})" for tag, shown in described.get("languages", {}).items())
        return (
            f"# {name}\n\nA model for {languages or 'translation'}.\n\n- Family: {described['family']}\n"
            f"- Directions: {', '.join(described['directions'])}\n"
        )

    def close(self) -> None:
        """Let all engines go."""
        for translator in self._opened.values():
            close(translator)
        self._opened.clear()


def configured(project: Project) -> Opens:
    """Opens translators as the configuration wants them."""

    def opens(name: str, direction: Direction) -> Translator:
        from seshat.inference.chain import open_chain

        train = project.config.train.name
        return open_chain(project, None if name == (project.config.translate.model or train) else name, direction)

    return opens


def _warn_of_other_data(project: Project, name: str, described: dict[str, Any]) -> None:
    """Say so when nobody knows any more what a model was trained on."""
    for file, known in (described.get("data") or {}).items():
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
    """Whether a file is there and still is the one of that SHA-256, as ``model.json`` knows its training files."""
    if digest is None or not path.is_file():
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == digest


def _described(project: Project, name: str) -> dict[str, Any] | None:
    try:
        found = json.loads((project.model(name) / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        log.warning("there is no trained model of this name", model=name)
        return None
    return found if isinstance(found, dict) and found.get("family") != "masked" else None
