"""What the API and the page do, without HTTP: translate, look up, correct, chat, show how good the model is.

A :class:`Service` may be used from any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any

from seshat.config import Direction
from seshat.inference.translator import Hypothesis, Translator
from seshat.project import Project
from seshat.records import Access
from seshat.serving.answers import (
    Answer,
    Card,
    Concordance,
    Confidence,
    Example,
    Hit,
    LexiconEntry,
    Model,
    Reply,
    Used,
)
from seshat.serving.store import Correction

__all__ = [
    "Answer",
    "Card",
    "Concordance",
    "Confidence",
    "Correction",
    "Example",
    "Hit",
    "LexiconEntry",
    "Model",
    "Reply",
    "Service",
    "Used",
]


class Service:
    """A project, as somebody may see it.

    Args:
        project: with its models and the files of stage ``format``.
        viewer: records above this level appear nowhere; default: ``serve.access``.
        opens: opens the translator of a model by name and direction; default: as configured.
    """

    listeners: list[Callable[[Correction], None]]
    """Called with every correction after it is stored (it must not raise)."""

    def __init__(
        self,
        project: Project,
        viewer: Access | None = None,
        *,
        opens: Callable[[str, Direction], Translator] | None = None,
    ) -> None:
        raise NotImplementedError

    @property
    def models(self) -> list[Model]:
        """The models that can be asked, the default first; none where none was trained."""
        raise NotImplementedError

    @property
    def tiers(self) -> list[str]:
        """What the concordance can search: language tags, then ``gloss`` and ``morphemes`` where there are any."""
        raise NotImplementedError

    def translate(
        self,
        texts: Sequence[str],
        direction: Direction | str | None = None,
        n_best: int = 1,
        *,
        model: str | None = None,
        explain: bool = True,
    ) -> list[Answer]:
        """Translate texts, and say why.

        Args:
            texts: at most ``serve.max_batch``, each of at most ``serve.max_length`` characters.
            direction: such as ``shp-es``; default: from the project's language into the pivot.
            n_best: how many candidates per text.
            model: a name of :attr:`models`; default: the first.
            explain: look up entries and examples too.

        Raises:
            UsageError: there is no such direction or model, or too much text.
            Busy: too many texts wait already.
            Stopping: the server is being stopped.
            TimedOut: it took longer than ``serve.seconds``.
        """
        raise NotImplementedError

    def submit(
        self, texts: Sequence[str], direction: Direction | str | None = None, n_best: int = 1, model: str | None = None
    ) -> Future[list[Hypothesis]]:
        """As :meth:`translate`, without waiting and without the reasons."""
        raise NotImplementedError

    def lexicon(self, query: str, limit: int | None = None) -> list[LexiconEntry]:
        """Entries by headword, form or meaning, in both languages; spelling variants too. Best first."""
        raise NotImplementedError

    def concordance(
        self, query: str, *, regex: bool = False, tier: str | None = None, limit: int | None = None, after: int = 0
    ) -> Concordance:
        """Lines in which a word or phrase stands.

        Args:
            query: words; ``*`` at the beginning or end of a word stands for any letters. Or a regular expression.
            regex: read ``query`` as a regular expression of the ``regex`` package.
            tier: one of :attr:`tiers`; default: the project's language.
            limit: most lines; default and most: ``serve.results``.
            after: ``following`` of the page before.

        Raises:
            UsageError: there is no such tier, or ``query`` is no regular expression or too long.
        """
        raise NotImplementedError

    def correct(self, correction: Correction) -> Correction:
        """Store a correction for good; returns it with its ``id`` and ``at``.

        Raises:
            UsageError: it says nothing, or is about other languages.
        """
        raise NotImplementedError

    def corrections(self, limit: int | None = None) -> list[Correction]:
        """The newest corrections that the viewer may see, newest first."""
        raise NotImplementedError

    def chat(
        self,
        messages: Sequence[dict[str, str]],
        *,
        model: str | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
    ) -> Iterator[Reply]:
        """What an instruction model says, piece by piece; closing the iterator stops it.

        Args:
            messages: turns with ``role`` (``system``, ``user``, ``assistant``) and ``content``; the last is a user's.
            model: one of :attr:`models` with ``chat``; default: the first of these.
            max_tokens: of the reply; default and most: the model's own limit.
            temperature: 0 takes the likeliest; default: the model's own.

        Raises:
            UsageError: no model here chats, or the messages are not turns.
        """
        raise NotImplementedError

    def evaluation(self) -> dict[str, Any] | None:
        """``table`` (a row per direction and system) and whatever else was measured; None before an evaluation.

        As :func:`seshat.evaluation.summary.summary`; ``samples`` only when the viewer may see them.
        """
        raise NotImplementedError

    def card(self, model: str | None = None) -> Card:
        """What there is to read about a model.

        Raises:
            UsageError: there is no such model.
        """
        raise NotImplementedError

    def refuse(self) -> None:
        """Take nothing new; what runs goes on."""
        raise NotImplementedError

    def close(self) -> None:
        """Finish what runs (at most ``serve.stop_seconds``), and let everything go."""
        raise NotImplementedError
