"""One attempt at one phase of a training: the Trainer of Transformers (or TRL) as :mod:`.loop` wants it."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from seshat.core.errors import SeshatError, UsageError
from seshat.core.jsonl import atomic_path, write_json
from seshat.core.paths import remove
from seshat.core.progress import Advance, task
from seshat.models.neural import answers, journal
from seshat.models.neural.lora import in_float32
from seshat.models.neural.steps import Order, slow_embeddings, token_mean

if TYPE_CHECKING:
    from seshat.config.finetune import FineTuneSection
    from seshat.models.neural.loop import Job, Run

_OF_TRL = ("num_tokens", "entropy", "mean_token_accuracy")
_SCORED = 8
"""Times as many examples as in a micro-batch are translated at once: that needs no gradients."""
log = structlog.get_logger(__name__)


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there is not enough memory, on whatever device."""
    import torch

    known = ("out of memory", "can't allocate memory", "DefaultCPUAllocator")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in known)
    )


class Attempt:
    """A phase, from its last checkpoint, with batches of the size that the run is at."""

    def __init__(self, job: Job, run: Run, number: int) -> None:
        self.job, self.run, self.number = job, run, number
        self.phase, self.examples = job.phases[number]
        self.folder = run.folder(number)
        self.sharded = job.settings.distributed is not None
        self.validation = job.texts if self.phase.text else job.validation
        self.validates = bool(self.validation)
        self.score = None if self.phase.text or self.sharded else job.score
        self.metric = "loss" if self.score is None else job.settings.metric
        self.kept = max(job.settings.average, job.settings.keep_best)
        self.together = run.micro * run.accumulate * int(os.environ.get("WORLD_SIZE", "1"))
        steps = math.ceil(self.phase.epochs * math.ceil(len(self.examples) / self.together))
        self.steps = min(steps, job.settings.max_steps or steps)
        every = job.settings.validate_every
        self.every = int(every) if every >= 1 else math.ceil(every * self.steps)

    def train(self) -> str | None:
        """Train to the end of the phase and write ``done.json``.

        Returns:
            What the device said when the memory was not enough; ``None`` when the phase is over.
        """
        trainer = self._open()
        try:
            history = self._fit(trainer)
            self._finish(trainer, history)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            return (str(error).splitlines() or ["out of memory"])[0]
        return None

    def _open(self) -> Any:
        try:
            model = self.job.open()
            self.run.restore(model, self.number)
            self.names = frozenset(journal.trained(model))
            return self._trainer(model)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            raise SeshatError(
                f"The memory of the device is too small for the model itself: {str(error).splitlines()[0]}",
                "Take a smaller base, or model.quantization=nf4 with adapters. `seshat plan` says what fits.",
            ) from error

    def _fit(self, trainer: Any) -> list[dict[str, Any]]:
        last = self._last()
        if last is not None:
            state = json.loads((last / "trainer_state.json").read_text(encoding="utf-8"))
            log.info("resumed", phase=self.phase.name, step=state["global_step"])
            history = state["log_history"]
            if state["global_step"] >= self.steps or self.patience_is_over(history):
                trainer._load_from_checkpoint(str(last))  # killed between the last step and done.json
                return list(history)
        with task(f"training {self.phase.name}", total=self.steps) as advance:
            trainer.add_callback(_watch(self, trainer, advance))
            trainer.train(resume_from_checkpoint=str(last) if last else None)
        return list(trainer.state.log_history)

    def _last(self) -> Path | None:
        """The newest complete checkpoint; Transformers writes ``trainer_state.json`` last."""
        found = sorted(self.folder.glob("checkpoint-*"), key=lambda path: int(path.name.rsplit("-", 1)[1]))
        for path in reversed(found):
            try:
                json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
            except (OSError, ValueError):
                remove(path)  # a killed process was writing it
            else:
                return path
        return None

    def patience_is_over(self, history: journal.History) -> bool:
        """Whether the last validations brought no gain."""
        patience = self.job.settings.patience
        return patience is not None and journal.waited(history, self.metric) >= patience

    def weights(self, step: int) -> Path:
        """File of what is trained, after a step."""
        return self.folder / f"weights-{step}.safetensors"

    def save_weights(self, trainer: Any, path: Path) -> None:
        """Write what is trained; when it is spread over processes, it is gathered first."""
        if not self.sharded:
            if trainer.is_world_process_zero():
                journal.save_weights(path, trainer.model)
            return
        from safetensors.torch import save_file

        state = trainer.accelerator.get_state_dict(trainer.model_wrapped)
        if trainer.is_world_process_zero():
            with atomic_path(path) as temporary:
                save_file({name: state[name].contiguous() for name in sorted(self.names)}, temporary)

    def _finish(self, trainer: Any, history: list[dict[str, Any]]) -> None:
        """Take the best weights, or the mean of the best ones where it is better, and write that the phase is over."""
        best = journal.best(history, self.metric, self.job.settings.average)
        paths = [self.weights(step) for _, step in best if self.weights(step).exists()]
        result: dict[str, Any] = {"name": self.phase.name, "examples": len(self.examples), "metric": self.metric}
        if not paths:
            self.save_weights(trainer, self.folder / "done.safetensors")
        else:
            score, averaged = best[0][0], False
            if len(paths) > 1 and not self.sharded:
                journal.load_average(paths, trainer.model)
                mean = trainer.evaluate(metric_key_prefix="mean")[f"mean_{self.metric}"]
                averaged = mean <= score if self.metric == "loss" else mean >= score
                result["mean_of_best"] = {"steps": [step for _, step in best], "score": mean, "taken": averaged}
                score = mean if averaged else score
            if not averaged:
                self._take(paths[0], trainer)
            else:
                self.save_weights(trainer, self.folder / "done.safetensors")
            result |= {"best_step": best[0][1], "score": score}
        if self.job.settings.keep_best:
            found = journal.best(history, self.metric, self.job.settings.keep_best)
            result["kept"] = [step for _, step in found]
        steps = max((event["step"] for event in history), default=0)
        result |= {"steps": steps, "planned_steps": self.steps, "history": history}
        if trainer.is_world_process_zero():
            write_json(self.folder / "done.json", result)
            for path in self.folder.glob("checkpoint-*"):
                remove(path)
        trainer.accelerator.wait_for_everyone()

    def _take(self, path: Path, trainer: Any) -> None:
        if trainer.is_world_process_zero():
            with atomic_path(self.folder / "done.safetensors") as temporary:
                shutil.copyfile(path, temporary)

    def _trainer(self, model: Any) -> Any:
        import transformers

        job = self.job
        kind, arguments = job.trainer or (transformers.Trainer, transformers.TrainingArguments)
        trainer = _tailored(kind, self)(
            model=model,
            args=arguments(**self._arguments()),
            train_dataset=self.examples,
            eval_dataset=self.validation if self.validates else None,
            processing_class=job.tokenizer,
            data_collator=job.collator,
            **(
                {}
                if job.trainer
                else {"compute_loss_func": token_mean(job.arguments.get("label_smoothing_factor", 0.0))}
            ),
            callbacks=list(job.callbacks(self.phase.name)) if job.callbacks else [],
        )
        in_float32(trainer.model)  # TRL brings adapters of quantised models to bfloat16
        trainer.remove_callback(transformers.PrinterCallback)
        return trainer

    def _arguments(self) -> dict[str, Any]:
        job, settings = self.job, self.job.settings
        return {
            "output_dir": str(self.folder),
            "max_steps": self.steps,
            "per_device_train_batch_size": self.run.micro,
            "per_device_eval_batch_size": self.run.micro,
            "gradient_accumulation_steps": self.run.accumulate,
            "learning_rate": self.phase.learning_rate,
            "lr_scheduler_type": settings.scheduler,
            "warmup_steps": settings.warmup,
            "optim": settings.optimizer,
            "weight_decay": settings.weight_decay,
            "max_grad_norm": settings.max_grad_norm,
            "activation_checkpointing": settings.activation_checkpointing,
            "use_cpu": job.backend.device == "cpu",
            "bf16": job.backend.dtype == "bfloat16",
            "fp16": job.backend.dtype == "float16",
            "dataloader_pin_memory": job.backend.device == "cuda",
            "eval_strategy": "steps" if self.validates else "no",
            "eval_steps": self.every,
            "save_strategy": "steps",
            "save_steps": self.every,
            "save_total_limit": settings.keep,
            "logging_steps": max(1, min(10, self.every)),
            "logging_nan_inf_filter": False,
            "seed": job.seed,
            "prediction_loss_only": True,
            "label_names": ["labels"],
            "ddp_find_unused_parameters": False,
            "report_to": [],
            "disable_tqdm": True,
            **distributed(settings, job.root),
            **job.arguments,
        }

    def order(self) -> Order:
        """The order in which the examples are seen."""
        lengths = None
        if self.job.settings.group_by_length:
            known = self.examples.column_names
            lengths = self.examples["length"] if "length" in known else [len(i) for i in self.examples["input_ids"]]
        return Order(len(self.examples), lengths, self.together, self.job.seed + self.number)


