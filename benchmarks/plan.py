"""What `seshat plan` says that a training takes, against what the training takes.

Each case is a base of 40 to 60 million parameters with random weights, trained for a few steps by `seshat train` in a
process of its own; a second process has planned it from `config.json` before. On CUDA the peak is what torch
allocated, with bases of the shapes of the presets. On a CPU it is the growth of the process from the moment before the
base is opened, twice: with memory that is given back at once (`MALLOC_MMAP_THRESHOLD_`), which is what the tensors
take and what the plan claims, and as the C library does it, which leaves gaps between them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

SUMMARY = (
    "memory that `seshat plan` predicts against the peak of the training: causal (full, LoRA, QLoRA), seq2seq, masked"
)
LETTERS = 230
"""Of a text: all are alike, so that the longest row is every row."""
PAIRS = 48
STEPS = 2
"""The second step is the first with optimizer states."""
TRAIN = {"epochs": 1, "max_steps": STEPS, "batch": 4, "accumulate": 1, "max_length": 1024, "validate_every": 1000}


@dataclass(frozen=True)
class Case:
    """A training to plan and to carry out."""

    name: str
    family: str
    base: str
    """Function of :mod:`tests.tiny_models` that makes tokenizer and configuration."""
    shape: dict[str, Any]
    """What is larger than in the tests."""
    settings: dict[str, Any]


_QWEN = {
    "vocab_size": 32768,
    "hidden_size": 512,
    "intermediate_size": 1536,
    "num_hidden_layers": 10,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 64,
}
_T5 = {"d_model": 512, "d_kv": 64, "d_ff": 1408, "num_layers": 9, "num_decoder_layers": 3, "num_heads": 8}
_M2M = {
    "d_model": 512,
    "encoder_layers": 6,
    "decoder_layers": 6,
    "encoder_attention_heads": 8,
    "decoder_attention_heads": 8,
    "encoder_ffn_dim": 2048,
    "decoder_ffn_dim": 2048,
    "vocab_size": 20000,
    "encoder_layerdrop": 0.0,
    "decoder_layerdrop": 0.0,
    "dropout": 0.1,
}
_XLMR = {
    "hidden_size": 512,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "intermediate_size": 2048,
    "vocab_size": 20000,
    "hidden_dropout_prob": 0.1,
}
_PREFIX = {"prompt": {"prefix": "translate {source} into {target}: "}}
CASES = (
    Case("causal, all weights", "causal", "qwen3", _QWEN, {"train": {"lora": {"enabled": False}}}),
    Case("causal, LoRA", "causal", "qwen3", _QWEN, {"train": {"lora": {"rank": 16}}}),
    Case(
        "causal, LoRA, checkpointing",
        "causal",
        "qwen3",
        _QWEN,
        {"train": {"lora": {"rank": 16}, "finetune": {"activation_checkpointing": True, "batch": 8}}},
    ),
    Case(
        "causal, QLoRA",
        "causal",
        "qwen3",
        _QWEN,
        {
            "model": {"quantization": "nf4"},
            "train": {"lora": {"rank": 64}, "finetune": {"optimizer": "paged_adamw_8bit"}},
        },
    ),
    Case("seq2seq, ByT5", "seq2seq", "byt5", _T5, {**_PREFIX, "train": {"finetune": {"optimizer": "adafactor"}}}),
    Case(
        "seq2seq, ByT5, small batches, AdamW",
        "seq2seq",
        "byt5",
        _T5,
        {**_PREFIX, "train": {"finetune": {"batch": 1, "accumulate": 4}}},
    ),
    Case(
        "seq2seq, NLLB, label smoothing",
        "seq2seq",
        "nllb",
        _M2M,
        {
            "model": {"language_codes": {"qu": "quy_Latn", "es": "spa_Latn"}},
            "train": {"finetune": {"label_smoothing": 0.1}},
        },
    ),
    Case("masked, XLM-R", "masked", "xlmr", _XLMR, {}),
)
ON_GPU = (
    ("Qwen/Qwen3-4B-Instruct-2507", "qwen3-4b-qlora", "qwen3"),
    ("Qwen/Qwen3-14B", "qwen3-14b-qlora", "qwen3"),
    ("google/byt5-base", "byt5-base", "byt5"),
    ("google/byt5-large", "byt5-large", "byt5"),
)
"""Presets whose bases are made with random weights of the real shape when there is a GPU."""


def make_project(folder: Path, case: Case) -> None:
    """A project whose training data are there, and its base."""
    _make_base(folder / "base", case)
    settings: dict[str, Any] = {
        "project": {"language": "qu", "pivot": "es"},
        "model": {"base": "base"},
        "train": {"family": case.family, "name": "model", "finetune": dict(TRAIN) | {"metric": "loss"}},
    }
    _merge(settings, case.settings)
    (folder / "seshat.yaml").write_text(json.dumps(settings), encoding="utf-8")
    _write_data(folder)


def _write_data(folder: Path) -> None:
    from seshat.project.folder import open_project
    from seshat.prompt.prompt import Prompt

    data = folder / "data" / "training"
    (data / "messages").mkdir(parents=True)
    public = {"access": "public", "source": "made"}
    rows = [
        {"id": str(number), "texts": {"qu": _text(number, "kamu "), "es": _text(number, "casa ")}, "meta": public}
        for number in range(PAIRS)
    ]
    prompt = Prompt.of(open_project(folder))
    talks = [
        {
            "messages": prompt.messages("translate", source="qu", text=row["texts"]["qu"], answer=row["texts"]["es"]),
            "id": row["id"],
            "task": "translate",
            "direction": "qu-es",
            "meta": public,
        }
        for row in rows
        if isinstance(row["texts"], dict)
    ]
    for name, some in (("train", slice(None)), ("validation", slice(4))):
        _lines(data / f"{name}.jsonl", rows[some])
        _lines(data / "messages" / f"{name}.jsonl", talks[some])
    _lines(data / "monolingual.jsonl", rows)
    _lines(data / "lexicon.jsonl", [])


def _text(number: int, word: str) -> str:
    return (f"{number:03d} " + word * LETTERS)[:LETTERS]


def _lines(path: Path, rows: list[Any]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _merge(settings: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict):
            _merge(settings.setdefault(key, {}), value)
        else:
            settings[key] = value


def _make_base(folder: Path, case: Case) -> None:
    """Tokenizer and configuration of the tests, wider and deeper, with random weights."""
    import torch
    import transformers
    from tests import tiny_models

    make: Callable[[Path], Path] = getattr(tiny_models, case.base)
    make(folder)
    config = transformers.AutoConfig.from_pretrained(folder)
    for key, value in case.shape.items():
        setattr(config, key, value)
    if hasattr(config, "layer_types"):
        config.layer_types = ["full_attention"] * config.num_hidden_layers
    kind = {"causal": "CausalLM", "seq2seq": "Seq2SeqLM", "masked": "MaskedLM"}[case.family]
    with torch.device("cuda" if _on_gpu() else "cpu"):
        model = getattr(transformers, f"AutoModelFor{kind}").from_config(config, dtype=_dtype())
    model.save_pretrained(folder)


def _dtype() -> Any:
    import torch

    return torch.bfloat16 if torch.cuda.is_available() else torch.float32


def planned(folder: Path) -> dict[str, int]:
    """What the plan says, without the runtime, and what it says of that."""
    from seshat.models import plan
    from seshat.project.folder import open_project

    (row,) = plan.run(open_project(folder), elsewhere=False)["memory"]
    return {"predicted": row["total"] - row["runtime"], "runtime": row["runtime"], "moment": row["moment"]}


def measured(folder: Path) -> dict[str, int]:
    """What the training takes, from the moment before the base is opened, and what was there then."""
    import torch

    for name in ("bitsandbytes", "datasets", "peft", "transformers.trainer", "trl.trainer.sft_trainer"):
        __import__(name)
    from seshat.models import train
    from seshat.models.neural import loop
    from seshat.project.folder import open_project

    project = open_project(folder)
    at: dict[str, int] = {}
    opening = loop.fit

    def watched(job: Any) -> Any:
        at["before"] = _resident()
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew here
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        found = opening(job)
        at["peak"] = _peak()
        if torch.cuda.is_available():
            at["cuda"] = torch.cuda.max_memory_allocated()
        return found

    loop.fit = watched
    train.run(project)
    return {"measured": at.get("cuda", at["peak"] - at["before"]), "before": at["before"]}


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _peak() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


def _child(what: str, folder: Path, gives_back: bool) -> dict[str, int]:
    """Run one of the two in a process of its own."""
    more = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_MMAP_MAX_": "1000000"} if gives_back else {}
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", **more}
    command = [sys.executable, "-m", "benchmarks.plan", what, str(folder)]
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stderr[-3000:]}")
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(case: Case, folder: Path) -> dict[str, Any]:
    """One row: planned, measured, and by how much they differ."""
    make_project(folder, case)
    said = _child("planned", folder, False)
    took = _child("measured", folder, True)
    row: dict[str, Any] = {"case": case.name, **said, **took}
    row["error"] = round(said["predicted"] / took["measured"] - 1, 4)
    if not _on_gpu():
        loose = _child("measured", _again(folder), False)
        row["with_gaps"] = loose["measured"]
        row["gaps"] = round(loose["measured"] / took["measured"] - 1, 4)
    return row


def _again(folder: Path) -> Path:
    """The project without the model that was trained."""
    import shutil

    for made in ("models", ".seshat"):
        shutil.rmtree(folder / made, ignore_errors=True)
    return folder


def _on_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _cases() -> tuple[Case, ...]:
    if not _on_gpu():
        return CASES
    from seshat.config import presets

    return tuple(
        Case(
            preset,
            presets.read(preset).plain()["train"]["family"],
            maker,
            {
                key: value
                for key, value in presets.bases()[base].items()
                if key not in ("model_type", "tokenizer_class")
            },
            {section: values for section, values in presets.read(preset).plain().items() if section != "model"}
            | {"model": {"quantization": presets.read(preset).plain()["model"].get("quantization", "none")}},
        )
        for base, preset, maker in ON_GPU
    )


def main() -> dict[str, Any]:
    """Print the table; returns its rows and the largest error."""
    table = Table(title="Peak of a training in MB: planned and measured")
    for column in ("case", "planned", "measured", "error", "with gaps", "gaps"):
        table.add_column(column, justify="left" if column == "case" else "right")
    rows = []
    for case in _cases():
        with tempfile.TemporaryDirectory() as folder:
            row = compare(case, Path(folder))
        rows.append(row)
        sizes = (f"{row['predicted'] / 1e6:,.0f}", f"{row['measured'] / 1e6:,.0f}", f"{row['error']:+.1%}")
        gaps = (f"{row['with_gaps'] / 1e6:,.0f}", f"{row['gaps']:+.1%}") if "gaps" in row else ("", "")
        table.add_row(row["case"], *sizes, *gaps)
    Console().print(table)
    return {"rows": rows, "largest_error": max(abs(row["error"]) for row in rows)}


if __name__ == "__main__":
    print(json.dumps({"planned": planned, "measured": measured}[sys.argv[1]](Path(sys.argv[2]))))
