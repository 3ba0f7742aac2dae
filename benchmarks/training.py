"""Throughput of fine-tuning: ours beside plain scripts around TRL and Transformers, the same job in the same run.

Two jobs, on small models of the real architectures with random weights: adapters on a Qwen3 that learns from
instruction data, and a ByT5 that is trained as a whole. The texts are made up, of very different lengths, as sentences
and dictionary entries are. Every script does the whole job, from the file of examples to saved weights, in a
process of its own; the variants take turns.

What is compared is processor time, which suffers less than the clock from whatever else the machine does. It suffers
all the same (caches, shared cores), in bursts: since every round of a variant makes the same steps, each step counts
with the least that it took in any round. ``ROUNDS`` and ``EXAMPLES`` in the environment set how many.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

SUMMARY = "Fine-tuning against plain TRL and Transformers scripts of the same job: examples a second, whole job, memory"

ROUNDS = int(os.environ.get("ROUNDS", "4"))
EXAMPLES = int(os.environ.get("EXAMPLES", "192"))
BATCH, RATE, LONGEST = 8, 1e-3, 512
RANK, ALPHA, DROPOUT = 16, 32, 0.05
PLAIN = {"causal": ("trl", "transformers"), "seq2seq": ("transformers",)}
OURS = {"causal": ("seshat", "seshat, by length", "seshat, packed"), "seq2seq": ("seshat", "seshat, by length")}
ALSO = {"causal": ("trl, by length", "trl, packed"), "seq2seq": ("transformers, by length",)}
"""What the plain scripts reach when their authors know of it too."""


# --- the data and the bases -----------------------------------------------------------------------------------------


def sentence(source: random.Random) -> str:
    """Two to sixty words, mostly few."""
    syllables = [a + b for a in "bcdgklmnprst" for b in "aeiou"]
    count = min(60, max(2, round(source.lognormvariate(2.2, 0.8))))
    return " ".join("".join(source.choices(syllables, k=source.randint(1, 4))) for _ in range(count))


def prepare(folder: Path) -> None:
    """Write a project per family: base, training files, instruction data, configuration."""
    from tests import tiny_models

    from seshat.core.jsonl import write_jsonl, write_text
    from seshat.core.records import Access, Meta, Segment
    from seshat.prompt.prompt import Prompt

    source = random.Random(5)
    public = Meta(access=Access.PUBLIC)
    texts = [(sentence(source), sentence(source)) for _ in range(EXAMPLES // 2)]
    pairs = [Segment(id=f"s{n}", texts={"qxx": a, "es": b}, meta=public) for n, (a, b) in enumerate(texts)]
    spoken = [text for pair in texts for text in pair]
    tiny_models.qwen3(folder / "causal-base", spoken, dim=256, ffn=768, layers=6, vocabulary=4_000)
    tiny_models.byt5(folder / "seq2seq-base", dim=192, layers=4)
    for family in PLAIN:
        project = open_project(folder, family, "seshat")
        for name, rows in (("train", pairs), ("validation", []), ("monolingual", []), ("lexicon", [])):
            write_jsonl(project.training / f"{name}.jsonl", rows)
        prompt = Prompt.of(project)
        lines = []
        for pair in pairs:
            for a, b in (("qxx", "es"), ("es", "qxx")):
                asked = prompt.messages("translate", source=a, target=b, text=pair.texts[a], answer=pair.texts[b])
                line = {"messages": asked, "id": f"{pair.id}/{a}", "task": "translate", "direction": f"{a}-{b}"}
                lines.append(json.dumps({**line, "meta": {"access": "public"}}) + "\n")
        write_text(project.training / "messages" / "train.jsonl", "".join(lines))
        write_text(project.training / "messages" / "validation.jsonl", "")


def open_project(folder: Path, family: str, variant: str) -> Any:
    """The project of a job, with the settings of a variant."""
    from seshat.config import Config
    from seshat.project.folder import Project

    tuning: dict[str, Any] = {
        "epochs": 1, "batch": BATCH, "learning_rate": RATE, "max_length": LONGEST, "warmup": 0, "scheduler": "linear",
        "truncation_limit": 1.0, "metric": "loss", "device": "cpu", "precision": "float32", "validate_every": 100_000,
        "packing": "packed" in variant, "group_by_length": "by length" in variant,
    }  # fmt: skip
    if tuning["packing"]:
        tuning["batch"] = packed_rows(folder)
    sections = {
        "project": {"language": "qxx", "pivot": "es", "max_access": "public"},
        "model": {"base": str(folder / f"{family}-base")},
        "prompt": {"system": "Translate.", "prefix": "{source} to {target}: "},
        "train": {
            "family": family,
            "finetune": tuning,
            "lora": {"rank": RANK, "alpha": ALPHA, "dropout": DROPOUT} if family == "causal" else {"enabled": False},
        },
    }
    return Project(folder / family, Config.model_validate(sections))


def packed_rows(folder: Path) -> int:
    """Full rows that hold about as many tokens as a batch of single examples, so that a step is as large."""
    path = folder / "tokens.json"
    return max(1, round(BATCH * json.loads(path.read_text())["mean"] / LONGEST)) if path.exists() else 1


# --- the measurement ------------------------------------------------------------------------------------------------


class Clock:
    """Time of a whole job, and within it that of the training loop; tokens that went through the model."""

    def __init__(self) -> None:
        self.tokens = 0
        self.loop = [0.0, 0.0]
        self._last = 0.0
        self.steps: list[float] = []
        """Processor seconds of each step, from the end of the one before."""
        self._whole = [time.perf_counter(), time.process_time()]

    def callback(self) -> Any:
        """A callback of the Trainer that measures its loop."""
        from transformers import TrainerCallback

        clock = self

        class Watch(TrainerCallback):  # type: ignore[misc]
            def on_train_begin(self, _args: Any, _state: Any, _control: Any, model: Any, **_: Any) -> None:
                model.register_forward_pre_hook(clock._count, with_kwargs=True)
                clock.loop = [-time.perf_counter(), -time.process_time()]
                clock._last = time.process_time()

            def on_step_end(self, _args: Any, _state: Any, _control: Any, **_: Any) -> None:
                now = time.process_time()
                clock.steps.append(now - clock._last)
                clock._last = now

            def on_train_end(self, _args: Any, _state: Any, _control: Any, **_: Any) -> None:
                clock.loop = [clock.loop[0] + time.perf_counter(), clock.loop[1] + time.process_time()]

        return Watch()

    def _count(self, _model: Any, _arguments: Any, named: dict[str, Any]) -> None:
        self.tokens += named["input_ids"].numel()

    def figures(self) -> dict[str, Any]:
        """What was measured."""
        whole = [time.perf_counter() - self._whole[0], time.process_time() - self._whole[1]]
        return {
            "loop_seconds": self.loop[0], "loop_processor_seconds": self.loop[1],
            "whole_seconds": whole[0], "whole_processor_seconds": whole[1], "input_tokens": self.tokens,
            "steps": self.steps,
        }  # fmt: skip


# --- the scripts ----------------------------------------------------------------------------------------------------


def ours(folder: Path, family: str, variant: str, clock: Clock) -> None:
    """As ``seshat train`` does it."""
    import dataclasses

    from seshat.models.neural import loop
    from seshat.models.neural.causal import Causal
    from seshat.models.neural.encoder_decoder import EncoderDecoder

    project = open_project(folder, family, variant)
    training = (Causal if family == "causal" else EncoderDecoder)(project)
    job = dataclasses.replace(training.job(), callbacks=lambda _phase: [clock.callback()])
    out = project.models / variant
    out.mkdir(parents=True)
    training._save(loop.fit(job), out)
    if variant == "seshat":
        lengths = training.train.data["length"]
        (folder / "tokens.json").write_text(json.dumps({"mean": statistics.fmean(lengths), "total": sum(lengths)}))


def arguments(kind: Any, folder: Path, variant: str, **more: Any) -> Any:
    """What a script says to the Trainer: the settings of our job, nothing saved or measured on the way."""
    if "by length" in variant:
        more["train_sampling_strategy"] = "group_by_length"
    return kind(
        output_dir=str(folder / "out"), per_device_train_batch_size=more.pop("batch", BATCH), num_train_epochs=1,
        learning_rate=RATE, lr_scheduler_type="linear", use_cpu=True, bf16=False, save_strategy="no", report_to=[],
        logging_steps=10, disable_tqdm=True, dataloader_pin_memory=False, **more,
    )  # fmt: skip


def messages(folder: Path) -> list[Any]:
    """The file of dialogues."""
    path = folder / "causal" / "data" / "training" / "messages" / "train.jsonl"
    return [json.loads(line)["messages"] for line in path.read_text(encoding="utf-8").splitlines()]


def plain_trl(folder: Path, _family: str, variant: str, clock: Clock) -> None:
    """A script around TRL: the last turn is the completion, which makes the loss one on answers only."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
    from trl import SFTConfig, SFTTrainer

    set_seed(13)
    tokenizer = AutoTokenizer.from_pretrained(folder / "causal-base")
    rows = [{"prompt": turns[:-1], "completion": turns[-1:]} for turns in messages(folder)]
    more: dict[str, Any] = {"packing": True, "batch": packed_rows(folder)} if "packed" in variant else {}
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(folder / "causal-base", dtype="float32"),
        args=arguments(SFTConfig, folder, variant, max_length=LONGEST, activation_checkpointing=False, **more),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=LoraConfig(r=RANK, lora_alpha=ALPHA, lora_dropout=DROPOUT, target_modules="all-linear",
                               task_type="CAUSAL_LM"),
        callbacks=[clock.callback()],
    )  # fmt: skip
    trainer.train()
    trainer.save_model(str(folder / "saved"))


