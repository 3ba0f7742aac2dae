"""The review list of induced word pairs, and the entries that a person made of it.

``seshat induce`` writes the list (``reports/lexicon_review.csv``); people fill ``accept`` (yes or no) or the
``corrected_…`` cells; the next ``seshat ingest`` takes what was accepted as entries of the lexicon. Rows that somebody
has touched are never dropped, and what was refused is not proposed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import regex

from seshat.core.errors import DataError
from seshat.core.records import Access, Entry, Meta, Method, Origin, Sense
from seshat.data.induction import Induced, Known, Pair, induce
from seshat.project.folder import Project
from seshat.review.queues.lexicon import QUEUE
from seshat.review.table import Row
from seshat.text.lookup import key

SOURCE = "induced"
"""What accepted pairs are called among the sources, in ids and in the reports."""
_SEVERAL = regex.compile(r"\s*[;|]\s*")
_EXAMPLES = 5


def entries(project: Project) -> Iterator[Entry]:
    """What people accepted, as entries of the lexicon.

    Raises:
        DataError: the file cannot be read.
    """
    file = QUEUE.path(project)
    settings = project.config.project
    # By id: the rows change places with every new list.
    for row in sorted(QUEUE.read(file)[0], key=lambda row: row["id"]):
        word, meaning = _told(row)
        meanings = tuple(filter(None, _SEVERAL.split(meaning)))
        if QUEUE.decision(row).accepted and word and meanings:
            told = {"support": row["support"], "induced": row["id"], "comment": row["comment"]}
            yield Entry(
                id=f"{SOURCE}:{row['id']}",
                lang=settings.language,
                headword=word,
                type=row["corrected_type"] or row["type"] or "word",
                senses=(Sense(glosses={settings.pivot: meanings}),),
                meta=Meta(
                    origin=Origin(file=file.relative_to(project.root).as_posix()),
                    source=SOURCE,
                    licence=row["licence"] or None,
                    access=Access.parse(row["access"]),
                    method=Method.GOLD,
                    score=_number(row["score"]),
                    extra={name: value for name, value in told.items() if value},
                ),
            )


def _told(row: Row) -> tuple[str, str]:
    """The word and its meanings, as corrected."""
    corrected = QUEUE.decision(row).corrected
    return corrected.get("word", row["word"]), corrected.get("meaning", row["meaning"])


def _number(text: str) -> float | None:
    try:
        return min(1.0, max(0.0, float(text.replace(",", "."))))
    except ValueError:
        return None


def run(project: Project, *, limit: int = 500, min_support: int = 3, min_score: float = 0.4) -> dict[str, Any]:
    """Find likely new word pairs in the training data and write the review list.

    Args:
        project: the project; ``format`` must have run.
        limit: most new pairs in the list.
        min_support: sentence pairs that have to have both words.
        min_score: pairs below are left out, 0 to 1.

    Raises:
        DataError: there are no training data, or the list cannot be read or has been saved meanwhile.
    """
    train = project.training / "train.jsonl"
    if not train.exists():
        raise DataError(f"{train}: there are no training data yet.", "Run: seshat run, or only: seshat run format")
    file = QUEUE.path(project)
    rows, before = QUEUE.read(file)
    settings = project.config.project
    languages = settings.pair
    lexicon = list(project.entries())
    limits = {"min_support": min_support, "min_score": min_score}
    found = induce(project.segments("train"), lexicon, *languages, **limits)  # type: ignore[arg-type]
    known = Known(lexicon, *languages)
    kept = [row.changed(status=_status(row, known)) for row in rows if QUEUE.touched(row)]
    decided = {row["id"] for row in kept}
    new = [pair for pair in found.pairs if pair.id not in decided]
    QUEUE.write(file, [*kept, *(_row(pair, languages) for pair in new[:limit])], before)
    return _summary(project, found, new, kept, limit)


def _status(row: Row, known: Known) -> str:
    decision = QUEUE.decision(row)
    if not decision.accepted:
        return "refused" if decision.made else ""
    word, meaning = _told(row)
    there = key(word) in known and any(known.says(word, one) for one in _SEVERAL.split(meaning))
    return "in the lexicon" if there else "enters the lexicon with the next: seshat run"


def _row(pair: Pair, languages: Sequence[str]) -> Row:
    meta = pair.example.meta
    return Row(
        {
            "id": pair.id,
            "word": pair.word,
            "meaning": pair.meaning,
            "type": pair.type,
            "score": f"{pair.score:.2f}",
            "support": str(pair.support),
            "word_count": str(pair.word_count),
            "meaning_count": str(pair.meaning_count),
            "lexicon_says": pair.known,
            "example": pair.example.texts[languages[0]],
            "example_translation": pair.example.texts[languages[1]],
            "origin": str(meta.origin) if meta.origin else pair.example.id,
            "access": pair.access.value,
            "licence": "; ".join(pair.licences),
        }
    )


def _summary(project: Project, found: Induced, new: Sequence[Pair], kept: Iterable[Row], limit: int) -> dict[str, Any]:
    rows = list(kept)
    warnings = []
    if len(new) > limit:
        warnings.append(f"{len(new) - limit:,} more pairs are surer than the limit of {limit:,} lets in: --limit")
    if new:
        warnings.append("Fill the column accept (yes or no) or correct the cells, then: seshat run")
    return {
        "proposed": min(limit, len(new)),
        "new_words": sum(not pair.known for pair in new[:limit]),
        "other_meanings": sum(bool(pair.known) for pair in new[:limit]),
        "decided": len(rows),
        "accepted": sum(QUEUE.decision(row).accepted for row in rows),
        "confirmed_by_the_lexicon": found.confirmed,
        "agreement": found.agreement,
        "list": QUEUE.path(project).relative_to(project.root).as_posix(),
        "examples": [
            {
                "word": pair.word,
                "meaning": pair.meaning,
                "score": f"{pair.score:.2f}",
                "support": pair.support,
                "lexicon says": pair.known,
                "example": pair.example.texts[project.config.project.language],
            }
            for pair in new[:_EXAMPLES]
        ],
        "warnings": warnings,
    }
