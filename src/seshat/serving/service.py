"""What the API and the page do, without HTTP: translate, look up, correct, chat, show how good the model is.

A :class:`Service` may be used from any thread.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as WaitedTooLong
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from seshat.config import Direction
from seshat.core.errors import DataError, SeshatError, UsageError
from seshat.core.gate import Gate
from seshat.core.records import Access
from seshat.inference.corrections import REMEMBERED
from seshat.inference.dialogue import Piece as Reply
from seshat.inference.repetitions import is_echo
from seshat.inference.translator import Candidate, Hypothesis, Translator
from seshat.project.folder import Project
from seshat.prompt.request import Request, document
from seshat.review.corrections import Correction, judged, open_corrections
from seshat.review.queues.corrections import judgements
from seshat.serving.answers import (
    Answer,
    Card,
    Concordance,
    Example,
    Hit,
    LexiconEntry,
    Model,
    Used,
)
from seshat.serving.concordance import look_up
from seshat.serving.engines import Engines, Opens, configured
from seshat.serving.limits import Limits
from seshat.serving.reasons import Reasons
from seshat.serving.search import GLOSS, MORPHEMES, open_search
from seshat.serving.worker import Busy, Stopping, TimedOut, Worker, told
from seshat.text.normalise import Normaliser

__all__ = [
    "Answer",
    "Busy",
    "Card",
    "Concordance",
    "Correction",
    "Example",
    "Hit",
    "LexiconEntry",
    "Model",
    "Reply",
    "Service",
    "Stopping",
    "TimedOut",
    "Used",
]

_BATCH = 128
"""Most texts of several requests that are translated together, where `translate.batch` says nothing: enough for the
statistical family to use all processors."""
_WORST = -1e9
"""A score of minus infinity, which JSON cannot say."""
_GATHER = 0.005
"""Seconds to wait for more texts to translate together: less than people notice."""
STOP_SECONDS = 30
"""Time to finish what is running when the server is stopped: systemd kills after 90, Kubernetes after 30."""
_SEARCHES = 2
"""Concordances at a time: a regular expression takes a whole processor."""
_END = object()
log = structlog.get_logger(__name__)


class Service:
    """A project, as somebody may see it.

    Args:
        project: with its models and the files of stage ``format``.
        viewer: records above this level appear nowhere; default: ``serve.access``.
        opens: opens the translator of a model by name and direction; default: as configured.

    Raises:
        SeshatError: the databases cannot be opened.
    """

    def __init__(self, project: Project, viewer: Access | None = None, *, opens: Opens | None = None) -> None:
        self.project = project
        self.settings = project.config.serve
        self.viewer = self.settings.access if viewer is None else viewer
        self.gate = Gate(self.viewer)
        """Lets through what the viewer may see."""
        self.listeners: list[Callable[[Correction], None]] = []
        """Called with every correction after it is stored; may use :meth:`with_translator`."""
        self._corrections = open_corrections(project)
        self._index = open_search(project, self.viewer)
        languages = project.config.project.pair
        self._tiers = sorted(self._index.tiers(), key=lambda tier: (tier in (GLOSS, MORPHEMES), self._rank(tier), tier))
        held = judged(self._corrections.all(self.viewer), judgements(project))
        self._reasons = Reasons(self._index, *languages, held)
        self._engines = Engines(project, self._index.trained_on(), self.viewer, opens or configured(project))
        clean = project.config.clean
        self._normalisers = {tag: Normaliser(one, clean.placeholders) for tag, one in clean.profiles.items()}
        self.limits = Limits(self.settings)
        self._searches = threading.BoundedSemaphore(_SEARCHES)
        self.worker = Worker(self.settings.queue, project.config.translate.batch or _BATCH, _GATHER)

    @property
    def models(self) -> list[Model]:
        """The models that can be asked, the default first; none where none was trained."""
        return self._engines.models

    @property
    def tiers(self) -> list[str]:
        """What the concordance can search: language tags, then ``gloss`` and ``morphemes`` where there are any."""
        return list(self._tiers)

    def _rank(self, tier: str) -> int:
        section = self.project.config.project
        return {section.language: 0, section.pivot: 1}.get(tier, 2)

    def warm(self) -> None:
        """Open the default model and read the examples before anybody asks; takes as long as it takes."""
        self._reasons.used("", self.project.config.project.language)
        for name in self.models[0].directions if self.models else ():
            direction = self._engines.direction(self.models[0], name)
            self.worker.call(partial(self._engines.open, self.models[0].name, direction), float("inf")).result()
            self._reasons.examples("", direction.source, direction.target, 1)

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
            texts: a document, text after text: at most ``serve.max_batch``, each of at most ``serve.max_length``
                characters.
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
        found = self.waited(self.submit(texts, direction, n_best, model))
        return self.answers(texts, found, direction, model, explain=explain)

    def submit(
        self,
        texts: Sequence[str],
        direction: Direction | str | None = None,
        n_best: int = 1,
        model: str | None = None,
        client: str | None = None,
    ) -> Future[list[Hypothesis]]:
        """As :meth:`translate`, without waiting and without the reasons, which :meth:`answers` adds."""
        chosen = self._engines.model(model)
        way = self._engines.direction(chosen, direction)
        self.limits.texts(texts, n_best)

        def run(batch: list[Request]) -> list[Hypothesis]:
            return self._engines.translate(chosen.name, way, batch)

        future: Future[list[Hypothesis]] = self.worker.submit(
            (chosen.name, way), list(document(texts, n_best)), run, self.settings.seconds, client
        )
        return future

    def waited(self, future: Future[Any]) -> Any:
        """The result of a future, waited for at most ``serve.seconds``.

        Raises:
            TimedOut: it took longer.
        """
        try:
            return future.result(self.settings.seconds)
        except (WaitedTooLong, CancelledError) as error:
            future.cancel()
            raise TimedOut(self.settings.seconds) from error

    def answers(
        self,
        texts: Sequence[str],
        found: Sequence[Hypothesis],
        direction: Direction | str | None = None,
        model: str | None = None,
        *,
        explain: bool = True,
    ) -> list[Answer]:
        """What :meth:`submit` found, with the reasons."""
        chosen = self._engines.model(model)
        way = self._engines.direction(chosen, direction)
        return [self._answer(text, one, chosen, way, explain) for text, one in zip(texts, found, strict=True)]

    def _answer(self, text: str, found: Hypothesis, model: Model, way: Direction, explain: bool) -> Answer:
        plain = Answer(
            text=found.text,
            score=found.score if math.isfinite(found.score) else _WORST,
            alternatives=tuple(
                one if math.isfinite(one.score) else Candidate(one.text, _WORST) for one in found.others
            ),
            confidence=self._engines.confidence(model, way, found, text),
            agreement=found.agreement,
            changes=found.changes,
            echo=REMEMBERED not in found.changes and is_echo(text, found.text),
        )
        if not explain:
            return plain
        return replace(
            plain,
            copied=self._reasons.copied(found.text, text, way.target),
            invented=self._reasons.invented(found.text, text, way.target),
            entries=self._reasons.used(text, way.source),
            examples=self._reasons.examples(text, way.source, way.target, self.settings.examples),
        )

    def lexicon(self, query: str, limit: int | None = None) -> list[LexiconEntry]:
        """Entries by headword, form or meaning, in both languages; spelling variants too. Best first.

        Raises:
            UsageError: the query is too long.
        """
        self.limits.query(query)
        return self._reasons.search(query, self.limits.results(limit))

    @property
    def letters(self) -> list[str]:
        """First letters of the dictionary of the project's language."""
        return list(self._reasons.letters)

    @property
    def special(self) -> list[str]:
        """Letters of the project's language that few keyboards have."""
        return list(self._reasons.special)

    def beginning(self, letter: str) -> list[LexiconEntry]:
        """The entries of the dictionary that begin with a letter."""
        return self._reasons.letters.get(letter, [])

    def measured(self, correction: Correction) -> bool:
        """Whether a correction is of a sentence of validation or test, which training leaves out."""
        return self._reasons.measured(correction.text, correction.translation)

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
            Busy: too many others search.
        """
        self.limits.query(query)
        known = self._tiers
        wanted = tier or self.project.config.project.language
        if known and wanted not in known:
            raise UsageError(f"There is no such tier, only {', '.join(known)}.")
        normaliser = self._normalisers.get(wanted)
        if not self._searches.acquire(timeout=self.settings.search_seconds):
            raise Busy(0, 2)
        try:
            return look_up(
                self._index,
                query,
                wanted,
                normalise=normaliser.apply if normaliser else str,
                is_regex=regex,
                limit=self.limits.results(limit),
                after=max(0, after),
                seconds=self.settings.search_seconds,
            )
        finally:
            self._searches.release()

    def correct(self, correction: Correction) -> Correction:
        """Store a correction for good; returns it with its ``id`` and ``at``.

        Raises:
            UsageError: it says nothing, or is about other languages.
            Stopping: the server is being stopped.
        """
        if self.worker.stopping:
            raise Stopping
        section = self.project.config.project
        self.limits.correction(correction, *section.pair)
        stored = self._corrections.add(correction)
        if self.gate.admits(stored.access):
            self._reasons.add(stored)
        for listener in self.listeners:
            try:
                listener(stored)
            except Exception as error:  # it is stored all the same
                log.error("a correction was stored, but could not be used at once", **told(error))
        return stored

    def corrections(self, limit: int | None = None) -> list[Correction]:
        """The newest corrections that the viewer may see, newest first."""
        return self._corrections.newest(self.viewer, self.limits.results(limit))

    def with_translator(
        self, direction: Direction | str | None, function: Callable[[Translator], Any], model: str | None = None
    ) -> Future[Any]:
        """Do something with a translator in the only thread that may; the future gives a list of one."""
        chosen = self._engines.model(model)
        way = self._engines.direction(chosen, direction)
        return self.worker.call(lambda: function(self._engines.open(chosen.name, way)), self.settings.seconds)

    def chat(
        self,
        messages: Sequence[dict[str, str]],
        *,
        model: str | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
    ) -> Generator[Reply, None, None]:
        """What an instruction model says, piece by piece; closing the iterator stops it.

        Args:
            messages: turns with ``role`` (``system``, ``user``, ``assistant``) and ``content``; the last is a user's.
            model: one of :attr:`models` with ``chat``; default: the first of these.
            max_tokens: of the reply; default and most: the model's own limit.
            temperature: 0 takes the likeliest; default: the model's own.

        Raises:
            UsageError: no model here chats, or the messages are not turns.
            Busy: too many texts wait already.
        """
        chosen = self._engines.model(model, chat=True)
        self.limits.turns(messages)
        pieces: queue.SimpleQueue[Any] = queue.SimpleQueue()
        gone: list[bool] = []

        def run() -> None:
            until = time.monotonic() + self.settings.seconds
            try:
                said = self._engines.dialogue(chosen).reply(messages, max_tokens=max_tokens, temperature=temperature)
                for piece in said:
                    late = piece.finish is None and time.monotonic() > until
                    if not gone:
                        pieces.put(replace(piece, finish="length") if late else piece)
                    if gone or late:
                        break
            except SeshatError as error:
                pieces.put(error)
            finally:
                pieces.put(_END)

        future = self.worker.call(run, self.settings.seconds)
        return self._pieces(pieces, gone, future)

    def _pieces(
        self, pieces: queue.SimpleQueue[Any], gone: list[bool], future: Future[Any]
    ) -> Generator[Reply, None, None]:
        try:
            while True:
                try:
                    piece = pieces.get(timeout=self.settings.seconds)
                except queue.Empty as error:
                    raise TimedOut(self.settings.seconds) from error
                if piece is _END:
                    future.result()
                    return
                if isinstance(piece, SeshatError):
                    raise piece
                yield piece
        finally:
            gone.append(True)
            future.cancel()

    def evaluation(self) -> dict[str, Any] | None:
        """``table`` (a row per direction and system) and whatever else was measured; None before an evaluation.

        As :func:`seshat.evaluation.summary.summary`; ``samples`` and ``by_genre``, which name what is in the test set,
        only when the viewer may see them.
        """
        from seshat.evaluation.summary import summary
        from seshat.report.results import Evaluation

        try:
            evaluation = Evaluation.read(self.project.reports / "evaluation.json")
        except DataError:
            return None
        found = summary(evaluation)
        if not all(self.gate.admits(level) for level in evaluation.quoted):
            found = {name: rows for name, rows in found.items() if name not in ("samples", "by_genre")}
        return found

    def card(self, model: str | None = None) -> Card:
        """What there is to read about a model.

        Raises:
            UsageError: there is no such model.
        """
        chosen = self._engines.model(model)
        path = self.project.model(chosen.name) / "README.md"
        text = path.read_text(encoding="utf-8") if path.exists() else self._engines.told(chosen.name)
        return Card(chosen.name, text, self._index.trained_on())

    def refuse(self) -> None:
        """Take nothing new; what runs goes on."""
        self.worker.refuse()

    def close(self) -> None:
        """Finish what runs (at most :data:`STOP_SECONDS`), and let everything go."""
        if self.worker.close(STOP_SECONDS):
            self._engines.close()
        self._index.close()
        self._corrections.close()
