"""What the stage is handed from outside: translators and language models, and the store of what they have said."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from seshat.config import Direction
from seshat.config.augment import EndpointSection, ExtractorSection
from seshat.core.errors import DataError, UsageError
from seshat.core.jsonl import cannot_write
from seshat.core.paths import inside
from seshat.core.progress import task


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


class Answers:
    """Answers kept on disk, one JSON object a line, each as soon as it is there: a killed run loses none.

    Args:
        path: the file; half a line at its end, which a killed run can leave, is taken away.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, Any] = {}
        whole = 0
        if path.exists():
            for line in path.read_bytes().splitlines(keepends=True):
                try:
                    key, value = json.loads(line)
                except ValueError:
                    break
                if not line.endswith(b"\n"):
                    break
                self._known[key] = value
                whole += len(line)
            if whole < path.stat().st_size:
                os.truncate(path, whole)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._known)

    def get(self, key: str) -> Any:
        """The answer to a question, or None."""
        return self._known.get(key)

    def values(self) -> list[Any]:
        """All answers, in the order in which they came."""
        return list(self._known.values())

    def put(self, items: Sequence[tuple[str, Any]]) -> None:
        """Keep answers; when this returns they are on the disk.

        Raises:
            DataError: they cannot be written.
        """
        try:
            inside(self.path).parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8", newline="\n") as stream:
                for key, value in items:
                    stream.write(json.dumps([key, value], ensure_ascii=False) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise cannot_write(self.path, error) from error
        self._known.update(items)


def question(*parts: Any) -> str:
    """The hash under which the answer to a question is kept."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:32]


def translate(
    texts: Sequence[str], open_translator: Callable[[], TextTranslator], identity: str, answers: Answers, batch: int
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
    keys = [question(identity, text) for text in texts]
    missing = {key: text for key, text in zip(keys, texts, strict=True) if answers.get(key) is None}
    left = sorted(missing.items(), key=lambda item: len(item[1]))
    if left:
        translator = open_translator()
        with task("translating", len(left)) as advance:
            for start in range(0, len(left), batch):
                part = left[start : start + batch]
                found = translator([text for _, text in part])
                if len(found) != len(part):
                    raise DataError(f"{identity}: {len(found)} translations for {len(part)} texts.")
                answers.put([(key, made) for (key, _), made in zip(part, found, strict=True)])
                advance(len(part))
    return [str(answers.get(key)) for key in keys]