def _tailored(kind: type[Any], attempt: Attempt) -> type[Any]:
    class Tailored(kind):  # type: ignore[misc]
        """Takes the order of the examples from us, translates when it validates, and writes no cards."""

        def _get_train_sampler(self, *_arguments: Any, **_options: Any) -> Order:
            return attempt.order()

        def create_optimizer(self, *arguments: Any, **options: Any) -> Any:
            optimizer = super().create_optimizer(*arguments, **options)
            if attempt.job.settings.embeddings is not None:
                slow_embeddings(optimizer, attempt.job.settings.embeddings, self.accelerator.unwrap_model(self.model))
            return optimizer

        def evaluation_loop(self, *arguments: Any, **options: Any) -> Any:
            output = super().evaluation_loop(*arguments, **options)
            if attempt.score is not None:
                model = self.accelerator.unwrap_model(self.model)
                model.eval()
                with self.compute_loss_context_manager():
                    found: Mapping[str, float] = attempt.score(model, _SCORED * attempt.run.micro)
                prefix = options.get("metric_key_prefix", "eval")
                output.metrics.update({f"{prefix}_{name}": value for name, value in found.items()})
            return output

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            # The Trainer of a family's own is TRL's.
            loss = None if return_outputs or not attempt.job.trainer else answers.loss(self, model, inputs)
            if loss is None:
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            total, tokens = loss
            if num_items_in_batch is None:
                return total / tokens
            # as in Trainer.compute_loss: the count is of all processes, which then take the mean of their gradients
            alone = not self.args.average_tokens_across_devices
            return total / num_items_in_batch * (1 if alone else self.accelerator.num_processes)

        def create_model_card(self, *_arguments: Any, **_options: Any) -> None:
            pass

    return Tailored


