"""Opens the chain that a project is configured with: a model or the consensus of several, and post-processing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

import seshat
from seshat.config.translate import DecodingSection
from seshat.core.errors import UsageError
from seshat.inference.chain import Chain
from seshat.inference.load import load_translator, normaliser
from seshat.inference.parts import Parts
from seshat.project.manifest import Manifest, is_model
from seshat.prompt.prompt import Prompt

if TYPE_CHECKING:
    from seshat.config import Direction
    from seshat.inference.budget import Budget
    from seshat.project.folder import Project

log = structlog.get_logger(__name__)


def open_chain(
    project: Project,
    name: str | None,
    direction: Direction,
    *,
    mbr: bool | None = None,
    allow_other_prompt: bool = False,
    folder: Path | None = None,
    adapter: bool = True,
    budget: Budget | None = None,
    workers: int | None = None,
) -> Chain:
    """Open the translator of a project for one direction.

    Args:
        project: the project.
        name: a model below ``models/``; default: ``translate.model``, or else the one that ``train`` names.
        direction: from what into what.
        mbr: consensus decoding; default: ``translate.mbr.enabled``.
        allow_other_prompt: ask the model as configured, though it was trained otherwise.
        folder: a folder laid out as that of a model, where it is not ``models/NAME`` (a checkpoint, say).
        adapter: for fine-tuned models; without, the untrained base translates.
        budget: the time that consensus decoding has.
        workers: processes of the statistical family; default: one per processor.

    Raises:
        SeshatError: what :func:`seshat.inference.load.load_translator` says, or the server.
    """
    settings = project.config.translate
    asked = _Asked(project, direction, allow_other_prompt, workers)
    chain = asked.open(name or settings.model, folder, adapter)
    if settings.mbr.enabled if mbr is None else mbr:
        from seshat.inference.mbr import Consensus, sources

        others = [replace(asked, direction=way).open(other) for other, way in sources(settings.mbr, direction)]
        seed = project.config.project.seed
        models = [replace(one, parts=None) for one in (chain, *others)]
        chain = Chain(Consensus(models, settings.mbr, seed=seed, budget=budget), parts=chain.parts)
    elif budget is not None:
        raise UsageError("A time budget is for consensus decoding.", "Add --mbr, or set translate.mbr.enabled.")
    if settings.postprocess.steps:
        from seshat.inference.postprocess import for_project

        chain.mend = for_project(project, direction)
    return chain


@dataclass(frozen=True)
class _Asked:
    """How the models of one chain are opened."""

    project: Project
    direction: Direction
    allow_other_prompt: bool
    workers: int | None

    def open(self, name: str | None, folder: Path | None = None, adapter: bool = True) -> Chain:
        """A model behind the normalisation that it was trained with."""
        place = folder or self.project.model(name)
        engine = self.project.config.translate.engine
        if engine == "in-context" and adapter and folder is None and name in (None, self.project.config.train.name):
            return self._in_context()
        if engine == "server" and adapter and place == self.project.model(name):
            return self._server(name)
        train = self.project.config.train
        # The model that the configuration describes is held to the prompt that stands there.
        described = folder is None and name in (None, train.name) and self.project.config.neural
        return load_translator(
            place,
            self.direction,
            adapter=adapter,
            prompt=Prompt.of(self.project) if described or self.allow_other_prompt else None,
            allow_other_prompt=self.allow_other_prompt,
            engine="auto" if engine in ("server", "in-context") else engine,
            decoding=self._decoding(place),
            workers=self.workers,
        )

    def _in_context(self) -> Chain:
        """A server that was not trained on the language, told what the project knows about a text."""
        from seshat.inference.incontext import open_in_context

        draft = self.project.config.translate.in_context.draft
        drafting = None
        if draft is not None:
            drafting = load_translator(self.project.model(draft), self.direction, workers=self.workers)
        return open_in_context(self.project, self.direction, drafting)

    def _decoding(self, folder: Path) -> DecodingSection:
        """The settings of the search that the configuration wants, where the model takes any."""
        wanted = self.project.config.translate.decoding
        if wanted == DecodingSection() or Manifest.read(folder).kind.searches:
            return wanted
        log.warning("translate.decoding is left out: the statistical family tunes its search", model=folder.name)
        return DecodingSection()

    def _server(self, name: str | None) -> Chain:
        """The server of the configuration, asked as a model was trained to be asked, or as the project says."""
        from seshat.inference.engines.openai import ServerTranslator
        from seshat.prompt.retrieval import FOLDER, Retriever

        project, settings = self.project, self.project.config.translate
        folder = project.model(name)
        trained = is_model(folder) and Manifest.read(folder).kind.instructed
        if name is not None and not trained:
            Manifest.read(folder)  # says so when there is no such model
            raise UsageError(f"{name} is no model that is asked in words, as a server is.", "Leave --model out.")
        own = trained and not self.allow_other_prompt
        prompt = Prompt.check(folder) if own else Prompt.of(project)
        server = ServerTranslator(
            settings.server,
            self.direction,
            prompt,
            prompt.decoding.changed(settings.decoding),
            project.config.project.seed,
        )
        lookups = (folder if trained else project.training / "messages") / FOLDER
        return Chain(
            server,
            parts=Parts(sentences=trained and Manifest.read(folder).trained_on_sentences),
            normalise=normaliser(prompt.normalisation, self.direction.source),
            retrieve=Retriever.load(lookups, prompt),
        )


def fingerprint(
    project: Project, name: str | None, direction: Direction, *, mbr: bool | None = None, **asked: Any
) -> str:
    """What tells one job of translation from another: a hash of the models, the settings and what else was asked.

    Files count by their size and time, so that large models are not read for it.
    """
    settings = project.config.translate
    models = [project.model(name or settings.model)]
    if settings.mbr.enabled if mbr is None else mbr:
        models += [project.model(other.partition("@")[0]) for other in settings.mbr.models]
    files = [path for folder in models for path in sorted(folder.rglob("*")) if path.is_file()]
    files += [path for path in (project.training / "lexicon.jsonl", project.training / "train.jsonl") if path.exists()]
    known = [(str(path.relative_to(project.root)), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    config = project.config.model_dump(mode="json", include={"project", "clean", "prompt", "translate"})
    what = [seshat.__version__, str(direction), mbr, sorted(asked.items()), known, config]
    return hashlib.sha256(json.dumps(what, ensure_ascii=False).encode()).hexdigest()
