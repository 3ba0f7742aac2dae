"""What the fine-tuning of all pretrained families has in common.

Scores of the translations that a training makes are here too.
"""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import structlog

from seshat.config.agreement import cautions
from seshat.config.families import Family
from seshat.core.errors import DataError
from seshat.core.jsonl import write_json
from seshat.core.processes import is_main_process, wait_for_all
from seshat.core.records import Segment
from seshat.models.neural import base as bases
from seshat.models.neural import device, dialogues, encoding, journal, loop, lora, vocabulary
from seshat.models.neural.phases import Phase, Traits, choose, digest, phases, with_replay, write_seen
from seshat.models.neural.preflight import Preflight, Row
from seshat.models.neural.saved import ADAPTER, WEIGHTS
from seshat.models.neural.start import Start
from seshat.project.folder import Project
from seshat.prompt.prompt import Decoding, Prompt

CHECKPOINTS = "checkpoints"
"""Folder below that of a model with its best checkpoints, when they are kept."""
_ROOM = 2
log = structlog.get_logger(__name__)


@dataclass
class Corpus:
    """Examples ready to be trained on."""

    data: Any
    """A ``datasets.Dataset`` of tokenised rows with a column ``length``."""
    traits: list[Traits] = field(default_factory=list)
    """Of each example: what phases choose by."""
    digests: list[str] = field(default_factory=list)
    """Of the record of each example."""


