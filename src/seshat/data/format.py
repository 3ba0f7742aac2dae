"""Stage ``format``: the processed records that a run may use, as a Hugging Face dataset with its card.

This is the gate: a record above ``project.max_access`` does not pass, and nothing passes when a text of train stands
in test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seshat.config import Config
from seshat.core.errors import CheckFailed, DataError
from seshat.core.gate import Gate, read_everything
from seshat.core.jsonl import count_lines, write_json, write_jsonl, write_text
from seshat.core.progress import track
from seshat.core.records import Entry, Meta, PlainText, Segment
from seshat.core.written import remove_written
from seshat.corpus.duplicates import TextIndex
from seshat.data.instruct.write import write_messages
from seshat.project import withdrawals
from seshat.project.folder import Project
from seshat.project.stage import SET_FILES, Stage, files
from seshat.report.data_card import data_card

FILES: dict[str, type[Segment] | type[Entry]] = {
    "train": Segment,
    "validation": Segment,
    "test": Segment,
    "monolingual": Segment,
    "lexicon": Entry,
}
"""The files of a dataset, and what a line of each is."""
_SHOWN = 5


@dataclass
class Tally:
    """What passed the gate and what did not; figures only, no text."""

    kept: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in FILES})
    """File -> source -> records."""
    dropped: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in FILES})
    """File -> reason -> records."""
    licences: dict[str, set[str]] = field(default_factory=dict)
    """Source -> licences of its records."""
    access: Counter[str] = field(default_factory=Counter)
    """Access level -> records."""
    methods: Counter[str] = field(default_factory=Counter)
    """Method -> records."""


def refusal(meta: Meta, record: str, name: str, gate: Gate, config: Config) -> str | None:
    """Why a record does not pass, or ``None``.

    Args:
        meta: what is known about the record.
        record: its id.
        name: the file it is in; methods are excluded from what is learned from, not from what is measured.
        gate: lets through what this run may use.
        config: the configuration of the project.
    """
    if closed := gate.refusal(meta, record):
        return closed
    if name in ("train", "monolingual") and meta.method in config.format.exclude_methods:
        return f"method:{meta.method}"
    return None


def _passing(project: Project, name: str, tally: Tally) -> Iterator[Segment | Entry]:
    path, gate = project.processed / f"{name}.jsonl", project.gate
    for record in track(read_everything(path, FILES[name]), f"formatting {name}", count_lines(path)):
        reason = refusal(record.meta, record.id, name, gate, project.config)
        if reason:
            tally.dropped[name][reason] += 1
            continue
        source = record.meta.source or "unknown"
        tally.kept[name][source] += 1
        tally.licences.setdefault(source, set()).add(record.meta.licence or "unknown")
        tally.access[record.meta.access] += 1
        tally.methods[record.meta.method] += 1
        yield record


def _lines(project: Project, records: Iterator[Segment | Entry]) -> Iterator[Segment | Entry | PlainText]:
    """Segments of a language alone as plain text; everything else as it is."""
    settings = project.config.project
    for record in records:
        alone = settings.pivot is None and isinstance(record, Segment) and record.texts.get(settings.language)
        yield PlainText.of(record, settings.language) if alone and isinstance(record, Segment) else record


def _guard(project: Project) -> None:
    """Stop when a text of train or monolingual stands in test.

    Raises:
        CheckFailed: names some of the segments.
    """
    import numpy as np

    gate = project.gate
    index = TextIndex(project.config.split.min_words, keep_texts=False)
    ends, test_ids = [], []
    for name in ("test", "train", "monolingual"):
        for segment in read_everything(project.processed / f"{name}.jsonl", Segment):
            if refusal(segment.meta, segment.id, name, gate, project.config) is None:
                index.add(segment.texts)
                if name == "test":
                    test_ids.append(segment.id)
        ends.append(len(index))
    row = np.arange(len(index))
    test, train = row < ends[0], (row >= ends[0]) & (row < ends[1])
    # Short monolingual lines say nothing about a test segment: only texts long enough to be one are compared.
    leaks = index.exact_leaks(test, train) | index.exact_leaks(test, row >= ends[1])
    found = [test_ids[number] for number in np.flatnonzero(leaks)]
    if found:
        shown = ", ".join(found[:_SHOWN]) + (" …" if len(found) > _SHOWN else "")
        raise CheckFailed(
            f"{len(found)} test segments stand in train or in the monolingual text: {shown}.",
            "Run `seshat split` again; it leaves them out of train. To keep them there, set split.allow_leaks.",
        )


def run(project: Project) -> dict[str, Any]:
    """Write the files of :attr:`Project.training` and the data card; for the causal family its messages too.

    Raises:
        DataError: nothing has been split yet.
        CheckFailed: a text of train stands in test, and ``split.allow_leaks`` is off; or nothing of a set passes.
    """
    if not (project.processed / "train.jsonl").exists():
        raise DataError(
            f"{project.processed}: nothing to format.", "Run `seshat split` first, or `seshat run` for all."
        )
    if not project.config.split.allow_leaks:
        _guard(project)
    tally = Tally()
    for name in FILES:
        write_jsonl(project.training / f"{name}.jsonl", _lines(project, _passing(project, name, tally)))
    _none_emptied(project.config, tally)
    write_text(project.training / "README.md", data_card(project.config, tally))
    report: dict[str, Any] = {
        "counts": {name: counts.total() for name, counts in tally.kept.items()},
        "dropped": {name: dict(sorted(counts.items())) for name, counts in tally.dropped.items() if counts},
        "warnings": _warnings(project.config, tally),
    }
    messages = project.training / "messages"
    if project.config.instructs:
        report["messages"] = write_messages(project)
        report["warnings"] += report["messages"].pop("warnings")
    else:
        # They would stay behind when the records they were made of are withdrawn.
        if others := remove_written(messages):
            report["warnings"].append(
                f"{messages.relative_to(project.root)} is not used by this family; what Seshat did not write there, or "
                f"has no list of, stays: {', '.join(others[:_SHOWN])}{', …' if len(others) > _SHOWN else ''}."
            )
    write_json(project.training / "report.json", report)
    names = [*(f"{name}.jsonl" for name in FILES), "README.md", "report.json"]
    outputs = [Path(project.training / name).relative_to(project.root).as_posix() for name in names]
    if "messages" in report:
        outputs.append(messages.relative_to(project.root).as_posix())
    return {**report, "outputs": outputs}


def _warnings(config: Config, tally: Tally) -> list[str]:
    warnings = []
    closed: Counter[str] = Counter()
    for counts in tally.dropped.values():
        closed.update({r.removeprefix("access:"): n for r, n in counts.items() if r.startswith("access:")})
    if closed:
        levels = ", ".join(f"{count} {level}" for level, count in sorted(closed.items()))
        warnings.append(
            f"{closed.total()} records are less open than project.max_access ({config.project.max_access}) and were "
            f"left out: {levels}. A source without `access` reads as restricted; give it its level, or raise "
            "project.max_access if this run may use them."
        )
    if not tally.kept["train"]:
        warnings.append("train is empty: there is nothing to learn from.")
    return warnings


def _none_emptied(config: Config, tally: Tally) -> None:
    """Stop where nothing of a set passes: training would say so late, and not why."""
    for name in ("train", "validation", "test"):
        if tally.dropped[name] and not tally.kept[name]:
            reasons = ", ".join(f"{count:,} by {reason}" for reason, count in tally.dropped[name].most_common())
            raise CheckFailed(
                f"Nothing of {name} may be used by this run: {reasons}.",
                f"project.max_access is {config.project.max_access}, format.exclude_methods is "
                f"{list(map(str, config.format.exclude_methods))}. Give the sources their `access`, or change these.",
            )


def _format_settings(config: Config) -> tuple[str, ...]:
    # What only the messages depend on; the prompt's decoding is not among it.
    asked = ("system", "templates", "context", "hints", "shots")
    messages = ("train.directions", *(f"prompt.{name}" for name in asked))
    return ("format", "split", "project", "train.family", *(messages if config.instructs else ()))


STAGE = Stage(
    name="format",
    module=__name__,
    version=2,
    settings=_format_settings,
    reads=lambda project: (*files(project.processed, *SET_FILES), *withdrawals.there(project.root)),
    writes=lambda project: files(
        project.training,
        *SET_FILES,
        "README.md",
        "report.json",
        *(["messages"] if project.config.instructs else []),
    ),
)
"""What the pipeline needs to know."""
