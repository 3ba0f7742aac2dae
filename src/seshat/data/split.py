"""Stage ``split``: train, validation and test, by document and near-duplicate cluster.

The records are read twice: once for what the decision needs (hashes and numbers, see :class:`Collector`), once to
write every record where it belongs. Who goes where is decided in :mod:`seshat.data.assign`, who belongs together in
:mod:`seshat.corpus.duplicates`.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from seshat.config import Config
from seshat.core.errors import CheckFailed, DataError
from seshat.core.gate import UNREVIEWED, Gate, read_everything
from seshat.core.jsonl import atomic_write, count_lines, dump, write_json
from seshat.core.progress import track
from seshat.core.records import Entry, Example, Meta, Method, Segment, Sense
from seshat.corpus.documents import Verdicts
from seshat.corpus.duplicates import TextIndex, fingerprint, near_leaks
from seshat.data.assign import NONE, Assignment, Role, Rows, assign, why_empty
from seshat.data.corrections import SOURCE as CORRECTIONS
from seshat.data.groups import Groups, read_groups
from seshat.project.folder import Project
from seshat.project.stage import GATE, LANGUAGES, SET_FILES, Stage, files
from seshat.review.segments import Decisions, is_rejection

SETS = {"train": Role.TRAIN, "validation": Role.VALIDATION, "test": Role.TEST, "monolingual": Role.MONOLINGUAL}
"""The files of segments that later stages use, and who is in them."""

_FIXED = {"train": Role.TRAIN, "validation": Role.VALIDATION, "test": Role.TEST}
_MADE = {Method.SYNTHETIC, Method.MACHINE}


class Collector:
    """What the decision needs to know of every segment, in little memory.

    Args:
        config: the configuration of the project.
        groups: which documents belong together.
    """

    def __init__(self, config: Config, groups: Groups | None = None) -> None:
        self._config = config
        self._groups = groups
        self._gate = Gate(config.project.max_access, config.project.purpose)
        self._tags = config.project.tags
        self._numbers = {name: array("q") for name in ("fixed", "paired", "drawable", "stratum", "access", "admitted")}
        self._document = array("Q")
        self.strata: dict[str, int] = {}
        """Stratum -> number."""
        self.index = TextIndex(config.split.min_words, keep_texts=True)

    def add(self, segment: Segment, *, drawable: bool = True, made: bool = False) -> None:
        """Take note of a segment; its row is the number of segments before it.

        Args:
            segment: the segment.
            drawable: whether it may be drawn into validation or test.
            made: whether ``augment`` made it: then it is never fixed there either, whatever its document is.
        """
        section, meta, numbers = self._config.split, segment.meta, self._numbers
        self.index.add(segment.texts)
        role = self._groups.role(meta.doc_id) if self._groups is not None and not meta.split else None
        numbers["fixed"].append(NONE if made else _FIXED.get(role or meta.split or "", NONE))
        numbers["paired"].append(all(segment.texts.get(lang, "").strip() for lang in self._tags))
        numbers["drawable"].append(drawable and not made and meta.method not in _MADE)
        numbers["access"].append(meta.access.level)
        numbers["admitted"].append(self._gate.refusal(meta) is None)
        name = {"none": "all", "source": meta.source, "genre": meta.genre}[section.stratify] or "unknown"
        numbers["stratum"].append(self.strata.setdefault(name, len(self.strata)))
        document = f"{meta.source}\t{meta.doc_id}" if self._groups is None else self._groups.unit(meta.doc_id)
        if section.by == "speaker" and meta.speaker:
            self._document.append(fingerprint(f"speaker\t{meta.speaker}"))
        else:
            self._document.append(fingerprint(document) if meta.doc_id is not None else 0)

    def rows(self, seed: int) -> Rows:
        """The columns, with the clusters found."""
        import numpy as np

        section = self._config.split
        columns = {name: np.array(values, dtype=np.int64) for name, values in self._numbers.items()}
        return Rows(
            fixed=columns["fixed"],
            paired=columns["paired"].astype(bool),
            drawable=columns["drawable"].astype(bool),
            document=_documents(np.array(self._document, dtype=np.uint64), self.index.whole()),
            stratum=columns["stratum"],
            whole=self.index.whole(),
            access=columns["access"],
            admitted=columns["admitted"].astype(bool),
            cluster=self.index.clusters(section.similarity, seed),
        )


def _documents(given: Any, whole: Any) -> Any:
    """Hash of the document of every row. A segment that is a document by itself is known by its text.

    Names made of line numbers move when a file grows; with them the draw would.
    """
    import numpy as np

    _, place, size = np.unique(given, return_inverse=True, return_counts=True)
    return np.where((given == 0) | (size[place] == 1), whole, given)


def examples_of(entry: Entry) -> list[Segment]:
    """The examples of a lexicon entry as segments (method ``extracted``), each a document by itself."""
    meta = entry.meta.model_copy(update={"method": Method.EXTRACTED, "doc_id": None, "order": None})
    examples = (example for sense in entry.senses for example in sense.examples)
    return [
        Segment(id=f"{entry.id}:example-{number}", texts=example.texts, meta=meta)
        for number, example in enumerate(examples, start=1)
    ]


def without_examples(entry: Entry, numbers: set[int]) -> Entry:
    """A copy of an entry without the examples of these numbers, counted from 0 through all senses."""
    senses: list[Sense] = []
    place = 0
    for sense in entry.senses:
        kept: list[Example] = []
        for example in sense.examples:
            if place not in numbers:
                kept.append(example)
            place += 1
        senses.append(sense.model_copy(update={"examples": tuple(kept)}))
    return entry.model_copy(update={"senses": tuple(senses)})


def copies(segment: Segment, factor: float, seed: int) -> int:
    """How many times a segment stands in train: the whole part of ``factor``, and once more by a hash of its id."""
    whole = int(factor)
    more = fingerprint(f"upsample\t{seed}\t{segment.id}") / 2**64 < factor - whole
    return max(1, whole + more)


def _excluded(meta: Meta, config: Config) -> list[str]:
    """The tags that keep a record out: of the configuration, of what people have rejected, or not yet looked at."""
    return [tag for tag in meta.tags if config.split.excludes(tag) or is_rejection(tag) or tag.endswith(UNREVIEWED)]


def _segments(project: Project) -> Iterator[tuple[Segment, bool]]:
    """All segments as people have corrected them, and whether ``augment`` made them."""
    decided, verdicts = Decisions.load(project.augmented / "decisions.jsonl"), Verdicts.load(project)
    for path in _segment_files(project):
        for segment in read_everything(path, Segment):
            yield verdicts.applied(decided.applied(segment)), path.parent == project.augmented


def _segment_files(project: Project) -> list[Path]:
    return [folder / "segments.jsonl" for folder in (project.cleaned, project.aligned, project.augmented)]


def _entries(project: Project) -> Iterator[Entry]:
    yield from read_everything(project.cleaned / "entries.jsonl", Entry)


def _collect(project: Project) -> Collector:
    config = project.config
    collector = Collector(
        config,
        read_groups(project.raw / config.split.groups.path, config.split, config.project)
        if config.split.groups
        else None,
    )
    for segment, made in track(_segments(project), "reading", count_lines(*_segment_files(project))):
        if not _excluded(segment.meta, config):
            # What people correct depends on what they tried: it teaches, and does not measure.
            collector.add(segment, drawable=segment.meta.source != CORRECTIONS, made=made)
    for entry in _entries(project):
        drawable = config.split.lexicon_examples and not _excluded(entry.meta, config)
        for segment in examples_of(entry):
            collector.add(segment, drawable=drawable)
    return collector


class _Writer:
    """Writes segments to the file of their role and counts them."""

    def __init__(self, project: Project, stack: ExitStack) -> None:
        names = (*SETS, "excluded", "lexicon")
        self._files: dict[str, IO[str]] = {
            name: stack.enter_context(atomic_write(project.processed / f"{name}.jsonl")) for name in names
        }
        self._split, self._seed = project.config.split, project.config.project.seed
        self.counts: dict[str, Counter[str]] = {name: Counter() for name in SETS}
        self.excluded: Counter[str] = Counter()
        self.upsampled = self.entries = self.examples_removed = self.corrections_held = 0

    def segment(self, segment: Segment, role: Role) -> None:
        if role is Role.LEAK or role is Role.DUPLICATE:
            self.corrections_held += role is Role.LEAK and segment.meta.source == CORRECTIONS
            self.exclude(segment, [f"split:{role.name.lower()}"])
            return
        name = role.name.lower()
        self.counts[name][segment.meta.source or "unknown"] += 1
        self._write(name, segment)
        if role is Role.TRAIN:
            times = copies(segment, self._split.upsample.get(segment.meta.source or "", 1.0), self._seed)
            self.upsampled += times - 1
            for number in range(2, times + 1):
                self._write(name, segment.model_copy(update={"id": f"{segment.id}#{number}"}))

    def exclude(self, segment: Segment, tags: Iterable[str]) -> None:
        tags = list(tags)
        self.excluded.update(tags)
        self._write("excluded", segment.model_copy(update={"meta": segment.meta.tagged(*tags)}))

    def entry(self, entry: Entry, roles: list[Role], *, as_segments: bool) -> None:
        held = {n for n, role in enumerate(roles) if role in (Role.VALIDATION, Role.TEST, Role.LEAK)}
        if as_segments:
            for segment, role in zip(examples_of(entry), roles, strict=True):
                if role is not Role.MONOLINGUAL:
                    self.segment(segment, role)
        self.entries += 1
        self.examples_removed += len(held)
        self._write("lexicon", without_examples(entry, held) if held else entry)

    def _write(self, name: str, record: Segment | Entry) -> None:
        self._files[name].write(dump(record) + "\n")


def _write_all(project: Project, assignment: Assignment) -> _Writer:
    config = project.config
    roles = iter(assignment.role.tolist())
    with ExitStack() as stack:
        writer = _Writer(project, stack)
        for segment, _ in track(_segments(project), "writing", count_lines(*_segment_files(project))):
            if tags := _excluded(segment.meta, config):
                writer.exclude(segment, tags)
            else:
                writer.segment(segment, Role(next(roles)))
        for entry in _entries(project):
            mine = [Role(next(roles)) for _ in examples_of(entry)]
            wanted = config.split.lexicon_examples and not _excluded(entry.meta, config)
            writer.entry(entry, mine, as_segments=wanted)
    return writer


def _leaks(collector: Collector, rows: Rows, role: Any) -> dict[str, dict[str, float]]:
    """Share of validation and test rows that stand in train, exactly and nearly."""
    result = {}
    train = role == Role.TRAIN
    for name in ("validation", "test"):
        held_out = role == SETS[name]
        count = max(1, int(held_out.sum()))
        exact = collector.index.exact_leaks(held_out, train)
        near = near_leaks(rows.cluster, held_out, train)
        result[name] = {"exact": float(exact.sum()) / count, "near": float((near | exact).sum()) / count}
    return result


def _clusters(rows: Rows) -> dict[str, int]:
    import numpy as np

    sizes = np.unique(rows.cluster, return_counts=True)[1] if len(rows.cluster) else np.zeros(1, dtype=np.int64)
    return {"clusters": int((sizes > 1).sum()), "segments": int(sizes[sizes > 1].sum()), "largest": int(sizes.max())}


def _warnings(config: Config, collector: Collector, assignment: Assignment, writer: _Writer) -> list[str]:
    section, warnings = config.split, []
    sizes = {name: counts.total() for name, counts in writer.counts.items()}
    paired = sizes["train"] + sizes["validation"] + sizes["test"]
    if not paired:
        where = " and ".join(config.project.tags)
        warnings.append(f"No segment is in {where}: there is nothing to learn from.")
    names = {number: name for name, number in collector.strata.items()}
    for number, level in sorted(assignment.level.items()):
        where = f" of {section.stratify} '{names[number]}'" if section.stratify != "none" else ""
        warnings.append(_LEVELS[level].format(where=where))
    shares = {"validation": section.validation, "test": section.test}
    for name, share in shares.items():
        if paired and (share or sizes[name]) and sizes[name] < _FEWEST:
            warnings.append(
                f"{name} holds {sizes[name]} segments, fewer than {_FEWEST}: scores "
                f"measured on it vary a lot. Give it a larger share (split.{name}) or more data."
            )
    if writer.corrections_held:
        warnings.append(
            f"{writer.corrections_held} corrections are of sentences like those in validation or test; they were left "
            "out of train (split:leak), so that scores stay honest. The translation memory uses them all the same."
        )
    if assignment.conflicts:
        what = "stay there (split.allow_leaks)" if section.allow_leaks else "were left out (split:leak)"
        warnings.append(
            f"{assignment.conflicts} segments that their source fixes as train or validation stand in validation or "
            f"test too; they {what}."
        )
    return warnings


def _none_empty(config: Config, rows: Rows, assignment: Assignment) -> None:
    """Stop where a set that later stages need would be empty: they would say so after hours, and not why."""
    shares = {Role.TRAIN: 1.0, Role.VALIDATION: config.split.validation, Role.TEST: config.split.test}
    for name, share in shares.items():
        wanted = share or (rows.fixed == name).any()
        if wanted and (reason := why_empty(rows, assignment.role, name)):
            raise CheckFailed(f"The set {name.name.lower()} would be empty: {reason[0]}.", reason[1])


_FEWEST = 20
"""Smallest validation and test set worth having; scores on fewer say nothing."""
_LEVELS = {
    1: (
        "The documents{where} share so many sentences that no group of them fits the shares asked for. Whole documents "
        "were drawn; segments of train that stand in validation or test as well were left out (split:leak)."
    ),
    2: (
        "The documents{where} are too large for the shares asked for, so the largest were cut into blocks of "
        "consecutive segments: validation and test come from the same documents as train, and scores will be too "
        "good. Give doc_id a column, or set `document: line` or `document: blank-line` for the source, if its lines "
        "do not belong together."
    ),
}


def run(project: Project) -> dict[str, Any]:
    """Split the cleaned and aligned segments; writes the files of :attr:`Project.processed`.

    Raises:
        DataError: nothing has been cleaned yet.
        CheckFailed: a set that is wanted would be empty; says why.
    """
    config = project.config
    inputs = [project.cleaned / "segments.jsonl", project.aligned / "segments.jsonl", project.cleaned / "entries.jsonl"]
    if not any(path.exists() for path in inputs):
        raise DataError(f"{project.cleaned}: nothing to split.", "Run `seshat clean` first, or `seshat run` for all.")
    collector = _collect(project)
    rows = collector.rows(config.project.seed)
    assignment = assign(
        rows,
        validation=config.split.validation,
        test=config.split.test,
        seed=config.project.seed,
        keep_conflicts=config.split.allow_leaks,
    )
    _none_empty(config, rows, assignment)
    leaks = _leaks(collector, rows, assignment.role)
    writer = _write_all(project, assignment)
    report = {
        "counts": {name: counts.total() for name, counts in writer.counts.items()},
        "sources": {name: dict(sorted(counts.items())) for name, counts in writer.counts.items()},
        "lexicon": {"entries": writer.entries, "examples_held_out": writer.examples_removed},
        "upsampled": writer.upsampled,
        "excluded": dict(sorted(writer.excluded.items())),
        "clusters": _clusters(rows),
        "leaks": leaks,
        "warnings": _warnings(config, collector, assignment, writer),
    }
    write_json(project.processed / "report.json", report)
    return {**report, "outputs": _outputs(project)}


def _outputs(project: Project) -> list[str]:
    names = [*SETS, "lexicon", "excluded"]
    paths = [project.processed / f"{name}.jsonl" for name in names] + [project.processed / "report.json"]
    return [Path(path).relative_to(project.root).as_posix() for path in paths]


STAGE = Stage(
    name="split",
    module=__name__,
    version=2,
    settings=lambda _config: ("split", "mix.strategy", *GATE, *LANGUAGES),
    reads=lambda project: (
        *files(project.cleaned, "segments.jsonl", "entries.jsonl"),
        project.aligned / "segments.jsonl",
        *files(project.augmented, "segments.jsonl", "decisions.jsonl"),
        *((project.mixed / "verdicts.jsonl",) if project.config.mix.strategy else ()),
        *((project.raw / groups.path,) if (groups := project.config.split.groups) else ()),
    ),
    writes=lambda project: files(project.processed, *SET_FILES, "excluded.jsonl", "report.json"),
)
"""What the pipeline needs to know."""
