"""Family ``causal``: decoders that learn to answer, through TRL. Adapters (LoRA, QLoRA, DoRA, rsLoRA) or all weights.

What TRL would do otherwise is decided here: the loss is on the answers alone, nothing is cut in silence, gradients are
not checkpointed and the arithmetic is not bfloat16 unless the configuration or the device says so.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog

from seshat.config.pretrained import trains_adapters
from seshat.errors import DataError
from seshat.jsonl import read_jsonl, write_json
from seshat.models.neural import accelerators, device, dialogues, journal, loop, lora, preflight, scoring, vocabulary
from seshat.models.neural import base as bases
from seshat.models.neural.generation import Search, answer_ends
from seshat.models.neural.phases import Phase, choose, phases, with_replay, write_seen
from seshat.models.neural.preflight import Preflight
from seshat.models.neural.saved import ADAPTER, WEIGHTS
from seshat.models.neural.start import Start
from seshat.project import Project
from seshat.prompt import Prompt
from seshat.records import Segment
from seshat.retrieval import FOLDER

MESSAGES = "messages"
"""Folder below ``data/training`` that ``format`` writes for this family."""
_ROOM = 2
"""Times as long as the longest reference an answer may become in validation."""
log = structlog.get_logger(__name__)


def train(project: Project, folder: Path) -> dict[str, Any]:
    """Fine-tune a decoder on ``data/training/messages``, or go on with a training that was interrupted.

    Writes the adapter or the weights with their tokenizer, ``prompt.json``, ``run.json`` and ``log.jsonl``.

    Args:
        project: the project.
        folder: an empty folder for the model.

    Returns:
        What ``model.json`` says of it: base, examples, steps, the best score on validation.

    Raises:
        CheckFailed: the examples would train badly: see :mod:`.preflight`.
        DataError: files are missing, or base and adapter do not belong together.
    """
    accelerators.prepare(project.config)
    training = Training(project)
    job = training.job()
    fitted = accelerators.fit(job, training.start.folder, project.config)
    training.save(fitted, folder)
    return training.results(fitted)


class Training:
    """One training: what it starts from, what it learns from."""

    def __init__(self, project: Project) -> None:
        config = project.config
        self.project, self.section, self.seed = project, config.train, config.project.seed
        self.prompt = Prompt.of(project)
        self.adapters = trains_adapters(config)
        self.start = Start.of(project, adapters=self.adapters)
        tuning = self.section.finetune
        self.backend = device.decide(tuning.device, tuning.precision, config.model.quantization, config.model.attention)
        accelerators.check(config, self.backend)
        self.tokenizer = bases.open_tokenizer(self.start.tokenizer)
        self.extension = self._extension()
        if self.extension is not None:
            self.tokenizer = vocabulary.extended(self.tokenizer, self.extension)
        self.ends = answer_ends(self.tokenizer, self.prompt)
        self.stops = bases.stops(self.start.folder, self.tokenizer) | set(self.ends)
        self.folder = project.training / MESSAGES
        self.preflight = self._judge()
        self.train = dialogues.load(self.folder / "train.jsonl", self.prompt, self.tokenizer, self.preflight)
        self.validation = dialogues.load(
            self.folder / "validation.jsonl", self.prompt, self.tokenizer, self._judge(limit=1.0)
        )
        self.replayed = 0

    def job(self) -> loop.Job:
        """The training as the loop takes it."""
        if self.train.first is None:
            raise DataError(
                f"{self.folder / 'train.jsonl'}: nothing to train on.", "Run `seshat check` to see where the data went."
            )
        preflight.show(self.tokenizer, self.train.first)
        tuning = self.section.finetune
        flash = self.backend.attention == "flash_attention_2"
        pads = tuning.packing and not flash
        return loop.Job(
            open=self.open,
            tokenizer=self.tokenizer,
            phases=self._phases(),
            validation=self.validation.data,
            settings=tuning,
            backend=self.backend,
            work=self._work(),
            seed=self.seed,
            score=self._scorer(),
            collator=dialogues.packed_batch(self.tokenizer.pad_token_id) if pads else None,
            trainer=_trl,
            arguments={
                "dataset_kwargs": {"skip_prepare_dataset": True},
                "max_length": tuning.max_length,
                "packing": tuning.packing and flash,
            },
            callbacks=loop.trackers(self.project, self.backend),
            root=self.project.root,
        )

    def open(self) -> Any:
        """The model before the first step: base, new pieces, adapter."""
        import transformers

        transformers.set_seed(self.seed)
        if self.section.finetune.accelerator == "unsloth":
            return accelerators.unsloth_model(self.start.folder, self.backend, self.section, self.seed)
        model = bases.open_model("causal", self.start.folder, self.backend, frozen=self.adapters)
        model.config.use_cache = False
        more: dict[str, Any] = {}
        if self.extension is not None:
            vocabulary.extend_model(model, self.tokenizer, self.extension)
            more = vocabulary.adapter_settings(model, self.tokenizer, self.extension.pieces)
        elif self.start.adapter is not None:
            vocabulary.fit_embeddings(model, self.tokenizer)
        if not self.adapters:
            return model
        if self.start.adapter is not None:
            return lora.again(model, self.start.adapter)
        return lora.attach(model, self.section.lora, "causal", self.seed, more)

    def save(self, fitted: loop.Fitted, folder: Path) -> None:
        """Write the model and everything that is needed to ask it."""
        own = folder / (ADAPTER if self.adapters else WEIGHTS)
        fitted.model.config.use_cache = True
        with bases.quiet():
            if self.adapters:
                lora.save(fitted.model, own, self.start.base["id"])
            else:
                fitted.model.save_pretrained(own)
            self.tokenizer.save_pretrained(own)
        self.prompt.save(folder)
        journal.write(folder / journal.LOG, fitted.log)
        write_json(folder / "run.json", {**fitted.run, "data": self.preflight.judge(), "replayed": self.replayed})
        write_seen(folder, [*self.train.digests, *self.start.seen])
        if (self.folder / FOLDER).is_dir():
            shutil.copytree(self.folder / FOLDER, folder / FOLDER)

    def results(self, fitted: loop.Fitted) -> dict[str, Any]:
        """What is reported, and what ``model.json`` needs to know."""
        last = fitted.run["phases"][-1]
        known = {"base": self.start.base}
        if self.extension is not None:
            known["vocabulary"] = vocabulary.describe(self.extension)
        return {
            **known,
            "examples": len(self.train.data),
            "parameters": fitted.run["parameters"],
            "trainable": fitted.run["trainable"],
            "steps": sum(phase["steps"] for phase in fitted.run["phases"]),
            f"validation_{last['metric']}": round(last["score"], 4) if "score" in last else None,
            "device": "; ".join(self.backend.reasons),
        }

    def _judge(self, limit: float | None = None) -> Preflight:
        tuning = self.section.finetune
        return Preflight(tuning.max_length, tuning.truncation_limit if limit is None else limit, self.stops)

    def _extension(self) -> vocabulary.Extension | None:
        count = self.project.config.model.extend_vocabulary
        if not count:
            return None
        language = self.project.config.project.language
        segments = read_jsonl(self.project.training / "train.jsonl", Segment)
        texts = [text for segment in segments if (text := segment.texts.get(language))]
        return vocabulary.learn(self.tokenizer, texts, count)

    def _phases(self) -> list[tuple[Phase, Any]]:
        """Each phase with its examples. Records are chosen by number: the tokens stay where they are."""
        numbers: Sequence[int] = range(len(self.train.data))
        if self.start.seen:
            numbers, self.replayed = with_replay(
                numbers, self.start.seen, self.section.finetune.replay, self.seed, self.train.digests.__getitem__
            )
            log.info("going on from an earlier model", new=len(numbers) - self.replayed, old=self.replayed)
        found = []
        for phase in phases(self.section):
            data = self.train.data.select(choose(numbers, phase, self.train.traits.__getitem__))
            if self.section.finetune.packing:
                with bases.quiet():
                    data = dialogues.packed(data, self.section.finetune.max_length)
            found.append((phase, data))
        return found

    def _scorer(self) -> loop.Score | None:
        """Translates validation, evenly spaced segments of it, and scores each direction."""
        asked = [one for one in dialogues.read(self.folder / "validation.jsonl") if one.task == "translate"]
        most = self.section.finetune.validation_segments
        asked = [asked[i * len(asked) // most] for i in range(most)] if len(asked) > most else asked
        if not asked or self.section.finetune.metric == "loss":
            return None
        questions = [self.prompt.render(self.tokenizer, one.messages[:-1], answer=False) for one in asked]
        rows = self.tokenizer(questions, add_special_tokens=False)["input_ids"]
        references = [one.answer for one in asked]
        longest = max(len(ids) for ids in self.tokenizer(references, add_special_tokens=False)["input_ids"])
        most_tokens = min(self.prompt.decoding.max_new_tokens, _ROOM * longest + 8)
        decoding = self.prompt.decoding.model_copy(update={"max_new_tokens": most_tokens})

        def score(model: Any, _batch: int) -> dict[str, float]:
            search = Search(model, self.tokenizer, decoding, ends=self.ends, seed=self.seed)
            texts = [found[0].text for found in search.answers(rows, scored=False)]
            return scoring.by_direction([str(one.direction) for one in asked], texts, references)

        return score

    def _work(self) -> Path:
        config = self.project.config
        settings = self.section.model_dump_json(include={"finetune", "phases", "lora"})
        files = [self.folder / "train.jsonl", self.folder / "validation.jsonl"]
        return loop.work(
            self.project,
            settings,
            config.model.model_dump_json(exclude={"download"}),
            self.prompt.hash,
            str(self.start.base["fingerprint"]),
            *files,
            *(sorted(self.start.adapter.glob("*.safetensors")) if self.start.adapter else ()),
        )


def _trl() -> tuple[type[Any], type[Any]]:
    from trl import SFTConfig, SFTTrainer

    return SFTTrainer, SFTConfig