def plain_transformers(folder: Path, family: str, variant: str, clock: Clock) -> None:
    """A script around Transformers alone."""
    import transformers
    from datasets import Dataset

    transformers.set_seed(13)
    base = folder / f"{family}-base"
    tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    if family == "causal":
        from peft import LoraConfig, get_peft_model

        adapter = LoraConfig(r=RANK, lora_alpha=ALPHA, lora_dropout=DROPOUT, target_modules="all-linear")
        opened = transformers.AutoModelForCausalLM.from_pretrained(base, dtype="float32")
        model, rows = get_peft_model(opened, adapter), _dialogue_rows(folder, tokenizer)
    else:
        model = transformers.AutoModelForSeq2SeqLM.from_pretrained(base, dtype="float32")
        rows = _pair_rows(folder, tokenizer)
    trainer = transformers.Trainer(
        model=model,
        args=arguments(transformers.TrainingArguments, folder, variant),
        train_dataset=Dataset.from_list(rows),
        data_collator=transformers.DataCollatorForSeq2Seq(tokenizer, model if family == "seq2seq" else None),
        processing_class=tokenizer,
        callbacks=[clock.callback()],
    )
    trainer.train()
    trainer.save_model(str(folder / "saved"))


def _dialogue_rows(folder: Path, tokenizer: Any) -> list[dict[str, Any]]:
    rows = []
    for turns in messages(folder):
        asked = tokenizer.apply_chat_template(turns[:-1], add_generation_prompt=True, return_dict=True)["input_ids"]
        whole = tokenizer.apply_chat_template(turns, return_dict=True)["input_ids"][:LONGEST]
        rows.append({"input_ids": whole, "labels": ([-100] * len(asked) + whole[len(asked) :])[:LONGEST]})
    return rows


