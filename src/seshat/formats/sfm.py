"""Standard format of Toolbox and Shoebox: lexicons (MDF) and interlinear texts, lines that begin with a marker.

Which markers mean what differs from project to project: ``markers`` of the source says it, a ``.typ`` file beside the
data helps the proposal. Morphemes and glosses are paired by their columns (characters, or bytes in old files), else by
their number; where neither fits, the gloss is left out, kept as it stands, and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import regex

from seshat.config.ingest import GLOSS_FIELDS, WORD_FIELD
from seshat.core.records import Record, Reject
from seshat.formats.context import Context
from seshat.formats.interlinear import records
from seshat.formats.markers import interlinear, lexicon, read_types
from seshat.formats.suggestions import OWNER
from seshat.formats.units import Names, Parts, Unit, Word

PEEK = 5_000
"""Lines that are looked at to tell a lexicon from texts."""
_LINE = regex.compile(r"\s*\\(?P<marker>[^\s\\]+)(?:[ \t](?P<text>.*))?", regex.DOTALL)
_TOKEN = regex.compile(r"\S+")
_RECORD = ("ref", "rec", "sref")
"""Markers that begin a sentence of an interlinear text."""


class Field(NamedTuple):
    """A marker and what follows it, continuation lines included."""

    line: int
    marker: str
    text: str


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read lexicons as entries and interlinear texts as segments; settings of Toolbox (``.typ``) hold no text."""
    for path in paths:
        if path.suffix.casefold() == ".typ":
            context.report(path).remarks.append("settings of Toolbox: they help to propose markers, and hold no text")
        else:
            yield from records([path], context, units, interlinear, "markers")


def units(path: Path, context: Context, names: Names) -> Iterator[Unit | Reject]:
    """The entries or sentences of a file."""
    read_types(path, names)
    stream = fields(path, context)
    ahead = list(islice(stream, PEEK))
    markers = {one.marker for one in ahead if isinstance(one, Field)}
    given = context.source.mapping
    head = next((one for one in given.get("headword", ("lx",)) if one in markers), None)
    whole = chain(ahead, stream)
    if not markers:
        yield from (one for one in whole if isinstance(one, Reject))
        yield context.reject(path, None, "no line begins with a marker such as \\lx or \\tx")
    elif head is not None or "headword" in given:
        names.propose = lexicon
        yield from _entries(whole, head or given["headword"][0], names)
    else:
        starts = next((one for one in (*given.get("id", ()), *_RECORD) if one in markers), None)
        translated = any(names.field(one) not in {None, names.own, WORD_FIELD, *GLOSS_FIELDS} for one in markers)
        yield from _Texts(names, starts, context, path, translated=translated).units(whole)


def fields(path: Path, context: Context) -> Iterator[Field | Reject]:
    """The markers of a file with their texts; lines before the first marker are rejected."""
    open_line, marker, parts = 0, "", [""]
    for number, raw, reason in context.lines(path):
        match = _LINE.fullmatch(raw) if reason is None else None
        if reason is not None:
            yield context.reject(path, number, reason, raw)
        elif match is None and marker and raw.strip():
            parts.append(raw)
        elif match is None and raw.strip():
            yield context.reject(path, number, "a line before the first marker", raw)
        elif match is not None:
            if marker:
                yield Field(open_line, marker, "\n".join(parts))
            what = match["marker"].removesuffix(f"_{OWNER}")
            marker = match["marker"] if what == match["marker"] else f"{what}@{OWNER}"
            open_line, parts = number, [match["text"] or ""]
    if marker:
        yield Field(open_line, marker, "\n".join(parts))


