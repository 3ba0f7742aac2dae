"""Section ``prompt``: how a model is asked."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

from pydantic import Field, field_validator

from seshat.config.base import Section, Share

Task = Literal[
    "translate", "word-to-meaning", "meaning-to-word", "examples", "segment", "gloss", "explain", "cloze", "inflect"
]
"""What an instruction model can be asked: see :mod:`seshat.data.instruct`."""

SLOT = re.compile(r"\{\{|\}\}|\{(?P<slot>[a-z]+)\}")
"""A slot of a prompt template; a doubled brace stands for a brace."""
_PAIR = ("source", "target", "source_code", "target_code", "language", "pivot")
MOST_CONTEXT = 32
"""Most sentences before a text that a model may read; so many are remembered of a document."""


class PromptSection(Section):
    """How a model is asked. What stands here is saved beside the model, with a hash, and used wherever it works."""

    system: str = "You are an expert in {language}. Answer exactly, and with the answer alone."
    """System prompt; `{language}` and `{pivot}` are the names of the languages. Empty for none."""
    templates: dict[Task, str] = Field(default_factory=dict)
    """Other words for the tasks than the usual ones."""
    prefix: str = ""
    """What an encoder-decoder reads before the text, with `{source}` and `{target}`, such as
    `translate {source} to {target}: `, or `<2{target_code}> ` (the code of `model.language_codes`, or the tag); one
    model for both directions needs it unless it has language codes."""
    chat_template: str | None = None
    """A Jinja file (from the project folder), or its text, instead of the base's chat template."""
    thinking: bool = False
    """Let a model that can think aloud do so."""
    context: int = Field(default=0, ge=0, le=MOST_CONTEXT)
    """Most sentences before the text, of the same document, that stand in the prompt; encoder-decoders, also those from
    scratch, read them before the text."""
    hints: int = Field(default=0, ge=0)
    """Lexicon entries about the words of the text in the prompt."""
    shots: int = Field(default=0, ge=0)
    """Similar pairs from the training data in the prompt."""
    max_new_tokens: int = Field(default=256, ge=1)
    """Longest answer."""
    beams: int = Field(default=1, ge=1)
    """Beams of the search; 1 is greedy."""
    temperature: float = Field(default=0.0, ge=0)
    """0 for no sampling."""
    top_p: Share = 1.0
    """Sampling among the likeliest tokens that make up so much."""

    @field_validator("system")
    @classmethod
    def _system_slots(cls, text: str) -> str:
        return _slots_are_known(text, ("language", "pivot"))

    @field_validator("prefix")
    @classmethod
    def _prefix_slots(cls, text: str) -> str:
        return _slots_are_known(text, _PAIR)

    @field_validator("templates")
    @classmethod
    def _template_slots(cls, templates: dict[Task, str]) -> dict[Task, str]:
        for task, text in templates.items():
            _slots_are_known(text, ("text", *_PAIR))
            if "{text}" not in text:
                raise ValueError(f"the template of '{task}' has no {{text}}: the model would not see what it is about")
        return templates


def _slots_are_known(text: str, known: Collection[str]) -> str:
    for match in SLOT.finditer(text):
        if match["slot"] and match["slot"] not in known:
            raise ValueError(
                f"'{match[0]}' is no slot here ({', '.join(f'{{{name}}}' for name in known)}); "
                f"write '{{{match[0]}}}' for these letters in braces"
            )
    return text
