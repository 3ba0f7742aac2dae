"""Regular expressions that somebody else wrote: in a project's rules, or in a search box.

An expression can be written so that it takes for ever, or all memory. So it is looked at before it is compiled, every
search has a limit of time, and a replacement a limit of length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import regex

from seshat.core.errors import DataError

SECONDS = 2.0
"""For one text. A sound expression takes microseconds for a line."""
LONGEST = 10_000
"""Characters of an expression."""
MOST_REPEATS = 100_000
"""Of what counted repetitions write out: `regex` compiles a{50} to fifty a, and three nested {999} to 8 GB."""
_LONGEST_RESULT = 20_000_000
_COUNTED = regex.compile(r"(\)\s*)?\{\s*(\d*)\s*(?:,\s*(\d*)\s*)?\}")
_VERBOSE = regex.compile(r"\(\?[a-zA-Z0-9]*x")
_RECURSIVE = regex.compile(r"\(\?(?:R|[+-]?\d|&|P>)")

Replacement = str | Callable[[regex.Match[str]], str]


class TooSlow(DataError):
    """An expression took longer than it may, or made a text that is too long."""


def compiled(expression: str, flags: int = 0, most: int = MOST_REPEATS) -> regex.Pattern[str]:
    """Compile an expression of the `regex` package, after a look at it.

    Args:
        expression: as somebody wrote it.
        flags: of `regex`.
        most: so much may be written out by counted repetitions.

    Raises:
        ValueError: it is none, is too long, repeats too much, or calls itself; says so in plain words.
    """
    if len(expression) > LONGEST:
        raise ValueError(f"a regular expression of {len(expression):,} characters; {LONGEST:,} are the most")
    if _repeats(expression) > most or _RECURSIVE.search(expression):
        raise ValueError(
            f"'{_short(expression)}' repeats something more than {most:,} times, or calls itself; write + or * for any "
            "number of times"
        )
    try:
        return regex.compile(expression, flags)
    except (regex.error, RecursionError, OverflowError, MemoryError, ValueError) as error:
        said = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise ValueError(f"'{_short(expression)}' is not a regular expression: {said}") from error


def _repeats(expression: str) -> int:
    """At least what counted repetitions write out: counts of groups multiply, as if each stood in the other."""
    flat = bool(_VERBOSE.search(expression))  # there, a comment may stand between a group and its count
    written, groups = len(expression), 1
    for group, least, most in _COUNTED.findall(expression):
        count = max(1, *(int(one[:9]) for one in (least, most) if one), 1)
        if group or flat:
            groups *= count
        else:
            written += count
    return written * groups


class Pattern:
    """A compiled expression whose searches end.

    Args:
        expression: of the `regex` package.
        flags: of `regex`.
        name: what messages call it; default: the expression.

    Raises:
        ValueError: see :func:`compiled`.
    """

    def __init__(self, expression: str, flags: int = 0, name: str = "") -> None:
        self._compiled = compiled(expression, flags)
        self._name = name or f"the expression '{_short(expression)}'"

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return self._compiled.groups

    def search(self, text: str) -> regex.Match[str] | None:
        """The first match."""
        found: regex.Match[str] | None = self._limited(text, self._compiled.search, text)
        return found

    def finditer(self, text: str) -> Iterator[regex.Match[str]]:
        """All matches, of the time for one text."""
        return iter(self._limited(text, lambda *_, **limit: list(self._compiled.finditer(text, **limit))))

    def findall(self, text: str) -> list[Any]:
        """All matches as texts (or groups)."""
        found: list[Any] = self._limited(text, self._compiled.findall, text)
        return found

    def split(self, text: str) -> list[str]:
        """The parts between matches."""
        return [part or "" for part in self._limited(text, self._compiled.split, text)]

    def sub(self, replacement: Replacement, text: str) -> str:
        """The text with every match replaced."""
        replaced: str = self._limited(text, self._compiled.sub, self._measured(replacement, text), text)
        return replaced

    def _measured(self, replacement: Replacement, text: str) -> Replacement:
        """A replacement that stops before the result fills the memory, where it could."""
        if not isinstance(replacement, str) or len(replacement) * (len(text) + 1) < _LONGEST_RESULT:
            return replacement
        size = 0

        def fill(match: regex.Match[str]) -> str:
            nonlocal size
            filled: str = match.expand(replacement)
            size += len(filled)
            if size > _LONGEST_RESULT:
                raise TooSlow(f"{self._name} makes a text of more than {_LONGEST_RESULT:,} characters of one line.")
            return filled

        return fill

    def _limited(self, text: str, search: Callable[..., Any], *values: Any) -> Any:
        try:
            return search(*values, timeout=SECONDS)
        except (TimeoutError, MemoryError) as error:
            raise TooSlow(
                f"{self._name} takes too long (more than {SECONDS:g} s) on the text '{_short(text)}'.",
                "Write it without one repetition inside another, such as (a+)+ or (a|aa)*.",
            ) from error


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}…"