def _watch(attempt: Attempt, trainer: Any, advance: Advance) -> Any:
    from transformers import TrainerCallback

    class Watch(TrainerCallback):  # type: ignore[misc]
        """Reports progress, keeps the best weights, and stops when nothing is gained any more."""

        def on_train_begin(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
            advance(state.global_step)

        def on_step_end(self, _args: Any, state: Any, control: Any, **_: Any) -> None:
            advance(1)
            if state.global_step >= attempt.steps:
                control.should_log = control.should_save = True
                control.should_evaluate = attempt.validates

        def on_log(self, _args: Any, _state: Any, _control: Any, logs: dict[str, Any], **_: Any) -> None:
            if not math.isfinite(logs.get("loss", 0.0)):
                raise SeshatError(
                    f"The loss of phase '{attempt.phase.name}' is no number any more: the training has diverged.",
                    "Lower train.finetune.learning_rate, or compute in train.finetune.precision=float32.",
                )

        def on_evaluate(self, _args: Any, state: Any, control: Any, metrics: dict[str, Any], **_: Any) -> None:
            if f"eval_{attempt.metric}" not in metrics:
                return
            history = state.log_history
            shown = {name.removeprefix("eval_"): round(value, 4) for name, value in metrics.items() if _shown(name)}
            log.info("validation", phase=attempt.phase.name, step=state.global_step, **shown)
            steps = [step for _, step in journal.best(history, attempt.metric, attempt.kept)]
            if state.global_step in steps:
                attempt.save_weights(trainer, attempt.weights(state.global_step))
            keep = {attempt.weights(step) for step in steps}
            if state.is_world_process_zero:
                for path in set(attempt.folder.glob("weights-*.safetensors")) - keep:
                    remove(path)
                journal.write(attempt.job.work / journal.LOG, journal.rows(history, attempt.phase.name))
            if attempt.patience_is_over(history):
                log.info("no gain any more: stopping", phase=attempt.phase.name, step=state.global_step)
                control.should_training_stop = control.should_save = True

    return Watch()


def _shown(name: str) -> bool:
    """Whether a figure of a validation is logged for people: not those of each direction, nor TRL's own."""
    return name.startswith("eval_") and not any(part in name for part in (" ", "runtime", "per_second", *_OF_TRL))


def distributed(settings: FineTuneSection, root: Path) -> dict[str, Any]:
    """The training arguments of ``finetune.distributed``: a file for DeepSpeed or FSDP.

    Raises:
        UsageError: there is no such file, or it is none of the two.
    """
    if settings.distributed is None:
        return {}
    path = root / settings.distributed
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path}: train.finetune.distributed cannot be read: {error}.", "Name a JSON file, from the project folder."
        ) from error
    if "zero_optimization" in content:
        return {"deepspeed": str(path)}
    return {"fsdp": content.pop("fsdp", "full_shard auto_wrap"), "fsdp_config": content.pop("fsdp_config", content)}
