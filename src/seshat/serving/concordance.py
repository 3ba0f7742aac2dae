"""Keyword in context: what a linguist types, found in the corpus, with its surroundings.

Words and phrases go through the index. ``*`` inside or before a word, and regular expressions, are looked for line by
line, for a limited time: an expression can be written so that it takes forever.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import regex

from seshat.core.errors import UsageError
from seshat.core.patterns import compiled
from seshat.serving.answers import Concordance, Hit
from seshat.serving.search import Line, SearchIndex, folded, spans, tiers_of

LONGEST_QUERY = 200
"""Characters of what is searched for; of a regular expression too, or compiling it could take long."""
_MOST_SPANS = 50
_INSIDE = r"[\p{L}\p{M}\p{N}'’ʼ=-]"
_EDGE_BEFORE, _EDGE_AFTER = r"(?<![\p{L}\p{M}\p{N}])", r"(?![\p{L}\p{M}\p{N}])"
_BETWEEN = r"[^\p{L}\p{M}\p{N}]+"
_MOST_REPEATS = 5_000
"""Of what counted repetitions write out."""

Finder = Callable[[str, float], list[tuple[int, int]]]
"""All matches in a line, as (start, end), given the seconds that are left; raises TimeoutError after them."""


@dataclass(frozen=True)
class _Plan:
    """How a query is answered: by the index alone, or by reading line after line."""

    finder: Finder
    phrase: str | None = None


def look_up(
    index: SearchIndex,
    query: str,
    tier: str,
    *,
    normalise: Callable[[str], str],
    is_regex: bool,
    limit: int,
    after: int,
    seconds: float,
) -> Concordance:
    """The lines in which something stands.

    Args:
        index: what to search.
        query: words, or a regular expression.
        tier: the tier to search.
        normalise: brings a word to the orthography of the corpus.
        is_regex: read ``query`` as a regular expression.
        limit: most lines.
        after: number of the last line of the page before.
        seconds: time for reading line after line.

    Raises:
        UsageError: there is nothing to search for, or no regular expression.
    """
    plan = _expression(query) if is_regex else _words(index, query, tier, normalise)
    until = time.monotonic() + seconds
    hits: list[Hit] = []
    complete, last, more = True, after, False
    try:
        for line in index.lines(tier, after, plan.phrase):
            found = plan.finder(line.text, until - time.monotonic())
            if found and len(hits) == limit:
                more = True
                break
            if found:
                hits.append(_hit(line, tier, found))
            last = line.number
    except TimeoutError:
        complete = False
    total = index.count(tier, plan.phrase) if plan.phrase is not None else None
    return Concordance(tuple(hits), total, complete, last if more or not complete else None)


def _hit(line: Line, tier: str, found: list[tuple[int, int]]) -> Hit:
    (start, end), text, segment = found[0], line.text, line.segment
    others = {name: other for name, other in tiers_of(segment).items() if name != tier}
    meta = segment.meta
    return Hit(
        id=segment.id,
        tier=tier,
        before=text[:start],
        match=text[start:end],
        after=text[end:],
        spans=tuple(found[:_MOST_SPANS]),
        others=others,
        split=line.split,
        source=meta.source,
        document=meta.doc_id,
    )


def _words(index: SearchIndex, query: str, tier: str, normalise: Callable[[str], str]) -> _Plan:
    if len(query) > LONGEST_QUERY:
        raise UsageError(f"At most {LONGEST_QUERY} characters can be searched for.")
    tokens = ["*".join(normalise(part) for part in token.split("*")) for token in query.split()]
    if not any(token.strip("*") for token in tokens):
        raise UsageError("There is nothing to search for.", "Give a word; `*` stands for any letters of it.")
    text = " ".join(tokens)
    prefix = text.endswith("*")
    said = folded(text.rstrip("*"), tier)
    if not said or "*" in text.rstrip("*") or (prefix and text[-2:-1] == " "):
        return _Plan(_in_time(regex.compile(_wildcards(tokens), regex.IGNORECASE)))
    return _Plan(_phrase_finder(said, prefix, tier), index.phrase(said, prefix=prefix))


def _wildcards(tokens: list[str]) -> str:
    """Words with ``*`` as an expression. What is no word at all (punctuation) is looked for as it stands."""
    written = [f"{_INSIDE}*".join(map(regex.escape, token.split("*"))) for token in tokens]
    if not any(character.isalnum() for token in tokens for character in token):
        return r"\s+".join(written)
    return _EDGE_BEFORE + _BETWEEN.join(written) + _EDGE_AFTER


def _phrase_finder(said: list[str], prefix: bool, tier: str) -> Finder:
    def find(text: str, _left: float) -> list[tuple[int, int]]:
        places = spans(text, tier)
        there = [text[start:end].casefold() for start, end in places]
        return [
            (places[i][0], places[i + len(said) - 1][1])
            for i in range(len(there) - len(said) + 1)
            if _stands(there[i : i + len(said)], said, prefix)
        ]

    return find


def _stands(there: list[str], said: list[str], prefix: bool) -> bool:
    return there[:-1] == said[:-1] and (there[-1].startswith(said[-1]) if prefix else there[-1] == said[-1])


def _expression(query: str) -> _Plan:
    if not query or len(query) > LONGEST_QUERY:
        raise UsageError(f"A regular expression has 1 to {LONGEST_QUERY} characters.")
    try:
        return _Plan(_in_time(compiled(query, regex.IGNORECASE, _MOST_REPEATS)))
    except ValueError as error:
        raise UsageError(f"This is no regular expression to search with: {error}.") from error


def _in_time(pattern: regex.Pattern[str]) -> Finder:
    def find(text: str, left: float) -> list[tuple[int, int]]:
        if left <= 0:
            raise TimeoutError
        return [match.span() for match in _matches(pattern, text, left) if match.end() > match.start()]

    return find


def _matches(pattern: regex.Pattern[str], text: str, left: float) -> Iterator[Any]:
    # `concurrent` lets other threads go on meanwhile.
    for count, match in enumerate(pattern.finditer(text, timeout=left, concurrent=True)):
        if count == _MOST_SPANS:
            return
        yield match
