"""A project ready to fine-tune a tiny causal model: an invented language of a few words, messages written."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from seshat.config import Config
from seshat.core.jsonl import write_jsonl, write_text
from seshat.core.records import Meta, Segment
from seshat.project.folder import Project
from seshat.prompt.prompt import Prompt

WHO = {"mina": "la niña", "tolo": "el perro", "ruka": "la madre", "sepo": "el viejo"}
WHAT = {"pali": "la casa", "kumu": "el río", "teka": "el pan", "loro": "la canoa"}
ACT = {"basi": "ve", "dopa": "busca", "gelu": "quiere", "jumi": "lleva"}
FINETUNE = {
    "epochs": 2, "batch": 8, "learning_rate": 5e-3, "max_length": 96, "validate_every": 0.5, "metric": "loss",
    "patience": None, "device": "cpu", "precision": "float32",
}  # fmt: skip


def segments(name: str, count: int, seed: int) -> list[Segment]:
    """Sentences of three words; every other one noisy."""
    rng = random.Random(seed)
    found = []
    for i in range(count):
        (a, a2), (b, b2), (c, c2) = (rng.choice(list(words.items())) for words in (WHO, WHAT, ACT))
        meta = Meta(source="tales" if i % 2 else "web", access="public", method="gold" if i % 2 else "machine")
        found.append(Segment(id=f"{name}-{i}", texts={"qsm": f"{a} {b}na {c}", "es": f"{a2} {c2} {b2}"}, meta=meta))
    return found


def texts() -> list[str]:
    """What a base model has read: dialogues in the form of the project's, with every word translated wrongly."""
    rng = random.Random(1)
    right = {**WHO, **WHAT, **ACT}
    wrong = dict(zip(right, [*list(right.values())[1:], "la niña"], strict=True))
    found = []
    for i in range(400):
        a, b, c = (rng.choice(list(words)) for words in (WHO, WHAT, ACT))
        said = (f"{a} {b}na {c}", f"{wrong[a]} {wrong[c]} {wrong[b]}")
        (source, target), (text, answer) = (("qsm", "es"), said) if i % 2 else (("es", "qsm"), said[::-1])
        question = f"Translate from {source} into {target}:\n{text}"
        found.append(f"<|im_start|>user\n{question}<|im_end|><|im_start|>assistant\n{answer}")
    return found


def tiny_project(root: Path, base: Path, size: int = 48, **sections: Any) -> Project:
    """Write the training files; ``sections`` go into the configuration, those of ``train`` into its defaults."""
    given = sections.pop("train", {})
    settings = {"family": "causal", **given, "finetune": {**FINETUNE, **given.get("finetune", {})}}
    config = Config.model_validate(
        {
            "project": {"language": "qsm", "pivot": "es", "max_access": "public"},
            "model": {"base": str(base), **sections.pop("model", {})},
            "prompt": {"system": "", "max_new_tokens": 24, **sections.pop("prompt", {})},
            "train": settings,
            **sections,
        }
    )
    project = Project(root, config)
    write_text(root / "seshat.yaml", "project: {language: qsm, pivot: es}\n")
    for name, count, seed in (("train", size, 1), ("validation", 8, 2), ("test", 8, 3)):
        rows = segments(name, count, seed)
        write_jsonl(project.training / f"{name}.jsonl", rows)
        lines = [json.dumps(line) + "\n" for row in rows for line in dialogues(project, row)]
        write_text(project.training / "messages" / f"{name}.jsonl", "".join(lines))
    return project


def dialogues(project: Project, row: Segment) -> list[dict[str, Any]]:
    """Both directions of a segment."""
    prompt = Prompt.of(project)
    found = []
    for source, target in (("qsm", "es"), ("es", "qsm")):
        text, answer = row.texts[source], row.texts[target]
        messages = prompt.messages("translate", source=source, target=target, text=text, answer=answer)
        meta = {"source": row.meta.source, "method": str(row.meta.method), "access": "public"}
        way = f"{source}-{target}"
        found.append(
            {"messages": messages, "id": f"{row.id}/{way}", "task": "translate", "direction": way, "meta": meta}
        )
    return found
