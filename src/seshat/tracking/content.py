"""What a tracker may be told: settings, hashes, figures, samples of public records."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seshat.core.gate import Gate, read_everything
from seshat.core.records import Access, Entry, Segment
from seshat.tracking.trackers import Parameter

if TYPE_CHECKING:
    from seshat.project.folder import Project
    from seshat.report.results import Evaluation

_PUBLIC = Gate(Access.PUBLIC)
_WORDS = 4
"""A text of at least so many words that is not public may stand nowhere in a sample; a shorter one may not be one."""


def parameters(project: Project) -> dict[str, Any]:
    """The settings that a training depends on, by section."""
    config = project.config
    train = config.train.model_dump(mode="json")
    chosen = {name: train[name] for name in ("family", "name", "directions", *config.own_settings)}
    base = config.model.base
    model = config.model.model_dump(mode="json", exclude={"download"})
    model["base"] = Path(base).name if base and Path(base).is_absolute() else base
    languages = {"language": config.project.language, "pivot": config.project.pivot, "seed": config.project.seed}
    return {"project": languages, "model": model, "train": chosen}


def configuration(project: Project) -> dict[str, Any]:
    """The snapshot of :mod:`seshat.project.provenance` without what may name people or quote records.

    Left out are the names of raw files (also where ``ingest`` lists them), the examples that test the normalisation,
    and the command line.
    """
    from seshat.project.provenance import snapshot

    found = {name: value for name, value in snapshot(project).items() if name not in ("data", "command")}
    del found["config"]["download"]
    for source in found["config"]["ingest"]["sources"]:
        del source["path"]
    for profile in found["config"]["clean"]["profiles"].values():
        del profile["tests"]
    return found


def data_hashes(project: Project) -> dict[str, str]:
    """SHA-256 of every training file."""
    found = {}
    for path in sorted(project.training.rglob("*.jsonl")):
        with path.open("rb") as stream:
            found[path.relative_to(project.training).as_posix()] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


def flat(values: Any, name: str = "") -> dict[str, Parameter]:
    """Nested settings by dotted name; a list becomes one text."""
    if isinstance(values, Mapping):
        found: dict[str, Parameter] = {}
        for key, value in values.items():
            found |= flat(value, f"{name}.{key}" if name else str(key))
        return found
    plain = values is None or isinstance(values, str | int | float | bool)
    return {name: values if plain else json.dumps(values, ensure_ascii=False, default=str)}


def numbers(values: Any, name: str = "") -> dict[str, float]:
    """The finite numbers among nested values, by name with slashes."""
    if isinstance(values, Mapping):
        found: dict[str, float] = {}
        for key, value in values.items():
            found |= numbers(value, f"{name}/{key}" if name else str(key))
        return found
    if isinstance(values, int | float) and not isinstance(values, bool) and math.isfinite(values):
        return {name: float(values)}
    return {}


def samples(project: Project, evaluation: Evaluation) -> list[dict[str, str]]:
    """Sample translations that may be shown anywhere: public source and reference, nothing closed in the translation.

    Args:
        project: the project; ``data/training/test.jsonl`` says which segments are public.
        evaluation: what was found.

    Returns:
        At most ``tracking.samples`` per direction: ``direction, source, reference, translation``.
    """
    name, most = project.config.train.name, project.config.tracking.samples
    public = {segment.id for segment in _PUBLIC.read(project.training / "test.jsonl", Segment)}
    found = []
    for result in evaluation.directions:
        shown = [sample for sample in result.samples if sample.id in public]
        found += [
            {
                "direction": result.direction,
                "source": sample.source,
                "reference": sample.reference,
                "translation": system.text,
            }
            for sample in shown
            for system in sample.systems
            if system.name == name
        ]
    closed = _repeated(project, {one["translation"] for one in found})
    counts: dict[str, int] = {}
    kept = []
    for one in found:
        direction = one["direction"]
        if one["translation"] not in closed and counts.get(direction, 0) < most:
            counts[direction] = counts.get(direction, 0) + 1
            kept.append(one)
    return kept


def _repeated(project: Project, translations: Iterable[str]) -> set[str]:
    """The translations that give back a text which is not public: a model may know its training data by heart."""
    folded = {text: _folded(text) for text in translations}
    found: set[str] = set()
    for secret in map(_folded, _closed_texts(project)):
        long = len(secret.split()) >= _WORDS
        found |= {text for text, words in folded.items() if secret == words or (long and secret in words)}
    return found


def _closed_texts(project: Project) -> Iterator[str]:
    for name in ("train", "validation", "test", "monolingual"):
        for segment in read_everything(project.training / f"{name}.jsonl", Segment):
            if _PUBLIC.refusal(segment.meta):
                yield from segment.texts.values()
    for entry in read_everything(project.training / "lexicon.jsonl", Entry):
        if _PUBLIC.refusal(entry.meta):
            yield from (text for s in entry.senses for example in s.examples for text in example.texts.values())


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
