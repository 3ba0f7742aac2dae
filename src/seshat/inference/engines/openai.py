"""Translates through a server that speaks the OpenAI protocol: vLLM, SGLang, llama-server, Ollama and others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from seshat.config import Direction
from seshat.config.translate import ServerSection
from seshat.core.errors import DataError
from seshat.core.net import Refused
from seshat.inference.chat import ChatTemplate, spoken
from seshat.inference.engines.remote import Remote
from seshat.inference.translator import Candidate, Hypothesis, Translator, drawn, searched
from seshat.prompt.prompt import Decoding, Message, Prompt
from seshat.prompt.request import Request

_SAMPLED = {"temperature": 0.7, "top_p": 0.9}
"""How candidates after the first are drawn, where the search samples nothing."""
_UNKNOWN = (404, 405, 501)
"""What servers answer that do not have an endpoint."""
_EXTRAS = ("chat_template_kwargs", "logprobs", "n", "seed")
"""What not every server knows; one that refuses it is asked without."""
_PLAIN_END = "\n\n"
log = structlog.get_logger(__name__)


class ServerTranslator(Translator):
    """Translates by instruction, as the prompt object says; several requests at a time.

    Args:
        settings: section ``translate.server``.
        direction: what it translates.
        prompt: how to ask. Thinking is off, and what a model thinks all the same is left out, unless it says otherwise.
        decoding: how to search; default: as the prompt says.
        seed: of the first request that draws by chance.

    Raises:
        UsageError: there is no address, no key where there should be one, or no such model on the server.
        DataError: the server does not answer.
    """

    samples = True

    def __init__(
        self,
        settings: ServerSection,
        direction: Direction,
        prompt: Prompt,
        decoding: Decoding | None = None,
        seed: int = 0,
    ) -> None:
        self.direction = direction
        self.batch_size = 8 * settings.concurrency
        self._prompt = prompt
        self.context = prompt.context
        self._decoding = decoding or prompt.decoding
        self._seed = seed
        self._remote = Remote(settings)
        self._pool = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="seshat-server")
        self._chats = settings.api != "completions"
        self._finds_out = settings.api == "auto"
        self._left_out: set[str] = set()
        self.usage = (0, 0)
        """Tokens sent and received until now, as the server counts them."""
        self._counting = threading.Lock()
        self.name = self._model = settings.model or self._remote.only_model()
        if self._decoding.beams > 1:
            log.warning("the OpenAI protocol knows no beams: the server searches in its own way")

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        """Translate a batch; candidates after the first are drawn by chance."""
        own = {"temperature": self._decoding.temperature, "top_p": self._decoding.top_p}

        def one(messages: list[Message], count: int) -> list[Candidate]:
            if own["temperature"] > 0:
                return self._answers(messages, count, own, self._seed)
            best = self._answers(messages, 1, own, self._seed)
            return [*best, *self._answers(messages, count - 1, _SAMPLED, self._seed + 1)]

        return searched(requests, lambda asked, count: self._each(asked, lambda chat: one(chat, count)))

    def sample(
        self, requests: Sequence[Request], count: int, *, temperature: float, top_p: float = 1.0, seed: int
    ) -> list[list[Candidate]]:
        """Draw translations of a batch; whether a seed gives the same ones again is up to the server."""
        drawing = {"temperature": temperature, "top_p": top_p}

        def search(requests: Sequence[Request], count: int) -> list[list[Candidate]]:
            return self._each(requests, lambda chat: self._answers(chat, count, drawing, seed))

        return drawn(requests, count, search)

    def _each(
        self, requests: Sequence[Request], ask: Callable[[list[Message]], list[Candidate]]
    ) -> list[list[Candidate]]:
        """Ask about each request, several at a time."""
        return list(self._pool.map(ask, [self._prompt.question(one, self.direction) for one in requests]))

    def close(self) -> None:
        """Close the connections."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        if any(self.usage):
            log.info("asked the server", tokens_sent=self.usage[0], tokens_received=self.usage[1])
        self._remote.close()  # what is under way ends with an error that nobody waits for

    def _answers(self, messages: list[Message], count: int, search: dict[str, float], seed: int) -> list[Candidate]:
        """``count`` answers, the best-scored first; a server that gives one at a time is asked so often."""
        found: list[Candidate] = []
        while len(found) < count:
            wanted = {"n": count - len(found), "seed": seed + len(found), **search}
            found += self._ask(messages, wanted)[: count - len(found)]
        return sorted(found, key=lambda one: -one.score)

    def _ask(self, messages: list[Message], wanted: dict[str, Any]) -> list[Candidate]:
        while True:
            chats = self._chats
            body = self._body(messages, wanted, chats)
            try:
                answer = self._remote.post("chat/completions" if chats else "completions", body)
            except Refused as error:
                if chats and self._finds_out and _knows_no_chats(error):
                    self._chats = False
                    continue
                # `translate` sends several at a time: another one may have left it out meanwhile.
                if error.status in (400, 422) and (named := [x for x in _EXTRAS if x in body and x in error.said]):
                    if new := set(named) - self._left_out:
                        log.info("the server does not know a setting: it is left out", settings=sorted(new))
                    self._left_out |= set(named)
                    continue
                raise
            self._count(answer.get("usage"))
            choices = answer.get("choices")
            if not isinstance(choices, list) or not choices:
                raise DataError(
                    f"{self._remote.address}: an answer without choices.", "Is it a server of the OpenAI protocol?"
                )
            return [self._candidate(choice) for choice in choices]

    def _body(self, messages: list[Message], wanted: dict[str, Any], chats: bool) -> dict[str, Any]:
        body = {"model": self._model, "max_tokens": self._decoding.max_new_tokens, **wanted}
        if chats:
            body |= {
                "messages": messages,
                "logprobs": True,
                "chat_template_kwargs": {"enable_thinking": self._prompt.thinking},
            }
        elif self._prompt.chat_template:
            template = ChatTemplate(self._prompt.chat_template, {})
            body |= {"prompt": self._prompt.render(template, messages, answer=False), "logprobs": 1}
        else:
            plain = _PLAIN_END.join(message["content"] for message in messages)
            body |= {"prompt": f"{plain}\n", "logprobs": 1, "stop": [_PLAIN_END]}
        if body["n"] == 1:
            del body["n"]
        return {key: value for key, value in body.items() if key not in self._left_out}

    def _count(self, usage: Any) -> None:
        if isinstance(usage, dict):
            sent, received = (usage.get(name) or 0 for name in ("prompt_tokens", "completion_tokens"))
            with self._counting:
                self.usage = (self.usage[0] + int(sent), self.usage[1] + int(received))

    def _candidate(self, choice: dict[str, Any]) -> Candidate:
        message = choice.get("message")
        text = (message.get("content") if isinstance(message, dict) else choice.get("text")) or ""
        if choice.get("finish_reason") == "length":
            log.warning("an answer was cut: it reached prompt.max_new_tokens", limit=self._decoding.max_new_tokens)
        return Candidate(spoken(str(text)), _score(choice.get("logprobs")))


def _knows_no_chats(error: Refused) -> bool:
    """Whether there is no such endpoint (an unknown model is 404 too), or the model has no chat template (vLLM)."""
    missing = error.status in _UNKNOWN and "model" not in error.said.lower()
    return missing or (error.status == 400 and "chat template" in error.said)


def _score(found: Any) -> float:
    """The mean log-probability of the tokens, in the form of chats or of completions; 0 where there is none."""
    if not isinstance(found, dict):
        return 0.0
    tokens = found.get("content")
    values = [one.get("logprob") for one in tokens] if isinstance(tokens, list) else found.get("token_logprobs")
    known = [float(value) for value in values or () if value is not None]
    return sum(known) / len(known) if known else 0.0
