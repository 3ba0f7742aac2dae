"""Free conversation with an instruction model: the engines that translate by instruction, asked in other words.

A reply comes piece by piece, so that people see it grow and can stop it.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from seshat.core.errors import DataError
from seshat.inference.chat import spoken

if TYPE_CHECKING:
    from seshat.inference.engines.llama import LlamaCppTranslator
    from seshat.inference.engines.pretrained import CausalTranslator
    from seshat.prompt.prompt import Prompt

Turn = Mapping[str, str]
"""``role`` and ``content``."""


@dataclass(frozen=True)
class Piece:
    """A part of a reply; the last one says why it ends, and counts."""

    text: str
    finish: Literal["stop", "length"] | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Dialogue(Protocol):
    """Answers the last turn of a conversation."""

    def reply(
        self, turns: Sequence[Turn], *, max_tokens: int | None = None, temperature: float | None = None
    ) -> Iterator[Piece]:
        """The answer, piece by piece; closing the iterator stops the model.

        Args:
            turns: the conversation; without a system turn, the one of the training stands before it.
            max_tokens: of the answer; default and most: ``max_new_tokens`` of the model's prompt object.
            temperature: 0 takes the likeliest token; default: that of the prompt object.

        Raises:
            DataError: the conversation is longer than what the model can see.
        """
        ...


class TransformersDialogue:
    """A causal model in Transformers."""

    def __init__(self, engine: CausalTranslator) -> None:
        self._prompt, self._search, self._tokenizer = engine._prompt, engine._search, engine._tokenizer

    def reply(
        self, turns: Sequence[Turn], *, max_tokens: int | None = None, temperature: float | None = None
    ) -> Iterator[Piece]:
        """See :meth:`Dialogue.reply`."""
        ids = self._tokenizer(_rendered(self._prompt, self._tokenizer, turns), add_special_tokens=False)["input_ids"]
        most = _most(self._prompt, max_tokens)
        seen = getattr(self._search.model.config.get_text_config(), "max_position_embeddings", None)
        if seen is not None and len(ids) + most > seen:
            raise DataError(
                f"This conversation has {len(ids)} tokens; with the answer the model can see {seen}.",
                "Begin a new conversation, or ask for less at once.",
            )
        drawn = self._prompt.decoding.temperature if temperature is None else temperature
        made: list[int] = []
        ends = set(self._search._ends)
        finish: Literal["stop", "length"] = "length"
        whole = _Grown(self._prompt.thinking)
        for token in self._tokens(list(ids), drawn):
            if token in ends:
                finish = "stop"
                break
            made.append(token)
            if text := whole.grown(self._tokenizer.decode(made, skip_special_tokens=True)):
                yield Piece(text)
            if len(made) == most:
                break
        yield Piece(whole.rest(), finish, len(ids), len(made))

    def _tokens(self, ids: list[int], temperature: float) -> Iterator[int]:
        import torch

        model = self._search.model.eval()
        generator = torch.Generator(device=model.device).manual_seed(self._search.seed)
        past, given = None, ids
        while True:
            with torch.inference_mode():
                out = model(torch.tensor([given], device=model.device), past_key_values=past, use_cache=True)
                logits = out.logits[0, -1].float()
                if temperature > 0:
                    token = int(torch.multinomial(torch.softmax(logits / temperature, -1), 1, generator=generator))
                else:
                    token = int(logits.argmax())
            past, given = out.past_key_values, [token]
            yield token


class LlamaCppDialogue:
    """A GGUF file in llama.cpp."""

    def __init__(self, engine: LlamaCppTranslator) -> None:
        self._engine, self._prompt = engine, engine._prompt

    def reply(
        self, turns: Sequence[Turn], *, max_tokens: int | None = None, temperature: float | None = None
    ) -> Iterator[Piece]:
        """See :meth:`Dialogue.reply`."""
        engine = self._engine
        ids = engine.encode(_rendered(self._prompt, engine._template, turns))
        engine._make_room(len(ids))
        most = _most(self._prompt, max_tokens)
        decoding = self._prompt.decoding
        drawn = decoding.temperature if temperature is None else temperature
        engine._llama.set_seed(1)
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        whole, text, count = _Grown(self._prompt.thinking), "", 0
        finish: Literal["stop", "length"] = "length"
        settings = {"top_k": 0, "min_p": 0.0, "repeat_penalty": 1.0, "temp": drawn, "top_p": decoding.top_p}
        for token in engine._llama.generate(ids, **settings):
            if engine._package.llama_vocab_is_eog(engine._llama._model.vocab, token):
                finish = "stop"
                break
            text += decode(engine._piece(token))
            count += 1
            if new := whole.grown(text):
                yield Piece(new)
            if count == most:
                break
        yield Piece(whole.rest(), finish, len(ids), count)


class _Grown:
    """Gives what is new of a growing text, as far as it will not change any more."""

    def __init__(self, thinking: bool) -> None:
        self._thinking, self._given, self._text = thinking, 0, ""

    def grown(self, text: str) -> str:
        # The end may be half a character, or white space that is no part of the answer.
        self._text = text.lstrip()
        sure = len(self._text.rstrip("\ufffd \n\t"))
        if self._thinking or sure <= self._given:  # of thoughts nobody knows yet where they end
            return ""
        new, self._given = self._text[self._given : sure], sure
        return new

    def rest(self) -> str:
        return spoken(self._text) if self._thinking else self._text[self._given :].rstrip()


def _rendered(prompt: Prompt, tokenizer: Any, turns: Sequence[Turn]) -> str:
    given = [dict(turn) for turn in turns]
    if prompt.system and given[0]["role"] != "system":
        given.insert(0, {"role": "system", "content": prompt.system})
    return prompt.render(tokenizer, given, answer=False)


def _most(prompt: Prompt, wanted: int | None) -> int:
    most = prompt.decoding.max_new_tokens
    return most if wanted is None else max(1, min(wanted, most))
