"""Training an encoder-decoder from scratch on a few thousand pairs.

Recipe after Araabi & Monz 2020 (low-resource Transformer), Kudo 2018 (subword regularisation) and Vaswani et al. 2017
(warm-up and inverse square root; averaged checkpoints). Stopped early by chrF2 on validation, because the loss goes on
falling when the translations no longer improve.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog

from seshat.config import Direction
from seshat.config.train import Seq2SeqSection
from seshat.core.errors import DataError
from seshat.core.jsonl import write_text
from seshat.core.paths import remove
from seshat.core.progress import task
from seshat.models.neural import device
from seshat.models.seq2seq import checkpoint, network
from seshat.models.seq2seq.checkpoint import State
from seshat.models.seq2seq.data import MAX_PIECES, Pair, Schedule, Vocabulary, padded
from seshat.project.folder import Project
from seshat.prompt.prompt import BREAK, after
from seshat.prompt.surroundings import Surroundings

VALIDATION = 200
"""Validation segments translated to decide when to stop."""
KERNELS = 64
"""Shapes of batches that compiled kernels are kept for."""
log = structlog.get_logger(__name__)


def train(project: Project, direction: Direction, folder: Path) -> dict[str, Any]:
    """Train one direction, or go on with a training that was interrupted.

    Reads ``training/{train,validation,monolingual}.jsonl`` and ``models/tokenizer/spm.model``; writes the model to
    ``folder`` in the Hugging Face layout, its CTranslate2 form below it when that is installed, and
    ``history.jsonl``.

    Returns:
        Parameters, steps, the best chrF2 on validation, pairs, seconds, and what the device does.

    Raises:
        DataError: there is no tokenizer, or nothing to train on.
    """
    spm = project.models / "tokenizer" / "spm.model"
    if not spm.exists():
        raise DataError(f"{spm}: a model from scratch needs a tokenizer.", "Run `seshat tokenizer` first.")
    vocabulary = Vocabulary(spm)
    pairs, validation = (_pairs(project, name, direction) for name in ("train", "validation"))
    if not pairs or not validation:
        raise DataError(
            f"Nothing to train on for {direction}: {len(pairs)} pairs to train, {len(validation)} to validate.",
            "Run `seshat check` to see where the data went.",
        )
    if project.config.prompt.context:
        preceded = [pair for pair in pairs if BREAK in pair[0]]
        log.info("pairs with the sentences before", pairs=len(pairs), of_them=len(preceded), example=preceded[:1])
    trainer = Trainer(project, direction, vocabulary, pairs, validation)
    result = trainer.run()
    network.save(trainer.model, vocabulary, spm, folder)
    write_text(folder / "history.jsonl", "".join(json.dumps(row) + "\n" for row in trainer.state.history))
    network.convert(folder, vocabulary)
    cut = sum(len(vocabulary.encode(text)) >= MAX_PIECES for pair in pairs for text in pair)
    return {**result, "pairs": len(pairs), "cut": cut}


class Trainer:
    """One direction's training: its data, its network and how far it has come."""

    def __init__(
        self,
        project: Project,
        direction: Direction,
        vocabulary: Vocabulary,
        pairs: Sequence[Pair],
        validation: Sequence[Pair],
    ) -> None:
        # oneDNN keeps what it compiled for each shape of a batch: over 3 GB for the 1,024 that it keeps by itself.
        os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(KERNELS))
        import torch

        self.settings: Seq2SeqSection = project.config.train.seq2seq
        self.seed = project.config.project.seed
        self.direction = direction
        self.vocabulary = vocabulary
        self.validation = validation[:VALIDATION]
        wanted = self.settings.device, self.settings.precision
        self.backend = device.choose(*wanted, setting="train.seq2seq.device").logged()
        self.model = network.build(self.settings, vocabulary, self.seed).to(self.backend.device)
        self.optimizer = torch.optim.AdamW(
            checkpoint.trained(self.model).values(), lr=1.0, betas=(0.9, 0.98), weight_decay=0.01
        )
        texts = [b for _, b in pairs] + _monolingual(project, direction.target)
        self.schedule = Schedule(
            pairs, texts, vocabulary, self.settings.batch_tokens, self.settings.copy_warmup, self.seed
        )
        self.state = State()
        self.work = _work(project, direction)

    def run(self) -> dict[str, Any]:
        """Train to the end, and leave the averaged weights in ``model``."""
        saved = self.work / "last.safetensors"
        if saved.exists():
            self.state = checkpoint.load(saved, self.model, self.optimizer)
            log.info("resumed", step=self.state.step, direction=str(self.direction))
        with task(f"training {self.direction}", total=self.settings.steps) as advance:
            advance(self.state.step)
            self._steps(advance)
        score = self._average()
        return {
            "parameters": sum(p.numel() for p in self.model.parameters()),
            "steps": self.state.step,
            "validation_chrf2": round(score, 2),
            "device": "; ".join(self.backend.reasons),
            "seconds": round(self.state.seconds, 1),
        }

    def _steps(self, advance: Any) -> None:
        losses: list[float] = []
        began = time.monotonic() - self.state.seconds
        for step, pairs in self.schedule.steps(self.state.step):
            if self._finished():
                return
            losses.append(self._step(step, pairs))
            self.state.step = step + 1
            advance(1)
            if self.state.step % self.settings.validate_every == 0 or self.state.step == self.settings.steps:
                self.state.seconds = time.monotonic() - began
                self._validate(sum(losses) / len(losses))
                losses = []

    def _finished(self) -> bool:
        minutes = self.settings.minutes
        late = minutes is not None and self.state.seconds > 60 * minutes
        return late or self.state.step >= self.settings.steps or self.state.waited >= self.settings.patience

    def _rate(self, step: int) -> float:
        """Linear warm-up, then the inverse square root of the step."""
        warmup = max(1, self.settings.warmup)
        return self.settings.learning_rate * min((step + 1) / warmup, math.sqrt(warmup / (step + 1)))

    def _step(self, step: int, pairs: Sequence[Pair]) -> float:
        import torch

        # Dropout depends on the step alone, so a resumed run draws the same.
        torch.manual_seed(self.seed * 1_000_003 + step)
        self.model.train()
        strength = self.settings.subword_sampling
        sources = self.vocabulary.sample([a for a, _ in pairs], strength, self.seed + 2 * step)
        targets = self.vocabulary.sample([b for _, b in pairs], strength, self.seed + 2 * step + 1)
        loss, _ = self._loss(sources, targets, self.settings.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(step)
        self.optimizer.step()
        return float(loss.detach())

    def _loss(self, sources: list[list[int]], targets: list[list[int]], smoothing: float) -> tuple[Any, int]:
        """Cross-entropy per target token, and how many there are."""
        import torch

        pad = self.vocabulary.pad
        source, target = padded(sources, pad).to(self.backend.device), padded(targets, pad).to(self.backend.device)
        shifted = torch.cat([torch.full_like(target[:, :1], pad), target[:, :-1]], dim=1)
        with torch.autocast(self.backend.device, torch.bfloat16, enabled=self.backend.dtype == "bfloat16"):
            logits = self.model(input_ids=source, attention_mask=source != pad, decoder_input_ids=shifted).logits
        # Padding is never an answer. Without its column its embedding stays zero, as CTranslate2 takes it to be.
        loss = torch.nn.functional.cross_entropy(
            logits[..., :pad].float().flatten(0, 1), target.flatten(), ignore_index=pad, label_smoothing=smoothing
        )
        return loss, int((target != pad).sum())

    def _validate(self, train_loss: float) -> None:
        state, score = self.state, self.score()
        row = {"step": state.step, "train_loss": train_loss, "validation_loss": self._validation_loss(), "chrf2": score}
        state.history.append({key: round(value, 4) for key, value in row.items()})
        log.info("validation", direction=str(self.direction), **state.history[-1])
        improved = not state.best or score > state.best[0][0]
        # While it denoises it does not translate yet: nothing to be impatient about.
        state.waited = 0 if improved or state.step <= self.settings.copy_warmup else state.waited + 1
        checkpoint.save_weights(self.work / f"weights-{state.step}.safetensors", self.model)
        state.best = sorted([*state.best, (score, state.step)], key=lambda b: (-b[0], b[1]))[: self.settings.average]
        checkpoint.save(self.work / "last.safetensors", self.model, self.optimizer, state)
        keep = {f"weights-{step}.safetensors" for _, step in state.best}
        for path in self.work.glob("weights-*.safetensors"):
            if path.name not in keep:
                remove(path)

    def _validation_loss(self) -> float:
        import torch

        total = count = 0.0
        self.model.eval()
        with torch.inference_mode():
            for start in range(0, len(self.validation), 32):
                part = self.validation[start : start + 32]
                sources, targets = ([self.vocabulary.encode(pair[side]) for pair in part] for side in (0, 1))
                loss, tokens = self._loss(sources, targets, 0.0)
                total, count = total + float(loss) * tokens, count + tokens
        return total / count

    def score(self) -> float:
        """chrF2 of greedy translations of the validation sample."""
        import torch

        from seshat.scores.metrics import Scorer, corpus_scores

        self.model.eval()
        out: list[str] = []
        with torch.inference_mode():
            for start in range(0, len(self.validation), 64):
                sources = [self.vocabulary.encode(a) for a, _ in self.validation[start : start + 64]]
                batch = padded(sources, self.vocabulary.pad).to(self.backend.device)
                made = self.model.generate(
                    input_ids=batch,
                    attention_mask=batch != self.vocabulary.pad,
                    max_new_tokens=min(MAX_PIECES, 2 * batch.shape[1] + 10),
                    num_beams=1,
                    do_sample=False,
                    suppress_tokens=[self.vocabulary.pad],
                )
                out += [self.vocabulary.decode(ids) for ids in made.tolist()]
        return corpus_scores(Scorer([b for _, b in self.validation]).count(out)).chrf2

    def _average(self) -> float:
        """The mean of the best checkpoints where it is better than the best one alone."""
        paths = [self.work / f"weights-{step}.safetensors" for _, step in self.state.best]
        checkpoint.load_average(paths, self.model)
        averaged = self.score()
        if averaged >= self.state.best[0][0]:
            return averaged
        checkpoint.load_average(paths[:1], self.model)
        return self.state.best[0][0]


def _pairs(project: Project, name: str, direction: Direction) -> list[Pair]:
    """Sources behind the sentences before them, where ``prompt.context`` wants any, and their translations."""
    surroundings = Surroundings(project.segments(name), project.config.prompt.context)
    return [
        (after(surroundings.texts(one, direction.source), source), target)
        for one in project.segments(name)
        if (source := one.texts.get(direction.source)) and (target := one.texts.get(direction.target))
    ]


def _monolingual(project: Project, language: str) -> list[str]:
    return [text for segment in project.segments("monolingual") if (text := segment.texts.get(language))]


def forget(project: Project, direction: Direction) -> None:
    """Take away the checkpoints of a finished training."""
    remove(_work(project, direction))


def _work(project: Project, direction: Direction) -> Path:
    """Checkpoints, under a key of what the training depends on: no other training goes on with them."""
    spm = project.models / "tokenizer" / "spm.model"
    files = [spm, *(project.training / f"{name}.jsonl" for name in ("train", "validation", "monolingual"))]
    digest = hashlib.sha256(project.config.train.seq2seq.model_dump_json().encode())
    digest.update(f"{direction} {project.config.project.seed}".encode())
    if context := project.config.prompt.context:
        digest.update(f" {context}".encode())
    for path in files:
        digest.update(path.read_bytes() if path.exists() else b"")
    return project.state / "work" / f"seq2seq-{direction}-{digest.hexdigest()[:16]}"
