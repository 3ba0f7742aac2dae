"""Pairs out of pages through a language model that is held to a JSON schema.

Every answer is kept on disk under a hash of its question, so a killed run pays for nothing twice. Before each question
the most that it can cost is added to what all runs have cost so far; where that would exceed the limit, the model is
not asked. An answer that is not what the schema says is asked for once more, with what is wrong; then it is rejected
with the reason. What an answer holds must stand on the page: a model that invents is found out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from seshat.augment.layout import Page
from seshat.augment.material import Found, Material, Tally
from seshat.augment.models import Chat, Reply, answers_of, identity
from seshat.augment.pages import Reader
from seshat.augment.passages import passages
from seshat.config import Config
from seshat.config.augment import ExtractorSection
from seshat.core.errors import DataError
from seshat.core.journal import Journal, key_of
from seshat.core.progress import track
from seshat.core.records import Reject
from seshat.project.folder import Project

_TASK = """\
You are given pages of a scholarly publication, read by optical character recognition. They may hold editions of texts \
in {language}: a name or number of the text, the text, and its translation into a modern language.
For every text on these pages that has a translation, give: `name`, the name or number that the publication gives the \
text, as printed; `text`, the text in {language}, its lines joined, without line numbers; `translation`, the whole \
translation as printed, in the language in which it is printed, words joined that were parted at line ends, without \
footnotes, commentary and line numbers; `language`, the language of the translation as an ISO 639-1 code.
Copy; do not translate, do not correct, do not add. Leave out texts without a translation.
Answer with JSON only: {{"editions": [{{"name": "", "text": "", "translation": "", "language": ""}}]}}"""
_AGAIN = "That answer cannot be used: {problem}. Answer again, with JSON only, as asked for."
_BYTES_PER_TOKEN = 2
"""For the most that a question can cost, on the safe side: tokens of unusual text are short."""
_PIECE, _PRESENT = 30, 0.8
"""An answer is looked for piece by piece, of so many letters: so much of the pieces must be there on average."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Told(_Answer):
    """A text as the model gives it."""

    name: str
    text: str
    translation: str
    language: str = ""


class Editions(_Answer):
    """The answer to a question."""

    editions: tuple[Told, ...]


class OutOfBudget(Exception):
    """The next question could cost more than is left."""


class Unusable(DataError):
    """An answer is not what the schema says."""


@dataclass
class Budget:
    """Counts tokens and money over all runs."""

    section: ExtractorSection
    """Prices and limits."""
    asked: int = 0
    """Questions of this run."""
    sent: int = 0
    """Tokens, in all runs."""
    received: int = 0
    """Tokens, in all runs."""

    def spend(self, answer: Mapping[str, Any]) -> None:
        """Count an answer, also one of an earlier run."""
        self.sent += answer["sent"]
        self.received += answer["received"]

    def cost(self, sent: int, received: int) -> float:
        """What so many tokens cost."""
        return (sent * self.section.price_in + received * self.section.price_out) / 1_000_000

    def check(self, messages: Sequence[dict[str, str]]) -> None:
        """Refuse a question that could exceed a limit.

        Raises:
            OutOfBudget: it could.
        """
        size = sum(len(message["content"].encode()) for message in messages)
        sent, received = self.sent + size // _BYTES_PER_TOKEN, self.received + self.section.max_tokens
        limit = self.section.max_tokens_total
        if limit is not None and sent + received > limit:
            raise OutOfBudget(f"max_tokens_total ({limit})")
        if self.section.max_cost is not None and self.cost(sent, received) > self.section.max_cost:
            raise OutOfBudget(f"max_cost ({self.section.max_cost:g})")


class Extractor:
    """Asks a language model about pages.

    Args:
        project: the project.
        section: settings.
        answers: where answers are kept.
    """

    def __init__(self, project: Project, section: ExtractorSection, answers: Journal) -> None:
        self.budget = Budget(section)
        for answer in answers.values():
            self.budget.spend(answer)
        self.repaired = 0
        self.section, self._answers = section, answers
        self._identity = identity(project, section, None)
        self._chat = Chat(section)
        language = project.config.project.language_name(project.config.project.language)
        self._task = f"{_TASK.format(language=language)}\n{section.instructions}".strip()

    def ask(self, pages: Sequence[Page]) -> Editions:
        """What the model finds on pages.

        Raises:
            OutOfBudget: the question could exceed a limit.
            Unusable: the answer could not be used, asked twice; the reason is its message.
            DataError: the server does not answer.
        """
        text = "\n\n".join(f"[page {page.number}]\n{page.text}" for page in pages)
        messages = [{"role": "system", "content": self._task}, {"role": "user", "content": text}]
        reply = self._reply(messages)
        try:
            return parse(reply.text)
        except Unusable as error:
            again = {"role": "user", "content": _AGAIN.format(problem=error.message.rstrip("."))}
            reply = self._reply([*messages, {"role": "assistant", "content": reply.text}, again])
            found = parse(reply.text)
            self.repaired += 1
            return found

    def _reply(self, messages: Sequence[dict[str, str]]) -> Reply:
        key = key_of(self._identity, list(messages), self.section.max_tokens)
        kept = self._answers.get(key)
        if kept is None:
            self.budget.check(messages)
            reply = self._chat.ask(messages, Editions.model_json_schema())
            self.budget.asked += 1
            kept = {"text": reply.text, "sent": reply.sent, "received": reply.received}
            self._answers.put(key, kept)
            self.budget.spend(kept)
        return Reply(**kept)


