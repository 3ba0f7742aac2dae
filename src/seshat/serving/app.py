"""The API: what :class:`~seshat.serving.service.Service` does, over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from seshat.config.serve import ServeSection
from seshat.core.errors import DiskFull, SeshatError, UsageError, require
from seshat.core.records import Access
from seshat.review.desk import Conflict
from seshat.review.queue import NoDecision
from seshat.serving.guard import Guard, answered, error_body
from seshat.serving.metrics import Metrics
from seshat.serving.service import Busy, Correction, Service, Stopping, TimedOut

if TYPE_CHECKING:
    from fastapi import FastAPI

_STATUS: tuple[tuple[type[SeshatError], int], ...] = (
    (Busy, 429),
    (Stopping, 503),
    (TimedOut, 504),
    (UsageError, 400),
    (DiskFull, 507),
    (NoDecision, 400),
    (Conflict, 409),
)
_UNPROCESSABLE = 422
_REASONS = 2
"""Requests whose reasons are looked up at a time."""
_Limit = Annotated[int | None, Field(ge=1)]
_After = Annotated[int, Field(ge=0, lt=2**53)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Translate(_Request):
    """Texts to translate."""

    texts: list[str]
    direction: str | None = None
    """Such as ``shp-es``; default: from the project's language into the pivot."""
    model: str | None = None
    n_best: int = 1
    """Candidates per text."""
    explain: bool = True
    """With nearest examples, lexicon entries and invented words."""


class Correct(_Request):
    """A correction."""

    source: str
    target: str
    text: str
    translation: str
    machine: str = ""
    by: str = ""
    note: str = ""
    access: Access | None = None
    """Who may see it; default: the level of this server."""


def create_app(service: Service, settings: ServeSection | None = None, *, key: str | None = None) -> FastAPI:
    """The application; its owner closes the service.

    Args:
        service: what it does.
        settings: limits; default: those of the service.
        key: the API key that every request needs.

    Raises:
        MissingPackage: FastAPI or the Prometheus client is not installed.
    """
    for package in ("fastapi", "prometheus_client"):
        require(package, extra="serve", purpose="Serving")
    from fastapi import FastAPI

    from seshat import __version__
    from seshat.serving.libretranslate import add_libretranslate
    from seshat.serving.openai import add_openai
    from seshat.serving.review import add_review

    app = FastAPI(title="Seshat", version=__version__, docs_url=None, redoc_url=None)  # their pages load from a CDN
    metrics = Metrics(service)
    _errors(app)
    _translation(app, service, metrics)
    _searches(app, service)
    _state(app, service, metrics)
    add_openai(app, service, metrics)
    add_libretranslate(app, service, metrics)
    add_review(app, service)
    app.add_middleware(Guard, settings=settings or service.settings, key=key, metrics=metrics)
    return app


def _translation(app: FastAPI, service: Service, metrics: Metrics) -> None:
    from anyio import CapacityLimiter, to_thread

    # Reasons are looked up in Python: more threads than processors would take turns with the loop that takes requests.
    reasons = CapacityLimiter(_REASONS)

    @app.post("/translate")
    async def translate(asked: Translate) -> dict[str, Any]:
        """Translate texts, and say why."""
        found = await answered(service, asked.texts, asked.direction, asked.n_best, asked.model)
        metrics.texts.inc(len(asked.texts))
        explained = partial(service.answers, asked.texts, found, asked.direction, asked.model, explain=asked.explain)
        given = await to_thread.run_sync(explained, limiter=reasons)
        return {"translations": [asdict(one) for one in given]}

    @app.post("/corrections", status_code=201)
    def correct(asked: Correct) -> dict[str, Any]:
        """Store a correction; with the answer it is on the disk."""
        access = asked.access or service.viewer
        stored = service.correct(Correction(**asked.model_dump(exclude={"access"}), access=access))
        metrics.corrections.inc()
        return {"id": stored.id, "at": stored.at}


def _searches(app: FastAPI, service: Service) -> None:
    @app.get("/lexicon")
    def lexicon(q: str, limit: _Limit = None) -> dict[str, Any]:
        """Dictionary entries by headword, form or meaning."""
        return {"entries": [asdict(one) for one in service.lexicon(q, limit)]}

    @app.get("/concordance")
    def concordance(
        q: str,
        tier: str | None = None,
        regex: bool = False,
        limit: _Limit = None,
        after: _After = 0,
    ) -> dict[str, Any]:
        """Keyword in context."""
        return asdict(service.concordance(q, regex=regex, tier=tier, limit=limit, after=after))


def _state(app: FastAPI, service: Service, metrics: Metrics) -> None:
    from starlette.responses import JSONResponse, Response

    # FastAPI cannot read annotations that name what is imported here.
    @app.get("/health", response_model=None)
    async def health() -> JSONResponse:
        """Whether requests are taken."""
        stopping = service.worker.stopping
        return JSONResponse({"status": "stopping" if stopping else "ok"}, 503 if stopping else 200)

    @app.get("/metrics", response_model=None)
    async def figures() -> Response:
        """Figures for Prometheus."""
        content, kind = metrics.page()
        return Response(content, media_type=kind)


def _errors(app: FastAPI) -> None:
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.responses import JSONResponse

    @app.exception_handler(SeshatError)
    async def ours(_request: Request, error: SeshatError) -> JSONResponse:
        status, headers = status_of(error)
        return JSONResponse(error_body(str(error)), status, headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method == "POST" and kind != "application/json":
            return JSONResponse(error_body("Send JSON, with the header 'Content-Type: application/json'."), 415)
        first = error.errors()[0]  # what was sent is never repeated
        if first["type"] == "json_invalid":
            return JSONResponse(error_body("The body is no JSON."), 400)
        place = ".".join(str(part) for part in first["loc"][1:])
        return JSONResponse(error_body(f"{place or 'The body'}: {first['msg']}."), _UNPROCESSABLE)

    @app.exception_handler(HTTPException)
    async def plain(_request: Request, error: HTTPException) -> JSONResponse:
        said = {
            404: "There is nothing at this address; /openapi.json lists what there is.",
            405: "This address takes another method; /openapi.json lists which.",
            400: "The body is no JSON in UTF-8.",
        }.get(error.status_code, str(error.detail))
        return JSONResponse(error_body(said), error.status_code, dict(error.headers or {}))


def status_of(error: SeshatError) -> tuple[int, dict[str, str]]:
    """The status of an error, and the headers that go with it."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), _UNPROCESSABLE)
    wait = error.retry_after if isinstance(error, Busy) else 5
    return status, {"Retry-After": str(wait)} if status in (429, 503) else {}
