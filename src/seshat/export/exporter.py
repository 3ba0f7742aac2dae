"""Builds, proves and publishes the exports of one model."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from seshat.config import Direction
from seshat.core.errors import CheckFailed, DataError
from seshat.core.jsonl import write_json, write_text
from seshat.core.paths import fresh, remove
from seshat.core.records import Segment
from seshat.export import ollama, proof
from seshat.export.engines import Engine, open_export, open_model
from seshat.export.forms import Form, build
from seshat.export.provenance import provenance
from seshat.models.neural.saved import Saved
from seshat.project import members
from seshat.project.folder import Project
from seshat.project.manifest import FILE, Manifest, claim, publish
from seshat.prompt.request import Request, of_segments
from seshat.report.model_card import Facts, model_card
from seshat.report.results import Evaluation

log = structlog.get_logger(__name__)
_ELSEWHERE = "Take it away, or choose another --output."
_LICENCE = re.compile(r"^license:\s*(\S+)", re.MULTILINE)


@dataclass
class Exporter:
    """Builds, proves and publishes, one form after the other; what all of them need is made once."""

    project: Project
    saved: Saved
    output: Path
    rows: list[dict[str, Any]] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    """What the proofs could not tell."""
    stale: bool = False
    """Whether the scores on the test set are older than the model."""

    def __post_init__(self) -> None:
        self.data = provenance(self.project, self.saved.manifest)
        self._segments = self._validation()
        self._before: dict[str, tuple[list[list[int]], list[Any]]] = {}
        self._work = self.project.state / "work" / f"export-{self.saved.folder.name}"

    @contextmanager
    def workplace(self) -> Iterator[None]:
        """A folder for unfinished work, gone at the end, and at the next start after a kill."""
        fresh(self._work)
        try:
            yield
        finally:
            remove(self._work)

    def export(self, form: Form) -> dict[str, Any]:
        """Build, prove, publish.

        Raises:
            CheckFailed: the proof failed; nothing is published.
        """
        name = f"{self.saved.folder.name}-{form.name}"
        target = self.output / name
        claim(target, _ELSEWHERE)
        folder = self._work / name
        build(form, self.saved, self._full, folder)
        proved = self._prove(form, folder)
        write_json(folder / "proof.json", proved)
        manifest = Manifest.read(folder)
        facts = Facts(
            self.project.config,
            manifest,
            self.saved.prompt,
            self.data,
            self._base_licence(),
            proved,
            self._evaluation(),
        )
        for place in dict.fromkeys((folder, folder / form.published)):
            write_text(place / "README.md", model_card(facts))
            self.saved.prompt.save(place)
        members.copy(self.saved.folder, folder)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        manifest.seal(folder)
        publish(folder, target, _ELSEWHERE)
        log.info("exported", name=name)
        shown = target.relative_to(self.project.root) if target.is_relative_to(self.project.root) else target
        return {"export": name, "folder": str(shown), "megabytes": round(size / 1e6, 1)}

    def _full(self) -> Path:
        """The folder with all weights: of the training, or merged."""
        if not self.saved.has_adapter:
            return self.saved.own
        merged = self._work / "full"
        if not merged.exists():
            from seshat.export.merge import merge

            merge(self.saved.family, self.saved.base(), self.saved.own, merged)
        return merged

    def _prove(self, form: Form, folder: Path) -> dict[str, Any]:
        """Tokens and scores, in every direction; figures go to the report even when they refuse the export."""
        section = self.project.config.export
        proved: dict[str, Any] = {
            "export": folder.name,
            "model": self.saved.folder.name,
            "prompt": self.saved.prompt.hash,
            "margin": section.margin,
            "engine": None,
            "tokens": {"texts": 0, "tokens": 0},
            "scores": [],
        }
        for part in self._parts():
            ids, results = self._reference(part)
            engine = open_export(form, folder, part, self._full, self._work)
            proved["engine"] = engine.name
            if engine.reads:
                after = (engine.read(one) for one in self._requests(part))
                counted = proof.prove_tokens(ids, after, folder.name)
                proved["tokens"] = {key: proved["tokens"][key] + value for key, value in counted.items()}
            else:
                proved["tokens"] = None
            requests = self._requests(part)[: section.segments]
            references = [one.texts[part.target] for one in self._segments[: section.segments]]
            tokenizer = self.project.config.evaluate.bleu_tokenizer
            proved["scores"].append(engine.prove(part, requests, references, results, tokenizer))
            engine.close()
            gc.collect()
        if form.modelfile:
            proved["template"] = self._prove_template(folder.name)
        path = self.project.reports / "export" / f"{folder.name}.json"
        write_json(path, proved)
        self.rows += proof.table(folder.name, proved["scores"])
        self.doubts += proof.doubts(folder.name, proved["scores"], section.margin)
        proof.verdict(folder.name, proved["scores"], section.margin, str(path.relative_to(self.project.root)))
        return proved

    def _prove_template(self, name: str) -> dict[str, int]:
        """Every question of the validation set as Ollama writes it, beside the chat template of the training.

        Raises:
            CheckFailed: they differ.
        """
        prompt, tokenizer = self.saved.prompt, self.saved.tokenizer()
        chats = [prompt.question(one, part) for part in self._parts() for one in self._requests(part)]
        different = ollama.differences(ollama.Turns.of(prompt, tokenizer), prompt, tokenizer, chats)
        if different:
            raise CheckFailed(
                f"{name}: not published: {different} of {len(chats)} questions become another text in Ollama's "
                "template than in the chat template that the model was trained with.",
                "Export gguf without ollama, or give a plainer chat template: prompt.chat_template.",
            )
        return {"questions": len(chats)}

    def _parts(self) -> list[Direction]:
        """What is proved one by one: directions; for masked models each language, as a direction to itself."""
        config = self.project.config.project
        if not self.saved.family.translates:
            return [Direction(tag, tag) for tag in config.tags]
        return [one for one in config.directions if str(one) in self.saved.manifest.directions]

    def _requests(self, part: Direction) -> list[Request]:
        return of_segments(self._segments, part.source, self.saved.prompt.context)

    def _reference(self, part: Direction) -> tuple[list[list[int]], list[Any]]:
        """Token ids of all texts, and results of the first ones, of the model before the export."""
        if str(part) not in self._before:
            engine: Engine = open_model(self.saved, part)
            requests = self._requests(part)
            ids = [list(engine.read(one)) for one in requests]
            chosen = requests[: self.project.config.export.segments]
            self._before[str(part)] = (ids, engine.results(chosen))
            engine.close()
        return self._before[str(part)]

    def _validation(self) -> list[Segment]:
        kept = list(self.project.pairs("validation"))
        if not kept:
            raise DataError(
                f"{self.project.training / 'validation.jsonl'}: no validation texts in every language of the project: "
                "an export could not be proved.",
                "Set split.validation above 0 and run `seshat run`.",
            )
        return kept

    def _base_licence(self) -> str | None:
        try:
            card = self.saved.base() / "README.md"
        except DataError:
            return None
        found = _LICENCE.search(card.read_text(encoding="utf-8")) if card.exists() else None
        return found[1] if found else None

    def _evaluation(self) -> Evaluation | None:
        """The scores of this model on the test set; none that were measured before it was trained."""
        path = self.project.reports / "evaluation.json"
        if not path.exists():
            return None
        try:
            found = Evaluation.read(path)
        except DataError as error:
            log.warning("the card says no scores", reason=error.message)
            return None
        if not any(result.system(self.saved.folder.name) for result in found.directions):
            return None
        self.stale = path.stat().st_mtime < (self.saved.folder / FILE).stat().st_mtime
        return None if self.stale else found