def _entries(stream: Iterator[Field | Reject], head: str, names: Names) -> Iterator[Unit | Reject]:
    r"""Entries; a sub-entry (``\se``) is one of its own."""
    unit: Unit | None = None
    main = ""
    for one in stream:
        if isinstance(one, Reject):
            yield one
            continue
        line, marker, text = one
        if marker == head or (marker == "se" and unit is not None and text.strip()):
            if unit is not None:
                yield unit
            main = main if marker == "se" else text.strip()
            unit = Unit(
                line, text.strip(), [(head, text)], senses=[], extra={"main_entry": main} if marker == "se" else {}
            )
        elif unit is not None:
            if marker == "hm" and text.strip():
                unit.key += f"_{text.strip()}"
            _into(unit, marker, text, names)
    if unit is not None:
        yield unit


def _into(unit: Unit, marker: str, text: str, names: Names) -> None:
    """Put a field of an entry where it belongs: the entry, or its last sense."""
    assert unit.senses is not None
    known = names.field(marker) or ""
    senses = unit.senses
    if marker == "sn" and (not senses or senses[-1]):
        senses.append([])
    if not text.strip() or marker == "sn":
        return
    of_sense = known.startswith(("gloss.", "example."))
    if known == "pos" and senses and any((names.field(name) or "").startswith("gloss.") for name, _ in senses[-1]):
        senses.append([])
    if of_sense and not senses:
        senses.append([])
    (senses[-1] if senses and (of_sense or not known) else unit.parts).append((marker, text))


class _Texts:
    """Makes sentences of the fields of an interlinear text."""

    def __init__(self, names: Names, starts: str | None, context: Context, path: Path, *, translated: bool) -> None:
        self.names, self.starts, self.translated = names, starts, translated
        self.report = context.report(path)
        self.title = ""
        self.about: Parts = []
        """What stands before the first sentence of a text and holds for all of it."""

    def units(self, stream: Iterator[Field | Reject]) -> Iterator[Unit | Reject]:
        """The sentences, in order."""
        found: list[Field] = []
        for one in stream:
            if isinstance(one, Reject):
                yield one
            elif one.marker.startswith("_"):
                continue
            elif one.marker == "id":
                yield from self._unit(found)
                found, self.title, self.about = [], one.text.strip(), []
            elif self._begins(one, found):
                yield from self._unit(found)
                found = [one]
            else:
                found.append(one)
        yield from self._unit(found)

    def _begins(self, one: Field, found: Sequence[Field]) -> bool:
        """Whether a field begins a sentence: by its marker, or where there is none, a text after a translation.

        Where nothing is translated either, every text begins one: a long sentence whose lines are broken cannot be told
        from two.
        """
        if self.starts is not None:
            return one.marker == self.starts
        if self.names.field(one.marker) != self.names.own:
            return False
        if not self.translated:
            return True
        done = {self.names.field(field.marker) for field in found}
        return bool(done - {None, self.names.own, WORD_FIELD, *GLOSS_FIELDS})

    def _unit(self, found: list[Field]) -> Iterator[Unit]:
        if not found:
            return
        if self.starts is not None and found[0].marker != self.starts and self.names.own not in {
            self.names.field(one.marker) for one in found
        }:  # fmt: skip
            self.about += [(one.marker, one.text) for one in found]
            return
        unit = Unit(found[0].line, document=self.title)
        if found[0].marker == self.starts:
            unit.key = found[0].text.strip()
            self.names.seen(self.starts, unit.key, "unit")
            self.names.fields[self.starts] = "id"
            found = found[1:]
        unit.parts = list(self.about)
        self.about = [part for part in self.about if (self.names.field(part[0]) or "") in {"genre", "speaker"}]
        aligned: list[dict[str, str]] = [{}]
        for _line, marker, text in found:
            known = self.names.field(marker)
            if known in GLOSS_FIELDS or known == WORD_FIELD or known == self.names.own:
                if marker in aligned[-1]:
                    aligned.append({})
                aligned[-1][marker] = text
            if known not in GLOSS_FIELDS and known != WORD_FIELD:
                unit.parts.append((marker, text))
        for block in aligned:
            unit.words += self._words(block, unit)
        yield unit

    def _words(self, block: dict[str, str], unit: Unit) -> list[Word]:
        """The words of one block of aligned lines."""
        by_field: dict[str, list[str]] = {}
        for marker in block:
            by_field.setdefault(self.names.field(marker) or "", []).append(marker)
        forms, glosses = by_field.get(GLOSS_FIELDS[0], []), by_field.get(GLOSS_FIELDS[1], [])
        texts = by_field.get(WORD_FIELD) or by_field.get(self.names.own) or []
        base = forms[0] if forms else texts[0] if texts else None
        if base is None or not (forms or glosses):
            return []
        morphs: list[dict[str, str]] = [{base: token} for token in block[base].split()]
        for marker in (*forms[1:], *glosses):
            column = paired(block[base], block[marker])
            if column is None:
                self.report.note(
                    f"blocks in which \\{marker} fits \\{base} neither by columns nor by number; no gloss", unit.line
                )
                unit.extra |= {name: " ".join(block[name].split()) for name in (base, marker)}
                if marker in glosses[:1]:
                    return []
                continue
            for morph, text in zip(morphs, column, strict=True):
                morph[marker] = text
        words = [Word(morphs=group) for group in _grouped(morphs, base)]
        spoken = block[texts[0]].split() if texts else []
        if len(spoken) == len(words):
            for word, text in zip(words, spoken, strict=True):
                word.parts = {WORD_FIELD: text}
                self.names.fields.setdefault(WORD_FIELD, WORD_FIELD)
        elif spoken:
            self.report.note(
                "blocks whose words and morphemes do not fit: the words are made of the morphemes", unit.line
            )
        return words


