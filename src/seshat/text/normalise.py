"""Normalisation profiles: ordered rules that bring a text to the orthography of a project.

The same :class:`Normaliser` cleans the training data and the text that somebody asks to translate, so it lives here
and knows nothing of records.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import regex

from seshat.config.clean import (
    BracketsRule,
    DigitsRule,
    MapRule,
    PlaceholderRule,
    Profile,
    ProfileTest,
    RegexRule,
    Rule,
    UnicodeRule,
    WhitelistRule,
    WhitespaceRule,
)
from seshat.core.patterns import SECONDS, Pattern, TooSlow

Step = Callable[[str], str]
Match = regex.Match[str]

STAND_IN = "\ufdd0"
"""What rules see in the place of a placeholder: a noncharacter, which no text may contain and no property matches.
Every step gives back as many as it gets."""

DIACRITICS = r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
"""The blocks of diacritics that stand over or under a letter and change it. (Vowel signs of Indic scripts and Arabic
vowels are marks too, but do not change the letter they stand on.)"""

_SPACELESS = r"\p{Line_Break=SA}"
"""Scripts whose words are not parted by spaces (Unicode line-breaking class SA: Thai, Lao, Khmer, Burmese …)."""

_ZERO_WIDTH_SPACE = regex.compile(rf"((?<={_SPACELESS})\u200b)\u200b*(?={_SPACELESS})|\u200b+")
_CONTROL = r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufff9-\ufffb"
_INVISIBLE = rf"(?V1)[[\p{{Cf}}&&\p{{Default_Ignorable_Code_Point}}]{_CONTROL}--[\u200b]]"
_INVISIBLE_BUT_JOINERS = rf"(?V1)[[\p{{Cf}}&&\p{{Default_Ignorable_Code_Point}}]{_CONTROL}--[\u200b-\u200d\u180e]]"


@dataclass(frozen=True)
class Normalised:
    """A normalised text and what happened to it."""

    text: str
    changed: tuple[str, ...] = ()
    """Names of the rules that changed something."""
    outside: str = ""
    """The characters outside a whitelist, in order, as often as they occur."""
    tagged: bool = False
    """Whether a whitelist with ``action: tag`` found any."""


@dataclass(frozen=True)
class _CompiledRule:
    name: str
    sources: tuple[str, ...]
    step: Step | None
    """Changes a text; ``None`` for a whitelist that only looks."""
    outside: Pattern | None = None
    tags: bool = False
    open: bool = False
    """Sees placeholders as they are written."""


class Normaliser:
    """A profile, compiled once.

    Args:
        profile: the rules, in order.
        placeholders: regular expressions of what no rule may touch, such as ``<gap>``.
    """

    def __init__(self, profile: Profile, placeholders: Sequence[str] = ()) -> None:
        self._rules = tuple(_compile(rule) for rule in profile.rules)
        written = [regex.escape(rule.text) for rule in profile.rules if isinstance(rule, PlaceholderRule)]
        union = "|".join(f"(?:{expression})" for expression in (*written, *placeholders, STAND_IN))
        self._placeholder = Pattern(union, name="clean.placeholders")
        self._of_source: dict[str | None, tuple[_CompiledRule, ...]] = {}

    def apply(self, text: str, source: str | None = None) -> str:
        """The normalised text.

        Args:
            text: one text, as somebody wrote it.
            source: the name of the source it comes from; rules limited to other sources are left out. Without one
                (a text to translate), every rule that is limited to sources is left out.
        """
        text, kept = self._hide(text)
        for rule in self._rules_of(source):
            if rule.step is not None:
                text, kept = self._applied(rule, rule.step, text, kept)
        return _restore(text, kept) if kept else text

    def inspect(self, text: str, source: str | None = None) -> Normalised:
        """The normalised text, the rules that changed it and the characters outside the whitelists."""
        text, kept = self._hide(text)
        changed: list[str] = []
        outside: list[str] = []
        tagged = False
        for rule in self._rules_of(source):
            if rule.outside is not None and (found := rule.outside.findall(text)):
                outside += found
                tagged = tagged or rule.tags
            if rule.step is not None:
                before = text, kept
                text, kept = self._applied(rule, rule.step, text, kept)
                if (text, kept) != before:
                    changed.append(rule.name)
        return Normalised(_restore(text, kept) if kept else text, tuple(changed), "".join(outside), tagged)

    def outside(self, text: str, source: str | None = None) -> str:
        """The characters of a text (already normalised) that are outside a whitelist of the profile."""
        text, _ = self._hide(text)
        rules = self._rules_of(source)
        return "".join("".join(rule.outside.findall(text)) for rule in rules if rule.outside is not None)

    def _rules_of(self, source: str | None) -> tuple[_CompiledRule, ...]:
        rules = self._of_source.get(source)
        if rules is None:
            rules = tuple(rule for rule in self._rules if not rule.sources or source in rule.sources)
            self._of_source[source] = rules
        return rules

    def _applied(self, rule: _CompiledRule, step: Step, text: str, kept: list[str]) -> tuple[str, list[str]]:
        """The text and its placeholders after one rule."""
        return self._hide(step(_restore(text, kept))) if rule.open else (step(text), kept)

    def _hide(self, text: str) -> tuple[str, list[str]]:
        """The text with a stand-in for every placeholder, and the placeholders in order."""
        if self._placeholder.search(text) is None:
            return text, []
        kept: list[str] = []

        def hide(match: Match) -> str:
            if not match[0]:
                return ""
            kept.append(match[0])
            return STAND_IN

        return self._placeholder.sub(hide, text), kept


@dataclass(frozen=True)
class ProfileFailure:
    """A test of a profile that does not hold."""

    test: ProfileTest
    got: str

    def __str__(self) -> str:
        source = f" (source {self.test.source})" if self.test.source else ""
        return f"'{self.test.in_}'{source} should become '{self.test.out}', but becomes '{self.got}'"


def profile_failures(profile: Profile, placeholders: Sequence[str] = ()) -> list[ProfileFailure]:
    """Run the tests of a profile; an empty list when all hold."""
    normaliser = Normaliser(profile, placeholders)
    results = ((test, normaliser.apply(test.in_, test.source)) for test in profile.tests)
    return [ProfileFailure(test, got) for test, got in results if got != test.out]


def carry_case(model: str, replacement: str, neighbour: str = "") -> str:
    """Give a replacement the case of what it replaces.

    Args:
        model: the text replaced: ``qu``, ``Qu`` or ``QU``.
        replacement: by what, in lower case: ``k``.
        neighbour: the letter beside it. It decides for a single capital: x -> sh gives Sh in ``Xa`` and SH in ``XA``.
    """
    cased = [character for character in model if character.isupper() or character.islower()]
    if not cased or not cased[0].isupper():
        return replacement
    if all(character.isupper() for character in cased) and (len(cased) > 1 or neighbour.isupper()):
        return replacement.upper()
    first = next((place for place, character in enumerate(replacement) if character.islower()), 0)
    return replacement[:first] + replacement[first : first + 1].upper() + replacement[first + 1 :]


def _restore(text: str, kept: Sequence[str]) -> str:
    pieces = text.split(STAND_IN)
    return "".join(part for pair in zip(pieces, (*kept, ""), strict=True) for part in pair)


def _compile(rule: Rule) -> _CompiledRule:
    if isinstance(rule, WhitelistRule):
        outside = Pattern(rf"[^{rule.characters}](?<![ {STAND_IN}])", name=f"rule '{rule.name}'")
        step = (lambda text: outside.sub("", text)) if rule.action == "remove" else None
        return _CompiledRule(rule.name, rule.sources, step, outside, rule.action == "tag")
    if isinstance(rule, PlaceholderRule):
        return _CompiledRule(rule.name, rule.sources, _placeholders(rule), open=True)
    return _CompiledRule(rule.name, rule.sources, _step(rule))


def _step(
    rule: UnicodeRule | MapRule | RegexRule | BracketsRule | DigitsRule | WhitespaceRule,
) -> Step:
    if isinstance(rule, UnicodeRule):
        form = rule.form
        return lambda text: text if text.isascii() else unicodedata.normalize(form, text)
    if isinstance(rule, MapRule):
        return _map(rule)
    if isinstance(rule, RegexRule):
        return _regex(rule)
    if isinstance(rule, BracketsRule):
        return _brackets(rule)
    if isinstance(rule, DigitsRule):
        return _ascii_digits
    return _whitespace(rule)


def _map(rule: MapRule) -> Step:
    """Replace the longest key at each place, once.

    Keys match in their composed and decomposed form, and only whole letters: ``n`` is not a part of n̂.
    """
    replacements: dict[str, str] = {}
    for key, replacement in rule.map.items():
        for form in (key, unicodedata.normalize("NFC", key), unicodedata.normalize("NFD", key)):
            replacements.setdefault(form, replacement)
    any_case = {_lower(key): replacement for key, replacement in replacements.items()}
    keys = sorted(replacements, key=lambda key: (-len(key), key))
    pattern = regex.compile("|".join(_key_pattern(key, rule.keep_case) for key in keys))

    def replace(match: Match) -> str:
        found = match[0]
        exact = replacements.get(found)
        if exact is not None:
            return exact
        return carry_case(found, any_case[_lower(found)], _neighbour(match))

    return lambda text: pattern.sub(replace, text)


def _key_pattern(key: str, any_case: bool) -> str:
    characters = "".join(_any_case(c) if any_case else regex.escape(c, special_only=False) for c in key)
    return characters if unicodedata.combining(key[-1]) else rf"{characters}(?!{DIACRITICS})"


def _any_case(character: str) -> str:
    """A class of the cases of a letter. Not the flag IGNORECASE, which also takes Turkish ı and İ for an i."""
    cases = {character, character.lower(), character.upper()}
    kept = sorted(c for c in cases if len(c) == 1 and c.lower() == character.lower())
    return "[" + "".join(regex.escape(c, special_only=False) for c in kept) + "]"


def _lower(text: str) -> str:
    """Lower case letter by letter: ``str.lower`` looks at the neighbours of a sigma."""
    return "".join(character.lower() for character in text)


def _neighbour(match: Match) -> str:
    after = match.string[match.end() : match.end() + 1]
    return after if after.isalpha() else match.string[max(0, match.start() - 1) : match.start()]


def _regex(rule: RegexRule) -> Step:
    """Replace what matches. A match that reaches over a placeholder works on the text on each side of it."""
    pattern = Pattern(rule.pattern, regex.IGNORECASE if rule.keep_case else 0, f"rule '{rule.name}': {rule.pattern}")
    replacement = rule.replacement

    def replace(match: Match) -> str:
        found = match[0]
        if STAND_IN in found:
            return STAND_IN.join(plain(piece) for piece in found.split(STAND_IN))
        filled = match.expand(replacement)
        return carry_case(found, filled, _neighbour(match)) if rule.keep_case else filled

    def plain(text: str) -> str:
        if rule.keep_case or STAND_IN in text:
            return pattern.sub(replace, text)
        return pattern.sub(replacement, text)

    return plain


def _brackets(rule: BracketsRule) -> Step:
    halves = [(pair[: len(pair) // 2], pair[len(pair) // 2 :]) for pair in rule.brackets]
    if rule.action == "unwrap":
        marks = sorted({half for pair in halves for half in pair}, key=lambda half: (-len(half), half))
        any_bracket = regex.compile("|".join(regex.escape(mark) for mark in marks))
        return lambda text: any_bracket.sub("", text)
    innermost = [
        regex.compile(f"{regex.escape(a)}(?:(?!{regex.escape(a)}|{regex.escape(b)}).)*{regex.escape(b)}", regex.DOTALL)
        for a, b in halves
    ]

    def remove(text: str) -> str:
        until = time.monotonic() + SECONDS
        for pattern in innermost:
            found = 1
            while found:
                if time.monotonic() > until:
                    raise TooSlow(f"rule '{rule.name}' takes too long: too many brackets in one another.")
                text, found = pattern.subn(lambda match: STAND_IN * match[0].count(STAND_IN), text)
        return text

    return remove


def _placeholders(rule: PlaceholderRule) -> Step:
    name, mark = f"rule '{rule.name}'", regex.escape(rule.text)
    pattern = Pattern("|".join(f"(?:{expression})" for expression in (mark, *rule.patterns)), name=name)
    runs = Pattern(f"{mark}(?:(?:{rule.between}){mark})+", name=name) if rule.between is not None else None

    def write(text: str) -> str:
        text = pattern.sub(lambda match: rule.text if match[0] else "", text)
        return runs.sub(lambda _: rule.text, text) if runs is not None else text

    return write


_DIGIT = regex.compile(r"[\p{Nd}--0-9]", regex.V1)


def _ascii_digits(text: str) -> str:
    return text if text.isascii() else _DIGIT.sub(lambda match: str(unicodedata.decimal(match[0], match[0])), text)


def _whitespace(rule: WhitespaceRule) -> Step:
    invisible = regex.compile(_INVISIBLE_BUT_JOINERS if rule.keep_joiners else _INVISIBLE)

    def tidy(text: str) -> str:
        if not (text.isascii() and text.isprintable()):
            text = invisible.sub("", text)
            if "\u200b" in text:
                text = _ZERO_WIDTH_SPACE.sub(r"\1", text)
        return " ".join(text.split())

    return tidy
