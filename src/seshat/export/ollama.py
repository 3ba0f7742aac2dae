"""A ``Modelfile`` for Ollama: the chat template in Go's words, where an answer stops, how it is searched for.

Ollama does not read the Jinja template in a GGUF file in every version, and its own guesses are the usual cause of
nonsense after an export. What stands in the template around system prompt, question and answer is found by rendering
it, and the result is compared with the template on real questions before it is published.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from seshat.core.errors import DataError
from seshat.prompt.prompt import Message, Prompt

_SYSTEM, _QUESTION, _ANSWER = "SESHATSYSTEM", "SESHATQUESTION", "SESHATANSWER"
_HINT = "Give a chat template that writes the turns one after the other: prompt.chat_template. Or export gguf alone."


@dataclass(frozen=True)
class Turns:
    """What a chat template writes around the three texts of a question and its answer."""

    before_system: str
    after_system: str
    before_question: str
    """Where there is no system prompt."""
    after_question: str
    """Up to the answer."""
    end: str
    """After the answer."""

    @classmethod
    def of(cls, prompt: Prompt, tokenizer: Any) -> Turns:
        """Find them by rendering.

        Raises:
            DataError: the template does more than putting texts between texts.
        """
        system = [{"role": "system", "content": _SYSTEM}] if prompt.system else []
        asked = [*system, {"role": "user", "content": _QUESTION}]
        given, rest = prompt.parts(tokenizer, [*asked, {"role": "assistant", "content": _ANSWER}])
        before_system, after_system, plain = "", "", given
        if system:
            before_system, plain = _cut(given, _SYSTEM)
            after_system = plain.partition(_QUESTION)[0]
        before_question, after_question = _cut(
            prompt.render(tokenizer, asked[-1:], answer=False) if system else given, _QUESTION
        )
        _, end = _cut(rest, _ANSWER)
        if plain.partition(_QUESTION)[2] != after_question:
            raise DataError("The chat template ends a question in another way when there is a system prompt.", _HINT)
        return cls(before_system, after_system, before_question, after_question, end)

    def say(self, messages: Sequence[Message]) -> str:
        """A chat as Ollama writes it: a user turn, perhaps after a system turn."""
        texts = {message["role"]: message["content"] for message in messages}
        begin = f"{self.before_system}{texts['system']}{self.after_system}" if "system" in texts else None
        return (self.before_question if begin is None else begin) + texts["user"] + self.after_question

    def go_template(self, bos: str | None) -> str:
        """As a template of Go's ``text/template``.

        Args:
            bos: a first token that Ollama writes by itself, taken away where the template has it.
        """
        before_system, before_question = (
            text.removeprefix(bos) if bos else text for text in (self.before_system, self.before_question)
        )
        return (
            f"{{{{ if .System }}}}{_go(before_system)}{{{{ .System }}}}{_go(self.after_system)}"
            f"{{{{ else }}}}{_go(before_question)}{{{{ end }}}}"
            f"{{{{ .Prompt }}}}{_go(self.after_question)}{{{{ .Response }}}}{_go(self.end)}"
        )


def modelfile(file: str, prompt: Prompt, tokenizer: Any, *, context: int, bos: str | None) -> str:
    """The text of a ``Modelfile``.

    Args:
        file: name of the GGUF file beside it.
        prompt: how the model is asked.
        tokenizer: of the model, of Transformers.
        context: tokens that the model can see.
        bos: the first token where Ollama writes it by itself.

    Raises:
        DataError: the chat template cannot be said in Ollama's words.
    """
    turns = Turns.of(prompt, tokenizer)
    decoding = prompt.decoding
    parameters: list[tuple[str, object]] = [
        ("temperature", f"{decoding.temperature:g}"),
        ("top_p", f"{decoding.top_p:g}"),
        ("top_k", 1 if decoding.temperature == 0 else 0),
        ("min_p", 0),
        ("repeat_penalty", 1),
        ("num_predict", decoding.max_new_tokens),
        ("num_ctx", context),
        *(("stop", f'"{stop}"') for stop in stops(turns, tokenizer)),
    ]
    lines = [
        f"# Prompt {prompt.hash}. Make it known to Ollama with: ollama create NAME -f Modelfile",
        f"FROM ./{file}",
        f"TEMPLATE {_quoted(turns.go_template(bos))}",
        *([f"SYSTEM {_quoted(prompt.system)}"] if prompt.system else []),
        *(f"PARAMETER {name} {value}" for name, value in parameters),
    ]
    return "\n".join(lines) + "\n"


def stops(turns: Turns, tokenizer: Any) -> list[str]:
    """The tokens that end an answer: the first special one after it, and the end of the text."""
    special = {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special}
    found = sorted((turns.end.index(token), -len(token), token) for token in special if token in turns.end)
    return list(dict.fromkeys([*(token for _, _, token in found[:1]), str(tokenizer.eos_token)]))


def differences(turns: Turns, prompt: Prompt, tokenizer: Any, chats: Iterable[Sequence[Message]]) -> int:
    """How many chats Ollama would write in another way than the template that the model was trained with."""
    return sum(turns.say(chat) != prompt.render(tokenizer, chat, answer=False) for chat in chats)


def _cut(text: str, mark: str) -> tuple[str, str]:
    before, found, after = text.partition(mark)
    if not found or mark in after:
        raise DataError("The chat template does not write what it is given once and as it is.", _HINT)
    return before, after


def _go(text: str) -> str:
    return text.replace("{{", '{{ "{{" }}')


def _quoted(text: str) -> str:
    if '"""' in text:
        raise DataError('Three quotes in a row (""") cannot stand in a Modelfile.', "Change the prompt.")
    return f'"""{text}"""'
