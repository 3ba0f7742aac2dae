"""What linguists' files have in common: units with named parts, and which part fills which field of a record.

A reader of this kind (ELAN, FLEx, Toolbox, Praat …) turns a file into :class:`Unit` objects whose parts bear the names
that the file gives them: tiers, markers, columns. :class:`Names` says which field a name fills, as the configuration
says or, where it is silent, as the reader proposes; it counts, and nothing that it does not know is lost in silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from seshat.config.ingest import META_FIELDS, WORD_FIELD
from seshat.core.records import Reject
from seshat.formats.context import Context

Level = Literal["unit", "word", "morph", "sense"]
Parts = list[tuple[str, str]]
"""Names and texts, in the order of the file; a name can come several times. An empty name ends an example."""
SAMPLES = 30
"""Texts of a tier that are looked at to tell its language."""

_CODES = {
    "eng": "en", "spa": "es", "por": "pt", "port": "pt", "fra": "fr", "fre": "fr", "deu": "de", "ger": "de",
    "rus": "ru", "ind": "id", "msa": "ms", "may": "ms", "nld": "nl", "dut": "nl", "zho": "zh", "chi": "zh",
    "ita": "it", "hin": "hi", "nep": "ne", "swa": "sw", "ara": "ar", "tha": "th", "tur": "tr", "jpn": "ja",
    "vie": "vi", "fas": "fa", "per": "fa", "ben": "bn", "tam": "ta", "ces": "cs", "pol": "pl",
}  # fmt: skip
"""ISO 639-2 and 639-3 codes of languages into which linguists translate -> BCP 47."""


@dataclass(slots=True)
class Word:
    """One word of an interlinear text, and its morphemes: texts by name."""

    parts: dict[str, str] = field(default_factory=dict)
    morphs: list[dict[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Unit:
    """A phrase, or a lexicon entry, as a file holds it."""

    line: int | None
    key: str = ""
    """Its id in the file."""
    parts: Parts = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    senses: list[Parts] | None = None
    """For lexicon entries: glosses and examples, sense by sense."""
    document: str = ""
    """The text that it belongs to, where a file holds several."""
    speaker: str = ""
    start: float | None = None
    end: float | None = None
    """Seconds."""
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hint:
    """What a file says about one of its names; it is shown and used for proposals, never trusted."""

    kind: str = ""
    """Linguistic type of a tier, name of a marker …"""
    language: str = ""
    parent: str = ""


Propose = Callable[[str, Hint, "Names"], str | None]
"""Which field a name fills, as far as a reader can tell."""
Units = Callable[[Path, Context, "Names"], Iterator["Unit | Reject"]]
"""A reader of one file."""


class Names:
    """The names of the parts of one file, and the fields that they fill."""

    def __init__(self, context: Context, propose: Propose) -> None:
        self.context = context
        self.own = context.source.language or context.project.language
        self.pivot = context.project.tags[-1]
        """Of translations and glosses."""
        self.propose = propose
        """Proposes a field where nothing is configured."""
        self._given = context.source.mapping
        self.proposed = not self._given
        """Whether nothing is configured."""
        self.hints: dict[str, Hint] = {}
        self.fields: dict[str, str | None] = {}
        self.counts: Counter[str] = Counter()
        self.levels: dict[str, Level] = {}
        self.samples: dict[str, list[str]] = {}
        self._ranks: dict[str, int] = {}

    def hint(self, name: str, kind: str = "", language: str = "", parent: str = "") -> None:
        """Remember what the file says about a name."""
        self.hints.setdefault(name, Hint(kind, language, parent))

    def rename(self, name: str, language: str) -> None:
        """Settle the language of a name, where the file does not state it and the name tells."""
        before = self.hints.get(name, Hint())
        self.hints[name] = Hint(before.kind, before.language or language, before.parent)

    def field(self, name: str) -> str | None:
        """The field that a name fills; None when it is not known what it is."""
        if name not in self.fields:
            hint = self.hints.get(name, Hint())
            self.fields[name] = self._configured(name, hint) if self._given else self.propose(name, hint, self)
        return self.fields[name]

    def _configured(self, name: str, hint: Hint) -> str | None:
        """By its name, else by its kind, else by a pattern."""
        fits = (str.__eq__, lambda _name, wanted: hint.kind == wanted, fnmatchcase)
        for same in fits:
            for known, wanted in self._given.items():
                for rank, one in enumerate(wanted):
                    if same(name, one):
                        self._ranks[name] = rank
                        return known
        return None

    def rank(self, name: str) -> int:
        """Which of several names of one field comes first (0): as configured, or glosses in the pivot's language."""
        return self._ranks.get(name, int(self.language(self.hints.get(name, Hint()).language) != self.pivot))

    def seen(self, name: str, text: str, level: Level) -> None:
        """Count a text that stands under a name."""
        self.counts[name] += 1
        self.levels.setdefault(name, level)
        shown = self.samples.setdefault(name, [])
        if len(shown) < SAMPLES:
            shown.append(text[:80])

    def language(self, code: str) -> str | None:
        """The project's tag for a code or name of a language in a file; None when it is none of the project."""
        if not code:
            return None
        folded = code.casefold()
        tag = self.context.language(code) or self.context.language(_CODES.get(folded, ""))
        if tag is None and len(folded) > 2:
            first = folded.split("-")[0]
            for known, info in self.context.project.languages.items():
                if info.name.casefold().startswith(folded) or info.name.casefold() == first:
                    return known
        return tag

    def mapping(self) -> dict[str, list[str]]:
        """Field -> names that were seen, in a form that can be written into a source."""
        found: dict[str, list[str]] = {}
        for name in self.counts:
            if (known := self.fields.get(name)) and name != WORD_FIELD:
                found.setdefault(known, []).append(name)
        return found

    def unknown(self) -> dict[str, int]:
        """Names that fill no field, and how many texts stand under them."""
        return {name: count for name, count in self.counts.items() if not self.fields.get(name)}

    def report(self, path: Path, setting: str) -> None:
        """Write into the report of a file what was read as what, and what was not."""
        report = self.context.report(path)
        report.names = self
        report.details["read_as"] = self.mapping()
        report.details["not_understood"] = unknown = self.unknown()
        if self.proposed and report.details["read_as"]:
            shown = ", ".join(f"{known}: [{', '.join(names)}]" for known, names in self.mapping().items())
            report.remarks.append(f"{setting} taken by their names; settle them with {setting}: {{{shown}}}")
        if unknown:
            shown = ", ".join(f"{name} ({count:,})" for name, count in sorted(unknown.items(), key=lambda one: -one[1]))
            report.remarks.append(f"{setting} that fill no field: {shown[:600]}")


def is_meta(known: str | None) -> bool:
    """Whether a field is one of the meta fields."""
    return known in META_FIELDS
