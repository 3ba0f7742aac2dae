"""Small models of the real architectures, trained here, before and after every export: what each form costs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tests import finetuned, tiny_models

from seshat.core.jsonl import write_jsonl
from seshat.export.export import run
from seshat.project.folder import Project

SUMMARY = "scores before and after every export: merged, adapter, GGUF f16 to q4_k_m, CTranslate2 int8"
SEGMENTS = 200
STEPS = 300
"""Of the base; half of it for the adapter."""
TYPES = ("f16", "q8_0", "q4_0", "q4_k_m")
CODES = {"qsm": "qsm_Latn", "es": "spa_Latn"}
PROMPT = {"system": "{language}.", "templates": {"translate": "{source} {target}: {text}"}}
PREFIX = {"prefix": "{source} {target}: ", "max_new_tokens": 60}


def projects(root: Path) -> Iterator[tuple[str, Callable[[], Project]]]:
    """Name of each model, and what trains it; widths that K-quants fit (multiples of 256)."""
    texts = [text for segment in finetuned.segments(120, 1) for text in segment.texts.values()]
    shape = {"dim": 256, "ffn": 512}
    causal = {"formats": ["merged", "adapter", "gguf"], "quantization": TYPES}
    seq2seq = {"formats": ["merged", "ctranslate2"]}

    def nllb(folder: Path) -> Path:
        return tiny_models.nllb(folder, texts, tuple(CODES.values()))

    common: dict[str, Any] = {"margin": 100, "segments": SEGMENTS}
    bases = (
        ("Qwen3, LoRA", tiny_models.qwen3, "none"),
        ("Qwen3, QLoRA", tiny_models.qwen3, "nf4"),
        ("Gemma 3, LoRA", tiny_models.gemma3, "none"),
    )
    for name, make, bits in bases:
        settings = {"quantization": bits, "prompt": PROMPT, "shape": shape, "export": causal | common}
        yield name, partial(finetuned.causal, root / name, make, steps=STEPS, **settings)
    codes = {"language_codes": CODES}
    both = seq2seq | common
    yield "NLLB", partial(finetuned.seq2seq, root / "nllb", nllb, steps=2 * STEPS, model=codes, export=both)
    settings = {"prompt": PREFIX, "export": both}
    yield "ByT5", partial(finetuned.seq2seq, root / "byt5", tiny_models.byt5, steps=STEPS, **settings)


def main() -> dict[str, Any]:
    """Train, export, measure."""
    found: dict[str, Any] = {"segments": SEGMENTS, "models": {}}
    with tempfile.TemporaryDirectory() as folder:
        for name, train in projects(Path(folder)):
            began = time.perf_counter()
            made = train()
            write_jsonl(made.training / "validation.jsonl", finetuned.segments(SEGMENTS, 2))
            trained = time.perf_counter()
            result = run(made)
            sizes = {one["export"]: one["megabytes"] for one in result["exports"]}
            found["models"][name] = {
                "seconds": {
                    "training": round(trained - began, 1),
                    "exports": round(time.perf_counter() - trained, 1),
                },
                "refused": result["refused"],
                "rows": [{**row, "megabytes": sizes.get(row["export"])} for row in result["table"]],
            }
    _show(found)
    return found


def _show(found: dict[str, Any]) -> None:
    table = Table(title=f"Before > after, {SEGMENTS} validation segments")
    for column in ("model", "export", "direction", "chrF2", "BLEU", "chrF++", "same", "MB"):
        table.add_column(column)
    for name, model in found["models"].items():
        for row in model["rows"]:
            cells = (row[key] for key in ("direction", "chrf2", "bleu", "chrf++", "same", "megabytes"))
            table.add_row(name, row["export"].partition("-")[2], *map(str, cells))
    Console(width=150).print(table)
