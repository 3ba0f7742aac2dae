"""Stage ``align``: parallel documents to sentence pairs, without any pretrained model.

The work is done in :mod:`seshat.data.align`; this module turns documents into its input and beads into segments.
Lines without a partner become segments in one language, so that nothing is lost. What a person has decided in the
review file wins over what is computed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from seshat.config import Config
from seshat.config.align import AlignSection
from seshat.core.errors import DataError
from seshat.core.gate import read_everything
from seshat.core.jsonl import write_json, write_jsonl
from seshat.core.records import Document, Entry, Meta, Method, Segment
from seshat.data.filters import Filters
from seshat.project.folder import Project
from seshat.project.stage import GATE, LANGUAGES, RECORD_FILES, SharedFile, Stage, files
from seshat.review.queues.alignment import QUEUE
from seshat.review.table import Row

if TYPE_CHECKING:
    from seshat.data.align.anchors import Anchored, Side
    from seshat.data.align.beads import Bead
    from seshat.data.align.rulings import Rulings

LOW_CONFIDENCE = "align:low-confidence"
UNALIGNED = "align:unaligned"

_MAX_EXAMPLES = 20_000
"""Most pairs known beforehand that teach about words; more cost time and say little new."""
_DOUBTFUL = 0.7
"""Mean confidence below which a document needs a person. Confidence is too high where lines are all of one length and
no word is known: couplets whose pairs were 5 % right had 0.63, no document with useful pairs had less than 0.8
(benchmarks/alignment.py)."""


@dataclass(frozen=True)
class Aligned:
    """One document and what became of it."""

    document: Document
    languages: tuple[str, str]
    anchored: Anchored | None
    """None when one side is missing."""
    beads: tuple[Bead, ...] = ()
    rulings: Rulings | None = None
    notes: tuple[str, ...] = ()


@dataclass
class Result:
    """Everything the stage found out."""

    documents: list[Aligned]
    rows: list[Row] = field(default_factory=list)
    """The review file as it must be now."""
    decisions: dict[str, int] = field(default_factory=dict)
    withheld: int = 0
    """Beads to review in documents above the access level of this run: not written to the review file."""


def align_documents(
    documents: Sequence[Document],
    entries: Iterable[Entry],
    languages: tuple[str, str],
    section: AlignSection,
    rows: Sequence[Row] = (),
    examples: Iterable[Segment] = (),
) -> Result:
    """Align documents.

    Args:
        documents: parallel documents; they teach one another.
        entries: the lexicon of the project.
        languages: the language and the pivot.
        section: settings.
        rows: the review file, with what people have decided in it.
        examples: segments that are paired already; they teach about words.

    Raises:
        DataError: two documents have one id.
    """
    from seshat.data.align.aligner import Lexicon, align
    from seshat.data.align.rulings import rule

    repeated = [name for name, count in Counter(document.id for document in documents).items() if count > 1]
    if repeated:
        raise DataError(
            f"documents.jsonl: more than one document is called '{repeated[0]}'.",
            "Give the sources names of their own, or rename a file, and ingest again.",
        )
    prepared = [prepare(document, languages, section) for document in documents]
    pairs = {item.document.id: item.anchored for item in prepared if item.anchored is not None}
    ruled = rule(rows, pairs)
    locked = [ruled.rulings[name].locked if name in ruled.rulings else [] for name in pairs]
    taught = (
        [
            (segment.texts[languages[0]], segment.texts[languages[1]])
            for segment in islice((s for s in examples if all(tag in s.texts for tag in languages)), _MAX_EXAMPLES)
        ]
        if pairs
        else []
    )
    lexicon = Lexicon(tuple(entries), *languages) if section.lexicon else None
    beads = align(list(pairs.values()), locked, lexicon, taught)
    found = dict(zip(pairs, beads, strict=True))
    done = [
        Aligned(
            item.document,
            languages,
            item.anchored,
            tuple(found.get(item.document.id, ())),
            ruled.rulings.get(item.document.id),
            item.notes,
        )
        for item in prepared
    ]
    decisions = {"applied": ruled.applied, "stale": ruled.stale, "ignored": ruled.ignored}
    return Result(done, list(ruled.rows), decisions)


def prepare(document: Document, languages: tuple[str, str], section: AlignSection) -> Aligned:
    """Take the two sides of a document and find their anchors."""
    from seshat.data.align.anchors import Side, anchor

    source, target = (Side.of(document.texts.get(tag, ())) for tag in languages)
    notes = [
        f"{document.id}: the text in '{tag}' is left out; only {languages[0]} and {languages[1]} are aligned."
        for tag in sorted(set(document.texts) - set(languages))
    ]
    if not source.lines or not target.lines:
        return Aligned(document, languages, None, notes=tuple(notes))
    anchored = anchor(source, target, section.anchors)
    if section.anchors not in ("auto", "none", anchored.scheme):
        notes.append(
            f"{document.id}: the two sides do not agree on {section.anchors}, so they are aligned without; "
            "look at the start of their lines."
        )
    if section.split_sentences:
        anchored = anchored.sentences()
    return Aligned(document, languages, anchored, notes=tuple(notes))


def segments_of(aligned: Aligned, min_confidence: float) -> Iterator[Segment]:
    """The segments of one document: its pairs, and its lines without a partner in one language each."""
    from seshat.data.align.anchors import Side

    document, meta = aligned.document, aligned.document.meta
    if aligned.anchored is None:
        for tag in aligned.languages:
            side = Side.of(document.texts.get(tag, ()))
            for order, (label, text) in enumerate(zip(side.labels, side.lines, strict=True)):
                yield Segment(
                    id=f"{document.id}:{tag}-{label}",
                    texts={tag: text},
                    meta=_placed(meta, document.id, order, label),
                )
        return
    sides = aligned.anchored.source, aligned.anchored.target
    for order, bead in enumerate(aligned.beads):
        texts = _texts(aligned, bead)
        label = _labels(sides[0], bead.source) or _labels(sides[1], bead.target)
        placed = _placed(meta, document.id, order, label)
        if len(texts) < 2:
            placed = placed.tagged(UNALIGNED)
        elif bead.locked:
            placed = placed.model_copy(update={"method": Method.GOLD, "score": 1.0})
        else:
            score = round(bead.confidence, 4)
            placed = placed.model_copy(update={"method": Method.ALIGNED, "score": score})
            placed = placed.tagged(LOW_CONFIDENCE) if score < min_confidence else placed
        yield Segment(id=bead_id(aligned, bead), texts=texts, meta=placed)


def _placed(meta: Meta, name: str, order: int, label: str) -> Meta:
    """The meta of a document for one of its segments; ``label`` is its first line."""
    line = int(label.split(".")[0])
    origin = meta.origin.model_copy(update={"line": line}) if meta.origin is not None else None
    return meta.model_copy(update={"doc_id": meta.doc_id or name, "order": order, "origin": origin})


def _texts(aligned: Aligned, bead: Bead) -> dict[str, str]:
    """The texts of a bead by language, as a person has corrected them."""
    assert aligned.anchored is not None
    texts = {}
    corrected = aligned.rulings.texts.get(bead.key, ("", "")) if aligned.rulings is not None else ("", "")
    sides = (aligned.anchored.source, bead.source), (aligned.anchored.target, bead.target)
    for tag, (side, lines), correction in zip(aligned.languages, sides, corrected, strict=True):
        text = correction or " ".join(side.lines[slice(*lines)])
        if text:
            texts[tag] = text
    return texts


def _labels(side: Side, lines: tuple[int, int]) -> str:
    """Line numbers as people write them: ``12``, ``12..14``, nothing for no line."""
    if lines[0] == lines[1]:
        return ""
    first, last = side.labels[lines[0]], side.labels[lines[1] - 1]
    return first if first == last else f"{first}..{last}"


def bead_id(aligned: Aligned, bead: Bead) -> str:
    """``document:source lines-target lines``, such as ``story:12..13-14``."""
    assert aligned.anchored is not None
    lines = _labels(aligned.anchored.source, bead.source), _labels(aligned.anchored.target, bead.target)
    return f"{aligned.document.id}:{lines[0]}-{lines[1]}"


def review_rows(aligned: Aligned, min_confidence: float) -> list[Row]:
    """Rows of the beads of one document that a person should look at."""
    from seshat.data.align.rulings import fingerprint

    rows = []
    for bead in aligned.beads:
        if bead.locked or bead.confidence >= min_confidence or aligned.anchored is None:
            continue
        anchored = aligned.anchored
        lines = _labels(anchored.source, bead.source), _labels(anchored.target, bead.target)
        rows.append(
            Row(
                {
                    "bead_id": bead_id(aligned, bead),
                    "document": aligned.document.id,
                    "source_lines": lines[0] or "none",
                    "target_lines": lines[1] or "none",
                    "source_text": " ".join(anchored.source.lines[slice(*bead.source)]),
                    "target_text": " ".join(anchored.target.lines[slice(*bead.target)]),
                    "confidence": f"{bead.confidence:.2f}",
                    "fingerprint": fingerprint(anchored, *lines),
                    "access": aligned.document.meta.access.value,
                }
            )
        )
    return rows


def updated_rows(result: Result, min_confidence: float, allowed: set[str]) -> tuple[list[Row], int]:
    """The review file as it must be now: what people have written stays, the rest is new.

    Args:
        result: what the stage found out, with the rows read.
        min_confidence: beads below are to be reviewed.
        allowed: documents whose text may stand in a report of this run.

    Returns:
        The rows, by document; and how many were withheld because of access.
    """
    kept: dict[str, list[Row]] = {}
    for row in result.rows:
        if QUEUE.touched(row):
            kept.setdefault(row["document"], []).append(row)
    rows: list[Row] = []
    withheld = 0
    for aligned in result.documents:
        mine = kept.pop(aligned.document.id, [])
        both = QUEUE.merged(mine, review_rows(aligned, min_confidence))
        if aligned.document.id not in allowed:
            withheld += len(both) - len(mine)
            both = mine
        rows += both
    return rows + [row for left in kept.values() for row in left], withheld


def report(result: Result, min_confidence: float) -> dict[str, Any]:
    """What was done, in figures: the content of ``report.json``. Holds line numbers, no text."""
    shapes: Counter[str] = Counter()
    documents: dict[str, Any] = {}
    for aligned in result.documents:
        if aligned.anchored is None:
            documents[aligned.document.id] = {"anchors": None, "pairs": 0, "unaligned": "all: one side is missing"}
            continue
        anchored = aligned.anchored
        pairs = [bead for bead in aligned.beads if bead.paired]
        shapes.update(f"{bead.shape[0]}-{bead.shape[1]}" for bead in aligned.beads)
        alone = [bead for bead in aligned.beads if not bead.paired]
        documents[aligned.document.id] = {
            "anchors": anchored.scheme,
            "blocks": len(anchored.blocks),
            "pairs": len(pairs),
            "decided": sum(bead.locked for bead in aligned.beads),
            "low_confidence": sum(bead.confidence < min_confidence for bead in pairs),
            "mean_confidence": round(sum(bead.confidence for bead in pairs) / max(1, len(pairs)), 4),
            "unaligned": {
                aligned.languages[0]: [anchored.source.labels[bead.source[0]] for bead in alone if bead.shape[0]],
                aligned.languages[1]: [anchored.target.labels[bead.target[0]] for bead in alone if bead.shape[1]],
            },
        }
    return {"shapes": dict(sorted(shapes.items())), "decisions": result.decisions, "documents": documents}


def warnings(result: Result, figures: dict[str, Any], review: str) -> list[str]:
    """What a person should know, in plain words."""
    found = [note for aligned in result.documents for note in aligned.notes]
    for aligned in result.documents:
        name = aligned.document.id
        if aligned.anchored is None:
            found.append(f"{name}: one side is missing; its lines become text in one language.")
        elif (confidence := figures["documents"][name]["mean_confidence"]) < _DOUBTFUL:
            found.append(
                f"{name}: its pairs are doubtful (mean confidence {confidence:.2f}). Are the two sides translations of "
                "each other, in one order? A lexicon in the project, line numbers or blank lines between paragraphs "
                "on both sides help most."
            )
    found += [
        f"{review}: the decision on {row['bead_id']} is not applied: {row['status']}."
        for row in result.rows
        if row["status"].startswith(("stale", "ignored"))
    ]
    if result.withheld:
        found.append(
            f"{result.withheld} doubtful pairs are not in {review}: their documents are above the access level "
            "of this run (project.max_access)."
        )
    return found


def _counted(segments: Iterable[Segment], tags: Counter[str]) -> Iterator[Segment]:
    for segment in segments:
        tags.update(segment.meta.tags)
        yield segment


def run(project: Project) -> dict[str, Any]:
    """Align the documents that ``clean`` wrote, with the decisions in the review file.

    Writes ``segments.jsonl`` and ``report.json`` (see :func:`report`; ``tags`` counts those of all segments) and brings
    the review file up to date.
    """
    from seshat.data.align import whole

    settings, section = project.config.project, project.config.align
    path = QUEUE.path(project)
    shown = path.relative_to(project.root).as_posix()
    rows, before = QUEUE.read(path)
    documents = list(read_everything(project.cleaned / "documents.jsonl", Document))
    entries = read_everything(project.cleaned / "entries.jsonl", Entry)
    examples = (
        segment
        for segment in read_everything(project.cleaned / "segments.jsonl", Segment)
        if segment.meta.split != "test" and not segment.meta.tags
    )
    # For a language alone the other side of every document is missing: its lines become text in one language.
    languages = settings.language, settings.pivot or ""
    result = align_documents(documents, entries, languages, section, rows, examples)
    allowed = {document.id for document in project.gate.passing(documents)}
    new_rows, result.withheld = updated_rows(result, section.min_confidence, allowed)
    segments = (segment for aligned in result.documents for segment in segments_of(aligned, section.min_confidence))
    filters = Filters(project.config.clean.filters)
    sentences: dict[str, Any] = {}
    made = chain(filters.languages_of(segments), whole.sentence_pairs(project, filters, sentences))
    tags: Counter[str] = Counter()
    count = write_jsonl(project.aligned / "segments.jsonl", _counted(made, tags))
    figures = {**report(result, section.min_confidence), **sentences, "tags": dict(sorted(tags.items()))}
    write_json(project.aligned / "report.json", figures)
    if documents or before is not None:
        QUEUE.write(path, new_rows, before)
    listed = figures["documents"].values()
    return {
        "documents": len(documents),
        "segments": count,
        "pairs": sum(item["pairs"] for item in listed),
        "low_confidence": sum(item.get("low_confidence", 0) for item in listed),
        "decisions": result.decisions,
        "warnings": warnings(result, figures, shown),
        "report": str((project.aligned / "report.json").relative_to(project.root)),
        "review": shown,
    }


def _align_settings(config: Config) -> tuple[str, ...]:
    lists = (
        ("clean.profiles", "clean.placeholders") if config.align.starts else ()
    )  # their sentences are normalised too
    return ("align", *lists, "clean.filters.max_foreign_words", *GATE, *LANGUAGES)


STAGE = Stage(
    name="align",
    module=__name__,
    version=1,
    settings=_align_settings,
    reads=lambda project: (
        *files(project.cleaned, *RECORD_FILES),
        *(project.raw / starts.path for starts in project.config.align.starts),
    ),
    writes=lambda project: files(project.aligned, "segments.jsonl", "report.json"),
    shared=SharedFile(QUEUE.path, QUEUE.digest),
)
"""What the pipeline needs to know."""
