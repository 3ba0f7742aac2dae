"""Causal and masked models opened for measuring: weights, tokenizer and prompt."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from seshat.config import Direction
from seshat.config.families import Family
from seshat.evaluation.systems import System
from seshat.prompt.prompt import Message, Prompt
from seshat.prompt.request import Request
from seshat.prompt.retrieval import FOLDER, Retriever


class Responder(Protocol):
    """Answers chats."""

    name: str

    def respond(self, chats: Sequence[Sequence[Message]]) -> list[str]:
        """An answer to each chat, in their order."""
        ...


@dataclass
class LanguageModel:
    """A language model with all that is needed to ask it."""

    name: str
    family: Family
    model: Any
    tokenizer: Any
    prompt: Prompt
    retriever: Retriever
    seed: int = 0

    def question(self, request: Request, direction: Direction) -> str:
        """The question for a translation as the model reads it, up to where the answer begins."""
        messages = self.prompt.question(self.retriever.beside(request, direction), direction)
        return self.prompt.render(self.tokenizer, messages, answer=False)

    def respond(self, chats: Sequence[Sequence[Message]]) -> list[str]:
        """An answer to each chat, searched for as the prompt object says (causal models)."""
        from seshat.inference.chat import spoken
        from seshat.models.neural.generation import Search, answer_ends

        ends = answer_ends(self.tokenizer, self.prompt)
        search = Search(self.model, self.tokenizer, self.prompt.decoding, ends=ends, seed=self.seed)
        rendered = [self.prompt.render(self.tokenizer, chat, answer=False) for chat in chats]
        rows = [self.tokenizer(text, add_special_tokens=False)["input_ids"] for text in rendered]
        answers = [found[0].text for found in search.answers(rows, scored=False)]
        return [spoken(text) for text in answers] if self.prompt.thinking else answers


@contextmanager
def opened(system: System, prompt: Prompt | None = None) -> Iterator[LanguageModel]:
    """A language model for as long as it is needed: two at once might not fit into the memory.

    Args:
        system: the model.
        prompt: what to ask it with instead of its own prompt.

    Raises:
        DataError: its files, or its base, are not there.
        PromptMismatch: the prompt was changed after the training.
    """
    from seshat.models.neural.saved import Saved

    saved = Saved.read(system.folder, prompt)
    tokenizer = saved.tokenizer(adapter=system.adapter)
    model = LanguageModel(
        system.name,
        system.family,
        saved.model(tokenizer, adapter=system.adapter),
        tokenizer,
        saved.prompt,
        Retriever.load(system.folder / FOLDER, saved.prompt),
        saved.seed,
    )
    try:
        yield model
    finally:
        model.model = None
        gc.collect()
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()
