"""The characters: Unicode forms, mixed scripts, look-alikes, and the inventory of the orthography."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from seshat.core.records import Meta
from seshat.data.check.base import Check, Finding, Places
from seshat.text.scripts import (
    CONFUSABLE_GROUPS,
    describe,
    invisible_characters,
    mixed_script_words,
    script_shares,
    unicode_form,
)
from seshat.text.words import words

_RARE = 5
_RARE_SHARE = 1e-5
_ORDINARY = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ")
_GROUPS = {character: group for group in CONFUSABLE_GROUPS for character in group}


class Forms(Check):
    """Texts in different Unicode forms, and invisible characters."""

    name = "unicode"

    def start(self) -> None:
        self.forms: dict[str, dict[str, Places]] = defaultdict(lambda: defaultdict(Places))
        self.invisible: dict[str, Places] = defaultdict(Places)

    def text(self, text: str, lang: str, meta: Meta) -> None:
        if text.isascii() and text.isprintable():
            self.forms[lang]["ASCII"].count += 1
            return
        self.forms[lang][unicode_form(text)].add(meta)
        for character in invisible_characters(text):
            self.invisible[character].add(meta)

    def findings(self) -> Iterator[Finding]:
        for lang, forms in sorted(self.forms.items()):
            told = {form: forms[form] for form in ("NFC", "NFD", "mixed") if forms[form].count}
            if len(told) > 1 or "mixed" in told:
                rare = min(told.values(), key=lambda places: places.count)
                counts = ", ".join(f"{places.count} {form}" for form, places in told.items())
                yield self.found(
                    "warning",
                    f"The texts in {lang} are in different Unicode forms ({counts}): the same letter is then "
                    "several, to a model.",
                    rare,
                    "Set ingest.unicode to NFC, or add a rule {type: unicode} to the profile.",
                )
        for character, places in sorted(self.invisible.items(), key=lambda item: (-item[1].count, item[0])):
            yield self.found(
                "info",
                f"The invisible character {describe(character)} is in {places.count} texts.",
                places,
                "A rule {type: whitespace} removes what a script does not need.",
            )

    def stats(self) -> dict[str, Any]:
        return {
            lang: {form: places.count for form, places in sorted(forms.items()) if places.count}
            for lang, forms in sorted(self.forms.items())
        }


class ScriptMix(Check):
    """Words with letters of several scripts."""

    name = "mixed scripts"

    def start(self) -> None:
        self.mixed: dict[str, Places] = defaultdict(Places)
        self.mended: dict[str, int] = Counter()

    def text(self, text: str, lang: str, meta: Meta) -> None:
        if text.isascii() or len(script_shares(text)) < 2:  # one look at the text spares one at every word
            return
        for found in mixed_script_words(text):
            scripts = " and ".join(found.scripts)
            written = f"{found.word}, meant {found.suggestion}?" if found.suggestion else f"{found.word}: {scripts}"
            self.mixed[lang].add(meta, written)
            self.mended[lang] += found.suggestion is not None

    def findings(self) -> Iterator[Finding]:
        for lang, places in sorted(self.mixed.items()):
            yield self.found(
                "warning",
                f"{places.count} words in {lang} mix letters of several scripts; in {self.mended[lang]} of them the "
                "foreign letters look like those of the main script.",
                places,
                "Typed on another keyboard, or read wrongly from a scan. Map the letters in the profile.",
            )


class Lookalikes(Check):
    """Characters that look alike and are typed for one another inside words."""

    name = "look-alikes"

    def start(self) -> None:
        self.seen: dict[tuple[str, str], dict[str, Places]] = defaultdict(lambda: defaultdict(Places))

    def text(self, text: str, lang: str, meta: Meta) -> None:
        if not _GROUPS.keys() & set(text):
            return
        for word in words(text):
            for character in set(word[1:-1] if len(word) > 2 else word) & _GROUPS.keys():
                self.seen[lang, _GROUPS[character]][character].add(meta)

    def findings(self) -> Iterator[Finding]:
        for (lang, _), characters in sorted(self.seen.items()):
            if len(characters) < 2:
                continue
            ordered = sorted(characters.items(), key=lambda item: (-item[1].count, item[0]))
            counts = ", ".join(f"{describe(character)} in {places.count}" for character, places in ordered)
            yield self.found(
                "warning",
                f"Words in {lang} are written with {len(ordered)} characters that look alike: {counts} words.",
                ordered[-1][1],
                "If the orthography means one letter by them, map them to one in the profile.",
            )


class Characters(Check):
    """The inventory of the orthography; rare characters are often typing errors."""

    name = "characters"

    def start(self) -> None:
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.first: dict[tuple[str, str], Places] = defaultdict(Places)

    def text(self, text: str, lang: str, meta: Meta) -> None:
        counts = self.counts[lang]
        counts.update(text)
        for character in set(text) - _ORDINARY:
            if counts[character] <= 2 * _RARE:
                self.first[lang, character].add(meta)

    def findings(self) -> Iterator[Finding]:
        for lang, counts in sorted(self.counts.items()):
            limit = max(_RARE, _RARE_SHARE * counts.total())
            rare = [c for c, n in counts.items() if n <= min(limit, 2 * _RARE) and c not in _ORDINARY]
            rare = sorted((c for c in rare if unicodedata.category(c)[0] in "LMN"), key=lambda c: (counts[c], c))
            if rare:
                named = ", ".join(f"{c} ({describe(c)}, {counts[c]} times)" for c in rare[:5])
                more = f" and {len(rare) - 5} more" if len(rare) > 5 else ""
                first = [f"{self.first[lang, c].first[0]} ({c})" for c in rare[:5]]
                yield self.found(
                    "info",
                    f"{len(rare)} letters, marks or digits are rare in {lang}: {named}{more}.",
                    Places(len(rare), first),
                    "Foreign names, or typing errors? A rule {type: whitelist} in the profile says what belongs to "
                    "the orthography.",
                )

    def stats(self) -> dict[str, Any]:
        return {
            lang: dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
            for lang, counts in sorted(self.counts.items())
        }