def parse(text: str) -> Editions:
    """The answer of a model: JSON, maybe in a code block, maybe with words around it.

    Raises:
        Unusable: it is not what the schema says; the message says why.
    """
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise Unusable("it holds no JSON object.")
    try:
        return Editions.model_validate(_tuples(json.loads(text[start : end + 1])))
    except json.JSONDecodeError as error:
        raise Unusable(f"it is no JSON: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise Unusable(f"{'.'.join(map(str, first['loc']))}: {first['msg']}.") from error


def _tuples(value: Any) -> Any:
    """Strict validation takes lists of JSON for tuples only so."""
    if isinstance(value, dict) and isinstance(value.get("editions"), list):
        return {**value, "editions": tuple(value["editions"])}
    return value


def extracted(
    reader: Reader, publications: Sequence[tuple[str, list[Page]]], material: Material, tally: Tally
) -> list[Found]:
    """The texts that a language model finds on the pages; fills in what it found and what it cost.

    Raises:
        DataError: the server does not answer; what has been answered is kept.
    """
    config = material.project.config
    section = config.augment.extractor
    assert section is not None
    windows = [
        (publication, window)
        for publication, pages in publications
        for window in overlapping(pages, section.pages, section.overlap)
    ]
    best: dict[tuple[str, str], Found] = {}
    with answers_of(material.project, section.name) as answers:
        extractor = Extractor(material.project, section, answers)
        for publication, told, pages in _answers(extractor, windows, config, tally):
            for one in _founds(told, publication, pages, reader, tally):
                known = best.get((publication, one.id))
                if known is None or (one.confidence, len(one.text)) > (known.confidence, len(known.text)):
                    best[publication, one.id] = one  # the same text, seen whole
    _report(extractor, tally)
    return list(best.values())


def _answers(
    extractor: Extractor, windows: Sequence[tuple[str, Sequence[Page]]], config: Config, tally: Tally
) -> Iterator[tuple[str, Editions, Sequence[Page]]]:
    """What the model finds on each window of pages, as far as the budget goes."""
    section = extractor.section
    for number, (publication, pages) in enumerate(track(windows, "asking about pages")):
        try:
            told = extractor.ask(pages)
        except OutOfBudget as limit:
            tally.counts["not asked"] = len(windows) - number
            tally.warnings.append(
                f"{section.name}: stopped at augment.extractor.{limit}: {len(windows) - number} of {len(windows)} "
                "questions were not asked. Raise it and run again: what is answered is kept."
            )
            break
        except Unusable as error:
            tally.counts["rejected"] += 1
            place = config.augment.pages.path if config.augment.pages else ""
            tally.rejects.append(Reject(file=place, line=pages[0].row, reason=error.message, content=publication[:500]))
            continue
        yield publication, told, pages


def overlapping(pages: Sequence[Page], size: int, overlap: int) -> list[list[Page]]:
    """Runs of pages; the last pages of one are the first of the next."""
    starts = range(0, max(1, len(pages) - overlap), size - overlap)
    return [list(pages[start : start + size]) for start in starts]


def _founds(told: Editions, publication: str, pages: Sequence[Page], reader: Reader, tally: Tally) -> Iterator[Found]:
    """What the model said and the page bears out."""
    on_page = "\n".join(page.text for page in pages)
    for one in told.editions:
        tally.counts["texts told"] += 1
        if not one.translation.strip() or not one.text.strip():
            tally.counts["without translation"] += 1
            continue
        if not (stands_on(one.translation, on_page) and stands_on(one.text, on_page)):
            tally.counts["not on the page"] += 1
            continue
        parts = tuple(passages(one.translation.splitlines()))
        mention = reader.names.find(one.name, publication)
        page = next((page for page in pages if one.name in page.text), pages[0])
        found = reader.judged(mention, (), " ".join(one.text.split()), parts, publication, page, tally)
        if found is not None:
            yield found


def stands_on(text: str, page: str) -> bool:
    """Whether a text stands on a page, word breaks and a few wrong signs apart."""
    from rapidfuzz.fuzz import partial_ratio

    one, other = ("".join(sign for sign in side.casefold() if sign.isalpha()) for side in (text, page))
    if not one or len(one) > len(other) * 1.05:
        return False
    # In pieces: a running head may stand in the middle of a text that goes on over the page.
    pieces = [one[start : start + _PIECE] for start in range(0, max(1, len(one) - _PIECE // 2), _PIECE)]
    return sum(partial_ratio(piece, other) for piece in pieces) >= 100 * _PRESENT * len(pieces)


def _report(extractor: Extractor, tally: Tally) -> None:
    sent, received = extractor.budget.sent, extractor.budget.received
    tally.counts["asked"] = extractor.budget.asked
    tally.counts["asked again"] = extractor.repaired
    tally.counts["tokens sent"], tally.counts["tokens received"] = sent, received
    tally.cost = round(extractor.budget.cost(sent, received), 6)