def paired(base: str, other: str) -> list[str] | None:
    """What stands in one line under each token of another: by columns, in characters or in bytes, else by number.

    Lines without two spaces in a row were never set in columns; where their numbers fit, columns would fit by chance.
    """
    tokens = other.split()
    fits = len(tokens) == len(base.split())
    if fits and "  " not in base.strip() and "  " not in other.strip():
        return tokens
    for encoded in (False, True):
        starts = [start for start, _token in _tokens(base, encoded)]
        known = {start: place for place, start in enumerate(starts)}
        under = [""] * len(starts)
        place = -1
        for match, start in zip(_TOKEN.finditer(other), (one for one, _token in _tokens(other, encoded)), strict=True):
            if start in known:
                place = known[start]
            elif place < 0 or other[max(match.start() - 2, 0) : match.start()].isspace():
                break  # it stands apart, where there is no column
            width = len(match[0].encode(errors="replace")) if encoded else len(match[0])
            if place + 1 < len(starts) and start + width >= starts[place + 1]:
                break  # it reaches into the next column
            under[place] = f"{under[place]} {match[0]}".strip()
        else:
            return under
    return tokens if fits else None


def _tokens(line: str, encoded: bool) -> Iterator[tuple[int, str]]:
    """The tokens of a line, and where each begins, in characters or in bytes."""
    at = before = 0
    for match in _TOKEN.finditer(line):
        skipped = line[before : match.start()]
        at += len(skipped.encode(errors="replace")) if encoded else len(skipped)
        before = match.start()
        yield at, match[0]


def _grouped(morphs: list[dict[str, str]], base: str) -> list[list[dict[str, str]]]:
    """Morphemes by word: ``-we`` and ``=a`` belong to the one before, ``m-`` to the one after, ``-`` joins both."""
    groups: list[list[dict[str, str]]] = []
    joins = False
    for morph in morphs:
        form = morph[base]
        bare = form.strip("-=~*")
        if groups and (joins or (form[0] in "-=~" and form != "...")):
            groups[-1].append(morph)
        else:
            groups.append([morph])
        joins = form[-1] in "-=~"
        if not bare and len(groups[-1]) > 1:
            groups[-1].pop()
    return groups