class Training(ABC):
    """One training of a family: what it starts from, what it learns from, what it leaves.

    A family says how its examples become tokens (:meth:`corpus`, or :meth:`Answering.rows`) and how they are batched;
    the rest has defaults.
    """

    family: ClassVar[Family]
    files: tuple[str, ...] = ("train.jsonl",)
    """What it learns from, below ``data/training``."""

    def __init__(self, project: Project) -> None:
        config = project.config
        self.project, self.section, self.seed = project, config.train, config.project.seed
        self.prompt = Prompt.of(project)
        self.adapters = config.train.adapters
        for caution in cautions(config):
            log.warning(caution.message, setting=".".join(map(str, caution.path)))
        self.start = Start.of(project, adapters=self.adapters)
        tuning = self.section.finetune
        wanted = tuning.device, tuning.precision, config.model.quantization, config.model.attention
        self.backend = device.choose(*wanted, architecture=bases.architecture(self.start.folder)).logged()
        self.tokenizer = bases.open_tokenizer(self.start.tokenizer)
        self.extension = self._extension()
        if self.extension.pieces:
            self.tokenizer = vocabulary.extended(self.tokenizer, self.extension)
        self.codes = self.name_codes()
        self.replayed = 0
        self.examined: dict[str, Any] = {}
        """What was found out about the examples before the first step."""
        self.train = self.corpus("train")
        if not len(self.train.data):
            raise DataError(
                f"{project.training}: nothing to train on.", "Run `seshat check` to see where the data went."
            )
        self.validation = self.corpus("validation")

    @abstractmethod
    def corpus(self, name: str) -> Corpus:
        """The examples of ``train`` or ``validation``, tokenised and looked at."""

    @abstractmethod
    def collator(self) -> Any:
        """Makes batches of examples; ``None`` for what the Trainer does."""

    def trainer(self) -> tuple[type[Any], type[Any]] | None:
        """The class of the Trainer and that of its arguments; ``None`` for those of Transformers."""
        return None

    def arranged(self, data: Any, *, text: bool) -> Any:  # noqa: ARG002
        """The examples of a phase in the form in which they are trained.

        Args:
            data: the examples.
            text: whether they are running text.
        """
        return data

    def inputs(self) -> tuple[Path, ...]:
        """Files that unfinished work belongs to: with others it is not gone on with."""
        return tuple(self.project.training / name for name in (*self.files, "validation.jsonl"))

    def memory(self) -> Path | None:
        """A folder with what prompts look things up in; it goes with the model."""
        return None

    def name_codes(self) -> list[str]:
        """Codes of languages that the tokenizer lacked and has now."""
        return []

    def scorer(self) -> loop.Score | None:
        """Translates validation, where the family translates."""
        return None

    def arguments(self) -> dict[str, Any]:
        """More training arguments for the family."""
        return {}

    def open(self) -> Any:
        """The model before the first step: base, new pieces and codes, adapter."""
        import transformers

        transformers.set_seed(self.seed)
        model = bases.open_model(self.family, self.start.folder, self.backend, frozen=self.adapters)
        model.config.use_cache = False
        if self.extension.pieces:
            vocabulary.extend_model(model, self.tokenizer, self.extension)
        encoding.start_codes(model, self.tokenizer, self.codes)
        vocabulary.fit_embeddings(model, self.tokenizer)
        if not self.adapters:
            return model
        if self.start.adapter is not None:
            return lora.again(model, self.start.adapter)
        new = [*self.extension.pieces, *self.codes]
        whole = self.section.finetune.embeddings is not None
        more = vocabulary.adapter_settings(model, self.tokenizer, new, whole=whole)
        return lora.attach(model, self.section.lora, self.family, self.seed, more)

    def fit(self, folder: Path) -> dict[str, Any]:
        """Train, or go on with a training that was interrupted, and write the model to an empty folder.

        It gets the weights or the adapter with their tokenizer, ``prompt.json``, ``run.json``, ``log.jsonl`` and
        ``seen.txt``.

        Returns:
            What ``model.json`` says of it: base, examples, steps, the best score on validation.

        Raises:
            SeshatError: there is not even memory for one example at a time.
        """
        fitted = loop.fit(self.job())
        wait_for_all()  # the first process will remove the unfinished work, which all have read by now
        if is_main_process():
            self._save(fitted, folder)
        return self._results(fitted)

    def job(self) -> loop.Job:
        """The training as the loop takes it."""
        return loop.Job(
            open=self.open,
            tokenizer=self.tokenizer,
            phases=self._phases(),
            validation=self._validation(text=False),
            texts=self._validation(text=True),
            settings=self.section.finetune,
            backend=self.backend,
            work=self._work(),
            seed=self.seed,
            score=None if self.section.finetune.metric == "loss" else self.scorer(),
            collator=self.collator(),
            trainer=self.trainer(),
            arguments=self.arguments(),
            callbacks=loop.trackers(self.project, self.backend),
            root=self.project.root,
        )

    def _save(self, fitted: loop.Fitted, folder: Path) -> None:
        fitted.model.config.use_cache = True
        with bases.quiet():
            for name, model in fitted.checkpoints():
                self._write(model, folder / CHECKPOINTS / name)
            self._write(fitted.model, folder / (ADAPTER if self.adapters else WEIGHTS))
        self.prompt.save(folder)
        journal.write(folder / journal.LOG, fitted.log)
        write_json(folder / "run.json", {**fitted.run, "data": self.examined, "replayed": self.replayed})
        write_seen(folder, [*self.train.digests, *self.start.seen])
        memory = self.memory()
        if memory is not None and memory.is_dir():
            shutil.copytree(memory, folder / memory.name)

    def _write(self, model: Any, folder: Path) -> None:
        if self.adapters:
            lora.save(model, folder, self.start.base.id)
        else:
            model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)

    def _results(self, fitted: loop.Fitted) -> dict[str, Any]:
        last = fitted.run["phases"][-1]
        new = {**vocabulary.describe(self.extension), "new_codes": self.codes}
        return {
            "base": self.start.base if self.start.base.id else None,
            **({"vocabulary": new} if any(new.values()) else {}),
            "examples": len(self.train.data),
            "parameters": fitted.run["parameters"],
            "trainable": fitted.run["trainable"],
            "steps": sum(phase["steps"] for phase in fitted.run["phases"]),
            f"validation_{last['metric']}": round(last["score"], 4) if "score" in last else None,
            "device": "; ".join(self.backend.reasons),
        }

    def _extension(self) -> vocabulary.Extension:
        """New pieces, learned from the texts in the low-resource language; an earlier model keeps those it has."""
        count = self.project.config.model.extend_vocabulary
        if not count or self.section.finetune.continue_from is not None:
            return vocabulary.Extension()
        language = self.project.config.project.language
        found = (segment.texts.get(language) for _, segment in self.segments(*self.files))
        extension = vocabulary.learn(self.tokenizer, (text for text in found if text), count)
        log.info("vocabulary extended", pieces=len(extension.pieces), characters="".join(extension.characters))
        return extension

    def segments(self, *files: str) -> Iterator[tuple[str, Segment]]:
        """Segments of training files, each with its place."""
        for name in files:
            for number, segment in enumerate(self.project.gate.read(self.project.training / name, Segment), start=1):
                yield f"{name}:{number} ({segment.id})", segment

    def judge(self, limit: float) -> Preflight:
        """Looks at tokenised examples of this family."""
        stops = bases.stops(self.start.folder, self.tokenizer)
        return Preflight(self.section.finetune.max_length, limit, stops, prompted=False)

    def _phases(self) -> list[tuple[Phase, Any]]:
        numbers: Sequence[int] = range(len(self.train.data))
        if self.start.seen:
            numbers, self.replayed = with_replay(
                numbers, self.start.seen, self.section.finetune.replay, self.seed, self.train.digests.__getitem__
            )
            log.info("going on from an earlier model", new=len(numbers) - self.replayed, old=self.replayed)
        chosen = (
            (phase, choose(numbers, phase, self.train.traits.__getitem__)) for phase in phases(self.project.config)
        )
        return [(phase, self.arranged(self.train.data.select(found), text=phase.text)) for phase, found in chosen]

    def _validation(self, *, text: bool) -> Any:
        """The examples of validation that are running text, or those that are not; ``None`` where there are none."""
        found = [number for number, traits in enumerate(self.validation.traits) if traits.text == text]
        if not found:
            return None
        data = self.validation.data.select(found)
        return self.arranged(data, text=True) if text else data

    def _work(self) -> Path:
        adapter: Iterable[Path] = sorted(self.start.adapter.glob("*.safetensors")) if self.start.adapter else ()
        return loop.work(
            self.project,
            self.section.model_dump_json(include={"family", "directions", *self.project.config.own_settings}),
            self.project.config.model.model_dump_json(exclude={"download"}),
            self.prompt.hash,
            self.start.base.fingerprint,
            *self.inputs(),
            *adapter,
        )


