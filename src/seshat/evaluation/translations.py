"""Translating a test set so that a killed run goes on where it stopped."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from pydantic import BaseModel, ConfigDict

import seshat
from seshat.config import Direction
from seshat.core.journal import Journal
from seshat.core.jsonl import write_jsonl
from seshat.core.progress import task
from seshat.core.written import note_written, remove_written
from seshat.inference.partial import as_json, from_json
from seshat.inference.translator import Hypothesis, Translator
from seshat.prompt.request import Request

CHUNK = 200
"""Sentences translated between two notes of where the work stands. Part of the result where a translator treats a
batch as a whole, so it does not depend on the machine."""


class Translation(BaseModel):
    """A line of ``reports/translations/<direction>.<system>.jsonl``."""

    model_config = ConfigDict(frozen=True)

    id: str
    source: str
    reference: str
    hypothesis: str
    score: float
    """chrF2 of this sentence, 0 to 100."""
    model_score: float
    """The model's own score of its translation; higher is better, and only comparable within one system."""
    changes: tuple[str, ...] = ()
    """What post-processing changed in it."""


class Answered(BaseModel):
    """A line of ``reports/translations/tasks.<system>.jsonl``."""

    model_config = ConfigDict(frozen=True)

    id: str
    task: str
    origin: str
    """Which questions it belongs to."""
    text: str
    reference: str
    answer: str


def translate(translator: Translator, requests: Sequence[Request], notes: Path | None = None) -> list[Hypothesis]:
    """Translate all texts, chunk by chunk.

    Args:
        translator: the system.
        requests: what to translate.
        notes: a journal of finished chunks; those found there are not translated again.
    """
    found: list[Hypothesis] = []
    opened = nullcontext() if notes is None else Journal(notes)
    with opened as journal, task(f"{translator.name} {translator.direction}", len(requests)) as advance:
        for start in range(0, len(requests), CHUNK):
            part = requests[start : start + CHUNK]
            if journal is None or str(start) not in journal:
                done = translator.translate(part)
                if journal is not None:
                    journal.put(str(start), [as_json(one) for one in done])
            else:
                done = [from_json(row) for row in journal.get(str(start))]
            found += done
            advance(len(part))
    return found


def notes_path(state: Path, model: Path, direction: Direction, requests: Sequence[Request], name: str = "") -> Path:
    """The journal of the finished chunks of one system and direction.

    The name holds a hash of the model's files, the texts and what stands before them, the name of the system (the base
    of a model has the same files) and the version of Seshat, so that another model or test set never meets them.
    """
    digest = hashlib.sha256(f"{seshat.__version__}\0{direction}\0{name}".encode())
    for path in sorted(model.rglob("*")):
        inside = path.relative_to(model)
        if path.is_file() and inside.parts[0] != str(direction.reverse):
            digest.update(f"\0{inside.as_posix()}\0".encode())
            with path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    for request in requests:
        digest.update("\0".join(("", *request.before, request.text)).encode("utf-8", "surrogatepass"))
    return state / "evaluate" / f"{digest.hexdigest()[:32]}.jsonl"


def file_name(system: str) -> str:
    """The name of a system as part of the name of a file: ``base (zero-shot)`` is ``base-zero-shot``."""
    return re.sub(r"[^\w.-]+", "-", system).strip("-")


def write_translations(folder: Path, files: Mapping[str, Sequence[BaseModel]]) -> None:
    """Write one file per direction (or ``tasks``) and system, and remove those of systems no longer measured.

    The folder is there even where nothing is translated: it is what the stage writes.
    """
    for name, rows in files.items():
        write_jsonl(folder / name, rows)
    remove_written(folder, keep=files)
    note_written(folder, files)
