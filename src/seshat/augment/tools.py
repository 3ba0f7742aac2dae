"""What the stage is handed from outside: translators and language models, and the journal of what they have said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from seshat.config import Direction
from seshat.config.augment import EndpointSection, ExtractorSection
from seshat.core.errors import DataError, UsageError
from seshat.core.journal import Journal, key_of
from seshat.core.progress import task
from seshat.project.folder import Project


class Reply(NamedTuple):
    """What a language model answered, and what it cost in tokens."""

    text: str
    sent: int
    received: int


TextTranslator = Callable[[Sequence[str]], list[str]]
"""Translates a batch of texts: one translation per text."""


class Chat(Protocol):
    """Asks a language model."""

    def __call__(self, messages: Sequence[dict[str, str]], schema: dict[str, Any]) -> Reply:
        """One answer, meant to follow a JSON schema."""
        ...


def _no_translator(section: EndpointSection, direction: Direction) -> TextTranslator:
    raise UsageError(f"{section.model}: nothing was handed in that translates {direction}.")


def _no_chat(section: ExtractorSection) -> Chat:
    raise UsageError(f"{section.model}: nothing was handed in that answers.")


def _named(section: EndpointSection, direction: Direction | None) -> str:
    return f"{section.server or ''} {section.model} {direction or ''}"


@dataclass(frozen=True)
class Tools:
    """How to open what the configuration names."""

    translator: Callable[[EndpointSection, Direction], TextTranslator] = _no_translator
    chat: Callable[[ExtractorSection], Chat] = _no_chat
    identity: Callable[[EndpointSection, Direction | None], str] = _named
    """Which model in which state, without opening it: another one is asked anew."""


def answers_of(project: Project, section: str) -> Journal:
    """What models have answered for a part of section ``augment``: kept for good, since it may have cost money."""
    return Journal(project.state / "augment" / f"{section}.jsonl", durable=True)


def translate(
    texts: Sequence[str], open_translator: Callable[[], TextTranslator], identity: str, answers: Journal, batch: int
) -> list[str]:
    """Translate texts, each different one once; what is known already is not asked again.

    Args:
        texts: the texts.
        open_translator: opens the model; not called when everything is known.
        identity: which model in which state: another one is asked anew.
        answers: where translations are kept.
        batch: texts at a time; after each batch the work is safe.

    Raises:
        DataError: the translator gave fewer answers than it was given texts.
    """
    keys = [key_of(identity, text) for text in texts]
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in answers}
    left = sorted(missing.items(), key=lambda item: len(item[1]))
    if left:
        translator = open_translator()
        with task("translating", len(left)) as advance:
            for start in range(0, len(left), batch):
                part = left[start : start + batch]
                found = translator([text for _, text in part])
                if len(found) != len(part):
                    raise DataError(f"{identity}: {len(found)} translations for {len(part)} texts.")
                answers.put_all([(key, made) for (key, _), made in zip(part, found, strict=True)])
                advance(len(part))
    return [str(answers.get(key)) for key in keys]
