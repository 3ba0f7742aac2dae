"""What is too much, and what is no text at all."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from seshat.config.serve import ServeSection
from seshat.core.errors import UsageError
from seshat.review.corrections import Correction
from seshat.serving.concordance import LONGEST_QUERY

_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
_ROLES = ("system", "user", "assistant")
_MOST_TURNS = 100
MOST_TOGETHER = 20_000
"""Characters of the texts of one request: a few seconds of work, which its client gets a share of the time for."""


class Limits:
    """Checks requests; every method raises :class:`~seshat.core.errors.UsageError` and never repeats what was sent."""

    def __init__(self, settings: ServeSection) -> None:
        self._settings = settings

    def text(self, text: str, name: str) -> None:
        """A text of whatever kind, called ``name`` in messages."""
        most = self._settings.max_length
        if len(text) > most:
            raise UsageError(f"{name} has {len(text):,} characters; {most:,} are the most.", "Cut it into parts.")
        if _UNWRITABLE.search(text):
            raise UsageError(f"{name} holds characters that are no text (a zero byte, or half a character).")

    def texts(self, texts: Sequence[str], n_best: int) -> None:
        """Texts to translate."""
        if not texts:
            raise UsageError("There is no text to translate.")
        if len(texts) > self._settings.max_batch:
            raise UsageError(f"{len(texts)} texts are more than the {self._settings.max_batch} of one request.")
        for number, text in enumerate(texts, start=1):
            self.text(text, f"Text {number}")
        if (together := sum(map(len, texts))) > max(MOST_TOGETHER, self._settings.max_length):
            raise UsageError(
                f"{together:,} characters are more than the {MOST_TOGETHER:,} of one request.", "Send fewer at a time."
            )
        if not 1 <= n_best <= self._settings.max_alternatives:
            raise UsageError(f"Between 1 and {self._settings.max_alternatives} candidates can be asked for.")

    def query(self, query: str) -> None:
        """Something to look up."""
        if len(query) > LONGEST_QUERY:
            raise UsageError(f"At most {LONGEST_QUERY} characters can be looked up.")
        self.text(query, "The query")

    def turns(self, messages: Sequence[Mapping[str, str]]) -> None:
        """A conversation."""
        if not messages or messages[-1]["role"] != "user":
            raise UsageError("The last message has to be a user's.")
        if len(messages) > _MOST_TURNS or any(one["role"] not in _ROLES for one in messages):
            raise UsageError(f"A conversation has at most {_MOST_TURNS} messages, of {', '.join(_ROLES)}.")
        for number, one in enumerate(messages, start=1):
            self.text(one["content"], f"Message {number}")

    def correction(self, correction: Correction, language: str, pivot: str) -> None:
        """A correction between two languages."""
        if {correction.source, correction.target} != {language, pivot}:
            raise UsageError(f"A correction is from {language} into {pivot} or the other way round.")
        for name in ("text", "translation", "machine", "by", "note"):
            self.text(getattr(correction, name), f"'{name}'")
        if not correction.text.strip() or not correction.translation.strip():
            raise UsageError("A correction needs a text and its right translation.")

    def results(self, wanted: int | None) -> int:
        """How many results may be given."""
        return max(1, min(wanted or self._settings.results, self._settings.results))
