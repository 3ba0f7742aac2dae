"""The whole way from a text to its translation, as the configuration wants it.

Normalise, then an engine or the consensus of several, then post-processing. The command line, the evaluation, the
server and the submission all open it here, so that what is measured is what people get.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from seshat.config.translate import DecodingSection, Engine
from seshat.errors import UsageError
from seshat.inference.load import describe, load_translator, normalising, searches
from seshat.inference.translator import Translator
from seshat.prompt import Prompt

if TYPE_CHECKING:
    from seshat.config import Direction
    from seshat.inference.budget import Budget
    from seshat.project import Project

log = structlog.get_logger(__name__)


def open_chain(
    project: Project,
    name: str | None,
    direction: Direction,
    *,
    mbr: bool | None = None,
    postprocess: bool = True,
    engine: Engine | None = None,
    decoding: DecodingSection | None = None,
    allow_other_prompt: bool = False,
    folder: Path | None = None,
    adapter: bool = True,
    budget: Budget | None = None,
) -> Translator:
    """Open the translator of a project for one direction.

    Args:
        project: the project.
        name: a model below ``models/``; default: ``translate.model``, or else the one that ``train`` names.
        direction: from what into what.
        mbr: consensus decoding; default: ``translate.mbr.enabled``.
        postprocess: whether to mend what the model says, as ``translate.postprocess`` wants it.
        engine: what computes; default: ``translate.engine``.
        decoding: settings of the search that win over ``translate.decoding``.
        allow_other_prompt: ask the model as configured, though it was trained otherwise.
        folder: a folder laid out as that of a model, where it is not ``models/NAME`` (a checkpoint, say).
        adapter: for fine-tuned models; without, the untrained base translates.
        budget: the time that consensus decoding has.

    Raises:
        SeshatError: what :func:`seshat.inference.load.load_translator` says, or the server.
    """
    settings = project.config.translate
    asked = _Asked(project, direction, engine or settings.engine, decoding or DecodingSection(), allow_other_prompt)
    translator = asked.open(name or settings.model, folder, adapter)
    if settings.mbr.enabled if mbr is None else mbr:
        from seshat.inference.mbr import MbrTranslator, sources

        others = [asked.towards(way).open(other) for other, way in sources(settings.mbr, direction)]
        seed = project.config.project.seed
        translator = MbrTranslator([translator, *others], settings.mbr, seed=seed, budget=budget)
    elif budget is not None:
        raise UsageError("A time budget is for consensus decoding.", "Add --mbr, or set translate.mbr.enabled.")
    if postprocess and settings.postprocess.steps:
        from seshat.inference.postprocess import PostprocessingTranslator, for_project

        translator = PostprocessingTranslator(translator, for_project(project, direction))
    return translator


@dataclass(frozen=True)
class _Asked:
    """How the models of one chain are opened."""

    project: Project
    direction: Direction
    engine: Engine
    decoding: DecodingSection
    allow_other_prompt: bool

    def towards(self, direction: Direction) -> _Asked:
        """The same for another direction."""
        return _Asked(self.project, direction, self.engine, self.decoding, self.allow_other_prompt)

    def open(self, name: str | None, folder: Path | None = None, adapter: bool = True) -> Translator:
        """A model behind the normalisation that it was trained with."""
        place = folder or self.project.model(name)
        if self.engine == "server" and adapter and place == self.project.model(name):
            return self._server(name)
        train = self.project.config.train
        # The model that the configuration describes is held to the prompt that stands there.
        described = folder is None and name in (None, train.name) and train.family != "statistical"
        return load_translator(
            place,
            self.direction,
            adapter=adapter,
            prompt=Prompt.of(self.project) if described or self.allow_other_prompt else None,
            allow_other_prompt=self.allow_other_prompt,
            engine="auto" if self.engine == "server" else self.engine,
            decoding=self._search(place),
        )

    def _search(self, folder: Path) -> DecodingSection:
        """Settings of the search: what the command says, else the configuration, where the model takes any."""
        configured = self.project.config.translate.decoding
        chosen = configured.model_copy(update=self.decoding.model_dump(exclude_none=True))
        if chosen == self.decoding or searches(describe(folder)):
            return chosen
        log.warning("translate.decoding is left out: the statistical family tunes its search", model=folder.name)
        return self.decoding

    def _server(self, name: str | None) -> Translator:
        """The server of the configuration, asked as a model was trained to be asked, or as the project says."""
        from seshat.inference.engines.openai import ServerTranslator
        from seshat.retrieval import FOLDER, Retriever

        project, settings = self.project, self.project.config.translate
        folder = project.model(name)
        trained = (folder / "model.json").exists() and describe(folder)["family"] == "causal"
        if name is not None and not trained:
            describe(folder)  # says so when there is no such model
            raise UsageError(f"{name} is no model that is asked in words, as a server is.", "Leave --model out.")
        own = trained and not self.allow_other_prompt
        prompt = Prompt.check(folder) if own else Prompt.of(project)
        memory = folder / FOLDER if trained else project.training / "messages" / FOLDER
        search = prompt.decoding.changed(settings.decoding).changed(self.decoding)
        server = ServerTranslator(
            settings.server, self.direction, prompt, Retriever.load(memory, prompt), search, project.config.project.seed
        )
        return normalising(server, prompt.normalisation)
