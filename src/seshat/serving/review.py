"""The review pages in the API: the same pages as ``seshat review`` writes, every decision stored at once.

They pass the same guard as everything else, and show and take only what the viewer may see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from seshat.core.errors import UsageError
from seshat.review import queues
from seshat.review.desk import MEDIA_TYPES, Desk, media_file
from seshat.review.page import index, render
from seshat.review.queue import MEDIA
from seshat.serving.service import Service, Stopping

if TYPE_CHECKING:
    from fastapi import FastAPI

_NO_STORE = {"cache-control": "no-store"}


class Decide(BaseModel):
    """What a reviewer has written in a row."""

    model_config = ConfigDict(extra="forbid")

    key: list[str]
    """What names the row."""
    seen: str
    """The mark of the row as the reviewer saw it."""
    cells: dict[str, Annotated[str, Field(max_length=20_000)]]


_KEY = TypeAdapter(list[str])


def _parts(key: str) -> list[str]:
    try:
        return _KEY.validate_json(key)
    except ValidationError as error:
        raise UsageError("The key of a row is a list of texts, as JSON.") from error


def add_review(app: FastAPI, service: Service) -> None:
    """Add the pages of all queues to the application."""
    from fastapi.responses import FileResponse, HTMLResponse

    def desk(name: str) -> Desk:
        return Desk(queues.queue(name), service.project, service.gate)

    def page(html: str, policy: str) -> HTMLResponse:
        return HTMLResponse(html, headers={"content-security-policy": f"{policy}; frame-ancestors 'self'", **_NO_STORE})

    # FastAPI cannot read annotations that name what is imported here.
    @app.get("/review", response_model=None)
    def listed() -> HTMLResponse:
        """The queues of the project."""
        return page(*index([desk(name) for name in queues.queues()]))

    @app.get("/review/{name}", response_model=None)
    def queue_page(name: str) -> HTMLResponse:
        """The rows of a queue, to be accepted, rejected and corrected."""
        chosen = desk(name)
        return page(*render(chosen, chosen.rows(), media=f"{name}/media", server=True))

    @app.post("/review/{name}")
    def decide(name: str, asked: Decide) -> dict[str, Any]:
        """Store a decision; with the answer it is on the disk."""
        if service.worker.stopping:
            raise Stopping
        chosen = desk(name)
        row = chosen.decide(asked.key, asked.seen, asked.cells)
        return {"seen": chosen.queue.mark(row), "cells": dict(row.cells)}

    @app.get("/review/{name}/media", response_model=None)
    def media(name: str, column: str, key: str) -> FileResponse:
        """An image or sound of a row; ``key`` names it as in a decision, written as JSON."""
        chosen, named = desk(name), _parts(key)
        if column not in chosen.queue.named(*MEDIA):
            raise UsageError("There are no images or sounds in that column.")
        path = media_file(service.project, chosen.row(named)[column])
        if path is None:
            raise UsageError("There is no such image or sound in the project.")
        return FileResponse(path, media_type=MEDIA_TYPES[path.suffix.lower()], headers=_NO_STORE)
