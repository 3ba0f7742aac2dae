"""Section ``translate``: how a trained model is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from seshat.config.base import Mistake, Section, Share
from seshat.config.mbr import MbrSection
from seshat.config.postprocess import PostprocessSection

Engine = Literal["auto", "transformers", "ctranslate2", "llama", "server", "in-context"]
"""The program that computes; the statistical family has only its own."""


class DecodingSection(Section):
    """How a translation is searched for, where it shall not be as the prompt object of the model says.

    It changes nothing about how the model is asked, so a trained model takes it.
    """

    beams: int | None = Field(default=None, ge=1)
    """Beams of the search; 1 is greedy."""
    temperature: float | None = Field(default=None, ge=0)
    """Sampling; 0 for none."""
    top_p: Share | None = None
    """Sampling among the likeliest tokens that make up so much."""
    max_new_tokens: int | None = Field(default=None, ge=1)
    """Longest answer, in tokens."""


class ServerSection(Section):
    """A server that speaks the OpenAI protocol: vLLM, llama-server, Ollama, SGLang, or one on the internet."""

    url: str | None = None
    """Address up to `/v1`, such as http://127.0.0.1:8000/v1. Texts are sent there, and nowhere else; another machine is
    allowed once, with `seshat allow`."""
    model: str | None = None
    """What the server calls the model; default: the only one that it has."""
    api: Literal["auto", "chat", "completions"] = "auto"
    """`/chat/completions`, or `/completions` for a server that has only that; `auto` finds out."""
    api_key_env: str | None = None
    """The environment variable that holds the key, for a server that wants one."""
    timeout: float = Field(default=120.0, gt=0)
    """Seconds to wait for an answer."""
    concurrency: int = Field(default=8, ge=1)
    """Requests at a time."""
    retries: int = Field(default=6, ge=0)
    """How often to try again when the server is busy or does not answer, with growing pauses."""


class InContextSection(Section):
    """What a server that was not trained on the language is told beside a text (`engine: in-context`)."""

    tokens: int = Field(default=4_000, ge=0)
    """Tokens of examples in a question, guessed as one for three bytes; 0 for none."""
    notes: str | None = None
    """A text file (from the project folder) about the grammar, which stands before every question."""
    draft: str | None = None
    """A model below models/ whose translation is shown as a draft."""
    repair: bool = False
    """Ask a second time, with the first answer as the draft."""


class RaySection(Section):
    """Translation over several processes or machines (extra `scale`)."""

    address: str | None = None
    """A Ray cluster, such as `auto` or ray://head:10001, whose machines see the project at the same path; default: one
    on this machine, for the time of the command."""
    workers: int | None = Field(default=None, ge=1)
    """Copies of the model; default: one per processor."""


class TranslateSection(Section):
    """How a trained model translates, wherever it is used."""

    model: str | None = None
    """Name below models/; default: the one that `train` names."""
    engine: Engine = "auto"
    """What computes: `transformers`, `ctranslate2` or `llama` (GGUF) where the model has that form, or the `server`,
    `in-context` with examples, entries and notes of the project before each question;
    `auto` takes the fastest that is on this machine."""
    batch: int | None = Field(default=None, ge=1)
    """Most texts in a batch, which is also what a killed job may lose; default: what suits the engine."""
    batch_tokens: int = Field(default=16_384, ge=1)
    """Most tokens in a batch, padding counted (guessed: one for four bytes of text)."""
    decoding: DecodingSection = DecodingSection()
    """How a translation is searched for, where it shall not be as the model's prompt object says."""
    server: ServerSection = ServerSection()
    """A server that speaks the OpenAI protocol."""
    in_context: InContextSection = InContextSection()
    """What an untrained model on that server is told beside a text."""
    ray: RaySection = RaySection()
    """Translation over several processes or machines."""
    mbr: MbrSection = MbrSection()
    """Consensus decoding: of many candidates, the one most like all the others."""
    postprocess: PostprocessSection = PostprocessSection()
    """What is mended in a translation."""

    def mistakes(self) -> Iterator[Mistake]:
        """A server without an address."""
        if self.engine in ("server", "in-context") and self.server.url is None:
            message = "a server needs its address: translate.server.url, such as http://127.0.0.1:8000/v1"
            yield Mistake(("engine",), message)
