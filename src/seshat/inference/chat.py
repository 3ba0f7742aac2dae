"""Chats without Transformers: what a model says, templates as :meth:`seshat.prompt.prompt.Prompt.render` asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seshat.prompt.templates import portable

_THOUGHTS = "<think>", "</think>"
"""What stands around the thoughts of a model that thinks aloud (Qwen3)."""


def spoken(text: str) -> str:
    """What follows the thoughts; nothing when they have no end."""
    begin, end = _THOUGHTS
    rest = text.rsplit(end, 1)[-1].strip()
    return "" if rest.startswith(begin) else rest


class ChatTemplate:
    """Renders chats as a tokenizer of Transformers would.

    Args:
        template: Jinja text.
        tokens: what the template may know beside the messages, such as ``bos_token``.
    """

    def __init__(self, template: str | None, tokens: Mapping[str, str]) -> None:
        self.chat_template = template
        self._tokens = dict(tokens)

    def apply_chat_template(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        chat_template: str | None = None,
        tokenize: bool = False,
        add_generation_prompt: bool = False,
        **extra: Any,
    ) -> str:
        """The chat as text; the parameters are those of ``PreTrainedTokenizerBase.apply_chat_template``.

        Raises:
            ValueError: token ids are asked for.
            jinja2.TemplateError: the template cannot say these messages.
        """
        if tokenize:
            raise ValueError("there is no tokenizer here")
        template = _compiled(portable(chat_template or self.chat_template or ""))
        return str(
            template.render(
                messages=[dict(message) for message in messages],
                add_generation_prompt=add_generation_prompt,
                **self._tokens,
                **extra,
            )
        )


def _compiled(text: str) -> Any:
    """With the settings and functions of ``transformers.utils.chat_template_utils``."""
    import json

    from jinja2 import TemplateError
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.filters["tojson"] = lambda value, **options: json.dumps(value, ensure_ascii=False, **options)
    environment.globals["raise_exception"] = refuse
    return environment.from_string(text)
