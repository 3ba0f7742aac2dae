"""Stage ``augment`` with what it may not know itself: the models that translate and answer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seshat.augment import pairs as augment
from seshat.augment.tools import Chat, Reply, TextTranslator, Tools
from seshat.config import Direction
from seshat.config.augment import EndpointSection, ExtractorSection
from seshat.config.translate import ServerSection
from seshat.project.folder import Project
from seshat.project.manifest import is_model
from seshat.text.tongues import ENGLISH_NAMES

if TYPE_CHECKING:
    from seshat.inference.translator import Translator
    from seshat.prompt.prompt import Prompt


def run(project: Project) -> dict[str, Any]:
    """Run the stage; see :func:`seshat.augment.pairs.run`."""
    return augment.run(project, tools_of(project))


def tools_of(project: Project) -> Tools:
    """How the models that section ``augment`` names are opened."""
    return Tools(
        translator=lambda section, way: _translator(project, section, way),
        chat=_chat,
        identity=lambda section, way: identity(project, section, way),
    )


def _server(section: EndpointSection, timeout: float = 120.0) -> ServerSection:
    return ServerSection(
        url=section.server, model=section.model, api_key_env=section.api_key_env, timeout=timeout, concurrency=4
    )


def _translator(project: Project, section: EndpointSection, direction: Direction) -> TextTranslator:
    """A model of this project, a published one, or a server that is asked as the prompt object says."""
    opened: Translator
    if section.server is not None:
        from seshat.inference.engines.openai import ServerTranslator

        opened = ServerTranslator(_server(section), direction, _prompt(project, direction))
    elif is_model(project.root / (section.model or "")):
        from seshat.inference.load import load_translator

        opened = load_translator(project.root / (section.model or ""), direction)
    else:
        from seshat.inference.engines.published import PublishedTranslator

        opened = PublishedTranslator(project.root / (section.model or ""), direction)
    return lambda texts: [hypothesis.text for hypothesis in opened.translate(texts)]


def _prompt(project: Project, direction: Direction) -> Prompt:
    """The prompt object of the project, which also knows what two languages that need not be its own are called."""
    from seshat.prompt.prompt import Prompt

    prompt = Prompt.of(project)
    names = {tag: project.config.project.language_name(tag) for tag in direction}
    known = {tag: ENGLISH_NAMES.get(tag, tag) if name == tag else name for tag, name in names.items()}
    return prompt.model_copy(update={"languages": {**prompt.languages, **known}})


def _chat(section: ExtractorSection) -> Chat:
    """A language model behind a server, held to a JSON schema where the server can do that."""
    from seshat.core.net import Refused
    from seshat.inference.engines.remote import Remote

    remote = Remote(_server(section, section.timeout))
    held = True

    def ask(messages: Sequence[dict[str, str]], schema: dict[str, Any]) -> Reply:
        nonlocal held
        body: dict[str, Any] = {
            "model": section.model,
            "messages": list(messages),
            "max_tokens": section.max_tokens,
            "temperature": 0,
        }
        form = {"type": "json_schema", "json_schema": {"name": "editions", "schema": schema, "strict": True}}
        try:
            answer = remote.post("chat/completions", {**body, "response_format": form} if held else body)
        except Refused as error:
            if not held or error.status not in (400, 422) or "response_format" not in error.said:
                raise
            held = False  # this server knows no schemas: the task itself says what is wanted
            answer = remote.post("chat/completions", body)
        return _reply(answer, messages)

    return ask


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
