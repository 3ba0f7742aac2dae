"""Family ``causal``: decoders that learn to answer, through TRL. Adapters (LoRA, QLoRA, DoRA, rsLoRA) or all weights.

A phase of ``text`` goes on with the pretraining instead: documents in the project's language, one after the other.

What TRL would do otherwise is decided here: the loss is on the answers alone, nothing is cut in silence, gradients are
not checkpointed and the arithmetic is not bfloat16 unless the configuration or the device says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from seshat.config import families
from seshat.core.progress import track
from seshat.core.spaced import evenly
from seshat.models.neural import accelerators, dialogues, loop, preflight, texts, training
from seshat.models.neural import base as bases
from seshat.models.neural.generation import Search, answer_ends
from seshat.models.neural.phases import phases
from seshat.models.neural.preflight import Preflight, Row
from seshat.models.neural.training import Answering, Corpus, note
from seshat.project.folder import Project
from seshat.prompt.retrieval import FOLDER

MESSAGES = "messages"
"""Folder below ``data/training`` that ``format`` writes for this family."""
TEXTS = ("monolingual.jsonl", "train.jsonl")
"""Files with running text."""
log = structlog.get_logger(__name__)


class Causal(Answering):
    """Training of a decoder on ``data/training/messages``, running text, or both.

    What hints and similar pairs are looked up in goes with the model.
    """

    family = families.CAUSAL

    def __init__(self, project: Project) -> None:
        accelerators.prepare(project.config)
        self.folder = project.training / MESSAGES
        kinds = {phase.text for phase in phases(project.config)}
        self.reads, self.answers = True in kinds, False in kinds
        if self.reads:
            self.files = TEXTS
        super().__init__(project)
        if self.answers:
            self.prompt.check_wording(self.folder)
        accelerators.check(project.config, self.backend)

    def rows(self, name: str, look: Preflight, corpus: Corpus) -> Iterator[Row]:
        """The dialogues, masked up to the answer, and the texts, whole: as far as a phase learns from them."""
        if self.answers:
            yield from self._dialogues(name, look, corpus)
        if self.reads:
            yield from self._texts(name, corpus)

    def _dialogues(self, name: str, look: Preflight, corpus: Corpus) -> Iterator[Row]:
        found = dialogues.read(self.folder / f"{name}.jsonl", self.project.gate)
        rows = dialogues.tokenised(found, self.prompt, self.tokenizer, look.stops)
        for dialogue, row in track(rows, f"tokenising {name}"):
            if look.passes(row):
                if name == "train" and not corpus.traits:
                    preflight.show(self.tokenizer, row)
                corpus.traits.append(dialogue.traits)
                corpus.digests.append(dialogue.digest)
                yield row

    def _texts(self, name: str, corpus: Corpus) -> Iterator[Row]:
        language, tokens = self.project.config.project.language, 0
        files = self.files if name == "train" else (f"{name}.jsonl",)
        segments = (segment for _, segment in track(self.segments(*files), f"tokenising the texts of {name}"))
        for segment, row in texts.tokenised(texts.documents(segments, language), language, self.tokenizer):
            note(corpus, segment)
            corpus.traits[-1] = replace(corpus.traits[-1], text=True)
            tokens += len(row.ids)
            yield row
        log.info("texts", set=name, tokens=tokens)

    def judge(self, limit: float) -> Preflight:
        """Looks at dialogues: a part is given, and the answer ends where generation does."""
        stops = bases.stops(self.start.folder, self.tokenizer) | set(answer_ends(self.tokenizer, self.prompt))
        return Preflight(self.section.finetune.max_length, limit, stops)

    def open(self) -> Any:
        """The model before the first step; with Unsloth, opened by it."""
        if self.section.finetune.accelerator == "unsloth":
            return accelerators.unsloth_model(self.start.folder, self.backend, self.section, self.seed)
        return super().open()

    @property
    def _flash(self) -> bool:
        return self.backend.attention == "flash_attention_2"

    def arranged(self, data: Any, *, text: bool) -> Any:
        """Texts one after the other in full rows; answers so, each whole, when packing is asked for."""
        if not (text or self.section.finetune.packing):
            return data
        with bases.quiet():
            return dialogues.packed(data, self.section.finetune.max_length, whole=not text)

    def collator(self) -> Any:
        """TRL's; one of our own for packed rows without Flash Attention."""
        packs = self.section.finetune.packing and not self._flash
        return dialogues.packed_batch(self.tokenizer.pad_token_id) if packs else None

    def trainer(self) -> tuple[type[Any], type[Any]]:
        """TRL's."""
        with bases.quiet():
            from trl import SFTConfig, SFTTrainer

        return SFTTrainer, SFTConfig

    def arguments(self) -> dict[str, Any]:
        """The examples are tokenised, masked, cut and packed already."""
        tuning = self.section.finetune
        return {
            "dataset_kwargs": {"skip_prepare_dataset": True},
            "max_length": tuning.max_length,
            "packing": tuning.packing and self._flash,
        }

    def scorer(self) -> loop.Score | None:
        """Translates validation, evenly spaced segments of it, and scores each direction."""
        if not self.answers:
            return None
        read = dialogues.read(self.folder / "validation.jsonl", self.project.gate)
        asked = [one for one in read if one.task == "translate"]
        asked = evenly(asked, self.section.finetune.validation_segments)
        if not asked:
            return None
        questions = [self.prompt.render(self.tokenizer, one.messages[:-1], answer=False) for one in asked]
        rows = self.tokenizer(questions, add_special_tokens=False)["input_ids"]
        references = [one.answer for one in asked]
        decoding = self.room(self.tokenizer(references, add_special_tokens=False)["input_ids"])
        ends = answer_ends(self.tokenizer, self.prompt)

        def score(model: Any, _batch: int) -> dict[str, float]:
            search = Search(model, self.tokenizer, decoding, ends=ends, seed=self.seed)
            texts = [found[0].text for found in search.answers(rows, scored=False)]
            return training.by_direction([str(one.direction) for one in asked], texts, references)

        return score

    def inputs(self) -> tuple[Path, ...]:
        """The messages, and the texts where they are learned from."""
        messages = self.folder / "train.jsonl", self.folder / "validation.jsonl"
        return (*messages, *super().inputs()) if self.reads else messages

    def memory(self) -> Path:
        """What hints and similar pairs are looked up in."""
        return self.folder / FOLDER