class Answering(Training):
    """Training of a family that gives an answer to what it reads."""

    @abstractmethod
    def rows(self, name: str, look: Preflight, corpus: Corpus) -> Iterator[Row]:
        """The examples of ``train`` or ``validation`` that pass the preflight; traits and digests go to the corpus."""

    def corpus(self, name: str) -> Corpus:
        """The examples, judged before anything is trained on them; only ``train`` can be refused for its length."""
        look = self.judge(self.section.finetune.truncation_limit if name == "train" else 1.0)
        corpus = Corpus(None)
        corpus.data = dialogues.dataset(self.rows(name, look, corpus))
        judged = look.judge()
        if name == "train":
            self.examined = judged
        return corpus

    def room(self, references: Iterable[Sequence[int]]) -> Decoding:
        """How validation is decoded: an answer may become so long as the longest reference twice over.

        Args:
            references: token ids.
        """
        longest = max(map(len, references))
        most = min(self.prompt.decoding.max_new_tokens, _ROOM * longest + 8)
        return self.prompt.decoding.model_copy(update={"max_new_tokens": most})


def note(corpus: Corpus, segment: Segment) -> None:
    """Remember where an example of a corpus comes from."""
    corpus.traits.append(Traits.of(segment))
    corpus.digests.append(digest(segment))


def scores(translations: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Corpus chrF2, chrF++, BLEU (sacreBLEU's defaults) and the geometric mean of the last two, 0 to 100."""
    from seshat.scores.metrics import Scorer, corpus_scores

    found = corpus_scores(Scorer(references).count(translations))
    return {"chrf2": found.chrf2, "chrf++": found.chrfpp, "bleu": found.bleu, "geometric_mean": found.geomean}


def by_direction(directions: Sequence[str], translations: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Scores of each direction, named like ``chrf2 shp-es``, and the mean over the directions of each score."""
    found: dict[str, dict[str, float]] = {}
    for direction in dict.fromkeys(directions):
        chosen = [i for i, one in enumerate(directions) if one == direction]
        found[direction] = scores([translations[i] for i in chosen], [references[i] for i in chosen])
    names = next(iter(found.values()))
    means = {name: sum(one[name] for one in found.values()) / len(found) for name in names}
    several = {f"{name} {way}": value for way, one in found.items() for name, value in one.items()}
    return {**means, **several} if len(found) > 1 else means
