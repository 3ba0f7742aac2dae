"""Projects with a small fine-tuned model in them, made by hand in seconds: what ``train`` would leave behind."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests import tiny_models
from tests.small_project import _sentence

from seshat.config import Config, Direction, families
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Meta, Segment
from seshat.models.neural.base import fingerprint, open_model
from seshat.models.neural.device import Backend
from seshat.project.folder import Project
from seshat.prompt.prompt import Prompt

WAYS = (Direction("qsm", "es"), Direction("es", "qsm"))
ACCESS = {"tales": "public", "letters": "community"}


def segments(count: int, seed: int) -> list[Segment]:
    """Pairs of the small project's language, from two sources."""
    rng = random.Random(seed)
    made = []
    for number in range(count):
        small, spanish = _sentence(rng)
        source = "letters" if number % 10 == 0 else "tales"
        meta = Meta(source=source, licence="CC0-1.0", access=ACCESS[source])
        made.append(Segment(id=f"{seed}-{number}", texts={"qsm": small, "es": spanish}, meta=meta))
    return made


def project(root: Path, family: str, base: str, *, max_access: str = "community", **sections: Any) -> Project:
    """A project with training files; ``base`` is a folder in it."""
    config = Config.model_validate(
        {
            "project": {
                "name": "A small language",
                "language": "qsm",
                "pivot": "es",
                "max_access": max_access,
                "languages": {"qsm": {"name": "Lumeko"}, "es": {"name": "Spanish"}},
            },
            "train": {"family": family},
            "model": {"base": base, **sections.pop("model", {})},
            "prompt": {"max_new_tokens": 24, **sections.pop("prompt", {})},
            **sections,
        }
    )
    made = Project(root, config)
    write_jsonl(made.training / "train.jsonl", segments(120, 1))
    write_jsonl(made.training / "validation.jsonl", segments(16, 2))
    (root / "seshat.yaml").write_text("project: {language: qsm, pivot: es}\n")
    return made


def describe(made: Project, family: str, base: Path, **more: Any) -> Path:
    """Write ``model.json`` and ``prompt.json`` of ``models/FAMILY``."""
    folder, prompt = made.model(), Prompt.of(made)
    folder.mkdir(parents=True, exist_ok=True)
    prompt.save(folder)
    described = {
        "version": 1,
        "family": family,
        "name": family,
        "directions": [] if family == "masked" else [str(way) for way in WAYS],
        "languages": prompt.languages,
        "normalisation": prompt.normalisation,
        "settings": {},
        "seed": 13,
        "data": {},
        "results": {},
        "base": {"id": base.name, "revision": None, "fingerprint": fingerprint(base)},
        "adapter": (folder / "adapter").is_dir(),
        "quantization": "none",
        "prompt": prompt.hash,
        **more,
    }
    (folder / "model.json").write_text(json.dumps(described))
    return folder


def causal(root: Path, make: Callable[..., Path] = tiny_models.qwen3, *, steps: int = 60, **options: Any) -> Project:
    """A causal base that knows one half of the answers and an adapter for the other half, ``models/causal/adapter``."""
    import peft
    from transformers import AutoModelForCausalLM, AutoTokenizer

    quantization = options.pop("quantization", "none")
    shape = options.pop("shape", {})
    made = project(root, "causal", "base", **options)
    prompt = Prompt.of(made)
    texts = [text for segment in segments(120, 1) for text in segment.texts.values()]
    base = make(root / "base", [*texts, *tiny_models.TEXTS], **shape)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base)
    fit(model, tokenizer, _chats(prompt, tokenizer, WAYS[:1]), steps)
    model.save_pretrained(base)
    import torch

    if quantization != "none":  # QLoRA: the adapter learns beside the quantised weights
        model = open_model(families.CAUSAL, base, Backend("cpu", quantization=quantization), frozen=True)
    torch.manual_seed(5)
    settings = peft.LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
    adapted = peft.get_peft_model(model, settings)
    fit(adapted, tokenizer, _chats(prompt, tokenizer, WAYS), steps // 2)
    adapted.save_pretrained(made.model() / "adapter")
    tokenizer.save_pretrained(made.model() / "adapter")
    describe(made, "causal", base, quantization=quantization)
    return made


def seq2seq(root: Path, make: Callable[..., Path], *, steps: int = 60, **options: Any) -> Project:
    """A fully fine-tuned encoder-decoder, ``models/seq2seq/weights``."""
    from transformers import AutoModelForSeq2SeqLM

    from seshat.models.neural.base import open_tokenizer
    from seshat.models.neural.encoding import Encoding

    made = project(root, "seq2seq", "base", **options)
    base = make(root / "base")
    tokenizer, model = open_tokenizer(base), AutoModelForSeq2SeqLM.from_pretrained(base)
    encoding = Encoding(tokenizer, Prompt.of(made), model.config.model_type)
    rows: list[tuple[list[int], list[int]]] = []
    for way in WAYS:
        sources, targets = ([one.texts[tag] for one in segments(120, 1)] for tag in way)
        rows += zip(encoding.sources(sources, way), encoding.targets(targets, way), strict=True)
    fit(model, tokenizer, rows, steps)
    model.save_pretrained(made.model() / "weights")
    tokenizer.save_pretrained(made.model() / "weights")
    describe(made, "seq2seq", base)
    return made


def fit(model: Any, tokenizer: Any, rows: Sequence[tuple[list[int], list[int]]], steps: int) -> None:
    """Train in place on pairs of given and wanted ids: of a causal model the question and its answer."""
    import torch

    rng = random.Random(3)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-3)
    seq2seq = model.config.is_encoder_decoder
    pad = tokenizer.pad_token_id
    model.train()
    for _ in range(steps):
        batch = rng.sample(list(rows), 16)
        given = [one for one, _ in batch] if seq2seq else [one + other for one, other in batch]
        labels = [other if seq2seq else [-100] * len(one) + other for one, other in batch]
        ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in given], True, pad)
        wanted = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in labels], True, -100)
        lengths = torch.tensor([[len(row)] for row in given])
        mask = (torch.arange(ids.shape[1]) < lengths).long()
        model(input_ids=ids, attention_mask=mask, labels=wanted).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval()


def _chats(prompt: Prompt, tokenizer: Any, ways: Sequence[Direction]) -> list[tuple[list[int], list[int]]]:
    rows = []
    for way in ways:
        for segment in segments(120, 1):
            messages = prompt.messages(
                "translate",
                source=way.source,
                target=way.target,
                text=segment.texts[way.source],
                answer=segment.texts[way.target],
            )
            given, rest = prompt.parts(tokenizer, messages)
            rows.append(tuple(tokenizer(text, add_special_tokens=False)["input_ids"] for text in (given, rest)))
    return rows
