"""Training an adapter with MLX-LM, Apple's own library, several times as fast on its processors as torch.

MLX-LM reads the same base, learns from the same tokens with the same masks, and its adapter is brought into the form of
PEFT, so that translation, evaluation and export know no difference. What it does otherwise is said in ``run.json``: the
best checkpoint is chosen by the loss, four bits are its own kind, and a training that was killed begins its phase anew.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any

import structlog

from seshat.config.neural import FineTuneSection, LoraSection
from seshat.core.errors import DataError, SeshatError, require
from seshat.core.jsonl import write_json
from seshat.core.paths import fresh
from seshat.core.progress import Advance, task
from seshat.models.neural import journal, loop
from seshat.models.neural.mlx_adapter import BITS, open_model, restore, schedule, silent, warmup_steps
from seshat.models.neural.phases import Phase
from seshat.models.neural.preflight import MASKED
from seshat.models.neural.trainer import Order

_PURPOSE = "train.finetune.accelerator: mlx"
_MULTIPLE = 32
"""Batches are as wide as a multiple of this, so that MLX compiles for few widths."""
DONE = "adapter.safetensors"
log = structlog.get_logger(__name__)


class Examples:
    """Tokenised rows as MLX-LM's trainer reads them: tokens, and where the answer begins.

    Args:
        rows: with ``input_ids`` and ``labels``.

    Raises:
        DataError: what is trained is not the end of an example, which MLX-LM cannot express.
    """

    def __init__(self, rows: Any) -> None:
        self.items: list[tuple[list[int], int]] = []
        for row in rows:
            ids, labels = list(row["input_ids"]), list(row["labels"])
            start = next((at for at, label in enumerate(labels) if label != MASKED), len(labels))
            if labels[start:] != ids[start:]:
                raise DataError(
                    "MLX-LM trains on the end of an example only, and this data masks other parts of it.",
                    "Train without it: train.finetune.accelerator=none",
                )
            self.items.append((ids, start))

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, at: int) -> tuple[list[int], int]:
        return self.items[at]

    def batches(self, order: Iterable[int], size: int, most: int) -> Iterator[tuple[Any, Any]]:
        """Padded tokens, and per example where the answer begins and where it ends."""
        import mlx.core as mx
        import numpy as np

        chosen = iter(order)
        while part := [self.items[at] for at in islice(chosen, size)]:
            longest = min(max(len(ids) for ids, _ in part), most)
            width = -(-longest // _MULTIPLE) * _MULTIPLE + 1
            rows = np.zeros((len(part), width), np.int32)
            for row, (ids, _) in zip(rows, part, strict=True):
                row[: len(ids[:most])] = ids[:most]
            yield mx.array(rows), mx.array([[start, len(ids[:most])] for ids, start in part])


class _Enough(Exception):
    """Validation has not improved for long enough."""


@dataclass
class Watcher:
    """What MLX-LM calls as it trains: keeps the log and the best weights, reports progress, stops in time."""

    settings: FineTuneSection
    save: Any
    """Writes the adapter as it is now."""
    advance: Advance
    callbacks: Sequence[Any] = ()
    """Trainer callbacks that want to see the log."""
    history: list[dict[str, Any]] = field(default_factory=list)
    best: float = math.inf
    waited: int = 0
    at: int = 0

    def on_train_loss_report(self, info: dict[str, Any]) -> None:
        """The mean loss since the last report."""
        step = info["iteration"] // self.settings.accumulate
        self.advance(step - self.at)
        self.at = step
        if not math.isfinite(info["train_loss"]):
            raise SeshatError(
                "The loss is no number any more: the training has diverged.", "Lower train.finetune.learning_rate."
            )
        self._note(step, {"loss": info["train_loss"], "learning_rate": info["learning_rate"]})

    def on_val_loss_report(self, info: dict[str, Any]) -> None:
        """The loss on validation; the one before the first step is not counted."""
        step = info["iteration"] // self.settings.accumulate
        if not step:
            return
        loss = float(info["val_loss"])
        self._note(step, {"eval_loss": loss})
        log.info("validation", step=step, loss=round(loss, 4))
        if loss < self.best:
            self.best, self.waited = loss, 0
            self.save()
            return
        self.waited += 1
        if self.settings.patience is not None and self.waited >= self.settings.patience:
            raise _Enough

    def _note(self, step: int, values: dict[str, Any]) -> None:
        from types import SimpleNamespace

        self.history.append({"step": step, **values})
        state = SimpleNamespace(global_step=step, is_world_process_zero=True)
        for callback in self.callbacks:
            callback.on_log(None, state, None, logs=values)


def fit(job: loop.Job, folder: Path, lora: LoraSection, quantization: str = "none") -> loop.Fitted:
    """Train through all phases with MLX-LM, then put the adapter on the model that everything else knows.

    Args:
        job: the training, as for :func:`seshat.models.neural.loop.fit`.
        folder: the base.
        lora: the adapter.
        quantization: of the frozen base.
    """
    for package in ("mlx", "mlx_lm"):
        require(package, extra="mlx", purpose=_PURPOSE)
    results: list[dict[str, Any]] = []
    model: Any = None
    for number, (_phase, rows) in enumerate(job.phases):
        work = _adapter(job, number).parent
        if not (work / "done.json").exists():
            if model is None:
                model = open_model(folder, lora, job.backend.dtype, quantization, job.seed)
            if number:
                model.load_weights(str(_adapter(job, number - 1)), strict=False)
            _train(job, model, number, rows)
        results.append(json.loads((work / "done.json").read_text(encoding="utf-8")))
    del model
    fitted = job.open()
    restore(fitted, _adapter(job, len(job.phases) - 1))
    return loop.Fitted(fitted, _describe(job, fitted, results, quantization), _log(job, results))


def _adapter(job: loop.Job, number: int) -> Path:
    """What a phase ends with."""
    return job.work / f"mlx-{number + 1}-{job.phases[number][0].name}" / DONE


def _train(job: loop.Job, model: Any, number: int, rows: Any) -> None:
    """One phase, from its beginning to ``done.json``."""
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_lm.tuner.trainer import train

    phase, work = job.phases[number][0], _adapter(job, number).parent
    examples, validation = Examples(rows), Examples(job.validation or [])
    steps = _steps(phase, job.settings, len(examples))
    fresh(work)

    def save() -> None:
        mx.save_safetensors(str(work / DONE), dict(tree_flatten(model.trainable_parameters())))

    callbacks = list(job.callbacks(phase.name)) if job.callbacks else []
    with task(f"training {phase.name}", total=steps) as advance, silent():
        watcher = Watcher(job.settings, save, advance, callbacks)
        with contextlib.suppress(_Enough):
            train(
                model=model,
                optimizer=_optimizer(phase, job.settings, steps),
                train_dataset=examples,
                val_dataset=validation if len(validation) else None,
                args=_arguments(job.settings, steps, work),
                iterate_batches=_batches(job, number, examples),
                training_callback=watcher,
            )
    if not (work / DONE).exists():
        save()
    result = {"name": phase.name, "examples": len(examples), "metric": "loss", "history": watcher.history}
    result |= {"steps": watcher.at, "planned_steps": steps}
    if math.isfinite(watcher.best):
        result |= {"best_step": journal.best(watcher.history, "loss", 1)[0][1], "score": watcher.best}
    write_json(work / "done.json", result)


def _steps(phase: Phase, settings: FineTuneSection, examples: int) -> int:
    steps = math.ceil(phase.epochs * math.ceil(examples / (settings.batch * settings.accumulate)))
    return min(steps, settings.max_steps or steps)


def _batches(job: loop.Job, number: int, examples: Examples) -> Any:
    """The batches of our own loop, in the place of MLX-LM's, which leave out the examples that fill no batch."""
    settings = job.settings
    lengths = [len(ids) for ids, _ in examples.items] if settings.group_by_length else None
    order = Order(len(examples), lengths, settings.batch * settings.accumulate, job.seed + number)

    def batches(
        dataset: Examples, batch_size: int, max_seq_length: int, loop: bool = False, **_: Any
    ) -> Iterator[tuple[Any, Any]]:
        if not loop:
            yield from dataset.batches(range(len(dataset)), batch_size, max_seq_length)
            return
        for epoch in count():
            order.set_epoch(epoch)
            yield from dataset.batches(order, batch_size, max_seq_length)

    return batches


