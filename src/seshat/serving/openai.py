"""The OpenAI protocol: programs that speak to a chat model can translate, and talk to an instruction model.

``NAME:shp-es`` translates the last user message; the bare name of an instruction model chats.
https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from seshat.core.errors import SeshatError
from seshat.serving.guard import answered, error_body
from seshat.serving.metrics import Metrics
from seshat.serving.service import Reply, Service

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.responses import Response


class Part(BaseModel):
    """A part of a message; only text is read."""

    type: Literal["text"]
    text: str


class Turn(BaseModel):
    """A message."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]

    def plain(self) -> dict[str, str]:
        """With the text as one."""
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        return {"role": "system" if self.role == "developer" else self.role, "content": text}


class Completion(BaseModel):
    """A request; settings that mean nothing here are passed over, as other servers do."""

    model_config = ConfigDict(extra="ignore")

    model: str
    messages: list[Turn] = Field(min_length=1)
    stream: bool = False
    n: int = Field(default=1, ge=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)


def add_openai(app: FastAPI, service: Service, metrics: Metrics) -> None:
    """Add ``/v1/models`` and ``/v1/chat/completions`` to an application."""
    from starlette.responses import JSONResponse

    def names() -> dict[str, tuple[str, str | None]]:
        """What can be asked for -> model and direction; a conversation has no direction."""
        found: dict[str, tuple[str, str | None]] = {}
        for model in service.models:
            found[model.name] = (model.name, None if model.chat else model.directions[0])
            found |= {f"{model.name}:{way}": (model.name, way) for way in model.directions}
        return found

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        """The models, and the directions of each."""
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "seshat"} for name in names()]
        return {"object": "list", "data": listed}

    @app.post("/v1/chat/completions", response_model=None)
    async def completions(asked: Completion) -> Response:
        """Translate the last message, or chat."""
        known = names()
        if asked.model not in known:
            return JSONResponse(error_body(f"There is no such model here, only {', '.join(known)}."), 404)
        model, direction = known[asked.model]
        turns = [turn.plain() for turn in asked.messages]
        head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": asked.model}
        if direction is None:
            return await _chat(service, asked, model, turns, head)
        texts = await _translated(service, metrics, asked, model, direction, turns)
        if asked.stream:
            return _events(head, _whole(texts))
        choices = [_choice(number, text) for number, text in enumerate(texts)]
        return JSONResponse({**head, "object": "chat.completion", "choices": choices})


async def _translated(
    service: Service,
    metrics: Metrics,
    asked: Completion,
    model: str,
    direction: str,
    turns: list[dict[str, str]],
) -> list[str]:
    service.limits.turns(turns)
    found = (await answered(service, [turns[-1]["content"]], direction, asked.n, model))[0]
    metrics.texts.inc()
    return [found.text, *(one.text for one in found.others)]


async def _chat(
    service: Service, asked: Completion, model: str, turns: list[dict[str, str]], head: dict[str, Any]
) -> Response:
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import JSONResponse

    most = asked.max_completion_tokens or asked.max_tokens
    pieces = service.chat(turns, model=model, max_tokens=most, temperature=asked.temperature)
    if asked.stream:
        first = await run_in_threadpool(next, pieces)  # what is wrong with the request shows before the answer begins
        return _events(head, _pieces(first, pieces))
    said = await run_in_threadpool(list, pieces)
    last = said[-1]
    usage = {
        "prompt_tokens": last.prompt_tokens,
        "completion_tokens": last.completion_tokens,
        "total_tokens": last.prompt_tokens + last.completion_tokens,
    }
    choice = _choice(0, "".join(piece.text for piece in said).strip(), last.finish or "stop")
    return JSONResponse({**head, "object": "chat.completion", "choices": [choice], "usage": usage})


def _choice(number: int, text: str, finish: str = "stop") -> dict[str, Any]:
    return {"index": number, "message": {"role": "assistant", "content": text}, "finish_reason": finish}


async def _whole(texts: list[str]) -> AsyncIterator[tuple[int, Reply]]:
    for number, text in enumerate(texts):
        yield number, Reply(text, "stop")


async def _pieces(first: Reply, rest: Iterator[Reply]) -> AsyncIterator[tuple[int, Reply]]:
    from starlette.concurrency import iterate_in_threadpool

    try:
        yield 0, first
        async for piece in iterate_in_threadpool(rest):
            yield 0, piece
    finally:
        rest.close()  # type: ignore[attr-defined]  # a generator: nobody listens any more, or all was said


def _events(head: dict[str, Any], pieces: AsyncIterator[tuple[int, Reply]]) -> Response:
    """Server-sent events, as the protocol has them."""
    from starlette.responses import StreamingResponse

    def event(choice: dict[str, Any]) -> str:
        value = {**head, "object": "chat.completion.chunk", "choices": [choice]}
        return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"

    async def lines() -> AsyncIterator[str]:
        begun: set[int] = set()
        try:
            async for number, piece in pieces:
                if number not in begun:
                    begun.add(number)
                    start = {"role": "assistant", "content": ""}
                    yield event({"index": number, "delta": start, "finish_reason": None})
                if piece.text:
                    yield event({"index": number, "delta": {"content": piece.text}, "finish_reason": None})
                if piece.finish:
                    yield event({"index": number, "delta": {}, "finish_reason": piece.finish})
        except SeshatError as error:
            yield f"data: {json.dumps(error_body(str(error)))}\n\n"
        yield "data: [DONE]\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"cache-control": "no-store"})
