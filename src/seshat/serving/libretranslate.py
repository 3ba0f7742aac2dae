"""LibreTranslate's protocol below ``/libretranslate``: its clients, and programs such as Weblate, translate here.

They are told the address ``http://127.0.0.1:8000/libretranslate``. https://docs.libretranslate.com/api/operations
A server with a key wants it in the header as everywhere; the protocol's own field for one is passed over.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seshat.core.errors import UsageError
from seshat.serving.guard import answered
from seshat.serving.metrics import Metrics
from seshat.serving.service import Service
from seshat.text.tongues import detect

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

AUTO = "auto"


class Query(BaseModel):
    """A request; what means nothing here is passed over."""

    model_config = ConfigDict(extra="ignore")

    q: str | list[str]
    source: str = AUTO
    target: str = ""
    format: Literal["text", "html"] = "text"
    alternatives: int = Field(default=0, ge=0)


def add_libretranslate(app: FastAPI, service: Service, metrics: Metrics) -> None:
    """Add ``/libretranslate/languages``, ``/detect`` and ``/translate`` to an application."""
    section = service.project.config.project

    @app.get("/libretranslate/languages")
    async def languages() -> list[dict[str, Any]]:
        """The languages, and into which each is translated."""
        offered = service.models[0].directions if service.models else ()
        return [
            {"code": way.source, "name": section.language_name(way.source), "targets": [way.target]}
            for way in section.directions
            if str(way) in offered
        ]

    async def found(request: Request) -> list[dict[str, Any]]:
        query = await _query(request)
        texts = [query.q] if isinstance(query.q, str) else query.q
        return [_detected(service, text) for text in texts]

    async def translated(request: Request) -> dict[str, Any]:
        query = await _query(request)
        if query.format == "html":
            raise UsageError("Only plain text is translated here.", "Send format=text.")
        several = isinstance(query.q, list)
        texts = query.q if isinstance(query.q, list) else [query.q]
        detected = [_detected(service, text) for text in texts] if query.source == AUTO else []
        source = detected[0]["language"] if detected else query.source
        answers = await answered(service, texts, f"{source}-{query.target}", 1 + query.alternatives, None)
        metrics.texts.inc(len(texts))
        given: dict[str, Any] = {"translatedText": [one.text for one in answers]}
        if detected:
            given["detectedLanguage"] = detected
        if query.alternatives:
            given["alternatives"] = [[other.text for other in one.alternatives[1:]] for one in answers]
        return given if several else {name: values[0] for name, values in given.items()}

    # FastAPI cannot read annotations that name what is imported here.
    app.add_route("/libretranslate/detect", _json(found), methods=["POST"])
    app.add_route("/libretranslate/translate", _json(translated), methods=["POST"])


def _json(answer: Any) -> Any:
    from starlette.responses import JSONResponse

    async def endpoint(request: Request) -> JSONResponse:
        return JSONResponse(await answer(request))

    return endpoint


def _detected(service: Service, text: str) -> dict[str, Any]:
    """The pivot where its function words say so, else the project's language; confidence in hundredths."""
    section = service.project.config.project
    tongue = detect(text)
    is_pivot = tongue is not None and tongue.tag == section.pivot
    sureness = tongue.confidence if tongue is not None and is_pivot else 0.5
    return {"language": section.pivot if is_pivot else section.language, "confidence": round(100 * sureness)}


async def _query(request: Request) -> Query:
    """What was sent, as JSON or as a form.

    Raises:
        UsageError: it is neither, or no request of this protocol.
    """
    body = await request.body()
    try:
        is_json = request.headers.get("content-type", "").startswith("application/json")
        return Query.model_validate(json.loads(body) if is_json else dict(parse_qsl(body.decode("utf-8"))))
    except (ValidationError, ValueError) as error:
        raise UsageError(
            "This is no request of the LibreTranslate protocol: it wants q, source and target.",
            "For example q=hello&source=es&target=shp, as a form or as JSON.",
        ) from error
