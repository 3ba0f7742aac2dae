"""The models that section ``augment`` names: translators, a language model, and the journal of what they have said."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from seshat.config import Direction
from seshat.config.augment import EndpointSection, ExtractorSection
from seshat.config.translate import ServerSection
from seshat.core.errors import DataError
from seshat.core.journal import Journal, key_of
from seshat.core.progress import task
from seshat.project.folder import Project
from seshat.project.manifest import is_model
from seshat.prompt.request import requests
from seshat.text.tongues import ENGLISH_NAMES

if TYPE_CHECKING:
    from seshat.inference.translator import Translator
    from seshat.prompt.prompt import Prompt


class Reply(NamedTuple):
    """What a language model answered, and what it cost in tokens."""

    text: str
    sent: int
    received: int


def answers_of(project: Project, section: str) -> Journal:
    """What models have answered for a part of section ``augment``: kept for good, since it may have cost money."""
    return Journal(project.state / "augment" / f"{section}.jsonl", durable=True)


def translate(
    project: Project,
    texts: Sequence[str],
    section: EndpointSection,
    direction: Direction,
    answers: Journal,
    batch: int,
) -> list[str]:
    """Translate texts, each different one once; what is known already is not asked again.

    Args:
        project: the project.
        texts: the texts.
        section: which model; it is opened when something is not known yet. In another state it is asked anew.
        direction: from which language into which.
        answers: where translations are kept.
        batch: texts at a time; after each batch the work is safe.

    Raises:
        DataError: the translator gave fewer answers than it was given texts.
    """
    name = identity(project, section, direction)
    keys = [key_of(name, text) for text in texts]
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in answers}
    left = sorted(missing.items(), key=lambda item: len(item[1]))
    if left:
        translator = open_translator(project, section, direction)
        with task("translating", len(left)) as advance:
            for start in range(0, len(left), batch):
                part = left[start : start + batch]
                found = translator.translate(requests(text for _, text in part))
                if len(found) != len(part):
                    raise DataError(f"{name}: {len(found)} translations for {len(part)} texts.")
                answers.put_all([(key, made.text) for (key, _), made in zip(part, found, strict=True)])
                advance(len(part))
    return [str(answers.get(key)) for key in keys]


def open_translator(project: Project, section: EndpointSection, direction: Direction) -> Translator:
    """A model of this project, a published one, or a server that is asked as the prompt object says."""
    if section.server is not None:
        from seshat.inference.engines.openai import ServerTranslator

        return ServerTranslator(_server(section), direction, _prompt(project, direction))
    folder = project.root / (section.model or "")
    if is_model(folder):
        from seshat.inference.load import load_translator

        return load_translator(folder, direction)
    from seshat.inference.chain import Chain
    from seshat.inference.engines.published import PublishedTranslator
    from seshat.inference.parts import Parts

    return Chain(PublishedTranslator(folder, direction), parts=Parts())


class Chat:
    """A language model behind a server, held to a JSON schema where the server can do that.

    Args:
        section: which; it is opened with the first question.
    """

    def __init__(self, section: ExtractorSection) -> None:
        self._section = section
        self._remote: Any = None
        self._is_held = True

    def ask(self, messages: Sequence[dict[str, str]], schema: dict[str, Any]) -> Reply:
        """One answer, meant to follow a JSON schema.

        Raises:
            DataError: the server does not answer.
        """
        from seshat.core.net import Refused
        from seshat.inference.engines.remote import Remote

        section = self._section
        self._remote = self._remote or Remote(_server(section))
        body: dict[str, Any] = {
            "model": section.model,
            "messages": list(messages),
            "max_tokens": section.max_tokens,
            "temperature": 0,
        }
        form = {"type": "json_schema", "json_schema": {"name": "editions", "schema": schema, "strict": True}}
        try:
            answer = self._remote.post("chat/completions", {**body, "response_format": form} if self._is_held else body)
        except Refused as error:
            if not self._is_held or error.status not in (400, 422) or "response_format" not in error.said:
                raise
            self._is_held = False  # this server knows no schemas: the task itself says what is wanted
            answer = self._remote.post("chat/completions", body)
        return _reply(answer, messages)


def _reply(answer: dict[str, Any], messages: Sequence[dict[str, str]]) -> Reply:
    """The text of an answer and its tokens; a server that does not count them is counted for, at four bytes each."""
    choices = answer.get("choices") or [{}]
    text = str((choices[0].get("message") or {}).get("content") or "")
    usage = answer.get("usage") or {}
    size = sum(len(message["content"].encode()) for message in messages)
    sent = int(usage.get("prompt_tokens") or size // 4)
    return Reply(text, sent, int(usage.get("completion_tokens") or len(text.encode()) // 4))


def identity(project: Project, section: EndpointSection, direction: Direction | None) -> str:
    """Which model in which state: its server, name and prompt, or a digest of what is in its folder."""
    way = str(direction or "")
    if section.server is not None:
        asked = _prompt(project, direction).hash[:16] if direction is not None else ""
        return " ".join(part for part in (section.server, section.model, asked, way) if part)
    folder = project.root / (section.model or "")
    seen = hashlib.sha256()
    for path in sorted(folder.rglob("*.json")):
        seen.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        seen.update(f"{path.relative_to(folder).as_posix()} {path.stat().st_size}".encode())
    return f"{section.model} {seen.hexdigest()[:16]} {way}"


def _server(section: EndpointSection) -> ServerSection:
    return ServerSection(url=section.server, model=section.model, api_key_env=section.api_key_env, concurrency=4)


def _prompt(project: Project, direction: Direction) -> Prompt:
    """The prompt object of the project, which also knows what two languages that need not be its own are called."""
    from seshat.prompt.prompt import Prompt

    prompt = Prompt.of(project)
    names = {tag: project.config.project.language_name(tag) for tag in direction}
    known = {tag: ENGLISH_NAMES.get(tag, tag) if name == tag else name for tag, name in names.items()}
    return prompt.model_copy(update={"languages": {**prompt.languages, **known}})