def _arguments(settings: FineTuneSection, steps: int, work: Path) -> Any:
    """MLX-LM counts batches, not steps."""
    from mlx_lm.tuner.trainer import TrainingArgs

    every = max(1, int(settings.validate_every if settings.validate_every >= 1 else settings.validate_every * steps))
    return TrainingArgs(
        batch_size=settings.batch,
        iters=steps * settings.accumulate,
        val_batches=-1,
        steps_per_report=max(1, min(10, every)) * settings.accumulate,
        steps_per_eval=every * settings.accumulate,
        steps_per_save=steps * settings.accumulate + 1,
        max_seq_length=settings.max_length,
        adapter_file=str(work / "last.safetensors"),
        grad_checkpoint=settings.activation_checkpointing,
        grad_accumulation_steps=settings.accumulate,
    )


def _optimizer(phase: Phase, settings: FineTuneSection, steps: int) -> Any:
    import mlx.optimizers as optim

    rate = schedule(settings.scheduler, phase.learning_rate, warmup_steps(settings, steps), steps)
    if settings.optimizer.startswith("adafactor"):
        return optim.Adafactor(learning_rate=rate, scale_parameter=False, relative_step=False, warmup_init=False)
    return optim.AdamW(learning_rate=rate, weight_decay=settings.weight_decay, bias_correction=True)


def _describe(job: loop.Job, model: Any, results: list[dict[str, Any]], quantization: str) -> dict[str, Any]:
    bits = BITS.get(quantization)
    reasons = [
        *job.backend.reasons,
        "trained by MLX-LM: the best checkpoint is chosen by the loss, and checkpoints are not averaged",
        *([f"frozen weights in {bits} bits of MLX instead of {quantization}"] if bits else []),
    ]
    return {
        **job.backend.describe(),
        "reasons": reasons,
        "accelerator": "mlx",
        "parameters": sum(p.numel() for p in model.parameters()),
        "trainable": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "batch": job.settings.batch,
        "accumulate": job.settings.accumulate,
        "events": [],
        "phases": [{k: v for k, v in result.items() if k != "history"} for result in results],
    }


def _log(job: loop.Job, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"event": "device", **job.backend.describe(), "accelerator": "mlx"}]
    for result in results:
        rows += journal.rows(result["history"], result["name"])
    return rows
