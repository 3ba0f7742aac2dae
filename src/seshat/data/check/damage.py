"""Texts that hold something else than what was written: values of programs, misread bytes, markup, lost letters."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import regex

from seshat.core.records import Meta
from seshat.corpus.measures import wordless
from seshat.corpus.registry import View
from seshat.data.check.base import Check, Finding, Places
from seshat.data.filters import NO_WORD


class _Kind(NamedTuple):
    """One kind of damage."""

    what: str
    """What the texts have, for ``3 texts in es …``."""
    find: Callable[[str], str | None]
    """The piece that shows it."""
    advice: str


def _first(pattern: str) -> Callable[[str], str | None]:
    compiled = regex.compile(pattern)

    def find(text: str) -> str | None:
        match = compiled.search(text)
        return match[0] if match else None

    return find


_EMPTY = frozenset({"nan", "n/a", "#n/a", "null", "none", "nil", "undefined", "tbd", "n.a.", "-", "--", "—", "?", "??"})
"""What programs and people write where there is nothing."""


def _stand_in(text: str) -> str | None:
    return text if len(text) < 10 and text.strip().casefold() in _EMPTY else None


def _mojibake(text: str) -> str | None:
    """Letters of UTF-8 that were read as those of another encoding, by the heuristics of ftfy."""
    from ftfy.badness import BADNESS_RE

    found = None if text.isascii() else BADNESS_RE.search(text)
    return found[0] if found else None


_KINDS = (
    _Kind("stand for nothing", _stand_in, "Empty these cells where they come from: there is nothing in them to learn."),
    _Kind(
        "hold letters that were read in a wrong encoding", _mojibake,
        "Read the file in its own encoding (encoding: in the source), or mend it at its origin, such as with ftfy.",
    ),
    _Kind(
        "hold characters that could not be read (U+FFFD)", _first("\\S*\N{REPLACEMENT CHARACTER}\\S*"),
        "The letters are lost: take the file anew from where it comes from.",
    ),
    _Kind(
        "have question marks inside words", _first(r"\p{L}+\?\p{Ll}+"),
        "Letters were lost when the file was saved in an encoding without them: save it as UTF-8.",
    ),
    _Kind(
        "hold HTML entities", _first(r"&(?:[A-Za-z]{2,8}\d?|#\d{2,5}|#x[0-9A-Fa-f]{2,4});"),
        "Replace them by the characters, with a rule {type: map} in the profile.",
    ),
    _Kind(
        "hold HTML tags", _first(r"</?(?:a|b|br|div|em|font|i|img|li|p|span|strong|sub|sup|td|tr|u)(?:\s[^<>]*)?/?>"),
        "Take them out, with a rule {type: regex} in the profile.",
    ),
    _Kind(
        "hold line ends that are written out (\\n)", _first(r"(?<!\\)\\[nrt](?!\p{Ll}{2})|\p{Ll}\\n\p{Lu}"),
        "Write spaces for them, with a rule {type: map} in the profile.",
    ),
    _Kind(
        "have a space before a full stop or comma", _first(r"\p{L}+ [.,](?=\s|$)"),
        "A tokenizer left it: detokenize the text, or add a rule {type: regex} to the profile.",
    ),
)  # fmt: skip


_WORDLESS = _Kind("have no word", lambda _: None, f"There is nothing in them to learn; clean tags them {NO_WORD}.")


class Damaged(Check):
    """Texts that were damaged before they came here."""

    name = "damage"

    def start(self) -> None:
        self.seen: dict[tuple[str, str], Places] = defaultdict(Places)
        self.texts: Counter[str] = Counter()
        self.placeholders = self.view.config.clean.placeholders

    def text(self, text: str, lang: str, meta: Meta) -> None:
        self.texts[lang] += 1
        if wordless(View((text,), placeholders=self.placeholders)) and text.strip() and _stand_in(text) is None:
            self.seen[_WORDLESS.what, lang].add(meta, text[:40])
        for kind in _KINDS:
            if (piece := kind.find(text)) is not None:
                self.seen[kind.what, lang].add(meta, piece[:40])

    def findings(self) -> Iterator[Finding]:
        for kind in (*_KINDS, _WORDLESS):
            for lang, number in sorted(self.texts.items()):
                if (places := self.seen.get((kind.what, lang))) is not None:
                    message = f"{places.count:,} of {number:,} texts in {lang} {kind.what}."
                    yield self.found("warning", message, places, kind.advice)

    def stats(self) -> dict[str, Any]:
        return {f"{what} ({lang})": places.count for (what, lang), places in sorted(self.seen.items())}
