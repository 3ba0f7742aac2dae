"""Section ``clean``: normalisation profiles and filters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import regex
from pydantic import AfterValidator, Field, model_validator

from seshat.config.base import Language, Mistake, Regex, Section
from seshat.core.patterns import SECONDS, compiled


def _character_class(characters: str) -> str:
    """Refuse a character class that does not compile."""
    try:
        compiled(f"[{characters}]")
    except ValueError as error:
        raise ValueError(f"'[{characters}]' is not a character class: {error}") from error
    return characters


def _bracket_pair(pair: str) -> str:
    """Refuse what cannot be cut into an opening and a closing half."""
    if len(pair) < 2 or len(pair) % 2:
        raise ValueError(f"'{pair}' is not a pair of brackets; write both, such as '()' or '<<>>'")
    return pair


def _mapping(pairs: dict[str, str]) -> dict[str, str]:
    """Refuse an empty map and an empty key, which would match everywhere."""
    if not pairs or "" in pairs:
        raise ValueError("a map needs at least one pair, and no empty string on the left")
    return pairs


class _Rule(Section):
    name: str
    """What the rule does, in a few words; shown in reports."""
    sources: tuple[str, ...] = ()
    """Only records of these sources; default: all."""


class UnicodeRule(_Rule):
    """Bring text to one Unicode form."""

    type: Literal["unicode"]
    form: Literal["NFC", "NFD", "NFKC", "NFKD"] = "NFC"
    """The form."""


class MapRule(_Rule):
    """Replace strings by others, the longest match first, each place once."""

    type: Literal["map"]
    map: Annotated[dict[str, str], AfterValidator(_mapping)]
    """What -> by what. A pair of two alike (`ch: ch`) protects a letter group from a shorter pair (`c: k`)."""
    keep_case: bool = True
    """Match in any case and carry the case over: Qu -> K, QU -> K, qu -> k."""


class RegexRule(_Rule):
    """Replace what a regular expression (syntax of the `regex` package) matches."""

    type: Literal["regex"]
    pattern: Regex
    """The expression."""
    replacement: str = ""
    r"""The replacement; \1 or \g<name> for groups."""
    keep_case: bool = False
    """Match in any case and carry the case over."""

    @model_validator(mode="after")
    def _replacement_fits(self) -> RegexRule:
        try:
            regex.compile(f"(?:{self.pattern})|").sub(self.replacement, "", timeout=SECONDS)
        except (regex.error, IndexError, TimeoutError) as error:
            raise ValueError(f"replacement '{self.replacement}' does not fit '{self.pattern}': {error}") from error
        return self


class BracketsRule(_Rule):
    """Treat bracketed passages."""

    type: Literal["brackets"]
    brackets: tuple[Annotated[str, AfterValidator(_bracket_pair)], ...] = ("()", "[]")
    """Opening and closing bracket together: `()`, `[]`, `<<>>`."""
    action: Literal["unwrap", "remove"] = "unwrap"
    """`unwrap` takes the brackets out, also one without its partner; `remove` also takes out what stands between
    a pair (never a placeholder)."""


class PlaceholderRule(_Rule):
    """Write one placeholder for everything that means the same, and one for several that stand together.

    The only rule that sees placeholders as they are written; what it writes, no later rule touches.
    """

    type: Literal["placeholder"]
    text: str = Field(min_length=1)
    """The placeholder, such as `<gap>`."""
    patterns: tuple[Regex, ...]
    """What becomes it; tried in order at every place."""
    between: Regex | None = r"[\s.-]*"
    """Two placeholders with no more than this between them become one; nothing: they stay apart."""


class DigitsRule(_Rule):
    """Write the digits of all scripts as ASCII digits."""

    type: Literal["digits"]


class WhitespaceRule(_Rule):
    """One space between words, none at the ends; odd spaces become spaces, invisible characters go.

    A zero-width space stays where it parts words of a script without spaces (Thai, Khmer, Lao, Burmese).
    """

    type: Literal["whitespace"]
    keep_joiners: bool = True
    """Keep ZWJ and ZWNJ, which some scripts need."""


class WhitelistRule(_Rule):
    """Only these characters belong to the orthography; what falls outside is reported, and removed if asked."""

    type: Literal["whitelist"]
    characters: Annotated[str, AfterValidator(_character_class)]
    r"""A character class of the `regex` package without its brackets: `\p{Latin}\p{M}0-9.,;:!?'-`. The space always
    belongs to it."""
    action: Literal["report", "tag", "remove"] = "report"
    """`report` only counts, `tag` marks the record, `remove` takes the characters out."""


Rule = Annotated[
    UnicodeRule | MapRule | RegexRule | BracketsRule | PlaceholderRule | DigitsRule | WhitespaceRule | WhitelistRule,
    Field(discriminator="type"),
]


class ProfileTest(Section):
    """An example that must hold: `seshat check` runs it."""

    in_: str = Field(alias="in")
    """Text before."""
    out: str
    """Text after."""
    source: str | None = None
    """As if it came from this source."""


class Profile(Section):
    """A normalisation profile: named rules in order, with examples that prove it."""

    rules: tuple[Rule, ...] = ()
    """Rules, applied in order."""
    tests: tuple[ProfileTest, ...] = ()
    """Examples: {in: …, out: …}."""


class FilterSection(Section):
    """Thresholds of the filters. A record beyond one is tagged with the reason, never deleted."""

    min_characters: int = Field(default=1, ge=0)
    """Shorter texts are tagged `clean:too-short`."""
    max_characters: int = Field(default=2_000, ge=1)
    """Longer texts are tagged `clean:too-long`."""
    max_length_ratio: float = Field(default=6.0, ge=1.0)
    """Length of one side against the other, corrected for the usual ratio; beyond: `clean:length-ratio`."""
    min_script_share: float = Field(default=0.5, ge=0.0, le=1.0)
    """Share of letters in the script of the language, where one is given; below: `clean:wrong-script`."""
    max_copied_share: float = Field(default=1.0, ge=0.0, le=1.0)
    """Share of words that stand on both sides; above: `clean:copied`. 1 leaves loan words and names alone."""
    max_repetition: float = Field(default=0.6, ge=0.0, le=1.0)
    """Share of words that repeat the word before; above: `clean:repetition`."""
    max_foreign_words: float | None = Field(default=1.5, ge=0.0)
    """Different function words of another language, less twice those of its own; above: `clean:other-language`, also
    in what `align` makes. A text that claims another language than da, de, en, es, fr, it, nl, pt, ru and tr is not
    looked at; null looks at none."""

    def mistakes(self) -> Iterator[Mistake]:
        """Limits that let nothing through."""
        if self.min_characters > self.max_characters:
            most = self.max_characters
            message = f"{self.min_characters} is more than max_characters ({most}): nothing would be left"
            yield Mistake(("min_characters",), message)


class CleanSection(Section):
    """Normalise text and tag what looks wrong."""

    profiles: dict[Language, Profile] = Field(default_factory=dict)
    """Normalisation profile per language."""
    placeholders: tuple[Regex, ...] = (r"(?<!<)<[a-zA-Z_][\w-]*/?>(?!>)", r"\{[A-Z_]+\}")
    """Regular expressions of placeholders that no rule may touch."""
    filters: FilterSection = FilterSection()
    """Thresholds."""
