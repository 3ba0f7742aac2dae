"""Units of linguists' files to records: texts, interlinear glosses, lexicon entries, and what is known about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import regex

from seshat.config.ingest import GLOSS_FIELDS, WORD_FIELD
from seshat.core.errors import DataError
from seshat.core.records import Entry, Example, GlossedWord, Meta, Record, Reject, Segment, Sense, hyphenated
from seshat.formats.context import Context
from seshat.formats.session import beside
from seshat.formats.suggestions import MARK, suggested
from seshat.formats.units import Names, Parts, Propose, Unit, Units, Word, is_meta

_SEAMS = regex.compile(r"-+|(?<=[^=~])(?=[=~].)")
_BEFORE = regex.compile(r"\s+(?=[.,;:!?)\]}»”…%]+(?:\s|$))")
_AFTER = regex.compile(r"(?<=(?:^|\s)[(\[{«“¿¡])\s+")
_CLITIC = regex.compile(r"(?<=\S)\s+(?=[=~])")
_TYPES = {
    **dict.fromkeys(("stem", "root", "bound root", "bound stem", "particle", "discontiguous phrase"), "word"),
    **dict.fromkeys(("prefix", "suffix", "infix", "circumfix", "enclitic", "proclitic", "clitic", "simulfix"), "affix"),
}
"""What FLEx calls the types of its entries."""


def records(
    paths: Sequence[Path], context: Context, units: Units, propose: Propose, setting: str = "tiers"
) -> Iterator[Record | Reject]:
    """Read files of one kind.

    Args:
        paths: the files.
        context: the source.
        units: reads one file.
        propose: which field a name fills where nothing is configured.
        setting: what the names are called in the configuration.
    """
    for path in paths:
        for _unit, made in segments(path, context, units, propose, setting):
            if made is not None:
                yield made


def segments(
    path: Path, context: Context, units: Units, propose: Propose, setting: str
) -> Iterator[tuple[Unit | None, Record | Reject | None]]:
    """The units of one file, each with what is made of it; None for a unit of which nothing is made.

    Raises:
        DataError: none of the names in the file fills a field.
    """
    names = Names(context, propose)
    maker, given = _Maker(path, context, names), False
    for unit in units(path, context, names):
        made = unit if isinstance(unit, Reject) else maker.record(unit)
        given = given or made is not None
        yield (None if isinstance(unit, Reject) else unit), made
    maker.report(setting)
    if not given and not maker.totals["units"]:
        yield None, context.reject(path, None, "there is no sentence and no entry in it")
    if names.counts and not given:
        shown = ", ".join(f"{name} ({count:,})" for name, count in names.counts.most_common(30))
        raise DataError(
            f"{path}: none of its {setting} fills a field of source '{context.source.name}'.",
            f"Say which holds what: {setting}: {{{names.own}: …, {names.pivot}: …}}. Found are: {shown}.",
        )


def pieces(text: str) -> tuple[str, ...]:
    """The morphemes of a word, or their glosses: ``ka-ta=a`` gives ``ka``, ``ta`` and ``=a``."""
    return tuple(part for part in _SEAMS.split(text) if part)


def sentence(words: Sequence[str]) -> str:
    """Words and punctuation as a sentence: marks stand close to their word."""
    return _AFTER.sub("", _BEFORE.sub("", " ".join(word for word in words if word)))


class _Maker:
    """Makes the records of one file."""

    def __init__(self, path: Path, context: Context, names: Names) -> None:
        self.path, self.context, self.names = path, context, names
        self.file, self.prefix = context.relative(path), context.prefix(path)
        self.reported = context.report(path)
        self.separator = regex.compile(context.source.separator)
        self.about = beside(path, context)
        self.keys: dict[str, int] = {}
        """Ids so far, and how often each was wanted."""
        self.orders: dict[str, int] = {}
        self.totals = dict.fromkeys(
            ("units", "empty", "words", "morphemes", "senses", "open_suggestions", "left_out"), 0
        )

    def report(self, setting: str) -> None:
        """Close the books of the file."""
        self.reported.details |= {name: count for name, count in self.totals.items() if count}
        self.names.report(self.path, setting)
        if self.totals["open_suggestions"]:
            self.reported.remarks.append(
                f"suggestions that nobody has accepted (they begin with '{MARK}'), left out: "
                f"{self.totals['open_suggestions']:,}"
            )

    def record(self, unit: Unit) -> Record | Reject | None:
        """The record of a unit; None when it holds no text at all, which is counted."""
        self.totals["units"] += 1
        size = sum(len(text) for _name, text in unit.parts) + sum(
            len(text) for part in (*unit.words, *(unit.senses or ())) for text in _texts(part)
        )
        if size > self.context.ingest.max_line_bytes:
            reason = f"{size:,} characters, more than max_line_bytes ({self.context.ingest.max_line_bytes:,})"
            return self.context.reject(self.path, unit.line, f"the unit is too long: {reason}", unit.key)
        made = self._segment(unit) if unit.senses is None else self._entry(unit)
        if made is None:
            parts = [(name, text.strip()) for name, text in unit.parts if not is_meta(self.names.field(name))]
            content = " | ".join(text for _name, text in parts if text)
            content = content or " ".join(text for word in unit.words for text in _texts(word))
            if unit.senses is None and not content.strip():
                self.totals["empty"] += 1
                return None
            if unit.senses is None and not any(self._fills(name) for name in _names(unit)):
                self.totals["left_out"] += 1
                return None
            missing = "text in a language of the project" if unit.senses is None else "headword"
            return self.context.reject(self.path, unit.line, f"the unit has no {missing}", content)
        return made

    def _fills(self, name: str) -> bool:
        """Whether a name fills a field that holds words."""
        known = self.names.field(name)
        return known is not None and not is_meta(known)

    def _said(self, parts: Iterable[tuple[str, str]], accepted: dict[str, str]) -> Iterator[tuple[str, str]]:
        """Names and texts that people wrote; suggestions that they accepted go to ``accepted``, by field."""
        for name, raw in parts:
            text = self.reported.text(" ".join(raw.split()))
            known = suggested(name) if text else None
            if known is None and text:
                yield name, text
            elif text.startswith(MARK.strip()):
                self.totals["open_suggestions"] += 1
            elif known is not None:
                accepted[known] = text

    def _split(self, parts: Parts) -> tuple[dict[str, list[str]], dict[str, list[str]], dict[str, str]]:
        """Parts by field, what fills none, and the suggestions that people have accepted."""
        found: dict[str, list[str]] = {}
        extra: dict[str, list[str]] = {}
        accepted: dict[str, str] = {}
        taken: dict[str, str] = {}
        for name, text in self._said(parts, accepted):
            self.names.seen(name, text, "unit")
            known = self.names.field(name)
            if known is None:
                extra.setdefault(name, []).append(text)
            elif known in GLOSS_FIELDS and known in found:
                first = self.names.rank(name) < self.names.rank(taken[known])
                extra[taken[known] if first else name] = found[known] if first else [text]
                found[known], taken[known] = ([text], name) if first else (found[known], taken[known])
            else:
                found.setdefault(known, []).append(text)
                taken.setdefault(known, name)
        return found, extra, accepted

    def _segment(self, unit: Unit) -> Segment | None:
        found, extra, accepted = self._split(unit.parts)
        texts = {
            known.removeprefix("example."): " ".join(parts)
            for known, parts in found.items()
            if known not in GLOSS_FIELDS and known != WORD_FIELD and not is_meta(known)
        }
        lines = {known: " ".join(found.get(known, ())) for known in (WORD_FIELD, *GLOSS_FIELDS)}
        for known, text in accepted.items():
            (lines if known in GLOSS_FIELDS else texts)[known] = text
        gloss, spoken = self._gloss(unit.words)
        for tag, words in spoken.items():
            texts.setdefault(tag, sentence(words))
        if gloss and set(accepted) & set(GLOSS_FIELDS):  # an accepted line stands in for one of those that are there
            there = (word.form for word in gloss), (word.morphemes for word in gloss), (word.glosses for word in gloss)
            lines[WORD_FIELD] = " ".join(there[0])
            for known, parts in zip(GLOSS_FIELDS, there[1:], strict=True):
                lines[known] = lines[known] or " ".join(hyphenated(one) for one in parts)
        lines[WORD_FIELD] = lines[WORD_FIELD] or texts.get(self.names.own, "")
        if (flat := self._flat(lines, unit.line, extra)) and (accepted or not gloss):
            gloss = flat
        if gloss and not texts.get(self.names.own):
            texts[self.names.own] = sentence([word.form for word in gloss])
        texts = {tag: text for tag, text in texts.items() if text}
        if not texts:
            return None
        if accepted:
            extra["accepted"] = list(accepted)
        return Segment(id=self._id(unit, found), texts=texts, gloss=gloss or None, meta=self._meta(unit, found, extra))

    def _gloss(self, words: Sequence[Word]) -> tuple[tuple[GlossedWord, ...], dict[str, list[str]]]:
        """The interlinear gloss, and the words as texts by language."""
        made: list[GlossedWord] = []
        spoken: dict[str, list[str]] = {}
        glossed = False
        for word in words:
            fields = self._fields(word.parts, "word", spoken)
            morphs = [self._fields(morph, "morph") for morph in word.morphs]
            self.totals["morphemes"] += len(morphs)
            morphs = [one for one in morphs if any(known in one for known in GLOSS_FIELDS)]
            forms, glosses = _opened([(one.get(GLOSS_FIELDS[0], ""), one.get(GLOSS_FIELDS[1], "")) for one in morphs])
            if not morphs:
                forms, glosses = (list(pieces(fields.get(known, ""))) for known in GLOSS_FIELDS)
            form = fields.get(WORD_FIELD) or "".join(part.strip("-=~") for part in forms)
            if not form and not any(glosses):
                continue
            self.totals["words"] += 1
            glossed = glossed or bool(forms or glosses)
            made.append(GlossedWord(form=form, **_paired(forms, glosses)))
        return tuple(made) if glossed else (), spoken

    def _fields(
        self, parts: Mapping[str, str], level: Any, spoken: dict[str, list[str]] | None = None
    ) -> dict[str, str]:
        """The fields of a word or morpheme; texts in a language go to ``spoken``."""
        found: dict[str, str] = {}
        ranks: dict[str, int] = {}
        accepted: dict[str, str] = {}
        for name, text in self._said(parts.items(), accepted):
            self.names.seen(name, text, level)
            known = self.names.field(name)
            if known in GLOSS_FIELDS or known == WORD_FIELD:
                if known not in found or self.names.rank(name) < ranks.get(known, 0):
                    found[known] = (text.strip("-") or text) if level == "morph" else text
                    ranks[known] = self.names.rank(name)
                if known == WORD_FIELD and spoken is not None:
                    spoken.setdefault(self.names.own, []).append(text)
            elif known and spoken is not None and not is_meta(known):
                spoken.setdefault(known, []).append(text)
        return found | accepted

    def _flat(self, lines: Mapping[str, str], line: int | None, extra: dict[str, list[str]]) -> tuple[GlossedWord, ...]:
        """A gloss from whole lines: words parted by spaces, or by tabs where there are some."""
        words, forms, glosses = (_CLITIC.sub("", lines[known]).split() for known in (WORD_FIELD, *GLOSS_FIELDS))
        if not forms and not glosses:
            return ()
        forms = forms or words
        if glosses and len(forms) != len(glosses):
            self.reported.note("units with unequal numbers of words in morphemes and glosses; no gloss", line)
            extra |= {known: [lines[known]] for known in GLOSS_FIELDS if lines[known]}
            return ()
        words = (
            words if len(words) == len(forms) else ["".join(part.strip("=~") for part in pieces(one)) for one in forms]
        )
        glosses = glosses or [""] * len(forms)
        return tuple(
            GlossedWord(form=word, **_paired(pieces(form), pieces(gloss)))
            for word, form, gloss in zip(words, forms, glosses, strict=True)
        )

    def _entry(self, unit: Unit) -> Entry | None:
        found, extra, _accepted = self._split(unit.parts)
        heads = found.get("headword", [])
        if not heads:
            return None
        headword, forms = heads[0], [*heads[1:], *found.get("forms", [])]
        senses = tuple(sense for parts in unit.senses or () if (sense := self._sense(parts, found, extra)))
        kind = " ".join(found.get("type", ())).casefold()
        kind = {**_TYPES, **self.context.source.types}.get(kind, kind)
        positions = list(dict.fromkeys(found.get("pos", ())))
        self.totals["senses"] += len(senses)
        return Entry(
            id=self._id(unit, found),
            lang=self.names.own,
            headword=headword,
            forms=tuple(dict.fromkeys(form for form in forms if form != headword)),
            pos="; ".join(positions) or None,
            type=kind or ("affix" if headword[0] in "-=" or headword[-1] in "-=" else "word"),
            senses=senses,
            meta=self._meta(unit, found, extra),
        )

    def _sense(self, parts: Parts, entry: dict[str, list[str]], extra: dict[str, list[str]]) -> Sense | None:
        """Glosses and examples of one sense; an example begins with each text in the language itself."""
        glosses: dict[str, list[str]] = {}
        examples: list[dict[str, list[str]]] = [{}]
        for name, raw in parts:
            text = self.reported.text(" ".join(raw.split()))
            if not name:
                examples.append({})
            if not name or not text:
                continue
            known = self.names.field(name)
            self.names.seen(name, text, "sense")
            stem, _, tag = (known or "").partition(".")
            if stem == "gloss" and tag:
                glosses.setdefault(tag, []).extend(part for one in self.separator.split(text) if (part := one.strip()))
            elif stem == "example" and tag:
                if tag == self.names.own and examples[-1]:
                    examples.append({})
                examples[-1].setdefault(tag, []).append(text)
            elif known is None:
                extra.setdefault(name, []).append(text)
            else:
                entry.setdefault(known, []).append(text)
        kept = tuple(Example(texts={tag: " ; ".join(texts) for tag, texts in one.items()}) for one in examples if one)
        if not glosses and not kept:
            return None
        return Sense(glosses={tag: tuple(dict.fromkeys(found)) for tag, found in glosses.items()}, examples=kept)

    def _id(self, unit: Unit, found: Mapping[str, list[str]]) -> str:
        given = " ".join(found.get("id", ())) or unit.key or str(self.totals["units"])
        key = given
        while key in self.keys:
            self.keys[given] += 1
            key = f"{given}#{self.keys[given]}"
        self.keys[key] = 1
        return f"{self.prefix}:{key}"

    def _meta(self, unit: Unit, found: Mapping[str, list[str]], extra: Mapping[str, list[str]]) -> Meta:
        given: dict[str, Any] = {known: " ".join(texts) for known, texts in found.items() if is_meta(known)}
        order = given.pop("order", "")
        given.pop("id", None)
        document = given.get("doc_id") or unit.document
        document = f"{self.prefix}:{document}" if document else self.prefix
        if unit.senses is None:
            self.orders[document] = self.orders.get(document, -1) + 1
            given |= {"doc_id": document, "order": int(order) if order.isdecimal() else self.orders[document]}
        if unit.speaker:
            given.setdefault("speaker", self.reported.text(unit.speaker))
        access = [text for text in (given.pop("access", ""), self.about.access) if text]
        if access:
            given["access"] = max((self.context.access(text) for text in access), key=lambda one: one.level)
        for known in ("genre", "licence", "speaker"):
            if value := getattr(self.about, known):
                given.setdefault(known, value)
        kept = {name: "; ".join(texts) for name, texts in extra.items()}
        if kept := {**self.about.extra, **unit.extra, **kept}:
            given["extra"] = kept
        return self.context.meta(self.file, unit.line, start=unit.start, end=unit.end, **given)


def _texts(part: Any) -> Iterator[str]:
    """The texts of a word or of a sense."""
    if isinstance(part, Word):
        yield from part.parts.values()
        for morph in part.morphs:
            yield from morph.values()
    else:
        yield from (text for _name, text in part)


def _names(unit: Unit) -> Iterator[str]:
    """The names of the parts of a unit that hold text."""
    yield from (name for name, text in unit.parts if text.strip())
    for word in unit.words:
        for parts in (word.parts, *word.morphs):
            yield from parts


def _opened(morphs: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Morphemes and glosses; one such as ``en=te`` under ``DEM=MED`` is two."""
    forms: list[str] = []
    glosses: list[str] = []
    for form, gloss in morphs:
        inside, meant = pieces(form), pieces(gloss)
        several = len(inside) == len(meant) > 1
        forms += inside if several else [form]
        glosses += meant if several else [gloss]
    return forms, glosses


def _paired(forms: Sequence[str], glosses: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Morphemes and glosses of a word; where their numbers differ, the word is one morpheme with one gloss."""
    if not any(glosses):
        return {"morphemes": tuple(forms) if len(forms) > 1 or glosses else (), "glosses": ()}
    if forms and len(forms) != len(glosses):
        return {"morphemes": (hyphenated(forms),), "glosses": (hyphenated(glosses),)}
    return {"morphemes": tuple(forms), "glosses": tuple(glosses)}