def _pair_rows(folder: Path, tokenizer: Any) -> list[dict[str, Any]]:
    path = folder / "seq2seq" / "data" / "training" / "train.jsonl"
    pairs = [json.loads(line)["texts"] for line in path.read_text(encoding="utf-8").splitlines()]
    ways = [(f"{a} to {b}: {pair[a]}", pair[b]) for pair in pairs for a, b in (("qxx", "es"), ("es", "qxx"))]
    settings = {"max_length": LONGEST, "truncation": True}
    return [
        {"input_ids": tokenizer(a, **settings)["input_ids"], "labels": tokenizer(b, **settings)["input_ids"]}
        for a, b in ways
    ]


def script(variant: str) -> Callable[[Path, str, str, Clock], None]:
    """The function of a variant."""
    return {"seshat": ours, "trl": plain_trl, "transformers": plain_transformers}[variant.partition(",")[0]]


# --- all of it ------------------------------------------------------------------------------------------------------


def measure(family: str, variant: str, folder: Path) -> dict[str, Any]:
    """Run a variant in a process of its own; its figures and peak memory."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, "-m", "benchmarks.training", family, variant, str(folder)]
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{family}, {variant}: exit code {child.returncode}\n{errors[-2_000:]}")
    figures: dict[str, Any] = json.loads((folder / "figures.json").read_text())
    return {**figures, "peak_mb": round(usage.ru_maxrss / 1024)}


def best(rounds: list[dict[str, Any]], examples: int) -> dict[str, Any]:
    """The lowest of each figure, step by step where there are steps, and what follows from them."""
    found = {name: min(one[name] for one in rounds) for name in rounds[0] if name != "steps"}
    steps = [min(times) for times in zip(*(one["steps"] for one in rounds), strict=True)]
    around = min(one["loop_processor_seconds"] - sum(one["steps"]) for one in rounds)
    return {
        "examples_per_second": round(examples / found["loop_seconds"], 2),
        "examples_per_processor_second": round(examples / (sum(steps) + around), 2),
        "steps": len(steps),
        **{name: round(value, 2) for name, value in found.items()},
        "rounds_loop_processor_seconds": [round(one["loop_processor_seconds"], 2) for one in rounds],
    }


def compared(family: str, variants: dict[str, dict[str, Any]]) -> dict[str, float]:
    """How many times as fast as the fastest plain script each variant of ours is, in processor time."""
    key = "examples_per_processor_second"
    fastest = max(variants[name][key] for name in PLAIN[family])
    return {name: round(found[key] / fastest, 3) for name, found in variants.items()}


def main() -> dict[str, Any]:
    """Run all variants and print the table."""
    console = Console()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="seshat-training-") as name:
        folder = Path(name)
        subprocess.run([sys.executable, "-m", "benchmarks.training", "prepare", "", name], check=True,
                       capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
        for family in PLAIN:
            variants = (*OURS[family], *PLAIN[family], *ALSO[family])
            rounds: dict[str, list[dict[str, Any]]] = {variant: [] for variant in variants}
            for _ in range(ROUNDS):
                for variant in variants:
                    rounds[variant].append(measure(family, variant, folder))
            found = {variant: best(rounds[variant], EXAMPLES) for variant in variants}
            results[family] = {"variants": found, "times_the_plain_script": compared(family, found)}
            console.print(_table(family, found, results[family]["times_the_plain_script"]))
    return {"examples": EXAMPLES, "rounds": ROUNDS, "batch": BATCH, "jobs": results}


def _table(family: str, found: dict[str, dict[str, Any]], ratios: dict[str, float]) -> Table:
    table = Table(title=f"{family}: {EXAMPLES} examples, {BATCH} in a step, one thread")
    for column in ("", "examples/s", "a CPU second", "times plain", "input tokens", "whole job, CPU s", "peak MB"):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    for variant, figures in found.items():
        table.add_row(
            variant,
            f"{figures['examples_per_second']:.1f}",
            f"{figures['examples_per_processor_second']:.1f}",
            f"{ratios[variant]:.2f}",
            f"{figures['input_tokens']:,}",
            f"{figures['whole_processor_seconds']:.1f}",
            f"{figures['peak_mb']:,}",
        )
    return table


def _step(family: str, variant: str, folder: Path) -> None:
    """What a process of its own does."""
    import shutil

    if family == "prepare":
        prepare(folder)
        return
    import torch
    import transformers
    import trl

    assert trl.SFTTrainer and transformers.Trainer and transformers.Seq2SeqTrainer
    torch.set_num_threads(1)
    shutil.rmtree(folder / family / "models", ignore_errors=True)
    shutil.rmtree(folder / family / ".seshat", ignore_errors=True)
    clock = Clock()
    script(variant)(folder, family, variant, clock)
    (folder / "figures.json").write_text(json.dumps(clock.figures()))


if __name__ == "__main__":
    _step(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
