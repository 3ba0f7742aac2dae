"""Everything that is measured about a set of systems; ``evaluate`` and ``compare`` make their pages of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import structlog
from pydantic import BaseModel

from seshat.config import Direction
from seshat.config.evaluate import EvaluateSection
from seshat.core.errors import SeshatError
from seshat.core.records import Access, Segment
from seshat.core.spaced import evenly
from seshat.evaluation import ablation, continuation, fill, likelihood, tasks
from seshat.evaluation.advice import beside_translation, warnings
from seshat.evaluation.baselines import CopyTranslator, NearestTranslator, train_word_by_word
from seshat.evaluation.calibrate import calibrate, judge
from seshat.evaluation.history import read_history
from seshat.evaluation.languagemodel import LanguageModel, opened
from seshat.evaluation.measure import measure
from seshat.evaluation.questions import Question
from seshat.evaluation.systems import System
from seshat.evaluation.testbed import Material, TestSet, read_material, read_test_set
from seshat.evaluation.translations import Answered, Translation, file_name, notes_path, translate
from seshat.inference.chain import Chain
from seshat.inference.confidence import FEWEST, Calibration
from seshat.inference.postprocess import tally
from seshat.inference.translator import Hypothesis
from seshat.project.folder import Project
from seshat.prompt.prompt import Prompt
from seshat.prompt.request import Request, of_segments
from seshat.prompt.request import requests as apart
from seshat.report.results import (
    DirectionResult,
    Evaluation,
    Postprocessing,
    Settings,
    SystemFacts,
    TestFacts,
    TrainingFacts,
)
from seshat.report.tables import FillTable, LikelihoodTable, TaskTable

log = structlog.get_logger(__name__)


@dataclass
class Findings:
    """What the language models did, before it is judged."""

    costs: dict[str, likelihood.Found] = field(default_factory=dict)
    """System -> kind of text -> what each cost."""
    answers: dict[str, list[str]] = field(default_factory=dict)
    """System -> an answer to each test question."""
    translations: dict[tuple[str, str], list[Hypothesis]] = field(default_factory=dict)
    """System and direction -> one hypothesis per test sentence."""
    mending: dict[str, Postprocessing] = field(default_factory=dict)
    """Direction -> whether the steps of post-processing help the main model on validation."""
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    """Direction -> how far translations of the main model may be trusted."""
    fillings: dict[str, list[list[fill.Filling]]] = field(default_factory=dict)
    """System -> offers for each blank."""
    continued: dict[str, list[str]] = field(default_factory=dict)
    """System -> how it goes on with each beginning."""
    notes: list[str] = field(default_factory=list)
    """What could not be measured, in plain words."""


class Assessment:
    """One set of systems on the test set of a project.

    Args:
        project: the project.
        systems: what to measure, the main one first.
        settings: section ``evaluate``, perhaps with other baselines than the project's own.
        most: only so many sentences of the test set, evenly spaced.

    Raises:
        DataError: there is no test set.
    """

    def __init__(
        self, project: Project, systems: Sequence[System], settings: EvaluateSection, most: int | None = None
    ) -> None:
        self.project = project
        self.systems = list(systems)
        self.settings = settings
        self._whole = read_test_set(project)
        self.test: TestSet = self._whole if most is None else self._whole.sample(most)
        self.material: Material = read_material(project)
        self.found = Findings()
        if len(self.test.segments) < len(self._whole.segments):
            self.found.notes.append(
                f"Measured on {len(self.test.segments)} of {len(self._whole.segments)} test sentences, evenly spaced: "
                "a first look. `seshat evaluate` measures on all of them."
            )
        self.translations: dict[str, dict[str, list[Hypothesis]]] = {}
        """Direction -> system -> one hypothesis per test sentence; filled by :meth:`evaluation`."""
        self.files: dict[str, Sequence[BaseModel]] = {}
        """Every translation and answer of every system, by the name of its file; filled by :meth:`evaluation`."""
        # The bases of models count among the floors, unless there is nothing else.
        self.models = [one.name for one in systems if one.kind != "base"] or [one.name for one in systems]
        names = project.config.project
        self.languages = names.tags
        self.segments = evenly(self.test.segments, settings.perplexity_texts)
        asked = any(one.family.instructed for one in systems)
        self.questions: list[Question] = tasks.read_test(project, self.prompt) if asked else []
        hidden = self.test.segments if any(one.family.fills for one in systems) else []
        texts = [(one.id, one.texts[names.language]) for one in hidden]
        self.blanks = fill.blanks(texts, settings.perplexity_texts if settings.fill else 0, names.seed)
        self.blanks += fill.asked(settings.blanks)
        alone = names.pivot is None and settings.fill
        own = [(one.id, one.texts[names.language]) for one in self.test.segments] if alone else []
        self.beginnings = continuation.beginnings(own, settings.fill, settings.blanks) if alone else []

    @cached_property
    def _training(self) -> dict[str, list[str]]:
        """Per language the texts that were learned from."""
        return likelihood.training_texts(self.material, self.languages, self.project.segments("monolingual"))

    @cached_property
    def prompt(self) -> Prompt:
        """What the instruction data are written with."""
        return Prompt.of(self.project)

    def evaluation(self) -> Evaluation:
        """Let every system work, and judge: what ``evaluation.json`` says; the page is made from it alone."""
        config = self.project.config
        for system in self.systems:
            self._work(system)
        results = [found for way in config.project.directions if (found := self._direction(way))]
        leaks = self.material.leaks(self.test, self.languages)
        surprises, answers, filled = self._surprises(), self._answers(), self._filled()
        asked = {one.access for one in self.questions} if answers else set()
        return Evaluation(
            project=config.project.name,
            languages={tag: config.project.language_name(tag) for tag in self.languages},
            purpose=config.project.purpose,
            test=TestFacts(
                segments=len(self.test.segments),
                access=self.test.access,
                licences=self.test.licences,
                in_train=leaks,
            ),
            quoted=[level for level in Access if level.value in self.test.access or level in asked],
            training=TrainingFacts(
                pairs=len(self.material.pairs),
                entries=len(self.material.entries),
                words={tag: len(found) for tag, found in self.material.trained.items()},
            ),
            settings=Settings(
                headline=self.settings.headline,
                reference=self.settings.reference,
                bootstrap=self.settings.bootstrap,
                seed=config.project.seed,
                test="paired approximate randomisation",
            ),
            systems=[SystemFacts(name=one.name, family=one.family.name, kind=one.kind) for one in self.systems],
            warnings=[
                *warnings(self.test, results, leaks, self.settings.headline),
                *beside_translation(surprises, answers),
                *self.found.notes,
            ],
            directions=results,
            history={
                one.name: rows
                for one in self.systems
                if one.kind == "model" and (rows := read_history(one.folder / "log.jsonl"))
            },
            likelihood=surprises,
            tasks=answers,
            fill=filled,
            continued=continuation.table(self.found.continued, self.beginnings) if self.found.continued else [],
        )

    def _work(self, system: System) -> None:
        """All that a system does, in one go, so that its weights are opened once."""
        asks = system.is_language_model and (self.segments or self.questions or self.blanks or self.beginnings)
        try:
            with opened(system, self.prompt if system.other_prompt else None) if asks else nullcontext() as model:
                if model is not None:
                    self._ask(system, model)
                self._translate(system)
        except SeshatError as error:
            self._give_up(system, error)

    def _ask(self, system: System, model: LanguageModel) -> None:
        """What a language model alone can be asked."""
        if self.segments:
            self.found.costs[system.name] = likelihood.measure(model, self.segments, self.languages)
        if self.segments and system.family.fills and likelihood.UNIGRAMS not in self.found.costs:
            floor = likelihood.unigrams(model.tokenizer, self._training, self.segments)
            self.found.costs[likelihood.UNIGRAMS] = floor
        if system.family.fills and self.blanks:
            offers = fill.fill(model.model, model.tokenizer, self.blanks, f"{system.name}: fill")
            self.found.fillings[system.name] = offers
        elif self.beginnings and not system.family.fills:
            self.found.continued[system.name] = continuation.go_on(model, self.beginnings)
        if system.family.instructed:
            self._question(system, model)

    def _translate(self, system: System) -> None:
        """The test set in every direction."""
        ways = [way for way in self.project.config.project.directions if str(way) in system.directions]
        translators = [self.translator(system, way) for way in ways]  # all at once: they share their weights
        for way, translator in zip(ways, translators, strict=True):
            found = self.said(system, translator, self.requests(translator, self.test.segments, self._whole.segments))
            self.found.translations[system.name, str(way)] = found
            if system.name == self.models[0]:
                self._ablate(system, translator)
                self._calibrate(system, translator)

    def _ablate(self, system: System, translator: Chain) -> None:
        """Try the steps of post-processing on validation."""
        texts = self.settings.postprocess_texts
        way = translator.direction
        if not texts or translator.mend is None:
            return
        segments = ablation.validation(self.project, texts)
        if segments:
            sources, references = ([one.texts[tag] for one in segments] for tag in way)
            asked = self.requests(translator, segments, ablation.validation(self.project))
            raw = translator.with_candidates(asked, self.said(system, translator.unmended(), asked))
            seed, tokenizer = self.project.config.project.seed, self.settings.bleu_tokenizer
            headline, mend = self.settings.headline, translator.mend
            self.found.mending[str(way)] = ablation.ablate(mend, sources, references, raw, headline, seed, tokenizer)

    def _calibrate(self, system: System, translator: Chain) -> None:
        """Learn on validation how far the translations of a model may be trusted."""
        segments = ablation.validation(self.project, self.settings.confidence_texts)
        if len(segments) < FEWEST:
            return
        sources, references = ([one.texts[tag] for one in segments] for tag in translator.direction)
        asked = self.requests(translator, segments, ablation.validation(self.project))
        said = self.said(system, translator, asked)
        known = self.material.trained[translator.direction.source]
        found = calibrate(sources, references, said, known, self.settings.bleu_tokenizer)
        if found is not None:
            self.found.calibrations[str(translator.direction)] = found

    def _question(self, system: System, model: LanguageModel) -> None:
        """Ask the questions of the instruction data, which must have been written in the words of its training."""
        if not self.questions:
            return
        if model.prompt.wording != self.prompt.wording:
            self.found.notes.append(
                f"{system.name} was trained with another prompt than the instruction data are written with; its "
                f"answers to tasks other than translation were not measured. "
                f"{'; '.join(model.prompt.differences(self.prompt))}."
            )
            return
        chats = [tasks.as_json(one.messages) for one in self.questions]
        found = tasks.ask(model, chats, self._notes(system, tasks.ANSWERS, apart(chats)))
        answers = self.found.answers[system.name] = [one.text for one in found]
        rows = [_answered(one, answer) for one, answer in zip(self.questions, answers, strict=True)]
        self.files[f"tasks.{file_name(system.name)}.jsonl"] = rows

    def _notes(self, system: System, direction: Direction, asked: Sequence[Request], *, mended: bool = True) -> Path:
        settings = self.project.config.translate.model_dump_json()
        prompt = self.prompt.hash if system.other_prompt else ""
        name = f"{system.name}\0{settings}\0{prompt}\0{mended}"
        return notes_path(self.project.state, system.folder, direction, asked, name)

    def _give_up(self, system: System, error: SeshatError) -> None:
        """A base that cannot do something is no reason to stop; anything else is.

        Raises:
            SeshatError: the one given, of what was asked for.
        """
        if system.kind != "base" or system.name in self.models:
            raise error
        log.info("the base was left out", reason=error.message)
        self.found.notes.append(f"{system.name} was not measured: {error.message}")

    def _direction(self, direction: Direction) -> DirectionResult | None:
        """Measure the translations of every system and of the floors; ``None`` when no model translates this way."""
        sources, references = self.test.texts(direction.source), self.test.texts(direction.target)
        train_sources, train_targets = self.material.sides(direction, self.languages[0])
        nearest = NearestTranslator(direction, train_sources, train_targets)
        made = {one.name: self.found.translations.get((one.name, str(direction))) for one in self.systems}
        found = {name: hypotheses for name, hypotheses in made.items() if hypotheses is not None}
        models = [name for name in self.models if name in found]
        if not models:
            return None
        for floor in self.settings.baselines:
            if floor == "copy":
                found[floor] = translate(CopyTranslator(direction), apart(sources))
            elif floor == "nearest":
                found[floor] = translate(nearest, apart(sources))
            else:
                pairs = zip(train_sources, train_targets, strict=True)
                words = train_word_by_word(direction, pairs, self.material.entries)
                found[floor] = translate(words, apart(sources))
        seed = self.project.config.project.seed
        result, quality = measure(direction, self.test, self.material, found, models, self.settings, seed, nearest)
        folders = {one.name: one.folder / str(direction) for one in self.systems}
        result.history = {name: read_history(folders[name] / "history.jsonl") for name in models}
        if str(direction) in self.found.mending:
            result.postprocess = self.found.mending[str(direction)]
            result.postprocess.test = tally(found[models[0]])
            self.found.notes += ablation.remarks(str(direction), result.postprocess, self.settings.headline)
        if calibration := self.found.calibrations.get(str(direction)):
            main = models[0]
            result.confidence = judge(calibration, sources, found[main], quality[main])
        self.translations[str(direction)] = found
        for name, hypotheses in found.items():
            rows = zip(self.test.segments, sources, references, hypotheses, quality[name], strict=True)
            self.files[f"{direction}.{file_name(name)}.jsonl"] = [_line(*row) for row in rows]
        return result

    def translator(self, system: System, direction: Direction) -> Chain:
        """What translates as `seshat translate` would.

        Bases and checkpoints are mended too, but get no consensus decoding, which takes many times as long.
        """
        from seshat.inference.opening import open_chain

        consensus = None if system.kind == "model" else False
        translator = open_chain(
            self.project,
            system.name,
            direction,
            folder=system.folder,
            adapter=system.adapter,
            mbr=consensus,
            allow_other_prompt=system.other_prompt,
        )
        translator.name = system.name
        return translator

    @staticmethod
    def requests(chain: Chain, segments: Sequence[Segment], among: Sequence[Segment] | None = None) -> list[Request]:
        """Segments as a chain is asked about them, with the sentences before them where it reads any."""
        return of_segments(segments, chain.direction.source, chain.context, among)

    def said(self, system: System, chain: Chain, asked: Sequence[Request]) -> list[Hypothesis]:
        """Translations of a system; a killed run goes on with what is finished."""
        notes = self._notes(system, chain.direction, asked, mended=chain.mend is not None)
        return translate(chain, asked, notes)

    def _surprises(self) -> list[LikelihoodTable]:
        if not self.found.costs:
            return []
        seed = self.project.config.project.seed
        return likelihood.tables(self.found.costs, self.models, self.segments, self._training, self.settings, seed)

    def _answers(self) -> list[TaskTable]:
        if not self.found.answers:
            return []
        floor, seed = tasks.learn(self.project, self.prompt), self.project.config.project.seed
        return tasks.tables(self.found.answers, self.questions, floor, self.models, self.settings, seed)

    def _filled(self) -> FillTable | None:
        if not self.found.fillings:
            return None
        floor, seed = fill.frequent(pair[0] for pair in self.material.pairs), self.project.config.project.seed
        return fill.table(self.found.fillings, self.blanks, floor, self.settings, seed)


def _answered(one: Question, answer: str) -> Answered:
    return Answered(id=one.id, task=one.task, origin=one.origin, text=one.text, reference=one.answer, answer=answer)


def _line(segment: Segment, source: str, reference: str, hypothesis: Hypothesis, score: float) -> Translation:
    return Translation(
        id=segment.id,
        source=source,
        reference=reference,
        hypothesis=hypothesis.text,
        score=round(float(score), 2),
        model_score=round(hypothesis.score, 4),
        changes=hypothesis.changes,
    )
