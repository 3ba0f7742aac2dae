"""How much there is, how long it is, and what could not be read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import regex

from seshat.core.records import Entry, Meta, Reject, Segment
from seshat.data.check.base import Check, Finding, Places
from seshat.data.ingest import unread

_FEW = 1_000
_PARTICULAR = regex.compile(r"'[^']*'|\p{N}[\p{N},.]*")


class Counts(Check):
    """Records per source and set, and the lengths of texts."""

    name = "counts"

    def start(self) -> None:
        self.read: set[str] = set()
        """Sources with a record, also with none that this run may use."""
        self.sources: dict[str, Counter[str]] = defaultdict(Counter)
        self.lengths: dict[str, Counter[int]] = defaultdict(Counter)

    def meta(self, meta: Meta, refusal: str | None) -> None:  # noqa: ARG002
        self.read.add(meta.source or "unknown")

    def segment(self, segment: Segment) -> None:
        whole = "pairs" if len(self.view.languages) > 1 else "texts"
        paired = all(segment.texts.get(lang, "").strip() for lang in self.view.languages)
        self.sources[segment.meta.source or "unknown"][whole if paired else "monolingual"] += 1

    def entry(self, entry: Entry) -> None:
        counts = self.sources[entry.meta.source or "unknown"]
        counts["entries"] += 1
        counts["examples"] += sum(len(sense.examples) for sense in entry.senses)

    def text(self, text: str, lang: str, meta: Meta) -> None:  # noqa: ARG002
        # Words by white space: enough for a length, and twenty times faster than finding them one by one.
        self.lengths[lang][text.count(" ") + 1] += 1

    def findings(self) -> Iterator[Finding]:
        for sentence in unread(self.view.config, self.view.project.raw):
            yield self.found(
                "warning", f"{sentence}.", advice="Name them in a source, or move what is not wanted out of data/raw."
            )
        for source in self.view.config.ingest.sources:
            if (
                source.name not in self.read | self.view.failed
                and source.kind != "documents"
                and source.reader != "documents"
            ):
                yield self.found(
                    "warning",
                    f"The source '{source.name}' gave no record.",
                    advice="Is its path right, and are its columns?",
                )
        pairs = sum(counts["pairs"] + counts["texts"] for counts in self.sources.values())
        languages = " and ".join(self.view.languages)
        if not pairs:
            yield self.found(
                "error", f"No segment that this run may use is in {languages}.", advice="Add material that is."
            )
        elif pairs < _FEW and len(self.view.languages) > 1:
            yield self.found(
                "warning",
                f"There are only {pairs} sentence pairs of {languages}.",
                advice="Below a thousand, a lexicon and its examples add more than any setting.",
            )
        elif pairs < _FEW:
            yield self.found(
                "warning",
                f"There are only {pairs} texts in {languages}.",
                advice="A language model learns little from so few; what is measured on a tenth of them varies a lot.",
            )

    def stats(self) -> dict[str, Any]:
        sets: dict[str, int] = {}
        if self.view.sets is not None:
            for name in ("train", "validation", "test", "monolingual"):
                sets[name] = sum(1 for _ in self.view.set(name))
            sets["lexicon"] = sum(1 for _ in self.view.lexicon())
        return {
            "sources": {name: dict(sorted(counts.items())) for name, counts in sorted(self.sources.items())},
            "sets": sets,
            "words_per_text": {lang: _spread(lengths) for lang, lengths in sorted(self.lengths.items())},
        }


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"


def _spread(lengths: Counter[int]) -> dict[str, int]:
    """Quantiles of a histogram."""
    total, seen = lengths.total(), 0
    wanted = {"least": 0.0, "5 %": 0.05, "median": 0.5, "95 %": 0.95, "most": 1.0}
    found: dict[str, int] = {}
    for length in sorted(lengths):
        seen += lengths[length]
        for name, share in wanted.items():
            if name not in found and seen >= max(1, share * total):
                found[name] = length
    return {"texts": total, **found}


class Rejects(Check):
    """Files and pieces of input that could not be read, by file and reason, and how doubtful files were read."""

    name = "rejects"

    def start(self) -> None:
        self.reasons: dict[tuple[str, str], Places] = defaultdict(Places)

    def reject(self, reject: Reject) -> None:
        if reject.reason.startswith(f"{reject.file}: "):
            return  # the whole file, which is among the problems
        # Reasons quote what they speak of and count; what is the same without that is one finding.
        reason = _PARTICULAR.sub("…", reject.reason)
        self.reasons[reject.file, reason].add(reject, reject.reason if reason != reject.reason else "")

    def findings(self) -> Iterator[Finding]:
        for error in self.view.problems:
            yield self.found("error", error.message, advice=error.hint or "")
        for note in self.view.notes:
            yield self.found("warning", note)
        for (file, reason), places in sorted(self.reasons.items(), key=lambda item: (-item[1].count, item[0])):
            yield self.found(
                "warning",
                f"{places.count} {_rows(places.count)} of {file} could not be read: {reason.rstrip('.')}.",
                places,
                "They are in data/interim/ingest/rejects.jsonl with what they say. Mend the file, or the source's "
                "settings in seshat.yaml, and run again.",
            )

    def stats(self) -> dict[str, Any]:
        counts: Counter[str] = Counter()
        for (file, _), places in self.reasons.items():
            counts[file] += places.count
        return dict(sorted(counts.items()))
