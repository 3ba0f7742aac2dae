"""A language alone: text in Tamil script that nobody has written, and the shipped project made small."""

from __future__ import annotations

import random
from pathlib import Path

from tests import tiny_models

SIGNS = ["", "ா", "ி", "ு", "ே", "ை", "்"]
TUNING = {"epochs": 1, "learning_rate": 3e-3, "batch": 16, "max_length": 64, "device": "cpu", "accumulate": 1}


def texts(seed: int) -> list[list[str]]:
    """Documents of lines that nobody has written: words drawn from a made-up vocabulary, which follow one another."""
    rng = random.Random(seed)
    letters = [chr(code) for code in (0x0B95, 0x0B9A, 0x0B9F, 0x0BA4, 0x0BA8, 0x0BAA, 0x0BAE, 0x0BAF, 0x0BB0, 0x0BB2)]
    words = ["".join(rng.choice(letters) + rng.choice(SIGNS) for _ in range(rng.randint(2, 4))) for _ in range(60)]
    follows = {word: rng.sample(words, 3) for word in words}

    def line() -> str:
        said = [rng.choice(words)]
        while len(said) < 8:
            said.append(rng.choice(follows[said[-1]]))
        return " ".join(said) + "."

    return [[line() for _ in range(rng.randint(5, 8))] for _ in range(30)]


def fill(folder: Path) -> list[str]:
    """What a user drops in: web pages, books, sentences; gives all lines."""
    documents = texts(11)
    for number, lines in enumerate(documents):
        if number % 2:
            path, content = folder / "books" / f"b{number}.txt", "\n".join(lines)
        else:
            body = "".join(f"<p>{line}</p>" for line in lines)
            content = f"<html><head><title>x</title></head><body><article>{body}</article></body></html>"
            path = folder / "pages" / "site" / f"p{number}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (folder / "sentences").mkdir()
    loose = [line for lines in texts(11)[:3] for line in lines]  # they stand in the documents too
    (folder / "sentences" / "s.txt").write_text("\n".join(loose), encoding="utf-8")
    return [line for lines in documents for line in lines]


def prepared(family: str, folder: Path) -> list[str]:
    """Fill the folder of the shipped project and give it a tiny base; returns the settings to run it with."""
    lines = fill(folder / "data" / "raw")
    settings = [f"train.finetune.{name}={value}" for name, value in TUNING.items()]
    if family == "masked":
        tiny_models.xlmr(folder / "base", texts=lines)
    else:
        tiny_models.gemma3(folder / "base", lines, pieces="own")
        settings += [
            "train.finetune.accumulate=1",
            "train.finetune.optimizer=adamw_torch",
            "model.quantization=none",
            "train.lora.enabled=false",
        ]
    return [
        *settings,
        "train.finetune.precision=float32",
        "model.base=base",
        "evaluate.perplexity_texts=12",
        "evaluate.bootstrap=100",
    ]
