"""A project small enough to run from raw files to report in a few seconds: an invented language of 24 words."""

from __future__ import annotations

import random
from pathlib import Path

PEOPLE = {"mina": "la niña", "tolo": "el perro", "ruka": "la madre", "sepo": "el pescador", "wani": "el viejo"}
THINGS = {"pali": "la casa", "kumu": "el río", "teka": "el pan", "loro": "la canoa", "nisa": "la luna"}
ACTS = {"basi": "ve", "dopa": "busca", "gelu": "quiere", "hiro": "canta", "jumi": "lleva"}
WHEN = {"ani": "hoy", "bele": "mañana", "civo": "siempre", "": ""}

CONFIG = """\
project: {name: A small language, language: qsm, pivot: es, max_access: public}
ingest:
  sources:
    - {name: tales, path: translations/tales.csv, access: public,
       columns: {qsm: small, es: spanish, doc_id: tale, order: order}}
    - {name: journey, path: "translations/journey.{lang}.txt", reader: documents, access: public}
    - {name: words, path: dictionary/words.csv, kind: entries, access: public,
       columns: {headword: word, gloss.es: meaning}}
    - {name: letters, path: monolingual/letters.txt, reader: text, access: public}
split: {validation: 0.1, test: 0.15}
train: {statistical: {tune_segments: 20, n_best: 10, iterations: 2}}
evaluate: {bootstrap: 100, samples: 2}
"""


def _sentence(rng: random.Random) -> tuple[str, str]:
    who, what, act, when = (rng.choice(list(words.items())) for words in (PEOPLE, THINGS, ACTS, WHEN))
    small = " ".join(filter(None, (when[0], who[0], f"{what[0]}na", act[0])))
    spanish = " ".join(filter(None, (when[1], who[1], act[1], what[1])))
    return f"{small.capitalize()}.", f"{spanish.capitalize()}."


def small_project(root: Path, seed: int = 7) -> Path:
    """Write the raw files and the configuration; returns ``root``."""
    rng = random.Random(seed)
    rows = ["tale,order,small,spanish"]
    for tale in range(24):
        for order in range(8):
            small, spanish = _sentence(rng)
            rows.append(f"t{tale},{order},{small},{spanish}")
    rows += ["t0,9,only one side,", "too,few"]
    journey = [_sentence(rng) for _ in range(30)]
    words = ["word,meaning", *(f"{word},{meaning}" for word, meaning in {**PEOPLE, **THINGS, **ACTS}.items())]
    files = {
        "seshat.yaml": CONFIG,
        "data/raw/translations/tales.csv": "\n".join(rows),
        "data/raw/translations/journey.qsm.txt": "\n".join(small for small, _ in journey),
        "data/raw/translations/journey.es.txt": "\n".join(spanish for n, (_, spanish) in enumerate(journey) if n != 11),
        "data/raw/dictionary/words.csv": "\n".join(words),
        "data/raw/monolingual/letters.txt": "\n".join(_sentence(rng)[0] for _ in range(40)),
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    return root


def trained_project(root: Path) -> Path:
    """The same, with a statistical model trained on it; returns ``root``."""
    from seshat.data import clean, format, ingest, split  # noqa: A004
    from seshat.data.align import stage as align
    from seshat.models import train
    from seshat.project.folder import open_project

    opened = open_project(small_project(root), (), ["train.statistical.tune=false"])
    for stage in (ingest, clean, align, split, format, train):
        stage.run(opened)
    return root
