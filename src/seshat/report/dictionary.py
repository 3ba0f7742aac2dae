"""A dictionary to print or to read on a phone: entries in the order of the alphabet, and a reverse index."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from seshat.core.records import Entry
from seshat.report.page import page
from seshat.text.words import words

_FEWEST = 3
"""Times that a form has to stand in the corpus to be missed in the dictionary."""


@dataclass(frozen=True)
class Gap:
    """A form of the corpus without an entry."""

    form: str
    count: int
    """How often it stands there."""
    example: str
    """A sentence with it."""


def dictionary_page(entries: Sequence[Entry], names: Mapping[str, str], pivot: str | None, title: str) -> str:
    """The page: a section a letter, and the words of the other language with the headwords that mean them.

    Args:
        entries: what the reader may see.
        names: language tag -> name.
        pivot: the language of the reverse index.
        title: of the dictionary.
    """
    ordered = sorted(entries, key=lambda entry: sorting(entry.headword))
    sections = [(letter, list(group)) for letter, group in groupby(ordered, key=lambda entry: initial(entry.headword))]
    reverse: dict[str, dict[str, None]] = {}
    for entry in ordered:
        for sense in entry.senses:
            for gloss in sense.glosses.get(pivot or "", ()):
                reverse.setdefault(gloss, {})[entry.headword] = None
    index = sorted(((gloss, list(heads)) for gloss, heads in reverse.items()), key=lambda item: sorting(item[0]))
    licences = sorted({entry.meta.licence for entry in entries if entry.meta.licence})
    return page(
        "dictionary.html.j2",
        title=title,
        sections=sections,
        index=index,
        pivot=names.get(pivot or "", pivot),
        licences=licences,
        count=len(entries),
    )


def sorting(word: str) -> tuple[str, str]:
    """Letters before their accents and case, signs at the edge left out: how dictionaries of most languages order."""
    bare = "".join(one for one in unicodedata.normalize("NFD", word.casefold()) if not unicodedata.combining(one))
    return bare.strip("-='’ʼ*"), word


def initial(word: str) -> str:
    """The letter under which a word stands."""
    return sorting(word)[0][:1].upper() or "–"


def gaps(texts: Iterable[str], entries: Iterable[Entry], limit: int) -> list[Gap]:
    """Frequent forms of a corpus that no entry has as headword or form, most frequent first.

    Args:
        texts: of the language.
        entries: the dictionary.
        limit: at most so many.
    """
    known = {
        word.casefold() for entry in entries for form in (entry.headword, *entry.forms) for word in words(form)
    } | {entry.headword.strip("-=").casefold() for entry in entries}
    seen: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for text in texts:
        for word in words(text):
            form = word.casefold()
            if form not in known and any(letter.isalpha() for letter in form):
                seen[form] += 1
                examples.setdefault(form, text)
    frequent = [(form, count) for form, count in seen.most_common() if count >= _FEWEST]
    return [Gap(form, count, examples[form]) for form, count in frequent[:limit]]
